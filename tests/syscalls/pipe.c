/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pipe.c - pipe, pipe2: flow, limits, atomicity, packets
 *
 * See       pipe(2), pipe(7)
 */
#include "tests/lib/t.h"

#include <sys/resource.h>

#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>

static void bytes_come_out_in_order(void)
{
	char buf[16];
	int fds[2];

	MUST(pipe(fds));
	CHECK_EQ(write(fds[1], "abc", 3), 3);
	CHECK_EQ(write(fds[1], "def", 3), 3);
	CHECK_EQ(read(fds[0], buf, 4), 4);
	CHECK(!memcmp(buf, "abcd", 4));
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), 2);
	CHECK_ERRNO(write(fds[0], "x", 1), EBADF);
	CHECK_ERRNO(read(fds[1], buf, 1), EBADF);
}

static void a_full_pipe_is_eagain_when_nonblocking(void)
{
	static char block[65536];
	struct pollfd p;
	int fds[2];

	MUST(pipe2(fds, O_NONBLOCK));
	CHECK_EQ(fcntl(fds[0], F_GETPIPE_SZ), 65536);
	CHECK_EQ(write(fds[1], block, sizeof(block)), 65536);
	CHECK_ERRNO(write(fds[1], "x", 1), EAGAIN);
	p = (struct pollfd){ fds[1], POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_EQ(read(fds[0], block, sizeof(block)), 65536);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_ERRNO(read(fds[0], block, 1), EAGAIN);
}

static void small_writes_are_all_or_nothing(void)
{
	static char block[65536];
	int fds[2];

	MUST(pipe2(fds, O_NONBLOCK));
	CHECK_EQ(write(fds[1], block, 65536 - 2000), 65536 - 2000);
	CHECK_EQ(read(fds[0], block, 2000), 2000);
	CHECK_ERRNO(write(fds[1], block, PIPE_BUF), EAGAIN);
}

static void a_blocked_writer_goes_on_when_read(void)
{
	static char block[100000];
	size_t got = 0;
	int fds[2];
	pid_t pid;

	MUST(pipe(fds));
	pid = t_fork();
	if (pid == 0) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (char)i;
		CHECK_EQ(write(fds[1], block, sizeof(block)), sizeof(block));
		_exit(0);
	}
	MUST(close(fds[1]));
	for (;;) {
		ssize_t n = MUST(read(fds[0], block, 50000));

		if (!n)
			break;
		for (ssize_t i = 0; i < n; i++)
			CHECK(block[i] == (char)(got + i));
		got += n;
	}
	CHECK_EQ(got, sizeof(block));
	t_wait_exit(pid, 0);
}

static void flags_of_pipe2(void)
{
	int fds[2];

	MUST(pipe2(fds, O_CLOEXEC));
	CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fds[0], F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK_EQ(fcntl(fds[1], F_GETFL) & O_ACCMODE, O_WRONLY);
	CHECK_ERRNO(pipe2(fds, O_APPEND), EINVAL);
	CHECK_ERRNO(syscall(SYS_pipe2, t_bad_ptr(), 0), EFAULT);
	MUST(syscall(SYS_pipe, fds));
}

static void pending_bytes_are_counted(void)
{
	int fds[2], n = -1;

	MUST(pipe(fds));
	CHECK_EQ(write(fds[1], "abcde", 5), 5);
	MUST(ioctl(fds[0], FIONREAD, &n));
	CHECK_EQ(n, 5);
}

static void packet_mode_keeps_borders(void)
{
	char buf[16];
	int fds[2];

	MUST(pipe2(fds, O_DIRECT));
	CHECK_EQ(write(fds[1], "abcde", 5), 5);
	CHECK_EQ(write(fds[1], "fg", 2), 2);
	CHECK_EQ(read(fds[0], buf, 3), 3);
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), 2);
	CHECK(!memcmp(buf, "fg", 2));
}

static void hang_up_is_polled(void)
{
	struct pollfd p;
	int fds[2];

	MUST(pipe(fds));
	MUST(close(fds[1]));
	p = (struct pollfd){ fds[0], POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK(p.revents & POLLHUP);
	MUST(pipe(fds));
	MUST(close(fds[0]));
	p = (struct pollfd){ fds[1], POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK(p.revents & POLLERR);
}

static void size_can_be_changed(void)
{
	int fds[2];

	MUST(pipe(fds));
	CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 4096), 4096);
	CHECK_EQ(fcntl(fds[1], F_GETPIPE_SZ), 4096);
	CHECK_EQ(fcntl(fds[0], F_SETPIPE_SZ, 5000), 8192);
}

static void fifo_file_joins_reader_and_writer(void)
{
	char buf[4] = "";
	int fd;
	pid_t pid;

	MUST(mkfifo("fifo", 0600));
	CHECK_ERRNO(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	pid = t_fork();
	if (pid == 0) {
		fd = MUST(open("fifo", O_WRONLY));
		_exit(write(fd, "hi", 2) != 2);
	}
	fd = MUST(open("fifo", O_RDONLY));
	CHECK_EQ(read(fd, buf, 2), 2);
	CHECK(!strcmp(buf, "hi"));
	t_wait_exit(pid, 0);
	CHECK_EQ(read(fd, buf, 2), 0);
}

static void beyond_a_users_share_pipes_are_small(void)
{
	struct rlimit nofile = { 4096, 4096 };
	int fds[2];
	int n;

	MUST(setrlimit(RLIMIT_NOFILE, &nofile));
	t_become_user(12321);
	for (n = 0; n < 1100; n++) {
		MUST(pipe(fds));
		if (fcntl(fds[0], F_GETPIPE_SZ) < 65536)
			break;
	}
	CHECK_EQ(n, 1024); /* of 16 pages */
	CHECK_EQ(fcntl(fds[0], F_GETPIPE_SZ), 8192);
	CHECK_ERRNO(fcntl(fds[0], F_SETPIPE_SZ, 65536), EPERM);
	MUST(fcntl(fds[0], F_SETPIPE_SZ, 4096));
}

TEST_PROGRAM(pipe, CASE(beyond_a_users_share_pipes_are_small), CASE(bytes_come_out_in_order),
	     CASE(a_full_pipe_is_eagain_when_nonblocking), CASE(small_writes_are_all_or_nothing),
	     CASE(a_blocked_writer_goes_on_when_read), CASE(flags_of_pipe2),
	     CASE(pending_bytes_are_counted), CASE(packet_mode_keeps_borders),
	     CASE(hang_up_is_polled), CASE(size_can_be_changed),
	     CASE(fifo_file_joins_reader_and_writer));
