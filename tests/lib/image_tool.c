// SPDX-License-Identifier: Apache-2.0
/*
 * image_tool - the image pipeline as a program, for the tests in tests/image/
 *
 * Role      image_tool [--cache DIR] [--tag T] [--arch A] [--max-bytes N] [--max-files N]
 *           [--user SPEC] ARCHIVE: opens the image and prints what the monitor would see, one
 *           "key value" per line; errors as the monitor prints them, exit status 1
 *           image_tool image ...: the monitor's image command
 */
#include <getopt.h>
#include <string.h>

#include "vmm/cmd_image.h"
#include "vmm/image/image.h"

static void print_list(const char *key, char *const *v)
{
	for (; v && *v; v++)
		printf("%s %s\n", key, *v);
}

static void print_text(const char *key, const char *text)
{
	if (text)
		printf("%s %s\n", key, text);
}

static int print_user(const struct image *img, const char *spec, struct err *err)
{
	struct image_user u;
	int r = image_resolve_user(img, spec, &u, err);

	if (r < 0)
		return r;
	printf("uid %u\ngid %u\n", u.uid, u.gid);
	for (size_t i = 0; i < u.nr_groups; i++)
		printf("group %u\n", u.groups[i]);
	print_text("name", u.name);
	print_text("home", u.home);
	image_user_fini(&u);
	return 0;
}

static void print_image(const struct image *img)
{
	printf("id %s\npath %s\nsize %llu\ncached %d\n", img->id, img->path,
	       (unsigned long long)img->size, img->was_cached);
	print_list("entrypoint", img->config.entrypoint);
	print_list("cmd", img->config.cmd);
	print_list("env", img->config.env);
	print_list("volume", img->config.volumes);
	print_list("label", img->config.labels);
	print_text("workdir", img->config.working_dir);
	print_text("user", img->config.user);
	print_text("stopsignal", img->config.stop_signal);
	print_text("arch", img->config.arch);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"cache",		   required_argument, NULL, 'c' },
		{ "tag",		 required_argument, NULL, 't' },
		{ "arch",		  required_argument, NULL, 'a' },
		{ "max-bytes",required_argument, NULL, 'b' },
		{ "max-files",	       required_argument, NULL, 'f' },
		{ "user",		  required_argument, NULL, 'u' },
		{ 0		    },
	};
	struct image_opts opts = { 0 };
	const char *user = NULL;
	struct image *img;
	struct err err;
	int c, r;

	if (argc > 1 && strcmp(argv[1], "image") == 0)
		return cmd_image(argc - 1, argv + 1);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			opts.cache_dir = optarg;
			break;
		case 't':
			opts.tag = optarg;
			break;
		case 'a':
			opts.arch = optarg;
			break;
		case 'b':
			opts.max_bytes = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			opts.max_files = strtoull(optarg, NULL, 10);
			break;
		case 'u':
			user = optarg;
			break;
		default:
			return 125;
		}
	}
	if (optind + 1 != argc)
		return 125;
	r = image_open(argv[optind], &opts, &img, &err);
	if (r == 0) {
		print_image(img);
		if (user)
			r = print_user(img, user, &err);
		image_close(img);
	}
	if (r < 0)
		fprintf(stderr, "monitor: %s\n", err.msg);
	return r < 0 ? 1 : 0;
}
