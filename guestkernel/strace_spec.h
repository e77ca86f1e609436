// SPDX-License-Identifier: Apache-2.0
/*
 * strace_spec - what strace knows about each call, argument and flag set
 *
 * Role      strace_gen.c (generated) fills strace_calls[]; strace_sets.c the sets; strace_arg.c prints.
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* Argument kinds: the words of syscalls.tbl. Those from SPEC_OUT on are printed after the call. */
enum strace_kind {
	SPEC_FD = 1,
	SPEC_DIRFD,
	SPEC_S32,
	SPEC_PID,
	SPEC_SIG,
	SPEC_U32,
	SPEC_UID,
	SPEC_GID,
	SPEC_MODE,
	SPEC_DEV,
	SPEC_HEX32,
	SPEC_S64,
	SPEC_OFF,
	SPEC_U64,
	SPEC_SIZE,
	SPEC_HEX64,
	SPEC_FLAGS,
	SPEC_ENUM,
	SPEC_FLAGS64,
	SPEC_SENUM,
	SPEC_PTR,
	SPEC_PATH,
	SPEC_STR,
	SPEC_STRV,
	SPEC_IN,
	SPEC_IOV,
	SPEC_ADDR,
	SPEC_MSG,
	SPEC_TIMESPEC,
	SPEC_TIMEVAL,
	SPEC_SIGSET,
	SPEC_SIGACTION,
	SPEC_RLIMIT,
	SPEC_ITIMERSPEC,
	SPEC_EPEVENT,
	SPEC_S64IN,
	SPEC_OUT,
	SPEC_IOVOUT,
	SPEC_POLLFDS,
	SPEC_EPEVENTS,
	SPEC_ADDROUT,
	SPEC_MSGOUT,
	SPEC_STAT,
	SPEC_STATX,
	SPEC_WSTATUS,
	SPEC_FDPAIR,
	SPEC_RUSAGE,
	SPEC_RLIMITOUT,
	SPEC_UTSNAME,
	SPEC_TIMESPECOUT,
	SPEC_TIMEVALOUT,
	SPEC_SIGSETOUT,
	SPEC_SIGINFO,
	SPEC_S32OUT,
	SPEC_U64OUT,
	SPEC_NR_KINDS,
};

struct strace_name {
	u64 value;
	const char *name;
};

/* Bits in enum_mask are one number, looked up as a whole; the others are flags. */
struct strace_set {
	u64 enum_mask;
	const struct strace_name *names;
	u32 nr;
};

struct strace_arg {
	u8 kind;		      /* enum strace_kind */
	u8 ref;			      /* the argument that holds the length */
	const struct strace_set *set; /* flags and enum kinds */
};

enum strace_call_flags {
	STRACE_FILE = 1u << 0, /* classes */
	STRACE_PROCESS = 1u << 1,
	STRACE_MEMORY = 1u << 2,
	STRACE_NETWORK = 1u << 3,
	STRACE_SIGNAL = 1u << 4,
	STRACE_DESC = 1u << 5,
	STRACE_HEX = 1u << 8,	/* result in hexadecimal */
	STRACE_NORET = 1u << 9, /* does not return */
};

struct strace_call {
	const char *name; /* NULL: no such call */
	u16 nr_args, flags;
	struct strace_arg args[6];
};

extern const struct strace_call strace_calls[];

extern const struct strace_set strace_set_ACCESS, strace_set_AF, strace_set_AT, strace_set_CLOCK,
	strace_set_CLONE, strace_set_EFD, strace_set_EPOLL, strace_set_EPOLL_CTL, strace_set_ERRNO,
	strace_set_FADV, strace_set_FALLOC, strace_set_FCNTL, strace_set_FUTEX, strace_set_GRND,
	strace_set_INOTIFY, strace_set_IOCTL, strace_set_ITIMER, strace_set_LOCK, strace_set_MADV,
	strace_set_MFD, strace_set_MMAP, strace_set_MOUNT, strace_set_MREMAP, strace_set_MSG,
	strace_set_MSYNC, strace_set_OPEN, strace_set_POLL, strace_set_PRCTL, strace_set_PRIO,
	strace_set_PROT, strace_set_PTRACE, strace_set_RENAME, strace_set_RESTART,
	strace_set_RLIMIT, strace_set_RUSAGE, strace_set_RWF, strace_set_SA, strace_set_SCHED,
	strace_set_SECCOMP, strace_set_SEEK, strace_set_SFD, strace_set_SHUT, strace_set_SIGHOW,
	strace_set_SIGNAL, strace_set_SO, strace_set_SOCK, strace_set_SOL, strace_set_SPLICE,
	strace_set_S_IFMT, strace_set_TFD, strace_set_TFDTIMER, strace_set_TIMER, strace_set_UMOUNT,
	strace_set_UNLINKAT, strace_set_WAIT, strace_set_WAITID, strace_set_XATTR;

struct strbuf;

/* One call being shown. */
struct strace_ctx {
	struct strbuf *sb;
	u64 args[6];
	s64 ret; /* 0 before the call */
};

/* Prints argument i as its spec says. */
void strace_print_arg(struct strace_ctx *c, const struct strace_call *call, u32 i);
/* Names of the flags in v, joined by |; what has no name in hexadecimal. */
void strace_print_set(struct strbuf *sb, const struct strace_set *set, u64 v);
/* The name of exactly v, or NULL. */
const char *strace_set_name(const struct strace_set *set, u64 v);
