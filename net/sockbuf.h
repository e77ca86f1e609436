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
