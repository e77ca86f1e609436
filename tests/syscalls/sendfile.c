/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendfile.c - sendfile, splice, tee, vmsplice, copy_file_range
 *
 * See       sendfile(2), splice(2), copy_file_range(2)
 */
#include "tests/lib/t.h"

#include <sys/sendfile.h>
#include <sys/uio.h>

static int file_with(const char *name, const char *text)
{
	t_write_file(name, text);
	return MUST(open(name, O_RDWR));
}

static void sendfile_between_files(void)
{
	char buf[16] = "";
	off_t off = 2;
	int in = file_with("in", "0123456789");
	int out = file_with("out", "");

	CHECK_EQ(sendfile(out, in, &off, 3), 3);
	CHECK_EQ(off, 5);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
	CHECK_EQ(sendfile(out, in, NULL, 100), 10);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 10);
	CHECK_EQ(t_read_file("out", buf, sizeof(buf)), 13);
	CHECK(!strcmp(buf, "2340123456789"));
	CHECK_EQ(sendfile(out, in, NULL, 100), 0);
}

static void sendfile_into_a_pipe(void)
{
	char buf[16];
	int fds[2];

	MUST(pipe(fds));
	CHECK_EQ(sendfile(fds[1], file_with("in", "hello"), NULL, 100), 5);
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), 5);
	CHECK(!memcmp(buf, "hello", 5));
}

static void sendfile_errors(void)
{
	int in = file_with("in", "x");
	int rd = MUST(open("in", O_RDONLY));
	int fds[2];
	off_t bad = -1;

	CHECK_ERRNO(sendfile(rd, in, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(in, -1, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(file_with("out", ""), in, &bad, 1), EINVAL);
	MUST(pipe(fds));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_ERRNO(sendfile(file_with("out", ""), in, t_bad_ptr(), 1), EFAULT);
}

static void splice_from_file_to_pipe_and_back(void)
{
	char buf[16] = "";
	loff_t off = 1;
	int fds[2];
	int in = file_with("in", "abcdef");
	int out = file_with("out", "");

	MUST(pipe(fds));
	CHECK_EQ(splice(in, &off, fds[1], NULL, 4, 0), 4);
	CHECK_EQ(off, 5);
	CHECK_EQ(splice(fds[0], NULL, out, NULL, 100, 0), 4);
	CHECK_EQ(t_read_file("out", buf, sizeof(buf)), 4);
	CHECK(!strcmp(buf, "bcde"));
	CHECK_ERRNO(splice(in, NULL, out, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(fds[0], NULL, out, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(splice(fds[0], &off, out, NULL, 1, 0), ESPIPE);
	MUST(close(fds[1]));
	CHECK_EQ(splice(fds[0], NULL, out, NULL, 1, 0), 0);
}

static void tee_copies_without_taking(void)
{
	char buf[8];
	int a[2], b[2];

	MUST(pipe(a));
	MUST(pipe(b));
	CHECK_EQ(write(a[1], "tea", 3), 3);
	CHECK_EQ(tee(a[0], b[1], 100, 0), 3);
	CHECK_EQ(read(a[0], buf, 8), 3);
	CHECK_EQ(read(b[0], buf, 8), 3);
	CHECK(!memcmp(buf, "tea", 3));
	CHECK_ERRNO(tee(a[0], a[1], 1, 0), EINVAL);
	CHECK_ERRNO(tee(a[0], t_temp_fd(), 1, 0), EINVAL);
}

static void vmsplice_takes_user_memory(void)
{
	struct iovec iov[2] = {
		{"user",	  4},
		       { "memory", 6}
	};
	char buf[16];
	int fds[2];

	MUST(pipe(fds));
	CHECK_EQ(vmsplice(fds[1], iov, 2, 0), 10);
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), 10);
	CHECK(!memcmp(buf, "usermemory", 10));
	CHECK_ERRNO(vmsplice(t_temp_fd(), iov, 1, 0), EBADF);
}

static void copy_file_range_copies(void)
{
	char buf[16] = "";
	loff_t from = 1, to = 3;
	int in = file_with("in", "abcdef");
	int out = file_with("out", "");
	int rd = MUST(open("in", O_RDONLY));
	int fds[2];

	CHECK_EQ(copy_file_range(in, &from, out, &to, 3, 0), 3);
	CHECK_EQ(from, 4);
	CHECK_EQ(to, 6);
	CHECK_EQ(t_read_file("out", buf, sizeof(buf)), 6);
	CHECK(!memcmp(buf, "\0\0\0bcd", 6));
	CHECK_EQ(copy_file_range(in, NULL, out, NULL, 100, 0), 6);
	CHECK_EQ(copy_file_range(in, NULL, out, NULL, 100, 0), 0);
	CHECK_ERRNO(copy_file_range(in, NULL, rd, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL);
	from = 0;
	to = 1;
	CHECK_ERRNO(copy_file_range(in, &from, in, &to, 3, 0), EINVAL);
	MUST(pipe(fds));
	CHECK_ERRNO(copy_file_range(fds[0], NULL, out, NULL, 1, 0), EINVAL);
}

TEST_PROGRAM(sendfile, CASE(sendfile_between_files), CASE(sendfile_into_a_pipe),
	     CASE(sendfile_errors), CASE(splice_from_file_to_pipe_and_back),
	     CASE(tee_copies_without_taking), CASE(vmsplice_takes_user_memory),
	     CASE(copy_file_range_copies));
