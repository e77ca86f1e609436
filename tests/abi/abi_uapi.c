// SPDX-License-Identifier: Apache-2.0
/*
 * abi_uapi - the values of the lists as guestkernel/uapi has them
 */
#include "guestkernel/uapi/auxv.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/dirent.h"
#include "guestkernel/uapi/elf.h"
#include "guestkernel/uapi/errno.h"
#include "guestkernel/uapi/eventfd.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/filter.h"
#include "guestkernel/uapi/futex.h"
#include "guestkernel/uapi/inotify.h"
#include "guestkernel/uapi/ioctl.h"
#include "guestkernel/uapi/ipc.h"
#include "guestkernel/uapi/kcmp.h"
#include "guestkernel/uapi/limits.h"
#include "guestkernel/uapi/membarrier.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/mount.h"
#include "guestkernel/uapi/msg.h"
#include "guestkernel/uapi/personality.h"
#include "guestkernel/uapi/pidfd.h"
#include "guestkernel/uapi/poll.h"
#include "guestkernel/uapi/prctl.h"
#include "guestkernel/uapi/ptrace.h"
#include "guestkernel/uapi/random.h"
#include "guestkernel/uapi/reboot.h"
#include "guestkernel/uapi/resource.h"
#include "guestkernel/uapi/rseq.h"
#include "guestkernel/uapi/sched.h"
#include "guestkernel/uapi/seccomp.h"
#include "guestkernel/uapi/sem.h"
#include "guestkernel/uapi/shm.h"
#include "guestkernel/uapi/signal.h"
#include "guestkernel/uapi/socket.h"
#include "guestkernel/uapi/stat.h"
#include "guestkernel/uapi/statfs.h"
#include "guestkernel/uapi/sysinfo.h"
#include "guestkernel/uapi/time.h"
#include "guestkernel/uapi/times.h"
#include "guestkernel/uapi/types.h"
#include "guestkernel/uapi/uio.h"
#include "guestkernel/uapi/utsname.h"
#include "guestkernel/uapi/wait.h"
#include "guestkernel/uapi/xattr.h"
#include "tests/abi/abi_row.h"

#define ABI_PICK(ours, theirs) ours

const struct abi_row ABI_TABLE(uapi)[] = {
#include "tests/abi/abi_list.inc"
#include ABI_ARCH_LIST
	{NULL, 0},
};

const struct abi_row ABI_TABLE(uapi_libc)[] = {
#include "tests/abi/abi_list_libc.inc"
	{NULL, 0},
};
