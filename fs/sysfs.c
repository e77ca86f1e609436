// SPDX-License-Identifier: Apache-2.0
/*
 * sysfs - /sys: the few files programs look for
 *
 * Role      What the kernel is like, and the directories of all kinds of devices, which are empty. CPUs are in
 *           sysfs_cpu.c; more rows come with sysfs_setup() (kapi/proc.h).
 * Rules     One instance. Everything is read-only.
 * Missing   Devices, uevents, notes; cgroup2 is an empty directory: no controller exists, so programs see no
 *           limits other than those sysinfo and sched_getaffinity tell.
 * See       sysfs(5)
 */
#include "fs/sysfs_impl.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

#define SYSFS_MAGIC 0x62656572

static const struct proc_table *const *extra_tables;

void sysfs_setup(const struct proc_table *const *tables)
{
	extra_tables = tables;
}

static int show_text(struct strbuf *sb, void *ctx)
{
	strbuf_printf(sb, "%s\n", (const char *)ctx);
	return 0;
}

#define FIXED(path, text)                                                               \
	{                                                                               \
		.name = (path), .mode = 0444, .show = show_text, .data = (void *)(text) \
	}

static const struct proc_row rows[] = {
	FIXED("kernel/mm/transparent_hugepage/enabled", "always madvise [never]"),
	FIXED("kernel/mm/transparent_hugepage/defrag",
	      "always defer defer+madvise madvise [never]"),
	FIXED("kernel/mm/transparent_hugepage/shmem_enabled",
	      "always within_size advise [never] deny force"),
	FIXED("kernel/mm/transparent_hugepage/use_zero_page", "0"),
	FIXED("kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152"),
	FIXED("kernel/mm/ksm/run", "0"),
	FIXED("kernel/uevent_seqnum", "0"),
	FIXED("kernel/profiling", "0"),
	FIXED("kernel/cpu_byteorder", "little"),
	FIXED("kernel/address_bits", "64"),
	FIXED("kernel/fscaps", "1"),
};

static const struct proc_table own_table = { rows, ARRAY_SIZE(rows), NULL };

static const char *const empty_dirs[] = {
	"block",
	"bus/cpu/devices",
	"bus/pci/devices",
	"bus/usb/devices",
	"class/block",
	"class/mem",
	"class/misc",
	"class/net",
	"class/power_supply",
	"class/thermal",
	"class/tty",
	"dev/block",
	"dev/char",
	"devices/virtual",
	"firmware",
	"fs/cgroup",
	"fs/fuse/connections",
	"fs/tmpfs",
	"kernel/debug",
	"kernel/mm/hugepages",
	"kernel/security",
	"kernel/tracing",
	"module",
	"power",
};

static int build(struct synth_node *root)
{
	const struct proc_table *const *t = extra_tables;
	struct synth_node *dir;
	int ret = synth_add_table(root, &own_table);

	if (!ret)
		ret = synth_add_table(root, &sysfs_cpu_table);

	for (u32 i = 0; i < nr_cpus && !ret; i++)
		ret = sysfs_add_cpu(root, i);
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
