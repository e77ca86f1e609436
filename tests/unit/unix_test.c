// SPDX-License-Identifier: Apache-2.0
/* unix_test - net/: AF_UNIX sockets, descriptors in flight, failures of every allocation */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/pidref.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/sysctl.h"
#include "guestkernel/kapi/unix_path.h"
#include "guestkernel/uapi/fcntl.h"
#include "net/socket.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

/* No file system here: every path is refused. */
int unix_path_bind(const char *name, const struct file *f, struct path *out)
{
	return -EACCES;
}
int unix_path_lookup(const char *name, struct path *out)
{
	return -ENOENT;
}
struct inode *unix_path_inode(const struct path *p)
{
	return NULL;
}
void unix_path_put(struct path *p)
{
}

/* Nor texts under /proc. */
int sysctl_show(struct strbuf *sb, void *ctx)
{
	return 0;
}
int sysctl_store(const char *text, size_t n, void *ctx)
{
	return 0;
}
int sysctl_show_text(struct strbuf *sb, void *ctx)
{
	return 0;
}

/* Nor processes. */
struct pid *pidref_self(void)
{
	return NULL;
}
struct pid *pidref_get(struct pid *p)
{
	return p;
}
void pidref_put(struct pid *p)
{
}
bool pidref_exists(s32 nr)
{
	return false;
}
int pidref_open(struct pid *p, struct file **out)
{
	return -ESRCH;
}

/* Descriptors are only parsed and installed by scm.c's door to the application, which is not tested here. */
__attribute__((weak)) int fd_lookup_path(s32 fd, struct file **out)
{
	return -EBADF;
}
__attribute__((weak)) int fd_install(struct file *f, bool cloexec)
{
	return -EMFILE;
}

static struct file *end[2];

static void make_pair(u32 type)
{
	CHECK(sock_create_pair(AF_UNIX, type | SOCK_NONBLOCK, 0, end) == 0);
}

static void close_pair(void)
{
	file_put(end[0]);
	file_put(end[1]);
	CHECK(host_blocks_in_use() == 0);
}

static s64 send_fd(struct file *via, struct file *what, u32 flags)
{
	struct iov_cursor c;
	struct msg m = { .iov = &c, .flags = flags | MSG_NOSIGNAL };
	struct file *files[1] = { what };
	s64 n;

	iov_init_kernel(&c, "f", 1);
	m.scm.files = kmemdup(files, sizeof files);
	CHECK(m.scm.files);
	m.scm.nr_files = 1;
	file_get(what);
	n = sock_send(file_socket(via), &m, true);
	scm_fini(&m.scm);
	return n;
}

static s64 recv_flags(struct file *f, void *buf, size_t n, struct msg *m, u32 flags)
{
	struct iov_cursor c;
	s64 ret;

	*m = (struct msg){ .iov = &c, .flags = flags };
	iov_init_kernel(&c, buf, n);
	ret = sock_recv(file_socket(f), m, true);
	m->iov = NULL;
	return ret;
}

static struct sockaddr_buf abstract(const char *name)
{
	struct sockaddr_buf a = { .family = AF_UNIX };

	memcpy(a.un.sun_path + 1, name, strlen(name));
	a.len = (u32)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	return a;
}

TEST(a_stream_pair_carries_bytes_both_ways)
{
	char buf[16];

	make_pair(SOCK_STREAM);
	CHECK(host_read(end[0], buf, 8) == -EAGAIN);
	CHECK(host_write(end[0], "abc", 3) == 3 && host_write(end[0], "def", 3) == 3);
	CHECK(host_read(end[1], buf, 4) == 4 && memcmp(buf, "abcd", 4) == 0);
	CHECK(host_read(end[1], buf, 16) == 2 && memcmp(buf, "ef", 2) == 0);
	CHECK(host_write(end[1], "x", 1) == 1 && host_read(end[0], buf, 16) == 1);
	close_pair();
}

TEST(datagrams_keep_their_bounds_and_are_cut)
{
	struct msg m;
	char buf[16];

	make_pair(SOCK_DGRAM);
	CHECK(host_write(end[0], "abc", 3) == 3 && host_write(end[0], "", 0) == 0);
	CHECK(host_write(end[0], "defgh", 5) == 5);
	CHECK(recv_flags(end[1], buf, 16, &m, MSG_PEEK) == 3);
	CHECK(host_read(end[1], buf, 16) == 3 && memcmp(buf, "abc", 3) == 0);
	CHECK(recv_flags(end[1], buf, 16, &m, 0) == 0);
	CHECK(recv_flags(end[1], buf, 2, &m, MSG_TRUNC) == 5 && (m.out_flags & MSG_TRUNC));
	CHECK(host_read(end[1], buf, 16) == -EAGAIN);
	close_pair();
}

