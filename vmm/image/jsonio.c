// SPDX-License-Identifier: Apache-2.0
/*
 * jsonio - bounded access to JSON documents of images
 *
 * Role      see jsonio.h
 */
#include "vmm/image/jsonio.h"

#include <errno.h>
#include <string.h>

#define JSON_DEPTH 32

int json_parse(const char *text, size_t len, struct json_object **out, struct err *err)
{
	struct json_tokener *tok;
	struct json_object *o;
	enum json_tokener_error e;
	size_t end;

	if (len > JSON_SIZE_MAX)
		return err_set(err, EFBIG, "the JSON document is larger than %u MiB",
			       JSON_SIZE_MAX >> 20);
	tok = json_tokener_new_ex(JSON_DEPTH);
	if (!tok)
		return err_set(err, ENOMEM, "not enough memory");
	o = json_tokener_parse_ex(tok, text, len);
	e = json_tokener_get_error(tok);
	end = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	if (e == json_tokener_success && strspn(text + end, " \t\r\n") != len - end)
		e = json_tokener_error_parse_unexpected;
	if (e == json_tokener_success && o && json_object_is_type(o, json_type_null)) {
		json_object_put(o);
		o = NULL;
	}
	if (e != json_tokener_success || !o) {
		json_object_put(o);
		return err_set(err, EINVAL, "the JSON document is damaged (%s)",
			       e == json_tokener_continue ? "it ends too early"
							  : json_tokener_error_desc(e));
	}
	*out = o;
	return 0;
}

int json_string_value(struct json_object *o, const char *what, const char **out, struct err *err)
{
	const char *s;

	if (!json_object_is_type(o, json_type_string))
		return err_set(err, EINVAL, "\"%.80s\" is not a string", what);
	s = json_object_get_string(o);
	if (strlen(s) != (size_t)json_object_get_string_len(o))
		return err_set(err, EINVAL, "\"%.80s\" contains a NUL byte", what);
	*out = s;
	return 0;
}

int json_get_typed(struct json_object *o, const char *key, enum json_type type,
		   struct json_object **out, struct err *err)
{
	struct json_object *v = NULL;

	*out = NULL;
	if (!json_object_is_type(o, json_type_object))
		return err_set(err, EINVAL, "an object with \"%.80s\" is expected", key);
	if (!json_object_object_get_ex(o, key, &v) || !v)
		return 0;
	if (!json_object_is_type(v, type))
		return err_set(err, EINVAL, "\"%.80s\" is not of type %s", key,
			       json_type_to_name(type));
	*out = v;
	return 0;
}

int json_get_string(struct json_object *o, const char *key, const char **out, struct err *err)
{
	struct json_object *v;
	int r = json_get_typed(o, key, json_type_string, &v, err);

	*out = NULL;
	if (r < 0 || !v)
		return r;
	return json_string_value(v, key, out, err);
}

int json_get_strings(struct json_object *o, const char *key, char ***out, struct err *err)
{
	struct json_object *v;
	int r = json_get_typed(o, key, json_type_array, &v, err);
	size_t nr;
	char **list;

	*out = NULL;
	if (r < 0 || !v)
		return r;
	nr = json_object_array_length(v);
	list = calloc(nr + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "not enough memory");
	for (size_t i = 0; i < nr; i++) {
		const char *s;

		r = json_string_value(json_object_array_get_idx(v, i), key, &s, err);
		if (r == 0 && !(list[i] = strdup(s)))
			r = err_set(err, ENOMEM, "not enough memory");
		if (r < 0) {
			strings_free(list);
			return r;
		}
	}
	*out = list;
	return 0;
}

void strings_free(char **v)
{
	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
}

size_t strings_count(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}
