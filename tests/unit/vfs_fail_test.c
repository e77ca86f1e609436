// SPDX-License-Identifier: Apache-2.0
/*
 * vfs_fail_test - every allocation of every file system operation fails once
 *
 * Role      A history of operations runs on a fresh tree up to one of them; in that one the n-th allocation fails,
 *           for n = 1, 2, ... until none is left. The operation says ENOMEM and has done nothing: the same call
 *           then succeeds, the rest of the history too, and in the end nothing is leaked.
 */
#include "fs/overlayfs.h"
#include "fs/tmpfs.h"
#include "fs/xattr.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/xattr.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"
#include "tests/lib/vfs_host.h"

#define LONG_NAME "/dir/a-name-that-is-longer-than-what-a-dentry-keeps-inline-in-itself"

static struct super *lower, *upper;

static int mount_overlay(const struct fs_type *t, const struct mount_args *a, struct super **out)
{
	return ovl_create(&lower, 1, upper, out);
}

static const struct fs_type overlay_type = { .name = "overlay", .mount = mount_overlay };

static const char zeroes[8192];

/* What the overlay finds below: /dir/low with two pages, /dir/sub/leaf. */
static void begin_overlay(const struct mount_args *a)
{
	struct inode *dir;

	CHECK(tmpfs_create_layer(50, 0755, &lower) == 0 &&
	      tmpfs_create_layer(50, 0755, &upper) == 0);
	dir = vh_layer_add(lower, lower->root, "dir", NULL, 0);
	vh_layer_add(lower, dir, "low", zeroes, sizeof zeroes);
	vh_layer_add(lower, vh_layer_add(lower, dir, "sub", NULL, 0), "leaf", "leaf", 4);
	vfs_host_start(&overlay_type, a);
}

/* The same, all in one. */
static void begin_tmpfs(const struct mount_args *a)
{
	vfs_host_start(&tmpfs_fs_type, a);
	CHECK(vfs_mkdirat(AT_FDCWD, "/dir", 0755) == 0);
	CHECK(vfs_mkdirat(AT_FDCWD, "/dir/sub", 0755) == 0);
	CHECK(vfs_write_file("/dir/low", zeroes, sizeof zeroes, 0644) == 0);
	CHECK(vh_write("/dir/sub/leaf", "leaf") == 0);
}

static int on_path(const char *path, int (*fn)(const struct path *p))
{
	struct path p;
	int err = path_lookup(AT_FDCWD, path, 0, &p);

	if (err)
		return err;
	err = fn(&p);
	path_put(&p);
	return err;
}

static int set_xattr(const struct path *p)
{
	return vfs_setxattr(p, "user.color", "green", 5, 0);
}

static int chmod_600(const struct path *p)
{
	return vfs_chmod(p, 0600);
}

static int cut(const struct path *p)
{
	return vfs_truncate(p, 100, NULL);
}

static int op_mkdir(void)
{
	return vfs_mkdirat(AT_FDCWD, "/dir/new", 0755);
}

static int op_write_long_name(void)
{
	return vh_write(LONG_NAME, "12345");
}

/* Copies the lower file up, in the overlay. */
static int op_chmod(void)
{
	return on_path("/dir/low", chmod_600);
}

static int op_xattr(void)
{
	return on_path("/dir/low", set_xattr);
}

static int op_truncate(void)
{
	return on_path("/dir/low", cut);
}

static int op_link(void)
{
	return vfs_linkat(AT_FDCWD, "/dir/low", AT_FDCWD, "/dir/new/link", 0);
}

static int op_symlink(void)
{
	return vfs_symlinkat("/dir/low", AT_FDCWD, "/dir/new/symlink");
}

static int op_rename(void)
{
	return vfs_renameat(AT_FDCWD, LONG_NAME, AT_FDCWD,
			    "/dir/new/moved-to-a-name-of-some-length-as-well-as-before", 0);
}

static int op_rename_over(void)
{
	return vfs_renameat(AT_FDCWD, "/dir/new/symlink", AT_FDCWD, "/dir/new/link", 0);
}

static int op_list(void)
{
	char names[512];
	int n = vh_list("/dir", names, sizeof names);

	return n < 0 ? n : 0;
}

static int op_unlink_lower(void)
{
	return vfs_unlinkat(AT_FDCWD, "/dir/sub/leaf", 0);
}

static int op_rmdir_lower(void)
{
	return vfs_unlinkat(AT_FDCWD, "/dir/sub", AT_REMOVEDIR);
}

static int op_mkdir_again(void)
{
	return vfs_mkdirat(AT_FDCWD, "/dir/sub", 0755);
}

static int (*const history[])(void) = {
	op_mkdir,	 op_write_long_name, op_chmod,	     op_xattr,	     op_truncate,
	op_link,	 op_symlink,	     op_rename,	     op_rename_over, op_list,
	op_unlink_lower, op_rmdir_lower,     op_mkdir_again,
};

/* False when operation `at` has fewer than n allocations. */
static bool run(bool overlay, u32 at, u32 n)
{
	const struct mount_args a = { .source = "root" };
	bool failed;
	int err;
	u32 i;

	overlay ? begin_overlay(&a) : begin_tmpfs(&a);
	for (i = 0; i < at; i++)
		CHECK(history[i]() == 0);
	(void)dcache_shrink(0);
	fail_at(n);
	err = history[at]();
	failed = fail_happened();
	fail_at(0);
	if (err)
		CHECK(failed && err == -ENOMEM);
	if (err)
		CHECK(history[at]() == 0);
	for (i = at + 1; i < ARRAY_SIZE(history); i++)
		CHECK(history[i]() == 0);
	vfs_host_stop();
	return failed;
}

static void run_all(bool overlay)
{
	u32 at, n;

	for (at = 0; at < ARRAY_SIZE(history); at++)
		for (n = 1; run(overlay, at, n); n++)
			CHECK(n < 1000);
}

TEST(tmpfs_operations_fail_without_effect)
{
	run_all(false);
}

TEST(overlay_operations_fail_without_effect)
{
	run_all(true);
}
