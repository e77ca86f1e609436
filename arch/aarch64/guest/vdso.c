// SPDX-License-Identifier: Apache-2.0
/*
 * vdso - the signal trampoline's place, AT_HWCAP, /proc/cpuinfo
 */
#include "arch/aarch64/guest/local.h"
#include "arch/thread.h"
#include "arch/vdso_cpu.h"
#include "guestkernel/kapi/strbuf.h"

u64 arch_vdso_sigreturn_offset(void)
{
	return VDSO_SIGRETURN;
}

u64 arch_hwcap(void)
{
	return features.hwcap;
}

u64 arch_hwcap2(void)
{
	return features.hwcap2;
}

static const char *const names[] = {
	"fp",	   "asimd", "evtstrm", "aes",	"pmull",    "sha1",   "sha2", "crc32",
	"atomics", "fphp",  "asimdhp", "cpuid", "asimdrdm", "jscvt",  "fcma", "lrcpc",
	"dcpop",   "sha3",  "sm3",     "sm4",	"asimddp",  "sha512", "sve",  "asimdfhm",
	"dit",	   "uscat", "ilrcpc",  "flagm", "ssbs",	    "sb",     "paca", "pacg",
};
/* NULL: never announced */
static const char *const names2[] = {
	"dcpodp", NULL, NULL, NULL, NULL,   NULL,   NULL, "flagm2", "frint",
	NULL,	  NULL, NULL, NULL, "i8mm", "bf16", NULL, "rng",    "bti",
};

void arch_cpuinfo_show(struct strbuf *sb, u32 cpu)
{
	u64 midr = read_sysreg(midr_el1), hz = read_sysreg(cntfrq_el0);
	u32 i;

	strbuf_printf(sb, "processor\t: %u\nBogoMIPS\t: %lu.%02lu\nFeatures\t:", cpu, hz / 500000,
		      hz / 5000 % 100);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (features.hwcap >> i & 1)
			strbuf_printf(sb, " %s", names[i]);
	for (i = 0; i < ARRAY_SIZE(names2); i++)
		if (features.hwcap2 >> i & 1)
			strbuf_printf(sb, " %s", names2[i]);
	strbuf_printf(sb,
		      "\nCPU implementer\t: 0x%02x\nCPU architecture: 8\nCPU variant\t: 0x%x\n"
		      "CPU part\t: 0x%03x\nCPU revision\t: %u\n\n",
		      (u32)(midr >> 24 & 255), (u32)(midr >> 20 & 15), (u32)(midr >> 4 & 0xfff),
		      (u32)(midr & 15));
}

/* Which of the registers that describe caches an EL1 may read differs between hosts. */
bool arch_cpu_cache(u32 index, struct cpu_cache *out)
{
	(void)index;
	(void)out;
	return false;
}
