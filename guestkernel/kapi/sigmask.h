// SPDX-License-Identifier: Apache-2.0
/*
 * sigmask - temporary signal masks and restart blocks of blocking calls
 *
 * Role      ppoll, pselect6 and epoll_pwait swap the blocked mask for the length of their wait; poll
 *           keeps its deadline over a restart. Implemented by task/signal.c.
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* Installs the mask at `set` (NULL: nothing happens) and remembers the caller's; -EFAULT, -EINVAL when size is
 * not 8. Must be followed by sigmask_swap_end() on success. */
int must_check sigmask_swap_user(uaddr_t set, u64 size);
/* interrupted: a signal ended the wait; the old mask is then put back after that signal's handler has been set
 * up (the handler runs under the temporary mask, sigreturn restores the old). Otherwise put back now. */
void sigmask_swap_end(bool interrupted);

struct restart_block {
	s64 (*fn)(struct restart_block *rb); /* called by restart_syscall(2); NULL: -EINTR */
	u64 deadline_ns;
	uaddr_t rem;
	s32 clock;
	u64 arg[4];
};
/* The current task's; filled by a call that returns -ERESTART_RESTARTBLOCK. */
struct restart_block *current_restart_block(void);
