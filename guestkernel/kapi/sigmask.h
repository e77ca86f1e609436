// SPDX-License-Identifier: Apache-2.0
/*
 * sigmask - a signal mask for the time of one call (ppoll, pselect, epoll_pwait)
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* set: the application's sigset (size bytes, -EINVAL when wrong); NULL address: nothing changes. */
int must_check sigmask_begin(uaddr_t set, u64 size);
/* Puts the old mask back; interrupted: only after the signal's handler was entered with it saved. */
void sigmask_end(bool interrupted);
