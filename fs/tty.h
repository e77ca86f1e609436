// SPDX-License-Identifier: Apache-2.0
/*
 * tty - terminals: what the rest of fs/ may ask
 *
 * Role      Every terminal is a pseudo-terminal: a line discipline with a slave side (files) and a master side: a
 *           file from /dev/ptmx, or the relay to the monitor's terminal (hoststream.c).
 * See       fs/tty_impl.h for the object; pty(7), termios(3), ioctl_tty(2)
 */
#pragma once

#include "fs/inode.h"
#include "guestkernel/uapi/ioctl.h"

struct tty;

#define TTY_MAX	      4096
#define TTY_PTS_MAJOR 136 /* the minor is the index, however large */

/* chrdev_open() of the devices: fill f->ops and f->priv. */
int must_check tty_open_slave(u32 index, struct file *f);
int must_check tty_open_current(struct file *f); /* /dev/tty */
int must_check tty_open_console(struct file *f);
int must_check ptmx_open(struct file *f);

/* The relay (hoststream.c): makes the console terminal, always index 0 when made first. */
int must_check tty_create_console(struct tty **out);

/* For devpts: terminal of this index with a reference, NULL when there is none or its master is closed;
 * smallest index >= from, or -1. */
struct tty *tty_find(u32 index);
s32 tty_next_index(u32 from);
struct tty *tty_get(struct tty *t);
void tty_put(struct tty *t);
bool tty_is_dead(const struct tty *t); /* the master is closed */

struct tty_owner {
	u32 uid, gid, mode; /* permission bits */
};
void tty_get_owner(struct tty *t, struct tty_owner *o);
void tty_set_owner(struct tty *t, const struct tty_owner *o);
