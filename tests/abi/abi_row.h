// SPDX-License-Identifier: Apache-2.0
/*
 * abi_row - one fact of the ABI and the macros that make rows of a list
 *
 * Role      Each side defines ABI_PICK to choose its own member name. ABI_ARCH, ABI_ARCH_LIST and
 *           ABI_ARCH_SYSTEM come from the build.
 */
#pragma once

#include <stddef.h>

struct abi_row {
	const char *name;
	long long value;
};

#define ABI_PASTE2(a, b) abi_##a##_##b
#define ABI_PASTE(a, b)	 ABI_PASTE2(a, b)
#define ABI_TABLE(side)	 ABI_PASTE(side, ABI_ARCH)

extern const struct abi_row ABI_TABLE(uapi)[], ABI_TABLE(uapi_libc)[];
extern const struct abi_row ABI_TABLE(system)[], ABI_TABLE(system_libc)[];

/* clang-format off */
#define CONST(n) { #n, (long long)(n) },
#define SIZE(t) { "sizeof(" #t ")", sizeof(t) },
#define FIELD(t, m) { #t "." #m, offsetof(t, m) },
#define FIELD2(t, ours, theirs) { #t "." #ours, offsetof(t, ABI_PICK(ours, theirs)) },
/* clang-format on */
