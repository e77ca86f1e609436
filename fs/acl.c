// SPDX-License-Identifier: Apache-2.0
/*
 * acl - see acl.h
 *
 * See       acl(5); tests/syscalls/acl.c
 */
#include "fs/acl.h"

#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/charge.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/xattr.h"

struct acl {
	struct refs refs;
	u32 nr;
	struct user_account *payer;
	struct posix_acl_entry entry[];
};

static struct spinlock acl_lock = SPINLOCK_INIT(RANK_LEAF);

enum acl_kind acl_kind_of(const char *name)
{
	if (!strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS))
		return ACL_ACCESS;
	return strcmp(name, XATTR_NAME_POSIX_ACL_DEFAULT) ? ACL_NONE : ACL_DEFAULT;
}

static struct acl **place(struct inode *inode, enum acl_kind kind)
{
	return kind == ACL_DEFAULT ? &inode->default_acl : &inode->acl;
}

struct acl *acl_get(struct acl *a)
{
	if (a)
		refs_get(&a->refs);
	return a;
}

static size_t bytes_of(u32 nr)
{
	return sizeof(struct acl) + nr * sizeof(struct posix_acl_entry);
}

void acl_put(struct acl *a)
{
	if (!a || !refs_put(&a->refs))
		return;
	charge_release(a->payer, CHARGE_KMEM, bytes_of(a->nr));
	kfree(a);
}

static struct acl *acl_new(u32 nr)
{
	struct user_account *payer;
	struct acl *a;

	if (charge_kmem(bytes_of(nr), &payer))
		return NULL;
	a = kmalloc(bytes_of(nr));
	if (!a) {
		charge_release(payer, CHARGE_KMEM, bytes_of(nr));
		return NULL;
	}
	a->payer = payer;
	refs_init(&a->refs, 1);
	a->nr = nr;
	return a;
}

static struct acl *acl_copy(const struct acl *from)
{
	struct acl *a = acl_new(from->nr);

	if (a)
		memcpy(a->entry, from->entry, from->nr * sizeof a->entry[0]);
	return a;
}

/* The order of tags: one owner, users, one group, groups, a mask if anybody is named, one for all others. */
static bool is_valid(const struct acl *a)
{
	u16 last = 0;
	bool named = false, mask = false;

	for (u32 i = 0; i < a->nr; i++) {
		const struct posix_acl_entry *e = &a->entry[i];
		bool is_name = e->tag == ACL_TAG_USER || e->tag == ACL_TAG_GROUP;

		if (e->perm & ~7u || (is_name ? e->tag < last || e->id == U32_MAX : e->tag <= last))
			return false;
		switch (e->tag) {
		case ACL_TAG_USER_OBJ:
			break;
		case ACL_TAG_USER:
		case ACL_TAG_GROUP:
			named = true;
			break;
		case ACL_TAG_GROUP_OBJ:
			break;
		case ACL_TAG_MASK:
			mask = true;
			break;
		case ACL_TAG_OTHER:
			break;
		default:
			return false;
		}
		/* The first of a kind must be behind the one entry that it needs. */
		if ((e->tag == ACL_TAG_USER_OBJ) != (i == 0))
			return false;
		if (e->tag > ACL_TAG_GROUP_OBJ && last < ACL_TAG_GROUP_OBJ)
			return false;
		last = e->tag;
	}
	return last == ACL_TAG_OTHER && (mask || !named);
}

int acl_parse(const void *value, size_t size, struct acl **out)
{
	struct posix_acl_header h;
	struct acl *a;
	u32 nr;

	*out = NULL;
	if (!size)
		return 0;
	if (size < sizeof h)
		return -EINVAL;
	memcpy(&h, value, sizeof h);
	if (h.version != POSIX_ACL_VERSION)
		return -EOPNOTSUPP;
	if ((size - sizeof h) % sizeof(struct posix_acl_entry))
		return -EINVAL;
	nr = (u32)((size - sizeof h) / sizeof(struct posix_acl_entry));
	if (!nr)
		return 0;
	a = acl_new(nr);
	if (!a)
		return -ENOMEM;
	memcpy(a->entry, (const u8 *)value + sizeof h, size - sizeof h);
	for (u32 i = 0; i < nr; i++)
		if (a->entry[i].tag != ACL_TAG_USER && a->entry[i].tag != ACL_TAG_GROUP)
			a->entry[i].id = U32_MAX;
	if (!is_valid(a)) {
		acl_put(a);
		return -EINVAL;
	}
	*out = a;
	return 0;
}

