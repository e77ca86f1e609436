// SPDX-License-Identifier: Apache-2.0
/* utsname - system names: release, version, host and domain name (utsname.c) */
#pragma once

#include "guestkernel/kapi/types.h"
#include "guestkernel/uapi/utsname.h"

#define UTS_SYSNAME "Linux"
#define UTS_RELEASE "6.12.0-monitor"
#define UTS_VERSION "#1 SMP PREEMPT_DYNAMIC monitor"

void utsname_get(struct new_utsname *out);
/* n at most 64. */
void utsname_set_host(const char *name, size_t n);
void utsname_set_domain(const char *name, size_t n);
