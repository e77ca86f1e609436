// SPDX-License-Identifier: Apache-2.0
/*
 * vcpu - x86-64 virtual CPUs: interrupt controller, CPUID, the registers at the first instruction
 *
 * Role      See arch/vcpu.h.
 * Rules     Entry is in 64-bit mode with paging on: no real mode, no firmware. The local APIC is the kernel's
 *           (split irqchip) in x2APIC mode; features and registers are those cpuid.c allows.
 * See       Intel SDM volume 3, 4.5 and 10.12; KVM API document
 */
#include <cpuid.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "arch/layout.h"
#include "arch/vcpu.h"
#include "arch/x86_64/vmm/cpuid.h"
#include "arch/x86_64/vmm/pagetable.h"
#include "vmm/vm.h"

#define CR0_INIT       0x80050033u /* PG AM WP NE ET MP PE */
#define CR4_PAE	       (1u << 5)
#define CR4_PGE	       (1u << 7)
#define CR4_OSFXSR     (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define EFER_INIT      0xd01u	   /* NXE LMA LME SCE */
#define APIC_BASE_INIT 0xfee00c00u /* enabled, x2APIC */
#define APIC_BASE_BSP  0x100u
#define EVENT_VECTOR   0x22u
#define FLAGS_IF       0x200u
#define GUEST_CS \
	0x10 /* as in the kernel's own table (guest/asm.h): frames of its first traps name it */
#define GUEST_DS    0x18
#define MSR_TSC	    0x10
#define XCR0_WANTED 0xe7u /* x87, SSE, AVX, AVX-512 */
#define XCR0_AVX512 0xe0u

int arch_vm_type(int kvm_fd, unsigned long *type, struct err *e)
{
	(void)kvm_fd;
	(void)e;
	*type = 0;
	return 0;
}

int arch_vm_init(struct vm *vm, struct err *e)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	struct kvm_enable_cap x2apic = {
		.cap = KVM_CAP_X2APIC_API,
		.args = { KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK },
	};

	if (pagetable_make(vm, e) || msr_filter_set(vm->fd, e))
		return -e->code;
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &split))
		return err_set_errno(e, errno, "KVM here has no split interrupt controller");
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &x2apic))
		return err_set_errno(e, errno, "KVM here has no x2APIC interface");
	/* Only VMX without unrestricted guest wants it, for real mode; harmless elsewhere. */
	(void)ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	return 0;
}

int arch_vm_route_event(struct vm *vm, uint32_t gsi, struct err *e)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} r = { .head.nr = 1 };

	r.entry.gsi = gsi;
	r.entry.type = KVM_IRQ_ROUTING_MSI;
	r.entry.u.msi.address_lo = 0xfee00000u; /* physical destination 0 */
	r.entry.u.msi.data = EVENT_VECTOR;	/* fixed, edge */
	if (ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r))
		return err_set_errno(e, errno, "routing the event interrupt");
	return 0;
}

void arch_vm_interrupt(struct vm *vm, uint32_t cpu)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000u | cpu << 12, .data = EVENT_VECTOR };

	(void)ioctl(vm->fd, KVM_SIGNAL_MSI,
		    &msi); /* a CPU that cannot be reached does not answer */
}

static int set_cpuid(struct vm *vm, struct vcpu *v, struct err *e)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entry[CPUID_MAX];
	} c = { .head.nent = CPUID_MAX };

	if (ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, &c))
		return err_set_errno(e, errno, "reading what KVM's CPUs can do");
	c.head.nent = cpuid_filter(c.entry, c.head.nent);
	cpuid_describe(c.entry, c.head.nent, v->id, vm->nr_cpus);
	if (ioctl(v->fd, KVM_SET_CPUID2, &c))
		return err_set_errno(e, errno, "describing virtual CPU %u", v->id);
	return 0;
}

static void set_segment(struct kvm_segment *s, uint16_t selector, bool is_code)
{
	*s = (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = is_code ? 11 : 3,
		.present = 1,
		.s = 1,
		.l = is_code,
		.db = !is_code,
		.g = 1,
	};
}

