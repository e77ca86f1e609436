// SPDX-License-Identifier: Apache-2.0
/*
 * jsonio - bounded access to JSON documents of images
 *
 * Role      the one place that calls json-c's parser
 * Rules     documents are limited in size by the caller and in depth here; a string with a NUL byte
 *           inside, or of the wrong type, is an error and never cut
 *           getters: a missing or null member gives the default and 0, a wrong type an error
 */
#pragma once

#include <json-c/json.h>

#include "vmm/err.h"

#define JSON_SIZE_MAX (4u << 20)

/* text is NUL-terminated at len; nothing but blanks may follow the document. */
MUST_CHECK int json_parse(const char *text, size_t len, struct json_object **out, struct err *err);

static inline void cleanup_json(struct json_object **o)
{
	json_object_put(*o);
}
#define CLEANUP_JSON __attribute__((cleanup(cleanup_json)))

/* Borrowed string or NULL. */
MUST_CHECK int json_get_string(struct json_object *o, const char *key, const char **out,
			       struct err *err);
/* Borrowed object of the given type or NULL. */
MUST_CHECK int json_get_typed(struct json_object *o, const char *key, enum json_type type,
			      struct json_object **out, struct err *err);
/* Copy an array of strings into a NULL-terminated vector; a missing one gives NULL. */
MUST_CHECK int json_get_strings(struct json_object *o, const char *key, char ***out,
				struct err *err);
/* The string value itself, refused when it is none or has a NUL byte. */
MUST_CHECK int json_string_value(struct json_object *o, const char *what, const char **out,
				 struct err *err);

void strings_free(char **v);
size_t strings_count(char *const *v);
