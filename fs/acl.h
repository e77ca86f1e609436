// SPDX-License-Identifier: Apache-2.0
/*
 * acl - POSIX access control lists: rights of named users and groups beside the mode's three
 *
 * Role      perm.c asks when an inode has one; xattr.c shows and takes them as system.posix_acl_access and
 *           system.posix_acl_default; attr.c keeps them in step with chmod; open.c and names.c hand a directory's default
 *           on to what is made in it. A file system that keeps them has inode_ops.set_acl.
 * Rules     INVARIANTS. A list never changes once an inode has it: whoever changes one makes another. It was found valid
 *           when it came in (acl_parse()). inode->acl is there only when it says more than the mode does, and then the
 *           mode's group bits are its mask; owner, mask and others of list and mode are always equal: every change
 *           of either goes through acl_set() or acl_chmod(), with inode->lock held exclusively.
 * Locking   acl_lock (RANK_LEAF) covers the two pointers of all inodes, so that a permission check, which may neither
 *           sleep nor count, can read a list while another task replaces it. A list has a bounded length.
 * Missing   lists in archives that become images (vmm/image)
 * See       acl(5), setxattr(2)
 */
#pragma once

#include "fs/inode.h"

struct acl;

/* Of the name of an extended attribute (enum acl_kind is inode.h's). */
enum acl_kind acl_kind_of(const char *name);

/* A value of such an attribute, checked. *out NULL: it has no entries. -EINVAL, -EOPNOTSUPP, -ENOMEM. */
int must_check acl_parse(const void *value, size_t size, struct acl **out);
/* The inode's list as a value; value NULL: only its size. -ENODATA, -ERANGE. */
s64 must_check acl_show(struct inode *inode, enum acl_kind kind, void *value, size_t size);
struct acl *acl_get(struct acl *a); /* NULL: NULL */
void acl_put(struct acl *a);	    /* NULL: nothing */

/* The names of what inode has, each with its NUL; list NULL: only the size. Inode locked. -ERANGE. */
s64 must_check acl_list(const struct inode *inode, char *list, size_t size);

/* What follows: inode locked exclusively. */
/* a (may be NULL: none) becomes the inode's list, through its set_acl; the mode follows. Takes over the reference. */
int must_check acl_set(struct inode *inode, enum acl_kind kind, struct acl *a);
/* The list for an inode whose mode becomes mode: *out to be attached after the change, NULL: none. -ENOMEM. */
int must_check acl_for_mode(struct inode *inode, u32 mode, struct acl **out);
/* For drivers: puts a at its place in the inode; takes over the reference. Nothing else changes. */
void acl_attach(struct inode *inode, enum acl_kind kind, struct acl *a);
/* From another inode that stands for the same file. */
void acl_share(struct inode *to, struct inode *from);

/* 0, -EACCES, or -EAGAIN: the inode has none. Does not sleep. */
int acl_permission(const struct cred *c, const struct inode *inode, u32 mask);

/* The lists of something new in dir: ni->mode loses what the default does not give. False: dir has no default, the umask
 * counts. */
int must_check acl_inherit(struct inode *dir, struct new_inode *ni, bool *inherited);
void acl_give_new(struct inode *inode, struct new_inode *ni);
void acl_drop_new(struct new_inode *ni);
