// SPDX-License-Identifier: Apache-2.0
/*
 * lockcheck - the lock order, checked at every lock operation of a debug kernel
 *
 * Role      Called by kapi/lock.h, mutex.c, schedule(), the end of a system call and the copies to and from
 *           application memory. Only compiled with DEBUG_LOCKS (build target kernel_debug.elf).
 * Rules     Sleeping locks are remembered by the task, which may change its CPU; spinlocks by the CPU, because
 *           a spinlock is never held over a switch. A violation is a panic that names both ranks; the
 *           monitor's backtrace names the place.
 *           Before a lock is taken: no spinlock is held when it may sleep; its rank is greater than each one
 *           held, or equal with a greater address, or equal and the caller vouches for the order
 *           (parent and child directories). A successful try cannot block, so only its release is checked.
 * Locking   None: each list is written by its owner only.
 * See       guestkernel/kapi/lockrank.h
 */
#include "guestkernel/task/lockcheck.h"

#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/task/task.h"

static struct held_locks spins[MAX_CPUS]; /* [self] of the CPU */
static struct held_locks boot_task;	  /* before there are tasks */
static bool is_off;			  /* a panic is on its way out */

static struct held_locks *sleeping(void)
{
	struct task *t = current();

	return t ? &t->held : &boot_task;
}

static struct held_locks *spinning(void)
{
	return &spins[this_cpu()->id];
}

static noreturn_fn void broken(const char *what, u32 rank, const void *lock,
			       const struct held_locks *h, u32 at)
{
	is_off = true;
	panic("locks: %s: rank %u (0x%lx), held rank %u (0x%lx)", what, rank, (u64)lock,
	      at < h->n ? h->e[at].rank : 0, at < h->n ? (u64)h->e[at].lock : 0);
}

static void check_order(const struct held_locks *h, u32 rank, const void *lock, bool is_child)
{
	for (u32 i = 0; i < h->n; i++) {
		if (h->e[i].lock == lock)
			broken("taken twice", rank, lock, h, i);
		if (h->e[i].rank > rank)
			broken("wrong order", rank, lock, h, i);
		if (h->e[i].rank == rank && h->e[i].lock > lock && !is_child)
			broken("two of one rank against address order", rank, lock, h, i);
	}
}

static void remember(struct held_locks *h, u32 rank, const void *lock)
{
	if (h->n == LOCKS_HELD_MAX)
		broken("too many held", rank, lock, h, 0);
	h->e[h->n].lock = lock;
	h->e[h->n++].rank = rank;
}

static void push(u32 rank, const void *lock, bool is_child)
{
	struct held_locks *spin = spinning();

	if (is_off)
		return;
	if (rank >= RANK_SPIN) {
		check_order(spin, rank, lock, is_child);
		remember(spin, rank, lock);
		return;
	}
	if (spin->n)
		broken("sleeping lock under a spinlock", rank, lock, spin, 0);
	check_order(sleeping(), rank, lock, is_child);
	remember(sleeping(), rank, lock);
}

void lock_rank_push(u32 rank, const void *lock)
{
	disturb_lock(rank < RANK_SPIN && !spinning()->n);
	push(rank, lock, false);
}

void lock_rank_push_child(u32 rank, const void *lock)
{
	push(rank, lock, true);
}

void lock_rank_push_tried(u32 rank, const void *lock)
{
	if (!is_off)
		remember(rank >= RANK_SPIN ? spinning() : sleeping(), rank, lock);
}

void lock_rank_pop(u32 rank, const void *lock)
{
	struct held_locks *h = rank >= RANK_SPIN ? spinning() : sleeping();
	u32 i = h->n;

	disturb_lock(false);
	if (is_off)
		return;
	while (i && h->e[i - 1].lock != lock)
		i--;
	if (!i)
		broken("released but not held", rank, lock, h, 0);
	for (h->n--; i <= h->n; i++)
		h->e[i - 1] = h->e[i];
}

void lock_check_may_sleep(void)
{
	struct held_locks *spin = spinning();

	if (spin->n && !is_off)
		broken("sleep under a spinlock", 0, NULL, spin, spin->n - 1);
}

void lock_check_user_access(void)
{
	struct held_locks *h = sleeping();

	if (is_off)
		return;
	lock_check_may_sleep();
	for (u32 i = 0; i < h->n; i++)
		if (h->e[i].rank >= RANK_ASPACE)
			broken("user memory touched", RANK_ASPACE, NULL, h, i);
}

/* Before a wait for another process of the host. A page table's lock, and the list of a pager's mappings above it, are held
 * over arch_mmu_flush() by contract; nothing else is. */
void lock_check_host_wait(void)
{
	struct held_locks *spin = spinning();

	for (u32 i = 0; i < spin->n && !is_off; i++)
		if (spin->e[i].rank != RANK_PGTABLE && spin->e[i].rank != RANK_MAPPING)
			broken("wait for the host under a spinlock", 0, NULL, spin, i);
}

void lock_check_none_held(void)
{
	struct held_locks *h = sleeping();

	lock_check_may_sleep();
	if (h->n && !is_off)
		broken("back to user mode", 0, NULL, h, h->n - 1);
}
