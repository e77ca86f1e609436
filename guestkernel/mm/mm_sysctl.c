// SPDX-License-Identifier: Apache-2.0
/*
 * mm_sysctl - /proc/sys/vm
 *
 * Rules     See kapi/sysctl.h. Obeyed: max_map_count. The rest says how this memory management is: mappings are never
 *           refused for want of memory (overcommit_memory 1), nothing is swapped or written back.
 * Missing   drop_caches only checks its number: clean pages are not given back. docs/proc.md has the list.
 * See       proc(5)
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/sysctl.h"
#include "guestkernel/mm/mm_proc.h"
#include "guestkernel/mm/region.h"

s32 sysctl_max_map_count = 65530;

static const struct sysctl k_max_map_count = { &sysctl_max_map_count, 1, 4, 0, S32_MAX };

static int show_mmap_min_addr(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%llu\n", (unsigned long long)USER_VA_MIN);
	return 0;
}

static const struct proc_row rows[] = {
	SYSCTL_ROW("sys/vm/max_map_count", 0644, k_max_map_count),
	{"sys/vm/mmap_min_addr", 0444, show_mmap_min_addr, NULL},
	SYSCTL_TEXT("vm/overcommit_memory", "1"),
	SYSCTL_TEXT("vm/overcommit_ratio", "50"),
	SYSCTL_TEXT("vm/overcommit_kbytes", "0"),
	SYSCTL_TEXT("vm/user_reserve_kbytes", "0"),
	SYSCTL_TEXT("vm/admin_reserve_kbytes", "0"),
	SYSCTL_TEXT("vm/min_free_kbytes", "0"),
	SYSCTL_TEXT("vm/swappiness", "0"),
	SYSCTL_TEXT("vm/page-cluster", "0"),
	SYSCTL_TEXT("vm/nr_hugepages", "0"),
	SYSCTL_TEXT("vm/nr_overcommit_hugepages", "0"),
	SYSCTL_TEXT("vm/hugetlb_shm_group", "0"),
	SYSCTL_TEXT("vm/dirty_ratio", "0"),
	SYSCTL_TEXT("vm/dirty_background_ratio", "0"),
	SYSCTL_TEXT("vm/dirty_bytes", "0"),
	SYSCTL_TEXT("vm/dirty_background_bytes", "0"),
	SYSCTL_TEXT("vm/dirty_expire_centisecs", "0"),
	SYSCTL_TEXT("vm/dirty_writeback_centisecs", "0"),
	SYSCTL_TEXT("vm/vfs_cache_pressure", "100"),
	SYSCTL_TEXT("vm/zone_reclaim_mode", "0"),
	SYSCTL_TEXT("vm/panic_on_oom", "0"),
	SYSCTL_TEXT("vm/oom_kill_allocating_task", "0"),
	SYSCTL_TEXT("vm/oom_dump_tasks", "0"),
	SYSCTL_TEXT("vm/legacy_va_layout", "0"),
	SYSCTL_TEXT("vm/mmap_rnd_bits", "28"),
	SYSCTL_TEXT("vm/unprivileged_userfaultfd", "0"),
	SYSCTL_TEXT("vm/laptop_mode", "0"),
	SYSCTL_TEXT("vm/memfd_noexec", "0"),
	SYSCTL_TEXT("vm/stat_interval", "1"),
};
const struct proc_table mm_sysctl = { rows, ARRAY_SIZE(rows), NULL };
