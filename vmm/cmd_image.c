// SPDX-License-Identifier: Apache-2.0
/*
 * cmd_image - "monitor image": look at and clean the image cache
 *
 * Role      lists, removes and prunes what vmm/image/cache.c keeps
 * Rules     removing never disturbs a running sandbox: it has its file open
 * See       vmm/image/cache.h
 */
#include "vmm/cmd_image.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "vmm/image/cache.h"

#define USAGE_STATUS 125

static const char help_text[] =
	"Usage: monitor image COMMAND [OPTIONS]\n"
	"\n"
	"'monitor run' unpacks each image once into a read-only file in the image cache\n"
	"($XDG_CACHE_HOME/monitor, else ~/.cache/monitor) and starts from that file later.\n"
	"These commands show what is there and give the space back. Anything removed is\n"
	"unpacked again when it is needed; running sandboxes are not disturbed.\n"
	"\n"
	"Commands:\n"
	"  ls [-q] [--no-trunc]    list the images: ID, archive, size on disk, age, last use\n"
	"  rm IMAGE...             remove images, named by ID (a unique beginning is enough)\n"
	"                          or by the path of the archive\n"
	"  prune [--unused DAYS]   remove all images, or those not used for DAYS days,\n"
	"                          and what interrupted runs have left\n"
	"\n"
	"Examples:\n"
	"  monitor image ls\n"
	"  monitor image rm 3f2a9c\n"
	"  monitor image prune --unused 30\n";

static int usage_error(const char *what, const char *arg)
{
	fprintf(stderr, "monitor image: %s '%s'; see 'monitor image --help'\n", what, arg);
	return USAGE_STATUS;
}

static int fail(const struct err *err)
{
	fprintf(stderr, "monitor image: %s\n", err->msg);
	return 1;
}

static void format_size(uint64_t bytes, char out[16])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = bytes;
	size_t i = 0;

	while (v >= 1024 && i + 1 < ARRAY_SIZE(units)) {
		v /= 1024;
		i++;
	}
	snprintf(out, 16, i ? "%.1f %s" : "%.0f %s", v, units[i]);
}

static void format_age(time_t then, char out[32])
{
	static const struct {
		long seconds;
		const char *name;
	} units[] = {
		{86400, "day"   },
		{ 3600, "hour"  },
		{ 60,   "minute"},
		{ 1,    "second"},
	};
	long age = time(NULL) - then;

	if (age < 1)
		age = 1;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		long n = age / units[i].seconds;

		if (!n)
			continue;
		snprintf(out, 32, "%ld %s%s ago", n, units[i].name, n == 1 ? "" : "s");
		return;
	}
}

