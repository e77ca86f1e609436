// SPDX-License-Identifier: Apache-2.0
/* namei_test - path walk, opening and names, over a tmpfs */
#include "fs/fdtable.h"
#include "guestkernel/kapi/fsctx.h"
#include "fs/tmpfs.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/mount.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"
#include "tests/lib/vfs_host.h"

extern struct cred host_cred;

static void start(void)
{
	const struct mount_args a = { .source = "root" };

	vfs_host_start(&tmpfs_fs_type, &a);
	CHECK(vfs_mkdirat(AT_FDCWD, "/a", 0755) == 0);
	CHECK(vfs_mkdirat(AT_FDCWD, "/a/b", 0755) == 0);
	CHECK(vh_write("/a/b/f", "text") == 0);
}

static bool same_file(const char *x, const char *y)
{
	struct kstat a, b;

	return vh_lstat(x, &a) == 0 && vh_lstat(y, &b) == 0 && a.ino == b.ino;
}

TEST(paths_lead_through_dots_slashes_and_the_root)
{
	start();
	CHECK(same_file("/a/b/f", "//a/./b//../b/f"));
	CHECK(same_file("/a", "/../../a") && same_file("/", "/.."));
	CHECK(vh_chdir("/a/b") == 0);
	CHECK(same_file("f", "../b/f") && same_file(".", "/a/b") && same_file("..", "/a"));
	CHECK(vh_try("f/", O_RDONLY) == -ENOTDIR && vh_try("f/x", O_RDONLY) == -ENOTDIR);
	CHECK(vh_try("f/.", O_RDONLY) == -ENOTDIR && vh_try("", O_RDONLY) == -ENOENT);
	CHECK(vh_try("/none", O_RDONLY) == -ENOENT && vh_try("/none/x", O_RDONLY) == -ENOENT);
	CHECK(vh_try("/none", O_RDONLY) == -ENOENT); /* from the cache this time */
	vfs_host_stop();
}

TEST(links_are_followed_and_loops_end)
{
	char buf[16];

	start();
	CHECK(vfs_symlinkat("b/f", AT_FDCWD, "/a/rel") == 0);
	CHECK(vfs_symlinkat("/a/b", AT_FDCWD, "/abs") == 0);
	CHECK(vfs_symlinkat("self", AT_FDCWD, "/self") == 0);
	CHECK(vfs_symlinkat("two", AT_FDCWD, "/one") == 0 &&
	      vfs_symlinkat("one", AT_FDCWD, "/two") == 0);
	CHECK(vh_read("/a/rel", buf, sizeof buf) == 4 && vh_read("/abs/f", buf, sizeof buf) == 4);
	CHECK(vh_read("/abs/../rel", buf, sizeof buf) == 4);
	CHECK(vh_try("/self", O_RDONLY) == -ELOOP && vh_try("/one/x", O_RDONLY) == -ELOOP);
	CHECK(vh_try("/a/rel", O_RDONLY | O_NOFOLLOW) == -ELOOP);
	CHECK(vh_try("/a/rel/", O_RDONLY) == -ENOTDIR && vh_try("/abs/", O_RDONLY) == 0);
	CHECK(vh_try("/abs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW) == -ENOTDIR);
	CHECK(vh_try("/abs", O_PATH | O_NOFOLLOW) == 0);
	vfs_host_stop();
}

TEST(forty_links_are_allowed_and_no_more)
{
	char name[16], target[16];

	start();
	CHECK(vfs_symlinkat("/a/b/f", AT_FDCWD, "/l0") == 0);
	for (u32 i = 1; i <= 40; i++) {
		snprintf(name, sizeof name, "/l%u", i);
		snprintf(target, sizeof target, "l%u", i - 1);
		CHECK(vfs_symlinkat(target, AT_FDCWD, name) == 0);
	}
	CHECK(vh_try("/l39", O_RDONLY) == 0 && vh_try("/l40", O_RDONLY) == -ELOOP);
	vfs_host_stop();
}

TEST(long_link_texts_are_put_together)
{
	static char dir[300], path[700];
	char buf[16];

	start();
	memset(dir, 'd', 250);
	snprintf(path, sizeof path, "/%s", dir);
	CHECK(vfs_mkdirat(AT_FDCWD, path, 0755) == 0);
	CHECK(vfs_symlinkat(dir, AT_FDCWD, "/long") == 0);
	CHECK(vh_write("/long/f", "x") == 0);
	CHECK(vfs_symlinkat("../long/../long/./f", AT_FDCWD, "/long/g") == 0);
	CHECK(vh_read("/long/g", buf, sizeof buf) == 1);
	snprintf(path, sizeof path, "/%s%s", dir, dir);
	CHECK(vh_try(path, O_RDONLY) == -ENAMETOOLONG);
	vfs_host_stop();
}

TEST(creating_follows_dangling_links_and_respects_excl)
{
	start();
	CHECK(vfs_symlinkat("made", AT_FDCWD, "/dangling") == 0);
	CHECK(vh_try("/dangling", O_CREAT | O_EXCL | O_WRONLY) == -EEXIST);
	CHECK(vh_try("/dangling", O_CREAT | O_NOFOLLOW | O_WRONLY) == -ELOOP);
	CHECK(vh_try("/dangling", O_CREAT | O_WRONLY) == 0 && vh_try("/made", O_RDONLY) == 0);
	CHECK(vh_try("/new/", O_CREAT | O_WRONLY) == -EISDIR && vh_try("/a", O_CREAT) == -EISDIR);
	CHECK(vh_try("/a/.", O_CREAT) == -EISDIR && vh_try("/none/x", O_CREAT) == -ENOENT);
	CHECK(vh_try("/x", O_CREAT | O_DIRECTORY) == -EINVAL);
	CHECK(vh_try("/a", O_WRONLY) == -EISDIR);
	vfs_host_stop();
}

static int open2(const char *path, u64 resolve)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = resolve };
	struct file *f, *dir;
	int fd, err;

	CHECK(vh_open("/a", O_PATH | O_DIRECTORY, 0, &dir) == 0);
	fd = fd_install(dir, false);
	CHECK(fd >= 0);
	err = vfs_open(fd, path, &how, &f);
	if (!err)
		file_put(f);
	CHECK(fd_close(fd) == 0);
	return err;
}

