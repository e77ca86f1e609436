// SPDX-License-Identifier: Apache-2.0
/*
 * uaccess - fault-safe copies between kernel and application memory
 *
 * Role      Used by mm/user.c only. A fault goes through trap_page_fault() first (demand paging); what cannot
 *           be resolved ends the copy.
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* Bytes NOT copied. The range has been checked to lie in the user range. */
size_t arch_copy_from_user(void *dst, u64 src, size_t n);
size_t arch_copy_to_user(u64 dst, const void *src, size_t n);
size_t arch_clear_user(u64 dst, size_t n);
/* Stops after the NUL. *done: bytes stored without the NUL. 0: found, 1: n bytes without NUL, -EFAULT. */
int arch_strncpy_from_user(char *dst, u64 src, size_t n, size_t *done);
/* Aligned word access; with nofault_begin() in force faults are not resolved. 0 or -EFAULT. */
int arch_user_load_u32(u64 src, u32 *val);
int arch_user_cmpxchg_u32(u64 dst, u32 old, u32 new, u32 *seen);
