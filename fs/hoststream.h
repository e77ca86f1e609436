// SPDX-License-Identifier: Apache-2.0
/*
 * hoststream - the container's standard streams: as pipe-like files, or as a terminal
 *
 * Role      main.c calls one of the two ways, with what host/stream.c offers.
 */
#pragma once

#include "guestkernel/kapi/file.h"
#include "guestkernel/kapi/hoststream.h"
#include "guestkernel/uapi/ioctl.h"

/* A file that behaves as one end of a pipe. */
int must_check hoststream_file_create(struct host_stream *s, bool is_output, struct file **out);
/* Standard streams and console belong to this user from now on, so that it may open /dev/stdout and
 * /dev/pts/0 by name. */
void stdio_set_owner(u32 uid, u32 gid);

/* The console: terminal number 0, whose other side is relayed to the streams. Once. */
int must_check console_start(struct host_stream *in, struct host_stream *out,
			     const struct winsize *ws);
/* The monitor's terminal has a new size: SIGWINCH to the foreground group. */
void console_resize(u16 rows, u16 cols);
/* Its foreground process group; 0: none. */
s32 console_pgrp(void);
/* Opens it as /dev/pts/0 if that is mounted, else without a name. flags: O_RDWR | O_NOCTTY ... */
int must_check console_open(u32 flags, struct file **out);
