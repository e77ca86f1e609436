// SPDX-License-Identifier: Apache-2.0
/*
 * scm - control messages of sockets: descriptors and credentials
 *
 * Rules     An scm that holds files owns one reference of each. scm_fini() is always safe.
 * See       unix(7), cmsg(3)
 */
#pragma once

#include "guestkernel/kapi/user.h"
#include "guestkernel/uapi/socket.h"

struct file;
struct user_account;
struct socket;

struct scm {
	struct file **files;
	u32 nr_files;
	struct ucred cred;	    /* sending: the sender's, or what it claimed */
	bool has_cred;		    /* received together with the data */
	bool claimed;		    /* SCM_CREDENTIALS was given */
	struct user_account *payer; /* in flight: whose account nr_files are on */
};

#define SCM_NOBODY 65534u /* the ids of a sender nobody asked for */

void scm_fini(struct scm *s);
/* Parses what an application sends. -EINVAL, -EBADF, -EPERM, -ESRCH. */
int must_check scm_parse(struct scm *s, uaddr_t control, u64 len);
/* The current task's credentials. */
void scm_self(struct ucred *c);
/* Stores what was received at control (room *len), installs descriptors; *len: bytes used; sets MSG_CTRUNC in
 * *flags when something did not fit. cloexec for the new descriptors. */
int must_check scm_store(struct socket *sk, struct scm *s, uaddr_t control, u64 *len, bool cloexec,
			 u32 *flags);
/* Copies with new references (MSG_PEEK); sockets in flight: through unix_scm_peek(). */
int must_check scm_copy(struct scm *dst, const struct scm *src);
