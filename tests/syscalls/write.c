/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write.c - write(2): growth, append, limits, broken pipes
 *
 * See       write(2)
 */
#include "tests/lib/t.h"

#include <sys/resource.h>

static void write_extends_the_file(void)
{
	struct stat st;
	int fd = t_temp_fd();

	CHECK_EQ(write(fd, "12345", 5), 5);
	CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
	CHECK_EQ(write(fd, "6", 1), 1);
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_size, 101);
}

static void append_ignores_the_offset(void)
{
	char buf[8] = "";
	int fd;

	t_write_file("f", "abc");
	fd = MUST(open("f", O_RDWR | O_APPEND));
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(write(fd, "d", 1), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
	CHECK_EQ(t_read_file("f", buf, sizeof(buf)), 4);
	CHECK(!strcmp(buf, "abcd"));
}

static void read_only_descriptor_is_ebadf(void)
{
	int fd;

	t_write_file("f", "x");
	fd = MUST(open("f", O_RDONLY));
	CHECK_ERRNO(write(fd, "a", 1), EBADF);
	CHECK_ERRNO(write(-1, "a", 1), EBADF);
}

static void bad_buffer_is_efault(void)
{
	int fd = t_temp_fd();

	CHECK_ERRNO(write(fd, t_bad_ptr(), 3), EFAULT);
	CHECK_ERRNO(write(fd, t_kernel_ptr(), 3), EFAULT);
}

static void broken_pipe_is_sigpipe_then_epipe(void)
{
	int fds[2];
	pid_t pid;

	MUST(pipe(fds));
	MUST(close(fds[0]));
	pid = t_fork();
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		_exit(write(fds[1], "x", 1) < 0);
	}
	t_wait_signal(pid, SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
}

static void file_size_limit_is_sigxfsz_then_efbig(void)
{
	struct rlimit lim = { 100, 100 };
	int fd = t_temp_fd();
	pid_t pid;

	MUST(setrlimit(RLIMIT_FSIZE, &lim));
	CHECK_EQ(pwrite(fd, "0123456789", 10, 95), 5);
	pid = t_fork();
	if (pid == 0)
		_exit(pwrite(fd, "x", 1, 100) < 0);
	t_wait_signal(pid, SIGXFSZ);
	signal(SIGXFSZ, SIG_IGN);
	CHECK_ERRNO(pwrite(fd, "x", 1, 100), EFBIG);
}

static void write_by_user_clears_set_id_bits(void)
{
	struct stat st;
	int fd = t_temp_fd();

	MUST(fchown(fd, 1000, 1000));
	MUST(fchmod(fd, 06755));
	t_become_user(1000);
	CHECK_EQ(write(fd, "x", 1), 1);
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_mode & 07777, 0755);
}

static void write_moves_mtime_forward(void)
{
	struct timespec old[2] = {
		{1000,	0},
		     { 1000, 0}
	};
	struct stat st;
	int fd = t_temp_fd();

	MUST(futimens(fd, old));
	CHECK_EQ(write(fd, "x", 1), 1);
	MUST(fstat(fd, &st));
	CHECK(st.st_mtim.tv_sec > 1000);
	CHECK_EQ(st.st_atim.tv_sec, 1000);
}

static void zero_bytes_do_not_extend(void)
{
	struct stat st;
	int fd = t_temp_fd();

	MUST(lseek(fd, 50, SEEK_SET));
	CHECK_EQ(write(fd, "", 0), 0);
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_size, 0);
}

static void a_large_write_crosses_pages(void)
{
	static char out[300000], in[300000];
	int fd = t_temp_fd();

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 4096);
	CHECK_EQ(write(fd, out, sizeof(out)), sizeof(out));
	CHECK_EQ(pread(fd, in, sizeof(in), 0), sizeof(in));
	CHECK(!memcmp(in, out, sizeof(in)));
	CHECK_EQ(pread(fd, in, 5000, 4095), 5000);
	CHECK(!memcmp(in, out + 4095, 5000));
}

TEST_PROGRAM(write, CASE(write_extends_the_file), CASE(append_ignores_the_offset),
	     CASE(read_only_descriptor_is_ebadf), CASE(bad_buffer_is_efault),
	     CASE(broken_pipe_is_sigpipe_then_epipe), CASE(file_size_limit_is_sigxfsz_then_efbig),
	     CASE(write_by_user_clears_set_id_bits), CASE(write_moves_mtime_forward),
	     CASE(zero_bytes_do_not_extend), CASE(a_large_write_crosses_pages));