TEST(end_of_file_broken_pipe_and_reset)
{
	char buf[4];

	make_pair(SOCK_STREAM);
	CHECK(host_write(end[0], "ab", 2) == 2);
	CHECK(sock_shutdown(file_socket(end[0]), SHUT_WR) == 0);
	CHECK(host_read(end[1], buf, 4) == 2 && host_read(end[1], buf, 4) == 0);
	CHECK(host_write(end[0], "c", 1) == -EPIPE);
	CHECK(host_write(end[1], "d", 1) == 1);
	file_put(end[0]); /* with unread data */
	CHECK(host_write(end[1], "e", 1) == -EPIPE);
	CHECK(file_poll(end[1], NULL) & EPOLLERR);
	CHECK(sock_take_error(file_socket(end[1])) == -ECONNRESET);
	CHECK((file_poll(end[1], NULL) & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) ==
	      (EPOLLHUP | EPOLLRDHUP));
	file_put(end[1]);
	CHECK(host_blocks_in_use() == 0);
}

TEST(a_full_stream_says_so_and_becomes_writable_again)
{
	static char chunk[4096];
	u64 sent = 0, got = 0;
	s64 n;

	make_pair(SOCK_STREAM);
	while ((n = host_write(end[0], chunk, sizeof chunk)) > 0)
		sent += (u64)n;
	CHECK(n == -EAGAIN && sent > 100000 && !(file_poll(end[0], NULL) & EPOLLOUT));
	while ((n = host_read(end[1], chunk, sizeof chunk)) > 0)
		got += (u64)n;
	CHECK(got == sent && (file_poll(end[0], NULL) & EPOLLOUT));
	close_pair();
}

TEST(connections_by_abstract_name)
{
	struct sockaddr_buf a = abstract("name"), b;
	struct file *l, *c, *s, *other;
	struct socket *peer;
	char buf[4];

	CHECK(sock_create(AF_UNIX, SOCK_STREAM, 0, &l) == 0);
	CHECK(sock_create(AF_UNIX, SOCK_STREAM, 0, &c) == 0);
	CHECK(sock_create(AF_UNIX, SOCK_STREAM, 0, &other) == 0);
	CHECK(sock_connect(file_socket(c), &a, true) == -ECONNREFUSED);
	CHECK(sock_listen(file_socket(l), 1) == -EINVAL);
	CHECK(sock_bind(file_socket(l), &a) == 0);
	CHECK(sock_bind(file_socket(other), &a) == -EADDRINUSE);
	CHECK(sock_listen(file_socket(l), 0) == 0);
	CHECK(sock_accept(file_socket(l), true, 0, &s, &peer) == -EAGAIN);
	CHECK(sock_connect(file_socket(c), &a, true) == 0);
	CHECK(sock_connect(file_socket(other), &a, true) == -EAGAIN); /* backlog */
	CHECK(host_write(c, "hi", 2) == 2);			      /* before accept */
	CHECK(file_poll(l, NULL) & EPOLLIN);
	CHECK(sock_accept(file_socket(l), true, SOCK_NONBLOCK, &s, &peer) == 0);
	CHECK(host_read(s, buf, 4) == 2);
	CHECK(peer->ops->getname(peer, false, &b) == 0 && b.len == a.len);
	CHECK(sock_connect(file_socket(other), &a, true) == 0);
	file_put(l); /* resets what was not accepted */
	CHECK(sock_take_error(file_socket(other)) == -ECONNRESET);
	file_put(s);
	file_put(c);
	file_put(other);
	CHECK(host_blocks_in_use() == 0);
}

TEST(a_passed_descriptor_is_the_same_file)
{
	struct file *p[2], *got;
	struct msg m;
	char buf[8];

	make_pair(SOCK_STREAM);
	CHECK(sock_create_pair(AF_UNIX, SOCK_DGRAM, 0, p) == 0);
	CHECK(send_fd(end[0], p[0], 0) == 1 && host_write(end[0], "tail", 4) == 4);
	CHECK(recv_flags(end[1], buf, 8, &m, MSG_PEEK) == 1 && m.scm.nr_files == 1);
	scm_fini(&m.scm);
	CHECK(recv_flags(end[1], buf, 8, &m, 0) == 1); /* not past the descriptor */
	got = m.scm.files[0];
	CHECK(m.scm.nr_files == 1 && got == p[0] && refs_read(&got->refs) == 2);
	scm_fini(&m.scm);
	CHECK(send_fd(end[0], p[1], 0) == 1); /* never received */
	file_put(p[0]);
	file_put(p[1]);
	close_pair();
}

