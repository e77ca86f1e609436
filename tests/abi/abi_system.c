// SPDX-License-Identifier: Apache-2.0
/*
 * abi_system - the values of abi_list.inc as the kernel's user-space headers have them
 *
 * Rules     No libc header: they define the same names.
 */
#include <linux/errno.h>
#include <linux/poll.h>
#include <linux/eventpoll.h>
#include <linux/time.h>
#include <linux/timerfd.h>
#include <linux/timex.h>
#include <linux/fcntl.h>
#include <linux/falloc.h>
#include <linux/openat2.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <asm/stat.h>
#include <linux/utime.h>
#include <linux/mman.h>
#include <linux/memfd.h>
#include <linux/signal.h>
#include <asm/siginfo.h>
#include <linux/signalfd.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/futex.h>
#include <linux/elf.h>
#include <linux/elf-em.h>
#include <linux/auxvec.h>
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/tty.h>
#include <asm/termios.h>
#include <linux/wait.h>
#include <linux/resource.h>
#include <linux/prctl.h>
#include <linux/uio.h>
#include <linux/inotify.h>
#include <linux/capability.h>
#include <linux/utsname.h>
#include <linux/sysinfo.h>
#include <linux/magic.h>
#include <asm/statfs.h>
#include <linux/mount.h>
#include <linux/xattr.h>
#include <linux/random.h>
#include <linux/membarrier.h>
#include <linux/rseq.h>
#include <linux/ipc.h>
#include <linux/shm.h>
#include <linux/sem.h>
#include <linux/msg.h>
#include <linux/personality.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <linux/audit.h>
#include <linux/times.h>
#include <linux/kcmp.h>
#include <linux/pidfd.h>
#include <linux/limits.h>
#include <linux/reboot.h>
#include <linux/socket.h>
#include <asm/socket.h>
#include <linux/sockios.h>
#include <linux/un.h>
#include <linux/net.h>
#include <linux/close_range.h>
#include <linux/fadvise.h>
#include ABI_ARCH_SYSTEM
#include "tests/abi/abi_row.h"

#define ABI_PICK(ours, theirs) theirs

const struct abi_row ABI_TABLE(system)[] = {
#include "tests/abi/abi_list.inc"
#include ABI_ARCH_LIST
	{NULL, 0},
};
