// SPDX-License-Identifier: Apache-2.0
/*
 * kapi_host_user - the architecture's access to application memory, for host tests
 *
 * Role      guestkernel/mm/user.c runs over these unchanged.
 * Rules     Application addresses are host addresses; below 4096 and in the range of host_fault_range()
 *           every access fails at the exact byte, as a fault in the middle of a copy does.
 */
#include "arch/uaccess.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "tests/lib/kapi_host.h"

static u64 fault_lo, fault_hi;

void host_fault_range(u64 lo, u64 hi)
{
	fault_lo = lo;
	fault_hi = hi;
}

/* How many of n bytes at va can be accessed. */
static size_t accessible(u64 va, size_t n)
{
	if (va < 4096 || (va >= fault_lo && va < fault_hi))
		return 0;
	return va < fault_lo && fault_lo - va < n ? fault_lo - va : n;
}

static void *host_ptr(u64 va)
{
	return (void *)(uintptr_t)va;
}

size_t arch_copy_from_user(void *dst, u64 src, size_t n)
{
	size_t ok = accessible(src, n);

	memcpy(dst, host_ptr(src), ok);
	return n - ok;
}

size_t arch_copy_to_user(u64 dst, const void *src, size_t n)
{
	size_t ok = accessible(dst, n);

	memcpy(host_ptr(dst), src, ok);
	return n - ok;
}

size_t arch_clear_user(u64 dst, size_t n)
{
	size_t ok = accessible(dst, n);

	memset(host_ptr(dst), 0, ok);
	return n - ok;
}

int arch_strncpy_from_user(char *dst, u64 src, size_t n, size_t *done)
{
	for (*done = 0; *done < n; ++*done) {
		if (arch_copy_from_user(dst + *done, src + *done, 1))
			return -EFAULT;
		if (!dst[*done])
			return 0;
	}
	return 1;
}

int arch_user_load_u32(u64 src, u32 *val)
{
	if (accessible(src, sizeof *val) != sizeof *val)
		return -EFAULT;
	*val = __atomic_load_n((u32 *)host_ptr(src), __ATOMIC_SEQ_CST);
	return 0;
}

int arch_user_cmpxchg_u32(u64 dst, u32 old, u32 new, u32 *seen)
{
	if (accessible(dst, sizeof old) != sizeof old)
		return -EFAULT;
	__atomic_compare_exchange_n((u32 *)host_ptr(dst), &old, new, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	*seen = old;
	return 0;
}

/* mm/fault.c has the real one. */
__attribute__((weak)) int user_fault_in(uaddr_t ua, bool write)
{
	return accessible(ua.va, 1) ? 0 : -EFAULT;
}
