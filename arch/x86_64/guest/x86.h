// SPDX-License-Identifier: Apache-2.0
/*
 * x86 - privileged instructions and register numbers, for arch/x86_64/guest only
 */
#pragma once

#include "arch/x86_64/guest/asm.h"
#include "guestkernel/kapi/types.h"

#define MSR_TSC_DEADLINE     0x6e0
#define MSR_EFER	     0xc0000080
#define MSR_STAR	     0xc0000081
#define MSR_LSTAR	     0xc0000082
#define MSR_SFMASK	     0xc0000084
#define MSR_FS_BASE	     0xc0000100
#define MSR_GS_BASE	     0xc0000101
#define MSR_KERNEL_GS_BASE   0xc0000102
#define MSR_X2APIC_EOI	     0x80b
#define MSR_X2APIC_SVR	     0x80f
#define MSR_X2APIC_ICR	     0x830
#define MSR_X2APIC_LVT_TIMER 0x832

#define CR0_WP	     (1u << 16)
#define CR0_TS	     (1u << 3)
#define CR4_PGE	     (1u << 7)
#define CR4_UMIP     (1u << 11)
#define CR4_FSGSBASE (1u << 16)
#define CR4_OSXSAVE  (1u << 18)
#define CR4_SMEP     (1u << 20)
#define CR4_SMAP     (1u << 21)

#define FLAGS_FIXED 0x2u
#define FLAGS_TF    (1u << 8)
#define FLAGS_IF    (1u << 9)
#define FLAGS_DF    (1u << 10)
#define FLAGS_NT    (1u << 14)
#define FLAGS_RF    (1u << 16)
#define FLAGS_AC    (1u << 18)
#define FLAGS_USER  0x254dd5u /* what an application may set: CF PF AF ZF SF TF DF OF NT RF AC ID */

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline u64 read_cr0(void)
{
	u64 v;

	__asm__ volatile("movq %%cr0, %0" : "=r"(v));
	return v;
}

static inline void write_cr0(u64 v)
{
	__asm__ volatile("movq %0, %%cr0" : : "r"(v) : "memory");
}

static inline u64 read_cr2(void)
{
	u64 v;

	__asm__ volatile("movq %%cr2, %0" : "=r"(v));
	return v;
}

static inline u64 read_cr3(void)
{
	u64 v;

	__asm__ volatile("movq %%cr3, %0" : "=r"(v));
	return v;
}

static inline void write_cr3(u64 v)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(v) : "memory");
}

static inline u64 read_cr4(void)
{
	u64 v;

	__asm__ volatile("movq %%cr4, %0" : "=r"(v));
	return v;
}

static inline void write_cr4(u64 v)
{
	__asm__ volatile("movq %0, %%cr4" : : "r"(v) : "memory");
}

static inline void cpuid(u32 leaf, u32 sub, u32 out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(sub));
}

/* What the CPU has and what we decided to use; filled by cpu.c on CPU 0. */
struct cpu_features {
	bool smep, smap, umip, fsgsbase, xsave, xsaveopt, erms;
	u64 xcr0;
	u32 xsave_size;
	struct {
		u32 offset, size;
	} xcomp[8];			   /* of the components in xcr0 beyond x87 and SSE */
	bool syscall_by_ud, xsave_in_user; /* see quirk_pvm.c */
};
extern struct cpu_features features;
