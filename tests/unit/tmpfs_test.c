// SPDX-License-Identifier: Apache-2.0
/* tmpfs_test - data, holes, limits, attributes and seals of files in memory */
#include "fs/filp.h"
#include "fs/memfd.h"
#include "fs/tmpfs.h"
#include "fs/xattr.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/uapi/mman.h"
#include "guestkernel/uapi/xattr.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"
#include "tests/lib/vfs_host.h"

static void start(const char *options)
{
	const struct mount_args a = { .source = "root", .data = options };

	vfs_host_start(&tmpfs_fs_type, &a);
}

static s64 put_at(struct file *f, const void *data, size_t n, s64 pos)
{
	struct iov_cursor c;

	iov_init_kernel(&c, (void *)(u64)data, n);
	return file_write(f, &c, &pos);
}

static s64 get_at(struct file *f, void *data, size_t n, s64 pos)
{
	struct iov_cursor c;

	iov_init_kernel(&c, data, n);
	return file_read(f, &c, &pos);
}

TEST(holes_read_as_zeroes_and_cost_nothing)
{
	static u8 buf[8192];
	struct kstat st;
	struct file *f;

	start(NULL);
	CHECK(vh_open("/f", O_CREAT | O_RDWR, 0644, &f) == 0);
	CHECK(put_at(f, "x", 1, 1 << 20) == 1);
	CHECK(vfs_getattr(&f->path, &st) == 0 && st.size == (1 << 20) + 1 && st.blocks == 8);
	memset(buf, 1, sizeof buf);
	CHECK(get_at(f, buf, sizeof buf, 4000) == sizeof buf && buf[0] == 0 && buf[8191] == 0);
	CHECK(f->ops->lseek(f, 0, SEEK_DATA) == 1 << 20 && f->ops->lseek(f, 0, SEEK_HOLE) == 0);
	CHECK(f->ops->lseek(f, (1 << 20) + 1, SEEK_DATA) == -ENXIO);
	file_put(f);
	vfs_host_stop();
}

TEST(truncation_forgets_the_tail)
{
	char buf[16];
	struct file *f;

	start(NULL);
	CHECK(vh_open("/f", O_CREAT | O_RDWR, 0644, &f) == 0);
	CHECK(put_at(f, "0123456789", 10, 0) == 10);
	CHECK(vfs_truncate(&f->path, 4, f) == 0 && vfs_truncate(&f->path, 10, f) == 0);
	CHECK(get_at(f, buf, 16, 0) == 10 && !memcmp(buf, "0123\0\0\0\0\0\0", 10));
	CHECK(f->ops->fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1, 2) == 0);
	CHECK(get_at(f, buf, 4, 0) == 4 && !memcmp(buf, "0\0\0003", 4));
	CHECK(f->ops->fallocate(f, 0, 0, 10000) == 0 && host_pages_in_use() == 3);
	CHECK(vfs_truncate(&f->path, 0, f) == 0 && host_pages_in_use() == 0);
	file_put(f);
	vfs_host_stop();
}

TEST(size_and_inode_limits_are_kept)
{
	static u8 buf[16384];
	struct statfs st;
	struct path root;
	struct file *f;

	start("size=8k,nr_inodes=3");
	CHECK(vh_open("/f", O_CREAT | O_RDWR, 0644, &f) == 0);
	CHECK(put_at(f, buf, sizeof buf, 0) == 8192);
	CHECK(put_at(f, buf, 1, 8192) == -ENOSPC && put_at(f, buf, 4096, 4096) == 4096);
	CHECK(vh_try("/g", O_CREAT) == 0 && vh_try("/h", O_CREAT) == -ENOSPC);
	CHECK(path_lookup(AT_FDCWD, "/", 0, &root) == 0 && vfs_statfs(&root, &st) == 0);
	CHECK(st.f_blocks == 2 && st.f_bfree == 0 && st.f_files == 3 && st.f_ffree == 0);
	path_put(&root);
	CHECK(vfs_truncate(&f->path, 0, f) == 0 && put_at(f, buf, 1, 0) == 1);
	file_put(f);
	vfs_host_stop();
}

