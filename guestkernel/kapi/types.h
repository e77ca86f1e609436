// SPDX-License-Identifier: Apache-2.0
/*
 * types - fixed-width types, wrapped addresses and compiler shorthands
 *
 * Role      Included by everything in the guest kernel. No logic.
 * Rules     Application addresses are uaddr_t, guest-physical ones paddr_t; both are structs, so that
 *           dereferencing one, or mixing the two, does not compile (style: typed-foreign-address).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* An address an application gave us; only mm/user.c turns it into an access. */
typedef struct {
	u64 va;
} uaddr_t;

/* A guest-physical address. */
typedef struct {
	u64 pa;
} paddr_t;

#define UADDR(x)   ((uaddr_t){ (u64)(x) })
#define PADDR(x)   ((paddr_t){ (u64)(x) })
#define UADDR_NULL UADDR(0)

static inline uaddr_t uaddr_add(uaddr_t a, u64 n)
{
	return UADDR(a.va + n);
}

static inline bool uaddr_is_null(uaddr_t a)
{
	return a.va == 0;
}

#define must_check	  __attribute__((warn_unused_result))
#define noreturn_fn	  __attribute__((noreturn))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define cacheline_aligned __attribute__((aligned(64)))
#define packed_struct	  __attribute__((packed))
#define likely(x)	  __builtin_expect(!!(x), 1)
#define unlikely(x)	  __builtin_expect(!!(x), 0)
#define fallthrough	  __attribute__((fallthrough))
#define unused_arg	  __attribute__((unused))

#define ARRAY_SIZE(a)			(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define BUILD_BUG_ON(cond)		_Static_assert(!(cond), #cond)

#define MIN(a, b)                                  \
	({                                         \
		__typeof__(a) min_a_ = (a);        \
		__typeof__(b) min_b_ = (b);        \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})
#define MAX(a, b)                                  \
	({                                         \
		__typeof__(a) max_a_ = (a);        \
		__typeof__(b) max_b_ = (b);        \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a)	 ALIGN_DOWN((x) + (a)-1, a)
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)
#define IS_POWER_OF_2(x) ((x) != 0 && ((x) & ((x)-1)) == 0)

#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define U32_MAX UINT32_MAX
#define S32_MAX INT32_MAX
#define S32_MIN INT32_MIN
#define U64_MAX UINT64_MAX
#define S64_MAX INT64_MAX
