// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_bpf - arbitrary filters of applications, checked and run
 *
 * Role      The input is the data's words, then instructions as struct sock_filter has them. The sanitizers see a
 *           checked program that leaves its memory; one that does not end is a time-out.
 */
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/bpf.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

#define WORDS 16

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

noreturn_fn void unit_fail(const char *expr, const char *file, int line)
{
	panic("%s:%d: %s", file, line, expr);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 *words, n;
	struct sock_filter *f;

	if (size < WORDS * sizeof *words + sizeof *f)
		return 0;
	n = (u32)((size - WORDS * sizeof *words) / sizeof *f);
	words = kcalloc(WORDS, sizeof *words);
	f = kcalloc(n, sizeof *f);
	memcpy(words, data, WORDS * sizeof *words);
	memcpy(f, data + WORDS * sizeof *words, n * sizeof *f);
	if (bpf_check(f, n, WORDS) == 0)
		(void)bpf_run(f, words, WORDS);
	kfree(f);
	kfree(words);
	return 0;
}
