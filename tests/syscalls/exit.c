/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exit.c - exit, exit_group, set_tid_address
 *
 * See       _exit(2)
 */
#include "tests/lib/t.h"

#include <pthread.h>

static void the_low_byte_is_the_status(void)
{
	pid_t pid = t_fork();

	if (pid == 0)
		_exit(0x1ff);
	t_wait_exit(pid, 0xff);
}

static void *exit_thread_only(void *arg)
{
	syscall(SYS_exit, 1);
	return NULL;
}

static void a_thread_may_end_alone(void)
{
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, exit_thread_only, NULL), 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

static void exit_group_takes_all_threads(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		pthread_t thread;

		for (int i = 0; i < 4; i++)
			CHECK_EQ(pthread_create(&thread, NULL, wait_for_ever, NULL), 0);
		syscall(SYS_exit_group, 21);
	}
	t_wait_exit(pid, 21);
}

static void *exit_whole_process(void *arg)
{
	_exit(22);
	return NULL;
}

static void any_thread_may_end_the_process(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, exit_whole_process, NULL), 0);
		wait_for_ever(NULL);
	}
	t_wait_exit(pid, 22);
}

static void the_last_thread_ends_the_process(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, exit_whole_process, NULL), 0);
		syscall(SYS_exit, 3);
	}
	t_wait_exit(pid, 22);
}

static void set_tid_address_returns_the_thread_id(void)
{
	static int word;

	CHECK_EQ(syscall(SYS_set_tid_address, &word), syscall(SYS_gettid));
}

static void buffers_closed_at_exit_wake_readers(void)
{
	char byte;
	int fds[2];
	pid_t pid;

	MUST(pipe(fds));
	pid = t_fork();
	if (pid == 0)
		_exit(0);
	MUST(close(fds[1]));
	CHECK_EQ(read(fds[0], &byte, 1), 0);
	t_wait_exit(pid, 0);
}

TEST_PROGRAM(exit, CASE(the_low_byte_is_the_status), CASE(a_thread_may_end_alone),
	     CASE(exit_group_takes_all_threads), CASE(any_thread_may_end_the_process),
	     CASE(the_last_thread_ends_the_process), CASE(set_tid_address_returns_the_thread_id),
	     CASE(buffers_closed_at_exit_wake_readers));
