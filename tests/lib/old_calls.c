// SPDX-License-Identifier: Apache-2.0
/*
 * old_calls.c - see old_calls.h
 */
#include "tests/lib/t.h"

#include <stdarg.h>

#ifdef syscall /* old_calls.h */
#undef syscall

long t_syscall(long nr, ...)
{
	const long at = AT_FDCWD;
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++) /* as many as any call takes, like syscall() itself */
		a[i] = va_arg(ap, long);
	va_end(ap);
	switch (nr) {
	case SYS_open:
		return syscall(SYS_openat, at, a[0], a[1], a[2]);
	case SYS_creat:
		return syscall(SYS_openat, at, a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]);
	case SYS_access:
		return syscall(SYS_faccessat, at, a[0], a[1]);
	case SYS_chmod:
		return syscall(SYS_fchmodat, at, a[0], a[1]);
	case SYS_chown:
		return syscall(SYS_fchownat, at, a[0], a[1], a[2], 0);
	case SYS_lchown:
		return syscall(SYS_fchownat, at, a[0], a[1], a[2], AT_SYMLINK_NOFOLLOW);
	case SYS_link:
		return syscall(SYS_linkat, at, a[0], at, a[1], 0);
	case SYS_symlink:
		return syscall(SYS_symlinkat, a[0], at, a[1]);
	case SYS_readlink:
		return syscall(SYS_readlinkat, at, a[0], a[1], a[2]);
	case SYS_mkdir:
		return syscall(SYS_mkdirat, at, a[0], a[1]);
	case SYS_rmdir:
		return syscall(SYS_unlinkat, at, a[0], AT_REMOVEDIR);
	case SYS_unlink:
		return syscall(SYS_unlinkat, at, a[0], 0);
	case SYS_mknod:
		return syscall(SYS_mknodat, at, a[0], a[1], a[2]);
	case SYS_rename:
		return syscall(SYS_renameat, at, a[0], at, a[1]);
	case SYS_stat:
		return syscall(SYS_newfstatat, at, a[0], a[1], 0);
	case SYS_lstat:
		return syscall(SYS_newfstatat, at, a[0], a[1], AT_SYMLINK_NOFOLLOW);
	case SYS_pipe:
		return syscall(SYS_pipe2, a[0], 0);
	case SYS_poll: {
		struct timespec ts = { a[2] / 1000, a[2] % 1000 * 1000000 };

		return syscall(SYS_ppoll, a[0], a[1], (int)a[2] < 0 ? NULL : &ts, NULL, 8);
	}
	case SYS_eventfd:
		return syscall(SYS_eventfd2, a[0], 0);
	case SYS_signalfd:
		return syscall(SYS_signalfd4, a[0], a[1], a[2], 0);
	case SYS_inotify_init:
		return syscall(SYS_inotify_init1, 0);
	case SYS_getpgrp:
		return syscall(SYS_getpgid, 0);
	default:
		return syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
}
#endif
