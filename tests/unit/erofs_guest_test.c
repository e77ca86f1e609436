// SPDX-License-Identifier: Apache-2.0
/* erofs_guest_test - the kernel's EROFS reader on an image made by mkfs.erofs, whole and damaged */
#include "fs/erofs.h"
#include "fs/xattr.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"
#include "tests/lib/vfs_host.h"

/* Made by make_erofs.py: see there for the contents. */
__asm__(".section .rodata\n.balign 4096\nerofs_image:\n.incbin \"" EROFS_IMAGE
	"\"\nerofs_image_end:\n.previous");
extern const u8 erofs_image[], erofs_image_end[];

static u8 copy[1 << 20] __attribute__((aligned(4096)));

static struct erofs_window whole(void)
{
	return (struct erofs_window){ .base = erofs_image,
				      .len = (u64)(erofs_image_end - erofs_image),
				      .gpa = 0x40000000 };
}

static void start(const struct erofs_window *w)
{
	const struct mount_args a = { .source = "image", .kdata = w };

	vfs_host_start(&erofs_fs_type, &a);
}

TEST(files_links_and_devices_are_as_they_were_packed)
{
	struct erofs_window w = whole();
	char buf[64];
	struct kstat st;

	start(&w);
	CHECK(vh_read("/small", buf, sizeof buf) == 6);
	CHECK_STR(buf, "small\n");
	CHECK(vh_read("/link", buf, sizeof buf) == 6);
	CHECK(vh_stat("/empty", &st) == 0 && st.size == 0 && (st.mode & S_IALLUGO) == 0600);
	CHECK(vh_stat("/big", &st) == 0 && st.size == 3 * 4096 + 100);
	CHECK(vh_lstat("/link", &st) == 0 && S_ISLNK(st.mode) && st.size == 9);
	CHECK(vh_lstat("/fifo", &st) == 0 && S_ISFIFO(st.mode));
	CHECK(vh_stat("/hard", &st) == 0 && st.nlink == 2);
	CHECK(vh_try("/none", O_RDONLY) == -ENOENT && vh_try("/dir/none", O_RDONLY) == -ENOENT);
	CHECK(vh_try("/small", O_WRONLY) == -EROFS && vh_try("/new", O_CREAT | O_WRONLY) == -EROFS);
	vfs_host_stop();
}

TEST(every_name_of_a_large_directory_is_found)
{
	struct erofs_window w = whole();
	char path[32], list[256 * 16];
	u32 words = 0;

	start(&w);
	for (u32 i = 0; i < 200; i++) {
		snprintf(path, sizeof path, "/dir/name%u", i);
		CHECK(vh_try(path, O_RDONLY) == 0);
	}
	CHECK(vh_list("/dir", list, sizeof list) == 0);
	for (char *s = list; *s; s++)
		words += *s == ' ';
	CHECK(words == 200);
	vfs_host_stop();
}

TEST(data_is_read_across_blocks_and_tail)
{
	struct erofs_window w = whole();
	static u8 buf[4 * 4096];
	struct iov_cursor c;
	struct file *f;
	s64 pos = 4090;

	start(&w);
	CHECK(vh_open("/big", O_RDONLY, 0, &f) == 0);
	iov_init_kernel(&c, buf, sizeof buf);
	CHECK(file_read(f, &c, &pos) == 3 * 4096 + 100 - 4090 && pos == 3 * 4096 + 100);
	for (u32 i = 0; i < 3 * 4096 + 100 - 4090; i++)
		CHECK(buf[i] == (u8)((i + 4090) % 251));
	file_put(f);
	vfs_host_stop();
}

