/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semget.c - System V semaphores: semget, semop, semtimedop, semctl
 *
 * See       semget(2), semop(2), semctl(2)
 */
#include "tests/lib/t.h"

#include <signal.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <time.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static int change(int id, int index, int by, int flags)
{
	struct sembuf op = { .sem_num = (unsigned short)index,
			     .sem_op = (short)by,
			     .sem_flg = (short)flags };

	return semop(id, &op, 1);
}

static int value(int id, int index)
{
	return MUST(semctl(id, index, GETVAL));
}

static void values_are_counted_and_told(void)
{
	int id = MUST(semget(IPC_PRIVATE, 3, 0600));
	unsigned short all[3] = { 5, 6, 7 };
	struct semid_ds ds;

	MUST(semctl(id, 0, SETALL, (union semun){ .array = all }));
	MUST(semctl(id, 1, SETVAL, (union semun){ .val = 1 }));
	MUST(change(id, 2, -2, 0));
	memset(all, 0, sizeof(all));
	MUST(semctl(id, 0, GETALL, (union semun){ .array = all }));
	CHECK(all[0] == 5 && all[1] == 1 && all[2] == 5);
	CHECK_EQ(semctl(id, 2, GETPID), getpid());
	CHECK_EQ(semctl(id, 2, GETNCNT), 0);
	MUST(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	CHECK(ds.sem_nsems == 3 && (ds.sem_perm.mode & 0777) == 0600 && ds.sem_otime &&
	      ds.sem_ctime);
	MUST(semctl(id, 0, IPC_RMID));
	CHECK_ERRNO(semctl(id, 0, GETVAL), EINVAL);
}

static void operations_happen_all_or_not_at_all(void)
{
	int id = MUST(semget(IPC_PRIVATE, 2, 0600));
	struct sembuf both[2] = {
		{0,  1,	0	  },
		     { 1, -1, IPC_NOWAIT}
	};

	CHECK_ERRNO(semop(id, both, 2), EAGAIN);
	CHECK(value(id, 0) == 0 && value(id, 1) == 0);
	MUST(change(id, 1, 1, 0));
	MUST(semop(id, both, 2));
	CHECK(value(id, 0) == 1 && value(id, 1) == 0);
	CHECK_ERRNO(change(id, 0, 0, IPC_NOWAIT), EAGAIN);
	MUST(change(id, 1, 0, 0));
	MUST(semctl(id, 0, IPC_RMID));
}

static void a_waiter_goes_on_when_it_can(void)
{
	int id = MUST(semget(IPC_PRIVATE, 1, 0600));
	pid_t pid = t_fork();

	if (pid == 0) {
		MUST(change(id, 0, -2, 0));
		MUST(change(id, 0, 0, 0));
		_exit(0);
	}
	while (semctl(id, 0, GETNCNT) != 1)
		usleep(1000);
	MUST(change(id, 0, 1, 0));
	CHECK_EQ(value(id, 0), 1);
	MUST(change(id, 0, 1, 0));
	t_wait_exit(pid, 0);
	CHECK_EQ(value(id, 0), 0);
	MUST(semctl(id, 0, IPC_RMID));
}

static void removal_wakes_the_waiters(void)
{
	int id = MUST(semget(IPC_PRIVATE, 1, 0600));
	pid_t pid = t_fork();

	if (pid == 0) {
		CHECK_ERRNO(change(id, 0, -1, 0), EIDRM);
		_exit(0);
	}
	while (semctl(id, 0, GETNCNT) != 1)
		usleep(1000);
	MUST(semctl(id, 0, IPC_RMID));
	t_wait_exit(pid, 0);
}

static void nothing(int sig)
{
	(void)sig;
}

static void waiting_ends_by_time_and_by_signals(void)
{
	struct sigaction sa = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	struct timespec t = { .tv_nsec = 20000000 }, bad = { .tv_nsec = -1 };
	struct sembuf op = { 0, -1, 0 };
	int id = MUST(semget(IPC_PRIVATE, 1, 0600));

	CHECK_ERRNO(semtimedop(id, &op, 1, &t), EAGAIN);
	CHECK_ERRNO(semtimedop(id, &op, 1, &bad), EINVAL);
	MUST(sigaction(SIGALRM, &sa, NULL));
	alarm(1);
	CHECK_ERRNO(semop(id, &op, 1), EINTR);
	MUST(semctl(id, 0, IPC_RMID));
}

static void the_end_of_a_process_undoes(void)
{
	int id = MUST(semget(IPC_PRIVATE, 2, 0600));
	pid_t pid;

	MUST(semctl(id, 0, SETVAL, (union semun){ .val = 3 }));
	pid = t_fork();
	if (pid == 0) {
		MUST(change(id, 0, -2, SEM_UNDO));
		MUST(change(id, 1, 4, SEM_UNDO));
		MUST(change(id, 1, 1, 0));
		_exit(value(id, 0) != 1 || value(id, 1) != 5);
	}
	t_wait_exit(pid, 0);
	CHECK_EQ(value(id, 0), 3);
	CHECK_EQ(value(id, 1), 1);
	pid = t_fork();
	if (pid == 0) {
		MUST(change(id, 0, -2, SEM_UNDO));
		MUST(semctl(id, 0, SETVAL, (union semun){ .val = 9 }));
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK_EQ(value(id, 0), 9);
	MUST(semctl(id, 0, IPC_RMID));
}

static void keys_name_sets(void)
{
	key_t key = 0x5e3a0000 + (getpid() & 0xffff);
	int id;

	CHECK_ERRNO(semget(key, 1, 0600), ENOENT);
	id = MUST(semget(key, 2, IPC_CREAT | IPC_EXCL | 0600));
	CHECK_ERRNO(semget(key, 2, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	CHECK_EQ(semget(key, 0, 0), id);
	CHECK_ERRNO(semget(key, 3, 0), EINVAL);
	MUST(semctl(id, 0, IPC_RMID));
	CHECK_ERRNO(semget(key, 1, 0), ENOENT);
}

static void errors(void)
{
	int id = MUST(semget(IPC_PRIVATE, 1, 0));
	struct sembuf many[501] = { { 0 } };

	CHECK_ERRNO(semget(IPC_PRIVATE, 0, 0600), EINVAL);
	CHECK_ERRNO(semget(IPC_PRIVATE, -1, 0600), EINVAL);
	CHECK_ERRNO(semop(id, many, 0), EINVAL);
	CHECK_ERRNO(semop(id, many, 501), E2BIG);
	CHECK_ERRNO(change(id, 1, 1, 0), EFBIG);
	CHECK_ERRNO(change(id, 0, 32767, 0) || change(id, 0, 1, 0) ? -1 : 0, ERANGE);
	CHECK_ERRNO(semctl(id, 0, SETVAL, (union semun){ .val = 32768 }), ERANGE);
	CHECK_ERRNO(semctl(id, 1, GETVAL), EINVAL);
	CHECK_ERRNO(syscall(SYS_semop, id, t_bad_ptr(), 1), EFAULT);
	if (geteuid() == 0) {
		pid_t pid = t_fork();

		if (pid == 0) {
			t_become_user(1000);
			CHECK_ERRNO(change(id, 0, 1, 0), EACCES);
			CHECK_ERRNO(semctl(id, 0, GETVAL), EACCES);
			CHECK_ERRNO(semctl(id, 0, IPC_RMID), EPERM);
			_exit(0);
		}
		t_wait_exit(pid, 0);
	}
	MUST(semctl(id, 0, IPC_RMID));
}

/* n children that do op and leave with 1 + errno, or 0; returns when all of them wait. */
static void sleepers(int id, const struct sembuf *op, size_t n_ops, int n, int count_cmd)
{
	int before = MUST(semctl(id, op->sem_num, count_cmd));

	for (int i = 0; i < n; i++)
		if (t_fork() == 0)
			_exit(semop(id, (struct sembuf *)op, n_ops) ? 1 + errno : 0);
	while (MUST(semctl(id, op->sem_num, count_cmd)) != before + n)
		usleep(1000);
}

static void all_leave_with(int n, int code)
{
	int status;

	while (n--) {
		MUST(wait(&status));
		CHECK(WIFEXITED(status));
		CHECK_EQ(WEXITSTATUS(status), code);
	}
}

static void a_zero_that_passes_is_seen_by_all_who_wait_for_it(void)
{
	struct sembuf zero = { 0, 0, 0 };

	for (int round = 0; round < 20; round++) {
		int id = MUST(semget(IPC_PRIVATE, 1, 0600));

		MUST(semctl(id, 0, SETVAL, (union semun){ .val = 1 }));
		sleepers(id, &zero, 1, 4, GETZCNT);
		MUST(change(id, 0, -1, 0));
		MUST(change(id, 0, 1, 0));
		CHECK_EQ(semctl(id, 0, GETZCNT), 0);
		all_leave_with(4, 0);
		MUST(semctl(id, 0, IPC_RMID));
	}
}

static void a_set_removed_after_the_operation_is_no_error(void)
{
	struct sembuf zero = { 0, 0, 0 }, down = { 0, -1, 0 };

	for (int round = 0; round < 20; round++) {
		int id = MUST(semget(IPC_PRIVATE, 1, 0600));

		sleepers(id, &down, 1, 3, GETNCNT);
		MUST(change(id, 0, 3, 0));
		MUST(semctl(id, 0, IPC_RMID));
		all_leave_with(3, 0);
		id = MUST(semget(IPC_PRIVATE, 1, 0600));
		MUST(semctl(id, 0, SETVAL, (union semun){ .val = 1 }));
		sleepers(id, &zero, 1, 3, GETZCNT);
		MUST(semctl(id, 0, SETVAL, (union semun){ .val = 0 }));
		MUST(semctl(id, 0, IPC_RMID));
		all_leave_with(3, 0);
		id = MUST(semget(IPC_PRIVATE, 1, 0600));
		sleepers(id, &down, 1, 3, GETNCNT);
		MUST(semctl(id, 0, IPC_RMID));
		all_leave_with(3, 1 + EIDRM);
	}
}

static void a_lock_of_wait_for_zero_and_raise_lets_one_in(void)
{
	struct sembuf lock[2] = {
		{0,  0, 0},
		     { 0, 1, 0}
	};
	int id = MUST(semget(IPC_PRIVATE, 1, 0600));

	MUST(change(id, 0, 1, 0));
	sleepers(id, lock, 2, 3, GETZCNT);
	for (int left = 3; left; left--) {
		CHECK_EQ(semctl(id, 0, GETZCNT), left);
		MUST(change(id, 0, -1, 0));
		all_leave_with(1, 0);
		CHECK_EQ(value(id, 0), 1);
	}
	MUST(semctl(id, 0, IPC_RMID));
}

static void a_completed_sleeper_lets_the_next_one_go_on(void)
{
	struct sembuf op[2] = {
		{0,  -1, 0},
		      { 1, 1,  0}
	};
	int id = MUST(semget(IPC_PRIVATE, 8, 0600));

	for (int i = 6; i >= 0; i--) { /* 6 waits first, for what 5 raises */
		op[0].sem_num = (unsigned short)i;
		op[1].sem_num = (unsigned short)(i + 1);
		sleepers(id, op, 2, 1, GETNCNT);
	}
	MUST(change(id, 0, 1, 0));
	CHECK_EQ(value(id, 7), 1);
	for (int i = 0; i < 7; i++)
		CHECK(value(id, i) == 0 && semctl(id, i, GETNCNT) == 0);
	all_leave_with(7, 0);
	MUST(semctl(id, 0, IPC_RMID));
}

static void a_sleeper_counts_where_it_is_stopped(void)
{
	struct sembuf op[2] = {
		{0,  -1, 0},
		      { 1, -1, 0}
	};
	int id = MUST(semget(IPC_PRIVATE, 2, 0600));

	sleepers(id, op, 2, 1, GETNCNT);
	CHECK(semctl(id, 0, GETNCNT) == 1 && semctl(id, 1, GETNCNT) == 0);
	MUST(change(id, 0, 1, 0));
	CHECK(semctl(id, 0, GETNCNT) == 0 && semctl(id, 1, GETNCNT) == 1);
	CHECK(value(id, 0) == 1);
	MUST(change(id, 1, 1, 0));
	all_leave_with(1, 0);
	CHECK(value(id, 0) == 0 && value(id, 1) == 0);
	MUST(semctl(id, 0, IPC_RMID));
}

static void the_undo_of_a_killed_process_wakes_others(void)
{
	struct sembuf down = { 0, -1, 0 };
	int id = MUST(semget(IPC_PRIVATE, 1, 0600));
	pid_t pid;

	MUST(change(id, 0, 1, 0));
	pid = t_fork();
	if (pid == 0) {
		MUST(change(id, 0, -1, SEM_UNDO));
		pause();
	}
	while (value(id, 0))
		usleep(1000);
	sleepers(id, &down, 1, 1, GETNCNT);
	MUST(kill(pid, SIGKILL));
	t_wait_signal(pid, SIGKILL);
	all_leave_with(1, 0);
	CHECK_EQ(value(id, 0), 0);
	MUST(semctl(id, 0, IPC_RMID));
}

TEST_PROGRAM(semget, CASE(values_are_counted_and_told), CASE(operations_happen_all_or_not_at_all),
	     CASE(a_waiter_goes_on_when_it_can), CASE(removal_wakes_the_waiters),
	     CASE(waiting_ends_by_time_and_by_signals), CASE(the_end_of_a_process_undoes),
	     CASE(keys_name_sets), CASE(errors),
	     CASE(a_zero_that_passes_is_seen_by_all_who_wait_for_it),
	     CASE(a_set_removed_after_the_operation_is_no_error),
	     CASE(a_lock_of_wait_for_zero_and_raise_lets_one_in),
	     CASE(a_completed_sleeper_lets_the_next_one_go_on),
	     CASE(a_sleeper_counts_where_it_is_stopped),
	     CASE(the_undo_of_a_killed_process_wakes_others));
