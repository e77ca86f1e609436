// SPDX-License-Identifier: Apache-2.0
/*
 * erofs_dir - directories of EROFS: binary search and reading
 *
 * Rules     A directory is a sequence of blocks. A block starts with its entries (12 bytes each), whose first
 *           name offset tells their number, followed by the names in the same order; names are sorted over the
 *           whole directory as bytes. The last name of a block ends at a NUL or at the end of the block's data.
 *           A reading position is 2 + block offset + entry offset.
 */
#include "fs/erofs_impl.h"

#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"

struct dir_block {
	const struct erofs_dirent *ents;
	const u8 *base;
	u32 len, nr;
};

static int block_open(struct inode *dir, u64 off, struct dir_block *b)
{
	u64 len = 0, want = MIN(dir->size - off, (u64)EROFS_BLOCK_SIZE);
	u32 first;

	b->base = erofs_data(dir, off, &len);
	if (!b->base || len < want || want < sizeof(struct erofs_dirent))
		return -EUCLEAN;
	b->len = (u32)want;
	b->ents = (const struct erofs_dirent *)b->base;
	first = b->ents[0].nameoff;
	if (first % sizeof(struct erofs_dirent) || first < sizeof(struct erofs_dirent) ||
	    first > b->len)
		return -EUCLEAN;
	b->nr = first / (u32)sizeof(struct erofs_dirent);
	return 0;
}

/* Where the name of entry i lies, inside the block. What is in it has not been looked at: enough to compare. */
static int block_span(const struct dir_block *b, u32 i, struct name *n)
{
	u32 start = b->ents[i].nameoff, end = b->len;
	const char *nul = NULL;

	if (i + 1 < b->nr)
		end = b->ents[i + 1].nameoff;
	else if (start < end)
		nul = memchr(b->base + start, 0, end - start);
	if (start >= end || end > b->len)
		return -EUCLEAN;
	n->s = (const char *)b->base + start;
	n->len = nul ? (u32)(nul - n->s) : end - start;
	return 0;
}

/* The name of entry i, well-formed. */
static int block_name(const struct dir_block *b, u32 i, struct name *n)
{
	int err = block_span(b, i, n);

	if (err)
		return err;
	if (!n->len || n->len > NAME_LEN_MAX || memchr(n->s, '/', n->len) ||
	    memchr(n->s, 0, n->len))
		return -EUCLEAN;
	return 0;
}

static s32 name_compare(const struct name *a, const struct name *b)
{
	s32 c = memcmp(a->s, b->s, MIN(a->len, b->len));

	if (c)
		return c;
	return a->len < b->len ? -1 : a->len > b->len;
}

/* *found: index of the last block whose first name is <= n; U64_MAX: none. */
static int find_block(struct inode *dir, const struct name *n, u64 *found)
{
	u64 lo = 0, hi = (dir->size + EROFS_BLOCK_SIZE - 1) >> EROFS_BLOCK_BITS, mid;
	struct dir_block b;
	struct name first;
	int err;

	*found = U64_MAX;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		err = block_open(dir, mid << EROFS_BLOCK_BITS, &b);
		if (!err)
			err = block_span(&b, 0, &first);
		if (err)
			return err;
		if (name_compare(&first, n) <= 0) {
			*found = mid;
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return 0;
}

int erofs_lookup(struct inode *dir, const struct name *n, struct inode **out)
{
	u32 lo = 0, hi, mid;
	struct dir_block b;
	struct name at;
	u64 block;
	s32 c;
	int err = find_block(dir, n, &block);

	if (err)
		return err;
	if (block == U64_MAX)
		return -ENOENT;
	err = block_open(dir, block << EROFS_BLOCK_BITS, &b);
	if (err)
		return err;
	for (hi = b.nr; lo < hi;) {
		mid = lo + (hi - lo) / 2;
		err = block_span(&b, mid, &at);
		if (err)
			return err;
		c = name_compare(&at, n);
		if (!c)
			return erofs_iget(dir->sb, b.ents[mid].nid, out);
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -ENOENT;
}

static bool is_dot(const struct name *n)
{
	return n->s[0] == '.' && (n->len == 1 || (n->len == 2 && n->s[1] == '.'));
}

static u8 file_type_to_dtype(u8 t)
{
	/* EROFS_FT_*: regular, directory, character, block, FIFO, socket, link. */
	static const u8 map[] = { 0, 8, 4, 2, 6, 1, 12, 10 };

	return t < sizeof map ? map[t] : 0;
}

int erofs_iterate(struct inode *dir, struct dir_ctx *ctx)
{
	u64 pos = (u64)ctx->pos - 2;
	struct dir_block b;
	struct name n;
	u32 i;
	int err;

	while (pos < dir->size) {
		u64 block = pos & ~(u64)(EROFS_BLOCK_SIZE - 1);

		err = block_open(dir, block, &b);
		if (err)
			return err;
		i = (u32)(pos - block + sizeof(struct erofs_dirent) - 1) /
		    (u32)sizeof(struct erofs_dirent);
		for (; i < b.nr; i++) {
			u64 next = block + (i + 1) * sizeof(struct erofs_dirent);

			if (i + 1 == b.nr)
				next = block + EROFS_BLOCK_SIZE;
			err = block_name(&b, i, &n);
			if (err)
				return err;
			if (!is_dot(&n) &&
			    !ctx->emit(ctx, n.s, n.len, b.ents[i].nid,
				       file_type_to_dtype(b.ents[i].file_type), (s64)next + 2))
				return 0;
			ctx->pos = (s64)next + 2;
		}
		pos = block + EROFS_BLOCK_SIZE;
		ctx->pos = (s64)pos + 2;
	}
	return 0;
}
