// SPDX-License-Identifier: Apache-2.0
/*
 * cred - changing credentials (kapi/cred.h for reading them)
 *
 * Rules     cred_copy() of the current ones, edit, cred_commit(): the copy's reference moves to the task.
 */
#pragma once

#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/lock.h"

struct task;

/* Bits of cred.securebits */
#define SECBIT_NOROOT		    (1u << 0)
#define SECBIT_NO_SETUID_FIXUP	    (1u << 2)
#define SECBIT_KEEP_CAPS	    (1u << 4)
#define SECBIT_NO_CAP_AMBIENT_RAISE (1u << 6)
#define SECURE_ALL_LOCKS	    0xaau
#define SECURE_ALL_BITS		    0x55u
#define CAP_FULL_SET		    ((1ull << 41) - 1)

/* Root's ids, no capabilities, no groups. NULL: no memory. */
struct cred *must_check cred_new(void);
struct cred *must_check cred_copy(const struct cred *from);
/* Sets the real uid, and the account that pays for what this uid makes. -EAGAIN: no memory. */
int must_check cred_set_uid(struct cred *c, u32 uid);
/* Makes c the current task's; a task that changed its real uid counts as the new user's from here on. */
void cred_commit(struct cred *c);
/* Is c beyond old in what keeps other processes of the same user from looking in? */
bool cred_gains(const struct cred *c, const struct cred *old);
/* Supplementary groups: copies and sorts. -ENOMEM. */
int must_check cred_set_groups(struct cred *c, const u32 *groups, u32 nr);
/* What set*uid does to capabilities (capabilities(7), "Effect of user ID changes"). */
void cred_fixup_after_setuid(struct cred *c, const struct cred *old);

struct exec_file_info;
/* Why a program must not get more than its caller had. */
enum exec_unsafe {
	UNSAFE_SHARED_FS = 1u << 0, /* another process can change its root and working directory */
	UNSAFE_TRACED = 1u << 1,    /* by somebody without CAP_SYS_PTRACE */
	UNSAFE_NO_NEW_PRIVS = 1u << 2,
};
/* The credentials a program gets by execve. */
struct exec_creds {
	struct cred *cred; /* the caller's to put until it is committed */
	bool has_file_caps, effective;
	bool secure; /* AT_SECURE; known after cred_exec_finish() */
};
int must_check cred_exec_begin(const struct exec_file_info *info, struct exec_creds *x);
/* unsafe: enum exec_unsafe. Does not sleep, does not fail. */
void cred_exec_finish(struct exec_creds *x, u32 unsafe);
