// SPDX-License-Identifier: Apache-2.0
/*
 * unix_path - names of AF_UNIX sockets in the file system
 *
 * Role      net/af_unix.c knows no path walk; fs/unix_path.c does and implements these. A bound socket is
 *           found again by the inode its name leads to.
 */
#pragma once

#include "guestkernel/kapi/file.h"

/* Creates an S_IFSOCK node at name (NUL-terminated) with the mode of socket file f (fchmod(2) may have changed it)
 * less the umask of the current task. out holds references. -EADDRINUSE when it exists. */
int must_check unix_path_bind(const char *name, const struct file *f, struct path *out);
/* The inode a name leads to, following links, with write permission checked. -ECONNREFUSED when it is not a
 * socket. out holds references; *ino is the inode pointer used as key. */
int must_check unix_path_lookup(const char *name, struct path *out);
/* Identity of what a path leads to. */
struct inode *unix_path_inode(const struct path *p);
void unix_path_put(struct path *p);
