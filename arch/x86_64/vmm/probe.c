// SPDX-License-Identifier: Apache-2.0
/*
 * probe - how fast KVM runs ring 0 here
 *
 * Role      See arch/vcpu.h. A virtual machine of four pages times a loop by its own cycle counter: 100 instructions,
 *           three times, the fastest counts, so that an interrupt in the middle does no harm. Hardware takes
 *           nanoseconds for all of it; a KVM that emulates ring 0 a fraction of a millisecond.
 * See       Intel SDM volume 3, 4.5
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/vcpu.h"
#include "vmm/abi/hyp.h"

#define PAGES	  4 /* three of tables, one of code */
#define CODE_GPA  0x3000u
#define LOOP	  "50" /* of two instructions each */
#define LOOP_INSN 100
#define PTE_RW	  0x3ull
#define PTE_LARGE 0x83ull
#define CR0_PROBE 0x80000011u /* PG ET PE */
#define CR4_PAE	  0x20u
#define EFER_LONG 0x500u /* LMA LME */

extern const uint8_t probe_code[], probe_code_end[];

__asm__(".pushsection .rodata\n"
	".globl probe_code, probe_code_end\n"
	"probe_code:\n"
	"	movl	$3, %esi\n"
	"	movl	$-1, %edi\n"
	"1:	rdtsc\n"
	"	movl	%eax, %ebx\n"
	"	movl	$" LOOP ", %ecx\n"
	"2:	decl	%ecx\n"
	"	jnz	2b\n"
	"	rdtsc\n"
	"	subl	%ebx, %eax\n"
	"	cmpl	%edi, %eax\n"
	"	jae	3f\n"
	"	movl	%eax, %edi\n"
	"3:	decl	%esi\n"
	"	jnz	1b\n"
	"	movl	%edi, %eax\n"
	"	movw	$0x0d0b, %dx\n"
	"	outl	%eax, %dx\n"
	"	hlt\n"
	"probe_code_end:\n"
	".popsection\n");

static int give_pages(int vm_fd, uint8_t *page, struct err *e)
{
	struct kvm_userspace_memory_region r = {
		.memory_size = PAGES * HYP_PAGE_SIZE,
		.userspace_addr = (uintptr_t)page,
	};
	uint64_t *table = (uint64_t *)page;

	table[0] = HYP_PAGE_SIZE | PTE_RW;
	table[512] = 2 * HYP_PAGE_SIZE | PTE_RW;
	table[1024] = PTE_LARGE; /* the first 2 MiB */
	memcpy(page + CODE_GPA, probe_code, (size_t)(probe_code_end - probe_code));
	if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &r))
		return err_set_errno(e, errno, "giving the probe its memory");
	return 0;
}

static int set_registers(int cpu, struct err *e)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1
	};
	struct kvm_regs r = { .rip = CODE_GPA, .rsp = CODE_GPA, .rflags = 2 };
	struct kvm_segment data = code;
	struct kvm_sregs s;

	if (ioctl(cpu, KVM_GET_SREGS, &s))
		return err_set_errno(e, errno, "reading the probe's registers");
	data.type = 3;
	data.selector = 16;
	data.l = 0;
	data.db = 1;
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cr0 = CR0_PROBE;
	s.cr3 = 0;
	s.cr4 = CR4_PAE;
	s.efer = EFER_LONG;
	if (ioctl(cpu, KVM_SET_SREGS, &s) || ioctl(cpu, KVM_SET_REGS, &r))
		return err_set_errno(e, errno, "setting the probe's registers");
	return 0;
}

/* Cycles of LOOP_INSN instructions. */
static int run(int cpu, struct kvm_run *state, uint32_t *cycles, struct err *e)
{
	int ret;

	do {
		ret = ioctl(cpu, KVM_RUN, 0);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return err_set_errno(e, errno, "running the probe");
	if (state->exit_reason != KVM_EXIT_IO || state->io.port != HYP_DOORBELL_PORT ||
	    state->io.size != 4)
		return err_set(e, EIO, "KVM ended the probe with exit reason %u",
			       state->exit_reason);
	memcpy(cycles, (uint8_t *)state + state->io.data_offset, sizeof *cycles);
	return 0;
}

int arch_kvm_probe(int kvm_fd, int vm_fd, uint64_t *ps, struct err *e)
{
	int size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0), khz, ret;
	CLEANUP_FD int cpu = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
	uint8_t *page = mmap(NULL, PAGES * HYP_PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_run *state = MAP_FAILED;
	uint32_t cycles = 0;

	if (page == MAP_FAILED)
		return err_set_errno(e, errno, "making the probe's memory");
	if (cpu >= 0 && size > 0)
		state = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	ret = state == MAP_FAILED ? err_set_errno(e, errno, "creating the probe's CPU") : 0;
	if (!ret)
		ret = give_pages(vm_fd, page, e);
	if (!ret)
		ret = set_registers(cpu, e);
	if (!ret)
		ret = run(cpu, state, &cycles, e);
	khz = ret ? 0 : ioctl(cpu, KVM_GET_TSC_KHZ, 0);
	if (!ret && khz <= 0)
		ret = err_set(e, ENOTSUP, "KVM does not tell the frequency of the cycle counter");
	if (!ret)
		*ps = (uint64_t)cycles * 1000000000u / LOOP_INSN / (uint64_t)khz;
	if (state != MAP_FAILED)
		munmap(state, (size_t)size);
	munmap(page, PAGES * HYP_PAGE_SIZE);
	return ret;
}
