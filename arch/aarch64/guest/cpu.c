// SPDX-License-Identifier: Apache-2.0
/*
 * cpu - system control registers, feature choice, starting CPUs
 *
 * Role      arch_start() is the first C of the kernel at its own addresses, arch_start_secondary() of every other
 *           CPU; start.S has turned the MMU on.
 * Rules     Features are decided once, on CPU 0, and every CPU gets the same control bits.
 * Missing   SVE and SME (KVM keeps them off: vmm/vcpu.c does not ask for them), memory tagging, address randomisation
 *           of the kernel; an overflow of the kernel stack is not named but faults until the watchdog ends it.
 * See       Arm ARM D13.2; PSCI 1.1 (DEN 0022), 5.1
 */
#include "arch/cpu.h"

#include "arch/aarch64/guest/boot.h"
#include "arch/aarch64/guest/local.h"
#include "arch/irq.h"
#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/regs.h"
#include "arch/thread.h"
#include "guestkernel/host/hyp.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/main.h"
#include "guestkernel/uapi/mman.h"
#include "vmm/abi/hyp.h"

BUILD_BUG_ON(offsetof(struct regs, x[30]) != REGS_X30);
BUILD_BUG_ON(offsetof(struct regs, sp) != REGS_SP);
BUILD_BUG_ON(offsetof(struct regs, pc) != REGS_PC);
BUILD_BUG_ON(offsetof(struct regs, pstate) != REGS_PSTATE);
BUILD_BUG_ON(offsetof(struct regs, orig_x0) != REGS_ORIG_X0);
BUILD_BUG_ON(sizeof(struct regs) != REGS_SIZE);
BUILD_BUG_ON(offsetof(struct cpu, arch.current) != 0); /* current() */
BUILD_BUG_ON(offsetof(struct cpu, arch.idle_stack) != CPU_IDLE_STACK);

#define CPACR_FPEN	 (3ull << 20)
#define CNTKCTL_EL0VCTEN (1ull << 1)
#define PSCI_CPU_ON	 0xc4000003u

struct cpu_features features;
bool uaccess_has_pan; /* features.pan, where uaccess.S finds it */
bool arch_prefers_fresh_pages;
u32 arch_prot_extra;

static struct cpu boot_cpu;
extern char boot_stack_top[];
extern const char vectors[];
extern char entry_secondary[];

static u32 field(u64 reg, u32 shift)
{
	return (u32)(reg >> shift & 15);
}

/* Bits of AT_HWCAP, from 32 on of AT_HWCAP2: a field of an ID register of at least a value. */
enum { ISAR0, ISAR1, PFR0, MMFR2, PFR1, ID_REGS };
static const struct {
	u8 reg, shift, least, bit;
} hwcaps[] = {
	{ISAR0,	 4,  1, 3	 }, /* AES */
	{ ISAR0, 4,  2, 4	 }, /* PMULL */
	{ ISAR0, 8,  1, 5	 }, /* SHA1 */
	{ ISAR0, 12, 1, 6	  }, /* SHA2 */
	{ ISAR0, 12, 2, 21	   }, /* SHA512 */
	{ ISAR0, 16, 1, 7	  }, /* CRC32 */
	{ ISAR0, 20, 2, 8	  }, /* ATOMICS */
	{ ISAR0, 28, 1, 12	   }, /* ASIMDRDM */
	{ ISAR0, 32, 1, 17	   }, /* SHA3 */
	{ ISAR0, 36, 1, 18	   }, /* SM3 */
	{ ISAR0, 40, 1, 19	   }, /* SM4 */
	{ ISAR0, 44, 1, 20	   }, /* ASIMDDP */
	{ ISAR0, 48, 1, 23	   }, /* ASIMDFHM */
	{ ISAR0, 52, 1, 27	   }, /* FLAGM */
	{ ISAR0, 52, 2, 32 + 7 }, /* FLAGM2 */
	{ ISAR0, 60, 1, 32 + 16}, /* RNG */
	{ ISAR1, 0,  1, 16	  }, /* DCPOP */
	{ ISAR1, 0,  2, 32 + 0 }, /* DCPODP */
	{ ISAR1, 4,  1, 30	  }, /* PACA, by QARMA5 */
	{ ISAR1, 8,  1, 30	  }, /* PACA, by the maker's own */
	{ ISAR1, 12, 1, 13	   }, /* JSCVT */
	{ ISAR1, 16, 1, 14	   }, /* FCMA */
	{ ISAR1, 20, 1, 15	   }, /* LRCPC */
	{ ISAR1, 20, 2, 26	   }, /* ILRCPC */
	{ ISAR1, 24, 1, 31	   }, /* PACG */
	{ ISAR1, 28, 1, 31	   },
	   { ISAR1, 32, 1, 32 + 8 }, /* FRINT */
	{ ISAR1, 36, 1, 29	   }, /* SB */
	{ ISAR1, 44, 1, 32 + 14}, /* BF16 */
	{ ISAR1, 52, 1, 32 + 13}, /* I8MM */
	{ PFR0,	48, 1, 24	  }, /* DIT */
	{ MMFR2, 32, 1, 25	   }, /* USCAT */
	{ PFR1,	0,  1, 32 + 17}, /* BTI */
	{ PFR1,	4,  2, 28	 }, /* SSBS */
};

