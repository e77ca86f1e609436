// SPDX-License-Identifier: Apache-2.0
/*
 * utsname - the names uname(2) reports, and UTS namespaces
 *
 * Rules     The release is our own: a Linux version whose interface we follow, with our suffix. Nothing of the host's
 *           kernel shows. Reading and setting mean the namespace of the current task.
 * Locking   uts->lock (leaf) for the two names that can be set.
 * See       uname(2), uts_namespaces(7)
 */
#include "guestkernel/task/utsname.h"
#include "arch/param.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/task/ns.h"
#include "guestkernel/task/task.h"

struct uts_ns uts_ns_init = {
	.ns = {.refs = { ATOMIC_INIT(REFS_SATURATED) }, .kind = NS_UTS, .ino = 4026531838ull},
	.lock = SPINLOCK_INIT(RANK_LEAF),
	.host = "monitor",
	.domain = "(none)",
};

/* At boot there is no task yet. */
static struct uts_ns *uts_current(void)
{
	struct ns_set *set = current()->ns;

	return set ? container_of(set->of[NS_UTS], struct uts_ns, ns) : &uts_ns_init;
}

static void uts_ns_free(struct ns *ns)
{
	kfree(container_of(ns, struct uts_ns, ns));
}

int uts_ns_copy(struct ns *from, struct ns **out)
{
	struct uts_ns *src = container_of(from, struct uts_ns, ns), *u = knew(struct uts_ns);

	if (!u)
		return -ENOMEM;
	ns_init(&u->ns, NS_UTS, uts_ns_free);
	spin_init(&u->lock, RANK_LEAF);
	spin_lock(&src->lock);
	memcpy(u->host, src->host, sizeof u->host);
	memcpy(u->domain, src->domain, sizeof u->domain);
	spin_unlock(&src->lock);
	*out = &u->ns;
	return 0;
}

void utsname_get(struct new_utsname *out)
{
	struct uts_ns *u = uts_current();

	memset(out, 0, sizeof *out);
	strlcpy(out->sysname, UTS_SYSNAME, sizeof out->sysname);
	strlcpy(out->release, UTS_RELEASE, sizeof out->release);
	strlcpy(out->version, UTS_VERSION, sizeof out->version);
	strlcpy(out->machine, ARCH_UTS_MACHINE, sizeof out->machine);
	spin_lock(&u->lock);
	memcpy(out->nodename, u->host, sizeof u->host);
	memcpy(out->domainname, u->domain, sizeof u->domain);
	spin_unlock(&u->lock);
}

static void set_name(struct uts_ns *u, char *dst, const char *name, size_t n)
{
	n = MIN(n, (size_t)__NEW_UTS_LEN);
	spin_lock(&u->lock);
	memset(dst, 0, __NEW_UTS_LEN + 1);
	memcpy(dst, name, n);
	spin_unlock(&u->lock);
}

void utsname_set_host(const char *name, size_t n)
{
	struct uts_ns *u = uts_current();

	set_name(u, u->host, name, n);
}

void utsname_set_domain(const char *name, size_t n)
{
	struct uts_ns *u = uts_current();

	set_name(u, u->domain, name, n);
}
