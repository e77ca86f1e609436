// SPDX-License-Identifier: Apache-2.0
/*
 * exec - what execve needs of the file systems, and process 1 at start
 *
 * Role      Implemented by fs/ (fs/exec.c), called by task/exec.c.
 */
#pragma once

#include "guestkernel/kapi/file.h"

struct fs_ctx;

struct exec_file_info {
	u32 mode; /* S_IF* and permission bits */
	u32 uid, gid;
	bool nosuid; /* mount option: mode bits and capabilities do not count */
	u64 size;
	/* security.capability attribute; has_caps false when there is none */
	bool has_caps, caps_effective;
	u64 cap_permitted, cap_inheritable;
};

/* Opens name (relative to dirfd as the *at calls do) for execution: regular file, execute permission, mount
 * not noexec. flags: AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. -EACCES, -ENOENT, -ELOOP ...; the file can be read
 * with file_read() and mapped with file->ops->mmap. */
int must_check exec_open(s32 dirfd, const char *name, u32 flags, struct file **out);
/* Owner, mode and capabilities as they are at one moment. -EINVAL: capabilities nobody understands. */
int must_check exec_file_info(struct file *f, struct exec_file_info *out);
/* Is it on a mount whose files are not to be executed, by mmap either? */
bool exec_file_denied(const struct file *f);
/* May the caller read it too? */
bool exec_file_readable(struct file *f);
/* The last component of its name, cut at size. */
void exec_file_name(struct file *f, char *buf, u32 size);
/* Working directory of the current task, for process 1. */
int must_check exec_chdir(const char *path);