static struct acl *current_list(struct inode *inode, enum acl_kind kind)
{
	struct acl *a;

	spin_lock(&acl_lock);
	a = acl_get(*place(inode, kind));
	spin_unlock(&acl_lock);
	return a;
}

s64 acl_show(struct inode *inode, enum acl_kind kind, void *value, size_t size)
{
	struct posix_acl_header h = { POSIX_ACL_VERSION };
	struct acl *a = current_list(inode, kind);
	size_t need;
	s64 ret;

	if (!a)
		return -ENODATA;
	need = sizeof h + a->nr * sizeof a->entry[0];
	ret = (s64)need;
	if (value && size < need) {
		ret = -ERANGE;
	} else if (value) {
		memcpy(value, &h, sizeof h);
		memcpy((u8 *)value + sizeof h, a->entry, need - sizeof h);
	}
	acl_put(a);
	return ret;
}

s64 acl_list(const struct inode *inode, char *list, size_t size)
{
	size_t need = 0;

	for (u32 i = 0; i < 2; i++) {
		const char *name = i ? XATTR_NAME_POSIX_ACL_DEFAULT : XATTR_NAME_POSIX_ACL_ACCESS;
		size_t len = strlen(name) + 1;

		if (!(i ? inode->default_acl : inode->acl))
			continue;
		if (list && need + len > size)
			return -ERANGE;
		if (list)
			memcpy(list + need, name, len);
		need += len;
	}
	return (s64)need;
}

void acl_attach(struct inode *inode, enum acl_kind kind, struct acl *a)
{
	struct acl **p = place(inode, kind), *old;

	spin_lock(&acl_lock);
	old = *p;
	*p = a;
	spin_unlock(&acl_lock);
	acl_put(old);
}

void acl_share(struct inode *to, struct inode *from)
{
	if (from->acl)
		acl_attach(to, ACL_ACCESS, current_list(from, ACL_ACCESS));
	if (from->default_acl)
		acl_attach(to, ACL_DEFAULT, current_list(from, ACL_DEFAULT));
}

/* The entry the mode's group bits stand for. */
static struct posix_acl_entry *group_entry(struct acl *a)
{
	struct posix_acl_entry *group = NULL;

	for (u32 i = 0; i < a->nr; i++) {
		if (a->entry[i].tag == ACL_TAG_MASK)
			return &a->entry[i];
		if (a->entry[i].tag == ACL_TAG_GROUP_OBJ)
			group = &a->entry[i];
	}
	return group;
}

/* Owner, mask and others as permission bits. */
static u32 mode_of(struct acl *a)
{
	return (u32)a->entry[0].perm << 6 | (u32)group_entry(a)->perm << 3 |
	       a->entry[a->nr - 1].perm;
}

static void set_mode(struct acl *a, u32 mode)
{
	a->entry[0].perm = mode >> 6 & 7;
	group_entry(a)->perm = mode >> 3 & 7;
	a->entry[a->nr - 1].perm = mode & 7;
}

/* Says it no more than a mode? */
static bool is_plain(const struct acl *a)
{
	return a->nr == 3;
}

static int set_access(struct inode *inode, struct acl *a)
{
	struct attr at = { .valid = ATTR_MODE, .mode = inode->mode & S_IALLUGO };
	int err;

	if (a)
		at.mode = (at.mode & ~0777u) | mode_of(a);
	if (!cred_in_group(current_cred(), inode->gid) && !capable(CAP_FSETID))
		at.mode &= ~(u32)S_ISGID;
	if (a && is_plain(a)) {
		acl_put(a);
		a = NULL;
	}
	err = inode->ops->set_acl(inode, ACL_ACCESS, acl_get(a));
	if (!err)
		err = inode->ops->setattr(inode, &at);
	acl_put(a);
	return err;
}

