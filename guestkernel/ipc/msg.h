// SPDX-License-Identifier: Apache-2.0
/*
 * msg - System V message queues
 *
 * Role      Behind msgget, msgsnd, msgrcv and msgctl (sys/sys_ipc.c).
 */
#pragma once

#include "guestkernel/kapi/list.h"
#include "guestkernel/kapi/types.h"
#include "guestkernel/uapi/msg.h"

struct msg_text {
	struct list link;
	s64 type; /* as in struct msgbuf: type, then text */
	u8 text[];
};

s64 msg_get(s32 key, u32 flags);
/* A message with room for n bytes of text, for the caller to fill. */
int must_check msg_alloc(size_t n, struct msg_text **out);
/* Takes over m on success. */
int must_check msg_send(s32 id, struct msg_text *m, size_t n, u32 flags);
void msg_free(struct msg_text *m);
/* *m is the caller's to msg_free(), *n its length. */
int must_check msg_receive(s32 id, size_t max, s64 type, u32 flags, struct msg_text **m, size_t *n);
s64 msg_stat(s32 id, u32 cmd, struct msqid64_ds *out);
int must_check msg_set(s32 id, const struct msqid64_ds *ds);
int must_check msg_remove(s32 id);
/* The highest slot. usage: MSG_INFO instead of IPC_INFO. */
s32 msg_info(struct msginfo *out, bool usage);
