// SPDX-License-Identifier: Apache-2.0
/* overlay_model - random operations on an overlay against a table of names */
#include "fs/overlayfs.h"
#include "fs/tmpfs.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"
#include "tests/lib/vfs_host.h"

/* The naive twin: objects, and names of up to two directories deep that lead to them. */
#define NAMES	5 /* names used in each directory: a .. e */
#define OBJECTS 4096

struct object {
	bool is_dir;
	char data[24];
	u32 nlink;
	u64 ino;	  /* as first seen */
	s32 child[NAMES]; /* directories: object or -1 */
};

static struct object objects[OBJECTS];
static u32 nr_objects;

static s32 object_new(bool is_dir, const char *data)
{
	struct object *o = &objects[nr_objects];

	CHECK(nr_objects < OBJECTS);
	memset(o, 0, sizeof *o);
	o->is_dir = is_dir;
	strlcpy(o->data, data, sizeof o->data);
	for (u32 i = 0; i < NAMES; i++)
		o->child[i] = -1;
	return (s32)nr_objects++;
}

/* A random path of one to three components; *parent: object of the directory or -1, *slot: the last. */
static void pick(u64 *seed, char *path, s32 *parent, u32 *slot)
{
	u32 depth = (u32)(test_rand(seed) % 3), n = 0;

	*parent = 0;
	for (u32 i = 0;; i++) {
		*slot = (u32)(test_rand(seed) % NAMES);
		path[n++] = '/';
		path[n++] = (char)('a' + *slot);
		if (i == depth)
			break;
		if (*parent >= 0)
			*parent = objects[*parent].is_dir ? objects[*parent].child[*slot] : -1;
	}
	path[n] = 0;
	if (*parent >= 0 && !objects[*parent].is_dir)
		*parent = -1;
}

static s32 at(s32 parent, u32 slot)
{
	return parent < 0 ? -1 : objects[parent].child[slot];
}

static bool is_empty(s32 dir)
{
	for (u32 i = 0; i < NAMES; i++)
		if (objects[dir].child[i] >= 0)
			return false;
	return true;
}

static bool is_inside(s32 what, s32 top)
{
	if (what == top)
		return true;
	if (!objects[top].is_dir)
		return false;
	for (u32 i = 0; i < NAMES; i++)
		if (objects[top].child[i] >= 0 && is_inside(what, objects[top].child[i]))
			return true;
	return false;
}

static void check_object(s32 id, const char *path)
{
	struct object *o = &objects[id];
	struct kstat st;
	char buf[32];

	CHECK(vh_lstat(path, &st) == 0);
	CHECK(S_ISDIR(st.mode) == o->is_dir);
	if (!o->ino)
		o->ino = st.ino;
	CHECK(st.ino == o->ino);
	if (o->is_dir)
		return;
	CHECK(st.nlink == o->nlink);
	CHECK(vh_read(path, buf, sizeof buf) == (s64)strlen(o->data));
	CHECK_STR(buf, o->data);
}

static void check_tree(s32 dir, char *path, size_t len)
{
	char want[NAMES * 2 + 1], have[64];
	size_t n = 0;

	for (u32 i = 0; i < NAMES; i++) {
		if (objects[dir].child[i] < 0)
			continue;
		want[n++] = (char)('a' + i);
		want[n++] = ' ';
	}
	want[n] = 0;
	CHECK(vh_list(len ? path : "/", have, sizeof have) == 0);
	CHECK_STR(have, want);
	for (u32 i = 0; i < NAMES; i++) {
		s32 id = objects[dir].child[i];

		if (id < 0)
			continue;
		path[len] = '/';
		path[len + 1] = (char)('a' + i);
		path[len + 2] = 0;
		check_object(id, path);
		if (objects[id].is_dir && len < 40)
			check_tree(id, path, len + 2);
		path[len] = 0;
	}
}

static void op_write(u64 *seed)
{
	char path[16], text[24];
	s32 parent, id;
	u32 slot;
	int err;

	pick(seed, path, &parent, &slot);
	snprintf(text, sizeof text, "%llu", (unsigned long long)(test_rand(seed) % 100000));
	id = at(parent, slot);
	err = vh_write(path, text);
	if (parent < 0) {
		CHECK(err == -ENOENT || err == -ENOTDIR);
	} else if (id >= 0 && objects[id].is_dir) {
		CHECK(err == -EISDIR);
	} else {
		CHECK(err == 0);
		if (id < 0) {
			id = object_new(false, text);
			objects[id].nlink = 1;
			objects[parent].child[slot] = id;
		}
		strlcpy(objects[id].data, text, sizeof objects[id].data);
	}
}

static void op_mkdir(u64 *seed)
{
	char path[16];
	s32 parent;
	u32 slot;
	int err;

	pick(seed, path, &parent, &slot);
	err = vfs_mkdirat(AT_FDCWD, path, 0755);
	if (parent < 0) {
		CHECK(err == -ENOENT || err == -ENOTDIR);
	} else if (at(parent, slot) >= 0) {
		CHECK(err == -EEXIST);
	} else {
		CHECK(err == 0);
		objects[parent].child[slot] = object_new(true, "");
	}
}

