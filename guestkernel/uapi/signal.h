// SPDX-License-Identifier: Apache-2.0
/*
 * signal - Linux ABI: signals
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       sigaction(2), signal(7), signalfd(2), sigaltstack(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"
#include "arch/uapi_signal.h"

#define _NSIG	 64
#define NSIG	 65 /* one more than the greatest signal */
#define SIGRTMIN 32
#define SIGRTMAX 64

#define SIG_DFL 0ull
#define SIG_IGN 1ull
#define SIG_ERR (~0ull)

#define SS_AUTODISARM (1u << 31)
#define SS_FLAG_BITS  SS_AUTODISARM

#define SIGHUP	  1
#define SIGINT	  2
#define SIGQUIT	  3
#define SIGILL	  4
#define SIGTRAP	  5
#define SIGABRT	  6
#define SIGIOT	  6
#define SIGBUS	  7
#define SIGFPE	  8
#define SIGKILL	  9
#define SIGUSR1	  10
#define SIGSEGV	  11
#define SIGUSR2	  12
#define SIGPIPE	  13
#define SIGALRM	  14
#define SIGTERM	  15
#define SIGSTKFLT 16
#define SIGCHLD	  17
#define SIGCONT	  18
#define SIGSTOP	  19
#define SIGTSTP	  20
#define SIGTTIN	  21
#define SIGTTOU	  22
#define SIGURG	  23
#define SIGXCPU	  24
#define SIGXFSZ	  25
#define SIGVTALRM 26
#define SIGPROF	  27
#define SIGWINCH  28
#define SIGIO	  29
#define SIGPOLL	  29
#define SIGPWR	  30
#define SIGSYS	  31
#define SIGUNUSED 31

#define SA_NOCLDSTOP	  0x1
#define SA_NOCLDWAIT	  0x2
#define SA_SIGINFO	  0x4
#define SA_UNSUPPORTED	  0x400
#define SA_EXPOSE_TAGBITS 0x800
#define SA_RESTORER	  0x4000000
#define SA_ONSTACK	  0x8000000
#define SA_RESTART	  0x10000000
#define SA_NODEFER	  0x40000000
#define SA_NOMASK	  0x40000000
#define SA_ONESHOT	  0x80000000u
#define SA_RESETHAND	  0x80000000u

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SI_USER	    0
#define SI_KERNEL   128
#define SI_ASYNCNL  (-60)
#define SI_DETHREAD (-7)
#define SI_TKILL    (-6)
#define SI_SIGIO    (-5)
#define SI_ASYNCIO  (-4)
#define SI_MESGQ    (-3)
#define SI_TIMER    (-2)
#define SI_QUEUE    (-1)

#define BUS_ADRALN	     1
#define CLD_EXITED	     1
#define EMT_TAGOVF	     1
#define FPE_INTDIV	     1
#define ILL_ILLOPC	     1
#define POLL_IN		     1
#define SEGV_MAPERR	     1
#define SYS_SECCOMP	     1
#define TRAP_BRKPT	     1
#define TRAP_PERF_FLAG_ASYNC 1
#define BUS_ADRERR	     2
#define CLD_KILLED	     2
#define FPE_INTOVF	     2
#define ILL_ILLOPN	     2
#define POLL_OUT	     2
#define SEGV_ACCERR	     2
#define SYS_USER_DISPATCH    2
#define TRAP_TRACE	     2
#define BUS_OBJERR	     3
#define CLD_DUMPED	     3
#define FPE_FLTDIV	     3
#define ILL_ILLADR	     3
#define POLL_MSG	     3
#define SEGV_BNDERR	     3
#define TRAP_BRANCH	     3
#define BUS_MCEERR_AR	     4
#define CLD_TRAPPED	     4
#define FPE_FLTOVF	     4
#define ILL_ILLTRP	     4
#define POLL_ERR	     4
#define SEGV_PKUERR	     4
#define TRAP_HWBKPT	     4
#define BUS_MCEERR_AO	     5
#define CLD_STOPPED	     5
#define FPE_FLTUND	     5
#define ILL_PRVOPC	     5
#define POLL_PRI	     5
#define SEGV_ACCADI	     5
#define TRAP_UNK	     5
#define CLD_CONTINUED	     6
#define FPE_FLTRES	     6
#define ILL_PRVREG	     6
#define POLL_HUP	     6
#define SEGV_ADIDERR	     6
#define TRAP_PERF	     6
#define FPE_FLTINV	     7
#define ILL_COPROC	     7
#define SEGV_ADIPERR	     7
#define FPE_FLTSUB	     8
#define ILL_BADSTK	     8
#define ILL_BADIADDR	     9
#define FPE_FLTUNK	     14
#define FPE_CONDTRAP	     15

