/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nested.c - objects that hold objects, as deep as a program likes
 *
 * Rules     What was built is let go by one close: none of it may cost the kernel a call frame a level. Every case
 *           looks at the innermost object to see that it really went.
 * See       unix(7), epoll_ctl(2), path_resolution(7)
 */
#include "tests/lib/t.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#define SOCKETS 200
#define LEVELS	4 /* of epoll instances above the first */
#define FAN	500
#define DEEP	1000
#define MOUNTS	60

static void send_fd(int sock, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = { 0 } };
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	CHECK_EQ(sendmsg(sock, &msg, 0), 1);
}

/* A socket with a socket in its queue, and so on; the writing end of a pipe is in the last. */
static int socket_chain(int innermost, int levels)
{
	int held = innermost, pair[2];

	for (int i = 0; i < levels; i++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		send_fd(pair[0], held);
		MUST(close(held));
		MUST(close(pair[0]));
		held = pair[1];
	}
	return held;
}

static void sockets_in_queues_of_sockets_are_released_by_one_close(void)
{
	int fds[2], top;
	char byte;

	MUST(pipe(fds));
	top = socket_chain(fds[1], SOCKETS);
	MUST(close(top));
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

static void sockets_in_queues_of_sockets_are_released_by_exit(void)
{
	int fds[2];
	char byte;
	pid_t pid;

	MUST(pipe(fds));
	pid = t_fork();
	if (!pid) {
		(void)socket_chain(fds[1], SOCKETS);
		_exit(0);
	}
	MUST(close(fds[1]));
	t_wait_exit(pid, 0);
	/* The end of a process is seen after its files are closed. */
	MUST(fcntl(fds[0], F_SETFL, O_NONBLOCK));
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

static int watch(int ep, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static void four_levels_of_epoll_are_allowed_and_report(void)
{
	struct epoll_event ev;
	int ep[LEVELS + 2];
	int fd = MUST(eventfd(0, 0));

	for (int i = 0; i < LEVELS + 2; i++)
		ep[i] = MUST(epoll_create1(0));
	for (int i = 1; i <= LEVELS; i++)
		MUST(watch(ep[i], ep[i - 1]));
	CHECK_ERRNO(watch(ep[LEVELS + 1], ep[LEVELS]), ELOOP);
	CHECK_ERRNO(watch(ep[0], ep[LEVELS + 1]), ELOOP);
	CHECK_ERRNO(watch(ep[0], ep[2]), ELOOP);
	MUST(watch(ep[0], fd));
	CHECK_EQ(epoll_wait(ep[LEVELS], &ev, 1, 0), 0);
	MUST(eventfd_write(fd, 1));
	CHECK_EQ(epoll_wait(ep[LEVELS], &ev, 1, 0), 1);
	/* A chain that was cut counts as two. */
	MUST(epoll_ctl(ep[2], EPOLL_CTL_DEL, ep[1], NULL));
	MUST(watch(ep[LEVELS + 1], ep[LEVELS]));
}

static void ways_from_a_file_to_instances_are_bounded_by_length(void)
{
	struct rlimit nofile = { FAN + 64, FAN + 64 };
	int fd = MUST(eventfd(0, 0));
	int inner = MUST(epoll_create1(0));
	int outer, other, last;

	MUST(setrlimit(RLIMIT_NOFILE, &nofile));
	MUST(watch(inner, fd));
	for (int i = 0; i < FAN; i++) {
		outer = MUST(epoll_create1(0));
		MUST(watch(outer, inner));
	}
	last = MUST(epoll_create1(0));
	CHECK_ERRNO(watch(last, inner), EINVAL);
	MUST(close(outer));
	MUST(watch(last, inner));
	/* Any number may watch the file itself. */
	outer = MUST(epoll_create1(0));
	MUST(watch(outer, fd));
	/* An instance that is watched gets no file that has as many ways already. */
	other = MUST(epoll_create1(0));
	MUST(watch(outer, other));
	CHECK_ERRNO(watch(other, fd), EINVAL);
}

static void a_web_of_instances_is_built_and_taken_down_in_no_time(void)
{
	static int web[LEVELS + 1][40];
	int fd = MUST(eventfd(0, 0));

	for (int l = 0; l <= LEVELS; l++)
		for (int i = 0; i < 40; i++)
			web[l][i] = MUST(epoll_create1(0));
	for (int l = 1; l <= LEVELS; l++)
		for (int i = 0; i < 40; i++)
			for (int k = 0; k < 40; k++)
				MUST(watch(web[l][i], web[l - 1][k]));
	CHECK_ERRNO(watch(web[0][0], fd), EINVAL);
	MUST(watch(web[LEVELS][0], fd));
	MUST(eventfd_write(fd, 1));
}

/* The signals of the process that called epoll_ctl() are what an instance sees, and it may outlive that process. */
static void a_watched_signalfd_outlives_the_process_it_was_watched_by(void)
{
	struct epoll_event ev;
	sigset_t set;
	int sfd;
	int ep = MUST(epoll_create1(0));

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sfd = MUST(signalfd(-1, &set, 0));
	for (int i = 0; i < 10; i++) {
		pid_t pid = t_fork();

		if (!pid)
			_exit(watch(ep, sfd) ? 1 : 0);
		t_wait_exit(pid, 0);
		pid = t_fork(); /* another in its place */
		if (!pid)
			_exit(0);
		t_wait_exit(pid, 0);
		CHECK_EQ(epoll_wait(ep, &ev, 1, 0), 0);
		MUST(epoll_ctl(ep, EPOLL_CTL_DEL, sfd, NULL));
	}
}

static void deep_directories_are_left_and_removed(void)
{
	int depth;

	for (depth = 0; depth < DEEP; depth++) {
		MUST(mkdir("d", 0755));
		MUST(chdir("d"));
	}
	/* All of it is held by the last name only. */
	for (; depth > 0; depth--) {
		MUST(chdir(".."));
		MUST(rmdir("d"));
	}
}

static void a_tree_whose_root_is_gone_is_let_go_by_the_last_descriptor(void)
{
	int fd = -1;

	for (int i = 0; i < DEEP; i++) {
		int next;

		MUST(mkdirat(fd < 0 ? AT_FDCWD : fd, "d", 0755));
		next = MUST(openat(fd < 0 ? AT_FDCWD : fd, "d", O_RDONLY | O_DIRECTORY));
		if (fd >= 0)
			MUST(close(fd));
		fd = next;
	}
	for (int i = 0; i < DEEP - 1; i++) {
		int up = MUST(openat(fd, "..", O_RDONLY | O_DIRECTORY));

		MUST(unlinkat(up, "d", AT_REMOVEDIR));
		MUST(close(fd));
		fd = up;
	}
	MUST(close(fd));
	MUST(rmdir("d"));
}

static void mounts_on_mounts_go_with_their_namespace(void)
{
	pid_t pid;

	t_need_cap(21); /* CAP_SYS_ADMIN */
	MUST(mkdir("m", 0755));
	pid = t_fork();
	if (!pid) {
		MUST(unshare(CLONE_NEWNS));
		MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		for (int i = 0; i < MOUNTS; i++) {
			MUST(mount("m", "m", "tmpfs", 0, NULL));
			MUST(chdir("m"));
			MUST(mkdir("m", 0755));
		}
		_exit(0);
	}
	t_wait_exit(pid, 0);
	MUST(rmdir("m"));
}

TEST_PROGRAM(nested, CASE(sockets_in_queues_of_sockets_are_released_by_one_close),
	     CASE(sockets_in_queues_of_sockets_are_released_by_exit),
	     CASE(four_levels_of_epoll_are_allowed_and_report),
	     CASE(ways_from_a_file_to_instances_are_bounded_by_length),
	     CASE(a_web_of_instances_is_built_and_taken_down_in_no_time),
	     CASE(a_watched_signalfd_outlives_the_process_it_was_watched_by),
	     CASE(deep_directories_are_left_and_removed),
	     CASE(a_tree_whose_root_is_gone_is_let_go_by_the_last_descriptor),
	     CASE(mounts_on_mounts_go_with_their_namespace));
