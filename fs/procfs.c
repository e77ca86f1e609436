// SPDX-License-Identifier: Apache-2.0
/*
 * procfs - /proc: a tree of rows from their owners, and a directory per process
 *
 * Role      procfs_setup() takes the tables collected at boot; the first look into it builds the tree. One
 *           instance.
 * Rules     A row that exists already is not added again: tables of owners come before procfs_own_table.
 *           The names of processes are never cached, nor any below them; all others are (INODE_STAYS).
 * Missing   mounts on names below a process are made and not found; hidepid, several pid namespaces in one mount.
 * See       proc(5), procfs_task.c, procfs_fd.c, procfs_system.c
 */
#include "fs/procfs_impl.h"
#include "guestkernel/kapi/errno.h"

struct procfs_setup proc_setup_data;

void procfs_setup(const struct procfs_setup *s)
{
	proc_setup_data = *s;
}

static const struct synth_dir_ops proc_root_ops = {
	.lookup = proc_pid_lookup,
	.iterate = proc_pid_iterate,
	.inode_flags = INODE_NO_DCACHE,
};

/* One row at a time: a name somebody else has taken is not an error. */
static int add_table(struct synth_node *root, const struct proc_table *t)
{
	for (size_t i = 0; i < t->nr; i++) {
		int ret = synth_add_row(root, &t->rows[i], t->ctx);

		if (ret && ret != -EEXIST)
			return ret;
	}
	return 0;
}

static int build(struct synth_node *root)
{
	const struct proc_table *const *t = proc_setup_data.root;
	int ret = 0;

	for (; t && *t && !ret; t++)
		ret = add_table(root, *t);
	if (!ret)
		ret = add_table(root, &procfs_own_table);
	if (!ret)
		ret = add_table(root, &procfs_fixed_table);
	if (!ret)
		ret = add_table(root, &procfs_limits_table);
	if (!ret)
		ret = synth_add_link(root, "net", "self/net");
	if (!ret)
		ret = synth_add_link(root, "mounts", "self/mounts");
	return ret == -EEXIST ? 0 : ret;
}

static int make(const struct fs_type *t, struct super **out)
{
	struct super *sb;
	int ret = synth_super_create(t, SYNTH_PROC_MAGIC, 0555, &sb);

	if (ret)
		return ret;
	ret = procfs_add_links(
		synth_root(sb)); /* every program with the C library inside asks for self */
	if (ret) {
		super_put(sb);
		return ret;
	}
	synth_set_build(sb, build);
	if (proc_tasks())
		synth_set_dir_ops(synth_root(sb), &proc_root_ops, NULL);
	*out = sb;
	return 0;
}

static int procfs_mount(const struct fs_type *t, const struct mount_args *a, struct super **out)
{
	static struct synth_single single = SYNTH_SINGLE_INIT(make);

	return synth_mount_single(&single, t, out);
}

const struct fs_type procfs_type = {
	.name = "proc",
	.no_dev = true,
	.user_mountable = true,
	.mount = procfs_mount,
};
