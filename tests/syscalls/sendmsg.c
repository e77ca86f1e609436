/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendmsg.c - sendmsg, recvmsg, sendmmsg, recvmmsg: descriptors, credentials, flags
 *
 * See       unix(7), sendmsg(2)
 */
#include "tests/lib/t.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

union control {
	char buf[CMSG_SPACE(8 * sizeof(int))];
	struct cmsghdr align;
};

static void send_fds(int sock, const int *fds, int n)
{
	union control control = { 0 };
	struct iovec iov = { "f", 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	CHECK_EQ(sendmsg(sock, &msg, 0), 1);
}

/* Returns how many descriptors came. */
static int receive_fds(int sock, int *fds, int room, int flags, int *out_flags)
{
	union control control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = CMSG_LEN(room * sizeof(int)) };
	struct cmsghdr *c;
	int n;

	CHECK_EQ(recvmsg(sock, &msg, flags), 1);
	*out_flags = msg.msg_flags;
	c = CMSG_FIRSTHDR(&msg);
	if (!c)
		return 0;
	CHECK(c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS);
	n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return n;
}

static void a_descriptor_travels(void)
{
	char buf[8] = "";
	int sv[2], fd, got[8], flags;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	t_write_file("f", "sent");
	fd = MUST(open("f", O_RDONLY));
	send_fds(sv[0], &fd, 1);
	MUST(close(fd));
	CHECK_EQ(receive_fds(sv[1], got, 8, MSG_CMSG_CLOEXEC, &flags), 1);
	CHECK_EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(got[0], buf, 8), 4);
	CHECK(!strcmp(buf, "sent"));
}

static void too_little_room_truncates(void)
{
	int sv[2], fds[4], got[8], flags;

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	MUST(pipe(fds));
	MUST(pipe(fds + 2));
	send_fds(sv[0], fds, 4);
	CHECK_EQ(receive_fds(sv[1], got, 2, 0, &flags), 2);
	CHECK(flags & MSG_CTRUNC);
}

