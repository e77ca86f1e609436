// SPDX-License-Identifier: Apache-2.0
/*
 * sysctl - numbers and words under /proc/sys that programs read and set
 *
 * Role      Whoever enforces a limit keeps it in a variable, describes it here, and names it in a row of its table
 *           (kapi/proc.h): SYSCTL_ROW(). fs/sysctl.c reads and writes the text.
 * Rules     A row without a variable that something obeys is read-only: a number that could be written and meant nothing
 *           would be a lie. Read-only rows cannot be opened for writing, by root either (EACCES).
 *           Several numbers are separated by tabs; a write may give fewer than there are. All of them are checked,
 *           then all are stored. Numbers are read as in C (0x, 0), a word ends at a newline.
 * Locking   Values are read and written in one access each, without a lock; .changed runs after that.
 */
#pragma once

#include "guestkernel/kapi/proc.h"

struct sysctl {
	void *value;	/* s32 or u64 [nr], or char[size] */
	u32 nr;		/* how many; 0: it is a word */
	u32 size;	/* of one: 4 (signed) or 8 (unsigned); of the word's buffer */
	s64 min, max;	/* max of an 8-byte one: its bits as u64 */
	u32 capability; /* + 1: needed besides the file's mode; 0: none */
	void (*changed)(void);
};

int sysctl_show(struct strbuf *sb, void *ctx);
int sysctl_store(const char *text, size_t n, void *ctx);

#define SYSCTL_ROW(path, m, knob)                                                        \
	{                                                                                \
		.name = (path), .mode = (m), .show = sysctl_show, .store = sysctl_store, \
		.data = (void *)&(knob)                                                  \
	}
/* What cannot be changed here: a text, or a number that the kernel is built with. */
#define SYSCTL_TEXT(path, text)                                              \
	{                                                                    \
		.name = "sys/" path, .mode = 0444, .show = sysctl_show_text, \
		.data = (void *)(text)                                       \
	}
int sysctl_show_text(struct strbuf *sb, void *ctx);
