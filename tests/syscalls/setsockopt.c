/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setsockopt.c - setsockopt, getsockopt on AF_UNIX
 *
 * See       socket(7)
 */
#include "tests/lib/t.h"

#include <sys/socket.h>
#include <sys/time.h>

static int get(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	MUST(getsockopt(fd, SOL_SOCKET, option, &value, &len));
	CHECK_EQ(len, sizeof(value));
	return value;
}

static void facts_about_the_socket(void)
{
	int sv[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv));
	CHECK_EQ(get(sv[0], SO_TYPE), SOCK_SEQPACKET);
	CHECK_EQ(get(sv[0], SO_DOMAIN), AF_UNIX);
	CHECK_EQ(get(sv[0], SO_PROTOCOL), 0);
	CHECK_EQ(get(sv[0], SO_ERROR), 0);
	CHECK_EQ(get(sv[0], SO_ACCEPTCONN), 0);
	CHECK(get(sv[0], SO_SNDBUF) > 0);
	CHECK(get(sv[0], SO_RCVBUF) > 0);
}

static void peer_credentials(void)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int sv[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	MUST(getsockopt(sv[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	CHECK_EQ(cred.pid, getpid());
	CHECK_EQ(cred.uid, 0);
	CHECK_EQ(cred.gid, 0);
}

static void flags_can_be_switched(void)
{
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	int on = 1;

	CHECK_EQ(get(fd, SO_PASSCRED), 0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	CHECK_EQ(get(fd, SO_PASSCRED), 1);
	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	CHECK_EQ(get(fd, SO_REUSEADDR), 1);
}

static void receive_time_limit_is_eagain(void)
{
	struct timeval tv = { 0, 20000 };
	long long start;
	char byte;
	int sv[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	MUST(setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	start = t_now_ms();
	CHECK_ERRNO(read(sv[0], &byte, 1), EAGAIN);
	CHECK(t_now_ms() - start >= 15);
}

static void buffer_sizes_are_doubled(void)
{
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	int size = 10000;

	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	CHECK_EQ(get(fd, SO_SNDBUF), 20000);
}

static void errors(void)
{
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	int value = 1;
	socklen_t len = sizeof(value);

	CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, 9999, &value, &len), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, 9999, &value, len), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, 1), EINVAL);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, t_bad_ptr(), 4), EFAULT);
	CHECK_ERRNO(getsockopt(t_temp_fd(), SOL_SOCKET, SO_TYPE, &value, &len), ENOTSOCK);
	CHECK_ERRNO(getsockopt(-1, SOL_SOCKET, SO_TYPE, &value, &len), EBADF);
	CHECK_ERRNO(setsockopt(fd, 6 /* TCP */, 1, &value, len), EOPNOTSUPP);
}

TEST_PROGRAM(setsockopt, CASE(facts_about_the_socket), CASE(peer_credentials),
	     CASE(flags_can_be_switched), CASE(receive_time_limit_is_eagain),
	     CASE(buffer_sizes_are_doubled), CASE(errors));
