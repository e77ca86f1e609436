// SPDX-License-Identifier: Apache-2.0
/* eventfd_test - fs/eventfd.c */
#include "fs/eventfd.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/eventfd.h"
#include "guestkernel/uapi/fcntl.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

static struct file *make(u32 initial, u32 flags)
{
	struct file *f;

	CHECK(eventfd_create(initial, flags, &f) == 0);
	return f;
}

static s64 get(struct file *f, u64 *v)
{
	return host_read(f, v, sizeof *v);
}

static s64 put(struct file *f, u64 v)
{
	return host_write(f, &v, sizeof v);
}

TEST(a_read_takes_the_whole_count)
{
	struct file *f = make(5, EFD_NONBLOCK);
	u64 v;

	CHECK(file_poll(f, NULL) == (EPOLLIN | EPOLLOUT) ||
	      file_poll(f, NULL) == (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM));
	CHECK(put(f, 37) == 8);
	CHECK(get(f, &v) == 8 && v == 42);
	CHECK(get(f, &v) == -EAGAIN);
	CHECK(!(file_poll(f, NULL) & EPOLLIN));
	file_put(f);
	CHECK(host_blocks_in_use() == 0);
}

TEST(semaphore_mode_takes_one_at_a_time)
{
	struct file *f = make(3, EFD_NONBLOCK | EFD_SEMAPHORE);
	u64 v;

	for (u32 i = 0; i < 3; i++)
		CHECK(get(f, &v) == 8 && v == 1);
	CHECK(get(f, &v) == -EAGAIN);
	file_put(f);
}

TEST(the_limit_is_all_ones_minus_one)
{
	struct file *f = make(0, EFD_NONBLOCK);
	u64 v;

	CHECK(put(f, U64_MAX) == -EINVAL);
	CHECK(put(f, U64_MAX - 1) == 8);
	CHECK(!(file_poll(f, NULL) & EPOLLOUT));
	CHECK(put(f, 1) == -EAGAIN);
	CHECK(put(f, 0) == 8);
	CHECK(get(f, &v) == 8 && v == U64_MAX - 1);
	file_put(f);
}

TEST(short_buffers_are_refused)
{
	struct file *f = make(1, EFD_NONBLOCK);
	u64 v;

	CHECK(host_read(f, &v, 7) == -EINVAL);
	CHECK(host_write(f, &v, 7) == -EINVAL);
	CHECK(host_read(f, &v, 8) == 8);
	file_put(f);
}

static void reader(void *arg)
{
	u64 sum = 0, v;

	while (sum < 1000) {
		CHECK(get(arg, &v) == 8 && v > 0);
		sum += v;
	}
	CHECK(sum == 1000);
}

TEST(a_reader_sleeps_until_somebody_writes)
{
	struct file *f = make(0, 0);
	struct test_thread *t = test_thread_start(reader, f);

	for (u32 i = 0; i < 1000; i++)
		CHECK(put(f, 1) == 8);
	test_thread_join(t);
	file_put(f);
	CHECK(host_blocks_in_use() == 0);
}

TEST(a_signal_interrupts_a_reader)
{
	struct file *f = make(0, 0);
	u64 v;

	host_signal_set(true);
	CHECK(get(f, &v) == -ERESTARTSYS);
	host_signal_set(false);
	file_put(f);
}

TEST(creation_fails_cleanly)
{
	FAIL_LOOP(n)
	{
		struct file *f;
		int ret = eventfd_create(0, 0, &f);

		CHECK(ret == (fail_happened() ? -ENOMEM : 0));
		if (!ret)
			file_put(f);
		CHECK(host_blocks_in_use() == 0);
		if (!fail_happened())
			break;
	}
}
