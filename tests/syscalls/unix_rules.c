/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix_rules.c - AF_UNIX sockets: who sent what, urgent bytes, peeking, room, names
 *
 * See       unix(7), socket(7), recv(2)
 */
#include "tests/lib/t.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/sockios.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static int pair[2];

static void make_pair(int type)
{
	MUST(socketpair(AF_UNIX, type, 0, pair));
}

static void pass_cred(int fd, int on)
{
	MUST(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
}

/* recvmsg() of at most n bytes; the credentials that came along, or pid -1. */
static ssize_t recv_cred(int fd, char *buf, size_t n, struct ucred *cred, int flags)
{
	char control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec iov = { buf, n };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(fd, &m, flags);
	struct cmsghdr *h;

	cred->pid = -1;
	h = got >= 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (h && h->cmsg_type == SCM_CREDENTIALS)
		memcpy(cred, CMSG_DATA(h), sizeof(*cred));
	return got;
}

static ssize_t send_cred(int fd, const struct ucred *cred)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] = { 0 };
	struct iovec iov = { (void *)"c", 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_CREDENTIALS;
	h->cmsg_len = CMSG_LEN(sizeof(*cred));
	memcpy(CMSG_DATA(h), cred, sizeof(*cred));
	return sendmsg(fd, &m, 0);
}

static ssize_t send_fd(int via, int fd, const char *data)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)data, strlen(data) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	return sendmsg(via, &m, 0);
}

static void what_was_sent_before_anybody_asked_comes_from_nobody(void)
{
	struct ucred c;
	char buf[8];

	for (int i = 0; i < 2; i++) {
		make_pair(i ? SOCK_DGRAM : SOCK_STREAM);
		CHECK_EQ(send(pair[0], "a", 1, 0), 1);
		pass_cred(pair[1], 1);
		CHECK_EQ(send(pair[0], "b", 1, 0), 1);
		/* Two senders, as far as the reader can tell: the read stops between them. */
		CHECK_EQ(recv_cred(pair[1], buf, 8, &c, 0), 1);
		CHECK_EQ(c.pid, 0);
		CHECK_EQ(c.uid, 65534);
		CHECK_EQ(c.gid, 65534);
		CHECK_EQ(recv_cred(pair[1], buf, 8, &c, 0), 1);
		CHECK_EQ(c.pid, getpid());
		CHECK_EQ(c.uid, getuid());
	}
}

static void a_sender_who_passes_credentials_is_known_to_a_late_asker(void)
{
	struct ucred c;
	char buf[8];

	make_pair(SOCK_STREAM);
	pass_cred(pair[0], 1);
	CHECK_EQ(send(pair[0], "a", 1, 0), 1);
	pass_cred(pair[1], 1);
	CHECK_EQ(recv_cred(pair[1], buf, 8, &c, 0), 1);
	CHECK_EQ(c.pid, getpid());
}

static void reads_do_not_join_data_of_two_senders(void)
{
	struct ucred c;
	char buf[8];
	pid_t pid;

	make_pair(SOCK_STREAM);
	pass_cred(pair[1], 1);
	pid = t_fork();
	if (!pid) {
		CHECK_EQ(send(pair[0], "child", 5, 0), 5);
		_exit(0);
	}
	t_wait_exit(pid, 0);
	CHECK_EQ(send(pair[0], "p", 1, 0), 1);
	CHECK_EQ(recv_cred(pair[1], buf, 8, &c, 0), 5);
	CHECK_EQ(c.pid, pid);
	CHECK_EQ(recv(pair[1], buf, 8, 0), 1);
}

static void credentials_of_a_process_that_is_not_there_are_esrch(void)
{
	struct ucred c = { .pid = 0x3ffffe, .uid = getuid(), .gid = getgid() };

	t_need_cap(21); /* CAP_SYS_ADMIN: another's pid may be claimed */
	make_pair(SOCK_STREAM);
	CHECK_ERRNO(send_cred(pair[0], &c), ESRCH);
	c.pid = getpid();
	CHECK_EQ(send_cred(pair[0], &c), 1);
}

