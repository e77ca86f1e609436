// SPDX-License-Identifier: Apache-2.0
/*
 * vfs_host - see vfs_host.h
 *
 * Missing   Devices and FIFOs cannot be opened (ENXIO); nothing is mapped, so unmapping does nothing.
 */
#include "tests/lib/vfs_host.h"

#include "guestkernel/kapi/fsctx.h"
#include "fs/notify.h"
#include "fs/pagecache.h"
#include "fs/tmpfs.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

atomic_t notify_nr_marks;
static struct fs_ctx *fs_ctx;
static struct fdtable *fds;

void notify_inode(struct inode *inode, u32 mask, const char *name, u32 cookie)
{
}

void notify_inode_gone(struct inode *inode)
{
}

u32 notify_next_cookie(void)
{
	return 1;
}

void notify_dentry(struct dentry *d, u32 mask)
{
}

int chrdev_open(struct inode *inode, struct file *f)
{
	return -ENXIO;
}

int fifo_open(struct inode *inode, struct file *f)
{
	return -ENXIO;
}

void fifo_evict(struct inode *inode)
{
}

void epoll_forget_file(struct file *f)
{
}

void pager_unmap(struct pager *p, u64 pgoff, u64 npages, bool private_too)
{
}

struct ns *current_ns(enum ns_kind kind)
{
	return &mount_ns_init.ns;
}

void ns_init(struct ns *ns, enum ns_kind kind, void (*free)(struct ns *ns))
{
	refs_init(&ns->refs, 1);
	ns->kind = kind;
	ns->free = free;
}

struct fs_ctx *current_fs(void)
{
	return fs_ctx;
}

struct fdtable *current_fds(void)
{
	return fds;
}

void vfs_host_start(const struct fs_type *t, const struct mount_args *a)
{
	static bool is_initialised;

	if (!is_initialised)
		CHECK(vfs_init() == 0);
	is_initialised = true;
	CHECK(vfs_mount_root(t, a) == 0);
	CHECK(fs_ctx_create(&fs_ctx) == 0);
	CHECK(fdtable_create(&fds) == 0);
}

void vfs_host_stop(void)
{
	struct mount_ns *ns = &mount_ns_init;
	struct mount *root = ns->root;

	fdtable_put(fds);
	fs_ctx_put(fs_ctx);
	ns->root = NULL;
	list_del(&root->ns_link);
	ns->nr_mounts--;
	CHECK(ns->nr_mounts == 0);
	mount_put(root);
	/* The internal mount of anonymous files stays: super block, inode, dentry, mount, name. */
	CHECK(host_blocks_in_use() == 5);
	CHECK(host_pages_in_use() == 0);
}

struct inode *vh_layer_add(struct super *sb, struct inode *dir, const char *name, const void *data,
			   size_t n)
{
	struct new_inode ni = { .mode = data ? S_IFREG | 0644 : S_IFDIR | 0755 };
	struct name nm = name_make(name, strlen(name));
	struct inode *inode;
	struct iov_cursor c;
	s64 pos = 0;

	CHECK(tmpfs_layer_new(sb, &ni, &inode) == 0);
	CHECK(tmpfs_layer_put(dir, &nm, inode) == 0);
	if (data) {
		iov_init_kernel(&c, (void *)(u64)data, n);
		CHECK(pagecache_write(inode, &c, &pos) == (s64)n);
	}
	inode_put(inode);
	return inode;
}

int vh_open(const char *path, u32 flags, u32 mode, struct file **out)
{
	struct open_how how = { .flags = flags, .mode = mode };

	return vfs_open(AT_FDCWD, path, &how, out);
}

int vh_try(const char *path, u32 flags)
{
	struct file *f;
	int err = vh_open(path, flags, 0644, &f);

	if (!err)
		file_put(f);
	return err;
}

int vh_write(const char *path, const char *text)
{
	return vfs_write_file(path, text, strlen(text), 0644);
}

s64 vh_read(const char *path, char *buf, size_t size)
{
	struct iov_cursor c;
	struct file *f;
	s64 pos = 0, n = vh_open(path, O_RDONLY, 0, &f);

	if (n)
		return n;
	iov_init_kernel(&c, buf, size - 1);
	n = file_read(f, &c, &pos);
	file_put(f);
	if (n >= 0)
		buf[n] = 0;
	return n;
}

static int stat_lookup(const char *path, u32 lookup, struct kstat *st)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, path, lookup, &p);

	if (err)
		return err;
	err = vfs_getattr(&p, st);
	path_put(&p);
	return err;
}

int vh_stat(const char *path, struct kstat *st)
{
	return stat_lookup(path, LOOKUP_FOLLOW, st);
}

int vh_lstat(const char *path, struct kstat *st)
{
	return stat_lookup(path, 0, st);
}

#define LIST_MAX 256

struct lister {
	struct dir_ctx ctx;
	char names[LIST_MAX][NAME_LEN_MAX + 1];
	u32 nr;
};

static bool list_emit(struct dir_ctx *ctx, const char *name, u32 len, u64 ino, u8 type, s64 next)
{
	struct lister *l = container_of(ctx, struct lister, ctx);
	u32 at = l->nr;

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	CHECK(l->nr < LIST_MAX);
	while (at && (memcmp(l->names[at - 1], name, len) > 0 ||
		      (!memcmp(l->names[at - 1], name, len) && l->names[at - 1][len]))) {
		memcpy(l->names[at], l->names[at - 1], NAME_LEN_MAX + 1);
		at--;
	}
	memcpy(l->names[at], name, len);
	l->names[at][len] = 0;
	l->nr++;
	return true;
}

int vh_list(const char *path, char *buf, size_t size)
{
	static struct lister l;
	struct file *f;
	size_t used = 0;
	int err = vh_open(path, O_RDONLY | O_DIRECTORY, 0, &f);

	if (err)
		return err;
	l.ctx = (struct dir_ctx){ .emit = list_emit };
	l.nr = 0;
	err = f->ops->iterate(f, &l.ctx);
	file_put(f);
	buf[0] = 0;
	for (u32 i = 0; i < l.nr && !err; i++) {
		CHECK(used + strlen(l.names[i]) + 2 <= size);
		used += (size_t)snprintf(buf + used, size - used, "%s ", l.names[i]);
	}
	return err;
}

int vh_chdir(const char *path)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (err)
		return err;
	fs_ctx_set_cwd(fs_ctx, &p);
	path_put(&p);
	return 0;
}
