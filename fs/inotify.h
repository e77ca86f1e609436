// SPDX-License-Identifier: Apache-2.0
/*
 * inotify - the files behind inotify_init1(2); events come in through fs/notify.h
 */
#pragma once

#include "fs/inode.h"

/* flags: IN_NONBLOCK. */
int must_check inotify_create(u32 flags, struct file **out);
bool file_is_inotify(const struct file *f);
/* The watch descriptor (> 0) or -errno; changes an existing watch of the inode. mask as the call got it. */
int must_check inotify_add(struct file *f, struct inode *inode, u32 mask);
int must_check inotify_remove(struct file *f, s32 wd);
