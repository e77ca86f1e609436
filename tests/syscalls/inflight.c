/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflight.c - descriptors in queues of AF_UNIX sockets: limits, depth, cycles, cost, two threads on one socket
 *
 * See       unix(7), "ETOOMANYREFS"
 */
#include "tests/lib/t.h"

#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Sends fd n times in one message. */
static ssize_t send_fds(int via, int fd, int n, int flags)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(250 * sizeof(int))];
	} u = { 0 };
	struct iovec iov = { (void *)"x", 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &u,
			    .msg_controllen = CMSG_SPACE(n * sizeof(int)) };

	u.h.cmsg_level = SOL_SOCKET;
	u.h.cmsg_type = SCM_RIGHTS;
	u.h.cmsg_len = CMSG_LEN(n * sizeof(int));
	for (int i = 0; i < n; i++)
		((int *)CMSG_DATA(&u.h))[i] = fd;
	return sendmsg(via, &m, flags | MSG_NOSIGNAL);
}

/* The descriptor of one message, or -1. */
static int recv_fd(int via, int flags)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} u = { 0 };
	char data;
	struct iovec iov = { &data, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)
	};
	int fd = -1;

	if (recvmsg(via, &m, flags) < 0)
		return -1;
	if (m.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(&u.h), sizeof(fd));
	return fd;
}

static void limit_files(rlim_t n)
{
	struct rlimit r = { n, n };

	MUST(setrlimit(RLIMIT_NOFILE, &r));
}

static void a_user_has_as_many_in_flight_as_he_may_have_open(void)
{
	int s[2], sent = 0, buf = 1 << 20;

	limit_files(64);
	t_become_user(54321);
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	(void)setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &buf, sizeof(buf));
	while (sent < 1000 && send_fds(s[0], 0, 1, MSG_DONTWAIT) == 1)
		sent++;
	CHECK_EQ(errno, ETOOMANYREFS);
	CHECK_EQ(sent, 65);
	/* Received ones count no more. */
	CHECK(recv_fd(s[1], 0) >= 0);
	CHECK_EQ(send_fds(s[0], 0, 1, MSG_DONTWAIT), 1);
	CHECK_ERRNO(send_fds(s[0], 0, 1, MSG_DONTWAIT), ETOOMANYREFS);
	MUST(close(s[0]));
	MUST(close(s[1]));
	/* Nor those whose queue has gone. */
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	for (int i = 0; i < 100 && send_fds(s[0], 0, 1, MSG_DONTWAIT) != 1; i++)
		usleep(10000);
	CHECK(recv_fd(s[1], MSG_DONTWAIT) >= 0);
}

/* s[1] lies in the queue of the next pair's second socket, and so on: one close frees them all. */
static int make_chain(int n, int type)
{
	int prev = -1, s[2];

	for (int i = 0; i < n; i++) {
		MUST(socketpair(AF_UNIX, type, 0, s));
		if (prev >= 0) {
			if (send_fds(s[0], prev, 1, 0) != 1)
				t_fail(__FILE__, __LINE__, "send");
			close(prev);
		}
		close(s[0]);
		prev = s[1];
	}
	return prev;
}

static void long_chains_of_sockets_in_sockets_can_be_closed(void)
{
	int end;

	if (geteuid())
		SKIP("as long as this only for root");
	end = make_chain(20000, SOCK_DGRAM);
	MUST(close(end));
	end = make_chain(2000, SOCK_STREAM);
	MUST(close(end));
	end = make_chain(2000, SOCK_SEQPACKET);
	_exit(0); /* by the exit of the process */
}

static void chains_are_freed_to_the_end(void)
{
	int p[2], s[2], end;
	char c;

	MUST(pipe(p));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_EQ(send_fds(s[0], p[1], 1, 0), 1);
	MUST(close(p[1]));
	end = s[1];
	MUST(close(s[0]));
	for (int i = 0; i < 200; i++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		CHECK_EQ(send_fds(s[0], end, 1, 0), 1);
		MUST(close(end));
		MUST(close(s[0]));
		end = s[1];
	}
	MUST(close(end));
	CHECK_EQ(read(p[0], &c, 1), 0);
}