TEST(resolve_flags_confine_the_walk)
{
	start();
	CHECK(vfs_symlinkat("/b/f", AT_FDCWD, "/a/in") == 0);
	CHECK(vfs_symlinkat("../a/b/f", AT_FDCWD, "/a/out") == 0);
	CHECK(open2("b/f", RESOLVE_BENEATH) == 0 && open2("b/../b/f", RESOLVE_BENEATH) == 0);
	CHECK(open2("../a/b/f", RESOLVE_BENEATH) == -EXDEV &&
	      open2("/a", RESOLVE_BENEATH) == -EXDEV);
	CHECK(open2("in", RESOLVE_BENEATH) == -EXDEV && open2("out", RESOLVE_BENEATH) == -EXDEV);
	CHECK(open2("in", RESOLVE_IN_ROOT) == 0 && open2("/b/f", RESOLVE_IN_ROOT) == 0);
	CHECK(open2("../../b/f", RESOLVE_IN_ROOT) == 0);
	CHECK(open2("out", RESOLVE_NO_SYMLINKS) == -ELOOP && open2("out", 0) == 0);
	CHECK(open2("b/f", RESOLVE_BENEATH | RESOLVE_IN_ROOT) == -EINVAL);
	CHECK(open2("b/f", RESOLVE_CACHED) == 0 && open2("b/unknown", RESOLVE_CACHED) == -EAGAIN);
	vfs_host_stop();
}

TEST(chroot_is_a_ceiling)
{
	struct path p, root;

	start();
	fs_ctx_root(current_fs(), &root);
	CHECK(path_lookup(AT_FDCWD, "/a", LOOKUP_FOLLOW, &p) == 0);
	fs_ctx_set_root(current_fs(), &p);
	CHECK(vh_try("/b/f", O_RDONLY) == 0 && vh_try("/../../b/f", O_RDONLY) == 0);
	CHECK(vh_try("/a", O_RDONLY) == -ENOENT);
	fs_ctx_set_root(current_fs(), &root);
	path_put(&p);
	path_put(&root);
	vfs_host_stop();
}

