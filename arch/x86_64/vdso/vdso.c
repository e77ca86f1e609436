// SPDX-License-Identifier: Apache-2.0
/*
 * vdso - the functions of the vDSO of x86-64
 *
 * See       arch/common/vdso/clock.h; vdso(7)
 */
#include "arch/common/vdso/clock.h"

#define NR_getcpu 309

EXPORT int64_t __vdso_time(int64_t *t);
EXPORT long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

int64_t __vdso_time(int64_t *t)
{
	int64_t now = (int64_t)(wall_ns() / NSEC_PER_SEC);

	if (t)
		*t = now;
	return now;
}

long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	(void)unused;
	return syscall2(NR_getcpu, (long)cpu, node);
}
