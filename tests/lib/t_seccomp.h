/* SPDX-License-Identifier: Apache-2.0 */
/*
 * t_seccomp.h - small seccomp filters, as the programs about seccomp(2) write them
 */
#ifndef TESTS_LIB_T_SECCOMP_H
#define TESTS_LIB_T_SECCOMP_H

#include "tests/lib/t.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#define NR   offsetof(struct seccomp_data, nr)
#define ARCH offsetof(struct seccomp_data, arch)
#define ARG0 offsetof(struct seccomp_data, args)

#define LOAD(off)	  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, off)
#define RETURN(value)	  BPF_STMT(BPF_RET | BPF_K, value)
#define ALLOW		  RETURN(SECCOMP_RET_ALLOW)
#define UNLESS(value, n)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, n)
#define ON_CALL(nr, what) LOAD(NR), UNLESS(nr, 1), RETURN(what), ALLOW

static inline long add_filter(const struct sock_filter *f, size_t len, unsigned flags)
{
	struct sock_fprog prog = { (unsigned short)len, (struct sock_filter *)f };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

#define ADD(flags, ...)                                              \
	({                                                           \
		const struct sock_filter code[] = { __VA_ARGS__ };   \
		add_filter(code, sizeof code / sizeof *code, flags); \
	})

static inline void no_new_privs(void)
{
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* libc's getppid() does not expect errors */
static inline long my_parent(void)
{
	return syscall(SYS_getppid);
}

#endif
