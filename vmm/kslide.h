// SPDX-License-Identifier: Apache-2.0
/*
 * kslide - the guest kernel runs at another virtual address each time
 *
 * Role      Between kimage_load() and the page tables: moves a loaded image up by a random number of pages.
 * Rules     The relocations are those the linker left in the file (--emit-relocs). An image without them, as those of
 *           other machines and of tests, stays where it was linked.
 * Missing   aarch64 (its kernel makes its own tables from constants); the process machine, whose kernel has the host's own
 *           address space to hide in and is linked to a fixed place; the direct map and the stacks, which do not move.
 */
#pragma once

#include "vmm/kimage.h"

/* -ENOEXEC for a file that contradicts itself, -EIO when the host gives no random numbers. */
int kslide_apply(struct kimage *k, struct gmem *m, struct err *e) MUST_CHECK;
/* The same by a number of bytes, for tests. */
int kslide_by(struct kimage *k, struct gmem *m, uint64_t slide, struct err *e) MUST_CHECK;
