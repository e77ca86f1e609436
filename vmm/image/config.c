// SPDX-License-Identifier: Apache-2.0
/*
 * config - what an image says about how to run it
 *
 * Role      see config.h
 */
#include "vmm/image/config.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "vmm/image/jsonio.h"

const char *image_host_arch(void)
{
	static const char *const names[][2] = {
		{"x86_64",   "amd64"  },
		       { "aarch64", "arm64"  },
		 { "riscv64", "riscv64"},
		{ "s390x",   "s390x"  },
		       { "ppc64le", "ppc64le"},
	};
	struct utsname u;

	if (uname(&u) < 0)
		return "amd64";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(u.machine, names[i][0]) == 0)
			return names[i][1];
	}
	return "unknown";
}

static int get_copy(struct json_object *o, const char *key, char **out, struct err *err)
{
	const char *s;
	int r = json_get_string(o, key, &s, err);

	if (r < 0 || !s || !*s)
		return r;
	*out = strdup(s);
	return *out ? 0 : err_set(err, ENOMEM, "not enough memory");
}

/* {"a": "b"} to "a=b", or with want_values false just the keys. */
static int get_map(struct json_object *o, const char *key, bool want_values, char ***out,
		   struct err *err)
{
	struct json_object *map;
	size_t i = 0;
	int r = json_get_typed(o, key, json_type_object, &map, err);

	if (r < 0 || !map)
		return r;
	*out = calloc(json_object_object_length(map) + 1, sizeof(**out));
	if (!*out)
		return err_set(err, ENOMEM, "not enough memory");
	json_object_object_foreach(map, name, value)
	{
		const char *text = NULL;
		char *item = NULL;

		if (want_values && value) {
			r = json_string_value(value, name, &text, err);
			if (r < 0)
				return r;
		}
		if (asprintf(&item, "%s%s%s", name, want_values ? "=" : "", text ? text : "") < 0)
			return err_set(err, ENOMEM, "not enough memory");
		(*out)[i++] = item;
	}
	return 0;
}

static int check_env(char *const *env, struct err *err)
{
	for (size_t i = 0; env && env[i]; i++) {
		if (env[i][0] == '=' || !env[i][0])
			return err_set(err, EINVAL, "\"Env\" entry '%.80s' has no name", env[i]);
	}
	return 0;
}

static int parse_run_part(struct json_object *c, struct image_config *out, struct err *err)
{
	int r = json_get_strings(c, "Entrypoint", &out->entrypoint, err);

	if (r == 0)
		r = json_get_strings(c, "Cmd", &out->cmd, err);
	if (r == 0)
		r = json_get_strings(c, "Env", &out->env, err);
	if (r == 0)
		r = check_env(out->env, err);
	if (r == 0)
		r = get_copy(c, "WorkingDir", &out->working_dir, err);
	if (r == 0)
		r = get_copy(c, "User", &out->user, err);
	if (r == 0)
		r = get_copy(c, "StopSignal", &out->stop_signal, err);
	if (r == 0)
		r = get_map(c, "Volumes", false, &out->volumes, err);
	if (r == 0)
		r = get_map(c, "Labels", true, &out->labels, err);
	return r;
}

static int parse_root(struct json_object *root, struct image_config *out, struct err *err)
{
	struct json_object *part;
	int r = get_copy(root, "os", &out->os, err);

	if (r == 0)
		r = get_copy(root, "architecture", &out->arch, err);
	if (r == 0)
		r = get_copy(root, "created", &out->created, err);
	if (r == 0)
		r = json_get_typed(root, "rootfs", json_type_object, &part, err);
	if (r == 0 && part)
		r = json_get_strings(part, "diff_ids", &out->diff_ids, err);
	if (r == 0)
		r = json_get_typed(root, "config", json_type_object, &part, err);
	if (r == 0 && part)
		r = parse_run_part(part, out, err);
	return r;
}

int image_config_parse(const char *text, size_t len, struct image_config *out, struct err *err)
{
	CLEANUP_JSON struct json_object *root = NULL;
	int r = json_parse(text, len, &root, err);

	memset(out, 0, sizeof(*out));
	if (r == 0)
		r = parse_root(root, out, err);
	if (r < 0) {
		image_config_fini(out);
		return err_add(err, "image config");
	}
	return 0;
}

void image_config_fini(struct image_config *c)
{
	strings_free(c->entrypoint);
	strings_free(c->cmd);
	strings_free(c->env);
	strings_free(c->volumes);
	strings_free(c->labels);
	strings_free(c->diff_ids);
	free(c->working_dir);
	free(c->user);
	free(c->stop_signal);
	free(c->os);
	free(c->arch);
	free(c->created);
	memset(c, 0, sizeof(*c));
}
