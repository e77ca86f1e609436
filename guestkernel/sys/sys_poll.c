// SPDX-License-Identifier: Apache-2.0
/*
 * sys_poll - poll, ppoll, select, pselect6
 *
 * Role      Turn both interfaces into an array of poll_slot for poll_files() and the results back.
 * Rules     Files are referenced for the whole wait. Interrupted poll continues with its deadline through the
 *           restart block; the others write the time that is left and restart unless a handler ran.
 * See       poll(2), select(2), fs/poll.h
 */
#include "fs/poll.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/sigmask.h"
#include "guestkernel/task/task.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/uapi/resource.h"
#include "syscalls_gen.h"

#define SLOTS_ON_STACK 8
#define SELECT_IN      (EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR)
#define SELECT_OUT     (EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR)
#define SELECT_EX      EPOLLPRI
#define SELECT_MAX_FDS (1u << 20)

static u32 count_bits(u64 w)
{
	u32 n = 0;

	for (; w; w &= w - 1)
		n++;
	return n;
}

static u64 deadline_after(u64 ns)
{
	u64 now = clock_monotonic_ns();

	if (ns == 0)
		return 0;
	return now + ns < now ? NO_DEADLINE : now + ns;
}

static void slots_put(struct poll_slot *s, u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		if (s[i].file)
			file_put(s[i].file);
}

/* 0 or -EFAULT */
static int slots_from_pollfds(struct poll_slot *s, uaddr_t fds, u32 nr)
{
	struct pollfd pfd;

	for (u32 i = 0; i < nr; i++) {
		s[i].file = NULL;
		s[i].revents = 0;
		if (get_user(&pfd, uaddr_add(fds, i * sizeof pfd))) {
			slots_put(s, i);
			return -EFAULT;
		}
		s[i].fd = pfd.fd;
		s[i].want = (u16)pfd.events | EPOLLERR | EPOLLHUP;
		if (pfd.fd >= 0 && fd_lookup(pfd.fd, &s[i].file)) {
			s[i].file = NULL;
			s[i].revents = POLLNVAL;
		}
	}
	return 0;
}

static s64 do_poll(uaddr_t fds, u32 nr, u64 deadline)
{
	struct poll_slot stack[SLOTS_ON_STACK], *s = stack;
	s64 ret;

	if (nr > current_rlimit(RLIMIT_NOFILE))
		return -EINVAL;
	if (nr > SLOTS_ON_STACK) {
		s = kcalloc(nr, sizeof *s);
		if (!s)
			return -ENOMEM;
	}
	ret = slots_from_pollfds(s, fds, nr);
	if (ret)
		goto out;
	ret = poll_files(s, nr, deadline);
	slots_put(s, nr);
	if (ret < 0)
		goto out;
	for (u32 i = 0; i < nr; i++) {
		uaddr_t at = uaddr_add(fds, i * sizeof(struct pollfd) +
						    offsetof(struct pollfd, revents));

		if (put_user(at, (s16)s[i].revents))
			ret = -EFAULT;
	}
out:
	if (s != stack)
		kfree(s);
	return ret;
}

static s64 poll_restart(struct restart_block *rb)
{
	s64 ret = do_poll(UADDR(rb->arg[0]), (u32)rb->arg[1], rb->arg[2]);

	return ret == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : ret;
}

s64 sys_poll(uaddr_t fds, u32 nr, s32 timeout_ms)
{
	u64 deadline = timeout_ms < 0 ? NO_DEADLINE : deadline_after(timeout_ms * NSEC_PER_MSEC);
	s64 ret = do_poll(fds, nr, deadline);
	struct restart_block *rb;

	if (ret != -ERESTARTSYS)
		return ret;
	rb = current_restart_block();
	rb->fn = poll_restart;
	rb->arg[0] = fds.va;
	rb->arg[1] = nr;
	rb->arg[2] = deadline;
	return -ERESTART_RESTARTBLOCK;
}

/* Time until the deadline; zero when it passed. */
static u64 time_left(u64 deadline)
{
	u64 now = clock_monotonic_ns();

	return deadline > now ? deadline - now : 0;
}

static int read_timespec(uaddr_t ua, u64 *deadline)
{
	struct timespec ts;
	u64 ns;

	*deadline = NO_DEADLINE;
	if (uaddr_is_null(ua))
		return 0;
	if (get_user(&ts, ua))
		return -EFAULT;
	if (!timespec_to_ns(&ts, &ns))
		return -EINVAL;
	*deadline = deadline_after(ns);
	return 0;
}

/* The time left goes back to the application; a fault here changes nothing else. */
static s64 finish_timespec(uaddr_t ua, u64 deadline, s64 ret)
{
	if (!uaddr_is_null(ua)) {
		struct timespec ts =
			ns_to_timespec(deadline == NO_DEADLINE ? 0 : time_left(deadline));

		if (deadline != NO_DEADLINE && put_user(ua, ts))
			return ret == -ERESTARTSYS ? -EINTR : ret;
	}
	return ret == -ERESTARTSYS ? -ERESTARTNOHAND : ret;
}

s64 sys_ppoll(uaddr_t fds, u32 nr, uaddr_t timeout, uaddr_t set, u64 size)
{
	u64 deadline;
	s64 ret = read_timespec(timeout, &deadline);

	if (ret)
		return ret;
	ret = sigmask_swap_user(set, size);
	if (ret)
		return ret;
	ret = do_poll(fds, nr, deadline);
	sigmask_swap_end(ret == -ERESTARTSYS);
	return finish_timespec(timeout, deadline, ret);
}