TEST(mounts_cover_directories_and_dotdot_leaves_them)
{
	char list[64];
	struct path p;

	fs_type_add(&tmpfs_fs_type);
	start();
	CHECK(vfs_kern_mount("tmpfs", "/a/b", 0, NULL, NULL) == 0);
	CHECK(vh_try("/a/b/f", O_RDONLY) == -ENOENT);
	CHECK(vh_write("/a/b/inner", "x") == 0);
	CHECK(same_file("/a/b/..", "/a"));
	CHECK(open2("b/inner", RESOLVE_NO_XDEV) == -EXDEV);
	CHECK(vfs_unlinkat(AT_FDCWD, "/a/b", AT_REMOVEDIR) == -EBUSY);
	CHECK(vfs_renameat(AT_FDCWD, "/a/b", AT_FDCWD, "/a/c", 0) == -EBUSY);
	CHECK(vfs_linkat(AT_FDCWD, "/a/b/inner", AT_FDCWD, "/x", 0) == -EXDEV);
	CHECK(path_lookup(AT_FDCWD, "/a/b", LOOKUP_FOLLOW, &p) == 0);
	CHECK(vfs_umount(&p, 0) == 0);
	path_put(&p);
	CHECK(vh_list("/a/b", list, sizeof list) == 0);
	CHECK_STR(list, "f ");
	vfs_host_stop();
}

