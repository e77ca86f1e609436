// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_tar - arbitrary bytes as a layer: decompression, libarchive, tree and EROFS writer
 *
 * Rules     limits are small so that bombs end early; what was written must be readable
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/image/erofs_read.h"
#include "vmm/image/layer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_output(int fd, uint64_t size)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	struct erofs_image img;
	struct erofs_node n;

	if (map == MAP_FAILED || erofs_image_init(&img, map, size, NULL) < 0 ||
	    erofs_lookup(&img, "/", &n, NULL) < 0)
		abort();
	munmap(map, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree_limits limits = { .nodes = 5000, .bytes = 16 << 20 };
	struct blob_limit expand = { .max_bytes = 16 << 20, .has_ratio = true };
	CLEANUP_FD int in = memfd_create("in", 0);
	CLEANUP_FD int out = memfd_create("out", 0);
	CLEANUP_FD int spool = memfd_create("spool", 0);
	struct blob blob = { .fd = in, .len = size };
	uint64_t bytes = 0, entries = 0, total;
	static const uint8_t uuid[16];
	struct blob_stream stream;
	struct erofs_writer w;
	struct tree *tree;

	if (in < 0 || write(in, data, size) != (ssize_t)size ||
	    tree_create(&limits, &tree, NULL) < 0)
		return 0;
	erofs_writer_init(&w, out, spool);
	tree->drop = erofs_writer_drop;
	tree->drop_ctx = &w;
	if (blob_stream_open(&stream, &blob, &expand, NULL, NULL) == 0) {
		struct layer_job job = {
			.stream = &stream,
			.tree = tree,
			.writer = &w,
			.max_bytes = 16 << 20,
			.used_bytes = &bytes,
			.max_entries = 5000,
			.used_entries = &entries,
			.is_layered = true,
		};

		if (layer_apply(&job, NULL) == 0 &&
		    erofs_writer_finish(&w, tree, uuid, &total, NULL) == 0)
			check_output(out, total);
		blob_stream_close(&stream);
	}
	tree_destroy(tree);
	return 0;
}
