// SPDX-License-Identifier: Apache-2.0
/*
 * place - opens directories and files that nobody else could have prepared or can change
 *
 * Role      the image cache opens everything through it: what lies there becomes the root file system
 *           of a container, and a monitor run by root removes and creates files there
 * Rules     the way to the cache: each directory belongs to root or to the caller and cannot be
 *           written by others, or is sticky as /tmp is; links on it count when root or the caller
 *           made them
 *           the cache and all below: the caller's own, not writable by group or others, no links
 *           INVARIANT: who may change a part may also be trusted with all below it, so a part once
 *           checked cannot be exchanged afterwards
 */
#pragma once

#include <sys/types.h>

#include "vmm/err.h"

/* The directory at an absolute path; its last `create` components are made when missing. The last one
 * must be the caller's own. An O_PATH descriptor, or a negative error with a sentence. */
MUST_CHECK int place_open(const char *path, unsigned create, struct err *err);
/* Below a directory opened by place_open(), without following any link; what it opens must be the caller's
 * own. -errno; -EPERM where it is not. */
MUST_CHECK int place_openat(int dir_fd, const char *path, int flags, mode_t mode);
/* Makes the directory when it is missing, else checks it. */
MUST_CHECK int place_mkdirat(int dir_fd, const char *name);