TEST(a_directory_is_read_once_through_while_it_changes)
{
	char name[16], list[256];

	start(NULL);
	for (u32 i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "/f%u", i);
		CHECK(vh_write(name, "x") == 0);
	}
	for (u32 i = 0; i < 20; i += 2) {
		snprintf(name, sizeof name, "/f%u", i);
		CHECK(vfs_unlinkat(AT_FDCWD, name, 0) == 0);
	}
	CHECK(vh_list("/", list, sizeof list) == 0);
	CHECK_STR(list, "f1 f11 f13 f15 f17 f19 f3 f5 f7 f9 ");
	vfs_host_stop();
}

TEST(deep_trees_go_away_without_recursion)
{
	start("nr_inodes=0");
	CHECK(vfs_mkdirat(AT_FDCWD, "/d", 0755) == 0 && vh_chdir("/d") == 0);
	for (u32 i = 0; i < 20000; i++) {
		CHECK(vfs_mkdirat(AT_FDCWD, "d", 0755) == 0);
		CHECK(vh_chdir("d") == 0);
	}
	CHECK(vh_chdir("/") == 0);
	vfs_host_stop();
}

TEST(extended_attributes_are_set_replaced_and_removed)
{
	char v[8], list[64];
	struct path p;

	start(NULL);
	CHECK(vh_write("/f", "x") == 0 && path_lookup(AT_FDCWD, "/f", 0, &p) == 0);
	CHECK(vfs_getxattr(&p, "user.a", v, sizeof v) == -ENODATA);
	CHECK(vfs_setxattr(&p, "user.a", "123", 3, XATTR_REPLACE) == -ENODATA);
	CHECK(vfs_setxattr(&p, "user.a", "123", 3, XATTR_CREATE) == 0);
	CHECK(vfs_setxattr(&p, "user.a", "123", 3, XATTR_CREATE) == -EEXIST);
	CHECK(vfs_getxattr(&p, "user.a", NULL, 0) == 3 &&
	      vfs_getxattr(&p, "user.a", v, 2) == -ERANGE);
	CHECK(vfs_setxattr(&p, "trusted.b", "", 0, 0) == 0);
	CHECK(vfs_listxattr(&p, list, sizeof list) == 17 && !memcmp(list, "user.a\0trusted.b", 17));
	CHECK(vfs_setxattr(&p, "other.c", "1", 1, 0) == -EOPNOTSUPP);
	CHECK(vfs_removexattr(&p, "user.a") == 0 && vfs_removexattr(&p, "user.a") == -ENODATA);
	path_put(&p);
	vfs_host_stop();
}

TEST(unnamed_files_can_get_a_name)
{
	struct open_how how = { .flags = O_TMPFILE | O_RDWR, .mode = 0600 };
	struct file *f;
	char buf[8];

	start(NULL);
	CHECK(vfs_open(AT_FDCWD, "/", &how, &f) == 0 && put_at(f, "abc", 3, 0) == 3);
	CHECK(f->inode->nlink == 0);
	file_put(f);
	CHECK(host_pages_in_use() == 0);
	CHECK(vh_read("/none", buf, sizeof buf) == -ENOENT);
	vfs_host_stop();
}

TEST(seals_stop_what_they_name)
{
	struct file *f;

	start(NULL);
	CHECK(memfd_create("m", MFD_ALLOW_SEALING, &f) == 0);
	CHECK(put_at(f, "12345678", 8, 0) == 8);
	CHECK(f->ops->fcntl(f, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
	CHECK(vfs_truncate(&f->path, 4, f) == -EPERM && vfs_truncate(&f->path, 9, f) == -EPERM);
	CHECK(put_at(f, "ab", 2, 7) == 1 && put_at(f, "ab", 2, 8) == -EPERM);
	CHECK(f->ops->fcntl(f, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) == 0);
	CHECK(put_at(f, "a", 1, 0) == -EPERM);
	CHECK(f->ops->fcntl(f, F_ADD_SEALS, F_SEAL_WRITE) == -EPERM);
	CHECK(f->ops->fcntl(f, F_GET_SEALS, 0) == 15);
	file_put(f);
}
