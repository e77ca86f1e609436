// SPDX-License-Identifier: Apache-2.0
/*
 * fpu - vector state of tasks, which lives in application threads
 *
 * Role      See arch/fpu.h. The kernel process itself uses general registers only.
 * Rules     Whenever an application thread waits, its state is in memory: in the signal frame by which it came, and it
 *           loads that image again before it goes on. So saving is a copy, and restoring is a copy into the
 *           area and a note in area->fp. arch_switch() saves; a thread whose image still belongs to the task
 *           that goes on needs nothing.
 *           Images come from memory the application can write: they are sanitised on the way in.
 */
#include "arch/fpu.h"

#include "arch/cpu.h"
#include "arch/process/guest/local.h"
#include "arch/x86_64/guest/fpu.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/task.h"

/* Of the task itself: in arch_switch() the next one's space is active already. */
static struct stub_thread *live_thread(void)
{
	struct aspace *mm = current()->mm;
	struct space *sp = mm ? (struct space *)mm->arch.context : NULL;

	return sp ? &sp->stub->thread[this_cpu()->id] : NULL;
}

void fpu_note_entry(struct stub_thread *st, u64 fp)
{
	struct arch_thread *t = (struct arch_thread *)current();
	u64 base = PM_STUB_AREA + this_cpu()->id * PM_STUB_AREA_BYTES, off = fp - base;

	st->image = NULL;
	st->owner = t;
	if (off < AREA_XSAVE || off > AREA_BYTES - arch_fpu_size() || (off & 63))
		return;
	st->image = (u8 *)st->area + off;
	t->fpu_cpu = this_cpu()->id;
}

void arch_fpu_save(struct fpu_state *s)
{
	struct arch_thread *t = (struct arch_thread *)current();
	struct stub_thread *st = live_thread();

	if (t->fpu_cpu == this_cpu()->id && st && st->owner == t && st->image) {
		memcpy(s, st->image, arch_fpu_size());
		fpu_sanitize(s);
	} else if (s != t->fpu) {
		memcpy(s, t->fpu, arch_fpu_size());
	}
}

void arch_fpu_restore(const struct fpu_state *s)
{
	struct arch_thread *t = (struct arch_thread *)current();

	if (s != t->fpu)
		memcpy(t->fpu, s, arch_fpu_size());
	t->fpu_cpu = FPU_IN_MEMORY;
}

void arch_fpu_reset(void)
{
	struct arch_thread *t = (struct arch_thread *)current();

	arch_fpu_init_state(t->fpu);
	t->fpu_cpu = FPU_IN_MEMORY;
}

void fpu_prepare_exit(struct stub_thread *st)
{
	struct arch_thread *t = (struct arch_thread *)current();

	if (likely(t->fpu_cpu == this_cpu()->id && st->owner == t && st->image)) {
		st->area->fp = st->fast ? 0
					: PM_STUB_AREA + this_cpu()->id * PM_STUB_AREA_BYTES +
						  (u64)(st->image - (u8 *)st->area);
		return;
	}
	memcpy((u8 *)st->area + AREA_XSAVE, t->fpu, arch_fpu_size());
	st->area->fp = PM_STUB_AREA + this_cpu()->id * PM_STUB_AREA_BYTES + AREA_XSAVE;
}
