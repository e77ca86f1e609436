// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_erofs_read - arbitrary bytes behind a valid super block
 *
 * Rules     input: the file from its second block on; the super block is made to fit, so that the
 *           checksum does not keep the fuzzer out
 */
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/image/erofs_format.h"
#include "vmm/image/erofs_read.h"
#include "vmm/image/erofs_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct walk {
	const struct erofs_image *img;
	unsigned int nr;
};

static int visit(void *ctx, const struct erofs_entry *e)
{
	struct walk *w = ctx;
	struct erofs_node n;
	size_t len;

	if (erofs_node_read(w->img, e->nid, &n, NULL) == 0)
		erofs_node_span(w->img, &n, 0, &len);
	return ++w->nr > 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t blocks = 1 + (size + 4095) / 4096;
	uint8_t *file = calloc(blocks, 4096);
	struct erofs_super sb = {
		.magic = htole32(EROFS_MAGIC),
		.blkszbits = EROFS_BLOCK_BITS,
		.root_nid = htole16(2),
		.blocks = htole32(blocks),
		.meta_blkaddr = htole32(1),
	};
	struct erofs_image img;
	struct erofs_node n;
	size_t len;
	char *buf;

	if (size)
		memcpy(file + 4096, data, size);
	memcpy(file + EROFS_SUPER_OFFSET, &sb, sizeof(sb));
	sb.checksum = htole32(erofs_crc32c(~0u, file + EROFS_SUPER_OFFSET, 3072));
	memcpy(file + EROFS_SUPER_OFFSET, &sb, sizeof(sb));
	if (erofs_image_init(&img, file, blocks * 4096, NULL) < 0)
		abort();
	struct walk w = { .img = &img };

	if (erofs_lookup(&img, "/", &n, NULL) == 0)
		erofs_dir_walk(&img, &n, visit, &w, NULL);
	if (erofs_read_file(&img, "/etc/passwd", 1 << 16, &buf, &len, NULL) == 0)
		free(buf);
	free(file);
	return 0;
}
