// SPDX-License-Identifier: Apache-2.0
/*
 * ns - what all namespaces have in common
 *
 * Role      Embedded first in each kind (task/utsname.c, ...). Tasks hold a set of them (task/ns.c); /proc/<pid>/ns
 *           opens them as files (fs/nsfs.c), and setns(2) takes such a file.
 */
#pragma once

#include "guestkernel/kapi/refs.h"

struct file;
struct fs_ctx;
struct ipc_ns;
struct mount_ns;
struct path;

enum ns_kind { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_TIME, NS_USER, NS_UTS, NS_KINDS };

struct ns {
	struct refs refs;
	enum ns_kind kind;	     /* [I] */
	u64 ino;		     /* [I] shown by ns/ and stat */
	void (*free)(struct ns *ns); /* [I] NULL: lives for ever */
};

static inline struct ns *ns_get(struct ns *ns)
{
	refs_get(&ns->refs);
	return ns;
}
static inline void ns_put(struct ns *ns)
{
	if (refs_put(&ns->refs) && ns->free)
		ns->free(ns);
}

/* A new one, with a number of its own and one reference. */
void ns_init(struct ns *ns, enum ns_kind kind, void (*free)(struct ns *ns));
/* Of the current task, borrowed. */
struct ns *current_ns(enum ns_kind kind);

/* "uts" and so on. */
extern const char *const ns_names[NS_KINDS];
/* fs/nsfs.c: the place of a namespace's file; path_put() by the caller. */
int must_check nsfs_path(struct ns *ns, struct path *out);
/* The namespace behind an open file, borrowed; NULL when it is none. */
struct ns *nsfs_file_ns(struct file *f);

/* fs/mount_ns.c: mount namespaces. The first one, which begins with its struct ns: */
extern struct mount_ns mount_ns_init;
int must_check mnt_ns_copy(struct ns *from, struct ns **out);
/* Root and working directory of fs move to the same places in ns, a copy nobody has seen yet. */
void mnt_ns_adopt(struct ns *ns, struct fs_ctx *fs);
/* Root and working directory of the current task become ns's root. -EINVAL: they are shared. */
int must_check mnt_ns_enter(struct ns *ns);

/* ipc/ids.c: IPC namespaces; the first begins with its struct ns, too. A new one is empty. */
extern struct ipc_ns ipc_ns_init;
int must_check ipc_ns_create(struct ns *from, struct ns **out);
