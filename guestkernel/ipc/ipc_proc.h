// SPDX-License-Identifier: Apache-2.0
/* ipc_proc - what /proc shows of System V IPC */
#pragma once

#include "guestkernel/kapi/proc.h"

/* sysvipc/, sys/kernel/{sem,shm*,msg*}. */
extern const struct proc_table ipc_proc;
