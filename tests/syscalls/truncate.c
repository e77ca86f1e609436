/* SPDX-License-Identifier: Apache-2.0 */
/*
 * truncate.c - truncate, ftruncate, fallocate
 *
 * See       truncate(2), fallocate(2)
 */
#include "tests/lib/t.h"

static void sizes_change_both_ways(void)
{
	struct stat st;
	char buf[8] = "";
	int fd = t_temp_fd();

	CHECK_EQ(write(fd, "abcdef", 6), 6);
	MUST(ftruncate(fd, 2));
	MUST(truncate("temp-file", 5));
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(pread(fd, buf, 8, 0), 5);
	CHECK(!memcmp(buf, "ab\0\0\0", 5));
}

static void a_cut_page_does_not_come_back(void)
{
	char byte;
	int fd = t_temp_fd();

	for (int i = 0; i < 3; i++)
		CHECK_EQ(pwrite(fd, "x", 1, i * 4096 + 100), 1);
	MUST(ftruncate(fd, 50));
	MUST(ftruncate(fd, 12288));
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(pread(fd, &byte, 1, i * 4096 + 100), 1);
		CHECK(byte == 0);
	}
}

static void errors(void)
{
	int fd, fds[2];

	t_write_file("f", "x");
	fd = MUST(open("f", O_RDONLY));
	CHECK_ERRNO(ftruncate(fd, 0), EINVAL);
	CHECK_ERRNO(ftruncate(-1, 0), EBADF);
	CHECK_ERRNO(truncate("f", -1), EINVAL);
	CHECK_ERRNO(truncate(".", 0), EISDIR);
	CHECK_ERRNO(truncate("none", 0), ENOENT);
	MUST(pipe(fds));
	CHECK_ERRNO(ftruncate(fds[1], 0), EINVAL);
	t_become_user(1000);
	CHECK_ERRNO(truncate("f", 0), EACCES);
}

static void allocation_extends_unless_told(void)
{
	struct stat st;
	int fd = t_temp_fd();

	MUST(fallocate(fd, 0, 100, 900));
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_size, 1000);
	MUST(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20000));
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_size, 1000);
	CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
	CHECK_ERRNO(fallocate(fd, 0, -1, 5), EINVAL);
	CHECK_ERRNO(fallocate(-1, 0, 0, 5), EBADF);
	CHECK_ERRNO(fallocate(fd, 0x4000, 0, 5), EOPNOTSUPP);
}

static void punched_holes_read_as_zeros(void)
{
	static char block[12288];
	int fd = t_temp_fd();

	memset(block, 'x', sizeof(block));
	CHECK_EQ(write(fd, block, sizeof(block)), sizeof(block));
	MUST(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4000, 5000));
	CHECK_EQ(pread(fd, block, sizeof(block), 0), sizeof(block));
	CHECK(block[3999] == 'x' && block[4000] == 0 && block[8999] == 0 && block[9000] == 'x');
}

TEST_PROGRAM(truncate, CASE(sizes_change_both_ways), CASE(a_cut_page_does_not_come_back),
	     CASE(errors), CASE(allocation_extends_unless_told), CASE(punched_holes_read_as_zeros));
