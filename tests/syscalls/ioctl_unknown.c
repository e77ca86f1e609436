/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ioctl_unknown.c - what an error looks like in the register: all 64 bits of it, for every kind of file
 *
 * See       ioctl(2), ioctl_ns(2)
 */
#include "tests/lib/t.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

/* libc turns -4095..-1 into errno and -1 and lets everything else through. */
static void check_unknown(int fd)
{
	static const unsigned long requests[] = { 0xb7ff, 0x12345678, 0xffffffff, 0 };

	CHECK(fd >= 0);
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		errno = 0;
		CHECK_EQ(syscall(SYS_ioctl, fd, requests[i], 0), -1);
		CHECK(errno > 0 && errno < 200);
	}
}

static void namespaces_refuse_with_a_whole_error(void)
{
	static const char *const kinds[] = { "uts", "mnt", "pid", "user", "net", "ipc", "cgroup" };
	char path[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		fd = open(path, O_RDONLY);
		if (fd >= 0)
			check_unknown(fd);
	}
}

static void every_kind_of_file_refuses_with_a_whole_error(void)
{
	sigset_t set;
	int p[2], s[2], pt;

	sigemptyset(&set);
	MUST(pipe(p));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	check_unknown(p[0]);
	check_unknown(s[0]);
	check_unknown(t_temp_fd());
	check_unknown(open(".", O_RDONLY));
	check_unknown(eventfd(0, 0));
	check_unknown(epoll_create1(0));
	check_unknown(timerfd_create(CLOCK_MONOTONIC, 0));
	check_unknown(signalfd(-1, &set, 0));
	check_unknown(inotify_init());
	check_unknown(open("/dev/null", O_RDWR));
	check_unknown(open("/proc/self/status", O_RDONLY));
	check_unknown(open("/proc/self/mounts", O_RDONLY));
	check_unknown((int)syscall(SYS_pidfd_open, getpid(), 0));
	pt = posix_openpt(O_RDWR | O_NOCTTY);
	check_unknown(pt);
	MUST(unlockpt(pt));
	check_unknown(open(ptsname(pt), O_RDWR | O_NOCTTY));
}

TEST_PROGRAM(ioctl_unknown, CASE(namespaces_refuse_with_a_whole_error),
	     CASE(every_kind_of_file_refuses_with_a_whole_error));
