// SPDX-License-Identifier: Apache-2.0
/*
 * xattr - see xattr.h
 *
 * Locking   inode->lock shared for reading, exclusively for writing, around the driver's operations.
 * See       xattr(7), setxattr(2)
 */
#include "fs/xattr.h"

#include "fs/acl.h"
#include "fs/notify.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/xattr.h"

struct xattr_entry {
	struct list link;
	size_t size;
	struct user_account *payer;
	char *name; /* behind the value */
	u8 value[];
};

void xattr_store_init(struct xattr_store *s)
{
	list_init(&s->entries);
	s->bytes = 0;
}

static size_t entry_bytes(const char *name, size_t size)
{
	return sizeof(struct xattr_entry) + size + strlen(name) + 1;
}

static void entry_free(struct xattr_store *s, struct xattr_entry *e)
{
	size_t n = entry_bytes(e->name, e->size);

	list_del(&e->link);
	s->bytes -= n;
	charge_release(e->payer, CHARGE_KMEM, n);
	kfree(e);
}

void xattr_store_fini(struct xattr_store *s)
{
	struct xattr_entry *e;

	while ((e = list_first(&s->entries, struct xattr_entry, link)))
		entry_free(s, e);
}

static struct xattr_entry *xattr_find(const struct xattr_store *s, const char *name)
{
	struct xattr_entry *e;

	list_for_each_entry (e, &s->entries, link)
		if (!strcmp(e->name, name))
			return e;
	return NULL;
}

s64 xattr_store_get(const struct xattr_store *s, const char *name, void *value, size_t size)
{
	struct xattr_entry *e = xattr_find(s, name);

	if (!e)
		return -ENODATA;
	if (value) {
		if (size < e->size)
			return -ERANGE;
		memcpy(value, e->value, e->size);
	}
	return (s64)e->size;
}

s64 xattr_store_growth(const struct xattr_store *s, const char *name, const void *value,
		       size_t size)
{
	const struct xattr_entry *old = xattr_find(s, name);
	s64 n = value ? (s64)entry_bytes(name, size) : 0;

	return old ? n - (s64)entry_bytes(name, old->size) : n;
}

static int entry_add(struct xattr_store *s, const char *name, const void *value, size_t size)
{
	size_t n = entry_bytes(name, size);
	struct user_account *payer;
	struct xattr_entry *e;
	int ret = charge_kmem(n, &payer);

	if (ret)
		return ret;
	e = kmalloc(n);
	if (!e) {
		charge_release(payer, CHARGE_KMEM, n);
		return -ENOMEM;
	}
	e->payer = payer;
	e->size = size;
	memcpy(e->value, value, size);
	e->name = (char *)e->value + size;
	memcpy(e->name, name, n - sizeof *e - size);
	list_add_tail(&s->entries, &e->link);
	s->bytes += n;
	return 0;
}

int xattr_store_set(struct xattr_store *s, const char *name, const void *value, size_t size,
		    u32 flags)
{
	struct xattr_entry *old = xattr_find(s, name);
	int ret = 0;

	if (old && flags & XATTR_CREATE)
		return -EEXIST;
	if (!old && (!value || flags & XATTR_REPLACE))
		return -ENODATA;
	if (value)
		ret = entry_add(s, name, value, size);
	if (!ret && old)
		entry_free(s, old);
	return ret;
}

s64 xattr_store_list(const struct xattr_store *s, char *list, size_t size)
{
	struct xattr_entry *e;
	size_t need = 0, len;

	list_for_each_entry (e, &s->entries, link) {
		len = strlen(e->name) + 1;
		if (list) {
			if (need + len > size)
				return -ERANGE;
			memcpy(list + need, e->name, len);
		}
		need += len;
	}
	return (s64)need;
}

bool xattr_caps_valid(const void *value, size_t size, bool settable)
{
	u32 magic;

	if (!value || size < sizeof magic)
		return false;
	memcpy(&magic, value, sizeof magic);
	if (settable)
		magic &= ~VFS_CAP_FLAGS_EFFECTIVE;
	else
		magic &= VFS_CAP_REVISION_MASK;
	return (magic == VFS_CAP_REVISION_1 && size == XATTR_CAPS_SZ_1 && !settable) ||
	       (magic == VFS_CAP_REVISION_2 && size == XATTR_CAPS_SZ_2) ||
	       (magic == VFS_CAP_REVISION_3 && size == XATTR_CAPS_SZ_3);
}

static bool has_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(s, prefix, n) && s[n];
}