TEST(mappings_get_frames_of_the_window_and_a_copy_of_the_tail)
{
	struct erofs_window w = whole();
	struct pager_page pp[1];
	paddr_t first;
	struct inode *inode;
	struct path p;
	u32 n;

	start(&w);
	CHECK(path_lookup(AT_FDCWD, "/big", 0, &p) == 0);
	inode = path_inode(&p);
	n = inode->pages.pager.ops->get_window(&inode->pages.pager, 0, 8, &first);
	CHECK(n >= 3 && first.pa >= w.gpa && first.pa + n * PAGE_SIZE <= w.gpa + w.len);
	for (u32 i = 0; i < 3; i++)
		CHECK(erofs_image[first.pa - w.gpa + i * PAGE_SIZE + 5] ==
		      (u8)((i * 4096 + 5) % 251));
	CHECK(inode->pages.pager.ops->get_page(&inode->pages.pager, 1, false, pp) == 0);
	CHECK(!pp[0].page && pp[0].pa.pa == first.pa + PAGE_SIZE);
	CHECK(inode->pages.pager.ops->get_page(&inode->pages.pager, 3, false, pp) == 0);
	if (pp[0].page) {
		CHECK(((u8 *)page_kaddr(pp[0].page))[99] == (u8)((3 * 4096 + 99) % 251));
		CHECK(((u8 *)page_kaddr(pp[0].page))[100] == 0);
		page_put(pp[0].page);
	}
	CHECK(inode->pages.pager.ops->get_page(&inode->pages.pager, 4, false, pp) == -EINVAL);
	path_put(&p);
	vfs_host_stop();
}

/* Reads everything reachable, whatever it says. */
static void crawl(struct inode *dir, u32 depth);

struct crawler {
	struct dir_ctx ctx;
	struct inode *dir;
	u32 depth, seen;
};

static void crawl_one(struct inode *inode, u32 depth)
{
	char value[64], list[256];
	struct pager_page pp;

	if (inode->ops->listxattr)
		(void)!inode->ops->listxattr(inode, list, sizeof list);
	if (inode->ops->getxattr)
		(void)!inode->ops->getxattr(inode, "user.a", value, sizeof value);
	if (S_ISREG(inode->mode)) {
		struct file f = { .inode = inode, .priv = inode };
		struct iov_cursor c;
		static u8 buf[8192];
		s64 pos = 0;

		iov_init_kernel(&c, buf, sizeof buf);
		(void)!inode->fops->read(&f, &c, &pos);
		if (!inode->pages.pager.ops->get_page(&inode->pages.pager, 0, false, &pp) &&
		    pp.page)
			page_put(pp.page);
	}
	if (S_ISDIR(inode->mode))
		crawl(inode, depth);
}

static bool crawl_emit(struct dir_ctx *ctx, const char *s, u32 len, u64 ino, u8 type, s64 next)
{
	struct crawler *c = container_of(ctx, struct crawler, ctx);
	struct name n = name_make(s, len);
	struct inode *inode;

	if (!c->dir->ops->lookup(c->dir, &n, &inode)) {
		crawl_one(inode, c->depth + 1);
		inode_put(inode);
	}
	return ++c->seen < 300;
}

static void crawl(struct inode *dir, u32 depth)
{
	struct crawler c = {
		.ctx = {.emit = crawl_emit, .pos = 2},
			 .dir = dir, .depth = depth
	};

	if (depth < 4)
		(void)!dir->ops->iterate(dir, &c.ctx);
}

TEST(damage_anywhere_gives_errors_and_nothing_else)
{
	u64 seed = test_seed(), len = MIN((u64)(erofs_image_end - erofs_image), (u64)sizeof copy);
	struct super *sb;

	for (u32 round = 0; round < 300; round++) {
		struct erofs_window w = { .base = copy, .len = len, .gpa = 0x40000000 };

		memcpy(copy, erofs_image, len);
		for (u32 i = 0; i < 1 + round % 30; i++) {
			/* Mostly in the super block and the first metadata. */
			u64 off = test_rand(&seed) % (i & 1 ? len : MIN(len, 8192ull));

			copy[off] = (u8)test_rand(&seed);
		}
		if (round % 5 == 0)
			w.len = test_rand(&seed) % len;
		if (erofs_create_layer(&w, &sb))
			continue;
		crawl(sb->root, 0);
		super_put(sb);
	}
	CHECK(host_blocks_in_use() == 0 && host_pages_in_use() == 0);
}