static void packets_never_say_end_of_record(void)
{
	char buf[8];
	struct iovec iov = { buf, 8 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	make_pair(SOCK_SEQPACKET);
	CHECK_EQ(send(pair[0], "abc", 3, MSG_EOR), 3);
	CHECK_EQ(recvmsg(pair[1], &m, 0), 3);
	CHECK_EQ(m.msg_flags, 0);
}

static void *send_more(void *arg)
{
	char buf[2048] = { 0 };

	return (void *)(long)send((int)(long)arg, buf, sizeof(buf), 0);
}

static void a_larger_buffer_wakes_a_blocked_sender(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	char buf[2048] = { 0 };

	for (int i = 0; i < 3; i++) {
		int small = 4096, big = 100000;
		pthread_t t;
		void *ret;

		make_pair(types[i]);
		MUST(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)));
		while (send(pair[0], buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
		CHECK_EQ(errno, EAGAIN);
		CHECK(!pthread_create(&t, NULL, send_more, (void *)(long)pair[0]));
		usleep(30000);
		MUST(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big)));
		pthread_join(t, &ret);
		CHECK_EQ((long)ret, sizeof(buf));
	}
}

static void partners_are_bounded_by_bytes_and_strangers_by_messages(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "d" };
	int to, from, n = 0;

	make_pair(SOCK_DGRAM);
	while (send(pair[0], "x", 1, MSG_DONTWAIT) == 1)
		n++;
	CHECK(n > 50);
	to = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	MUST(bind(to, (struct sockaddr *)&sun, sizeof(sun)));
	from = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	for (n = 0; sendto(from, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&sun, sizeof(sun)) == 1;
	     n++)
		;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n < 600);
}

static const char *const box[2] = { "x", "y" };

static void *send_to_box(void *arg)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	long i = (long)arg;

	strcpy(sun.sun_path, box[i]);
	return (void *)(long)sendto(pair[0], "m", 1, 0, (struct sockaddr *)&sun, sizeof(sun));
}

/* Each waits for its own receiver, though both send through one socket. */
static void two_threads_wait_for_room_at_two_receivers(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	pthread_t t[2];
	int to[2];
	char c;

	pair[0] = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	for (int i = 0; i < 2; i++) {
		to[i] = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
		strcpy(sun.sun_path, box[i]);
		MUST(bind(to[i], (struct sockaddr *)&sun, sizeof(sun)));
		while (sendto(pair[0], "m", 1, MSG_DONTWAIT, (struct sockaddr *)&sun,
			      sizeof(sun)) == 1)
			;
	}
	for (long round = 0; round < 50; round++) {
		for (long i = 0; i < 2; i++)
			CHECK(!pthread_create(&t[i], NULL, send_to_box, (void *)i));
		if (round % 2)
			usleep(500);
		for (int i = 0; i < 2; i++) {
			void *ret;

			CHECK_EQ(recv(to[i], &c, 1, 0), 1);
			pthread_join(t[i], &ret);
			CHECK_EQ((long)ret, 1);
		}
	}
}

static void *send_as_partner(void *arg)
{
	long ret = send(pair[0], "m", 1, MSG_NOSIGNAL);

	return (void *)(ret < 0 ? -(long)errno : ret);
}

static void a_partner_that_turns_away_wakes_who_waits_for_it(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "other" };
	pthread_t t;
	void *ret;
	int other = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));

	MUST(bind(other, (struct sockaddr *)&sun, sizeof(sun)));
	make_pair(SOCK_DGRAM);
	while (send(pair[0], "m", 1, MSG_DONTWAIT) == 1)
		;
	CHECK(!pthread_create(&t, NULL, send_as_partner, NULL));
	usleep(30000);
	MUST(connect(pair[1], (struct sockaddr *)&sun, sizeof(sun)));
	pthread_join(t, &ret);
	CHECK((long)ret < 0);
}

