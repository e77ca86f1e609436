/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shmget.c - System V shared memory: shmget, shmat, shmdt, shmctl
 *
 * See       shmget(2), shmop(2)
 */
#include "tests/lib/t.h"

#include <sys/ipc.h>
#include <sys/shm.h>

static void a_segment_is_shared_with_the_child(void)
{
	int id = MUST(shmget(IPC_PRIVATE, 5000, IPC_CREAT | 0600));
	volatile int *p = MUST(shmat(id, NULL, 0));
	pid_t pid;

	MUST(shmctl(id, IPC_RMID, NULL));
	CHECK_EQ(p[100], 0);
	pid = t_fork();
	if (pid == 0) {
		p[100] = 42;
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK_EQ(p[100], 42);
	MUST(shmdt((const void *)p));
	CHECK_ERRNO(shmdt((const void *)p), EINVAL);
}

static void two_attachments_are_one_memory(void)
{
	int id = MUST(shmget(IPC_PRIVATE, 4096, 0600));
	volatile char *a = MUST(shmat(id, NULL, 0));
	volatile char *b = MUST(shmat(id, NULL, SHM_RDONLY));
	struct shmid_ds ds;
	pid_t pid;

	a[7] = 'q';
	CHECK(b[7] == 'q' && a != b);
	MUST(shmctl(id, IPC_STAT, &ds));
	CHECK_EQ(ds.shm_nattch, 2);
	CHECK_EQ(ds.shm_segsz, 4096);
	CHECK_EQ(ds.shm_cpid, getpid());
	MUST(shmctl(id, IPC_RMID, NULL));
	pid = t_fork();
	if (pid == 0) {
		b[0] = 1;
		_exit(0);
	}
	t_wait_signal(pid, SIGSEGV);
}

static void keys_find_segments(void)
{
	key_t key = 0x51510000 + getpid();
	int id = MUST(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));

	CHECK_EQ(shmget(key, 100, 0), id);
	CHECK_ERRNO(shmget(key, 4096, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_ERRNO(shmget(key, 100000, 0), EINVAL);
	MUST(shmctl(id, IPC_RMID, NULL));
	CHECK_ERRNO(shmget(key, 4096, 0), ENOENT);
	CHECK_ERRNO(shmat(id, NULL, 0), EINVAL);
}

static void errors(void)
{
	int id = MUST(shmget(IPC_PRIVATE, 4096, 0600));
	struct shmid_ds ds;
	pid_t pid;

	CHECK_ERRNO(shmget(IPC_PRIVATE, 0, IPC_CREAT), EINVAL);
	CHECK_ERRNO(shmat(id, (void *)1, 0), EINVAL);
	CHECK_ERRNO(shmctl(id, 9999, &ds), EINVAL);
	MUST(shmctl(id, IPC_STAT, &ds));
	MUST(shmctl(id, IPC_SET, &ds));
	pid = t_fork();
	if (pid == 0) {
		t_become_user(1000);
		CHECK_ERRNO(shmat(id, NULL, 0), EACCES);
		CHECK_ERRNO(shmctl(id, IPC_RMID, NULL), EPERM);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	MUST(shmctl(id, IPC_RMID, NULL));
}

TEST_PROGRAM(shmget, CASE(a_segment_is_shared_with_the_child), CASE(two_attachments_are_one_memory),
	     CASE(keys_find_segments), CASE(errors));
