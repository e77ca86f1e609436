// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_options - arbitrary command lines for "monitor run": NUL-separated arguments
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *argv[66] = { "run" };
	struct run_options o;
	struct err e = { 0 };
	int argc = 1;
	size_t at;

	if (memmem(data, size, "env-file", 8))
		return 0; /* names files of the host */
	text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = 0;
	for (at = 0; at <= size && argc < 65; at += strlen(text + at) + 1)
		argv[argc++] = text + at;
	argv[argc] = NULL;
	if (options_parse(&o, argc, argv, &e) && (!e.msg[0] || strchr(e.msg, '\n')))
		abort();
	options_fini(&o);
	free(text);
	return 0;
}
