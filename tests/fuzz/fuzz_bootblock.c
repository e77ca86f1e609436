// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_bootblock - arbitrary bytes as the boot block, read by the guest kernel's own reader
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guestkernel/host/boot.h"
#include "guestkernel/kapi/bug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static jmp_buf out;

noreturn_fn void panic(const char *fmt, ...)
{
	longjmp(out, 1);
}

static void walk(const struct boot_strings *list)
{
	const char *s = NULL;
	u32 n = boot_strings_count(list);

	while ((s = boot_strings_next(list, s)) != NULL)
		n -= strlen(s) < list->len;
	if (n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *block;

	if (size < 40)
		return 0;
	/* The length field is the monitor's promise of how much memory there is. */
	block = malloc(size);
	memcpy(block, data, size);
	block[0] = 0xd0, block[1] = 0x0d, block[2] = 0xfe, block[3] = 0xed;
	block[4] = (uint8_t)(size >> 24), block[5] = (uint8_t)(size >> 16);
	block[6] = (uint8_t)(size >> 8), block[7] = (uint8_t)size;
	memset(&boot, 0, sizeof boot);
	if (!setjmp(out)) {
		boot_parse(block);
		walk(&boot.args);
		walk(&boot.env);
		walk(&boot.tmpfs);
		walk(&boot.rlimits);
		if ((boot.hostname && strlen(boot.hostname) > size) ||
		    (boot.cwd && strlen(boot.cwd) > size))
			abort();
	}
	free(block);
	return 0;
}
