// SPDX-License-Identifier: Apache-2.0
/*
 * dirent - Linux ABI: directory entries
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       getdents64(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

struct linux_dirent64 {
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type;
	char d_name[];
};

/* getdents(2): the type follows the name's NUL as the last byte of the record. */
struct linux_dirent {
	u64 d_ino;
	u64 d_off;
	u16 d_reclen;
	char d_name[];
};

#define DT_UNKNOWN 0
#define DT_FIFO	   1
#define DT_CHR	   2
#define DT_DIR	   4
#define DT_BLK	   6
#define DT_REG	   8
#define DT_LNK	   10
#define DT_SOCK	   12
#define DT_WHT	   14