static void the_file_lives_in_flight(void)
{
	char byte;
	int sv[2], p[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	MUST(pipe(p));
	send_fds(sv[0], &p[1], 1);
	MUST(close(p[1]));
	MUST(fcntl(p[0], F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(read(p[0], &byte, 1), EAGAIN);
	MUST(close(sv[1]));
	CHECK_EQ(read(p[0], &byte, 1), 0);
}

static void a_cycle_of_sockets_can_be_closed(void)
{
	struct pollfd ended;
	int sv[2], p[2], both[3];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	MUST(pipe(p));
	ended = (struct pollfd){ p[0], 0, 0 };
	both[0] = sv[0];
	both[1] = sv[1];
	both[2] = p[1];
	send_fds(sv[0], both, 3);
	send_fds(sv[1], both, 3);
	MUST(close(sv[0]));
	MUST(close(sv[1]));
	MUST(close(p[1]));
	/* The collector may run late; another socket makes it run. */
	for (int i = 0; i < 50; i++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
		send_fds(sv[0], &sv[0], 1);
		MUST(close(sv[0]));
		MUST(close(sv[1]));
		poll(&ended, 1, 100);
		if (ended.revents & POLLHUP)
			return;
	}
	CHECK(!"collected");
}

static void a_descriptor_message_ends_a_stream_read(void)
{
	char buf[8];
	int sv[2], got[8], flags, fd = t_temp_fd();

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	CHECK_EQ(write(sv[0], "ab", 2), 2);
	send_fds(sv[0], &fd, 1);
	CHECK_EQ(write(sv[0], "cd", 2), 2);
	CHECK_EQ(read(sv[1], buf, 2), 2);
	CHECK_EQ(receive_fds(sv[1], got, 8, 0, &flags), 1);
	CHECK_EQ(read(sv[1], buf, 8), 2);
	send_fds(sv[0], &fd, 1);
	CHECK_EQ(write(sv[0], "cd", 2), 2);
	CHECK_EQ(read(sv[1], buf, 8), 1);
	CHECK_EQ(read(sv[1], buf, 8), 2);
}

static void credentials_are_filled_in(void)
{
	union control control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	struct ucred cred;
	int sv[2], on = 1;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	MUST(setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	CHECK_EQ(write(sv[0], "x", 1), 1);
	CHECK_EQ(recvmsg(sv[1], &msg, 0), 1);
	c = CMSG_FIRSTHDR(&msg);
	CHECK(c && c->cmsg_type == SCM_CREDENTIALS);
	memcpy(&cred, CMSG_DATA(c), sizeof(cred));
	CHECK_EQ(cred.pid, getpid());
	CHECK_EQ(cred.uid, 0);
}

static void forged_credentials_need_privilege(void)
{
	union control control = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = CMSG_SPACE(sizeof(struct ucred)) };
	struct ucred cred = { getpid(), 0, 0 };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int sv[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(cred));
	t_become_user(1000);
	memcpy(CMSG_DATA(c), &cred, sizeof(cred));
	CHECK_ERRNO(sendmsg(sv[0], &msg, 0), EPERM);
	cred.uid = cred.gid = 1000;
	memcpy(CMSG_DATA(c), &cred, sizeof(cred));
	CHECK_EQ(sendmsg(sv[0], &msg, 0), 1);
}

static void several_messages_in_one_call(void)
{
	char bufs[3][8];
	struct iovec out[3] = {
		{"a",    1},
		    { "bb",  2},
		 { "ccc", 3}
	};
	struct iovec in[3] = {
		{bufs[0],  8},
		{ bufs[1], 8},
		{ bufs[2], 8}
	};
	struct mmsghdr msgs[3];
	int sv[2];

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	memset(msgs, 0, sizeof(msgs));
	for (int i = 0; i < 3; i++) {
		msgs[i].msg_hdr.msg_iov = &out[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK_EQ(sendmmsg(sv[0], msgs, 3, 0), 3);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(msgs[i].msg_len, i + 1);
		msgs[i].msg_hdr.msg_iov = &in[i];
	}
	CHECK_EQ(recvmmsg(sv[1], msgs, 3, MSG_DONTWAIT, NULL), 3);
	CHECK_EQ(msgs[2].msg_len, 3);
	CHECK(!memcmp(bufs[2], "ccc", 3));
	CHECK_ERRNO(recvmmsg(sv[1], msgs, 3, MSG_DONTWAIT, NULL), EAGAIN);
	CHECK_ERRNO(sendmmsg(-1, msgs, 3, 0), EBADF);
}

static void wait_all_and_truncation(void)
{
	char buf[8];
	struct iovec iov = { buf, 2 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int sv[2];
	pid_t pid;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	pid = t_fork();
	if (pid == 0) {
		CHECK_EQ(write(sv[0], "12", 2), 2);
		CHECK_EQ(write(sv[0], "3456", 4), 4);
		_exit(0);
	}
	CHECK_EQ(recv(sv[1], buf, 6, MSG_WAITALL), 6);
	t_wait_exit(pid, 0);
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	CHECK_EQ(write(sv[0], "12345", 5), 5);
	CHECK_EQ(recvmsg(sv[1], &msg, 0), 2);
	CHECK(msg.msg_flags & MSG_TRUNC);
}

static void errors(void)
{
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 2000 };
	int sv[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	CHECK_ERRNO(sendmsg(sv[0], &msg, 0), EMSGSIZE);
	CHECK_ERRNO(syscall(SYS_sendmsg, sv[0], t_bad_ptr(), 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_recvmsg, sv[0], t_bad_ptr(), 0), EFAULT);
	CHECK_ERRNO(sendmsg(0x7ff, &msg, 0), EBADF);
}

TEST_PROGRAM(sendmsg, CASE(a_descriptor_travels), CASE(too_little_room_truncates),
	     CASE(the_file_lives_in_flight), CASE(a_cycle_of_sockets_can_be_closed),
	     CASE(a_descriptor_message_ends_a_stream_read), CASE(credentials_are_filled_in),
	     CASE(forged_credentials_need_privilege), CASE(several_messages_in_one_call),
	     CASE(wait_all_and_truncation), CASE(errors));
