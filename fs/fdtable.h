// SPDX-License-Identifier: Apache-2.0
/*
 * fdtable - descriptor tables beyond what kapi/file.h shows to everybody
 *
 * Role      For sys/sys_fd.c: dup2, descriptor flags, close_range.
 */
#pragma once

#include "guestkernel/kapi/file.h"

/* Puts f (reference consumed on success) at exactly fd, closing what was there. -EBADF beyond RLIMIT_NOFILE, -EBUSY
 * while another thread has fd reserved. */
int must_check fd_install_at(struct file *f, s32 fd, bool cloexec);
/* Before t becomes the owner of a record lock: closes look for such from now on. */
void fdtable_will_own_locks(struct fdtable *t);
/* Whether fd still names f: other threads close it while a call sleeps. */
bool fd_is_file(s32 fd, const struct file *f);
/* -EBADF when fd is not open. */
int must_check fd_get_cloexec(s32 fd, bool *cloexec);
int must_check fd_set_cloexec(s32 fd, bool cloexec);
/* Closes (or marks close-on-exec) every open descriptor in [first, last] of t. */
void fdtable_close_range(struct fdtable *t, u32 first, u32 last, bool cloexec_only);
