// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_image_json - arbitrary bytes as image config, and as manifest.json of an archive
 *
 * Rules     each input is a whole document; the archive around it is well-formed
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/lib/tar_make.h"
#include "vmm/image/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "manifest.json", "c.json", "index.json",
					     "oci-layout" };
	struct blob_limit limit = { .max_bytes = 1 << 20 };
	struct store_options opts = { .tmp_dir = "/tmp", .limit = &limit };
	struct plan_choice choice = { .arch = "amd64" };
	bool is_oci = size && data[0] == '{';
	struct image_config config;
	struct image_plan plan;
	struct store store;
	char *text = malloc(size + 1);
	int fd = memfd_create("tar", 0);

	memcpy(text, data, size);
	text[size] = '\0';
	if (image_config_parse(text, size, &config, NULL) == 0)
		image_config_fini(&config);
	for (int i = 0; i < 4; i++) {
		if (is_oci != (i < 2))
			tar_make_file(fd, names[i], data, size);
	}
	if (store_open(fd, &opts, &store, NULL) == 0) {
		if (store.kind == STORE_TAR && image_plan_load(&store, &choice, &plan, NULL) == 0)
			image_plan_fini(&plan);
		store_close(&store);
	} else {
		close(fd);
	}
	free(text);
	return 0;
}