/* Waits until the last writer of a pipe has gone, closing a socket now and then: that is what the collector runs by. */
static void wait_for_eof(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int s[2];

	for (int i = 0; i < 500; i++) {
		if (poll(&p, 1, 10) == 1 && p.revents & POLLHUP)
			return;
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		MUST(close(s[0]));
		MUST(close(s[1]));
	}
	t_fail(__FILE__, __LINE__, "the writing end was freed");
}

static void cycles_of_any_length_are_found(void)
{
	int p[2], s[40][2];

	for (int n = 1; n <= 40; n += 13) {
		MUST(pipe(p));
		for (int i = 0; i < n; i++)
			MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s[i]));
		CHECK_EQ(send_fds(s[0][0], p[1], 1, 0), 1);
		MUST(close(p[1]));
		for (int i = 0; i < n; i++)
			CHECK_EQ(send_fds(s[i][0], s[(i + 1) % n][1], 1, 0), 1);
		for (int i = 0; i < n; i++) {
			MUST(close(s[i][0]));
			MUST(close(s[i][1]));
		}
		wait_for_eof(p[0]);
		MUST(close(p[0]));
	}
}

static void a_cycle_through_a_backlog_is_found(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "l" };
	int p[2], l, c;

	MUST(pipe(p));
	l = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(l, (struct sockaddr *)&sun, sizeof(sun)));
	MUST(listen(l, 5));
	c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(connect(c, (struct sockaddr *)&sun, sizeof(sun)));
	CHECK_EQ(send_fds(c, l, 1, 0), 1);
	CHECK_EQ(send_fds(c, p[1], 1, 0), 1);
	MUST(close(p[1]));
	MUST(close(c));
	MUST(close(l));
	wait_for_eof(p[0]);
}

static void what_somebody_holds_is_not_collected(void)
{
	int a[2], b[2], got;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, b));
	/* b[1] in a[1], a[1] in b[1]; a[0] and one more of a[1] stay. */
	CHECK_EQ(send_fds(a[0], b[1], 1, 0), 1);
	CHECK_EQ(send_fds(b[0], a[1], 1, 0), 1);
	MUST(close(b[0]));
	MUST(close(b[1]));
	for (int i = 0; i < 50; i++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, b));
		MUST(close(b[0]));
		MUST(close(b[1]));
	}
	got = recv_fd(a[1], MSG_DONTWAIT);
	CHECK(got >= 0);
	CHECK(recv_fd(got, MSG_DONTWAIT) >= 0);
}

static void others_closes_cost_the_same_however_much_is_in_flight(void)
{
	int n = 1500, s[2], t[2], *keep;
	long long empty, full;

	if (geteuid())
		SKIP("root has as many in flight as he likes");
	limit_files(8192);
	empty = t_now_ms();
	for (int i = 0; i < 300; i++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		MUST(close(s[0]));
		MUST(close(s[1]));
	}
	empty = t_now_ms() - empty;
	keep = calloc((size_t)n, sizeof(*keep));
	for (int i = 0; i < n; i++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, t));
		CHECK_EQ(send_fds(s[0], t[0], 1, 0), 1);
		MUST(close(t[0]));
		MUST(close(t[1]));
	}
	full = t_now_ms();
	for (int i = 0; i < 300; i++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		MUST(close(s[0]));
		MUST(close(s[1]));
	}
	full = t_now_ms() - full;
	CHECK(full < 5 * empty + 500);
}

static int shared[2];
static volatile int stop;

static void *keep_sending(void *arg)
{
	while (!stop)
		(void)send_fds(shared[0], shared[1], 1, MSG_DONTWAIT);
	return NULL;
}

