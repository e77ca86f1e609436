// SPDX-License-Identifier: Apache-2.0
/*
 * tmpfs_opts - mount options of tmpfs: size, nr_blocks, nr_inodes, mode, uid, gid
 *
 * See       tmpfs(5)
 */
#pragma once

#include "fs/inode.h"

struct tmpfs_opts {
	u64 max_pages, max_inodes; /* 0: no limit */
	u32 mode, uid, gid;
};

/* percent of memory, one inode per page of memory at most, mode 1777. */
void tmpfs_opts_default(struct tmpfs_opts *o, u32 percent);
/* Changes what data names; -EINVAL for unknown options and bad numbers. data may be NULL. */
int must_check tmpfs_opts_parse(const char *data, struct tmpfs_opts *o);
void tmpfs_opts_show(const struct tmpfs_opts *o, const struct inode *root, struct strbuf *out);
