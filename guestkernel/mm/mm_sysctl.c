// SPDX-License-Identifier: Apache-2.0
/*
 * mm_sysctl - /proc/sys/vm
 *
 * Rules     See kapi/sysctl.h. Obeyed: max_map_count. The rest says how this memory management is: mappings are never
 *           refused for want of memory (overcommit_memory 1), nothing is swapped or written back.
 * Missing   drop_caches: clean pages are not given back. docs/proc.md has the list.
 * See       proc(5)
 */
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/sysctl.h"
#include "guestkernel/mm/mm_proc.h"
#include "guestkernel/mm/region.h"

s32 sysctl_max_map_count = 65530;

static const struct sysctl k_max_map_count = { &sysctl_max_map_count, 1, 4, 0, S32_MAX };

/* Advice about swap, write-back and caches that are not there; kept, and without effect, as on a Linux without them. */
static s32 swappiness = 60;
static const struct sysctl k_swappiness = { &swappiness, 1, 4, 0, 200 };
static s32 page_cluster = 3;
static const struct sysctl k_page_cluster = { &page_cluster, 1, 4, 0, 31 };
static s32 dirty_ratio = 20;
static const struct sysctl k_dirty_ratio = { &dirty_ratio, 1, 4, 0, 100 };
static s32 dirty_background_ratio = 10;
static const struct sysctl k_dirty_background_ratio = { &dirty_background_ratio, 1, 4, 0, 100 };
static s32 dirty_expire_centisecs = 3000;
static const struct sysctl k_dirty_expire_centisecs = { &dirty_expire_centisecs, 1, 4, 0, S32_MAX };
static s32 dirty_writeback_centisecs = 500;
static const struct sysctl k_dirty_writeback_centisecs = { &dirty_writeback_centisecs, 1, 4, 0,
							   S32_MAX };
static s32 vfs_cache_pressure = 100;
static const struct sysctl k_vfs_cache_pressure = { &vfs_cache_pressure, 1, 4, 0, S32_MAX };
static s32 zone_reclaim_mode = 0;
static const struct sysctl k_zone_reclaim_mode = { &zone_reclaim_mode, 1, 4, 0, S32_MAX };
static s32 oom_dump_tasks = 1;
static const struct sysctl k_oom_dump_tasks = { &oom_dump_tasks, 1, 4, 0, S32_MAX };
static s32 laptop_mode = 0;
static const struct sysctl k_laptop_mode = { &laptop_mode, 1, 4, 0, S32_MAX };
static s32 stat_interval = 1;
static const struct sysctl k_stat_interval = { &stat_interval, 1, 4, 0, S32_MAX };

static int show_mmap_min_addr(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%llu\n", (unsigned long long)USER_VA_MIN);
	return 0;
}

static const struct proc_row rows[] = {
	SYSCTL_ROW("sys/vm/max_map_count", 0644, k_max_map_count),
	{"sys/vm/mmap_min_addr", 0444, show_mmap_min_addr, NULL},
	SYSCTL_ROW("sys/vm/swappiness", 0644, k_swappiness),
	SYSCTL_ROW("sys/vm/page-cluster", 0644, k_page_cluster),
	SYSCTL_ROW("sys/vm/dirty_ratio", 0644, k_dirty_ratio),
	SYSCTL_ROW("sys/vm/dirty_background_ratio", 0644, k_dirty_background_ratio),
	SYSCTL_ROW("sys/vm/dirty_expire_centisecs", 0644, k_dirty_expire_centisecs),
	SYSCTL_ROW("sys/vm/dirty_writeback_centisecs", 0644, k_dirty_writeback_centisecs),
	SYSCTL_ROW("sys/vm/vfs_cache_pressure", 0644, k_vfs_cache_pressure),
	SYSCTL_ROW("sys/vm/zone_reclaim_mode", 0644, k_zone_reclaim_mode),
	SYSCTL_ROW("sys/vm/oom_dump_tasks", 0644, k_oom_dump_tasks),
	SYSCTL_ROW("sys/vm/laptop_mode", 0644, k_laptop_mode),
	SYSCTL_ROW("sys/vm/stat_interval", 0644, k_stat_interval),
	SYSCTL_TEXT("vm/overcommit_memory", "1"),
	SYSCTL_TEXT("vm/overcommit_ratio", "50"),
	SYSCTL_TEXT("vm/overcommit_kbytes", "0"),
	SYSCTL_TEXT("vm/user_reserve_kbytes", "0"),
	SYSCTL_TEXT("vm/admin_reserve_kbytes", "0"),
	SYSCTL_TEXT("vm/min_free_kbytes", "0"),
	SYSCTL_TEXT("vm/nr_hugepages", "0"),
	SYSCTL_TEXT("vm/nr_overcommit_hugepages", "0"),
	SYSCTL_TEXT("vm/hugetlb_shm_group", "0"),
	SYSCTL_TEXT("vm/dirty_bytes", "0"),
	SYSCTL_TEXT("vm/dirty_background_bytes", "0"),
	SYSCTL_TEXT("vm/panic_on_oom", "0"),
	SYSCTL_TEXT("vm/oom_kill_allocating_task", "0"),
	SYSCTL_TEXT("vm/legacy_va_layout", "0"),
	SYSCTL_TEXT("vm/mmap_rnd_bits", "28"),
	SYSCTL_TEXT("vm/unprivileged_userfaultfd", "0"),
	SYSCTL_TEXT("vm/memfd_noexec", "0"),
};
const struct proc_table mm_sysctl = { rows, ARRAY_SIZE(rows), NULL };
