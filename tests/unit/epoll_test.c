// SPDX-License-Identifier: Apache-2.0
/* epoll_test - fs/epoll.c and fs/poll.c over eventfds and pipes */
#include "fs/epoll.h"
#include "fs/eventfd.h"
#include "fs/pipe.h"
#include "fs/poll.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/uapi/eventfd.h"
#include "guestkernel/uapi/fcntl.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

static struct file *ep, *ev;
static struct epoll_event got[16];

static void put(struct file *f, u64 v)
{
	CHECK(host_write(f, &v, sizeof v) == sizeof v);
}

static void drain(struct file *f)
{
	u64 v;

	CHECK(host_read(f, &v, sizeof v) == sizeof v);
}

static int control(u32 op, s32 fd, struct file *f, u32 events)
{
	struct epoll_event e = { events, (u64)fd * 10 };

	return epoll_control(ep, op, fd, f, &e);
}

static s64 poll_now(void)
{
	return epoll_wait_events(ep, HOST_UADDR(got), ARRAY_SIZE(got), 0);
}

static void make(u32 events)
{
	CHECK(epoll_create_file(&ep) == 0);
	CHECK(eventfd_create(0, EFD_NONBLOCK, &ev) == 0);
	CHECK(control(EPOLL_CTL_ADD, 5, ev, events) == 0);
}

static void destroy(void)
{
	file_put(ev);
	file_put(ep);
	CHECK(host_blocks_in_use() == 0);
}

TEST(level_triggered_reports_as_long_as_it_is_true)
{
	make(EPOLLIN);
	CHECK(poll_now() == 0);
	put(ev, 1);
	for (u32 i = 0; i < 3; i++) {
		CHECK(poll_now() == 1);
		CHECK(got[0].events == EPOLLIN && got[0].data == 50);
	}
	drain(ev);
	CHECK(poll_now() == 0);
	destroy();
}

TEST(edge_triggered_reports_each_change_once)
{
	make(EPOLLIN | EPOLLET);
	put(ev, 1);
	CHECK(poll_now() == 1 && poll_now() == 0);
	put(ev, 1);
	CHECK(poll_now() == 1 && poll_now() == 0);
	destroy();
}

TEST(one_shot_needs_rearming)
{
	make(EPOLLIN | EPOLLONESHOT);
	put(ev, 1);
	CHECK(poll_now() == 1 && poll_now() == 0);
	put(ev, 1);
	CHECK(poll_now() == 0);
	CHECK(control(EPOLL_CTL_MOD, 5, ev, EPOLLIN) == 0);
	CHECK(poll_now() == 1);
	destroy();
}

TEST(control_reports_the_errors_of_linux)
{
	struct file *other;

	make(EPOLLIN);
	CHECK(eventfd_create(0, 0, &other) == 0);
	CHECK(control(EPOLL_CTL_ADD, 5, ev, EPOLLIN) == -EEXIST);
	CHECK(control(EPOLL_CTL_ADD, 6, ev, EPOLLIN) ==
	      0); /* another descriptor of the same file */
	CHECK(control(EPOLL_CTL_MOD, 7, ev, EPOLLIN) == -ENOENT);
	CHECK(control(EPOLL_CTL_DEL, 5, other, 0) == -ENOENT);
	CHECK(control(99, 5, ev, 0) == -EINVAL);
	CHECK(control(EPOLL_CTL_ADD, 3, ep, EPOLLIN) == -EINVAL);
	CHECK(epoll_control(other, EPOLL_CTL_ADD, 5, ev, got) == -EINVAL);
	CHECK(control(EPOLL_CTL_DEL, 5, ev, 0) == 0);
	CHECK(control(EPOLL_CTL_DEL, 5, ev, 0) == -ENOENT);
	file_put(other);
	destroy();
}

TEST(a_closed_file_leaves_the_set)
{
	make(EPOLLIN);
	put(ev, 1);
	file_put(ev);
	CHECK(poll_now() == 0);
	file_put(ep);
	CHECK(host_blocks_in_use() == 0);
}

TEST(nested_sets_report_and_loops_are_refused)
{
	struct file *outer, *inner;
	struct epoll_event e = { EPOLLIN, 7 };

	make(EPOLLIN);
	inner = ep;
	CHECK(epoll_create_file(&outer) == 0);
	CHECK(epoll_control(outer, EPOLL_CTL_ADD, 3, inner, &e) == 0);
	CHECK(epoll_control(inner, EPOLL_CTL_ADD, 4, outer, &e) == -ELOOP);
	CHECK(epoll_wait_events(outer, HOST_UADDR(got), 4, 0) == 0);
	put(ev, 1);
	CHECK(epoll_wait_events(outer, HOST_UADDR(got), 4, 0) == 1 && got[0].data == 7);
	CHECK(poll_now() == 1);
	drain(ev);
	CHECK(epoll_wait_events(outer, HOST_UADDR(got), 4, 0) == 0);
	file_put(outer);
	destroy();
}