static void reading_nothing_waits_for_something(void)
{
	char buf[8];

	make_pair(SOCK_STREAM);
	CHECK_EQ(read(pair[1], buf, 0), 0);
	CHECK_ERRNO(recv(pair[1], buf, 0, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send(pair[0], "a", 1, 0), 1);
	CHECK_EQ(recv(pair[1], buf, 0, MSG_DONTWAIT), 0);
	CHECK_EQ(recv(pair[1], buf, 8, 0), 1);
	make_pair(SOCK_DGRAM);
	CHECK_ERRNO(recv(pair[1], buf, 0, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send(pair[0], "abc", 3, 0), 3);
	CHECK_EQ(recv(pair[1], buf, 0, 0), 0);
	CHECK_ERRNO(recv(pair[1], buf, 8, MSG_DONTWAIT), EAGAIN);
}

static void a_sender_without_name_has_an_address_of_no_length(void)
{
	struct sockaddr_un sun;
	socklen_t len;
	char buf[8];

	for (int i = 0; i < 2; i++) {
		make_pair(i ? SOCK_DGRAM : SOCK_STREAM);
		CHECK_EQ(send(pair[0], "a", 1, 0), 1);
		len = sizeof(sun);
		CHECK_EQ(recvfrom(pair[1], buf, 8, 0, (struct sockaddr *)&sun, &len), 1);
		CHECK_EQ(len, 0);
		len = sizeof(sun);
		MUST(getpeername(pair[1], (struct sockaddr *)&sun, &len));
		CHECK_EQ(len, 2);
	}
}

static void an_address_matters_to_streams_and_not_to_packets(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "nobody" };
	char buf[8];
	int fd;

	make_pair(SOCK_SEQPACKET);
	CHECK_EQ(sendto(pair[0], "a", 1, 0, (struct sockaddr *)&sun, sizeof(sun)), 1);
	CHECK_EQ(recv(pair[1], buf, 8, 0), 1);
	make_pair(SOCK_STREAM);
	CHECK_ERRNO(sendto(pair[0], "a", 1, 0, (struct sockaddr *)&sun, sizeof(sun)), EISCONN);
	fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_ERRNO(sendto(fd, "a", 1, 0, (struct sockaddr *)&sun, sizeof(sun)), EOPNOTSUPP);
	fd = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	CHECK_ERRNO(sendto(fd, "a", 1, 0, (struct sockaddr *)&sun, sizeof(sun)), ENOTCONN);
}

static int at_mark(int fd)
{
	int mark = -1;

	MUST(ioctl(fd, SIOCATMARK, &mark));
	return mark;
}

static void an_urgent_byte_is_read_beside_the_stream(void)
{
	struct pollfd p;
	char buf[8];

	make_pair(SOCK_STREAM);
	CHECK_EQ(send(pair[0], "abc!", 4, MSG_OOB), 4);
	CHECK_EQ(send(pair[0], "def", 3, 0), 3);
	p = (struct pollfd){ pair[1], POLLPRI | POLLIN, 0 };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLPRI | POLLIN);
	CHECK_EQ(at_mark(pair[1]), 0);
	CHECK_EQ(recv(pair[1], buf, 8, MSG_OOB | MSG_PEEK), 1);
	CHECK_EQ(recv(pair[1], buf, 8, MSG_OOB), 1);
	CHECK_EQ(buf[0], '!');
	CHECK_ERRNO(recv(pair[1], buf, 8, MSG_OOB), EINVAL);
	/* The mark stays: a read stops there. */
	CHECK_EQ(recv(pair[1], buf, 8, 0), 3);
	CHECK(!memcmp(buf, "abc", 3));
	CHECK_EQ(at_mark(pair[1]), 1);
	CHECK_EQ(recv(pair[1], buf, 8, 0), 3);
	CHECK(!memcmp(buf, "def", 3));
	CHECK_EQ(at_mark(pair[1]), 0);
}

static void an_urgent_byte_nobody_asks_for_is_left_out(void)
{
	char buf[8];

	make_pair(SOCK_STREAM);
	CHECK_EQ(send(pair[0], "ab!", 3, MSG_OOB), 3);
	CHECK_EQ(send(pair[0], "cd", 2, 0), 2);
	CHECK_EQ(recv(pair[1], buf, 8, MSG_PEEK), 2);
	CHECK_EQ(recv(pair[1], buf, 8, 0), 2);
	CHECK_EQ(at_mark(pair[1]), 1);
	CHECK_EQ(recv(pair[1], buf, 8, 0), 2);
	CHECK(!memcmp(buf, "cd", 2));
	CHECK_ERRNO(recv(pair[1], buf, 8, MSG_OOB), EINVAL);
}