struct select_sets {
	u64 *bits[3]; /* in, out, exceptional: asked, then answered */
	uaddr_t user[3];
	u32 words;
	u32 nr; /* descriptors: bits to look at */
	struct poll_slot *slots;
	u32 nr_slots;
};

static const u32 select_masks[3] = { SELECT_IN, SELECT_OUT, SELECT_EX };

static int select_load(struct select_sets *ss)
{
	u32 bytes = ss->words * 8, count = 0;
	u64 *p = kcalloc(3 * ss->words, 8);

	if (!p)
		return -ENOMEM;
	for (u32 k = 0; k < 3; k++) {
		ss->bits[k] = p + k * ss->words;
		if (!uaddr_is_null(ss->user[k]) && copy_from_user(ss->bits[k], ss->user[k], bytes))
			return -EFAULT;
	}
	if (ss->nr % 64)
		for (u32 k = 0; k < 3; k++)
			ss->bits[k][ss->words - 1] &= (1ull << ss->nr % 64) - 1;
	for (u32 w = 0; w < ss->words; w++)
		count += (u32)count_bits(ss->bits[0][w] | ss->bits[1][w] | ss->bits[2][w]);
	ss->slots = kcalloc(count, sizeof *ss->slots);
	return ss->slots || !count ? 0 : -ENOMEM;
}

static int select_lookup(struct select_sets *ss)
{
	for (u32 fd = 0; fd < ss->nr; fd++) {
		struct poll_slot *s = &ss->slots[ss->nr_slots];
		u32 want = 0;

		for (u32 k = 0; k < 3; k++)
			if (ss->bits[k][fd / 64] >> fd % 64 & 1)
				want |= select_masks[k];
		if (!want)
			continue;
		if (fd_lookup((s32)fd, &s->file)) {
			s->file = NULL;
			return -EBADF;
		}
		s->fd = (s32)fd;
		s->want = want;
		ss->nr_slots++;
	}
	return 0;
}

/* Replaces the asked bits by the answers; returns their number. */
static s64 select_answer(struct select_sets *ss)
{
	s64 n = 0;

	for (u32 i = 0; i < ss->nr_slots; i++) {
		struct poll_slot *s = &ss->slots[i];
		u64 bit = 1ull << s->fd % 64;

		for (u32 k = 0; k < 3; k++) {
			u64 *word = &ss->bits[k][s->fd / 64];

			if (!(*word & bit))
				continue;
			if (s->revents & select_masks[k])
				n++;
			else
				*word &= ~bit;
		}
	}
	return n;
}

static s64 select_run(struct select_sets *ss, u64 deadline)
{
	s64 ret = select_lookup(ss);

	if (!ret)
		ret = poll_files(ss->slots, ss->nr_slots, deadline);
	if (ret < 0)
		return ret;
	ret = select_answer(ss);
	for (u32 k = 0; k < 3; k++)
		if (!uaddr_is_null(ss->user[k]) &&
		    copy_to_user(ss->user[k], ss->bits[k], ss->words * 8))
			return -EFAULT;
	return ret;
}

static s64 do_select(s32 n, const uaddr_t user[3], u64 deadline)
{
	struct select_sets ss = {
		.user = {user[0], user[1], user[2]}
	};
	s64 ret;

	if (n < 0)
		return -EINVAL;
	ss.nr = MIN((u32)n, SELECT_MAX_FDS);
	ss.words = (ss.nr + 63) / 64;
	if (!ss.words)
		return poll_files(NULL, 0, deadline);
	ret = select_load(&ss);
	if (!ret)
		ret = select_run(&ss, deadline);
	slots_put(ss.slots, ss.nr_slots);
	kfree(ss.slots);
	kfree(ss.bits[0]);
	return ret;
}

s64 sys_select(s32 n, uaddr_t in, uaddr_t out, uaddr_t ex, uaddr_t timeout)
{
	const uaddr_t sets[3] = { in, out, ex };
	u64 deadline = NO_DEADLINE, ns;
	struct timeval tv;
	s64 ret;

	if (!uaddr_is_null(timeout)) {
		if (get_user(&tv, timeout))
			return -EFAULT;
		/* Linux accepts a tv_usec beyond a second here. */
		if (tv.tv_sec < 0 || tv.tv_usec < 0)
			return -EINVAL;
		tv.tv_sec += tv.tv_usec / 1000000;
		tv.tv_usec %= 1000000;
		if (!timeval_to_ns(&tv, &ns))
			return -EINVAL;
		deadline = deadline_after(ns);
	}
	ret = do_select(n, sets, deadline);
	if (deadline != NO_DEADLINE) {
		ns = time_left(deadline);
		tv.tv_sec = (s64)(ns / NSEC_PER_SEC);
		tv.tv_usec = (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC);
		if (put_user(timeout, tv))
			return ret == -ERESTARTSYS ? -EINTR : ret;
	}
	return ret == -ERESTARTSYS ? -ERESTARTNOHAND : ret;
}

s64 sys_pselect6(s32 n, uaddr_t in, uaddr_t out, uaddr_t ex, uaddr_t timeout, uaddr_t sig)
{
	const uaddr_t sets[3] = { in, out, ex };
	u64 deadline, arg[2] = { 0, 0 }; /* pointer to the mask, its size */
	s64 ret;

	if (!uaddr_is_null(sig) && copy_from_user(arg, sig, sizeof arg))
		return -EFAULT;
	ret = read_timespec(timeout, &deadline);
	if (ret)
		return ret;
	ret = sigmask_swap_user(UADDR(arg[0]), arg[1]);
	if (ret)
		return ret;
	ret = do_select(n, sets, deadline);
	sigmask_swap_end(ret == -ERESTARTSYS);
	return finish_timespec(timeout, deadline, ret);
}