static int set_system_registers(struct vm *vm, struct vcpu *v, struct err *e)
{
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_SREGS, &s))
		return err_set_errno(e, errno, "reading the registers of virtual CPU %u", v->id);
	set_segment(&s.cs, GUEST_CS, true);
	set_segment(&s.ds, GUEST_DS, false);
	s.es = s.fs = s.gs = s.ss = s.ds;
	s.tr = (struct kvm_segment){ .limit = 0x67, .type = 11, .present = 1 };
	s.ldt = (struct kvm_segment){ .type = 2, .unusable = 1 };
	s.cr0 = CR0_INIT;
	s.cr3 = vm->root_gpa;
	s.cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	s.efer = EFER_INIT;
	s.apic_base = APIC_BASE_INIT | (v->id == 0 ? APIC_BASE_BSP : 0);
	if (ioctl(v->fd, KVM_SET_SREGS, &s))
		return err_set_errno(e, errno, "setting the registers of virtual CPU %u", v->id);
	return 0;
}

/* The vector state the guest kernel will want (guest/cpu.c chooses the same). The guest could do it by xsetbv, but
 * not every host notices that. */
static void set_xcr0(struct vcpu *v)
{
	struct kvm_xcrs x = { .nr_xcrs = 1 };
	uint32_t eax, ebx, ecx, edx;

	if (!__get_cpuid_count(0xd, 0, &eax, &ebx, &ecx, &edx))
		return;
	x.xcrs[0].value = eax & XCR0_WANTED;
	if ((x.xcrs[0].value & XCR0_AVX512) != XCR0_AVX512)
		x.xcrs[0].value &= ~(uint64_t)XCR0_AVX512;
	(void)ioctl(v->fd, KVM_SET_XCRS, &x);
}

int arch_vcpu_init(struct vm *vm, struct vcpu *v, struct err *e)
{
	struct kvm_mp_state run = { .mp_state = KVM_MP_STATE_RUNNABLE };
	int ret = set_cpuid(vm, v, e);

	if (!ret)
		ret = set_system_registers(vm, v, e);
	if (!ret)
		set_xcr0(v);
	/* Application processors normally wait for INIT; ours wait in their thread instead. */
	if (!ret && ioctl(v->fd, KVM_SET_MP_STATE, &run))
		ret = err_set_errno(e, errno, "making virtual CPU %u runnable", v->id);
	return ret;
}

int arch_vcpu_set_entry(struct vcpu *v, uint64_t ip, uint64_t sp, uint64_t arg0, uint64_t arg1,
			struct err *e)
{
	struct kvm_regs r = { .rip = ip, .rsp = sp, .rdi = arg0, .rsi = arg1, .rflags = 2 };

	if (ioctl(v->fd, KVM_SET_REGS, &r))
		return err_set_errno(e, errno, "setting the entry of virtual CPU %u", v->id);
	return 0;
}

int arch_vcpu_set_boot(struct vcpu *v, uint64_t entry, uint64_t fdt_gpa, struct err *e)
{
	return arch_vcpu_set_entry(v, entry, 0, DIRECT_MAP_BASE + fdt_gpa, 0, e);
}

uint64_t arch_counter_khz(struct vcpu *v)
{
	int khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);

	return khz > 0 ? (uint64_t)khz : 0;
}

uint64_t arch_counter_now(void)
{
	return __builtin_ia32_rdtsc();
}

uint64_t arch_counter_offset(struct vcpu *v)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} m = { .head.nmsrs = 1, .entry.index = MSR_TSC };
	uint64_t before = arch_counter_now();

	return ioctl(v->fd, KVM_GET_MSRS, &m) == 1 ? m.entry.data - before : 0;
}

void arch_vcpu_where(struct vcpu *v, uint64_t *ip, uint64_t *sp, uint64_t *fp)
{
	struct kvm_regs r = { 0 };

	if (ioctl(v->fd, KVM_GET_REGS, &r))
		memset(&r, 0, sizeof r);
	*ip = r.rip;
	*sp = r.rsp;
	*fp = r.rbp;
}

bool arch_vcpu_frame(struct vcpu *v, uint64_t *root, uint64_t *ip, uint64_t *fp)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	if (ioctl(v->fd, KVM_GET_REGS, &r) || ioctl(v->fd, KVM_GET_SREGS, &s))
		return false;
	*root = s.cr3;
	*ip = r.rip;
	*fp = r.rbp;
	return true;
}

bool arch_vcpu_sleeps_for_good(struct vcpu *v)
{
	struct kvm_mp_state mp;
	struct kvm_regs r;

	return !ioctl(v->fd, KVM_GET_MP_STATE, &mp) && mp.mp_state == KVM_MP_STATE_HALTED &&
	       !ioctl(v->fd, KVM_GET_REGS, &r) && !(r.rflags & FLAGS_IF);
}
