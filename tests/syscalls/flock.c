/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flock.c - flock(2)
 *
 * See       flock(2)
 */
#include "tests/lib/t.h"

#include <sys/file.h>

static void exclusive_excludes_other_opens(void)
{
	int a = t_temp_fd();
	int b = MUST(open("temp-file", O_RDONLY));

	MUST(flock(a, LOCK_EX));
	CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	MUST(flock(a, LOCK_UN));
	MUST(flock(b, LOCK_EX | LOCK_NB));
}

static void shared_locks_join(void)
{
	int a = t_temp_fd();
	int b = MUST(open("temp-file", O_RDONLY));

	MUST(flock(a, LOCK_SH));
	MUST(flock(b, LOCK_SH | LOCK_NB));
	CHECK_ERRNO(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
}

static void the_lock_belongs_to_the_open_file(void)
{
	int a = t_temp_fd();
	int copy = MUST(dup(a));
	int b = MUST(open("temp-file", O_RDONLY));

	MUST(flock(a, LOCK_EX));
	MUST(close(a));
	CHECK_ERRNO(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	MUST(flock(copy, LOCK_EX | LOCK_NB));
	MUST(close(copy));
	MUST(flock(b, LOCK_EX | LOCK_NB));
}

static void a_waiter_gets_it_after_the_holder(void)
{
	struct t_gate gate;
	pid_t pid;
	int a = t_temp_fd();

	t_gate_init(&gate);
	MUST(flock(a, LOCK_EX));
	pid = t_fork();
	if (pid == 0) {
		int b = MUST(open("temp-file", O_RDONLY));

		t_gate_open(&gate);
		_exit(flock(b, LOCK_EX));
	}
	t_gate_wait(&gate);
	MUST(flock(a, LOCK_UN));
	t_wait_exit(pid, 0);
}

static void errors(void)
{
	CHECK_ERRNO(flock(-1, LOCK_EX), EBADF);
	CHECK_ERRNO(flock(t_temp_fd(), 0), EINVAL);
	CHECK_ERRNO(flock(open(".", O_PATH), LOCK_EX), EBADF);
}

TEST_PROGRAM(flock, CASE(exclusive_excludes_other_opens), CASE(shared_locks_join),
	     CASE(the_lock_belongs_to_the_open_file), CASE(a_waiter_gets_it_after_the_holder),
	     CASE(errors));
