// SPDX-License-Identifier: Apache-2.0
/*
 * host - system calls of the host that the kernel process makes
 *
 * Rules     The filter of the kernel process (vmm/seccomp.tbl) allows these and no others once the machine runs.
 */
#pragma once

#include "guestkernel/kapi/types.h"

#define HOST_READ	   0
#define HOST_WRITE	   1
#define HOST_POLL	   7
#define HOST_MMAP	   9
#define HOST_MPROTECT	   10
#define HOST_MUNMAP	   11
#define HOST_SIGACTION	   13
#define HOST_CLONE	   56
#define HOST_GETTID	   186
#define HOST_SIGALTSTACK   131
#define HOST_PRCTL	   157
#define HOST_FUTEX	   202
#define HOST_SETAFFINITY   203
#define HOST_CLOCK_GETTIME 228
#define HOST_TGKILL	   234
#define HOST_SECCOMP	   317
#define HOST_FUTEX_WAITV   449

#define HOST_PROT_READ	1
#define HOST_PROT_WRITE 2
#define HOST_PROT_EXEC	4
#define HOST_MAP_SHARED 0x01
#define HOST_MAP_FIXED	0x10
#define HOST_FUTEX_WAIT 0
#define HOST_FUTEX_WAKE 1
#define HOST_VA_END	0x00007ffffffff000ull

static inline s64 host_call(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register u64 r10 __asm__("r10") = d;
	register u64 r8 __asm__("r8") = e;
	register u64 r9 __asm__("r9") = f;
	s64 ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline s64 host_call3(u64 nr, u64 a, u64 b, u64 c)
{
	return host_call(nr, a, b, c, 0, 0, 0);
}

static inline void host_futex_wake(u32 *word)
{
	host_call3(HOST_FUTEX, (u64)word, HOST_FUTEX_WAKE, 1);
}

struct host_timespec {
	s64 sec, nsec;
};

/* A lock whose waiters sleep in the host: it may be held over waits for the host, which a spinlock may not. Taken under
 * spinlocks too; takes none inside. */
struct host_lock {
	u32 word; /* futex: 0 free, 1 taken, 2 perhaps with waiters */
};

void host_lock(struct host_lock *l);
void host_unlock(struct host_lock *l);

/* timeout relative; NULL: none. */
static inline void host_futex_wait(u32 *word, u32 val, const struct host_timespec *timeout)
{
	host_call(HOST_FUTEX, (u64)word, HOST_FUTEX_WAIT, val, (u64)timeout, 0, 0);
}