#define SIGEV_SIGNAL	0
#define SIGEV_NONE	1
#define SS_ONSTACK	1
#define SIGEV_THREAD	2
#define SS_DISABLE	2
#define SIGEV_THREAD_ID 4
#define SIGEV_MAX_SIZE	64

#define SEGV_MTEAERR 8
#define SEGV_MTESERR 9
#define SEGV_CPERR   10

/* Bit n - 1 is signal n. */
typedef u64 sigset_t;

/* The kernel's layout; libc's differs. */
struct sigaction {
	u64 sa_handler;
	u64 sa_flags;
	u64 sa_restorer;
	sigset_t sa_mask;
};

typedef struct {
	u64 ss_sp;
	s32 ss_flags;
	u64 ss_size;
} stack_t;

typedef union {
	s32 sival_int;
	u64 sival_ptr;
} sigval_t;

typedef struct {
	s32 si_signo;
	s32 si_errno;
	s32 si_code;
	s32 pad0;
	union {
		s32 pad[28];
		struct {
			s32 si_pid;
			u32 si_uid;
		} kill;
		struct {
			s32 si_tid;
			s32 si_overrun;
			sigval_t si_value;
			s32 si_sys_private;
		} timer;
		struct {
			s32 si_pid;
			u32 si_uid;
			sigval_t si_value;
		} rt;
		struct {
			s32 si_pid;
			u32 si_uid;
			s32 si_status;
			s64 si_utime;
			s64 si_stime;
		} child;
		struct {
			u64 si_addr;
			union {
				s16 si_addr_lsb;
				struct {
					u64 pad_bnd;
					u64 si_lower;
					u64 si_upper;
				};
				struct {
					u64 pad_pkey;
					u32 si_pkey;
				};
			};
		} fault;
		struct {
			s64 si_band;
			s32 si_fd;
		} poll;
		struct {
			u64 si_call_addr;
			s32 si_syscall;
			u32 si_arch;
		} sys;
	};
} siginfo_t;

_Static_assert(sizeof(siginfo_t) == 128, "siginfo size");

typedef struct sigevent {
	sigval_t sigev_value;
	s32 sigev_signo;
	s32 sigev_notify;
	union {
		s32 pad[12];
		s32 sigev_tid;
		struct {
			u64 function;
			u64 attribute;
		} sigev_thread;
	};
} sigevent_t;

#define SFD_CLOEXEC  02000000
#define SFD_NONBLOCK 04000

struct signalfd_siginfo {
	u32 ssi_signo;
	s32 ssi_errno;
	s32 ssi_code;
	u32 ssi_pid;
	u32 ssi_uid;
	s32 ssi_fd;
	u32 ssi_tid;
	u32 ssi_band;
	u32 ssi_overrun;
	u32 ssi_trapno;
	s32 ssi_status;
	s32 ssi_int;
	u64 ssi_ptr;
	u64 ssi_utime;
	u64 ssi_stime;
	u64 ssi_addr;
	u16 ssi_addr_lsb;
	u16 pad2;
	s32 ssi_syscall;
	u64 ssi_call_addr;
	u32 ssi_arch;
	u8 pad[28];
};