static void op_remove(u64 *seed)
{
	bool dir = test_rand(seed) & 1;
	char path[16];
	s32 parent, id;
	u32 slot;
	int err;

	pick(seed, path, &parent, &slot);
	id = at(parent, slot);
	err = vfs_unlinkat(AT_FDCWD, path, dir ? AT_REMOVEDIR : 0);
	if (id < 0) {
		CHECK(err == -ENOENT || err == -ENOTDIR);
	} else if (objects[id].is_dir != dir) {
		CHECK(err == (dir ? -ENOTDIR : -EISDIR));
	} else if (dir && !is_empty(id)) {
		CHECK(err == -ENOTEMPTY);
	} else {
		CHECK(err == 0);
		objects[id].nlink--;
		objects[parent].child[slot] = -1;
	}
}

static void op_link(u64 *seed)
{
	char from[16], to[16];
	s32 p1, p2, id;
	u32 s1, s2;
	int err;

	pick(seed, from, &p1, &s1);
	pick(seed, to, &p2, &s2);
	id = at(p1, s1);
	err = vfs_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
	if (id < 0 || p2 < 0) {
		CHECK(err == -ENOENT || err == -ENOTDIR);
	} else if (at(p2, s2) >= 0) {
		CHECK(err == -EEXIST);
	} else if (objects[id].is_dir) {
		CHECK(err == -EPERM);
	} else {
		CHECK(err == 0);
		objects[id].nlink++;
		objects[p2].child[s2] = id;
	}
}

static void op_rename(u64 *seed)
{
	bool exchange = test_rand(seed) % 4 == 0;
	char from[16], to[16];
	s32 p1, p2, a, b;
	u32 s1, s2;
	int err;

	pick(seed, from, &p1, &s1);
	pick(seed, to, &p2, &s2);
	a = at(p1, s1);
	b = at(p2, s2);
	err = vfs_renameat(AT_FDCWD, from, AT_FDCWD, to, exchange ? RENAME_EXCHANGE : 0);
	if (a < 0 || p2 < 0 || (exchange && b < 0)) {
		CHECK(err < 0);
	} else if (is_inside(p2, a) || (b >= 0 && is_inside(p1, b))) {
		CHECK(err == -EINVAL || err == -ENOTEMPTY);
	} else if (!exchange && b >= 0 && objects[a].is_dir != objects[b].is_dir) {
		CHECK(err == (objects[a].is_dir ? -ENOTDIR : -EISDIR));
	} else if (!exchange && b >= 0 && a != b && objects[b].is_dir && !is_empty(b)) {
		CHECK(err == -ENOTEMPTY);
	} else {
		CHECK(err == 0);
		if (a == b)
			return;
		objects[p1].child[s1] = exchange ? b : -1;
		objects[p2].child[s2] = a;
		if (!exchange && b >= 0)
			objects[b].nlink--;
	}
}

/* A lower layer with directories, files and a hard link; the twin gets the same. */
static struct inode *lower_add(struct super *sb, struct inode *dir, s32 parent, u32 slot,
			       bool is_dir, const char *data)
{
	char name[2] = { (char)('a' + slot), 0 };
	struct inode *inode = vh_layer_add(sb, dir, name, is_dir ? NULL : data, strlen(data));
	s32 id;

	id = object_new(is_dir, data);
	objects[id].nlink = 1;
	objects[parent].child[slot] = id;
	return inode;
}

static void fill_lower(struct super *sb)
{
	struct inode *a, *ab, *f;
	struct name n = name_make("e", 1);

	a = lower_add(sb, sb->root, 0, 0, true, "");
	ab = lower_add(sb, a, 1, 1, true, "");
	lower_add(sb, ab, 2, 2, false, "deep");
	f = lower_add(sb, a, 1, 2, false, "linked");
	lower_add(sb, sb->root, 0, 1, true, "");
	lower_add(sb, sb->root, 0, 2, false, "top");
	CHECK(tmpfs_layer_put(sb->root, &n, f) == 0);
	objects[0].child[4] = 4;
	objects[4].nlink = 2;
}

static struct super *lower, *upper;

static int mount_test(const struct fs_type *t, const struct mount_args *a, struct super **out)
{
	return ovl_create(&lower, 1, upper, out);
}

static const struct fs_type test_type = { .name = "overlay", .mount = mount_test };

static void run(u64 seed, u32 steps)
{
	static void (*const ops[])(u64 * seed) = { op_write,  op_write, op_mkdir,
						   op_remove, op_link,	op_rename };
	const struct mount_args a = { .source = "overlay" };
	char path[64] = "";

	nr_objects = 0;
	object_new(true, "");
	CHECK(tmpfs_create_layer(50, 0755, &lower) == 0 &&
	      tmpfs_create_layer(50, 0755, &upper) == 0);
	fill_lower(lower);
	vfs_host_start(&test_type, &a);
	for (u32 i = 0; i < steps && nr_objects < OBJECTS - 1; i++) {
		ops[test_rand(&seed) % ARRAY_SIZE(ops)](&seed);
		if (i % 8 == 0)
			check_tree(0, path, 0);
		/* Forgetting names and inodes must not change anything. */
		if (i % 16 == 0)
			(void)dcache_shrink(0);
	}
	check_tree(0, path, 0);
	vfs_host_stop();
}

TEST(random_operations_agree_with_a_table_of_names)
{
	u64 seed = test_seed();

	for (u32 i = 0; i < 20; i++)
		run(test_rand(&seed), 400);
}
