// SPDX-License-Identifier: Apache-2.0
/*
 * features - what the CPU has, as CPUID says
 *
 * Role      Called once, on CPU 0. Shared by the machines of x86-64.
 * See       Intel SDM volume 1, chapter 13
 */
#include "arch/x86_64/guest/features.h"

#include "arch/x86_64/guest/x86.h"

struct cpu_features features;

void features_detect(void)
{
	u32 c1[4], c7[4] = { 0 }, cd[4] = { 0 }, cd1[4] = { 0 }, max[4], i;

	cpuid(0, 0, max);
	cpuid(1, 0, c1);
	if (max[0] >= 7)
		cpuid(7, 0, c7);
	features.smep = c7[1] & 1u << 7;
	features.smap = c7[1] & 1u << 20;
	features.umip = c7[2] & 1u << 2;
	features.fsgsbase = c7[1] & 1u << 0;
	features.erms = c7[1] & 1u << 9;
	if (!(c1[2] & 1u << 26) || max[0] < 0xd)
		return;
	cpuid(0xd, 0, cd);
	cpuid(0xd, 1, cd1);
	features.xsave = true;
	features.xsaveopt = cd1[0] & 1;
	/* x87, SSE, AVX, AVX-512; not AMX (8 KiB per task) and not PKRU. */
	features.xcr0 = cd[0] & 0xe7;
	if ((features.xcr0 & 0xe0) != 0xe0)
		features.xcr0 &= ~0xe0ull;
	features.xsave_size = 576;
	for (i = 2; i < 8; i++) {
		if (!(features.xcr0 >> i & 1))
			continue;
		cpuid(0xd, i, cd);
		features.xcomp[i].size = cd[0];
		features.xcomp[i].offset = cd[1];
		features.xsave_size = MAX(features.xsave_size, cd[0] + cd[1]);
	}
}
