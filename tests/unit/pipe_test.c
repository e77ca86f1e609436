// SPDX-License-Identifier: Apache-2.0
/* pipe_test - fs/pipe.c, with threads */
#include "fs/pipe.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/fcntl.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

static struct file *rd, *wr;

static void make(u32 flags)
{
	CHECK(pipe_create(flags, &rd, &wr) == 0);
}

static void check_nothing_left(void)
{
	file_put(rd);
	file_put(wr);
	CHECK(host_blocks_in_use() == 0);
	CHECK(host_pages_in_use() == 0);
}

TEST(bytes_come_out_in_order_and_small_writes_share_pages)
{
	char buf[64];

	make(O_NONBLOCK);
	CHECK(host_read(rd, buf, sizeof buf) == -EAGAIN);
	CHECK(host_write(wr, "abc", 3) == 3 && host_write(wr, "defg", 4) == 4);
	CHECK(host_pages_in_use() == 1);
	CHECK(host_read(rd, buf, 5) == 5 && memcmp(buf, "abcde", 5) == 0);
	CHECK(host_read(rd, buf, sizeof buf) == 2 && memcmp(buf, "fg", 2) == 0);
	CHECK(host_read(rd, buf, 0) == 0);
	CHECK(host_read(wr, buf, 1) == -EBADF && host_write(rd, buf, 1) == -EBADF);
	check_nothing_left();
}

TEST(a_full_pipe_holds_64_KiB_and_small_writes_are_all_or_nothing)
{
	static char buf[70000];
	s64 n;

	make(O_NONBLOCK);
	CHECK(host_write(wr, buf, sizeof buf) == 65536);
	CHECK(host_write(wr, buf, 1) == -EAGAIN);
	CHECK(!(file_poll(wr, NULL) & EPOLLOUT) && (file_poll(rd, NULL) & EPOLLIN));
	CHECK(host_read(rd, buf, 4095) == 4095);
	CHECK(host_write(wr, buf, 4096) == -EAGAIN);
	CHECK(host_read(rd, buf, 1) == 1);
	CHECK(host_write(wr, buf, 4096) == 4096);
	n = host_read(rd, buf, sizeof buf);
	CHECK(n == 65536);
	check_nothing_left();
}

TEST(the_last_writer_leaves_an_end_of_file_and_the_last_reader_epipe)
{
	struct file *r2, *w2;
	char c;

	make(0);
	CHECK(host_write(wr, "x", 1) == 1);
	file_put(wr);
	CHECK(file_poll(rd, NULL) & EPOLLHUP);
	CHECK(host_read(rd, &c, 1) == 1 && host_read(rd, &c, 1) == 0);
	file_put(rd);
	CHECK(pipe_create(0, &r2, &w2) == 0);
	file_put(r2);
	CHECK(host_write(w2, "x", 1) == -EPIPE);
	CHECK(file_poll(w2, NULL) & EPOLLERR);
	file_put(w2);
	CHECK(host_blocks_in_use() == 0 && host_pages_in_use() == 0);
}

TEST(packets_keep_their_bounds)
{
	char buf[16];

	make(O_NONBLOCK | O_DIRECT);
	CHECK(host_write(wr, "first", 5) == 5 && host_write(wr, "second", 6) == 6);
	CHECK(host_read(rd, buf, 3) == 3 && memcmp(buf, "fir", 3) == 0);
	CHECK(host_read(rd, buf, sizeof buf) == 6 && memcmp(buf, "second", 6) == 0);
	check_nothing_left();
}

#define STREAM_BYTES 3000000u

static u8 stream_byte(u32 i)
{
	return (u8)(i * 2654435761u >> 13);
}

static void stream_writer(void *arg)
{
	u64 seed = 1;
	u8 buf[9000];

	for (u32 done = 0; done < STREAM_BYTES;) {
		u32 n = MIN((u32)(1 + test_rand(&seed) % sizeof buf), STREAM_BYTES - done);

		for (u32 i = 0; i < n; i++)
			buf[i] = stream_byte(done + i);
		CHECK(host_write(wr, buf, n) == n);
		done += n;
	}
	file_put(wr);
}

