// SPDX-License-Identifier: Apache-2.0
/*
 * cpu - descriptor tables, control registers, feature choice, starting CPUs
 *
 * Role      arch_start() is the first C of the kernel, arch_start_secondary() of every other CPU.
 * Rules     Features are decided once, on CPU 0, and every CPU gets the same control bits. KVM's CPUID is
 *           believed, except where quirk_pvm.c finds the software KVM that cannot emulate what it announces.
 * Missing   PCID, protection keys, LA57, CET.
 * See       Intel SDM volume 3, chapters 2, 3 and 6
 */
#include "arch/cpu.h"

#include "arch/irq.h"
#include "arch/mmu.h"
#include "arch/regs.h"
#include "arch/thread.h"
#include "arch/x86_64/guest/features.h"
#include "arch/x86_64/guest/local.h"
#include "guestkernel/host/hyp.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/leak.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/main.h"
#include "vmm/abi/hyp.h"

BUILD_BUG_ON(offsetof(struct regs, r11) != REGS_R11);
BUILD_BUG_ON(offsetof(struct regs, cx) != REGS_CX);
BUILD_BUG_ON(offsetof(struct regs, orig_ax) != REGS_ORIG_AX);
BUILD_BUG_ON(offsetof(struct regs, ip) != REGS_IP);
BUILD_BUG_ON(offsetof(struct regs, cs) != REGS_CS);
BUILD_BUG_ON(sizeof(struct regs) != REGS_SIZE);
BUILD_BUG_ON(offsetof(struct cpu, arch.current) != CPU_CURRENT);
BUILD_BUG_ON(offsetof(struct cpu, arch.kstack_top) != CPU_KSTACK_TOP);
BUILD_BUG_ON(offsetof(struct cpu, arch.user_sp) != CPU_USER_SP);
BUILD_BUG_ON(offsetof(struct arch_thread, ksp) != THREAD_KSP);
BUILD_BUG_ON(HYP_ABI_VERSION != 2); /* the note in entry.S */

#define CR4_WANTED_BASE 0
#define IST_BYTES	4096

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap;
} packed_struct;

struct arch_cpu_tables {
	u64 gdt[10];
	struct tss tss;
	u8 fault_stack[IST_BYTES]
		__attribute__((aligned(16))); /* double fault, NMI, machine check */
};

struct idt_gate {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset1;
	u32 offset2, reserved;
};

static struct cpu boot_cpu;
static struct arch_cpu_tables boot_tables;
static struct idt_gate idt[256];
extern const char trap_stubs[];
extern char boot_stack_top[];
extern const char entry_syscall[];
extern const char entry_secondary[];
extern const u64 smap_sites_start[], smap_sites_end[];

static void idt_set(u32 vec, u32 stub, u32 ist, u32 dpl)
{
	u64 at = (u64)trap_stubs + 16ull * stub;

	idt[vec] = (struct idt_gate){
		.offset0 = (u16)at,
		.selector = KERNEL_CS,
		.ist = (u8)ist,
		.type = (u8)(0x8e | dpl << 5),
		.offset1 = (u16)(at >> 16),
		.offset2 = (u32)(at >> 32),
	};
}

static void idt_init(void)
{
	u32 v;

	for (v = 0; v < 32; v++)
		idt_set(v, v, v == 2 || v == 8 || v == 18 ? 1 : 0, v == 3 || v == 4 ? 3 : 0);
	idt_set(VEC_TIMER, 32, 0, 0);
	idt_set(VEC_IPI, 33, 0, 0);
	idt_set(VEC_EVENT, 34, 0, 0);
	idt_set(VEC_SPURIOUS, 35, 0, 0);
}

