// SPDX-License-Identifier: Apache-2.0
/*
 * filp - open files, for the rest of fs/ only
 *
 * Role      What open.c, memfd.c and anonfs.c need of file.c beyond kapi/file.h.
 */
#pragma once

#include "fs/mount.h"

/* In f->flags, above all O_* bits: the file is being executed, nobody may write it. */
#define FILE_DENIES_WRITE (1u << 31)
/* The file can be written, and executed none the less: what memfd_create() gives. Others opened from it count. */
#define FILE_UNCOUNTED (1u << 30)

/* An open file over p (references are taken), without operations yet. */
int must_check file_alloc(const struct path *p, u32 flags, struct file **out);
/* Write access is counted and the driver's open runs; on failure the caller puts f. */
int must_check file_open(struct file *f);
/* Access time of what was read, by the rules of the mount. data: the inode that has the times. */
void file_accessed(struct file *f, struct inode *data);
/* The contents are about to change: set-ID bits and file capabilities go (fs/attr.c). On failure nothing may change. */
int must_check file_modifies(struct file *f);
