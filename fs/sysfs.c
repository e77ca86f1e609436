// SPDX-License-Identifier: Apache-2.0
/*
 * sysfs - /sys: the few files programs look for
 *
 * Role      CPU topology (runtimes size their thread pools by it), transparent huge pages, an empty cgroup directory and
 *           network class. More rows come with sysfs_setup() (kapi/proc.h).
 * Rules     One instance. Everything is read-only.
 * Missing   Devices, uevents, caches of CPUs; cgroup2 is an empty directory: no controller exists, so programs see no
 *           limits other than those sysinfo and sched_getaffinity tell.
 * See       sysfs(5)
 */
#include "fs/sysfs.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

#define SYSFS_MAGIC 0x62656572

static const struct proc_table *const *extra_tables;

void sysfs_setup(const struct proc_table *const *tables)
{
	extra_tables = tables;
}

static int show_cpu_range(struct strbuf *sb, void *ctx)
{
	if (nr_cpus > 1)
		strbuf_printf(sb, "0-%u\n", nr_cpus - 1);
	else
		strbuf_printf(sb, "0\n");
	return 0;
}

static int show_kernel_max(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", MAX_CPUS - 1);
	return 0;
}

static int show_newline(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "\n");
	return 0;
}

static int show_thp(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "always madvise [never]\n");
	return 0;
}

static int show_page_size(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "0\n");
	return 0;
}

static const struct proc_row rows[] = {
	{"devices/system/cpu/online",		       0444, show_cpu_range,  NULL},
	{ "devices/system/cpu/possible",			 0444, show_cpu_range,  NULL},
	{ "devices/system/cpu/present",			0444, show_cpu_range,  NULL},
	{ "devices/system/cpu/offline",			0444, show_newline,    NULL},
	{ "devices/system/cpu/isolated",			 0444, show_newline,    NULL},
	{ "devices/system/cpu/kernel_max",		   0444, show_kernel_max, NULL},
	{ "devices/system/node/online",			0444, show_page_size,  NULL},
	{ "devices/system/node/possible",		  0444, show_page_size,	NULL},
	{ "devices/system/node/node0/cpulist",	       0444, show_cpu_range,  NULL},
	{ "kernel/mm/transparent_hugepage/enabled",	    0444, show_thp,	    NULL},
	{ "kernel/mm/transparent_hugepage/defrag",	   0444, show_thp,	   NULL},
	{ "kernel/mm/transparent_hugepage/hpage_pmd_size", 0444, show_page_size,	 NULL},
};

static const struct proc_table own_table = { rows, ARRAY_SIZE(rows), NULL };

/* Per CPU; ctx is its number. Every CPU is a core and a package of one thread. */

static int show_own_number(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%llu\n", (unsigned long long)(u64)ctx);
	return 0;
}

static int show_zero(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "0\n");
	return 0;
}

static int show_own_mask(struct strbuf *sb, void *ctx)
{
	u64 mask = 1ull << (u64)ctx;

	if (mask >> 32)
		strbuf_printf(sb, "%08x,%08x\n", (u32)(mask >> 32), (u32)mask);
	else
		strbuf_printf(sb, "%08x\n", (u32)mask);
	return 0;
}

static int show_one(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "1\n");
	return 0;
}

static const struct proc_row cpu_rows[] = {
	{"topology/core_id",		      0444, show_own_number, NULL},
	{ "topology/physical_package_id",  0444, show_zero,	   NULL},
	{ "topology/thread_siblings_list", 0444, show_own_number, NULL},
	{ "topology/core_cpus_list",	     0444, show_own_number, NULL},
	{ "topology/thread_siblings",      0444, show_own_mask,   NULL},
	{ "topology/core_cpus",		0444, show_own_mask,   NULL},
	{ "topology/core_siblings_list",	 0444, show_cpu_range,  NULL},
	{ "topology/package_cpus_list",	0444, show_cpu_range,  NULL},
	{ "online",			0444, show_one,	    NULL},
};

static int add_cpu(struct synth_node *root, u32 cpu)
{
	const struct proc_table table = { cpu_rows, ARRAY_SIZE(cpu_rows), (void *)(u64)cpu };
	struct synth_node *dir;
	char path[48];
	int ret;

	snprintf(path, sizeof path, "devices/system/cpu/cpu%u", cpu);
	ret = synth_mkdir(root, path, 0755, &dir);
	return ret ? ret : synth_add_table(dir, &table);
}

static const char *const empty_dirs[] = {
	"fs/cgroup", "class/net",	    "class/tty",       "block",
	"bus",	     "dev/block",	    "dev/char",	       "firmware",
	"module",    "kernel/mm/hugepages", "devices/virtual",
};

static int build(struct synth_node *root)
{
	const struct proc_table *const *t = extra_tables;
	struct synth_node *dir;
	int ret = synth_add_table(root, &own_table);

	for (u32 i = 0; i < nr_cpus && !ret; i++)
		ret = add_cpu(root, i);
	for (u32 i = 0; i < ARRAY_SIZE(empty_dirs) && !ret; i++)
		ret = synth_mkdir(root, empty_dirs[i], 0755, &dir);
	for (; t && *t && !ret; t++)
		ret = synth_add_table(root, *t);
	return ret;
}

static int make(const struct fs_type *t, struct super **out)
{
	struct super *sb;
	int ret = synth_super_create(t, SYSFS_MAGIC, 0555, &sb);

	if (ret)
		return ret;
	synth_set_build(sb, build);
	*out = sb;
	return 0;
}

static int sysfs_mount(const struct fs_type *t, const struct mount_args *a, struct super **out)
{
	static struct synth_single single = SYNTH_SINGLE_INIT(make);

	return synth_mount_single(&single, t, out);
}

const struct fs_type sysfs_type = {
	.name = "sysfs",
	.no_dev = true,
	.user_mountable = true,
	.mount = sysfs_mount,
};
