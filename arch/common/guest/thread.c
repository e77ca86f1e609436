// SPDX-License-Identifier: Apache-2.0
/*
 * thread - the parts of arch/thread.h that are alike in every virtual machine
 */
#include "arch/common/guest/thread.h"

#include "arch/cpu.h"
#include "arch/fpu.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

static struct kmem_cache *fpu_cache;

void arch_thread_setup(void)
{
	fpu_cache = kmem_cache_create("fpu", arch_fpu_size(), 64);
	if (!fpu_cache)
		panic("no memory for the cache of floating-point states");
}

int thread_fpu_alloc(struct fpu_state **out)
{
	/* zeroed: saving leaves unused parts as they are, and signal frames show them */
	*out = kmem_cache_zalloc(fpu_cache);
	return *out ? 0 : -ENOMEM;
}

int arch_thread_init(struct arch_thread *t, void *kstack_top)
{
	struct regs *r;

	memset(t, 0, sizeof *t);
	t->kstack_top = (u64)kstack_top;
	r = thread_regs(t);
	memset(r, 0, sizeof *r);
	return 0;
}

void arch_thread_fini(struct arch_thread *t)
{
	struct cpu *c;

	if (!t->fpu)
		return;
	for_each_cpu(c) if (c->arch.fpu_owner == t->fpu) c->arch.fpu_owner = NULL;
	kmem_cache_free(fpu_cache, t->fpu);
	t->fpu = NULL;
}

struct regs *arch_thread_regs(struct arch_thread *t)
{
	return thread_regs(t);
}
