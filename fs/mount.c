// SPDX-License-Identifier: Apache-2.0
/*
 * mount - the mount tree: attach, detach, find, and what the kernel mounts at boot
 *
 * Role      Path walk asks mount_find_locked(); mount(2) and friends are in mount_ops.c, texts in mount_show.c.
 * Rules     See mount.h. A mount is alive while referenced; unmounting takes it out of the tree, the last
 *           reference frees it and its hold on the super block.
 * Locking   Tree changes under ns->lock, links under dcache_lock as well.
 * Missing   propagation
 * See       mount_namespaces(7)
 */
#include "fs/mount.h"

#include "fs/anonfs.h"
#include "guestkernel/kapi/fsctx.h"
#include "fs/mount_tree.h"
#include "fs/namei.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/strbuf.h"
#include "guestkernel/uapi/mount.h"

#define MOUNT_BUCKETS 4096u
#define FS_TYPES_MAX  32

struct mount_ns mount_ns_init = {
	.ns = {.refs = { ATOMIC_INIT(REFS_SATURATED) }, .kind = NS_MNT, .ino = 4026531841ull},
};
static struct mount *mount_hash[MOUNT_BUCKETS];	  /* [dcache_lock] by (parent, mountpoint) */
static struct mount *mount_points[MOUNT_BUCKETS]; /* [dcache_lock] by mountpoint */
static const struct fs_type *fs_types[FS_TYPES_MAX];
static u32 nr_fs_types;
static atomic_t next_mount_id;

void mount_ns_setup(struct mount_ns *ns)
{
	mutex_init(&ns->lock, RANK_MOUNT_TREE);
	list_init(&ns->mounts);
	waitq_init(&ns->changed);
}

int vfs_init(void)
{
	mount_ns_setup(&mount_ns_init);
	return anonfs_init();
}

void fs_type_add(const struct fs_type *t)
{
	BUG_ON(nr_fs_types == FS_TYPES_MAX);
	fs_types[nr_fs_types++] = t;
}

const struct fs_type *fs_type_find(const char *name, size_t len)
{
	for (u32 i = 0; i < nr_fs_types; i++)
		if (strlen(fs_types[i]->name) == len && !memcmp(fs_types[i]->name, name, len))
			return fs_types[i];
	return NULL;
}

void fs_types_show(struct strbuf *sb)
{
	for (u32 i = 0; i < nr_fs_types; i++)
		strbuf_printf(sb, "%s\t%s\n", fs_types[i]->no_dev ? "nodev" : "",
			      fs_types[i]->name);
}

static struct mount **mount_bucket(const struct mount *mnt, const struct dentry *d)
{
	u64 x = ((u64)mnt >> 4) * 0x9e3779b97f4a7c15ull ^ ((u64)d >> 4);

	x *= 0xd6e8feb86659fd93ull;
	return &mount_hash[(x >> 32) & (MOUNT_BUCKETS - 1)];
}

static struct mount **point_bucket(const struct dentry *d)
{
	return &mount_points[(((u64)d >> 4) * 0x9e3779b97f4a7c15ull >> 32) & (MOUNT_BUCKETS - 1)];
}

struct mount *mount_find_locked(struct mount *mnt, struct dentry *d)
{
	struct mount *m;

	for (m = *mount_bucket(mnt, d); m; m = m->hash_next)
		if (m->parent == mnt && m->mountpoint == d)
			return m;
	return NULL;
}

void path_climb(struct path *p)
{
	struct mount *m;

	for (;;) {
		spin_lock(&dcache_lock);
		m = p->dentry->flags & DENTRY_MOUNTED ? mount_find_locked(p->mnt, p->dentry) : NULL;
		if (m)
			mount_get(m);
		spin_unlock(&dcache_lock);
		if (!m)
			return;
		path_put(p);
		p->mnt = m;
		p->dentry = dentry_get(m->root);
	}
}

int mount_want_write(const struct mount *m)
{
	return m->flags & MNT_RDONLY || m->sb->flags & MS_RDONLY ? -EROFS : 0;
}

