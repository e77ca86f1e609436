// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_image_json - arbitrary bytes as image config, and as manifest.json of an archive
 *
 * Rules     the archive around manifest.json is a fixed tar header in front of the input
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/image/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tar_header(uint8_t h[512], const char *name, size_t size)
{
	unsigned int sum = 0;

	memset(h, 0, 512);
	strcpy((char *)h, name);
	strcpy((char *)h + 100, "0000644");
	strcpy((char *)h + 108, "0000000");
	strcpy((char *)h + 116, "0000000");
	snprintf((char *)h + 124, 12, "%011zo", size);
	strcpy((char *)h + 136, "00000000000");
	memset(h + 148, ' ', 8);
	h[156] = '0';
	memcpy(h + 257,
	       "ustar\0"
	       "00",
	       8);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

static int add_file(int fd, const char *name, const uint8_t *data, size_t size)
{
	static const uint8_t zeros[512];
	uint8_t h[512];

	tar_header(h, name, size);
	return write(fd, h, sizeof(h)) == sizeof(h) && write(fd, data, size) == (ssize_t)size &&
			       write(fd, zeros, -size % 512) == (ssize_t)(-size % 512)
		       ? 0
		       : -1;
}

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
			add_file(fd, names[i], data, size);
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
