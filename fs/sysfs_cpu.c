// SPDX-License-Identifier: Apache-2.0
/*
 * sysfs_cpu - /sys/devices/system/cpu and node
 *
 * Role      Runtimes size their thread pools by it, lscpu and hwloc draw it. All CPUs are cores of one package with one
 *           thread each, on one node; what caches each has, the processor says.
 * Missing   vulnerabilities, cpufreq, cpuidle: nobody inside can know or change them. CPUs cannot be taken offline.
 *           On aarch64 no caches.
 * See       Linux' Documentation/ABI/stable/sysfs-devices-system-cpu
 */
#include "arch/thread.h"
#include "fs/sysfs_impl.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

static int show_range(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, nr_cpus > 1 ? "0-%u\n" : "0\n", nr_cpus - 1);
	return 0;
}

static void show_mask(struct strbuf *sb, u64 mask)
{
	if (nr_cpus > 32)
		strbuf_printf(sb, "%0*x,", (int)(nr_cpus - 32 + 3) / 4, (u32)(mask >> 32));
	strbuf_printf(sb, "%0*x\n", nr_cpus > 32 ? 8 : (int)(nr_cpus + 3) / 4, (u32)mask);
}

static int show_all_mask(struct strbuf *sb, void *ctx)
{
	show_mask(sb, nr_cpus == 64 ? U64_MAX : (1ull << nr_cpus) - 1);
	return 0;
}

static int show_own_mask(struct strbuf *sb, void *ctx)
{
	show_mask(sb, 1ull << (u64)ctx);
	return 0;
}

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

static int show_newline(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "\n");
	return 0;
}

static int show_distance(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "10\n");
	return 0;
}

static int show_no_smt(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "notsupported\n");
	return 0;
}

static int show_kernel_max(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", MAX_CPUS - 1);
	return 0;
}

static const struct proc_row rows[] = {
	{"devices/system/cpu/online",	       0444, show_range,	 NULL},
	{ "devices/system/cpu/possible",		 0444, show_range,	   NULL},
	{ "devices/system/cpu/present",		0444, show_range,	  NULL},
	{ "devices/system/cpu/offline",		0444, show_newline,    NULL},
	{ "devices/system/cpu/isolated",		 0444, show_newline,    NULL},
	{ "devices/system/cpu/kernel_max",	   0444, show_kernel_max, NULL},
	{ "devices/system/cpu/smt/active",	   0444, show_zero,	    NULL},
	{ "devices/system/cpu/smt/control",	    0444, show_no_smt,     NULL},
	{ "devices/system/node/online",		0444, show_zero,	 NULL},
	{ "devices/system/node/possible",	  0444, show_zero,	   NULL},
	{ "devices/system/node/has_cpu",		 0444, show_zero,	  NULL},
	{ "devices/system/node/has_memory",	    0444, show_zero,	     NULL},
	{ "devices/system/node/has_normal_memory", 0444, show_zero,	    NULL},
	{ "devices/system/node/node0/cpulist",     0444, show_range,	 NULL},
	{ "devices/system/node/node0/cpumap",      0444, show_all_mask,   NULL},
	{ "devices/system/node/node0/distance",	0444, show_distance,   NULL},
};
const struct proc_table sysfs_cpu_table = { rows, ARRAY_SIZE(rows), NULL };

/* ctx: the CPU's number. */
static const struct proc_row cpu_rows[] = {
	{"topology/core_id",		      0444, show_own_number, NULL},
	{ "topology/die_id",		     0444, show_zero,	      NULL},
	{ "topology/cluster_id",		 0444, show_own_number, NULL},
	{ "topology/physical_package_id",  0444, show_zero,	   NULL},
	{ "topology/thread_siblings",      0444, show_own_mask,   NULL},
	{ "topology/thread_siblings_list", 0444, show_own_number, NULL},
	{ "topology/core_cpus",		0444, show_own_mask,   NULL},
	{ "topology/core_cpus_list",	     0444, show_own_number, NULL},
	{ "topology/cluster_cpus",	   0444, show_own_mask,	NULL},
	{ "topology/cluster_cpus_list",	0444, show_own_number, NULL},
	{ "topology/core_siblings",	    0444, show_all_mask,	 NULL},
	{ "topology/core_siblings_list",	 0444, show_range,	   NULL},
	{ "topology/die_cpus",	       0444, show_all_mask,   NULL},
	{ "topology/die_cpus_list",	    0444, show_range,      NULL},
	{ "topology/package_cpus",	   0444, show_all_mask,	NULL},
	{ "topology/package_cpus_list",	0444, show_range,	  NULL},
};