static void *keep_receiving(void *arg)
{
	while (!stop) {
		int fd = recv_fd(shared[1], MSG_DONTWAIT | (rand() & 1 ? MSG_PEEK : 0));

		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* Sockets that lie in their own queues, received, looked at and closed while others make the collector run. */
static void threads_send_receive_and_collect_at_once(void)
{
	pthread_t t[3];
	int p[2], s[2];
	long long end;

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, shared));
	CHECK(!pthread_create(&t[0], NULL, keep_sending, NULL));
	CHECK(!pthread_create(&t[1], NULL, keep_receiving, NULL));
	CHECK(!pthread_create(&t[2], NULL, keep_receiving, NULL));
	end = t_now_ms() + 700;
	while (t_now_ms() < end) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		CHECK_EQ(send_fds(s[0], s[1], 1, 0), 1);
		MUST(close(s[1]));
		MUST(close(s[0]));
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	while (recv(shared[1], p, 1, MSG_DONTWAIT) >= 0)
		;
	/* Still alive, both of them. */
	CHECK_EQ(send(shared[0], "x", 1, 0), 1);
	CHECK_EQ(recv(shared[1], p, 1, 0), 1);
}

static void *close_ends(void *arg)
{
	while (!stop) {
		int a = __atomic_exchange_n(&shared[0], -1, __ATOMIC_SEQ_CST);
		int b = __atomic_exchange_n(&shared[1], -1, __ATOMIC_SEQ_CST);

		if (a >= 0)
			close(a);
		if (b >= 0)
			close(b);
		usleep(100);
	}
	return NULL;
}

static void an_end_is_closed_under_senders_and_receivers(void)
{
	pthread_t t[3];
	long long end = t_now_ms() + 700;

	shared[0] = shared[1] = -1;
	CHECK(!pthread_create(&t[0], NULL, close_ends, NULL));
	CHECK(!pthread_create(&t[1], NULL, keep_sending, NULL));
	CHECK(!pthread_create(&t[2], NULL, keep_receiving, NULL));
	for (int i = 0; t_now_ms() < end; i++) {
		int s[2];

		MUST(socketpair(AF_UNIX, i & 1 ? SOCK_STREAM : SOCK_SEQPACKET, 0, s));
		close(__atomic_exchange_n(&shared[1], s[1], __ATOMIC_SEQ_CST));
		close(__atomic_exchange_n(&shared[0], s[0], __ATOMIC_SEQ_CST));
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
}

/* Linux looks for garbage when some socket ends; the sandbox may have no other. */
static void a_cycle_is_found_when_no_other_socket_is_closed(void)
{
	struct pollfd gone = { 0 };
	int s[2], ends[2], others[2];

	MUST(pipe(ends));
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	CHECK_EQ(send_fds(s[0], ends[1], 1, 0), 1);
	CHECK_EQ(send_fds(s[0], s[1], 1, 0), 1);
	CHECK_EQ(send_fds(s[0], s[0], 1, 0), 1);
	MUST(close(ends[1]));
	MUST(close(s[0]));
	MUST(close(s[1]));
	gone.fd = ends[0];
	if (access("/proc/monitor/missing_syscalls", F_OK)) {
		MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, others));
		MUST(close(others[0]));
		MUST(close(others[1]));
	}
	CHECK_EQ(poll(&gone, 1, 15000), 1);
	CHECK(gone.revents & POLLHUP);
}

TEST_PROGRAM(inflight, CASE(a_user_has_as_many_in_flight_as_he_may_have_open),
	     CASE(long_chains_of_sockets_in_sockets_can_be_closed),
	     CASE(chains_are_freed_to_the_end), CASE(cycles_of_any_length_are_found),
	     CASE(a_cycle_through_a_backlog_is_found),
	     CASE(a_cycle_is_found_when_no_other_socket_is_closed),
	     CASE(what_somebody_holds_is_not_collected),
	     CASE(others_closes_cost_the_same_however_much_is_in_flight),
	     CASE(threads_send_receive_and_collect_at_once),
	     CASE(an_end_is_closed_under_senders_and_receivers));
