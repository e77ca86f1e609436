// SPDX-License-Identifier: Apache-2.0
/*
 * reclaim - out of memory: choose a process and kill it
 *
 * Rules     As on Linux the one with most memory (resident pages, page tables, kernel stacks, and its part of the kernel
 *           memory its user is charged for, moved by oom_score_adj) dies; process 1 only when there is nobody
 *           else. One victim at a time: while it is on its way out
 *           everybody else waits and tries again. The kernel's own reserve (mm/phys.c) lets it get there.
 * Locking   lock (RANK_LEAF) covers the last victim.
 * Missing   Giving clean page cache pages back first; limits by cgroup.
 */
#include "guestkernel/mm/reclaim.h"

#include "arch/clock.h"
#include "arch/param.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/disturb.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/wait.h"
#include "guestkernel/mm/aspace.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/task/task.h"

#define WAIT_NS	    (5 * NSEC_PER_MSEC)
#define PATIENCE_NS (2 * NSEC_PER_SEC)
#define NEVER_KILL  (-1000)

static struct {
	struct spinlock lock;
	s32 tgid;
	u64 until_ns;
} victim = { SPINLOCK_INIT(RANK_LEAF), 0, 0 };

/* Kernel memory that goes, or may go, with the process: stacks, and its part of what its user is charged for. */
static s64 kernel_frames(struct task *leader)
{
	const struct cred *c = task_cred_get(leader);
	u64 n = READ_ONCE(leader->group->nr_threads) * (KSTACK_SIZE / PAGE_SIZE + 1ull);

	if (c) {
		n += charge_frames_a_process(c->account);
		cred_put(c);
	}
	return (s64)n;
}

/* 0: not to be killed. */
static u64 badness(struct task *leader, u64 total)
{
	struct aspace *mm = task_mm_get(leader);
	s64 score;

	if (!mm)
		return 0;
	score = (s64)(atomic64_read(&mm->rss_anon) + atomic64_read(&mm->rss_file) +
		      atomic64_read(&mm->rss_shmem) + mm->arch.nr_tables);
	aspace_put(mm);
	if (leader->group->oom_score_adj == NEVER_KILL)
		return 0;
	score += kernel_frames(leader);
	score += (s64)leader->group->oom_score_adj * (s64)(total / 1000);
	return score > 0 ? (u64)score : 1;
}

static s32 choose(u64 *pages)
{
	struct page_stats st;
	struct task *t;
	u64 worst = 0;
	s32 tgid = 1, found = 0;

	page_stats(&st);
	for (; (t = task_next(&tgid)) != NULL; tgid++) {
		u64 score = badness(t, st.total);

		if (score && (score > worst || found == 1) && (tgid != 1 || !found)) {
			worst = score;
			found = tgid;
		}
		task_put(t);
	}
	*pages = worst;
	return found;
}

static bool victim_is_dying(void)
{
	struct task *t;
	bool dying;

	spin_lock(&victim.lock);
	dying = victim.tgid && arch_clock_ns() < victim.until_ns;
	spin_unlock(&victim.lock);
	if (!dying)
		return false;
	t = task_find_process_get(victim.tgid);
	dying = t && t->mm;
	if (t)
		task_put(t);
	return dying;
}

static void kill_one(void)
{
	u64 pages;
	s32 tgid = choose(&pages);

	if (!tgid)
		return;
	spin_lock(&victim.lock);
	victim.tgid = tgid;
	victim.until_ns = arch_clock_ns() + PATIENCE_NS;
	spin_unlock(&victim.lock);
	log_warn("out of memory: killing process %d, %llu KiB resident", tgid,
		 (unsigned long long)(pages << (PAGE_SHIFT - 10)));
	signal_from_monitor(tgid, SIGKILL);
}

bool reclaim_memory(void)
{
	if (signal_fatal_pending())
		return false;
	if (disturb_was_alloc())
		return true;
	if (!victim_is_dying())
		kill_one();
	if (signal_fatal_pending())
		return false;
	wait_prepare();
	if (wait_sleep(arch_clock_ns() + WAIT_NS)) {
		/* time passed, or a signal came: either way, try again */
	}
	wait_finish();
	return !signal_fatal_pending();
}