static void detect_hwcaps(const u64 *reg)
{
	u32 i;

	if (field(reg[PFR0], 16) != 15)
		features.hwcap |= 1; /* FP */
	if (field(reg[PFR0], 20) != 15)
		features.hwcap |= 2; /* ASIMD */
	if (field(reg[PFR0], 16) == 1)
		features.hwcap |= 1u << 9 | 1u << 10; /* half precision */
	for (i = 0; i < ARRAY_SIZE(hwcaps); i++) {
		if (field(reg[hwcaps[i].reg], hwcaps[i].shift) < hwcaps[i].least)
			continue;
		if (hwcaps[i].bit < 32)
			features.hwcap |= 1ull << hwcaps[i].bit;
		else
			features.hwcap2 |= 1ull << (hwcaps[i].bit - 32);
	}
	if (!features.pauth)
		features.hwcap &= ~(1ull << 30 | 1ull << 31);
}

static void detect_features(void)
{
	const u64 reg[ID_REGS] = {
		[ISAR0] = read_sysreg(id_aa64isar0_el1), [ISAR1] = read_sysreg(id_aa64isar1_el1),
		[PFR0] = read_sysreg(id_aa64pfr0_el1),	 [MMFR2] = read_sysreg(id_aa64mmfr2_el1),
		[PFR1] = read_sysreg(id_aa64pfr1_el1),
	};
	u64 ctr = read_sysreg(ctr_el0);

	features.pan = field(read_sysreg(id_aa64mmfr1_el1), 20) != 0;
	features.asid_bits = field(read_sysreg(id_aa64mmfr0_el1), 4) == 2 ? 16 : 8;
	features.idc = ctr >> 28 & 1;
	features.dic = ctr >> 29 & 1;
	features.icache_line = 4u << (ctr & 15);
	features.dcache_line = 4u << (ctr >> 16 & 15);
	features.ssbs = field(reg[PFR1], 4) >= 2;
	features.pauth = field(reg[ISAR1], 4) || field(reg[ISAR1], 8);
	features.bti = cpu_has_bti();
	uaccess_has_pan = features.pan;
	arch_prot_extra = features.bti ? PROT_BTI : 0;
	detect_hwcaps(reg);
}

static void setup_cpu(struct cpu *c)
{
	u64 sctlr = SCTLR_M | SCTLR_C | SCTLR_SA | SCTLR_SA0 | SCTLR_ITD | SCTLR_SED | SCTLR_EOS |
		    SCTLR_I | SCTLR_DZE | SCTLR_UCT | SCTLR_NTWI | SCTLR_NTWE | SCTLR_TSCXT |
		    SCTLR_EIS | SCTLR_UCI | SCTLR_NTLSMD | SCTLR_LSMAOE;

	write_sysreg(vbar_el1, vectors);
	write_sysreg(tpidr_el1, c);
	if (c == &boot_cpu)
		detect_features();
	if (!features.pan)
		sctlr |= SCTLR_SPAN;
	if (features.pauth)
		sctlr |= SCTLR_ENIA | SCTLR_ENIB | SCTLR_ENDA | SCTLR_ENDB;
	if (features.bti)
		sctlr |= SCTLR_BT0 | SCTLR_BT1;
	write_sysreg(sctlr_el1, sctlr);
	write_sysreg(cpacr_el1, CPACR_FPEN);
	write_sysreg(cntkctl_el1, CNTKCTL_EL0VCTEN);
	write_sysreg(oslar_el1, 0); /* single steps are off while the OS lock is on */
	write_sysreg(mdscr_el1, 0);
	isb();
	if (features.pan)
		__asm__ volatile(".arch armv8.1-a; msr pan, #1" : : : "memory");
}

noreturn_fn void arch_start(const void *fdt)
{
	cpus[0] = &boot_cpu;
	setup_cpu(&boot_cpu);
	mmu_setup();
	mmu_setup_cpu();
	kmain(fdt);
}

void arch_init(void)
{
	boot_map();
	irq_setup_cpu();
}

noreturn_fn void arch_start_secondary(struct cpu *c)
{
	setup_cpu(c);
	mmu_setup_cpu();
	irq_setup_cpu();
	secondary_main(c);
}

static s64 psci(u64 function, u64 a, u64 b, u64 c)
{
	register u64 x0 __asm__("x0") = function;
	register u64 x1 __asm__("x1") = a;
	register u64 x2 __asm__("x2") = b;
	register u64 x3 __asm__("x3") = c;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	return (s64)x0;
}

/* KVM gives CPUs their affinity by sixteens. */
int arch_cpu_start(struct cpu *c, void *stack_top)
{
	u64 affinity = (u64)(c->id >> 4) << 8 | (c->id & 15);
	u64 entry = (u64)entry_secondary - KERNEL_VA_BASE + HYP_RAM_BASE;

	c->arch.idle_stack = stack_top;
	return psci(PSCI_CPU_ON, affinity, entry, (u64)c) ? -EIO : 0;
}

void *arch_boot_stack_top(void)
{
	return boot_stack_top;
}

noreturn_fn void arch_cpu_stop(void)
{
	for (;;)
		__asm__ volatile("msr daifset, #15; wfi");
}

void arch_spin_relax(void)
{
	__asm__ volatile("yield");
	if (unlikely(READ_ONCE(this_cpu()->arch.ipi_pending) & ~(u32)IPI_RESCHED))
		ipi_serve();
}
