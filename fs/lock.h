// SPDX-License-Identifier: Apache-2.0
/*
 * lock - advisory file locks: flock(2), POSIX record locks, open-file-description locks
 *
 * Role      fcntl and flock call in; closing files and dying inodes clean up. Leases are not supported.
 * Rules     Record locks of a process belong to its descriptor table (as Linux: files_struct), OFD locks and
 *           flock to the open file. Ranges are [start, end], end S64_MAX means to infinity.
 * Locking   See lock.c, and its INVARIANTS.
 */
#pragma once

#include "fs/inode.h"
#include "guestkernel/uapi/fcntl.h"

/* LOCK_SH, LOCK_EX, LOCK_UN with LOCK_NB. */
int must_check lock_flock(struct file *f, u32 op);
/* F_GETLK, F_SETLK, F_SETLKW and the OFD forms; *fl in and out (after a set: the range in absolute
 * numbers). owner: the descriptor table for POSIX locks. After a
 * POSIX lock was set the caller looks whether the descriptor is still there, and unlocks when not: a close in between
 * has not seen it. */
int must_check lock_fcntl(struct file *f, u32 cmd, struct flock *fl, const void *owner);
/* A descriptor of the table was closed: its POSIX locks on the inode go. */
void lock_posix_close(struct file *f, const void *owner);
/* Last reference of the file: flock and OFD locks go. */
void lock_file_gone(struct file *f);
void lock_inode_gone(struct inode *inode);
