/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nested.c - objects that hold objects, as deep as a program likes
 *
 * Rules     What was built is let go by one close: none of it may cost the kernel a call frame a level. Every case
 *           looks at the innermost object to see that it really went.
 * See       unix(7)
 */
#include "tests/lib/t.h"

#include <sys/socket.h>

#define SOCKETS 200

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

TEST_PROGRAM(nested, CASE(sockets_in_queues_of_sockets_are_released_by_one_close),
	     CASE(sockets_in_queues_of_sockets_are_released_by_exit));