TEST(binds_show_a_subtree_and_read_only_is_per_mount)
{
	struct path from, at;

	start();
	CHECK(vfs_mkdirat(AT_FDCWD, "/m", 0755) == 0);
	CHECK(path_lookup(AT_FDCWD, "/a/b", 0, &from) == 0 &&
	      path_lookup(AT_FDCWD, "/m", 0, &at) == 0);
	CHECK(vfs_bind(&from, &at, 0) == 0);
	path_put(&at);
	CHECK(same_file("/m/f", "/a/b/f"));
	CHECK(path_lookup(AT_FDCWD, "/m", 0, &at) == 0);
	CHECK(vfs_remount(&at, MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK(vh_try("/m/f", O_WRONLY) == -EROFS && vh_try("/a/b/f", O_WRONLY) == 0);
	CHECK(vh_try("/m/new", O_CREAT | O_WRONLY) == -EROFS);
	CHECK(vfs_unlinkat(AT_FDCWD, "/m/f", 0) == -EROFS &&
	      vfs_mkdirat(AT_FDCWD, "/m/d", 0755) == -EROFS);
	CHECK(vfs_umount(&at, 0) == 0);
	path_put(&at);
	path_put(&from);
	vfs_host_stop();
}

TEST(rename_replaces_exchanges_and_refuses)
{
	char buf[16];

	start();
	CHECK(vh_write("/x", "x") == 0 && vh_write("/y", "y") == 0);
	CHECK(vfs_renameat(AT_FDCWD, "/x", AT_FDCWD, "/y", RENAME_NOREPLACE) == -EEXIST);
	CHECK(vfs_renameat(AT_FDCWD, "/x", AT_FDCWD, "/y", RENAME_EXCHANGE) == 0);
	CHECK(vh_read("/x", buf, sizeof buf) == 1 && buf[0] == 'y');
	CHECK(vfs_renameat(AT_FDCWD, "/x", AT_FDCWD, "/y", 0) == 0);
	CHECK(vh_try("/x", O_RDONLY) == -ENOENT && vh_read("/y", buf, sizeof buf) == 1 &&
	      buf[0] == 'y');
	CHECK(vfs_renameat(AT_FDCWD, "/a", AT_FDCWD, "/a/b/c", 0) == -EINVAL);
	CHECK(vfs_renameat(AT_FDCWD, "/y", AT_FDCWD, "/a", 0) == -EISDIR);
	CHECK(vfs_renameat(AT_FDCWD, "/a", AT_FDCWD, "/y", 0) == -ENOTDIR);
	CHECK(vfs_renameat(AT_FDCWD, "/a/b/f", AT_FDCWD, "/a", 0) == -ENOTEMPTY);
	CHECK(vfs_mkdirat(AT_FDCWD, "/e", 0755) == 0);
	CHECK(vfs_renameat(AT_FDCWD, "/e", AT_FDCWD, "/a", 0) == -ENOTEMPTY);
	CHECK(vfs_renameat(AT_FDCWD, "/a", AT_FDCWD, "/e", 0) == 0 &&
	      vh_try("/e/b/f", O_RDONLY) == 0);
	CHECK(vfs_renameat(AT_FDCWD, "/e/.", AT_FDCWD, "/z", 0) == -EBUSY);
	vfs_host_stop();
}

TEST(removed_names_keep_their_open_files)
{
	char buf[8], text[64];
	struct iov_cursor c;
	struct file *f;
	s64 pos = 0;

	start();
	CHECK(vh_open("/a/b/f", O_RDONLY, 0, &f) == 0);
	CHECK(vfs_unlinkat(AT_FDCWD, "/a/b/f", 0) == 0 && vh_try("/a/b/f", O_RDONLY) == -ENOENT);
	iov_init_kernel(&c, buf, sizeof buf);
	CHECK(file_read(f, &c, &pos) == 4);
	CHECK_STR(path_text(&f->path, NULL, text, sizeof text), "/a/b/f (deleted)");
	file_put(f);
	CHECK(vh_chdir("/a/b") == 0 && vfs_unlinkat(AT_FDCWD, "/a/b", AT_REMOVEDIR) == 0);
	CHECK(path_getcwd(text, sizeof text) == -ENOENT && vh_try("new", O_CREAT) == -ENOENT);
	CHECK(vh_chdir("..") == 0 && path_getcwd(text, sizeof text) == 3);
	CHECK_STR(text, "/a");
	vfs_host_stop();
}

static void become(u32 uid, u64 caps)
{
	host_cred.fsuid = uid;
	host_cred.fsgid = uid;
	host_cred.cap_effective = caps;
}

TEST(permissions_decide_for_owner_group_and_others)
{
	struct path p;

	start();
	CHECK(path_lookup(AT_FDCWD, "/a/b/f", 0, &p) == 0);
	CHECK(vfs_chown(&p, 10, 20) == 0 && vfs_chmod(&p, 0640) == 0);
	become(10, 0);
	CHECK(vh_try("/a/b/f", O_RDWR) == 0);
	become(20, 0);
	CHECK(vh_try("/a/b/f", O_RDONLY) == 0 && vh_try("/a/b/f", O_WRONLY) == -EACCES);
	CHECK(vfs_chmod(&p, 0777) == -EPERM && vfs_chown(&p, 20, U32_MAX) == -EPERM);
	become(30, 0);
	CHECK(vh_try("/a/b/f", O_RDONLY) == -EACCES);
	CHECK(vfs_unlinkat(AT_FDCWD, "/a/b/f", 0) == -EACCES);
	become(30, 1ull << 1); /* CAP_DAC_OVERRIDE */
	CHECK(vh_try("/a/b/f", O_RDWR) == 0);
	become(0, ~0ull);
	CHECK(inode_permission(path_inode(&p), MAY_EXEC) == -EACCES);
	path_put(&p);
	vfs_host_stop();
}

TEST(sticky_directories_protect_other_peoples_files)
{
	start();
	CHECK(vfs_mkdirat(AT_FDCWD, "/t", 01777) == 0);
	fs_ctx_swap_umask(current_fs(), 0);
	CHECK(vfs_mkdirat(AT_FDCWD, "/s", 01777) == 0);
	become(10, 0);
	CHECK(vh_write("/s/mine", "x") == 0);
	become(11, 0);
	CHECK(vfs_unlinkat(AT_FDCWD, "/s/mine", 0) == -EPERM);
	CHECK(vfs_renameat(AT_FDCWD, "/s/mine", AT_FDCWD, "/s/x", 0) == -EPERM);
	become(10, 0);
	CHECK(vfs_unlinkat(AT_FDCWD, "/s/mine", 0) == 0);
	become(0, ~0ull);
	vfs_host_stop();
}

TEST(running_out_of_memory_is_an_error_and_leaks_nothing)
{
	int err = -ENOMEM;

	start();
	FAIL_LOOP(n)
	{
		err = vh_write("/a/b/some-file-with-a-name-longer-than-the-inline-space", "12345");
		if (!fail_happened())
			break;
		CHECK(err == 0 || err == -ENOMEM);
		if (!err)
			CHECK(vfs_unlinkat(
				      AT_FDCWD,
				      "/a/b/some-file-with-a-name-longer-than-the-inline-space",
				      0) == 0);
	}
	fail_at(0);
	CHECK(err == 0);
	vfs_host_stop();
}
