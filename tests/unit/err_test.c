// SPDX-License-Identifier: Apache-2.0
/*
 * err_test - error texts: context in front, code kept, terminal kept safe
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "vmm/err.h"

Test(err, set_gives_the_negative_code_and_the_text)
{
	struct err e = { 0 };

	cr_assert_eq(err_set(&e, EINVAL, "bad %d", 7), -EINVAL);
	cr_assert_eq(e.code, EINVAL);
	cr_assert_str_eq(e.msg, "bad 7");
}

Test(err, context_goes_in_front_and_keeps_the_code)
{
	struct err e = { 0 };

	err_set_errno(&e, ENOENT, "opening %s", "x");
	cr_assert_eq(err_add(&e, "image %s", "a.tar"), -ENOENT);
	cr_assert_str_eq(e.msg, "image a.tar: opening x: No such file or directory");
}

Test(err, control_characters_never_reach_the_terminal)
{
	struct err e = { 0 };

	err_set(&e, EINVAL, "name '%s'", "a\033[2Jb\nc\x7f\xc3\xa9");
	cr_assert_str_eq(e.msg, "name 'a?[2Jb?c?\xc3\xa9'");
}

Test(err, long_texts_are_cut_not_overrun)
{
	struct err e = { 0 };
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set_errno(&e, EIO, "%s", text);
	err_add(&e, "%s", text);
	cr_assert_eq(strlen(e.msg), sizeof(e.msg) - 1);
	cr_assert_eq(e.code, EIO);
}

Test(err, no_error_object_is_fine)
{
	cr_assert_eq(err_set(NULL, EIO, "x"), -EIO);
	cr_assert_eq(err_add(NULL, "y"), -EIO);
	err_clear(NULL);
}