int acl_set(struct inode *inode, enum acl_kind kind, struct acl *a)
{
	if (!inode->ops->set_acl || S_ISLNK(inode->mode)) {
		acl_put(a);
		return -EOPNOTSUPP;
	}
	if (kind == ACL_ACCESS)
		return set_access(inode, a);
	if (!S_ISDIR(inode->mode)) {
		acl_put(a);
		return a ? -EACCES : 0;
	}
	return inode->ops->set_acl(inode, kind, a);
}

int acl_for_mode(struct inode *inode, u32 mode, struct acl **out)
{
	*out = NULL;
	if (likely(!inode->acl))
		return 0;
	*out = acl_copy(inode->acl);
	if (!*out)
		return -ENOMEM;
	set_mode(*out, mode);
	return 0;
}

/* Entry i decides, within the mask behind it. */
static int within_mask(const struct acl *a, u32 i, u32 mask)
{
	u32 perm = a->entry[i].perm;

	for (u32 k = i + 1; k < a->nr; k++)
		if (a->entry[k].tag == ACL_TAG_MASK)
			perm &= a->entry[k].perm;
	return (perm & mask) == mask ? 0 : -EACCES;
}

static int permission_by(const struct acl *a, const struct cred *c, const struct inode *inode,
			 u32 mask)
{
	bool in_a_group = false;

	for (u32 i = 0; i < a->nr; i++) {
		const struct posix_acl_entry *e = &a->entry[i];

		switch (e->tag) {
		case ACL_TAG_USER:
			if (e->id == c->fsuid)
				return within_mask(a, i, mask);
			break;
		case ACL_TAG_GROUP_OBJ:
		case ACL_TAG_GROUP:
			if (!cred_in_group(c, e->tag == ACL_TAG_GROUP ? e->id : inode->gid))
				break;
			in_a_group = true;
			if ((e->perm & mask) == mask)
				return within_mask(a, i, mask);
			break;
		case ACL_TAG_OTHER:
			return !in_a_group && (e->perm & mask) == mask ? 0 : -EACCES;
		}
	}
	return -EACCES;
}

int acl_permission(const struct cred *c, const struct inode *inode, u32 mask)
{
	int ret = -EAGAIN;

	spin_lock(&acl_lock);
	if (inode->acl)
		ret = permission_by(inode->acl, c, inode, mask & 7);
	spin_unlock(&acl_lock);
	return ret;
}

int acl_inherit(struct inode *dir, struct new_inode *ni, bool *inherited)
{
	struct acl *from, *a;

	*inherited = false;
	if (likely(!READ_ONCE(dir->default_acl)) || S_ISLNK(ni->mode))
		return 0;
	from = current_list(dir, ACL_DEFAULT);
	if (!from)
		return 0;
	a = acl_copy(from);
	if (!a) {
		acl_put(from);
		return -ENOMEM;
	}
	ni->mode &= ~0777u | mode_of(a);
	set_mode(a, ni->mode);
	if (is_plain(a)) {
		acl_put(a);
		a = NULL;
	}
	ni->acl = a;
	if (S_ISDIR(ni->mode))
		ni->default_acl = from;
	else
		acl_put(from);
	*inherited = true;
	return 0;
}

void acl_give_new(struct inode *inode, struct new_inode *ni)
{
	/* Nothing has to be copied up for what was just made, so this does not fail. */
	if (ni->acl)
		(void)!inode->ops->set_acl(inode, ACL_ACCESS, ni->acl);
	if (ni->default_acl)
		(void)!inode->ops->set_acl(inode, ACL_DEFAULT, ni->default_acl);
	ni->acl = ni->default_acl = NULL;
}

void acl_drop_new(struct new_inode *ni)
{
	acl_put(ni->acl);
	acl_put(ni->default_acl);
	ni->acl = ni->default_acl = NULL;
}
