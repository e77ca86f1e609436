// SPDX-License-Identifier: Apache-2.0
/*
 * exhaust - processes until there are none left, mappings until the host refuses more
 *
 * Rules     The end of a resource is an error or the end of one process, never of the kernel; afterwards all is there
 *           again.
 */
#include "tests/escape/escape.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define MAPPINGS 70000ul

static void all_children_gone(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	CHECK_EQ(errno, ECHILD);
}

/* Whoever has no memory or no host process left dies; better here than elsewhere. */
static void fork_until_it_fails(void)
{
	unsigned n = 0;
	int fds[2];

	t_write_file("/proc/self/oom_score_adj", "1000");
	MUST(pipe(fds));
	for (; n < 20000; n++) {
		pid_t pid = fork();
		char c;

		if (pid < 0) {
			CHECK(errno == EAGAIN || errno == ENOMEM);
			break;
		}
		if (!pid) {
			MUST(close(fds[1]));
			_exit(read(fds[0], &c, 1) != 0); /* until the parent closes */
		}
	}
	printf("# %u processes\n", n);
	fflush(stdout);
	_exit(0);
}

static void processes_until_fork_fails(void)
{
	pid_t pid;

	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = t_fork();
	if (!pid)
		fork_until_it_fails();
	MUST(waitpid(pid, NULL, 0));
	all_children_gone();
	attack_check();
}

_Noreturn static void bomb(void)
{
	for (;;)
		if (fork() < 0)
			sched_yield();
}

static void a_fork_bomb_is_stopped_by_one_signal(void)
{
	const struct rlimit limit = { 300, 300 };
	pid_t pid = t_fork();

	if (!pid) {
		setpgid(0, 0);
		setrlimit(RLIMIT_NPROC, &limit);
		t_become_user(65533);
		bomb();
	}
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
	sleep(2);
	/* the group may grow while it is being killed; the dead belong to it until they are waited for */
	while (!kill(-pid, SIGKILL))
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	CHECK_EQ(errno, ESRCH);
	all_children_gone();
	attack_check();
}

static void each_process_dies_by_damage(unsigned long arg)
{
	struct jump_regs r = { .ax = SYS_getpid, .sp = 0, .flags = 2 };

	jump_with(&r, PM_STUB_CODE + arg % 0x100);
}

static void a_thousand_stubs_are_broken(void)
{
	need_stub();
	for (unsigned long i = 0; i < 1000; i++)
		attack(each_process_dies_by_damage, i);
	attack_check();
}

static void as_many_mappings_as_there_may_be(void)
{
	unsigned char *base = MUST(mmap(NULL, MAPPINGS * 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	unsigned long n, i;

	for (n = 0; n < MAPPINGS;
	     n += 2) { /* each second page: a mapping of its own, with a frame */
		base[n * 4096] = (unsigned char)(n >> 1);
		if (mprotect(base + n * 4096, 4096, PROT_READ))
			break;
	}
	CHECK(n == MAPPINGS || errno == ENOMEM);
	for (int round = 0; round < 2; round++)
		for (i = 0; i < n; i += 2)
			CHECK(base[i * 4096] == (unsigned char)(i >> 1));
	for (i = 1; i < n; i += 2)
		base[i * 4096] = 1;
	t_wait_exit(({
			    pid_t pid = t_fork();

			    if (!pid) {
				    for (i = 0; i < n; i += 2)
					    if (base[i * 4096] != (unsigned char)(i >> 1))
						    _exit(1);
				    _exit(0);
			    }
			    pid;
		    }),
		    0);
	printf("# %lu mappings\n", n);
	MUST(munmap(base, MAPPINGS * 4096));
	attack_check();
}

static void each_page_from_another_frame(void)
{
	unsigned char *a = MUST(mmap(NULL, MAPPINGS * 4096, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	int fds[2], status;
	pid_t pid;

	/* frames in another order than pages: as many host mappings as pages, in one guest mapping */
	for (unsigned long i = 0, k = 0; i < MAPPINGS; i++, k = (k + 40503) % MAPPINGS)
		*(unsigned long *)(a + k * 4096) = k;
	MUST(pipe(fds));
	pid = t_fork();
	if (!pid) { /* copies of half of them */
		for (unsigned long k = 0; k < MAPPINGS; k += 2)
			*(unsigned long *)(a + k * 4096) += 1;
		for (unsigned long k = 0; k < MAPPINGS; k++)
			if (*(unsigned long *)(a + k * 4096) != k + !(k & 1))
				_exit(1);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0));
	CHECK_EQ(status, 0);
	for (unsigned long k = 0; k < MAPPINGS; k++)
		CHECK(*(unsigned long *)(a + k * 4096) == k);
	attack_check();
}

static void *sleep_in(void *gate)
{
	t_gate_wait(gate);
	return NULL;
}

static void threads_until_there_are_no_more(void)
{
	struct t_gate gate;
	pthread_attr_t attr;
	pthread_t t[1000];
	unsigned n;

	t_gate_init(&gate);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384 * 2);
	for (n = 0; n < 1000; n++)
		if (pthread_create(&t[n], &attr, sleep_in, &gate))
			break;
	printf("# %u threads\n", n);
	CHECK(n >= 200);
	for (unsigned i = 0; i < n; i++)
		t_gate_open(&gate);
	for (unsigned i = 0; i < n; i++)
		CHECK(!pthread_join(t[i], NULL));
	attack_check();
}

TEST_PROGRAM(exhaust, CASE(processes_until_fork_fails), CASE(a_fork_bomb_is_stopped_by_one_signal),
	     CASE(a_thousand_stubs_are_broken), CASE(as_many_mappings_as_there_may_be),
	     CASE(each_page_from_another_frame), CASE(threads_until_there_are_no_more));
