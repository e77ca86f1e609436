// SPDX-License-Identifier: Apache-2.0
/*
 * sys_event - eventfd, timerfd, epoll and inotify calls (poll and select: sys_poll.c)
 *
 * Role      Decode, reject, call the object in fs/, install the descriptor.
 * See       eventfd(2), timerfd_create(2), epoll(7), inotify(7)
 */
#include "fs/epoll.h"
#include "fs/eventfd.h"
#include "fs/inotify.h"
#include "fs/namei.h"
#include "fs/timerfd.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/sigmask.h"
#include "guestkernel/kapi/time.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/uapi/eventfd.h"
#include "guestkernel/uapi/inotify.h"
#include "guestkernel/uapi/poll.h"
#include "syscalls_gen.h"

static s64 install(struct file *f, bool cloexec)
{
	s64 fd = fd_install(f, cloexec);

	if (fd < 0)
		file_put(f);
	return fd;
}

s64 sys_eventfd2(u32 initial, u32 flags)
{
	struct file *f;
	int ret;

	if (flags & ~(u32)(EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC))
		return -EINVAL;
	ret = eventfd_create(initial, flags, &f);
	return ret ? ret : install(f, flags & EFD_CLOEXEC);
}

s64 sys_eventfd(u32 initial)
{
	return sys_eventfd2(initial, 0);
}

s64 sys_timerfd_create(s32 clock, u32 flags)
{
	struct file *f;
	int ret;

	if ((flags & ~(u32)(TFD_NONBLOCK | TFD_CLOEXEC)) || !timerfd_clock_valid(clock))
		return -EINVAL;
	if ((clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM) &&
	    !capable(CAP_WAKE_ALARM))
		return -EPERM;
	ret = timerfd_create_file(clock, flags, &f);
	return ret ? ret : install(f, flags & TFD_CLOEXEC);
}

