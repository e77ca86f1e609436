/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prctl.c - prctl, arch_prctl
 *
 * See       prctl(2), arch_prctl(2)
 */
#include "tests/lib/t.h"

#include <sys/prctl.h>

#ifdef SYS_arch_prctl
#include <asm/prctl.h>
#endif

static void the_name_is_kept_cut_and_inherited(void)
{
	char name[16];
	pid_t pid;

	MUST(prctl(PR_SET_NAME, "a-very-long-thread-name", 0, 0, 0));
	MUST(prctl(PR_GET_NAME, name, 0, 0, 0));
	CHECK(!strcmp(name, "a-very-long-thr"));
	pid = t_fork();
	if (pid == 0) {
		MUST(prctl(PR_GET_NAME, name, 0, 0, 0));
		_exit(strcmp(name, "a-very-long-thr"));
	}
	t_wait_exit(pid, 0);
	CHECK_ERRNO(prctl(PR_SET_NAME, t_bad_ptr(), 0, 0, 0), EFAULT);
}

static void parent_death_signal_arrives(void)
{
	struct t_gate ready;
	char byte;
	int fds[2], sig;
	pid_t pid;

	t_gate_init(&ready);
	MUST(pipe(fds));
	pid = t_fork();
	if (pid == 0) {
		if (t_fork() == 0) {
			MUST(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
			MUST(prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0));
			CHECK_EQ(sig, SIGKILL);
			t_gate_open(&ready);
			for (;;)
				pause();
		}
		t_gate_wait(&ready);
		_exit(0);
	}
	MUST(close(fds[1]));
	t_wait_exit(pid, 0);
	CHECK_EQ(read(fds[0], &byte, 1), 0); /* the grandchild is gone too */
	CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, 99, 0, 0, 0), EINVAL);
}

static void dumpable_flag(void)
{
	CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
	MUST(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	CHECK_ERRNO(prctl(PR_SET_DUMPABLE, 5, 0, 0, 0), EINVAL);
}

static void no_new_privs_is_one_way(void)
{
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
}

static void a_subreaper_adopts_orphans(void)
{
	struct t_gate gone;
	int status;
	pid_t pid, adopted;
	int fds[2];

	t_gate_init(&gone);
	MUST(pipe(fds));
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	MUST(prctl(PR_GET_CHILD_SUBREAPER, &status, 0, 0, 0));
	CHECK_EQ(status, 1);
	pid = t_fork();
	if (pid == 0) {
		if (t_fork() == 0) {
			t_gate_wait(&gone);
			_exit(19);
		}
		_exit(0);
	}
	t_wait_exit(pid, 0);
	t_gate_open(&gone);
	adopted = wait(&status);
	CHECK(adopted > 0 && WEXITSTATUS(status) == 19);
}

static void unknown_options_are_einval(void)
{
	CHECK_ERRNO(prctl(123456, 0, 0, 0, 0), EINVAL);
}

static void timer_slack_is_settable(void)
{
	MUST(prctl(PR_SET_TIMERSLACK, 100000, 0, 0, 0));
	CHECK_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 100000);
}

#ifdef SYS_arch_prctl
static void segment_bases(void)
{
	unsigned long fs = 0, gs = 0;
	static unsigned long word = 0x1234;
	unsigned long got;

	MUST(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
	CHECK(fs != 0);
	MUST(syscall(SYS_arch_prctl, ARCH_SET_GS, &word));
	MUST(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
	CHECK(gs == (unsigned long)&word);
	asm volatile("mov %%gs:0, %0" : "=r"(got));
	CHECK_EQ(got, 0x1234);
	CHECK_ERRNO(syscall(SYS_arch_prctl, ARCH_SET_FS, 0xffff800000000000ul), EPERM);
	CHECK_ERRNO(syscall(SYS_arch_prctl, 0x7777, 0), EINVAL);
}

static void segment_bases_are_inherited_and_switched(void)
{
	static unsigned long parent_word = 1, child_word = 2;
	unsigned long got;
	pid_t pid;

	MUST(syscall(SYS_arch_prctl, ARCH_SET_GS, &parent_word));
	pid = t_fork();
	if (pid == 0) {
		asm volatile("mov %%gs:0, %0" : "=r"(got));
		CHECK_EQ(got, 1);
		MUST(syscall(SYS_arch_prctl, ARCH_SET_GS, &child_word));
		asm volatile("mov %%gs:0, %0" : "=r"(got));
		_exit((int)got);
	}
	t_wait_exit(pid, 2);
	asm volatile("mov %%gs:0, %0" : "=r"(got));
	CHECK_EQ(got, 1);
}
#else
static void segment_bases(void)
{
	SKIP("x86-64 only");
}

static void segment_bases_are_inherited_and_switched(void)
{
	SKIP("x86-64 only");
}
#endif

TEST_PROGRAM(prctl, CASE(the_name_is_kept_cut_and_inherited), CASE(parent_death_signal_arrives),
	     CASE(dumpable_flag), CASE(no_new_privs_is_one_way), CASE(a_subreaper_adopts_orphans),
	     CASE(unknown_options_are_einval), CASE(timer_slack_is_settable), CASE(segment_bases),
	     CASE(segment_bases_are_inherited_and_switched));