static void an_urgent_byte_can_be_in_line(void)
{
	int on = 1;
	char buf[8];

	make_pair(SOCK_STREAM);
	MUST(setsockopt(pair[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)));
	CHECK_EQ(send(pair[0], "ab!", 3, MSG_OOB), 3);
	CHECK_EQ(send(pair[0], "cd", 2, 0), 2);
	CHECK_ERRNO(recv(pair[1], buf, 8, MSG_OOB), EINVAL);
	CHECK_EQ(recv(pair[1], buf, 8, 0), 2);
	CHECK_EQ(at_mark(pair[1]), 1);
	CHECK_EQ(recv(pair[1], buf, 8, 0), 3);
	CHECK(!memcmp(buf, "!cd", 3));
}

static volatile sig_atomic_t urgent;

static void on_urgent(int sig)
{
	urgent++;
}

static void an_urgent_byte_signals_the_owner(void)
{
	make_pair(SOCK_STREAM);
	t_handle(SIGURG, on_urgent, 0);
	CHECK_EQ(send(pair[0], "!", 1, MSG_OOB), 1);
	CHECK_EQ(urgent, 0);
	MUST(fcntl(pair[1], F_SETOWN, getpid()));
	CHECK_EQ(send(pair[0], "!", 1, MSG_OOB), 1);
	CHECK_EQ(urgent, 1);
	CHECK_ERRNO(send(pair[0], "", 0, MSG_OOB), EOPNOTSUPP);
	make_pair(SOCK_DGRAM);
	CHECK_ERRNO(send(pair[0], "!", 1, MSG_OOB), EOPNOTSUPP);
	CHECK_ERRNO(recv(pair[0], urgent ? (char[1]){ 0 } : NULL, 1, MSG_OOB | MSG_DONTWAIT),
		    EOPNOTSUPP);
}

static int peek_off(int fd)
{
	socklen_t len = sizeof(int);
	int off = -2;

	MUST(getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &off, &len));
	return off;
}

static void peeking_moves_on_when_asked_to(void)
{
	int off = 0;
	char buf[8];

	make_pair(SOCK_STREAM);
	CHECK_EQ(peek_off(pair[1]), -1);
	MUST(setsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)));
	CHECK_EQ(send(pair[0], "abcd", 4, 0), 4);
	CHECK_EQ(send(pair[0], "efgh", 4, 0), 4);
	CHECK_EQ(recv(pair[1], buf, 3, MSG_PEEK), 3);
	CHECK_EQ(peek_off(pair[1]), 3);
	CHECK_EQ(recv(pair[1], buf, 3, MSG_PEEK), 3);
	CHECK(!memcmp(buf, "def", 3));
	CHECK_EQ(recv(pair[1], buf, 2, 0), 2);
	CHECK_EQ(peek_off(pair[1]), 4);
	CHECK_EQ(recv(pair[1], buf, 8, MSG_PEEK), 2);
	CHECK(!memcmp(buf, "gh", 2));
	CHECK_ERRNO(recv(pair[1], buf, 8, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	make_pair(SOCK_DGRAM);
	MUST(setsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)));
	CHECK_EQ(send(pair[0], "abcd", 4, 0), 4);
	CHECK_EQ(send(pair[0], "xy", 2, 0), 2);
	CHECK_EQ(recv(pair[1], buf, 3, MSG_PEEK), 3);
	CHECK_EQ(recv(pair[1], buf, 8, MSG_PEEK), 1);
	CHECK_EQ(buf[0], 'd');
	CHECK_EQ(recv(pair[1], buf, 8, MSG_PEEK), 2);
	CHECK_EQ(buf[0], 'x');
	CHECK_EQ(recv(pair[1], buf, 8, 0), 4);
	CHECK_EQ(peek_off(pair[1]), 2);
}

