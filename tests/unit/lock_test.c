// SPDX-License-Identifier: Apache-2.0
/* lock_test - record locks: ranges, conflicts, owners; flock; descriptor tables */
#include "fs/fdtable.h"
#include "fs/lock.h"
#include "fs/tmpfs.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"
#include "tests/lib/vfs_host.h"

static struct file *f1, *f2;
static int one, two; /* owners: addresses of two imagined descriptor tables */

static void start(void)
{
	const struct mount_args a = { .source = "root" };

	vfs_host_start(&tmpfs_fs_type, &a);
	CHECK(vh_open("/f", O_CREAT | O_RDWR, 0644, &f1) == 0 &&
	      vh_open("/f", O_RDWR, 0, &f2) == 0);
}

static void stop(void)
{
	lock_posix_close(f1, &one);
	lock_posix_close(f2, &two);
	file_put(f1);
	file_put(f2);
	vfs_host_stop();
}

static int set(struct file *f, const void *owner, s16 type, s64 from, s64 len)
{
	struct flock fl = { .l_type = type, .l_start = from, .l_len = len };

	return lock_fcntl(f, F_SETLK, &fl, owner);
}

TEST(readers_share_and_writers_exclude)
{
	start();
	CHECK(set(f1, &one, F_RDLCK, 0, 10) == 0 && set(f2, &two, F_RDLCK, 5, 10) == 0);
	CHECK(set(f1, &one, F_WRLCK, 0, 5) == 0 && set(f1, &one, F_WRLCK, 0, 6) == -EAGAIN);
	CHECK(set(f2, &two, F_WRLCK, 10, 0) == 0 && set(f1, &one, F_RDLCK, 1000, 1) == -EAGAIN);
	stop();
}

TEST(unlocking_the_middle_splits)
{
	struct flock fl = { .l_type = F_WRLCK };

	start();
	CHECK(set(f1, &one, F_WRLCK, 0, 100) == 0 && set(f1, &one, F_UNLCK, 40, 20) == 0);
	CHECK(set(f2, &two, F_WRLCK, 40, 20) == 0 && set(f2, &two, F_WRLCK, 39, 1) == -EAGAIN);
	CHECK(set(f2, &two, F_WRLCK, 60, 1) == -EAGAIN);
	CHECK(lock_fcntl(f2, F_GETLK, &fl, &two) == 0);
	CHECK(fl.l_type == F_WRLCK && fl.l_start == 0 && fl.l_len == 40 && fl.l_pid == 1);
	stop();
}

TEST(open_files_own_their_locks)
{
	struct flock fl = { .l_type = F_WRLCK };

	start();
	CHECK(lock_fcntl(f1, F_OFD_SETLK, &fl, &one) == 0 &&
	      lock_fcntl(f2, F_OFD_SETLK, &fl, &one) == -EAGAIN);
	fl.l_pid = 1;
	CHECK(lock_fcntl(f2, F_OFD_SETLK, &fl, &one) == -EINVAL);
	CHECK(lock_flock(f1, LOCK_EX) == 0 && lock_flock(f2, LOCK_SH | LOCK_NB) == -EAGAIN);
	CHECK(lock_flock(f1, LOCK_SH) == 0 && lock_flock(f2, LOCK_SH | LOCK_NB) == 0);
	CHECK(lock_flock(f1, LOCK_UN) == 0 && lock_flock(f1, 77) == -EINVAL);
	stop();
}

static void wait_for_first_byte(void *arg)
{
	struct flock fl = { .l_type = F_WRLCK, .l_len = 1 };

	CHECK(lock_fcntl(f2, F_SETLKW, &fl, &two) == 0);
}

TEST(a_circle_of_waiting_owners_is_a_deadlock)
{
	struct flock fl = { .l_type = F_WRLCK, .l_start = 1, .l_len = 1 };
	struct test_thread *t;
	int err;

	start();
	CHECK(set(f1, &one, F_WRLCK, 0, 1) == 0 && set(f2, &two, F_WRLCK, 1, 1) == 0);
	t = test_thread_start(wait_for_first_byte, NULL);
	do {
		/* Until the other one waits, this is merely a conflict. */
		struct flock probe = fl;

		test_sleep_ms(20);
		err = lock_fcntl(f1, F_SETLKW, &probe, &one);
	} while (err == 0);
	CHECK(err == -EDEADLK);
	CHECK(set(f1, &one, F_UNLCK, 0, 1) == 0);
	test_thread_join(t);
	stop();
}

TEST(descriptors_are_the_lowest_free_ones)
{
	bool cloexec;
	s32 fds[200];

	start();
	for (u32 i = 0; i < 200; i++) {
		file_get(f1);
		fds[i] = fd_install(f1, i & 1);
		CHECK(fds[i] == (s32)i);
	}
	CHECK(fd_close(70) == 0 && fd_close(7) == 0 && fd_close(7) == -EBADF);
	file_get(f1);
	CHECK(fd_install_min(f1, false, 8) == 70);
	CHECK(fd_reserve(true) == 7);
	fd_unreserve(7);
	file_get(f1);
	CHECK(fd_install_at(f1, 1023, true) == 1023 && fd_get_cloexec(1023, &cloexec) == 0 &&
	      cloexec);
	file_get(f1);
	CHECK(fd_install_at(f1, 1024, true) == -EBADF);
	file_put(f1);
	fdtable_close_on_exec(current_fds());
	CHECK(fd_get_cloexec(1, &cloexec) == -EBADF && fd_get_cloexec(2, &cloexec) == 0);
	fdtable_close_range(current_fds(), 0, U32_MAX, false);
	CHECK(fd_get_cloexec(2, &cloexec) == -EBADF && refs_read(&f1->refs) == 1);
	stop();
}