int mount_get_write(struct mount *m)
{
	int err;

	atomic_add(&m->writers, 1);
	atomic_add(&m->sb->writers, 1);
	smp_mb();
	err = mount_want_write(m);
	if (err)
		mount_put_write(m);
	return err;
}

void mount_put_write(struct mount *m)
{
	atomic_sub(&m->sb->writers, 1);
	atomic_sub(&m->writers, 1);
}

int mount_create(struct super *sb, const char *source, u32 mnt_flags, struct mount **out)
{
	struct mount *m = knew(struct mount);
	int err = -ENOMEM;

	if (!m)
		return -ENOMEM;
	m->source = kstrdup(source ? source : "none");
	if (!m->source)
		goto free;
	if (!sb->root_dentry) {
		err = dentry_create_root(inode_get(sb->root), "/", sb, &sb->root_dentry);
		if (err) {
			inode_put(sb->root);
			goto free;
		}
	}
	refs_init(&m->refs, 1);
	m->flags = mnt_flags;
	m->id = atomic_add(&next_mount_id, 1);
	m->sb = sb;
	m->root = dentry_get(sb->root_dentry);
	list_init(&m->children);
	list_init(&m->child_link);
	list_init(&m->ns_link);
	*out = m;
	return 0;
free:
	kfree(m->source);
	kfree(m);
	return err;
}

int mount_clone(const struct mount *src, struct dentry *root, struct mount **out)
{
	struct mount *m;
	int err;

	err = mount_create(super_get(src->sb), src->source, src->flags & MNT_COPIED, &m);
	if (err) {
		super_put(src->sb);
		return err;
	}
	dentry_put(m->root);
	m->root = dentry_get(root);
	m->copy_of = src->id;
	*out = m;
	return 0;
}

void mount_put(struct mount *m)
{
	if (!refs_put(&m->refs))
		return;
	dentry_put(m->root);
	super_put(m->sb);
	kfree(m->source);
	kfree(m);
}

void mount_changed(struct mount_ns *ns)
{
	ns->event++;
	wake_events(&ns->changed, POLLERR | POLLPRI);
}

void mount_attach(struct mount_ns *ns, struct mount *m, const struct path *at)
{
	struct mount **bucket = mount_bucket(at->mnt, at->dentry);

	dentry_get(at->dentry);
	spin_lock(&dcache_lock);
	m->parent = at->mnt;
	m->mountpoint = at->dentry;
	m->hash_next = *bucket;
	*bucket = m;
	bucket = point_bucket(at->dentry);
	m->point_next = *bucket;
	*bucket = m;
	at->dentry->flags |= DENTRY_MOUNTED;
	dcache_move_seq++;
	spin_unlock(&dcache_lock);
	list_add_tail(&at->mnt->children, &m->child_link);
	if (ns && !m->ns)
		mount_tree_join(ns, m);
}

void mount_tree_join(struct mount_ns *ns, struct mount *top)
{
	struct mount *m = top;

	for (;;) {
		m->ns = ns;
		list_add_tail(&ns->mounts, &m->ns_link);
		ns->nr_mounts++;
		if (!list_empty(&m->children)) {
			m = list_first(&m->children, struct mount, child_link);
			continue;
		}
		while (m != top && m->child_link.next == &m->parent->children)
			m = m->parent;
		if (m == top)
			return;
		m = list_entry(m->child_link.next, struct mount, child_link);
	}
}

/* Leaves first, so that parents stay valid while their children go. */
void mount_umount_tree(struct mount *top, struct list *dead)
{
	struct mount *m = top, *parent;

	for (;; m = parent) {
		while (!list_empty(&m->children))
			m = list_first(&m->children, struct mount, child_link);
		parent = m->parent;
		if (m->ns)
			m->ns->nr_mounts--;
		list_del(&m->ns_link);
		list_add_tail(dead, &m->ns_link);
		m->ns = NULL;
		m->flags |= MNT_UNMOUNTED;
		if (parent)
			dentry_put(mount_detach(m));
		if (m == top)
			return;
	}
}

