// SPDX-License-Identifier: Apache-2.0
/* user_test - guestkernel/mm/user.c: copies, strings and the I/O cursor */
#include "arch/param.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/user.h"
#include "guestkernel/uapi/uio.h"
#include "tests/lib/harness.h"
#include "tests/lib/kapi_host.h"

static u64 va(const void *p)
{
	return (uintptr_t)p;
}

TEST(ranges_are_checked_against_the_user_range)
{
	char c[8];

	CHECK(copy_from_user(c, UADDR(USER_VA_END), 1) == -EFAULT);
	CHECK(copy_from_user(c, UADDR(USER_VA_END - 4), 5) == -EFAULT);
	CHECK(copy_from_user(c, UADDR(U64_MAX - 3), 8) == -EFAULT);
	CHECK(copy_to_user(UADDR(U64_MAX), c, 8) == -EFAULT);
	CHECK(copy_to_user(UADDR(0), c, 1) == -EFAULT);
	CHECK(copy_from_user(c, UADDR(0), 0) == 0);
	CHECK(clear_user(UADDR(U64_MAX), 8) == -EFAULT);
}

TEST(strings_end_at_the_nul_the_limit_or_the_fault)
{
	char src[16] = "hello", dst[16];

	CHECK(strncpy_from_user(dst, HOST_UADDR(src), sizeof dst) == 5);
	CHECK_STR(dst, "hello");
	CHECK(strncpy_from_user(dst, HOST_UADDR(src), 5) == 5);
	CHECK(strncpy_from_user(dst, HOST_UADDR(src), 6) == 5);
	host_fault_range(va(src) + 3, va(src) + 4);
	CHECK(strncpy_from_user(dst, HOST_UADDR(src), sizeof dst) == -EFAULT);
	CHECK(strncpy_from_user(dst, UADDR(USER_VA_END), 4) == -EFAULT);
}

TEST(sized_structures_grow_and_shrink)
{
	u8 src[24], dst[16];

	memset(src, 1, sizeof src);
	CHECK(copy_struct_from_user(dst, 16, HOST_UADDR(src), 8) == 0);
	CHECK(dst[7] == 1 && dst[8] == 0 && dst[15] == 0);
	CHECK(copy_struct_from_user(dst, 16, HOST_UADDR(src), 24) == -E2BIG);
	memset(src + 16, 0, 8);
	CHECK(copy_struct_from_user(dst, 16, HOST_UADDR(src), 24) == 0 && dst[15] == 1);
	CHECK(copy_struct_from_user(dst, 16, HOST_UADDR(src), 1u << 20) == -E2BIG);
}

TEST(futex_words_are_aligned_and_compared)
{
	u32 word = 5, seen = 0;

	CHECK(user_load_u32_nowait(HOST_UADDR(&word), &seen) == 0 && seen == 5);
	CHECK(user_load_u32_nowait(UADDR(va(&word) + 1), &seen) == -EFAULT);
	CHECK(user_cmpxchg_u32_nowait(HOST_UADDR(&word), 4, 9, &seen) == 0);
	CHECK(seen == 5 && word == 5);
	CHECK(user_cmpxchg_u32_nowait(HOST_UADDR(&word), 5, 9, &seen) == 0);
	CHECK(seen == 5 && word == 9);
}

TEST(a_vector_is_one_stream)
{
	char a[3], b[1], c[10], text[] = "0123456789";
	struct iovec v[5] = {
		{va(a),	 3 },
		      { 16,    0 },
		 { va(b), 1 },
		       { va(c), 0 },
		     { va(c), 10}
	};
	struct iov_import im;

	CHECK(iov_import(&im, HOST_UADDR(v), 5) == 0);
	CHECK(iov_left(&im.cur) == 14);
	CHECK(iov_put_some(&im.cur, text, 2) == 2);
	CHECK(iov_put_some(&im.cur, text + 2, 8) == 8);
	CHECK(iov_left(&im.cur) == 4);
	CHECK(memcmp(a, "012", 3) == 0 && b[0] == '3' && memcmp(c, "456789", 6) == 0);
	CHECK(iov_put_some(&im.cur, text, 10) == 4);
	CHECK(iov_put_some(&im.cur, text, 1) == 0);
	CHECK(iov_put(&im.cur, text, 1) == -EFAULT);
	iov_import_fini(&im);
	CHECK(iov_import(&im, HOST_UADDR(v), 5) == 0);
	iov_skip(&im.cur, 3);
	iov_truncate(&im.cur, 2);
	CHECK(iov_get_some(&im.cur, text, 10) == 2 && text[0] == '3' && text[1] == '4');
	iov_import_fini(&im);
	CHECK(host_blocks_in_use() == 0);
}

TEST(vectors_are_limited_as_on_linux)
{
	static struct iovec v[IOV_MAX_SEGS + 1];
	struct iov_import im;

	for (u32 i = 0; i <= IOV_MAX_SEGS; i++)
		v[i] = (struct iovec){ va(v), 8 };
	CHECK(iov_import(&im, HOST_UADDR(v), IOV_MAX_SEGS + 1) == -EINVAL);
	CHECK(iov_import(&im, HOST_UADDR(v), IOV_MAX_SEGS) == 0);
	CHECK(iov_left(&im.cur) == 8 * IOV_MAX_SEGS);
	iov_import_fini(&im);
	CHECK(iov_import(&im, UADDR(16), 2) == -EFAULT);
	v[1].iov_len = U64_MAX;
	CHECK(iov_import(&im, HOST_UADDR(v), 2) == -EINVAL);
	v[1].iov_len = RW_MAX_BYTES;
	CHECK(iov_import(&im, HOST_UADDR(v), 2) == 0 && iov_left(&im.cur) == RW_MAX_BYTES);
	iov_import_fini(&im);
	v[1].iov_base = USER_VA_END;
	CHECK(iov_import(&im, HOST_UADDR(v), 2) == -EFAULT);
	CHECK(host_blocks_in_use() == 0);
}

TEST(a_large_vector_that_cannot_be_copied_is_enomem)
{
	struct iovec v[20] = { { 0 } };
	struct iov_import im;

	fail_at(1);
	CHECK(iov_import(&im, HOST_UADDR(v), 20) == -ENOMEM);
	fail_at(0);
	CHECK(host_blocks_in_use() == 0);
}

TEST(faults_inside_a_transfer_give_what_was_done)
{
	static char buf[100];
	struct iov_cursor c;

	host_fault_range(va(buf) + 40, va(buf) + 100);
	CHECK(iov_init_user(&c, HOST_UADDR(buf), 100) == 0);
	CHECK(iov_zero_some(&c, 100) == 40);
	CHECK(iov_left(&c) == 60);
	CHECK(iov_zero_some(&c, 100) == -EFAULT);
	CHECK(iov_init_user(&c, UADDR(USER_VA_END), 1) == -EFAULT);
	CHECK(iov_init_user(&c, UADDR(USER_VA_END - 1), 2) == -EFAULT);
}
