// SPDX-License-Identifier: Apache-2.0
/* rlimit - limits and usage: what sys_misc.c and /proc use */
#pragma once

#include "guestkernel/task/task.h"

/* new may be NULL; old may be NULL. */
s64 rlimit_change(struct task *t, u32 which, const struct rlimit *new, struct rlimit *old);
void rlimit_defaults(struct rlimit lim[RLIM_NLIMITS]);
/* "name=soft[:hard]", -1 for none, as --ulimit has it. -EINVAL: lim is untouched. */
int must_check rlimit_parse(const char *spec, struct rlimit lim[RLIM_NLIMITS]);
s64 rusage_get(s32 who, struct rusage *ru);
