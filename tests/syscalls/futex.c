/* SPDX-License-Identifier: Apache-2.0 */
/*
 * futex.c - futex, get_robust_list, set_robust_list, futex_waitv
 *
 * See       futex(2)
 */
#include "tests/lib/t.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>

static uint32_t *shared_word(void)
{
	return MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

static long futex(uint32_t *word, int op, uint32_t value, const void *timeout, uint32_t *word2,
		  uint32_t value3)
{
	return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static void a_changed_word_is_eagain(void)
{
	uint32_t word = 5;

	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
	CHECK_EQ(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0), 0);
}

static void waiting_times_out(void)
{
	struct timespec rel = { 0, 10000000 }, abs_time, bad = { 0, 1000000000 };
	uint32_t word = 0;
	long long start = t_now_ms();

	CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, &rel, NULL, 0), ETIMEDOUT);
	CHECK(t_now_ms() - start >= 9);
	MUST(clock_gettime(CLOCK_MONOTONIC, &abs_time));
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &abs_time, NULL, ~0u), ETIMEDOUT);
	abs_time.tv_sec = 1;
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &abs_time,
			  NULL, ~0u),
		    ETIMEDOUT);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
}

static void processes_meet_in_shared_memory(void)
{
	uint32_t *word = shared_word();
	pid_t pid = t_fork();

	if (pid == 0) {
		while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0)
			futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(7);
	}
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	MUST(futex(word, FUTEX_WAKE, 1, NULL, NULL, 0));
	t_wait_exit(pid, 7);
}

static void two_mappings_of_a_file_are_one_futex(void)
{
	int fd = t_temp_fd();
	uint32_t *a, *b;
	pid_t pid;

	MUST(ftruncate(fd, 4096));
	a = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	b = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	pid = t_fork();
	if (pid == 0) {
		while (__atomic_load_n(a, __ATOMIC_SEQ_CST) == 0)
			futex(a, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(7);
	}
	__atomic_store_n(b, 1, __ATOMIC_SEQ_CST);
	MUST(futex(b, FUTEX_WAKE, 1, NULL, NULL, 0));
	t_wait_exit(pid, 7);
}

static void nothing(int sig)
{
}

static void waiting_is_interrupted(void)
{
	uint32_t word = 0;

	t_start_ticks(nothing, 0);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EINTR);
}

static uint32_t go, moved;
static volatile int woken;

static void *wait_on_go(void *arg)
{
	while (futex(&go, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uint32_t)(uintptr_t)arg) < 0 &&
	       errno == EINTR)
		;
	__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void requeue_moves_waiters(void)
{
	pthread_t threads[3];
	long total = 0;

	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, wait_on_go, (void *)~0ul), 0);
	/* Threads arrive one after the other: move each as it comes. */
	while (total < 3) {
		total += MUST(futex(&go, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)(uintptr_t)INT_MAX,
				    &moved, 0));
		sched_yield();
	}
	CHECK_EQ(woken, 0);
	CHECK_EQ(futex(&moved, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)2, &moved, 0), 2);
	CHECK_EQ(futex(&go, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0);
	CHECK_ERRNO(futex(&go, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)1, &moved, 99), EAGAIN);
	CHECK_EQ(futex(&moved, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
	CHECK_EQ(futex(&moved, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 2);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

static void bitsets_select_waiters(void)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, wait_on_go, (void *)2ul), 0);
	while (futex(&go, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 2) == 0)
		CHECK_EQ(futex(&go, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 4), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_ERRNO(futex(&go, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 0), EINVAL);
}

static void wake_op_changes_the_second_word(void)
{
	uint32_t a = 0, b = 5;

	CHECK_EQ(futex(&a, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &b,
		       FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 5)),
		 0);
	CHECK_EQ(b, 8);
	MUST(futex(&a, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &b,
		   FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)));
	CHECK_EQ(b, 1);
}

