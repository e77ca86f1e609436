// SPDX-License-Identifier: Apache-2.0
/*
 * errno - Linux errno values plus the kernel's internal restart codes
 *
 * Rules     Functions return -Exxx. Restart codes (>= 512) may leave a blocking function but never the
 *           kernel: syscall_exit() turns them into EINTR or a restarted call.
 */
#pragma once

#include "guestkernel/uapi/errno.h"

#define ERESTARTSYS	      512 /* restart if the handler has SA_RESTART, else EINTR */
#define ERESTARTNOINTR	      513 /* always restart */
#define ERESTARTNOHAND	      514 /* restart only if no handler ran, else EINTR */
#define ERESTART_RESTARTBLOCK 516 /* restart through restart_syscall(2) with the saved block */
