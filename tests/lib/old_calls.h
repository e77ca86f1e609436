/* SPDX-License-Identifier: Apache-2.0 */
/*
 * old_calls.h - calls that later architectures never had, by way of what replaced them
 *
 * Role      Included by t.h. Where <sys/syscall.h> knows no SYS_open, syscall(SYS_open, ...) makes the openat
 *           that does the same, so that a program need not ask which machine it runs on.
 * Rules     What has no replacement (getdents, utime, time, the calls Linux removed) is not here: those programs
 *           ask `#ifdef SYS_x` and skip.
 */
#ifndef TESTS_LIB_OLD_CALLS_H
#define TESTS_LIB_OLD_CALLS_H

#ifndef SYS_open
enum {
	SYS_open = 1 << 20,
	SYS_creat,
	SYS_access,
	SYS_chmod,
	SYS_chown,
	SYS_lchown,
	SYS_link,
	SYS_symlink,
	SYS_readlink,
	SYS_mkdir,
	SYS_rmdir,
	SYS_unlink,
	SYS_mknod,
	SYS_rename,
	SYS_stat,
	SYS_lstat,
	SYS_pipe,
	SYS_poll,
	SYS_eventfd,
	SYS_signalfd,
	SYS_inotify_init,
	SYS_getpgrp,
};

long t_syscall(long nr, ...);
#define syscall t_syscall
#endif

#endif