/* Names come from the host's file system; keep the terminal safe. */
static void print_name(const char *name)
{
	for (; *name; name++)
		putchar((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
	putchar('\n');
}

static void print_row(const struct cache_info *i, bool want_all)
{
	char size[16], created[32], used[32];

	format_size(i->bytes, size);
	format_age(i->created, created);
	format_age(i->used, used);
	printf("%-*.*s  %10s  %-15s  %-15s  ", want_all ? 64 : 12, want_all ? 64 : 12, i->id, size,
	       created, used);
	print_name(i->source);
}

static int image_ls(const struct cache *c, int argc, char **argv)
{
	CLEANUP_FREE struct cache_info *list = NULL;
	bool want_ids = false, want_all = false;
	uint64_t total = 0;
	char size[16];
	struct err err;
	size_t nr;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-q") == 0 || strcmp(argv[i], "--quiet") == 0)
			want_ids = true;
		else if (strcmp(argv[i], "--no-trunc") == 0)
			want_all = true;
		else
			return usage_error("ls does not know", argv[i]);
	}
	if (cache_list(c, &list, &nr, &err) < 0)
		return fail(&err);
	if (!want_ids)
		printf("%-*s  %10s  %-15s  %-15s  %s\n", want_all ? 64 : 12, "ID", "SIZE",
		       "CREATED", "LAST USED", "SOURCE");
	for (size_t i = 0; i < nr; i++) {
		total += list[i].bytes;
		if (want_ids)
			printf("%.*s\n", want_all ? 64 : 12, list[i].id);
		else
			print_row(&list[i], want_all);
	}
	if (want_ids)
		return 0;
	format_size(total, size);
	printf("%zu image%s, %s in %s\n", nr, nr == 1 ? "" : "s", size, c->path);
	return 0;
}

static bool info_matches(const struct cache_info *i, const char *want)
{
	if (strncmp(want, "sha256:", 7) == 0)
		want += 7;
	return (*want && strncmp(i->id, want, strlen(want)) == 0) || strcmp(i->source, want) == 0;
}

/* The image of an archive file that was run before, whatever name it was unpacked under, or "". */
static void archive_id(const struct cache *c, const char *path, char id[DIGEST_HEX])
{
	struct stat st;

	if (stat(path, &st) < 0 || cache_ref_find(c, &st, NULL, id) < 0)
		id[0] = '\0';
}

static int rm_one(const struct cache *c, const char *want)
{
	CLEANUP_FREE struct cache_info *list = NULL;
	const struct cache_info *found = NULL;
	char id[DIGEST_HEX] = "";
	struct err err;
	size_t nr;

	if (cache_list(c, &list, &nr, &err) < 0)
		return fail(&err);
	archive_id(c, want, id);
	for (size_t i = 0; i < nr; i++) {
		if (!info_matches(&list[i], want) && strcmp(list[i].id, id) != 0)
			continue;
		if (found && strcmp(found->id, list[i].id) != 0) {
			fprintf(stderr,
				"monitor image: '%s' names several images; give more of the ID "
				"('monitor image ls --no-trunc')\n",
				want);
			return 1;
		}
		found = &list[i];
	}
	if (!found) {
		fprintf(stderr,
			"monitor image: there is no image '%s' in the cache; 'monitor image ls' "
			"shows what is there\n",
			want);
		return 1;
	}
	if (cache_remove(c, found->name, &err) < 0)
		return fail(&err);
	printf("%.12s\n", found->id);
	return 0;
}

static int image_rm(const struct cache *c, int argc, char **argv)
{
	int status = 0;

	if (argc < 2) {
		fprintf(stderr, "monitor image: rm needs the ID or archive of at least one image; "
				"'monitor image ls' shows them\n");
		return USAGE_STATUS;
	}
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			return usage_error("rm does not know", argv[i]);
	}
	for (int i = 1; i < argc; i++) {
		if (rm_one(c, argv[i]) != 0)
			status = 1;
	}
	cache_refs_prune(c);
	return status;
}

static bool parse_days(const char *text, long *days)
{
	char *end;

	errno = 0;
	*days = strtol(text, &end, 10);
	return !errno && end != text && !*end && *days >= 0 && *days <= 36500;
}

static int image_prune(const struct cache *c, int argc, char **argv)
{
	CLEANUP_FREE struct cache_info *list = NULL;
	uint64_t bytes = 0;
	size_t nr, nr_gone = 0;
	struct err err;
	char size[16];
	long days = -1;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--unused") != 0)
			return usage_error("prune does not know", argv[i]);
		if (i + 1 == argc || !parse_days(argv[++i], &days))
			return usage_error("--unused needs a number of days, not",
					   i < argc ? argv[i] : "");
	}
	if (cache_list(c, &list, &nr, &err) < 0)
		return fail(&err);
	for (size_t i = 0; i < nr; i++) {
		if (days >= 0 && list[i].is_current && time(NULL) - list[i].used < days * 86400)
			continue;
		if (cache_remove(c, list[i].name, &err) < 0)
			return fail(&err);
		bytes += list[i].bytes;
		nr_gone++;
	}
	cache_clean(c);
	cache_refs_prune(c);
	format_size(bytes, size);
	printf("removed %zu image%s, %s\n", nr_gone, nr_gone == 1 ? "" : "s", size);
	return 0;
}

int cmd_image(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct cache *c, int argc, char **argv);
	} commands[] = {
		{"ls",	image_ls	 },
		{ "rm",	image_rm	 },
		{ "prune", image_prune},
	};
	struct cache cache;
	struct err err;
	int status;

	if (argc < 2) {
		fputs(help_text, stderr);
		return USAGE_STATUS;
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help_text, stdout);
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (cache_open(NULL, &cache, &err) < 0)
			return fail(&err);
		status = commands[i].run(&cache, argc - 1, argv + 1);
		cache_close(&cache);
		return fflush(stdout) == 0 ? status : 1;
	}
	return usage_error("there is no command", argv[1]);
}
