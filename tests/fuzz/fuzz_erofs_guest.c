// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_erofs_guest - the kernel's EROFS reader on damaged images
 *
 * Role      The input is a list of patches for a good image (erofs_guest.img): three bytes of offset, one of
 *           value, so that a few bytes reach any structure. The image is then mounted and read completely.
 */
#include "fs/erofs.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/string.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

__asm__(".section .rodata\n.balign 4096\nerofs_image:\n.incbin \"" EROFS_IMAGE
	"\"\nerofs_image_end:\n.previous");
extern const u8 erofs_image[], erofs_image_end[];

#define IMAGE_MAX   (1u << 20)
#define OBJECTS_MAX 400

static u8 image[IMAGE_MAX] __attribute__((aligned(4096)));
static u32 objects;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

noreturn_fn void unit_fail(const char *expr, const char *file, int line)
{
	panic("%s:%d: %s", file, line, expr);
}

struct crawler {
	struct dir_ctx ctx;
	struct inode *dir;
	u32 depth;
};

static void crawl(struct inode *dir, u32 depth);

static void read_file(struct inode *inode)
{
	struct file f = { .inode = inode, .priv = inode };
	static u8 buf[20000];
	struct pager_page pp[1];
	paddr_t first;
	struct iov_cursor c;
	s64 pos = 0;
	u32 n;

	iov_init_kernel(&c, buf, sizeof buf);
	(void)!inode->fops->read(&f, &c, &pos);
	n = inode->pages.pager.ops->get_window(&inode->pages.pager, 0, 4, &first);
	if (n)
		CHECK(first.pa >= 0x40000000 && first.pa + n * 4096 <= 0x40000000 + IMAGE_MAX);
	if (!inode->pages.pager.ops->get_page(&inode->pages.pager, inode->size >> 12, false, pp) &&
	    pp[0].page)
		page_put(pp[0].page);
}

static bool crawl_emit(struct dir_ctx *ctx, const char *s, u32 len, u64 ino, u8 type, s64 next)
{
	struct crawler *c = container_of(ctx, struct crawler, ctx);
	struct name n = name_make(s, len);
	char value[64], list[256];
	struct inode *inode;

	CHECK(len && len <= NAME_LEN_MAX);
	if (objects++ > OBJECTS_MAX)
		return false;
	if (c->dir->ops->lookup(c->dir, &n, &inode))
		return true;
	(void)!inode->ops->listxattr(inode, list, sizeof list);
	(void)!inode->ops->getxattr(inode, "user.a", value, sizeof value);
	if (S_ISREG(inode->mode))
		read_file(inode);
	else if (S_ISDIR(inode->mode))
		crawl(inode, c->depth + 1);
	inode_put(inode);
	return true;
}

static void crawl(struct inode *dir, u32 depth)
{
	struct crawler c = {
		.ctx = {.emit = crawl_emit, .pos = 2},
			 .dir = dir, .depth = depth
	};

	if (depth < 5)
		(void)!dir->ops->iterate(dir, &c.ctx);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct erofs_window w = { .base = image, .gpa = 0x40000000 };
	struct super *sb;

	w.len = MIN((u64)(erofs_image_end - erofs_image), (u64)IMAGE_MAX);
	memcpy(image, erofs_image, w.len);
	for (size_t i = 0; i + 4 <= size; i += 4) {
		u32 off = data[i] | data[i + 1] << 8 | data[i + 2] << 16;

		image[off % w.len] = data[i + 3];
	}
	if (size % 4 == 1)
		w.len = w.len * data[size - 1] / 256;
	objects = 0;
	if (erofs_create_layer(&w, &sb))
		return 0;
	crawl(sb->root, 0);
	super_put(sb);
	CHECK(host_blocks_in_use() == 0 && host_pages_in_use() == 0);
	return 0;
}
