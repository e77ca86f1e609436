/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix_socket.c - AF_UNIX sockets: socket, bind, listen, accept, connect, names, data, shutdown
 *
 * See       unix(7), socket(2)
 */
#include "tests/lib/t.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un name_of(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strcpy(sun.sun_path, path);
	return sun;
}

static int listener(const char *path, int type)
{
	struct sockaddr_un sun = name_of(path);
	int fd = MUST(socket(AF_UNIX, type, 0));

	MUST(bind(fd, (struct sockaddr *)&sun, sizeof(sun)));
	if (type != SOCK_DGRAM)
		MUST(listen(fd, 5));
	return fd;
}

static int connected(const char *path, int type)
{
	struct sockaddr_un sun = name_of(path);
	int fd = MUST(socket(AF_UNIX, type, 0));

	MUST(connect(fd, (struct sockaddr *)&sun, sizeof(sun)));
	return fd;
}

static void a_pair_talks_both_ways(void)
{
	char buf[8];
	int sv[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	CHECK_EQ(write(sv[0], "ping", 4), 4);
	CHECK_EQ(read(sv[1], buf, 8), 4);
	CHECK_EQ(send(sv[1], "pong", 4, 0), 4);
	CHECK_EQ(recv(sv[0], buf, 8, MSG_PEEK), 4);
	CHECK_EQ(recv(sv[0], buf, 8, 0), 4);
	CHECK(!memcmp(buf, "pong", 4));
	MUST(close(sv[1]));
	CHECK_EQ(read(sv[0], buf, 8), 0);
	CHECK_ERRNO(send(sv[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

static void connect_and_accept_by_path(void)
{
	struct sockaddr_un peer;
	socklen_t len = sizeof(peer);
	char buf[8];
	struct stat st;
	int ls = listener("sock", SOCK_STREAM);
	int c = connected("sock", SOCK_STREAM);
	int s = MUST(accept(ls, (struct sockaddr *)&peer, &len));

	CHECK_EQ(len, 2);
	CHECK_EQ(peer.sun_family, AF_UNIX);
	CHECK_EQ(write(c, "hi", 2), 2);
	CHECK_EQ(read(s, buf, 8), 2);
	MUST(stat("sock", &st));
	CHECK(S_ISSOCK(st.st_mode));
	len = sizeof(peer);
	MUST(getpeername(c, (struct sockaddr *)&peer, &len));
	CHECK(!strcmp(peer.sun_path, "sock"));
	CHECK_EQ(len, 2 + 5);
	len = sizeof(peer);
	MUST(getsockname(s, (struct sockaddr *)&peer, &len));
	CHECK(!strcmp(peer.sun_path, "sock"));
	len = sizeof(peer);
	MUST(getsockname(c, (struct sockaddr *)&peer, &len));
	CHECK_EQ(len, 2);
}

static void abstract_names_leave_no_file(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = 2 + 1 + 20;
	int ls, c, dup_fd;

	snprintf(sun.sun_path + 1, 21, "abstract%012d", getpid());
	ls = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(ls, (struct sockaddr *)&sun, len));
	MUST(listen(ls, 1));
	c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(connect(c, (struct sockaddr *)&sun, len));
	dup_fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_ERRNO(bind(dup_fd, (struct sockaddr *)&sun, len), EADDRINUSE);
	CHECK_ERRNO(connect(dup_fd, (struct sockaddr *)&sun, len - 1), ECONNREFUSED);
	MUST(close(ls));
	MUST(bind(dup_fd, (struct sockaddr *)&sun, len));
}

static void autobind_makes_a_name(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sun);
	int fd = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));

	MUST(bind(fd, (struct sockaddr *)&sun, 2));
	MUST(getsockname(fd, (struct sockaddr *)&sun, &len));
	CHECK_EQ(len, 2 + 6);
	CHECK(sun.sun_path[0] == 0);
}

static void datagrams_keep_borders_and_senders(void)
{
	struct sockaddr_un from, to = name_of("server");
	socklen_t len = sizeof(from);
	char buf[16];
	int s = listener("server", SOCK_DGRAM);
	int c = listener("client", SOCK_DGRAM);

	CHECK_EQ(sendto(c, "one", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
	CHECK_EQ(sendto(c, "", 0, 0, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_EQ(sendto(c, "three", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	CHECK_EQ(recvfrom(s, buf, 16, 0, (struct sockaddr *)&from, &len), 3);
	CHECK(!strcmp(from.sun_path, "client"));
	CHECK_EQ(recv(s, buf, 16, 0), 0);
	CHECK_EQ(recv(s, buf, 2, MSG_TRUNC), 5);
	CHECK_ERRNO(recv(s, buf, 16, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(send(c, "x", 1, 0), ENOTCONN);
	MUST(connect(c, (struct sockaddr *)&to, sizeof(to)));
	CHECK_EQ(send(c, "x", 1, 0), 1);
	MUST(close(s));
	CHECK_ERRNO(send(c, "x", 1, 0), ECONNREFUSED);
}

static void seqpacket_keeps_borders_and_ends(void)
{
	char buf[16];
	int ls = listener("sock", SOCK_SEQPACKET);
	int c = connected("sock", SOCK_SEQPACKET);
	int s = MUST(accept4(ls, NULL, NULL, SOCK_CLOEXEC));

	CHECK_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(c, "abc", 3), 3);
	CHECK_EQ(write(c, "de", 2), 2);
	CHECK_EQ(read(s, buf, 16), 3);
	CHECK_EQ(read(s, buf, 16), 2);
	MUST(close(c));
	CHECK_EQ(read(s, buf, 16), 0);
}

static void shutdown_closes_directions(void)
{
	struct pollfd p;
	char buf[8];
	int sv[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	MUST(shutdown(sv[0], SHUT_WR));
	CHECK_EQ(read(sv[1], buf, 8), 0);
	CHECK_ERRNO(send(sv[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_EQ(write(sv[1], "back", 4), 4);
	CHECK_EQ(read(sv[0], buf, 8), 4);
	p = (struct pollfd){ sv[1], POLLIN | POLLRDHUP, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLRDHUP);
	MUST(shutdown(sv[0], SHUT_RD));
	CHECK_ERRNO(send(sv[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERRNO(shutdown(sv[0], 9), EINVAL);
}

static void a_full_buffer_is_eagain(void)
{
	static char block[8192];
	struct pollfd p;
	int sv[2], n = 0;

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv));
	while (write(sv[0], block, sizeof(block)) > 0 && n < 1000)
		n++;
	CHECK(n > 1 && n < 1000 && errno == EAGAIN);
	p = (struct pollfd){ sv[0], POLLOUT, 0 };
	CHECK_EQ(poll(&p, 1, 0), 0);
	while (read(sv[1], block, sizeof(block)) > 0)
		;
	CHECK_EQ(poll(&p, 1, 0), 1);
}

static void pending_bytes_are_counted(void)
{
	int sv[2], n;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	CHECK_EQ(write(sv[0], "12345", 5), 5);
	MUST(ioctl(sv[1], FIONREAD, &n));
	CHECK_EQ(n, 5);
}

static void blocked_accept_is_woken(void)
{
	int ls = listener("sock", SOCK_STREAM);
	pid_t pid = t_fork();

	if (pid == 0) {
		int c = connected("sock", SOCK_STREAM);

		_exit(write(c, "x", 1) != 1);
	}
	MUST(accept(ls, NULL, NULL));
	t_wait_exit(pid, 0);
}

static void errors(void)
{
	struct sockaddr_un sun = name_of("none");
	struct sockaddr *sa = (struct sockaddr *)&sun;
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	int other;

	CHECK_ERRNO(socket(AF_UNIX, 77, 0), EINVAL);
	CHECK_ERRNO(socket(999, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
	CHECK_ERRNO(connect(fd, sa, sizeof(sun)), ENOENT);
	t_write_file("none", "x");
	CHECK_ERRNO(connect(fd, sa, sizeof(sun)), ECONNREFUSED);
	CHECK_ERRNO(bind(fd, sa, sizeof(sun)), EADDRINUSE);
	CHECK_ERRNO(bind(fd, sa, 1), EINVAL);
	CHECK_ERRNO(bind(fd, sa, 500), EINVAL);
	CHECK_ERRNO(listen(fd, 1), EINVAL);
	CHECK_ERRNO(accept(fd, NULL, NULL), EINVAL);
	CHECK_ERRNO(bind(t_temp_fd(), sa, sizeof(sun)), ENOTSOCK);
	CHECK_ERRNO(send(fd, "x", 1, 0), ENOTCONN);
	CHECK_ERRNO(accept(-1, NULL, NULL), EBADF);
	listener("dgram", SOCK_DGRAM);
	sun = name_of("dgram");
	CHECK_ERRNO(connect(fd, sa, sizeof(sun)), EPROTOTYPE);
	other = listener("here", SOCK_STREAM);
	sun = name_of("fresh");
	CHECK_ERRNO(bind(other, sa, sizeof(sun)), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, t_bad_ptr()), EFAULT);
}

static void a_full_backlog_is_eagain(void)
{
	struct sockaddr_un sun = name_of("sock");
	int n, last = 0;

	listener("sock", SOCK_STREAM);
	for (n = 0; n < 20; n++) {
		int fd = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));

		last = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
		if (last < 0)
			break;
	}
	CHECK(last < 0 && errno == EAGAIN && n == 6);
}

TEST_PROGRAM(unix_socket, CASE(a_pair_talks_both_ways), CASE(connect_and_accept_by_path),
	     CASE(abstract_names_leave_no_file), CASE(autobind_makes_a_name),
	     CASE(datagrams_keep_borders_and_senders), CASE(seqpacket_keeps_borders_and_ends),
	     CASE(shutdown_closes_directions), CASE(a_full_buffer_is_eagain),
	     CASE(pending_bytes_are_counted), CASE(blocked_accept_is_woken), CASE(errors),
	     CASE(a_full_backlog_is_eagain));
