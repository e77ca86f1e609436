// SPDX-License-Identifier: Apache-2.0
/*
 * arm64 - system registers and their bits, for arch/aarch64/guest only
 */
#pragma once

#include "arch/aarch64/guest/asm.h"
#include "guestkernel/kapi/types.h"

#define read_sysreg(name)                                                   \
	({                                                                  \
		u64 v_;                                                     \
		__asm__ volatile("mrs %0, " #name : "=r"(v_) : : "memory"); \
		v_;                                                         \
	})
#define write_sysreg(name, v) __asm__ volatile("msr " #name ", %0" : : "r"((u64)(v)) : "memory")
#define isb()		      __asm__ volatile("isb" : : : "memory")
#define dsb(kind)	      __asm__ volatile("dsb " #kind : : : "memory")

/* SCTLR_EL1 */
#define SCTLR_M	     (1ull << 0)
#define SCTLR_C	     (1ull << 2)
#define SCTLR_SA     (1ull << 3)
#define SCTLR_SA0    (1ull << 4)
#define SCTLR_ITD    (1ull << 7)
#define SCTLR_SED    (1ull << 8)
#define SCTLR_EOS    (1ull << 11)
#define SCTLR_I	     (1ull << 12)
#define SCTLR_ENDB   (1ull << 13)
#define SCTLR_DZE    (1ull << 14)
#define SCTLR_UCT    (1ull << 15)
#define SCTLR_NTWI   (1ull << 16)
#define SCTLR_NTWE   (1ull << 18)
#define SCTLR_TSCXT  (1ull << 20)
#define SCTLR_EIS    (1ull << 22)
#define SCTLR_SPAN   (1ull << 23)
#define SCTLR_UCI    (1ull << 26)
#define SCTLR_ENDA   (1ull << 27)
#define SCTLR_NTLSMD (1ull << 28)
#define SCTLR_LSMAOE (1ull << 29)
#define SCTLR_ENIB   (1ull << 30)
#define SCTLR_ENIA   (1ull << 31)
#define SCTLR_BT0    (1ull << 35)
#define SCTLR_BT1    (1ull << 36)

#define PSTATE_SS     (1ull << 21)
#define PSTATE_SSBS   (1ull << 12)
#define PSTATE_DIT    (1ull << 24)
#define PSTATE_BTYPE  (3ull << 10)
#define PSTATE_CALLED (2ull << 10)  /* BTYPE after an indirect call */
#define PSTATE_FLAGS  (15ull << 28) /* NZCV */
#define PSTATE_USER   (PSTATE_FLAGS | PSTATE_DIT | PSTATE_SSBS | PSTATE_BTYPE | PSTATE_SS)

/* What the CPU has; filled by cpu.c on CPU 0. */
struct cpu_features {
	bool pan, idc, dic, pauth, ssbs, bti;
	u32 asid_bits;
	u32 icache_line, dcache_line; /* smallest, in bytes */
	u64 hwcap, hwcap2;
};
extern struct cpu_features features;

/* Branch target identification; before features are known, too. */
static inline bool cpu_has_bti(void)
{
	return read_sysreg(id_aa64pfr1_el1) & 15;
}