TEST(chains_longer_than_five_are_refused)
{
	struct epoll_event e = { EPOLLIN, 0 };
	struct file *f[8];
	u32 n;

	CHECK(epoll_create_file(&f[0]) == 0);
	for (n = 1; n < 8; n++) {
		CHECK(epoll_create_file(&f[n]) == 0);
		if (epoll_control(f[n], EPOLL_CTL_ADD, 1, f[n - 1], &e) == -ELOOP)
			break;
	}
	CHECK(n >= 5 && n < 8);
	for (u32 i = 0; i <= n; i++)
		file_put(f[i]);
	CHECK(host_blocks_in_use() == 0);
}

TEST(a_bad_buffer_keeps_the_event)
{
	make(EPOLLIN);
	put(ev, 1);
	CHECK(epoll_wait_events(ep, UADDR(16), 1, 0) == -EFAULT);
	CHECK(poll_now() == 1);
	destroy();
}

static struct file *many[4];
static atomic_t seen;

static void waiter(void *arg)
{
	struct epoll_event e[4];

	for (;;) {
		s64 n = epoll_wait_events(ep, HOST_UADDR(e), 4, NO_DEADLINE);
		u64 v;

		CHECK(n > 0);
		for (s64 i = 0; i < n; i++) {
			struct file *f = many[e[i].data / 10];

			if (f == many[0])
				return;
			if (host_read(f, &v, sizeof v) == sizeof v)
				atomic_add(&seen, (u32)v);
		}
	}
}

TEST(threads_that_wait_lose_no_event)
{
	struct test_thread *t[3];

	CHECK(epoll_create_file(&ep) == 0);
	for (s32 i = 0; i < 4; i++) {
		CHECK(eventfd_create(0, EFD_NONBLOCK, &many[i]) == 0);
		CHECK(control(EPOLL_CTL_ADD, i, many[i], i == 2 ? EPOLLIN | EPOLLET : EPOLLIN) ==
		      0);
	}
	for (u32 i = 0; i < 3; i++)
		t[i] = test_thread_start(waiter, NULL);
	for (u32 i = 0; i < 6000; i++)
		put(many[1 + i % 3], 1);
	while (atomic_read(&seen) < 6000)
		test_sleep_ms(1);
	put(many[0], 1); /* stays readable: everybody leaves */
	for (u32 i = 0; i < 3; i++)
		test_thread_join(t[i]);
	CHECK(atomic_read(&seen) == 6000);
	for (u32 i = 0; i < 4; i++)
		file_put(many[i]);
	file_put(ep);
	CHECK(host_blocks_in_use() == 0);
}

TEST(adding_fails_cleanly_without_memory)
{
	FAIL_LOOP(n)
	{
		struct file *rd, *wr;
		bool failed;
		int ret;

		fail_at(0);
		CHECK(epoll_create_file(&ep) == 0);
		CHECK(pipe_create(0, &rd, &wr) == 0);
		fail_at(n);
		ret = control(EPOLL_CTL_ADD, 3, wr, EPOLLOUT);
		failed = fail_happened();
		CHECK(ret == (failed ? -ENOMEM : 0));
		fail_at(0);
		CHECK(poll_now() == !failed);
		file_put(rd);
		file_put(wr);
		file_put(ep);
		CHECK(host_blocks_in_use() == 0);
		if (!failed)
			break;
	}
}

TEST(poll_reports_ready_files_and_times_out)
{
	struct poll_slot s[2] = { { .want = EPOLLIN }, { .want = EPOLLIN } };

	CHECK(eventfd_create(0, 0, &s[0].file) == 0);
	CHECK(eventfd_create(0, 0, &s[1].file) == 0);
	CHECK(poll_files(s, 2, 0) == 0);
	CHECK(poll_files(s, 2, clock_monotonic_ns() + 3000000) == 0);
	put(s[1].file, 1);
	CHECK(poll_files(s, 2, NO_DEADLINE) == 1 && !s[0].revents && (s[1].revents & EPOLLIN));
	file_put(s[0].file);
	file_put(s[1].file);
	CHECK(host_blocks_in_use() == 0);
}

static void late_writer(void *arg)
{
	test_sleep_ms(5);
	put(arg, 1);
}

TEST(poll_sleeps_until_a_file_becomes_ready)
{
	struct poll_slot s = { .want = EPOLLIN };
	struct test_thread *t;

	CHECK(eventfd_create(0, 0, &s.file) == 0);
	t = test_thread_start(late_writer, s.file);
	CHECK(poll_files(&s, 1, NO_DEADLINE) == 1);
	test_thread_join(t);
	file_put(s.file);
}
