// SPDX-License-Identifier: Apache-2.0
/* exec - execve and the start of process 1 */
#pragma once

#include "guestkernel/task/task.h"

/* Argument strings one after the other, each with its NUL, in pages. */
struct arg_buf {
	u8 **chunk;
	u32 nr_chunks, cap_chunks;
	u64 len;
	u32 count;
};

void arg_buf_fini(struct arg_buf *b);
/* An application's vector of strings; limit: bytes for strings and pointers together. */
int must_check arg_buf_from_user(struct arg_buf *b, uaddr_t vec, u64 *limit);
int must_check arg_buf_add(struct arg_buf *b, const char *s);

struct exec_req {
	s32 dirfd;
	u32 at_flags;
	const char *open_name; /* below dirfd; "": dirfd itself */
	const char *
		name; /* what the program is told, and its interpreter: /dev/fd/N/open_name when dirfd counts */
	struct arg_buf *argv, *env;
};
/* 0: regs lead into the new program. -errno: nothing has changed; or *lost: there is nothing to go back to, and the
 * caller ends the group with SIGSEGV when it has freed what it holds. */
int must_check task_exec(struct regs *r, const struct exec_req *q, bool *lost);
/* vdso.c: maps the vDSO, address of its ELF header in *base (0: none). */
int must_check vdso_map(struct aspace *mm, u64 *base);
