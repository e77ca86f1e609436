// SPDX-License-Identifier: Apache-2.0
/*
 * image_docs_test - digests and the config document of an image
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "vmm/image/blob.h"
#include "vmm/image/config.h"
#include "vmm/image/jsonio.h"

static struct err err;

static int parse(const char *text, struct image_config *c)
{
	return image_config_parse(text, strlen(text), c, &err);
}

Test(digest, is_sha256_in_hex)
{
	char hex[DIGEST_HEX];

	digest_bytes("abc", 3, hex);
	cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cr_assert(digest_is_valid(hex));
}

Test(digest, only_whole_lower_case_sha256_is_taken)
{
	static const char good[] =
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	char text[100], hex[DIGEST_HEX];

	cr_assert_eq(digest_parse(good, hex, &err), 0);
	cr_assert_eq(digest_parse("", hex, &err), -EOPNOTSUPP);
	cr_assert_eq(digest_parse("sha512:00", hex, &err), -EOPNOTSUPP);
	cr_assert_eq(digest_parse("sha256:../../etc/passwd", hex, &err), -EINVAL);
	snprintf(text, sizeof(text), "%s0", good);
	cr_assert_eq(digest_parse(text, hex, &err), -EINVAL);
	strcpy(text, good);
	text[10] = 'A';
	cr_assert_eq(digest_parse(text, hex, &err), -EINVAL);
}

Test(config, absent_members_are_null)
{
	struct image_config c;

	cr_assert_eq(parse("{}", &c), 0);
	cr_assert_null(c.entrypoint);
	cr_assert_null(c.user);
	image_config_fini(&c);
	cr_assert_eq(parse("{\"config\":null,\"rootfs\":null}", &c), 0);
	image_config_fini(&c);
	cr_assert_eq(parse("{\"config\":{\"Cmd\":null,\"User\":\"\"}}", &c), 0);
	cr_assert_null(c.user);
	image_config_fini(&c);
}

Test(config, everything_is_copied)
{
	struct image_config c;

	cr_assert_eq(
		parse("{\"architecture\":\"amd64\",\"config\":{\"Entrypoint\":[\"/a\",\"b c\"],"
		      "\"Env\":[\"X=1\"],\"Volumes\":{\"/v\":{}},\"Labels\":{\"k\":\"v\"},"
		      "\"StopSignal\":\"SIGQUIT\"}}",
		      &c),
		0);
	cr_assert_eq(strings_count(c.entrypoint), 2);
	cr_assert_str_eq(c.entrypoint[1], "b c");
	cr_assert_str_eq(c.volumes[0], "/v");
	cr_assert_str_eq(c.labels[0], "k=v");
	cr_assert_str_eq(c.stop_signal, "SIGQUIT");
	cr_assert_str_eq(c.arch, "amd64");
	image_config_fini(&c);
}

Test(config, wrong_types_are_errors)
{
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"{",
		"{} x",
		"{\"config\":[]}",
		"{\"config\":{\"Cmd\":\"x\"}}",
		"{\"config\":{\"Cmd\":[1]}}",
		"{\"config\":{\"Env\":[\"=x\"]}}",
		"{\"config\":{\"Env\":[\"a\\u0000b\"]}}",
		"{\"config\":{\"Labels\":{\"a\":5}}}",
		"{\"rootfs\":{\"diff_ids\":{}}}",
	};
	struct image_config c;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_lt(parse(bad[i], &c), 0, "%s", bad[i]);
}

Test(config, deep_nesting_is_refused)
{
	char text[200];
	struct image_config c;

	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_assert_lt(parse(text, &c), 0);
}