TEST(cycles_of_descriptors_are_collected)
{
	struct file *a[2], *b[2];

	/* A socket in its own queue: the next socket that is closed runs the collector, as in Linux. */
	make_pair(SOCK_STREAM);
	CHECK(send_fd(end[0], end[1], 0) == 1);
	file_put(end[0]);
	file_put(end[1]);
	CHECK(host_blocks_in_use() != 0);
	make_pair(SOCK_STREAM);
	close_pair();
	/* Two sockets in each other's, reachable from nowhere. */
	CHECK(sock_create_pair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, a) == 0);
	CHECK(sock_create_pair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, b) == 0);
	CHECK(send_fd(a[0], b[1], 0) == 1 && send_fd(b[0], a[1], 0) == 1);
	file_put(a[1]);
	file_put(b[1]);
	CHECK(host_blocks_in_use() != 0);
	file_put(a[0]);
	file_put(b[0]);
	CHECK(host_blocks_in_use() == 0);
}

TEST(what_somebody_can_still_receive_is_not_collected)
{
	struct file *a[2], *b[2];
	struct msg m, m2;
	char buf[4];

	CHECK(sock_create_pair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, a) == 0);
	CHECK(sock_create_pair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, b) == 0);
	CHECK(send_fd(b[0], b[1], 0) == 1); /* b[1] holds itself ... */
	CHECK(send_fd(a[0], b[1], 0) == 1); /* ... and lies in a[1], which we keep */
	file_put(b[1]);
	file_put(b[0]); /* runs the collector */
	CHECK(recv_flags(a[1], buf, 4, &m, 0) == 1 && m.scm.nr_files == 1);
	CHECK(recv_flags(m.scm.files[0], buf, 4, &m2, 0) == 1 && m2.scm.files[0] == m.scm.files[0]);
	scm_fini(&m2.scm);
	scm_fini(&m.scm);
	file_put(a[0]);
	file_put(a[1]);
	CHECK(host_blocks_in_use() == 0);
}

TEST(every_allocation_may_fail)
{
	FAIL_LOOP(n)
	{
		struct sockaddr_buf a = abstract("fail");
		struct file *l, *c;

		if (sock_create(AF_UNIX, SOCK_STREAM, 0, &l) == 0) {
			if (sock_create(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, &c) == 0) {
				if (sock_bind(file_socket(l), &a) == 0 &&
				    sock_listen(file_socket(l), 5) == 0 &&
				    sock_connect(file_socket(c), &a, true) == 0)
					(void)!host_write(c, "x", 1);
				file_put(c);
			}
			file_put(l);
		}
		CHECK(host_blocks_in_use() == 0);
		if (!fail_happened())
			break;
	}
	fail_at(0);
}

static void echo(void *arg)
{
	struct file *f = arg;
	char buf[777];
	s64 n;

	while ((n = host_read(f, buf, sizeof buf)) > 0)
		for (s64 done = 0; done < n;)
			done += host_write(f, buf + done, (size_t)(n - done));
}

/* Sleeping both ways: more in flight than the buffers hold. */
TEST(threads_sleep_for_data_and_room)
{
	static u8 out[1 << 20], in[sizeof out];
	struct test_thread *t;
	struct iov_cursor c;
	u64 seed = 1, got = 0, sent = 0;
	s64 n;

	CHECK(sock_create_pair(AF_UNIX, SOCK_STREAM, 0, end) == 0);
	for (u32 i = 0; i < sizeof out; i++)
		out[i] = (u8)test_rand(&seed);
	t = test_thread_start(echo, end[1]);
	while (got < sizeof in) {
		u64 room = MIN(sizeof out - sent, (u64)50000);

		if (room) {
			n = host_write(end[0], out + sent, room);
			CHECK(n > 0);
			sent += (u64)n;
		}
		while (got < sent) {
			n = host_read(end[0], in + got, sent - got);
			CHECK(n > 0);
			got += (u64)n;
		}
	}
	CHECK(memcmp(in, out, sizeof in) == 0);
	(void)c;
	CHECK(sock_shutdown(file_socket(end[0]), SHUT_RDWR) == 0);
	test_thread_join(t);
	close_pair();
}
