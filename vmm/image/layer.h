// SPDX-License-Identifier: Apache-2.0
/*
 * layer - applies one tar stream to the image tree
 *
 * Role      image_build.c calls it for each layer, lowest first, or once for a plain root tar
 * Rules     reading is libarchive's: ustar, GNU and PAX names, sparse files, attributes; this file
 *           turns entries into tree operations and file data into the EROFS file
 *           the monitor stays in the C locale: names then pass through libarchive byte by byte
 *           (its "cannot be converted" warnings are expected; any other is an error)
 *           with is_layered, ".wh." names are whiteouts; in a plain root tar they are names
 * Missing   AUFS hard link directories (.wh..wh.plnk); ACLs in text form; a bound on the memory
 *           libarchive takes for the map of one sparse file, other than the expansion limit
 * See       OCI image spec, layer.md; tests/fuzz/fuzz_tar.c
 */
#pragma once

#include "vmm/image/blob.h"
#include "vmm/image/erofs_write.h"
#include "vmm/image/tree.h"

struct layer_job {
	struct blob_stream *stream;
	struct tree *tree;
	struct erofs_writer *writer;
	uint64_t max_bytes;   /* of file contents, over all layers */
	uint64_t *used_bytes; /* shared by all layers */
	uint64_t max_entries; /* over all layers */
	uint64_t *used_entries;
	bool is_layered;
};

/* After ARCHIVE_WARN: only that a name is not written in the C locale's letters; it was taken as it is. */
bool layer_warning_is_about_letters(struct archive *a);
MUST_CHECK int layer_apply(const struct layer_job *job, struct err *err);
