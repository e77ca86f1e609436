// SPDX-License-Identifier: Apache-2.0
/*
 * layout - the kernel half of the address space, alike in every virtual machine
 *
 *   ffffffff80000000  kernel image: text, read-only, writable
 *   ffffc00000000000  kmap: stacks with guard pages, large buffers (512 GiB, filled by the kernel)
 *   ffff800000000000  direct map of guest-physical memory and windows
 *
 * Rules     Known to both sides: the monitor builds the tables the kernel starts with.
 */
#pragma once

#define DIRECT_MAP_BASE 0xffff800000000000ull
#define KMAP_BASE	0xffffc00000000000ull
#define KMAP_BYTES	(1ull << 39)
#define KERNEL_VA_BASE	0xffffffff80000000ull
#define KERNEL_HALF	DIRECT_MAP_BASE