static void the_other_end_has_a_pidfd(void)
{
	socklen_t len = sizeof(int);
	struct pollfd p;
	int fd = -1;
	pid_t pid;

	make_pair(SOCK_STREAM);
	if (getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, &fd, &len) < 0 && errno == ENOPROTOOPT)
		SKIP("no SO_PEERPIDFD");
	CHECK(fd >= 0);
	CHECK_EQ(MUST(fcntl(fd, F_GETFD)), FD_CLOEXEC);
	pid = t_fork();
	if (!pid) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		len = sizeof(int);
		CHECK(!getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, &fd, &len));
		p = (struct pollfd){ fd, POLLIN, 0 };
		CHECK_EQ(poll(&p, 1, 0), 0); /* myself: alive */
		_exit(0);
	}
	t_wait_exit(pid, 0);
	fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &fd, &len), ENODATA);
}

static void a_read_ends_with_the_descriptors_it_brings(void)
{
	char control[CMSG_SPACE(sizeof(int))], buf[8];
	struct iovec iov = { buf, 8 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	make_pair(SOCK_STREAM);
	CHECK_EQ(send(pair[0], "a", 1, 0), 1);
	CHECK_EQ(send_fd(pair[0], 0, "b"), 1);
	CHECK_EQ(send(pair[0], "c", 1, 0), 1);
	CHECK_EQ(recvmsg(pair[1], &m, 0), 2);
	CHECK(!memcmp(buf, "ab", 2));
	CHECK_EQ(m.msg_controllen, CMSG_SPACE(sizeof(int)));
	CHECK_EQ(recv(pair[1], buf, 8, 0), 1);
}

static void a_bound_name_has_the_mode_of_the_socket(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "s" };
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	struct stat st, named;

	umask(022);
	MUST(fstat(fd, &st));
	CHECK_EQ(st.st_mode, S_IFSOCK | 0777);
	CHECK_EQ(st.st_size, 0);
	CHECK_EQ(st.st_nlink, 1);
	MUST(fchmod(fd, 0750));
	MUST(fchown(fd, getuid(), getgid()));
	MUST(bind(fd, (struct sockaddr *)&sun, sizeof(sun)));
	MUST(stat("s", &named));
	CHECK_EQ(named.st_mode, S_IFSOCK | 0750);
	MUST(fstat(fd, &st));
	CHECK(st.st_ino != named.st_ino && st.st_dev != named.st_dev);
}

static void a_low_water_mark_holds_reads_back(void)
{
	int low = 4;
	char buf[8];
	pid_t pid;

	make_pair(SOCK_STREAM);
	MUST(setsockopt(pair[1], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)));
	CHECK_EQ(send(pair[0], "ab", 2, 0), 2);
	CHECK_EQ(recv(pair[1], buf, 8, MSG_DONTWAIT), 2);
	CHECK_EQ(send(pair[0], "ab", 2, 0), 2);
	pid = t_fork();
	if (!pid) {
		usleep(20000);
		CHECK_EQ(send(pair[0], "cd", 2, 0), 2);
		_exit(0);
	}
	CHECK_EQ(recv(pair[1], buf, 8, 0), 4);
	t_wait_exit(pid, 0);
}

TEST_PROGRAM(unix_rules, CASE(what_was_sent_before_anybody_asked_comes_from_nobody),
	     CASE(a_sender_who_passes_credentials_is_known_to_a_late_asker),
	     CASE(reads_do_not_join_data_of_two_senders),
	     CASE(credentials_of_a_process_that_is_not_there_are_esrch),
	     CASE(packets_never_say_end_of_record), CASE(a_larger_buffer_wakes_a_blocked_sender),
	     CASE(partners_are_bounded_by_bytes_and_strangers_by_messages),
	     CASE(two_threads_wait_for_room_at_two_receivers),
	     CASE(a_partner_that_turns_away_wakes_who_waits_for_it),
	     CASE(reading_nothing_waits_for_something),
	     CASE(a_sender_without_name_has_an_address_of_no_length),
	     CASE(an_address_matters_to_streams_and_not_to_packets),
	     CASE(an_urgent_byte_is_read_beside_the_stream),
	     CASE(an_urgent_byte_nobody_asks_for_is_left_out), CASE(an_urgent_byte_can_be_in_line),
	     CASE(an_urgent_byte_signals_the_owner), CASE(peeking_moves_on_when_asked_to),
	     CASE(the_other_end_has_a_pidfd), CASE(a_read_ends_with_the_descriptors_it_brings),
	     CASE(a_bound_name_has_the_mode_of_the_socket),
	     CASE(a_low_water_mark_holds_reads_back));
