/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync.c - sync, syncfs, fsync, fdatasync, sync_file_range, readahead, fadvise64
 *
 * See       sync(2), fsync(2)
 */
#include "tests/lib/t.h"

static void files_can_be_synced(void)
{
	int fd = t_temp_fd();
	int dir = MUST(open(".", O_RDONLY));

	CHECK_EQ(write(fd, "x", 1), 1);
	MUST(fsync(fd));
	MUST(fdatasync(fd));
	MUST(fsync(dir));
	MUST(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	CHECK_ERRNO(sync_file_range(fd, 0, 0, 0x100), EINVAL);
}

static void errors(void)
{
	int fds[2];

	MUST(pipe(fds));
	CHECK_ERRNO(fsync(-1), EBADF);
	CHECK_ERRNO(fsync(fds[0]), EINVAL);
	CHECK_ERRNO(fdatasync(fds[0]), EINVAL);
	CHECK_ERRNO(syncfs(-1), EBADF);
	CHECK_ERRNO(sync_file_range(-1, 0, 0, 0), EBADF);
	CHECK_ERRNO(readahead(-1, 0, 0), EBADF);
	CHECK_ERRNO(readahead(fds[0], 0, 0), EINVAL);
}

static void whole_systems_can_be_synced(void)
{
	MUST(syncfs(t_temp_fd()));
	sync();
}

static void hints_are_accepted(void)
{
	int fds[2];
	int fd = t_temp_fd();

	CHECK_EQ(write(fd, "abc", 3), 3);
	MUST(readahead(fd, 0, 100));
	CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
	CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	CHECK_EQ(posix_fadvise(fd, 0, 0, 99), EINVAL);
	MUST(pipe(fds));
	CHECK_EQ(posix_fadvise(fds[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
	CHECK_EQ(posix_fadvise(-1, 0, 0, POSIX_FADV_NORMAL), EBADF);
}

TEST_PROGRAM(sync, CASE(files_can_be_synced), CASE(errors), CASE(whole_systems_can_be_synced),
	     CASE(hints_are_accepted));
