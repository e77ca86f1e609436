// SPDX-License-Identifier: Apache-2.0
/* sys_seccomp - what prctl(2) shares with seccomp(2) */
#pragma once

#include "guestkernel/kapi/types.h"

/* PR_SET_SECCOMP */
s64 seccomp_prctl(u64 mode, uaddr_t args);
