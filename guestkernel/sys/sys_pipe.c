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
	int ret;

	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	ret = pipe_create(flags, &ends[0], &ends[1]);
	return ret ? ret : fd_install_pair(ends, flags & O_CLOEXEC, fds);
}

s64 sys_pipe(uaddr_t fds)
{
	return sys_pipe2(fds, 0);
}
