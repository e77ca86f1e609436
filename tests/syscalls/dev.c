/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dev.c - device files: null, zero, full, random, tty names
 *
 * See       null(4), random(4)
 */
#include "tests/lib/t.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

static void null_swallows(void)
{
	char byte;
	int fd = MUST(open("/dev/null", O_RDWR));

	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(read(fd, &byte, 1), 0);
	CHECK_EQ(lseek(fd, 100, SEEK_SET), 0);
}

static void zero_gives_zeros_and_maps(void)
{
	char buf[100];
	char *p;
	int fd = MUST(open("/dev/zero", O_RDWR));

	memset(buf, 1, sizeof(buf));
	CHECK_EQ(read(fd, buf, sizeof(buf)), 100);
	CHECK(!buf[0] && !buf[99]);
	CHECK_EQ(write(fd, buf, 100), 100);
	p = MUST(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	CHECK(p[5] == 0);
	p[5] = 1;
}

static void full_is_full(void)
{
	char byte = 1;
	int fd = MUST(open("/dev/full", O_RDWR));

	CHECK_ERRNO(write(fd, "x", 1), ENOSPC);
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK(byte == 0);
}

static void random_gives_bytes(void)
{
	unsigned char a[16] = { 0 }, b[16] = { 0 };

	CHECK_EQ(read(open("/dev/urandom", O_RDONLY), a, 16), 16);
	CHECK_EQ(read(open("/dev/random", O_RDONLY), b, 16), 16);
	CHECK(memcmp(a, b, 16));
}

static void standard_links_exist(void)
{
	MUST(access("/dev/fd", F_OK));
	MUST(access("/dev/stdin", F_OK));
	MUST(access("/dev/shm", F_OK));
	MUST(access("/dev/ptmx", F_OK));
	MUST(access("/dev/pts", F_OK));
}

static void generic_ioctls(void)
{
	int fds[2], on = 1, off = 0;
	char byte;

	MUST(pipe(fds));
	MUST(ioctl(fds[0], FIONBIO, &on));
	CHECK_ERRNO(read(fds[0], &byte, 1), EAGAIN);
	CHECK(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	MUST(ioctl(fds[0], FIONBIO, &off));
	CHECK(!(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
	MUST(ioctl(fds[0], FIOCLEX));
	CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	MUST(ioctl(fds[0], FIONCLEX));
	CHECK_EQ(fcntl(fds[0], F_GETFD), 0);
	CHECK_ERRNO(ioctl(fds[0], 0x7777, 0), ENOTTY);
	CHECK_ERRNO(ioctl(-1, FIONREAD, &on), EBADF);
	CHECK_ERRNO(ioctl(fds[0], FIONREAD, t_bad_ptr()), EFAULT);
}

static void pipes_cannot_be_frozen(void)
{
	int fds[2];

	MUST(pipe(fds));
	CHECK(ioctl(fds[0], FIFREEZE, 0) == -1 && (errno == EOPNOTSUPP || errno == EPERM));
	CHECK(ioctl(fds[0], FITHAW, 0) == -1 && (errno == EINVAL || errno == EPERM));
}

TEST_PROGRAM(dev, CASE(null_swallows), CASE(zero_gives_zeros_and_maps), CASE(full_is_full),
	     CASE(random_gives_bytes), CASE(standard_links_exist), CASE(generic_ioctls),
	     CASE(pipes_cannot_be_frozen));
