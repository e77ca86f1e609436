// SPDX-License-Identifier: Apache-2.0
/*
 * memdev - /dev/null, zero, full, random, urandom
 *
 * Role      Devices without state, all of major 1.
 * Missing   RNDADDENTROPY and relatives (the monitor seeds the generator); /dev/mem, /dev/kmsg.
 * See       null(4), full(4), random(4)
 */
#include "fs/devfs.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/pager.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/uapi/fcntl.h"

#define RNDGETENTCNT 0x80045200u
#define RANDOM_CHUNK 256u

static s64 null_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	return 0;
}

static s64 null_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	s64 n = (s64)iov_left(src);

	iov_skip(src, (u64)n);
	return n;
}

static s64 null_lseek(struct file *f, s64 off, s32 whence)
{
	return 0;
}

static s64 zero_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	s64 done = 0, n;

	while (iov_left(dst)) {
		n = iov_zero_some(dst, MIN(iov_left(dst), (u64)1 << 20));
		if (n <= 0)
			return done ? done : n;
		done += n;
		if (signal_pending())
			break;
	}
	return done;
}

static int zero_mmap(struct file *f, struct mmap_req *req)
{
	u64 end = req->off_bytes + req->len_bytes;

	if (end < req->off_bytes)
		return -EINVAL;
	return pager_create_anon(ALIGN_UP(end, PAGE_SIZE) >> PAGE_SHIFT, &req->pager);
}

static s64 full_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	return iov_left(src) ? -ENOSPC : 0;
}

static s64 random_read(struct file *f, struct iov_cursor *dst, s64 *pos)
{
	u8 buf[RANDOM_CHUNK];
	s64 done = 0, n;

	while (iov_left(dst)) {
		n = (s64)MIN((u64)sizeof buf, iov_left(dst));
		rand_bytes(buf, (size_t)n);
		n = iov_put_some(dst, buf, (size_t)n);
		if (n <= 0)
			return done ? done : n;
		done += n;
		if (signal_pending())
			break;
	}
	return done;
}

static s64 random_write(struct file *f, struct iov_cursor *src, s64 *pos)
{
	u8 buf[64];
	s64 done = 0, n;

	while (iov_left(src)) {
		n = iov_get_some(src, buf, MIN((u64)sizeof buf, iov_left(src)));
		if (n <= 0)
			return done ? done : n;
		rand_reseed(buf, (size_t)n);
		done += n;
		if (signal_pending())
			break;
	}
	return done;
}

static s64 random_ioctl(struct file *f, u32 cmd, u64 arg)
{
	return cmd == RNDGETENTCNT ? put_user(UADDR(arg), (s32)256) : -EINVAL;
}

static const struct file_ops null_ops = {
	.read = null_read,
	.write = null_write,
	.lseek = null_lseek,
	.can_splice_to = true,
};

static const struct file_ops zero_ops = {
	.read = zero_read,
	.write = null_write,
	.lseek = null_lseek,
	.mmap = zero_mmap,
	.can_splice_from = true,
	.can_splice_to = true,
};

static const struct file_ops full_ops = {
	.read = zero_read,
	.write = full_write,
	.lseek = null_lseek,
	.can_splice_from = true,
};

static const struct file_ops random_ops = {
	.read = random_read,
	.write = random_write,
	.ioctl = random_ioctl,
	.lseek = null_lseek,
	.can_splice_from = true,
	.can_splice_to = true,
};

const struct file_ops *memdev_ops(u32 minor)
{
	switch (minor) {
	case 3:
		return &null_ops;
	case 5:
		return &zero_ops;
	case 7:
		return &full_ops;
	case 8:
	case 9:
		return &random_ops;
	default:
		return NULL;
	}
}