void mount_put_dead(struct list *dead)
{
	struct mount *m;

	while ((m = list_first(dead, struct mount, ns_link))) {
		list_del(&m->ns_link);
		mount_put(m);
	}
}

void mount_ns_empty(struct mount_ns *ns)
{
	struct list dead = LIST_INIT(dead);

	mutex_lock(&ns->lock);
	mount_umount_tree(ns->root, &dead);
	ns->root = NULL;
	mutex_unlock(&ns->lock);
	mount_put_dead(&dead);
}

/* The caller puts the mount point's dentry, which is returned. */
struct dentry *mount_detach(struct mount *m)
{
	struct dentry *d = m->mountpoint;
	struct mount **p;
	bool used = false;

	list_del(&m->child_link);
	spin_lock(&dcache_lock);
	for (p = mount_bucket(m->parent, d); *p != m; p = &(*p)->hash_next)
		BUG_ON(!*p);
	*p = m->hash_next;
	for (p = point_bucket(d); *p != m; p = &(*p)->point_next)
		BUG_ON(!*p);
	*p = m->point_next;
	/* The flag stays while the dentry carries a mount seen through another bind mount. */
	for (struct mount *o = *point_bucket(d); o && !used; o = o->point_next)
		used = o->mountpoint == d;
	if (!used)
		d->flags &= ~(u32)DENTRY_MOUNTED;
	m->parent = NULL;
	m->mountpoint = NULL;
	m->hash_next = NULL;
	dcache_move_seq++;
	spin_unlock(&dcache_lock);
	return d;
}

int vfs_mount_root(const struct fs_type *t, const struct mount_args *a)
{
	struct mount_ns *ns = &mount_ns_init;
	struct super *sb;
	struct mount *m;
	int err = t->mount(t, a, &sb);

	if (err)
		return err;
	err = mount_create(sb, a->source ? a->source : t->name, mount_flags_from_ms(a->flags), &m);
	if (err) {
		super_put(sb);
		return err;
	}
	mutex_lock(&ns->lock);
	ns->root = m;
	mount_tree_join(ns, m);
	mutex_unlock(&ns->lock);
	return 0;
}

int vfs_mkdir_p(const char *path, u32 mode)
{
	char buf[256];
	size_t len = strlen(path);
	int err = 0;

	if (len >= sizeof buf)
		return -ENAMETOOLONG;
	memcpy(buf, path, len + 1);
	for (char *p = buf + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		err = vfs_mkdirat(AT_FDCWD, buf, 0755);
		*p = '/';
		if (err && err != -EEXIST)
			return err;
	}
	err = vfs_mkdirat(AT_FDCWD, buf, mode);
	return err == -EEXIST ? 0 : err;
}

int vfs_kern_mount(const char *fs_name, const char *target, u32 flags, const char *data,
		   const void *kdata)
{
	struct mount_args a = { .source = fs_name, .data = data, .kdata = kdata, .flags = flags };
	struct path at;
	int err;

	err = path_lookup(AT_FDCWD, target, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &at);
	if (err == -ENOENT) {
		err = vfs_mkdir_p(target, 0755);
		if (!err)
			err = path_lookup(AT_FDCWD, target, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &at);
	}
	if (err)
		return err;
	err = mount_new(fs_name, &a, &at);
	path_put(&at);
	return err;
}

int vfs_write_file(const char *path, const void *data, size_t n, u32 mode)
{
	struct open_how how = { .flags = O_WRONLY | O_CREAT | O_TRUNC, .mode = mode };
	struct iov_cursor c;
	struct file *f;
	s64 pos = 0, done;
	int err = vfs_open(AT_FDCWD, path, &how, &f);

	if (err)
		return err;
	iov_init_kernel(&c, (void *)(u64)data, n);
	done = file_write(f, &c, &pos);
	file_put(f);
	if (done < 0)
		return (int)done;
	return (size_t)done == n ? 0 : -ENOSPC;
}
