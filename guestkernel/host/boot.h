// SPDX-License-Identifier: Apache-2.0
/*
 * boot - what the monitor tells the kernel at start, parsed out of the boot block
 *
 * Rules     Strings point into the boot block, which stays where it is.
 */
#pragma once

#include "guestkernel/kapi/types.h"

/* Packed NUL-terminated strings. */
struct boot_strings {
	const char *data;
	u32 len;
};

struct boot_info {
	u64 ram_base, ram_size;
	u64 cpus, counter_khz, wall_ns, wall_counter;
	const u8 *seed;
	u32 seed_len;
	u64 channels, event, rings, page_map, reserved_end, log_level;
	u64 irqchip;		  /* version, where there are several */
	u64 image_gpa, image_len; /* 0: none */
	struct boot_strings args, env, tmpfs, rlimits;
	const char *cwd, *hostname, *strace; /* strace NULL: off */
	u64 uid, gid;
	const u8 *groups; /* big-endian u32s */
	u32 nr_groups;
	bool has_tty, is_read_only, is_privileged;
	u64 rows, cols;
	u64 pids_limit; /* tasks; 0: the property is absent */
};

extern struct boot_info boot;

/* Panics on a boot block it cannot read: the monitor and the kernel are one build. */
void boot_parse(const void *fdt);
/* Next string after s (NULL: first), or NULL. */
const char *boot_strings_next(const struct boot_strings *list, const char *s);
u32 boot_strings_count(const struct boot_strings *list);
