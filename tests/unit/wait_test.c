// SPDX-License-Identifier: Apache-2.0
/* wait_test - the host's stand-in for wait queues and sleeping locks keeps the contract of kapi/ */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/kapi/wait.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

static struct spinlock lock = SPINLOCK_INIT(RANK_OBJECT);
static struct waitq queue = WAITQ_INIT(queue);
static struct mutex mtx;
static struct rwsem sem;
static u64 items, taken, counter;

static void taker(void *arg)
{
	for (u32 i = 0; i < 1000; i++) {
		spin_lock(&lock);
		while (items == 0)
			CHECK(wait_on_exclusive(&queue, &lock, NO_DEADLINE) == 0);
		items--;
		taken++;
		spin_unlock(&lock);
	}
}

TEST(wake_one_loses_no_wakeup)
{
	struct test_thread *t[4];

	for (u32 i = 0; i < 4; i++)
		t[i] = test_thread_start(taker, NULL);
	for (u32 i = 0; i < 4000; i++) {
		spin_lock(&lock);
		items++;
		spin_unlock(&lock);
		wake_one(&queue);
	}
	for (u32 i = 0; i < 4; i++)
		test_thread_join(t[i]);
	CHECK(taken == 4000 && items == 0 && waitq_is_idle(&queue));
}

TEST(a_deadline_in_the_past_times_out)
{
	spin_lock(&lock);
	CHECK(wait_on_until(&queue, &lock, clock_monotonic_ns() - 1) == -ETIMEDOUT);
	CHECK(wait_on_until(&queue, &lock, clock_monotonic_ns() + 2000000) == -ETIMEDOUT);
	spin_unlock(&lock);
	CHECK(waitq_is_idle(&queue));
}

TEST(a_pending_signal_interrupts)
{
	host_signal_set(true);
	spin_lock(&lock);
	CHECK(wait_on(&queue, &lock) == -ERESTARTSYS);
	spin_unlock(&lock);
	host_signal_set(false);
}

static void add_under_mutex(void *arg)
{
	for (u32 i = 0; i < 2000; i++) {
		mutex_lock(&mtx);
		CHECK(mutex_is_mine(&mtx));
		counter++;
		mutex_unlock(&mtx);
	}
}

TEST(a_mutex_excludes)
{
	struct test_thread *t[4];

	mutex_init(&mtx, RANK_MUTEX_LEAF);
	for (u32 i = 0; i < 4; i++)
		t[i] = test_thread_start(add_under_mutex, NULL);
	for (u32 i = 0; i < 4; i++)
		test_thread_join(t[i]);
	CHECK(counter == 8000 && !mutex_is_mine(&mtx));
	if (!mutex_trylock(&mtx))
		CHECK(false);
	else
		mutex_unlock(&mtx);
}

/* The analysis knows neither downgrading nor shared try-locks. */
static void write_and_read(void *arg) NO_LOCK_ANALYSIS
{
	for (u32 i = 0; i < 1000; i++) {
		rwsem_write_lock(&sem);
		counter++;
		rwsem_downgrade(&sem);
		CHECK(READ_ONCE(counter) > 0);
		rwsem_read_unlock(&sem);
		rwsem_read_lock(&sem);
		rwsem_read_unlock(&sem);
	}
}

static void readers_share(void) NO_LOCK_ANALYSIS
{
	rwsem_read_lock(&sem);
	CHECK(rwsem_read_trylock(&sem));
	rwsem_read_unlock(&sem);
	rwsem_read_unlock(&sem);
}

TEST(a_rwsem_lets_readers_share_and_writers_exclude)
{
	struct test_thread *t[4];

	rwsem_init(&sem, RANK_ASPACE);
	readers_share();
	for (u32 i = 0; i < 4; i++)
		t[i] = test_thread_start(write_and_read, NULL);
	for (u32 i = 0; i < 4; i++)
		test_thread_join(t[i]);
	CHECK(counter == 4000 && sem.count == 0);
}
