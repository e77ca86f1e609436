// SPDX-License-Identifier: Apache-2.0
/*
 * tree_test - path cleaning, parents through links, whiteouts, links, limits of the image tree
 *
 * See       tests/image/test_image.py for the same rules seen from outside
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/image/erofs_format.h"
#include "vmm/image/tree.h"

static struct tree *t;
static struct err err;
static int nr_drops;

static void count_drop(void *ctx, struct tree_inode *inode)
{
	(void)ctx;
	(void)inode;
	nr_drops++;
}

static void make_tree(void)
{
	struct tree_limits limits = { .nodes = 1000, .bytes = 1 << 20 };

	cr_assert_eq(tree_create(&limits, &t, &err), 0);
	t->drop = count_drop;
	nr_drops = 0;
	tree_begin_layer(t);
}

static void drop_tree(void)
{
	tree_destroy(t);
}

static int put(const char *path, uint32_t mode)
{
	struct tree_inode attr = { .mode = mode, .data = S_ISREG(mode) ? TREE_DATA_BLOCKS : 0 };
	struct tree_inode *out;

	return tree_put(t, path, &attr, &out, &err);
}

static int put_link(const char *path, const char *target)
{
	struct tree_inode attr = { .mode = S_IFLNK | 0777, .size = strlen(target) };
	struct tree_inode *out;
	int r;

	attr.target = strdup(target);
	r = tree_put(t, path, &attr, &out, &err);
	free(attr.target);
	return r;
}

static struct tree_node *find(const char *path)
{
	struct tree_node *n = t->root;

	while (n && *path) {
		size_t len = strcspn(path, "/");

		n = tree_child(t, n, path, len);
		path += len + (path[len] == '/');
	}
	return n;
}

#define FILE_MODE (S_IFREG | 0644)
#define DIR_MODE  (S_IFDIR | 0755)

TestSuite(tree, .init = make_tree, .fini = drop_tree);

Test(tree, paths_are_cleaned_below_the_root)
{
	static const char *const cases[][2] = {
		{"",	      ""	 },
		      { "/",	     ""	},
		    { ".",	   ""     },
		{ "..",	""	   },
		      { "a/b",       "a/b"  },
		    { "//a//./b/", "a/b"	 },
		{ "../../a",   "a"	 },
		      { "a/../../b", "b"	 },
		    { "a/b/..",	"a"    },
		{ "a/...",	   "a/..."},
	};
	char out[TREE_PATH_MAX], big[TREE_PATH_MAX + 10];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(tree_path_clean(cases[i][0], out), 0);
		cr_assert_str_eq(out, cases[i][1]);
	}
	memset(big, 'x', sizeof(big));
	big[TREE_PATH_MAX - 1] = '\0';
	cr_assert_eq(tree_path_clean(big, out), 0);
	big[TREE_PATH_MAX - 1] = 'x';
	big[TREE_PATH_MAX] = '\0';
	cr_assert_eq(tree_path_clean(big, out), -1);
}

Test(tree, missing_parents_are_made)
{
	cr_assert_eq(put("a/b/c", FILE_MODE), 0);
	cr_assert_eq(find("a")->inode->mode, DIR_MODE);
	cr_assert_eq(find("a")->inode->nr_subdirs, 1);
	cr_assert_eq(t->root->inode->nr_subdirs, 1);
}

Test(tree, a_file_is_no_parent)
{
	cr_assert_eq(put("a", FILE_MODE), 0);
	cr_assert_eq(put("a/b", FILE_MODE), -ENOTDIR);
}

Test(tree, links_in_parents_are_followed_inside_the_root)
{
	cr_assert_eq(put_link("l", "/../../x/y"), 0);
	cr_assert_eq(put("l/f", FILE_MODE), 0);
	cr_assert_not_null(find("x/y/f"));
	cr_assert_eq(put_link("loop", "loop"), 0);
	cr_assert_eq(put("loop/f", FILE_MODE), -ELOOP);
	cr_assert_eq(put("l", FILE_MODE), 0);
	cr_assert(S_ISREG(find("l")->inode->mode));
}

Test(tree, contents_are_dropped_with_the_last_name)
{
	cr_assert_eq(put("a", FILE_MODE), 0);
	cr_assert_eq(tree_link(t, "b", "a", &err), 0);
	cr_assert_eq(put("a", FILE_MODE), 0);
	cr_assert_eq(nr_drops, 0);
	tree_begin_layer(t);
	cr_assert_eq(tree_whiteout(t, "b", false, &err), 0);
	cr_assert_eq(nr_drops, 1);
	cr_assert_eq(put("d/e/f", FILE_MODE), 0);
	cr_assert_eq(put("d", FILE_MODE), 0);
	cr_assert_eq(nr_drops, 2);
	cr_assert_null(find("d/e"));
}

Test(tree, hard_links_need_a_file)
{
	cr_assert_eq(tree_link(t, "b", "a", &err), -ENOENT);
	cr_assert_eq(put("d", DIR_MODE), 0);
	cr_assert_eq(tree_link(t, "b", "d", &err), -EPERM);
	cr_assert_eq(tree_link(t, "b", "/", &err), -EPERM);
	cr_assert_eq(put("a", FILE_MODE), 0);
	cr_assert_eq(tree_link(t, "/", "a", &err), -EINVAL);
	cr_assert_eq(tree_link(t, "a", "a", &err), 0);
	cr_assert_eq(find("a")->inode->nr_names, 1);
}

Test(tree, whiteouts_spare_the_layer_they_are_in)
{
	cr_assert_eq(put("d/low", FILE_MODE), 0);
	tree_begin_layer(t);
	cr_assert_eq(put("d/high", FILE_MODE), 0);
	cr_assert_eq(tree_whiteout(t, "d", false, &err), 0);
	cr_assert_null(find("d/low"));
	cr_assert_not_null(find("d/high"));
	cr_assert_eq(tree_whiteout(t, "d/high", false, &err), 0);
	cr_assert_not_null(find("d/high"));
	tree_begin_layer(t);
	cr_assert_eq(tree_whiteout(t, "d", true, &err), 0);
	cr_assert_not_null(find("d"));
	cr_assert_null(find("d/high"));
	cr_assert_eq(tree_whiteout(t, "no/such/name", false, &err), 0);
	cr_assert_eq(tree_whiteout(t, "", true, &err), 0);
	cr_assert_null(find("d"));
}

Test(tree, later_additions_survive_a_repeated_whiteout)
{
	cr_assert_eq(put("d/low", FILE_MODE), 0);
	tree_begin_layer(t);
	cr_assert_eq(tree_whiteout(t, "d", true, &err), 0);
	cr_assert_eq(put("d/e/high", FILE_MODE), 0);
	cr_assert_eq(tree_whiteout(t, "d", true, &err), 0);
	cr_assert_not_null(find("d/e/high"));
	tree_begin_layer(t);
	cr_assert_eq(tree_whiteout(t, "d", true, &err), 0);
	cr_assert_null(find("d/e"));
}

Test(tree, limits_end_with_an_error)
{
	char name[32];
	int r = 0;

	for (int i = 0; i < 2000 && r == 0; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		r = put(name, FILE_MODE);
	}
	cr_assert_eq(r, -E2BIG);
	cr_assert_eq(t->nr_nodes, 1000);
}

Test(tree, attributes_have_a_limit_and_no_duplicates)
{
	static const char value[65536];
	struct tree_inode inode = { 0 };

	cr_assert_eq(tree_xattr_add(&inode, "user.a", "1", 1, &err), 0);
	cr_assert_eq(tree_xattr_add(&inode, "user.a", "2", 1, &err), 0);
	cr_assert_null(inode.xattrs->next);
	cr_assert_eq(tree_xattr_add(&inode, "com.apple.x", "1", 1, &err), 0);
	cr_assert_null(inode.xattrs->next);
	cr_assert_eq(tree_xattr_add(&inode, "user.b", value, 65536, &err), -E2BIG);
	cr_assert_eq(tree_xattr_add(&inode, "user.b", value, 65535, &err), 0);
	cr_assert_eq(tree_xattr_add(&inode, "user.c", value, 65535, &err), -E2BIG);
	cr_assert_eq(tree_xattr_add(&inode, "system.posix_acl_access", "x", 1, &err), 0);
	tree_xattr_free(inode.xattrs);
}

/* Random operations leave the counters right and, under ASan, no memory behind. */
Test(tree, random_operations_keep_the_counters)
{
	static const char *const names[] = { "a",     "a/b",   "a/b/c", "a/l",	 "d",	 "d/e",
					     "d/e/f", "a/l/x", "g",	"g/h/i", "d/..", "/" };
	uint64_t nodes, rnd = 12345;

	for (int i = 0; i < 20000; i++) {
		rnd = rnd * 6364136223846793005ull + 1442695040888963407ull;
		const char *x = names[(rnd >> 33) % ARRAY_SIZE(names)];
		const char *y = names[(rnd >> 45) % ARRAY_SIZE(names)];
		int r = 0;

		switch ((rnd >> 58) % 7) {
		case 0:
			r = put(x, FILE_MODE);
			break;
		case 1:
			r = put(x, DIR_MODE);
			break;
		case 2:
			r = put_link(x, y);
			break;
		case 3:
			r = tree_link(t, x, y, &err);
			break;
		case 4:
			r = tree_whiteout(t, x, false, &err);
			break;
		case 5:
			r = tree_whiteout(t, x, true, &err);
			break;
		default:
			tree_begin_layer(t);
		}
		cr_assert_leq(r, 0);
	}
	nodes = t->nr_nodes;
	tree_begin_layer(t);
	cr_assert_eq(tree_whiteout(t, "", true, &err), 0);
	cr_assert_leq(t->nr_nodes, nodes);
	cr_assert_eq(t->nr_nodes, 1);
	cr_assert_eq(t->root->inode->nr_subdirs, 0);
}