static void load_tables(struct arch_cpu_tables *t)
{
	struct {
		u16 limit;
		u64 base;
	} packed_struct gdtr = { sizeof t->gdt - 1, (u64)t->gdt },
			idtr = { sizeof idt - 1, (u64)idt };
	u64 base = (u64)&t->tss;

	t->gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
	t->gdt[KERNEL_DS / 8] = 0x00cf93000000ffff;
	/* USER_CS32 stays empty: no 32-bit code, so no SYSCALL from there, which would come in by CSTAR */
	t->gdt[USER_DS / 8] = 0x00cff3000000ffff;
	t->gdt[USER_CS / 8] = 0x00affb000000ffff;
	t->gdt[TSS_SEL / 8] = (sizeof t->tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
			      (base >> 24 & 0xff) << 56;
	t->gdt[TSS_SEL / 8 + 1] = base >> 32;
	t->tss.iomap = sizeof t->tss;
	t->tss.ist[0] = (u64)(t->fault_stack + IST_BYTES);
	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	__asm__ volatile("lidt %0" : : "m"(idtr));
	__asm__ volatile("ltr %w0" : : "r"(TSS_SEL));
	__asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%fs; movl %0, %%gs" : : "r"(0));
}

static void set_control_registers(void)
{
	u64 cr4 = read_cr4();

	if (features.smep)
		cr4 |= CR4_SMEP;
	if (features.smap)
		cr4 |= CR4_SMAP;
	if (features.umip)
		cr4 |= CR4_UMIP;
	if (features.fsgsbase)
		cr4 |= CR4_FSGSBASE;
	if (features.xsave && !features.xsave_in_user)
		cr4 |= CR4_OSXSAVE;
	write_cr4(cr4);
	if (features.xsave && !features.xsave_in_user)
		__asm__ volatile("xsetbv"
				 :
				 : "c"(0), "a"((u32)features.xcr0),
				   "d"((u32)(features.xcr0 >> 32)));
}

static void set_syscall_msrs(void)
{
	wrmsr(MSR_STAR, (u64)USER_CS32 << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, features.syscall_by_ud ? quirk_syscall_entry() : (u64)entry_syscall);
	wrmsr(MSR_SFMASK, FLAGS_TF | FLAGS_IF | FLAGS_DF | FLAGS_NT | FLAGS_AC | FLAGS_RF | 0x3000);
}

/* Writes clac and stac where entry.S and uaccess.S left room. Before any other CPU runs. */
static void patch_smap_sites(void)
{
	u64 cr0 = read_cr0();
	const u64 *s;

	if (!features.smap)
		return;
	write_cr0(cr0 & ~(u64)CR0_WP);
	for (s = smap_sites_start; s < smap_sites_end; s += 2) {
		volatile u8 *p = (volatile u8 *)s[0];

		p[0] = 0x0f;
		p[1] = 0x01;
		p[2] = (u8)s[1];
	}
	write_cr0(cr0);
}

static void setup_cpu(struct cpu *c, struct arch_cpu_tables *t, u32 apic_id)
{
	c->arch.self = c;
	c->arch.tables = t;
	c->arch.apic_id = apic_id;
	load_tables(t);
	wrmsr(MSR_GS_BASE, (u64)c);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
}

noreturn_fn void arch_start(const void *fdt)
{
	idt_init();
	setup_cpu(&boot_cpu, &boot_tables, 0);
	cpus[0] = &boot_cpu;
	features_detect();
	quirk_probe();
	patch_smap_sites();
	set_control_registers();
	set_syscall_msrs();
	fpu_setup();
	mmu_setup();
	irq_setup_cpu();
	kmain(fdt);
}

noreturn_fn void arch_start_secondary(struct cpu *c)
{
	setup_cpu(c, c->arch.tables, c->id);
	set_control_registers();
	set_syscall_msrs();
	irq_setup_cpu();
	secondary_main(c);
}

u32 arch_prot_extra;

/* The monitor has mapped everything, and the devices are the CPU's own. */
void arch_init(void)
{
}

int arch_cpu_start(struct cpu *c, void *stack_top)
{
	struct hyp_cpu_start req = { .cpu = c->id };

	c->arch.tables = kzalloc(sizeof *c->arch.tables);
	if (!c->arch.tables)
		return -ENOMEM;
	leak_forget(c->arch.tables); /* as long as the CPU */
	req.ip = (u64)entry_secondary;
	req.sp = (u64)stack_top;
	req.arg = (u64)c;
	return arch_hostcall(HYP_CPU_START, &req, sizeof req, NULL, 0);
}

void cpu_set_kernel_stack(struct cpu *c, u64 top)
{
	c->arch.kstack_top = top;
	c->arch.tables->tss.rsp[0] = top;
}

void cpu_set_trap_stack(struct cpu *c, u64 top)
{
	c->arch.tables->tss.rsp[0] = top;
}

u64 cpu_scratch_stack(struct cpu *c)
{
	return (u64)(c->arch.tables->fault_stack + IST_BYTES);
}

void *arch_boot_stack_top(void)
{
	return boot_stack_top;
}

noreturn_fn void arch_cpu_stop(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void arch_spin_relax(void)
{
	__asm__ volatile("pause");
	if (unlikely(READ_ONCE(this_cpu()->arch.ipi_pending) & ~(u32)IPI_RESCHED))
		ipi_serve();
}
