// SPDX-License-Identifier: Apache-2.0
/*
 * sys_pipe - pipe and pipe2
 *
 * See       pipe(2), fs/pipe.h
 */
#include "fs/pipe.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/uapi/fcntl.h"
#include "syscalls_gen.h"

s64 sys_pipe2(uaddr_t fds, u32 flags)
{
	struct file *ends[2];
	s32 fd[2];
	int ret;

	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	ret = pipe_create(flags, &ends[0], &ends[1]);
	if (ret)
		return ret;
	ret = fd[0] = fd_reserve(flags & O_CLOEXEC);
	if (ret < 0)
		goto put;
	ret = fd[1] = fd_reserve(flags & O_CLOEXEC);
	if (ret < 0)
		goto unreserve0;
	ret = copy_to_user(fds, fd, sizeof fd);
	if (ret)
		goto unreserve1;
	fd_publish(fd[0], ends[0]);
	fd_publish(fd[1], ends[1]);
	return 0;

unreserve1:
	fd_unreserve(fd[1]);
unreserve0:
	fd_unreserve(fd[0]);
put:
	file_put(ends[0]);
	file_put(ends[1]);
	return ret;
}

s64 sys_pipe(uaddr_t fds)
{
	return sys_pipe2(fds, 0);
}