TEST(a_long_stream_survives_two_threads)
{
	struct test_thread *t;
	u64 seed = 2;
	u8 buf[9000];
	u32 done = 0;

	make(0);
	t = test_thread_start(stream_writer, NULL);
	for (;;) {
		s64 n = host_read(rd, buf, 1 + test_rand(&seed) % sizeof buf);

		CHECK(n >= 0);
		if (n == 0)
			break;
		for (s64 i = 0; i < n; i++)
			CHECK(buf[i] == stream_byte(done + (u32)i));
		done += (u32)n;
	}
	CHECK(done == STREAM_BYTES);
	test_thread_join(t);
	file_put(rd);
	CHECK(host_blocks_in_use() == 0 && host_pages_in_use() == 0);
}

/* Each record is RECORD times its writer's number: interleaving would mix them. */
#define RECORD 4096

static void record_writer(void *arg)
{
	char buf[RECORD];

	memset(buf, (int)(uintptr_t)arg, sizeof buf);
	for (u32 i = 0; i < 200; i++)
		CHECK(host_write(wr, buf, sizeof buf) == sizeof buf);
}

TEST(writes_of_PIPE_BUF_are_atomic_among_writers)
{
	struct test_thread *t[3];
	char buf[RECORD];

	make(0);
	for (u32 i = 0; i < 3; i++)
		t[i] = test_thread_start(record_writer, (void *)(uintptr_t)(i + 1));
	for (u32 k = 0; k < 600; k++) {
		for (u32 have = 0; have < RECORD;) {
			s64 n = host_read(rd, buf + have, RECORD - have);

			CHECK(n > 0);
			have += (u32)n;
		}
		for (u32 i = 1; i < RECORD; i++)
			CHECK(buf[i] == buf[0]);
	}
	for (u32 i = 0; i < 3; i++)
		test_thread_join(t[i]);
	check_nothing_left();
}

TEST(a_fault_in_the_middle_of_the_buffer_gives_a_short_count)
{
	static char buf[8192] __attribute__((aligned(4096)));
	struct iov_cursor c;
	char out[8192];

	make(O_NONBLOCK);
	host_fault_range((uintptr_t)buf + 100, (uintptr_t)buf + sizeof buf);
	CHECK(iov_init_user(&c, HOST_UADDR(buf), 1000) == 0);
	CHECK(file_write(wr, &c, NULL) == 100);
	CHECK(iov_init_user(&c, HOST_UADDR(buf + 200), 10) == 0);
	CHECK(file_write(wr, &c, NULL) == -EFAULT);
	CHECK(host_read(rd, out, sizeof out) == 100);
	CHECK(host_write(wr, out, 300) == 300);
	CHECK(iov_init_user(&c, HOST_UADDR(buf), 300) == 0);
	CHECK(file_read(rd, &c, NULL) == 100);
	CHECK(iov_init_user(&c, HOST_UADDR(buf + 500), 300) == 0);
	CHECK(file_read(rd, &c, NULL) == -EFAULT);
	host_fault_range(0, 0);
	CHECK(host_read(rd, out, sizeof out) == 200);
	check_nothing_left();
}

TEST(lack_of_memory_is_reported_and_nothing_is_lost)
{
	static char buf[20000];

	FAIL_LOOP(n)
	{
		s64 in, out = 0, m;

		if (pipe_create(O_NONBLOCK, &rd, &wr)) {
			CHECK(fail_happened());
			CHECK(host_blocks_in_use() == 0);
			continue;
		}
		in = host_write(wr, buf, sizeof buf);
		CHECK(in == (fail_happened() ? in : (s64)sizeof buf));
		CHECK(in > 0 || in == -ENOMEM);
		while ((m = host_read(rd, buf, sizeof buf)) > 0)
			out += m;
		CHECK(m == -EAGAIN && out == MAX(in, (s64)0));
		check_nothing_left();
		if (!fail_happened())
			break;
	}
}
