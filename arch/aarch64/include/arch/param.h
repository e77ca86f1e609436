// SPDX-License-Identifier: Apache-2.0
/* param - sizes the portable kernel needs to know about this architecture */
#pragma once

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1ull << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define KSTACK_SIZE		(16 * 1024)
#define USER_VA_MIN		0x10000ull	      /* mmap_min_addr */
#define USER_VA_END		0x0001000000000000ull /* first address past the application's */
#define STACK_TOP_MAX		USER_VA_END
#define MMAP_BASE_GAP		(128ull << 20) /* least distance between stack top and mmap area */
#define ELF_PIE_BASE		0x0000aaaaaaaa0000ull /* before randomisation */
#define ARCH_ELF_MACHINE	183		      /* EM_AARCH64 */
#define ARCH_PLATFORM		"aarch64"
#define ARCH_UTS_MACHINE	"aarch64"
#define ARCH_UTS_MACHINE32	"armv8l" /* what PER_LINUX32 makes uname(2) say */
#define ARCH_NR_RESTART_SYSCALL 128	 /* number of restart_syscall(2) */
#define ARCH_HAS_OLD_PTRACE	0	 /* PTRACE_OLDSETOPTIONS */