/* Caches. ctx: CPU << 8 | index. */

static struct cpu_cache cache_of(void *ctx)
{
	struct cpu_cache c = { 0 };

	(void)arch_cpu_cache((u32)((u64)ctx & 0xff), &c);
	return c;
}

static int show_level(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", cache_of(ctx).level);
	return 0;
}

static int show_type(struct strbuf *sb, void *ctx)
{
	static const char *const names[] = { "", "Data", "Instruction", "Unified" };

	strbuf_printf(sb, "%s\n", names[cache_of(ctx).type & 3]);
	return 0;
}

static int show_size(struct strbuf *sb, void *ctx)
{
	struct cpu_cache c = cache_of(ctx);

	strbuf_printf(sb, "%lluK\n",
		      (unsigned long long)c.line_size * c.partitions * c.ways * c.sets >> 10);
	return 0;
}

static int show_line_size(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", cache_of(ctx).line_size);
	return 0;
}

static int show_ways(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", cache_of(ctx).ways);
	return 0;
}

static int show_sets(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", cache_of(ctx).sets);
	return 0;
}

static int show_partitions(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%u\n", cache_of(ctx).partitions);
	return 0;
}

static int show_sharers(struct strbuf *sb, void *ctx)
{
	return cache_of(ctx).level > 2 ? show_range(sb, ctx)
				       : show_own_number(sb, (void *)((u64)ctx >> 8));
}

static int show_sharers_mask(struct strbuf *sb, void *ctx)
{
	return cache_of(ctx).level > 2 ? show_all_mask(sb, ctx)
				       : show_own_mask(sb, (void *)((u64)ctx >> 8));
}

static int show_cache_id(struct strbuf *sb, void *ctx)
{
	return cache_of(ctx).level > 2 ? show_zero(sb, ctx)
				       : show_own_number(sb, (void *)((u64)ctx >> 8));
}

static const struct proc_row cache_rows[] = {
	{"level",		    0444, show_level,	     NULL},
	{ "type",		    0444, show_type,	   NULL},
	{ "size",		    0444, show_size,	   NULL},
	{ "coherency_line_size",	 0444, show_line_size,    NULL},
	{ "ways_of_associativity",   0444, show_ways,	    NULL},
	{ "number_of_sets",	    0444, show_sets,	     NULL},
	{ "physical_line_partition", 0444, show_partitions,   NULL},
	{ "shared_cpu_list",	     0444, show_sharers,	 NULL},
	{ "shared_cpu_map",	    0444, show_sharers_mask, NULL},
	{ "id",		      0444, show_cache_id,     NULL},
};

static int add_cache(struct synth_node *cpu_dir, u32 cpu, u32 index)
{
	const struct proc_table table = { cache_rows, ARRAY_SIZE(cache_rows),
					  (void *)((u64)cpu << 8 | index) };
	struct synth_node *dir;
	char path[24];
	int ret;

	snprintf(path, sizeof path, "cache/index%u", index);
	ret = synth_mkdir(cpu_dir, path, 0755, &dir);
	return ret ? ret : synth_add_table(dir, &table);
}

int sysfs_add_cpu(struct synth_node *root, u32 cpu)
{
	const struct proc_table table = { cpu_rows, ARRAY_SIZE(cpu_rows), (void *)(u64)cpu };
	struct cpu_cache c;
	struct synth_node *dir;
	char path[48];
	int ret;

	snprintf(path, sizeof path, "devices/system/cpu/cpu%u", cpu);
	ret = synth_mkdir(root, path, 0755, &dir);
	if (!ret)
		ret = synth_add_table(dir, &table);
	for (u32 i = 0; !ret && i < CPU_CACHES_MAX && arch_cpu_cache(i, &c); i++)
		ret = add_cache(dir, cpu, i);
	return ret;
}