static void errors(void)
{
	uint32_t words[2] = { 0, 0 };

	CHECK_ERRNO(futex((uint32_t *)((char *)words + 1), FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	CHECK_ERRNO(futex(t_bad_ptr(), FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	CHECK_ERRNO(futex(words, 99, 0, NULL, NULL, 0), ENOSYS);
}

static void robust_mutex_tells_of_a_dead_owner(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t *mutex = (pthread_mutex_t *)shared_word();
	pid_t pid;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(mutex, &attr);
	pid = t_fork();
	if (pid == 0) {
		pthread_mutex_lock(mutex);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK_EQ(pthread_mutex_lock(mutex), EOWNERDEAD);
	CHECK_EQ(pthread_mutex_consistent(mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(mutex), 0);
}

static void robust_list_is_remembered(void)
{
	struct robust_list_head head = { { &head.list }, 0, NULL }, *got;
	size_t len;

	MUST(syscall(SYS_set_robust_list, &head, sizeof(head)));
	MUST(syscall(SYS_get_robust_list, 0, &got, &len));
	CHECK(got == &head && len == sizeof(head));
	CHECK_ERRNO(syscall(SYS_set_robust_list, &head, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_get_robust_list, 0x3fffffff, &got, &len), ESRCH);
	MUST(syscall(SYS_set_robust_list, NULL, sizeof(head)));
}

static void priority_inheritance_mutex_works(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t mutex;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	if (pthread_mutex_init(&mutex, &attr))
		SKIP("no priority inheritance mutexes");
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
}

struct waitv {
	uint64_t value, address;
	uint32_t flags, reserved;
};

static void several_words_can_be_waited_for(void)
{
	uint32_t *words = shared_word();
	struct waitv v[2] = {
		{0,  (uintptr_t)&words[0], 2, 0},
		   { 0, (uintptr_t)&words[1], 2, 0}
	};
	struct timespec past = { 0, 1 };
	pid_t pid;

	CHECK_ERRNO(syscall(449 /* futex_waitv */, v, 2, 0, &past, CLOCK_MONOTONIC), ETIMEDOUT);
	pid = t_fork();
	if (pid == 0) {
		while (futex(&words[1], FUTEX_WAKE, 1, NULL, NULL, 0) != 1)
			sched_yield();
		_exit(0);
	}
	CHECK_EQ(syscall(449, v, 2, 0, NULL, CLOCK_MONOTONIC), 1);
	t_wait_exit(pid, 0);
	words[1] = 1;
	CHECK_ERRNO(syscall(449, v, 2, 0, NULL, CLOCK_MONOTONIC), EAGAIN);
	CHECK_ERRNO(syscall(449, v, 0, 0, NULL, CLOCK_MONOTONIC), EINVAL);
}

#define MEETINGS 4000
#define ENOUGH_S 6 /* a meeting takes 10 ms where the CPUs are emulated in turns, on Linux too */

static uint32_t meeting, arrived;

/* Where there is one CPU only, it stays there. */
static void use_cpu(int nr)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(nr, &set);
	(void)sched_setaffinity(0, sizeof set, &set);
}

static void *come_late(void *arg)
{
	(void)arg;
	use_cpu(1);
	for (uint32_t i = 1; i <= MEETINGS; i++) {
		uint32_t now;

		while ((now = __atomic_load_n(&meeting, __ATOMIC_SEQ_CST)) != i && now <= MEETINGS)
			sched_yield();
		if (now > MEETINGS)
			break;
		for (uint32_t late = i % 128 * 64; late; late--)
			__asm__ volatile("" ::: "memory");
		__atomic_store_n(&arrived, i, __ATOMIC_SEQ_CST);
		futex(&arrived, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

/* The word changes while the kernel looks at it, and the wake finds nobody or the sleeper, never in between. */
static void no_wake_is_lost_between_look_and_sleep(void)
{
	struct timespec patience = { 5, 0 };
	time_t end = time(NULL) + ENOUGH_S;
	pthread_t thread;

	use_cpu(0);
	CHECK_EQ(pthread_create(&thread, NULL, come_late, NULL), 0);
	for (uint32_t i = 1; i <= MEETINGS && time(NULL) < end; i++) {
		__atomic_store_n(&meeting, i, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) != i)
			if (futex(&arrived, FUTEX_WAIT_PRIVATE, i - 1, &patience, NULL, 0) < 0)
				CHECK(errno == EAGAIN);
	}
	__atomic_store_n(&meeting, MEETINGS + 1, __ATOMIC_SEQ_CST);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

TEST_PROGRAM(futex, CASE(a_changed_word_is_eagain), CASE(waiting_times_out),
	     CASE(processes_meet_in_shared_memory), CASE(two_mappings_of_a_file_are_one_futex),
	     CASE(waiting_is_interrupted), CASE(requeue_moves_waiters),
	     CASE(bitsets_select_waiters), CASE(wake_op_changes_the_second_word), CASE(errors),
	     CASE(robust_mutex_tells_of_a_dead_owner), CASE(robust_list_is_remembered),
	     CASE(priority_inheritance_mutex_works), CASE(several_words_can_be_waited_for),
	     CASE(no_wake_is_lost_between_look_and_sleep));
