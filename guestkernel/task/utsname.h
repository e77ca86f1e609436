// SPDX-License-Identifier: Apache-2.0
/* utsname - system names: release, version, host and domain name (utsname.c) */
#pragma once

#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/ns.h"
#include "guestkernel/uapi/utsname.h"

#define UTS_SYSNAME "Linux"
#define UTS_RELEASE "6.12.0-monitor"
#define UTS_VERSION "#1 SMP PREEMPT_DYNAMIC monitor"

struct uts_ns {
	struct ns ns; /* first */
	struct spinlock lock;
	char host[__NEW_UTS_LEN + 1];	/* [lock] */
	char domain[__NEW_UTS_LEN + 1]; /* [lock] */
};

extern struct uts_ns uts_ns_init;
int must_check uts_ns_copy(struct ns *from, struct ns **out);

void utsname_get(struct new_utsname *out);
/* n at most 64. */
void utsname_set_host(const char *name, size_t n);
void utsname_set_domain(const char *name, size_t n);
