/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendfile.c - sendfile, splice, tee, vmsplice, copy_file_range
 *
 * See       sendfile(2), splice(2), copy_file_range(2)
 */
#include "tests/lib/t.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static int file_with(const char *name, const char *text)
{
	t_write_file(name, text);
	return MUST(open(name, O_RDWR));
}

static void sendfile_between_files(void)
{
	char buf[16] = "";
	off_t off = 2;
	int in = file_with("in", "0123456789");
	int out = file_with("out", "");

	CHECK_EQ(sendfile(out, in, &off, 3), 3);
	CHECK_EQ(off, 5);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
	CHECK_EQ(sendfile(out, in, NULL, 100), 10);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 10);
	CHECK_EQ(t_read_file("out", buf, sizeof(buf)), 13);
	CHECK(!strcmp(buf, "2340123456789"));
	CHECK_EQ(sendfile(out, in, NULL, 100), 0);
}

static void sendfile_into_a_pipe(void)
{
	char buf[16];
	int fds[2];

	MUST(pipe(fds));
	CHECK_EQ(sendfile(fds[1], file_with("in", "hello"), NULL, 100), 5);
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), 5);
	CHECK(!memcmp(buf, "hello", 5));
}

static void sendfile_errors(void)
{
	int in = file_with("in", "x");
	int rd = MUST(open("in", O_RDONLY));
	int fds[2];
	off_t bad = -1;

	CHECK_ERRNO(sendfile(rd, in, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(in, -1, NULL, 1), EBADF);
	CHECK_ERRNO(sendfile(file_with("out", ""), in, &bad, 1), EINVAL);
	MUST(pipe(fds));
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_ERRNO(sendfile(file_with("out", ""), in, t_bad_ptr(), 1), EFAULT);
}

static void splice_from_file_to_pipe_and_back(void)
{
	char buf[16] = "";
	loff_t off = 1;
	int fds[2];
	int in = file_with("in", "abcdef");
	int out = file_with("out", "");

	MUST(pipe(fds));
	CHECK_EQ(splice(in, &off, fds[1], NULL, 4, 0), 4);
	CHECK_EQ(off, 5);
	CHECK_EQ(splice(fds[0], NULL, out, NULL, 100, 0), 4);
	CHECK_EQ(t_read_file("out", buf, sizeof(buf)), 4);
	CHECK(!strcmp(buf, "bcde"));
	CHECK_ERRNO(splice(in, NULL, out, NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(fds[0], NULL, out, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(splice(fds[0], &off, out, NULL, 1, 0), ESPIPE);
	MUST(close(fds[1]));
	CHECK_EQ(splice(fds[0], NULL, out, NULL, 1, 0), 0);
}

static void tee_copies_without_taking(void)
{
	char buf[8];
	int a[2], b[2];

	MUST(pipe(a));
	MUST(pipe(b));
	CHECK_EQ(write(a[1], "tea", 3), 3);
	CHECK_EQ(tee(a[0], b[1], 100, 0), 3);
	CHECK_EQ(read(a[0], buf, 8), 3);
	CHECK_EQ(read(b[0], buf, 8), 3);
	CHECK(!memcmp(buf, "tea", 3));
	CHECK_ERRNO(tee(a[0], a[1], 1, 0), EINVAL);
	CHECK_ERRNO(tee(a[0], t_temp_fd(), 1, 0), EINVAL);
}

static void vmsplice_takes_user_memory(void)
{
	struct iovec iov[2] = {
		{"user",	  4},
		       { "memory", 6}
	};
	char buf[16];
	int fds[2];

	MUST(pipe(fds));
	CHECK_EQ(vmsplice(fds[1], iov, 2, 0), 10);
	CHECK_EQ(read(fds[0], buf, sizeof(buf)), 10);
	CHECK(!memcmp(buf, "usermemory", 10));
	CHECK_ERRNO(vmsplice(t_temp_fd(), iov, 1, 0), EBADF);
}

static void copy_file_range_copies(void)
{
	char buf[16] = "";
	loff_t from = 1, to = 3;
	int in = file_with("in", "abcdef");
	int out = file_with("out", "");
	int rd = MUST(open("in", O_RDONLY));
	int fds[2];

	CHECK_EQ(copy_file_range(in, &from, out, &to, 3, 0), 3);
	CHECK_EQ(from, 4);
	CHECK_EQ(to, 6);
	CHECK_EQ(t_read_file("out", buf, sizeof(buf)), 6);
	CHECK(!memcmp(buf, "\0\0\0bcd", 6));
	CHECK_EQ(copy_file_range(in, NULL, out, NULL, 100, 0), 6);
	CHECK_EQ(copy_file_range(in, NULL, out, NULL, 100, 0), 0);
	CHECK_ERRNO(copy_file_range(in, NULL, rd, NULL, 1, 0), EBADF);
	CHECK_ERRNO(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL);
	from = 0;
	to = 1;
	CHECK_ERRNO(copy_file_range(in, &from, in, &to, 3, 0), EINVAL);
	MUST(pipe(fds));
	CHECK_ERRNO(copy_file_range(fds[0], NULL, out, NULL, 1, 0), EINVAL);
}

/* A connected socket that takes nothing more; its peer. */
static void full_socket(int pair[2])
{
	static char block[65536];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	while (write(pair[0], block, sizeof(block)) > 0)
		;
	CHECK_EQ(errno, EAGAIN);
}

static int pipe_ends[2];
static int stop;

static void *write_numbers(void *arg)
{
	static char block[3000];
	unsigned next = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		memcpy(block, &next, sizeof(next));
		if (write(pipe_ends[1], block, sizeof(block)) == sizeof(block))
			next++;
		else
			sched_yield();
	}
	return arg;
}

static void *splice_away(void *arg)
{
	int *sock = arg;

	for (int i = 0; i < 300; i++)
		CHECK_ERRNO(splice(pipe_ends[0], NULL, sock[0], NULL, 65536, SPLICE_F_NONBLOCK),
			    EAGAIN);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void what_a_target_refuses_stays_in_the_pipe_while_others_write(void)
{
	pthread_t writer, splicer;
	unsigned expected = 0, got;
	char block[3000];
	int pair[2];

	full_socket(pair);
	MUST(pipe2(pipe_ends, O_NONBLOCK));
	CHECK_EQ(pthread_create(&writer, NULL, write_numbers, NULL), 0);
	CHECK_EQ(pthread_create(&splicer, NULL, splice_away, pair), 0);
	CHECK_EQ(pthread_join(splicer, NULL), 0);
	CHECK_EQ(pthread_join(writer, NULL), 0);
	while (read(pipe_ends[0], block, sizeof(block)) == sizeof(block)) {
		memcpy(&got, block, sizeof(got));
		CHECK_EQ(got, expected++);
	}
	CHECK(expected <= 16);
}

static void a_source_is_not_read_when_the_pipe_is_full(void)
{
	static char block[65536];
	char buf[8];
	int pair[2], fds[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	CHECK_EQ(write(pair[0], "stays", 5), 5);
	MUST(pipe(fds));
	CHECK_EQ(write(fds[1], block, sizeof(block)), (long)sizeof(block));
	CHECK_ERRNO(splice(pair[1], NULL, fds[1], NULL, 5, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_EQ(read(pair[1], buf, sizeof(buf)), 5);
}

static void nonblocking_splice_does_not_wait_for_a_stream_socket(void)
{
	int pair[2], fds[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(pipe(fds));
	CHECK_ERRNO(splice(pair[1], NULL, fds[1], NULL, 5, SPLICE_F_NONBLOCK), EAGAIN);
}

static void a_packet_spliced_in_part_keeps_its_rest(void)
{
	char buf[8];
	int in[2], out[2];

	MUST(pipe2(in, O_DIRECT));
	MUST(pipe(out));
	CHECK_EQ(write(in[1], "packet", 6), 6);
	CHECK_EQ(splice(in[0], NULL, out[1], NULL, 2, 0), 2);
	CHECK_EQ(read(in[0], buf, sizeof(buf)), 4);
}

static void splice_refuses_what_has_no_data_to_move(void)
{
	int fds[2];
	int dir = MUST(open(".", O_RDONLY));

	int sources[] = { MUST(eventfd(1, 0)),
			  MUST(timerfd_create(CLOCK_MONOTONIC, 0)),
			  MUST(inotify_init()),
			  MUST(epoll_create1(0)),
			  MUST(open("/dev/null", O_RDWR)),
			  dir };

	MUST(pipe(fds));
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		CHECK_ERRNO(splice(sources[i], NULL, fds[1], NULL, 8, 0), EINVAL);
	CHECK_EQ(write(fds[1], "12345678", 8), 8);
	CHECK_ERRNO(splice(fds[0], NULL, sources[0], NULL, 8, 0), EINVAL);
	CHECK_ERRNO(splice(fds[0], NULL, MUST(open("/dev/full", O_WRONLY)), NULL, 8, 0), EINVAL);
	CHECK_EQ(splice(fds[0], NULL, sources[4], NULL, 8, 0), 8);
}

static void positions_that_do_not_add_up_are_refused(void)
{
	loff_t last = INT64_MAX - 3, off;
	int in = file_with("in", "0123456789");
	int fds[2];

	MUST(pipe(fds));
	off = last;
	CHECK_ERRNO(splice(in, &off, fds[1], NULL, 4, 0), EINVAL);
	off = -1;
	CHECK_ERRNO(splice(in, &off, fds[1], NULL, 4, 0), EINVAL);
	off = 0;
	CHECK_ERRNO(splice(in, &off, fds[1], NULL, SIZE_MAX, 0), EINVAL);
	CHECK_ERRNO(sendfile(file_with("out", ""), in, &off, SIZE_MAX), EINVAL);
	off = last;
	CHECK_ERRNO(sendfile(file_with("out", ""), in, &off, 4), EINVAL);
	off = last;
	CHECK_EQ(copy_file_range(in, &off, file_with("out", ""), NULL, 100, 0), 0);
}

static void vmsplice_fills_the_pipe_and_no_more(void)
{
	static char block[200000] __attribute__((aligned(4096)));
	struct iovec all = { block, sizeof(block) }, one = { block, 1 };
	int fds[2];

	MUST(pipe(fds));
	CHECK_EQ(vmsplice(fds[1], &all, 1, 0), 65536);
	CHECK_ERRNO(vmsplice(fds[1], &one, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_EQ(vmsplice(fds[0], &all, 1, SPLICE_F_NONBLOCK), 65536);
	CHECK_ERRNO(vmsplice(fds[0], &one, 1, SPLICE_F_NONBLOCK), EAGAIN);
	MUST(close(fds[0]));
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERRNO(vmsplice(fds[1], &one, 1, 0), EPIPE);
}

TEST_PROGRAM(sendfile, CASE(sendfile_between_files), CASE(sendfile_into_a_pipe),
	     CASE(sendfile_errors), CASE(splice_from_file_to_pipe_and_back),
	     CASE(tee_copies_without_taking), CASE(vmsplice_takes_user_memory),
	     CASE(copy_file_range_copies),
	     CASE(what_a_target_refuses_stays_in_the_pipe_while_others_write),
	     CASE(a_source_is_not_read_when_the_pipe_is_full),
	     CASE(nonblocking_splice_does_not_wait_for_a_stream_socket),
	     CASE(a_packet_spliced_in_part_keeps_its_rest),
	     CASE(splice_refuses_what_has_no_data_to_move),
	     CASE(positions_that_do_not_add_up_are_refused),
	     CASE(vmsplice_fills_the_pipe_and_no_more));
