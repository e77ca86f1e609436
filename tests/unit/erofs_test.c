// SPDX-License-Identifier: Apache-2.0
/*
 * erofs_test - what the writer writes, the reader reads; damage gives errors
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "vmm/image/erofs_format.h"
#include "vmm/image/erofs_read.h"
#include "vmm/image/erofs_write.h"

struct fs {
	struct tree *tree;
	struct erofs_writer w;
	uint8_t *data;
	uint64_t size;
	struct erofs_image img;
};

static struct err err;

static void fs_start(struct fs *fs)
{
	struct tree_limits limits = { .nodes = 100000, .bytes = 64 << 20 };

	cr_assert_eq(tree_create(&limits, &fs->tree, &err), 0);
	erofs_writer_init(&fs->w, memfd_create("out", 0), memfd_create("spool", 0));
	fs->tree->drop = erofs_writer_drop;
	fs->tree->drop_ctx = &fs->w;
	tree_begin_layer(fs->tree);
}

static void fs_file(struct fs *fs, const char *path, const void *data, size_t len, uint32_t mode)
{
	struct tree_inode attr = { .mode = S_IFREG | mode, .size = len };
	struct tree_inode *inode;

	erofs_writer_reserve(&fs->w, &attr);
	cr_assert_eq(tree_put(fs->tree, path, &attr, &inode, &err), 0);
	cr_assert_eq(erofs_writer_data(&fs->w, inode, 0, data, len, &err), 0);
}

static void fs_link(struct fs *fs, const char *path, const char *target)
{
	struct tree_inode attr = { .mode = S_IFLNK | 0777, .size = strlen(target) };
	struct tree_inode *inode;

	attr.target = strdup(target);
	cr_assert_eq(tree_put(fs->tree, path, &attr, &inode, &err), 0);
}

static void fs_finish(struct fs *fs)
{
	static const uint8_t uuid[16];

	cr_assert_eq(erofs_writer_finish(&fs->w, fs->tree, uuid, &fs->size, &err), 0);
	fs->data = malloc(fs->size);
	cr_assert_eq(pread(fs->w.fd, fs->data, fs->size, 0), (ssize_t)fs->size);
	cr_assert_eq(erofs_image_init(&fs->img, fs->data, fs->size, &err), 0, "%s", err.msg);
}

static void fs_end(struct fs *fs)
{
	tree_destroy(fs->tree);
	free(fs->data);
	close(fs->w.fd);
	close(fs->w.spool_fd);
}

static void fs_expect(struct fs *fs, const char *path, const void *data, size_t len)
{
	char *buf;
	size_t got;

	cr_assert_eq(erofs_read_file(&fs->img, path, 1 << 20, &buf, &got, &err), 0, "%s", err.msg);
	cr_assert_eq(got, len);
	cr_assert_eq(memcmp(buf, data, len), 0);
	free(buf);
}

Test(erofs, files_of_all_layouts_come_back)
{
	static const size_t sizes[] = { 0, 1, 2048, 2049, 4095, 4096, 4097, 20000 };
	static uint8_t data[20000];
	struct fs fs;
	char path[32];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + i / 256;
	fs_start(&fs);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		snprintf(path, sizeof(path), "d/f%zu", sizes[i]);
		fs_file(&fs, path, data, sizes[i], i % 2 ? 0755 : 0644);
	}
	fs_finish(&fs);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		snprintf(path, sizeof(path), "/d/f%zu", sizes[i]);
		fs_expect(&fs, path, data, sizes[i]);
	}
	fs_end(&fs);
}

Test(erofs, data_starts_on_pages_followed_by_zeros)
{
	struct erofs_node n;
	struct fs fs;

	fs_start(&fs);
	fs_file(&fs, "prog", "#!", 2, 0755);
	fs_finish(&fs);
	cr_assert_eq(erofs_lookup(&fs.img, "/prog", &n, &err), 0);
	cr_assert(!n.is_inline);
	cr_assert_eq(n.blocks_off % 4096, 0);
	for (size_t i = 2; i < 4096; i++)
		cr_assert_eq(fs.data[n.blocks_off + i], 0);
	fs_end(&fs);
}

Test(erofs, removed_files_leave_no_bytes)
{
	static char secret[8192];
	struct fs fs;

	memset(secret, 'S', sizeof(secret));
	fs_start(&fs);
	fs_file(&fs, "key", secret, sizeof(secret), 0600);
	tree_begin_layer(fs.tree);
	cr_assert_eq(tree_whiteout(fs.tree, "key", false, &err), 0);
	fs_finish(&fs);
	cr_assert_null(memmem(fs.data, fs.size, "SSSS", 4));
	fs_end(&fs);
}

static int count_entries(void *ctx, const struct erofs_entry *e)
{
	static char last[256];
	unsigned int *nr = ctx;
	char name[256] = { 0 };

	memcpy(name, e->name, e->len);
	if (*nr)
		cr_assert_lt(strcmp(last, name), 0);
	strcpy(last, name);
	(*nr)++;
	return 0;
}

Test(erofs, large_directories_are_sorted_and_complete)
{
	struct erofs_node dir;
	struct fs fs;
	char path[300];
	unsigned int nr = 0;

	fs_start(&fs);
	for (int i = 0; i < 5000; i++) {
		snprintf(
			path, sizeof(path), "d/%d%.*s", i, i % 240,
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		fs_file(&fs, path, "", 0, 0644);
	}
	fs_finish(&fs);
	cr_assert_eq(erofs_lookup(&fs.img, "/d", &dir, &err), 0);
	cr_assert_eq(erofs_dir_walk(&fs.img, &dir, count_entries, &nr, &err), 0);
	cr_assert_eq(nr, 5002);
	fs_end(&fs);
}

Test(erofs, lookups_follow_links_inside_the_image)
{
	struct erofs_node n;
	struct fs fs;

	fs_start(&fs);
	fs_file(&fs, "usr/etc/passwd", "root", 4, 0644);
	fs_link(&fs, "etc", "/../usr/./etc");
	fs_link(&fs, "loop", "loop/x");
	fs_finish(&fs);
	fs_expect(&fs, "/etc/passwd", "root", 4);
	fs_expect(&fs, "/usr/../etc/passwd", "root", 4);
	cr_assert_eq(erofs_lookup(&fs.img, "/loop", &n, &err), -ELOOP);
	cr_assert_eq(erofs_lookup(&fs.img, "/none", &n, &err), -ENOENT);
	cr_assert_eq(erofs_lookup(&fs.img, "/etc/passwd/x", &n, &err), -ENOTDIR);
	fs_end(&fs);
}

Test(erofs, damage_gives_errors_and_never_a_wild_read)
{
	struct erofs_image img;
	struct fs fs;
	uint64_t rnd = 99;
	char *buf;
	size_t len;

	fs_start(&fs);
	fs_file(&fs, "a/b", "hello", 5, 0644);
	fs_link(&fs, "l", "a/b");
	fs_finish(&fs);
	for (int i = 0; i < 20000; i++) {
		rnd = rnd * 6364136223846793005ull + 1442695040888963407ull;
		uint64_t at = 4096 + (rnd >> 20) % (fs.size - 4096);
		uint8_t old = fs.data[at];

		fs.data[at] = rnd >> 56;
		cr_assert_eq(erofs_image_init(&img, fs.data, fs.size, &err), 0);
		if (erofs_read_file(&img, "/l", 1 << 16, &buf, &len, &err) == 0)
			free(buf);
		fs.data[at] = old;
	}
	fs.data[1030] ^= 1;
	cr_assert_eq(erofs_image_init(&img, fs.data, fs.size, &err), -EUCLEAN);
	fs.data[1030] ^= 1;
	cr_assert_eq(erofs_image_init(&img, fs.data, fs.size - 1, &err), -EUCLEAN);
	fs_end(&fs);
}

Test(erofs, crc_matches_the_published_check_value)
{
	cr_assert_eq(~erofs_crc32c(~0u, "123456789", 9), 0xe3069283u);
}
