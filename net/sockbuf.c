// SPDX-License-Identifier: Apache-2.0
/*
 * sockbuf - a piece of queued socket data
 *
 * Rules     Data is copied exactly once in and once out.
 * Missing   Messages beyond the page allocator's mercy: data of one buffer is contiguous.
 */
#include "net/sockbuf.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "net/unix_impl.h"

int sockbuf_from_iov(struct iov_cursor *src, u32 n, struct sockbuf **out)
{
	struct sockbuf *b = kmalloc(sizeof *b + n);
	int ret;

	if (!b)
		return -ENOBUFS;
	*b = (struct sockbuf){ .len = n };
	list_init(&b->link);
	ret = n ? iov_get(src, b->data, n) : 0;
	if (ret) {
		kfree(b);
		return ret;
	}
	*out = b;
	return 0;
}

void sockbuf_free(struct sockbuf *b)
{
	unix_scm_landed(&b->scm);
	scm_fini(&b->scm);
	unix_addr_put(b->from);
	kfree(b);
}
