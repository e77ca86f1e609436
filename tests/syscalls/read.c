/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.c - read(2) of files, ends, holes and bad buffers
 *
 * See       read(2)
 */
#include "tests/lib/t.h"

static void reads_what_was_written(void)
{
	char buf[16] = "";
	int fd = t_temp_fd();

	CHECK_EQ(write(fd, "hello world", 11), 11);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, buf, 5), 5);
	CHECK(!memcmp(buf, "hello", 5));
	CHECK_EQ(read(fd, buf, sizeof(buf)), 6);
	CHECK(!memcmp(buf, " world", 6));
}

static void end_of_file_is_zero(void)
{
	char byte;
	int fd = t_temp_fd();

	CHECK_EQ(read(fd, &byte, 1), 0);
	CHECK_EQ(lseek(fd, 1000, SEEK_SET), 1000);
	CHECK_EQ(read(fd, &byte, 1), 0);
}

static void holes_read_as_zeros(void)
{
	char buf[64];
	int fd = t_temp_fd();

	CHECK_EQ(pwrite(fd, "x", 1, 10000), 1);
	memset(buf, 'y', sizeof(buf));
	CHECK_EQ(pread(fd, buf, sizeof(buf), 5000), 64);
	for (size_t i = 0; i < sizeof(buf); i++)
		CHECK(buf[i] == 0);
}

static void bad_descriptor_is_ebadf(void)
{
	char byte;

	CHECK_ERRNO(read(-1, &byte, 1), EBADF);
	CHECK_ERRNO(read(1000, &byte, 1), EBADF);
}

static void write_only_descriptor_is_ebadf(void)
{
	char byte;
	int fd = MUST(open("f", O_WRONLY | O_CREAT, 0600));

	CHECK_ERRNO(read(fd, &byte, 1), EBADF);
}

static void directory_is_eisdir(void)
{
	char byte;
	int fd = MUST(open(".", O_RDONLY));

	CHECK_ERRNO(read(fd, &byte, 1), EISDIR);
}

static void bad_buffer_is_efault(void)
{
	int fd = t_temp_fd();

	CHECK_EQ(write(fd, "abc", 3), 3);
	MUST(lseek(fd, 0, SEEK_SET));
	CHECK_ERRNO(read(fd, t_bad_ptr(), 3), EFAULT);
	CHECK_ERRNO(read(fd, t_kernel_ptr(), 3), EFAULT);
}

static void partly_bad_buffer_gives_a_short_count(void)
{
	char *edge = t_edge_buffer(2);
	int fd = t_temp_fd();
	ssize_t n;

	CHECK_EQ(write(fd, "abcd", 4), 4);
	MUST(lseek(fd, 0, SEEK_SET));
	n = read(fd, edge, 4);
	CHECK(n == 2 || (n == -1 && errno == EFAULT));
	if (n == 2)
		CHECK(edge[0] == 'a' && edge[1] == 'b');
}

static void zero_count_is_zero(void)
{
	int fd = t_temp_fd();

	CHECK_EQ(write(fd, "abc", 3), 3);
	MUST(lseek(fd, 0, SEEK_SET));
	CHECK_EQ(read(fd, NULL, 0), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
}

static void descriptors_of_one_open_share_the_offset(void)
{
	char byte;
	int fd = t_temp_fd();
	int copy = MUST(dup(fd));
	pid_t pid;

	CHECK_EQ(write(fd, "abc", 3), 3);
	MUST(lseek(fd, 0, SEEK_SET));
	CHECK_EQ(read(copy, &byte, 1), 1);
	CHECK(byte == 'a');
	pid = t_fork();
	if (pid == 0) {
		CHECK_EQ(read(fd, &byte, 1), 1);
		_exit(byte);
	}
	t_wait_exit(pid, 'b');
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK(byte == 'c');
}

static void atime_is_not_before_birth(void)
{
	struct stat before, after;
	char byte;
	int fd = t_temp_fd();

	CHECK_EQ(write(fd, "a", 1), 1);
	MUST(fstat(fd, &before));
	CHECK_EQ(pread(fd, &byte, 1, 0), 1);
	MUST(fstat(fd, &after));
	CHECK(after.st_atim.tv_sec >= before.st_atim.tv_sec);
}

TEST_PROGRAM(read, CASE(reads_what_was_written), CASE(end_of_file_is_zero),
	     CASE(holes_read_as_zeros), CASE(bad_descriptor_is_ebadf),
	     CASE(write_only_descriptor_is_ebadf), CASE(directory_is_eisdir),
	     CASE(bad_buffer_is_efault), CASE(partly_bad_buffer_gives_a_short_count),
	     CASE(zero_count_is_zero), CASE(descriptors_of_one_open_share_the_offset),
	     CASE(atime_is_not_before_birth));