s64 sys_timerfd_settime(s32 fd, u32 flags, uaddr_t new, uaddr_t old)
{
	struct itimerspec its, prev;
	struct file *f;
	int ret;

	if (flags & ~(u32)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	ret = get_user(&its, new);
	if (ret)
		return ret;
	ret = fd_lookup(fd, &f);
	if (ret)
		return ret;
	ret = timerfd_set(f, flags, &its, &prev);
	file_put(f);
	if (!ret && !uaddr_is_null(old))
		ret = put_user(old, prev);
	return ret;
}

s64 sys_timerfd_gettime(s32 fd, uaddr_t out)
{
	struct itimerspec its;
	struct file *f;
	int ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ret = timerfd_get(f, &its);
	file_put(f);
	return ret ? ret : put_user(out, its);
}

s64 sys_epoll_create1(u32 flags)
{
	struct file *f;
	int ret;

	if (flags & ~(u32)EPOLL_CLOEXEC)
		return -EINVAL;
	ret = epoll_create_file(&f);
	return ret ? ret : install(f, flags & EPOLL_CLOEXEC);
}

s64 sys_epoll_create(s32 size)
{
	return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}

s64 sys_epoll_ctl(s32 epfd, u32 op, s32 fd, uaddr_t event)
{
	struct epoll_event ev = { 0 };
	struct file *epf, *target;
	int ret;

	if (op != EPOLL_CTL_DEL) {
		ret = get_user(&ev, event);
		if (ret)
			return ret;
	}
	ret = fd_lookup(epfd, &epf);
	if (ret)
		return ret;
	ret = fd_lookup(fd, &target);
	if (!ret) {
		ret = epoll_control(epf, op, fd, target, &ev);
		file_put(target);
	}
	file_put(epf);
	return ret;
}

static s64 epoll_wait_common(s32 epfd, uaddr_t events, s32 max, u64 deadline)
{
	struct file *f;
	s64 ret;

	if (max <= 0 || (u64)max > S32_MAX / sizeof(struct epoll_event))
		return -EINVAL;
	ret = fd_lookup(epfd, &f);
	if (ret)
		return ret;
	ret = file_is_epoll(f) ? epoll_wait_events(f, events, (u32)max, deadline) : -EINVAL;
	file_put(f);
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

static u64 deadline_ms(s32 ms)
{
	if (ms < 0)
		return NO_DEADLINE;
	return ms == 0 ? 0 : clock_monotonic_ns() + (u64)ms * NSEC_PER_MSEC;
}

s64 sys_epoll_wait(s32 epfd, uaddr_t events, s32 max, s32 timeout_ms)
{
	return epoll_wait_common(epfd, events, max, deadline_ms(timeout_ms));
}

static s64 epoll_pwait_common(s32 epfd, uaddr_t events, s32 max, u64 deadline, uaddr_t set,
			      u64 size)
{
	s64 ret = sigmask_swap_user(set, size);

	if (ret)
		return ret;
	ret = epoll_wait_common(epfd, events, max, deadline);
	sigmask_swap_end(ret == -EINTR);
	return ret;
}

s64 sys_epoll_pwait(s32 epfd, uaddr_t events, s32 max, s32 timeout_ms, uaddr_t set, u64 size)
{
	return epoll_pwait_common(epfd, events, max, deadline_ms(timeout_ms), set, size);
}

s64 sys_epoll_pwait2(s32 epfd, uaddr_t events, s32 max, uaddr_t timeout, uaddr_t set, u64 size)
{
	u64 deadline = NO_DEADLINE, ns;
	struct timespec ts;
	int ret;

	if (!uaddr_is_null(timeout)) {
		ret = get_user(&ts, timeout);
		if (ret)
			return ret;
		if (!timespec_to_ns(&ts, &ns))
			return -EINVAL;
		deadline = ns ? clock_monotonic_ns() + ns : 0;
		if (deadline < ns)
			deadline = NO_DEADLINE;
	}
	return epoll_pwait_common(epfd, events, max, deadline, set, size);
}

s64 sys_inotify_init1(u32 flags)
{
	struct file *f;
	int ret;

	if (flags & ~(u32)(IN_NONBLOCK | IN_CLOEXEC))
		return -EINVAL;
	ret = inotify_create(flags, &f);
	return ret ? ret : install(f, flags & IN_CLOEXEC);
}

s64 sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}

static int inotify_add_text(struct file *f, const char *name, u32 mask)
{
	u32 lookup = (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) |
		     (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0);
	struct path p;
	int ret = path_lookup(AT_FDCWD, name, lookup, &p);

	if (ret)
		return ret;
	ret = inode_permission(path_inode(&p), MAY_READ);
	if (!ret)
		ret = inotify_add(f, path_inode(&p), mask);
	path_put(&p);
	return ret;
}

s64 sys_inotify_add_watch(s32 fd, uaddr_t path, u32 mask)
{
	struct file *f;
	char *name;
	s64 ret;

	if (!(mask & (IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED)) ||
	    ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE)))
		return -EINVAL;
	ret = fd_lookup(fd, &f);
	if (ret)
		return ret;
	if (!file_is_inotify(f)) {
		ret = -EINVAL;
		goto put;
	}
	ret = -ENOMEM;
	name = kmalloc(PATH_MAX);
	if (!name)
		goto put;
	ret = strncpy_from_user(name, path, PATH_MAX);
	if (ret == PATH_MAX)
		ret = -ENAMETOOLONG;
	if (ret >= 0)
		ret = inotify_add_text(f, name, mask);
	kfree(name);
put:
	file_put(f);
	return ret;
}

s64 sys_inotify_rm_watch(s32 fd, s32 wd)
{
	struct file *f;
	int ret = fd_lookup(fd, &f);

	if (ret)
		return ret;
	ret = file_is_inotify(f) ? inotify_remove(f, wd) : -EINVAL;
	file_put(f);
	return ret;
}