static int xattr_permission(struct inode *inode, const char *name, bool write)
{
	if (write && inode->flags & (INODE_IMMUTABLE | INODE_APPEND))
		return -EPERM;
	if (has_prefix(name, XATTR_SECURITY_PREFIX)) {
		if (!write)
			return 0;
		if (!strcmp(name, XATTR_NAME_CAPS))
			return capable(CAP_SETFCAP) ? 0 : -EPERM;
		return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	}
	if (has_prefix(name, XATTR_TRUSTED_PREFIX)) {
		if (capable(CAP_SYS_ADMIN))
			return 0;
		return write ? -EPERM : -ENODATA;
	}
	if (!has_prefix(name, XATTR_USER_PREFIX))
		return -EOPNOTSUPP;
	if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
		return write ? -EPERM : -ENODATA;
	/* In a sticky directory only the owner may attach attributes. */
	if (S_ISDIR(inode->mode) && inode->mode & S_ISVTX && write &&
	    !inode_owner_or_capable(inode))
		return -EPERM;
	return inode_permission(inode, write ? MAY_WRITE : MAY_READ);
}

s64 vfs_getxattr(const struct path *p, const char *name, void *value, size_t size)
{
	struct inode *inode = p->dentry->inode;
	enum acl_kind kind = acl_kind_of(name);
	s64 n;

	if (kind)
		return inode->ops->set_acl && !S_ISLNK(inode->mode)
			       ? acl_show(inode, kind, value, size)
			       : -EOPNOTSUPP;
	n = xattr_permission(inode, name, false);
	if (n)
		return n;
	if (!inode->ops->getxattr)
		return -EOPNOTSUPP;
	inode_lock_shared(inode);
	n = inode->ops->getxattr(inode, name, value, size);
	inode_unlock_shared(inode);
	return n;
}

static int change_acl(const struct path *p, enum acl_kind kind, const void *value, size_t size)
{
	struct inode *inode = p->dentry->inode;
	struct acl *a = NULL;
	int err = mount_want_write(p->mnt);

	if (!err && inode->flags & (INODE_IMMUTABLE | INODE_APPEND))
		err = -EPERM;
	if (!err && (!inode->ops->set_acl || S_ISLNK(inode->mode)))
		err = -EOPNOTSUPP;
	if (!err)
		err = acl_parse(value, size, &a);
	if (err)
		return err;
	inode_lock(inode);
	if (kind == ACL_DEFAULT && !inode_is_dir(inode))
		err = a ? -EACCES : 0;
	else if (!inode_owner_or_capable(inode))
		err = -EPERM;
	if (err)
		acl_put(a);
	else
		err = acl_set(inode, kind, a);
	inode_unlock(inode);
	if (!err && notify_active())
		notify_dentry(p->dentry, IN_ATTRIB);
	return err;
}

static int xattr_change(const struct path *p, const char *name, const void *value, size_t size,
			u32 flags)
{
	struct inode *inode = p->dentry->inode;
	enum acl_kind kind = acl_kind_of(name);
	int err;

	if (kind)
		return change_acl(p, kind, value, size);
	err = mount_want_write(p->mnt);
	if (!err)
		err = xattr_permission(inode, name, true);
	if (err)
		return err;
	if (!inode->ops->setxattr)
		return -EOPNOTSUPP;
	inode_lock(inode);
	err = inode->ops->setxattr(inode, name, value, size, flags);
	if (!err)
		inode->ctime = inode_now();
	inode_unlock(inode);
	if (!err && notify_active())
		notify_dentry(p->dentry, IN_ATTRIB);
	return err;
}

int vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size, u32 flags)
{
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	if (!strcmp(name, XATTR_NAME_CAPS) && size && !xattr_caps_valid(value, size, true))
		return -EINVAL;
	return xattr_change(p, name, value, size, flags);
}

int vfs_removexattr(const struct path *p, const char *name)
{
	return xattr_change(p, name, NULL, 0, XATTR_REPLACE);
}

static s64 list_raw(struct inode *inode, char *list, size_t size)
{
	s64 n;

	inode_lock_shared(inode);
	n = inode->ops->listxattr(inode, list, size);
	inode_unlock_shared(inode);
	return n;
}

/* Drops the names of trusted.* from a list of n bytes. */
static s64 list_hide_trusted(char *list, s64 n)
{
	s64 kept = 0;

	for (s64 i = 0; i < n;) {
		size_t len = strlen(list + i) + 1;

		if (strncmp(list + i, XATTR_TRUSTED_PREFIX, strlen(XATTR_TRUSTED_PREFIX))) {
			memmove(list + kept, list + i, len);
			kept += (s64)len;
		}
		i += (s64)len;
	}
	return kept;
}

s64 vfs_listxattr(const struct path *p, char *list, size_t size)
{
	struct inode *inode = p->dentry->inode;
	char *all;
	s64 n;

	if (!inode->ops->listxattr)
		return 0;
	if (capable(CAP_SYS_ADMIN))
		return list_raw(inode, list, size);
	/* trusted.* is not even visible without the capability, so sizes must be those of the rest. */
	n = list_raw(inode, NULL, 0);
	if (n <= 0)
		return n;
	all = kmalloc((size_t)n);
	if (!all)
		return -ENOMEM;
	n = list_raw(inode, all, (size_t)n);
	if (n > 0)
		n = list_hide_trusted(all, n);
	if (n > 0 && list) {
		if ((size_t)n > size)
			n = -ERANGE;
		else
			memcpy(list, all, (size_t)n);
	}
	kfree(all);
	return n;
}
