// SPDX-License-Identifier: Apache-2.0
/*
 * abi_test - guestkernel/uapi against the system's headers
 */
#include "guestkernel/kapi/string.h"
#include "tests/abi/abi_row.h"
#include "tests/lib/harness.h"
#include "tests/lib/host_os.h"

/* Reports every difference before it fails. */
static void compare(const struct abi_row *ours, const struct abi_row *theirs)
{
	u32 wrong = 0, rows = 0;
	char line[200];

	for (; ours->name && theirs->name; ours++, theirs++, rows++) {
		CHECK(strcmp(ours->name, theirs->name) == 0);
		/* Some macros are unsigned here and signed there: 32 bits count when both fit. */
		if (ours->value == theirs->value ||
		    ((ours->value >> 32 == 0 || ours->value >> 32 == -1) &&
		     (u32)ours->value == (u32)theirs->value))
			continue;
		wrong++;
		host_print(line,
			   (size_t)snprintf(line, sizeof line, "%.100s: %#llx, system %#llx\n",
					    ours->name, ours->value, theirs->value));
	}
	CHECK(!ours->name && !theirs->name);
	CHECK(rows > 20 && wrong == 0);
}

TEST(uapi_agrees_with_the_kernel_headers)
{
	compare(ABI_TABLE(uapi), ABI_TABLE(system));
}

TEST(uapi_agrees_with_libc)
{
	compare(ABI_TABLE(uapi_libc), ABI_TABLE(system_libc));
}
