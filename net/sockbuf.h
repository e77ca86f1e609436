// SPDX-License-Identifier: Apache-2.0
/*
 * sockbuf - a piece of queued socket data
 *
 * Role      One message, or one write to a stream, with what travels along: descriptors, credentials, address.
 * Rules     Whoever takes it off a queue frees it. data lies behind the structure.
 */
#pragma once

#include "guestkernel/kapi/list.h"
#include "guestkernel/kapi/user.h"
#include "net/scm.h"

struct unix_addr;

#define SOCKBUF_OVERHEAD 256u /* charged on top of the data */

/*
 * INVARIANTS
 * - Has one owner at a time: who made it, until it is queued; the queue; who took it off. The owner frees it, with no
 *   spinlock held, because what scm holds may be the last reference of anything.
 * - len and data never change; off only grows, under the receiver's lock, up to len (then it is spent).
 * - scm.files are references. While scm.payer is set they are in flight: counted by unix_gc.c and on that account.
 */
struct sockbuf {
	struct list link;
	u32 len; /* bytes of data */
	u32 off; /* of them taken by readers */
	struct scm scm;
	struct unix_addr *from; /* referenced, or NULL */
	u8 data[];
};

/* Copies n bytes from src; -EFAULT, -ENOBUFS. */
int must_check sockbuf_from_iov(struct iov_cursor *src, u32 n, struct sockbuf **out);
void sockbuf_free(struct sockbuf *b);
static inline u32 sockbuf_charge(const struct sockbuf *b)
{
	return b->len + SOCKBUF_OVERHEAD;
}
