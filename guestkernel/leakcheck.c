// SPDX-License-Identifier: Apache-2.0
/*
 * leakcheck - the leak guard: what is left when every process has ended and every mount is gone
 *
 * Role      In the debug kernel only. Each heap object and each frame given out since leak_start() is remembered
 *           with the call chain that wanted it. At the end of process 1 the sandbox is taken apart, which
 *           a release kernel does not bother to do, and whatever is still remembered is a leak: the call
 *           chains are logged, then the kernel panics, so that every test that ran in it fails.
 * Rules     Objects kept for good on purpose (an object cache, the stack of an idle task) are forgotten
 *           where they are made. When more than ENTRIES objects live at once, the guard gives up and says so.
 * Locking   A spinning word of its own, inside all locks; it is no struct spinlock because it is taken under
 *           locks of the last rank.
 */
#include "guestkernel/kapi/leak.h"

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/frame.h"
#include "fs/mount.h"
#include "guestkernel/ipc/ids.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/htab.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/task/exit.h"
#include "guestkernel/task/job_int.h"
#include "guestkernel/task/ns.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/task/task.h"
#include "guestkernel/uapi/signal.h"
#include "net/unix_impl.h"

#define ENTRIES	    65536u
#define BUCKETS	    16384u
#define DEPTH	    6
#define SKIP	    1 /* the allocator itself */
#define SHOW_MAX    12
#define PATIENCE_NS (5 * NSEC_PER_SEC)

struct entry {
	const void *p;
	u64 frame[DEPTH];
	u32 size, next; /* 0: end */
};

static struct entry entry[ENTRIES + 1]; /* [guard] 0 is nobody */
static u32 bucket[BUCKETS];		/* [guard] */
static u32 free_head, nr_used;		/* [guard]; entries above nr_used were never used */
static u32 guard;
static bool is_on;

static struct spinlock end_lock = SPINLOCK_INIT(RANK_OBJECT);
static struct waitq ended = WAITQ_INIT(ended);
static bool has_ended; /* [end_lock] */
static s32 end_status; /* [end_lock] */
static void (*finish)(s32 status);

static void enter(void)
{
	while (xchg(&guard, 1))
		while (READ_ONCE(guard))
			arch_spin_relax();
}

static void leave(void)
{
	store_release(&guard, 0);
}

static u32 *bucket_of(const void *p)
{
	return &bucket[hash_u64((u64)p) & (BUCKETS - 1)];
}

static u32 take_entry(void)
{
	u32 i = free_head;

	if (i) {
		free_head = entry[i].next;
		return i;
	}
	return nr_used < ENTRIES ? ++nr_used : 0;
}

void leak_note(const void *p, size_t size)
{
	u64 frame[DEPTH + SKIP] = { 0 };
	u32 i, *b = bucket_of(p);

	if (!is_on)
		return;
	arch_backtrace((u64)__builtin_frame_address(0), frame, DEPTH + SKIP);
	enter();
	i = take_entry();
	if (i) {
		entry[i].p = p;
		entry[i].size = (u32)size;
		memcpy(entry[i].frame, frame + SKIP, sizeof entry[i].frame);
		entry[i].next = *b;
		*b = i;
	} else {
		is_on = false;
	}
	leave();
	if (!i)
		log_warn("leak guard: more than %u objects at once, giving up", ENTRIES);
}

void leak_forget(const void *p)
{
	u32 i, *at = bucket_of(p);

	if (!is_on)
		return;
	enter();
	while (*at && entry[*at].p != p)
		at = &entry[*at].next;
	i = *at;
	if (i) {
		*at = entry[i].next;
		entry[i].p = NULL;
		entry[i].next = free_head;
		free_head = i;
	}
	leave();
}

/* Kills and reaps everybody; false: somebody stayed. */
static bool end_processes(void)
{
	u64 until = arch_clock_ns() + PATIENCE_NS;
	struct task *t;
	s32 tgid;

	do {
		struct tgroup *c, *tmp;
		u32 left = 0;

		for (tgid = 2; (t = task_next(&tgid)) != NULL; tgid++, left++) {
			signal_from_monitor(tgid, SIGKILL);
			task_put(t);
		}
		spin_lock(&tasklist_lock);
		list_for_each_entry_safe (c, tmp, &init_group->children, sibling)
			if (c->zombie)
				task_reap_group(c, false);
		spin_unlock(&tasklist_lock);
		if (!left)
			return true;
		sched_yield_current();
		arch_spin_relax();
	} while (arch_clock_ns() < until);
	return false;
}

/* Logs one call chain and forgets all entries with the same; how many there were. */
static u32 show_chain(u32 first)
{
	const struct entry *e = &entry[first];
	u32 n = 0;

	log_err("leak: %u bytes at 0x%lx from 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx", e->size,
		(u64)e->p, e->frame[0], e->frame[1], e->frame[2], e->frame[3], e->frame[4],
		e->frame[5]);
	for (u32 i = nr_used; i >= first; i--) {
		if (!entry[i].p || memcmp(entry[i].frame, e->frame, sizeof e->frame))
			continue;
		entry[i].p = NULL;
		n++;
	}
	return n;
}

static void judge(void)
{
	u32 shown = 0, n = 0;

	is_on = false;
	for (u32 i = 1; i <= nr_used; i++)
		if (entry[i].p && shown++ < SHOW_MAX)
			n += show_chain(i);
	if (n)
		panic("leak guard: %u objects are left of %u call chains", n, shown);
}

/* System V objects outlive those who made them: that is no leak. */
static void remove_ipc(void)
{
	struct ipc_ns *ns = container_of(ns_set_init.of[NS_IPC], struct ipc_ns, ns);

	msg_ns_gone(ns);
	sem_ns_gone(ns);
	shm_ns_gone(ns);
}

static void guard_thread(void *arg)
{
	u64 until;

	spin_lock(&end_lock);
	while (!has_ended)
		wait_on_always(&ended, &end_lock);
	spin_unlock(&end_lock);
	if (!end_processes())
		panic("leak guard: processes do not end");
	spin_lock(&tasklist_lock);
	task_reap_group(init_group, false);
	spin_unlock(&tasklist_lock);
	remove_ipc();
	unix_gc(); /* cycles of sockets in flight that no close was due to look for */
	vfs_umount_all();
	dcache_shrink(0);
	/* the last switches of the last tasks */
	until = arch_clock_ns() + NSEC_PER_SEC / 100;
	while (arch_clock_ns() < until) {
		sched_yield_current();
		arch_spin_relax();
	}
	judge();
	charge_check_empty();
	finish(end_status);
}

void leak_start(void (*fn)(s32 status))
{
	struct task *t;

	finish = fn;
	if (kernel_thread_create(guard_thread, NULL, "leakguard", &t) == 0)
		is_on = true;
}

bool leak_end(s32 status)
{
	if (!is_on)
		return false;
	spin_lock(&end_lock);
	end_status = status;
	has_ended = true;
	spin_unlock(&end_lock);
	wake_all(&ended);
	return true;
}
