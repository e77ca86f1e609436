/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcntl.c - fcntl(2) apart from locks
 *
 * See       fcntl(2)
 */
#include "tests/lib/t.h"

static void duplicates_start_at_the_minimum(void)
{
	int fd = t_temp_fd();

	CHECK_EQ(fcntl(fd, F_DUPFD, 100), 100);
	CHECK_EQ(fcntl(fd, F_DUPFD, 100), 101);
	CHECK_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 100), 102);
	CHECK_EQ(fcntl(102, F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, -1), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, 0x7fffffff), EINVAL);
}

static void descriptor_flag(void)
{
	int fd = t_temp_fd();

	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	MUST(fcntl(fd, F_SETFD, FD_CLOEXEC));
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void status_flags(void)
{
	int fd = MUST(open("f", O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600));

	CHECK_EQ(fcntl(fd, F_GETFL) & ~T_O_LARGEFILE, O_RDWR | O_APPEND);
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK | O_WRONLY));
	CHECK_EQ(fcntl(fd, F_GETFL) & ~T_O_LARGEFILE, O_RDWR | O_NONBLOCK);
}

static void o_path_descriptors_can_do_little(void)
{
	struct stat st;
	char byte;
	int fd;

	t_write_file("f", "x");
	fd = MUST(open("f", O_PATH));
	CHECK_ERRNO(read(fd, &byte, 1), EBADF);
	CHECK_ERRNO(write(fd, &byte, 1), EBADF);
	CHECK_ERRNO(fcntl(fd, F_SETFL, 0), EBADF);
	MUST(fstat(fd, &st));
	CHECK(fcntl(fd, F_GETFL) & O_PATH);
	MUST(dup(fd));
	fd = MUST(open(".", O_PATH | O_DIRECTORY));
	MUST(openat(fd, "f", O_RDONLY));
	MUST(fchdir(fd));
	MUST(symlink("f", "l"));
	fd = MUST(open("l", O_PATH | O_NOFOLLOW));
	MUST(fstat(fd, &st));
	CHECK(S_ISLNK(st.st_mode));
}

static void owner_can_be_set(void)
{
	int fds[2];

	MUST(pipe(fds));
	MUST(fcntl(fds[0], F_SETOWN, getpid()));
	CHECK_EQ(fcntl(fds[0], F_GETOWN), getpid());
}

static volatile int got;

static void on_io(int sig)
{
	got++;
}

static void async_input_sends_sigio(void)
{
	sigset_t set, none;
	int fds[2];

	sigemptyset(&set);
	sigemptyset(&none);
	sigaddset(&set, SIGIO);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	t_handle(SIGIO, on_io, 0);
	MUST(pipe(fds));
	MUST(fcntl(fds[0], F_SETOWN, getpid()));
	MUST(fcntl(fds[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK(got >= 1);
}

static void errors(void)
{
	CHECK_ERRNO(fcntl(-1, F_GETFD), EBADF);
	CHECK_ERRNO(fcntl(1, 9999), EINVAL);
}

TEST_PROGRAM(fcntl, CASE(duplicates_start_at_the_minimum), CASE(descriptor_flag),
	     CASE(status_flags), CASE(o_path_descriptors_can_do_little), CASE(owner_can_be_set),
	     CASE(async_input_sends_sigio), CASE(errors));
