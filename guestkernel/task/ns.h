// SPDX-License-Identifier: Apache-2.0
/*
 * ns - the set of namespaces a task lives in
 *
 * Role      clone.c shares, copies and replaces sets; setns(2) enters one namespace.
 * Locking   A set is immutable; task->ns changes under task->alloc_lock.
 */
#pragma once

#include "guestkernel/kapi/ns.h"

struct task;

struct ns_set {
	struct refs refs;
	struct ns *of[NS_KINDS]; /* [I] referenced */
};

extern struct ns_set ns_set_init;

static inline struct ns_set *ns_set_get(struct ns_set *s)
{
	refs_get(&s->refs);
	return s;
}
void ns_set_put(struct ns_set *s);
/* src with new namespaces of the kinds in the CLONE_NEW* flags; the same set when there are none. -EINVAL: a kind
 * that cannot be made, -EPERM. */
int must_check ns_set_clone(struct ns_set *src, u64 flags, struct ns_set **out);
/* Referenced; NULL when the task has ended. */
struct ns *task_ns_get(struct task *t, enum ns_kind kind);
/* The current task replaces its set; takes over the reference. */
void task_ns_replace(struct ns_set *s);
/* setns(2) with a file of nsfs. nstype: 0 or the CLONE_NEW* it must be. */
int must_check ns_enter(struct ns *ns, u32 nstype);
