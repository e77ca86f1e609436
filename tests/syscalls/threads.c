/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threads.c - threads: clone flags, parallelism, exec and signals with several threads
 *
 * See       pthreads(7), clone(2)
 */
#include "tests/lib/t.h"

#include <pthread.h>
#include <sched.h>

static volatile int shared;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void *count_up(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&lock);
		shared++;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void mutexes_protect(void)
{
	pthread_t threads[4];
	void *result;

	for (long i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, count_up, (void *)i), 0);
	for (long i = 0; i < 4; i++) {
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK((long)result == i);
	}
	CHECK_EQ(shared, 8000);
}

static void *ping(void *arg)
{
	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(&lock);
		while (shared % 2 == 0)
			pthread_cond_wait(&cond, &lock);
		shared++;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void condition_variables_hand_over(void)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, ping, NULL), 0);
	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(&lock);
		while (shared % 2 == 1)
			pthread_cond_wait(&cond, &lock);
		shared++;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&lock);
	}
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(shared, 100);
}

static volatile int arrived[2];

static void *meet(void *arg)
{
	int me = arg ? 1 : 0;

	__atomic_store_n(&arrived[me], 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&arrived[!me], __ATOMIC_SEQ_CST))
		;
	return NULL;
}

static void spinning_threads_are_preempted(void)
{
	pthread_t a, b;

	CHECK_EQ(pthread_create(&a, NULL, meet, NULL), 0);
	CHECK_EQ(pthread_create(&b, NULL, meet, (void *)1), 0);
	CHECK_EQ(pthread_join(a, NULL), 0);
	CHECK_EQ(pthread_join(b, NULL), 0);
}

static __thread int per_thread = 5;

static void *change_local(void *arg)
{
	per_thread += (int)(long)arg;
	return (void *)(long)per_thread;
}

static void thread_local_storage_is_separate(void)
{
	pthread_t threads[3];
	void *result;

	for (long i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, change_local, (void *)i), 0);
	for (long i = 0; i < 3; i++) {
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK_EQ((long)result, 5 + i);
	}
	CHECK_EQ(per_thread, 5);
}

static void *say_ids(void *arg)
{
	pid_t *ids = arg;

	ids[0] = getpid();
	ids[1] = gettid();
	return NULL;
}

static void threads_share_the_process_id(void)
{
	pthread_t thread;
	pid_t ids[2];

	CHECK_EQ(pthread_create(&thread, NULL, say_ids, ids), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(ids[0], getpid());
	CHECK(ids[1] != ids[0]);
}

static volatile pid_t handled_by;

static void remember_thread(int sig)
{
	handled_by = gettid();
}

static void *wait_for_signal(void *arg)
{
	sigset_t none;

	sigemptyset(&none);
	*(volatile pid_t *)arg = gettid();
	while (!handled_by)
		sigsuspend(&none);
	return NULL;
}

static void a_directed_signal_reaches_its_thread(void)
{
	volatile pid_t tid = 0;
	pthread_t thread;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	t_handle(SIGUSR1, remember_thread, 0);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	CHECK_EQ(pthread_create(&thread, NULL, wait_for_signal, (void *)&tid), 0);
	while (!tid)
		sched_yield();
	CHECK_EQ(pthread_kill(thread, SIGUSR1), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(handled_by, tid);
}

static void a_process_signal_goes_to_a_thread_that_takes_it(void)
{
	volatile pid_t tid = 0;
	pthread_t thread;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	t_handle(SIGUSR1, remember_thread, 0);
	CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	CHECK_EQ(pthread_create(&thread, NULL, wait_for_signal, (void *)&tid), 0);
	MUST(kill(getpid(), SIGUSR1));
	CHECK_EQ(pthread_join(thread, NULL), 0);
	CHECK_EQ(handled_by, tid);
}

static int after_exec(int argc, char **argv)
{
	if (argc < 2 || getpid() != atoi(argv[1]) || gettid() != getpid())
		return 1;
	return 60;
}

static void *exec_from_thread(void *arg)
{
	char number[16];
	char *args[] = { "x", "--helper", "threads", number, NULL };

	snprintf(number, sizeof(number), "%d", getpid());
	execv(t_self(), args);
	return NULL;
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

static void exec_from_a_thread_keeps_the_process_id(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, sleep_for_ever, NULL), 0);
		CHECK_EQ(pthread_create(&thread, NULL, exec_from_thread, NULL), 0);
		sleep_for_ever(NULL);
	}
	t_wait_exit(pid, 60);
}

static void a_fatal_signal_takes_all_threads(void)
{
	struct t_gate gate;
	pid_t pid;

	t_gate_init(&gate);
	pid = t_fork();
	if (pid == 0) {
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, sleep_for_ever, NULL), 0);
		t_gate_open(&gate);
		sleep_for_ever(NULL);
	}
	t_gate_wait(&gate);
	MUST(kill(pid, SIGTERM));
	t_wait_signal(pid, SIGTERM);
}

static void fork_copies_one_thread_only(void)
{
	pthread_t thread;
	char buf[2048];
	pid_t pid;

	CHECK_EQ(pthread_create(&thread, NULL, sleep_for_ever, NULL), 0);
	pid = t_fork();
	if (pid == 0) {
		t_read_file("/proc/self/status", buf, sizeof(buf));
		CHECK(strstr(buf, "Threads:\t1\n") != NULL);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	t_read_file("/proc/self/status", buf, sizeof(buf));
	CHECK(strstr(buf, "Threads:\t2\n") != NULL);
}

static void *hammer_memory(void *arg)
{
	for (int i = 0; i < 60; i++) {
		volatile char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return (void *)1;
		p[0] = p[3 * 4096] = (char)i;
		if (p[0] != (char)i || munmap((void *)p, 4 * 4096))
			return (void *)1;
	}
	return NULL;
}

static void threads_map_and_unmap_at_once(void)
{
	pthread_t threads[3];
	void *result;

	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, hammer_memory, NULL), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(pthread_join(threads[i], &result), 0);
		CHECK(result == NULL);
	}
}

static volatile char *unmapped_page;

static void *touch_later(void *arg)
{
	while (!__atomic_load_n(&shared, __ATOMIC_SEQ_CST))
		;
	unmapped_page[0] = 1;
	return NULL;
}

static void unmapping_is_seen_by_other_processors(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		pthread_t thread;

		unmapped_page = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		unmapped_page[0] = 1;
		CHECK_EQ(pthread_create(&thread, NULL, touch_later, NULL), 0);
		MUST(munmap((void *)unmapped_page, 4096));
		__atomic_store_n(&shared, 1, __ATOMIC_SEQ_CST);
		pthread_join(thread, NULL);
		_exit(0);
	}
	t_wait_signal(pid, SIGSEGV);
}

TEST_PROGRAM_WITH_HELPER(threads, after_exec, CASE(mutexes_protect),
			 CASE(condition_variables_hand_over), CASE(spinning_threads_are_preempted),
			 CASE(thread_local_storage_is_separate), CASE(threads_share_the_process_id),
			 CASE(a_directed_signal_reaches_its_thread),
			 CASE(a_process_signal_goes_to_a_thread_that_takes_it),
			 CASE(exec_from_a_thread_keeps_the_process_id),
			 CASE(a_fatal_signal_takes_all_threads), CASE(fork_copies_one_thread_only),
			 CASE(threads_map_and_unmap_at_once),
			 CASE(unmapping_is_seen_by_other_processors));
