// SPDX-License-Identifier: Apache-2.0
/*
 * utsname - the names uname(2) reports
 *
 * Rules     The release is our own: a Linux version whose interface we follow, with our suffix. Nothing of the host's
 *           kernel shows.
 * Locking   uts_lock (leaf) for the two names that can be set.
 */
#include "guestkernel/task/utsname.h"
#include "arch/param.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/string.h"

static struct spinlock uts_lock = SPINLOCK_INIT(RANK_LEAF);
static char host[__NEW_UTS_LEN + 1] = "monitor";  /* [uts_lock] */
static char domain[__NEW_UTS_LEN + 1] = "(none)"; /* [uts_lock] */

void utsname_get(struct new_utsname *out)
{
	memset(out, 0, sizeof *out);
	strlcpy(out->sysname, UTS_SYSNAME, sizeof out->sysname);
	strlcpy(out->release, UTS_RELEASE, sizeof out->release);
	strlcpy(out->version, UTS_VERSION, sizeof out->version);
	strlcpy(out->machine, ARCH_UTS_MACHINE, sizeof out->machine);
	spin_lock(&uts_lock);
	memcpy(out->nodename, host, sizeof host);
	memcpy(out->domainname, domain, sizeof domain);
	spin_unlock(&uts_lock);
}

static void set_name(char *dst, const char *name, size_t n)
{
	n = MIN(n, (size_t)__NEW_UTS_LEN);
	spin_lock(&uts_lock);
	memset(dst, 0, __NEW_UTS_LEN + 1);
	memcpy(dst, name, n);
	spin_unlock(&uts_lock);
}

void utsname_set_host(const char *name, size_t n)
{
	set_name(host, name, n);
}

void utsname_set_domain(const char *name, size_t n)
{
	set_name(domain, name, n);
}
