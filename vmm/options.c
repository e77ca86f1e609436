// SPDX-License-Identifier: Apache-2.0
/*
 * options - one table row per option: names, help, handler
 *
 * Role      See options.h. --help is printed from the same table.
 * Missing   docker's networking, volumes and namespace options; --cpus takes whole vCPUs (fractions are rounded
 *           up and not throttled).
 */
#include "vmm/options.h"
#include "vmm/abi/process.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define CPUS_MAX 64u
#define PIDS_MAX 4194304u /* Linux' own limit */

struct option_row {
	const char *longname;
	char shortname;
	enum { ARG_NONE, ARG_REQUIRED, ARG_OPTIONAL } arg;
	int (*take)(struct run_options *o, const char *value, struct err *e);
	const char *arg_name, *help;
};

int string_list_add(struct string_list *l, const char *s, struct err *e)
{
	char **item = realloc(l->item, (l->n + 2) * sizeof *item), *copy = strdup(s);

	if (item)
		l->item = item;
	if (!item || !copy) {
		free(copy);
		return err_set(e, ENOMEM, "out of memory");
	}
	l->item[l->n++] = copy;
	l->item[l->n] = NULL;
	return 0;
}

void string_list_fini(struct string_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->item[i]);
	free(l->item);
	*l = (struct string_list){ 0 };
}

int parse_size(const char *what, const char *s, uint64_t *out, struct err *e)
{
	static const char units[] = "bkmgt";
	unsigned long long n;
	const char *unit;
	char *end;

	errno = 0;
	n = strtoull(s, &end, 10);
	if (!isdigit((unsigned char)*s) || errno)
		return err_set(e, EINVAL,
			       "%s %s is not a size; write a number with b, k, m or g, as in 512m",
			       what, s);
	if (*end) {
		unit = strchr(units, tolower((unsigned char)*end));
		if (!unit || (end[1] && strcasecmp(end + 1, "b") && strcasecmp(end + 1, "ib")))
			return err_set(e, EINVAL, "%s %s has an unknown unit; use b, k, m or g",
				       what, s);
		for (; unit > units; unit--)
			if (mul_overflow(n, 1024ull, &n))
				return err_set(e, ERANGE, "%s %s is too large", what, s);
	}
	*out = n;
	return 0;
}

static int parse_number(const char *what, const char *s, uint32_t max, uint32_t *out, struct err *e)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(s, &end, 10);
	if (!isdigit((unsigned char)*s) || *end || errno || n > max)
		return err_set(e, EINVAL, "%s %s is not a number from 0 to %u", what, s, max);
	*out = (uint32_t)n;
	return 0;
}

static int take_interactive(struct run_options *o, const char *v, struct err *e)
{
	o->is_interactive = true;
	return 0;
}

static int take_tty(struct run_options *o, const char *v, struct err *e)
{
	o->has_tty = true;
	return 0;
}

static int take_env(struct run_options *o, const char *v, struct err *e)
{
	char line[4096];
	const char *value;

	if (strchr(v, '='))
		return *v == '=' ? err_set(e, EINVAL, "--env %s has no name before the =", v)
				 : string_list_add(&o->env, v, e);
	value = getenv(v);
	if (!value)
		return 0; /* like docker: a name that is not set here is left out */
	if (snprintf(line, sizeof line, "%s=%s", v, value) >= (int)sizeof line)
		return err_set(e, E2BIG, "--env %s: the value here is longer than %zu bytes", v,
			       sizeof line);
	return string_list_add(&o->env, line, e);
}

static int take_env_file(struct run_options *o, const char *v, struct err *e)
{
	CLEANUP_FILE FILE *f = fopen(v, "re");
	CLEANUP_FREE char *line = NULL;
	size_t cap = 0;
	int ret = 0;

	if (!f)
		return err_set_errno(e, errno, "--env-file %s", v);
	while (!ret && getline(&line, &cap, f) >= 0) {
		char *s = line + strspn(line, " \t");

		s[strcspn(s, "\r\n")] = 0;
		if (*s && *s != '#')
			ret = take_env(o, s, e);
	}
	return ret;
}

static int take_workdir(struct run_options *o, const char *v, struct err *e)
{
	if (*v != '/')
		return err_set(e, EINVAL, "--workdir %s must be an absolute path", v);
	o->workdir = v;
	return 0;
}

static int take_user(struct run_options *o, const char *v, struct err *e)
{
	o->user = v;
	return 0;
}

static int take_entrypoint(struct run_options *o, const char *v, struct err *e)
{
	o->entrypoint = v;
	o->has_entrypoint = true;
	return 0;
}

static int take_hostname(struct run_options *o, const char *v, struct err *e)
{
	if (!*v || strlen(v) > 64 ||
	    strspn(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") !=
		    strlen(v))
		return err_set(
			e, EINVAL,
			"--hostname %s is not a host name of up to 64 letters, digits, dots and dashes",
			v);
	o->hostname = v;
	return 0;
}

static int take_read_only(struct run_options *o, const char *v, struct err *e)
{
	o->is_read_only = true;
	return 0;
}

static int take_tmpfs(struct run_options *o, const char *v, struct err *e)
{
	if (*v != '/')
		return err_set(e, EINVAL, "--tmpfs %s must start with an absolute path", v);
	return string_list_add(&o->tmpfs, v, e);
}

static int take_memory(struct run_options *o, const char *v, struct err *e)
{
	return parse_size("--memory", v, &o->memory_bytes, e);
}

static int take_cpus(struct run_options *o, const char *v, struct err *e)
{
	double n;
	char *end;

	errno = 0;
	n = strtod(v, &end);
	if (*end || end == v || errno || !(n > 0) || n > CPUS_MAX)
		return err_set(e, EINVAL, "--cpus %s is not a number from 0.01 to %u", v, CPUS_MAX);
	o->cpus = (uint32_t)n + (n > (double)(uint32_t)n);
	return 0;
}

/* As docker's: -1 and 0 mean no limit. */
static int take_pids_limit(struct run_options *o, const char *v, struct err *e)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(v, &end, 10);
	if (*end || end == v || errno || n < -1 || n > PIDS_MAX)
		return err_set(e, EINVAL, "--pids-limit %s is not a number from 1 to %u, or -1", v,
			       PIDS_MAX);
	o->pids_limit = n > 0 ? (uint32_t)n : PIDS_MAX;
	return 0;
}

static int take_name(struct run_options *o, const char *v, struct err *e)
{
	o->name = v;
	return 0;
}

static int take_ulimit(struct run_options *o, const char *v, struct err *e)
{
	static const char *const names[] = { "as",     "core",	 "cpu",	       "data",
					     "fsize",  "locks",	 "memlock",    "msgqueue",
					     "nice",   "nofile", "nproc",      "rss",
					     "rtprio", "rttime", "sigpending", "stack" };
	size_t i, n = strcspn(v, "=");

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const char *num = v + n + 1;

		if (v[n] != '=' || strlen(names[i]) != n || strncmp(names[i], v, n))
			continue;
		if (!isdigit((unsigned char)*num) && *num != '-')
			break;
		if (strspn(num, "0123456789:-") == strlen(num))
			return string_list_add(&o->ulimits, v, e);
	}
	return err_set(e, EINVAL, "--ulimit %s: write name=soft[:hard], as in nofile=1024:2048", v);
}

static int take_image_limit(struct run_options *o, const char *v, struct err *e)
{
	int ret = parse_size("--image-limit", v, &o->image_bytes, e);

	if (!ret && !o->image_bytes)
		return err_set(e, EINVAL, "--image-limit 0 lets no image in");
	return ret;
}

static int take_stop_timeout(struct run_options *o, const char *v, struct err *e)
{
	o->has_stop_timeout = true;
	return parse_number("--stop-timeout", v, 86400, &o->stop_timeout_s, e);
}

static int take_platform(struct run_options *o, const char *v, struct err *e)
{
	if (!strcmp(v, "auto"))
		o->platform = PLATFORM_AUTO;
	else if (!strcmp(v, "kvm"))
		o->platform = PLATFORM_KVM;
	else if (!strcmp(v, "process"))
		o->platform = PLATFORM_PROCESS;
	else
		return err_set(e, EINVAL, "--platform %s is unknown; use kvm, process or auto", v);
	return 0;
}

static int take_no_rewrite(struct run_options *o, const char *v, struct err *e)
{
	o->pm_flags |= PM_NO_REWRITE;
	return 0;
}

static int take_handover(struct run_options *o, const char *v, struct err *e)
{
	o->pm_flags &= ~(uint32_t)(PM_SPIN_NEVER | PM_SPIN_ALWAYS);
	if (!strcmp(v, "spin"))
		o->pm_flags |= PM_SPIN_ALWAYS;
	else if (!strcmp(v, "sleep"))
		o->pm_flags |= PM_SPIN_NEVER;
	else if (strcmp(v, "auto"))
		return err_set(e, EINVAL, "--handover %s is unknown; use spin, sleep or auto", v);
	return 0;
}

static int take_strace(struct run_options *o, const char *v, struct err *e)
{
	o->strace = v ? v : "";
	return 0;
}

static int take_log_level(struct run_options *o, const char *v, struct err *e)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(v, names[i])) {
			o->log_level = (enum log_level)i;
			return 0;
		}
	}
	return err_set(e, EINVAL, "--log-level %s is unknown; use error, warning, info or debug",
		       v);
}

static int take_verbose(struct run_options *o, const char *v, struct err *e)
{
	if (o->log_level < LOG_INFO)
		o->log_level = LOG_INFO;
	return 0;
}

static int take_kernel_log(struct run_options *o, const char *v, struct err *e)
{
	o->kernel_log = HYP_LOG_DEBUG;
	return 0;
}

static int take_kernel(struct run_options *o, const char *v, struct err *e)
{
	o->kernel = v;
	return 0;
}

static int take_dry_run(struct run_options *o, const char *v, struct err *e)
{
	o->is_dry_run = true;
	return 0;
}

static int take_privileged(struct run_options *o, const char *v, struct err *e)
{
	o->is_privileged = true;
	return 0;
}

static int take_no_namespaces(struct run_options *o, const char *v, struct err *e)
{
	o->no_namespaces = true;
	return 0;
}

static int take_rm(struct run_options *o, const char *v, struct err *e)
{
	return 0;
}

static int take_help(struct run_options *o, const char *v, struct err *e)
{
	o->want_help = true;
	return 0;
}

/* clang-format off */
/* What docker run has and we have not: said by name, so that nobody looks for a typing error. */
static const char *const docker_only[] = {
	"add-host", "annotation", "attach", "blkio-weight", "blkio-weight-device", "cap-add",
	"cap-drop", "cgroup-parent", "cgroupns", "cidfile", "cpu-count", "cpu-percent",
	"cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "cpuset-cpus",
	"cpuset-mems", "detach", "detach-keys", "device", "device-cgroup-rule", "device-read-bps",
	"device-read-iops", "device-write-bps", "device-write-iops", "disable-content-trust",
	"dns", "dns-opt", "dns-option", "dns-search", "domainname", "expose", "gpus", "group-add",
	"health-cmd", "health-interval", "health-retries", "health-start-interval",
	"health-start-period", "health-timeout", "init", "io-maxbandwidth", "io-maxiops", "ip",
	"ip6", "ipc", "isolation", "kernel-memory", "label", "label-file", "link", "link-local-ip",
	"log-driver", "log-opt", "mac-address", "memory-reservation", "memory-swap",
	"memory-swappiness", "mount", "net", "net-alias", "network", "network-alias",
	"no-healthcheck", "oom-kill-disable", "oom-score-adj", "pid", "publish", "publish-all",
	"pull", "quiet", "restart", "runtime", "security-opt", "shm-size", "sig-proxy",
	"stop-signal", "storage-opt", "sysctl", "use-api-socket", "userns", "uts", "volume",
	"volume-driver", "volumes-from",
};

static const struct {
	char letter;
	const char *name;
} docker_letters[] = {
	{'a',  "attach"	},
	    { 'c', "cpu-shares" },
	    { 'd', "detach"	    },
	       { 'l', "label"      },
	{ 'p', "publish"	 },
	    { 'P', "publish-all"},
	    { 'q', "quiet"	   },
};

static const struct option_row rows[] = {
	{ "interactive", 'i', ARG_NONE, take_interactive, NULL,
	  "keep standard input open (else it is empty)" },
	{ "tty", 't', ARG_NONE, take_tty, NULL,
	  "give the program a terminal" },
	{ "env", 'e', ARG_REQUIRED, take_env, "NAME[=VALUE]",
	  "set a variable; without a value, the one set here" },
	{ "env-file", 0, ARG_REQUIRED, take_env_file, "FILE",
	  "read variables from a file, one a line" },
	{ "workdir", 'w', ARG_REQUIRED, take_workdir, "DIR",
	  "working directory" },
	{ "user", 'u', ARG_REQUIRED, take_user, "USER[:GROUP]",
	  "names or numbers, by the image's /etc/passwd" },
	{ "entrypoint", 0, ARG_REQUIRED, take_entrypoint, "PROGRAM",
	  "instead of the image's; \"\" for none" },
	{ "hostname", 'h', ARG_REQUIRED, take_hostname, "NAME",
	  "host name inside" },
	{ "read-only", 0, ARG_NONE, take_read_only, NULL,
	  "mount the root file system read-only" },
	{ "tmpfs", 0, ARG_REQUIRED, take_tmpfs, "DIR[:OPTIONS]",
	  "mount an empty tmpfs (size=64m,mode=1777,...)" },
	{ "memory", 'm', ARG_REQUIRED, take_memory, "SIZE",
	  "memory of the sandbox, kernel included (512m, 2g)" },
	{ "cpus", 0, ARG_REQUIRED, take_cpus, "N",
	  "virtual CPUs (default: the host's, at most 4)" },
	{ "pids-limit", 0, ARG_REQUIRED, take_pids_limit, "N",
	  "most processes and threads (4096; -1: no limit)" },
	{ "name", 0, ARG_REQUIRED, take_name, "NAME",
	  "a name for messages" },
	{ "privileged", 0, ARG_NONE, take_privileged, NULL,
	  "all capabilities (inside the sandbox: it stays one)" },
	{ "ulimit", 0, ARG_REQUIRED, take_ulimit, "NAME=SOFT[:HARD]",
	  "limit of process 1 and what it starts (nofile=1024:2048)" },
	{ "stop-timeout", 0, ARG_REQUIRED, take_stop_timeout, "SECONDS",
	  "after SIGTERM, until the program is killed (default: never)" },
	{ "rm", 0, ARG_NONE, take_rm, NULL,
	  "accepted for docker's sake: nothing is ever left to remove" },
	{ "image-limit", 0, ARG_REQUIRED, take_image_limit, "SIZE",
	  "what an image may unpack to at most (16g)" },
	{ "platform", 0, ARG_REQUIRED, take_platform, "kvm|process|auto",
	  "what runs the sandbox: a virtual machine, host processes, or what is faster here" },
	{ "no-rewrite", 0, ARG_NONE, take_no_rewrite, NULL,
	  "process: never patch system calls in programs' code" },
	{ "handover", 0, ARG_REQUIRED, take_handover, "spin|sleep|auto",
	  "process: how programs and kernel wait for each other (for tests; auto measures)" },
	{ "insecure-no-namespaces", 0, ARG_NONE, take_no_namespaces, NULL,
	  "run where the host refuses namespaces; what breaks out then meets the host's own" },
	{ "strace", 0, ARG_OPTIONAL, take_strace, "CALLS",
	  "print system calls: all, or a list (--strace=open,%file)" },
	{ "log-level", 0, ARG_REQUIRED, take_log_level, "LEVEL",
	  "error, warning (default), info or debug" },
	{ "verbose", 'v', ARG_NONE, take_verbose, NULL,
	  "the same as --log-level info" },
	{ "debug-kernel-log", 0, ARG_NONE, take_kernel_log, NULL,
	  "show what the guest kernel says" },
	{ "debug-kernel", 0, ARG_REQUIRED, take_kernel, "FILE",
	  "boot this guest kernel instead of the built-in one" },
	{ "dry-run", 0, ARG_NONE, take_dry_run, NULL,
	  "prepare everything, say what would run, start nothing" },
	{ "help", 0, ARG_NONE, take_help, NULL,
	  "this text" },
};
/* clang-format on */

void options_usage(FILE *out)
{
	size_t i;

	fprintf(out,
		"Usage: monitor run [OPTIONS] IMAGE [COMMAND [ARG...]]\n\n"
		"Runs a command of a container image in a sandbox of its own. IMAGE is a file or directory:\n"
		"what \"docker save\" writes, an OCI layout (tar or directory), or a root file system tar.\n\n"
		"Options:\n");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char left[64];

		snprintf(left, sizeof left, "%c%c%s --%s%s%s%s", rows[i].shortname ? '-' : ' ',
			 rows[i].shortname ? rows[i].shortname : ' ', rows[i].shortname ? "," : " ",
			 rows[i].longname,
			 rows[i].arg_name ? (rows[i].arg == ARG_OPTIONAL ? "[=" : " ") : "",
			 rows[i].arg_name ? rows[i].arg_name : "",
			 rows[i].arg == ARG_OPTIONAL ? "]" : "");
		fprintf(out, "  %-36s %s\n", left, rows[i].help);
	}
	fprintf(out,
		"\nExit status: the command's; 128+N if signal N killed it; 125 the monitor failed; 126 the\n"
		"command cannot be run; 127 it was not found.\n\n"
		"Examples:\n"
		"  monitor run busybox.tar echo hello\n"
		"  monitor run -it debian.tar bash\n"
		"  tar c . | monitor run -i -w /tmp debian.tar tar t\n");
}

static const struct option_row *find_long(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (strlen(rows[i].longname) == n && !strncmp(rows[i].longname, name, n))
			return &rows[i];
	return NULL;
}

static const struct option_row *find_short(char c)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].shortname && rows[i].shortname == c)
			return &rows[i];
	return NULL;
}

static int not_yet(const char *what, struct err *e)
{
	return err_set(e, EOPNOTSUPP,
		       "docker's %s is not there yet; monitor run --help lists what is", what);
}

static int no_such_long(const char *arg, struct err *e)
{
	const char *name = arg + 2;
	size_t n = strcspn(name, "="), i;
	char what[40];

	for (i = 0; i < ARRAY_SIZE(docker_only); i++) {
		if (strlen(docker_only[i]) != n || strncmp(docker_only[i], name, n))
			continue;
		snprintf(what, sizeof what, "--%s", docker_only[i]);
		return not_yet(what, e);
	}
	return err_set(e, EINVAL, "there is no option %s; monitor run --help lists them", arg);
}

static int no_such_short(char c, struct err *e)
{
	char what[40];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(docker_letters); i++) {
		if (docker_letters[i].letter != c)
			continue;
		snprintf(what, sizeof what, "-%c (--%s)", c, docker_letters[i].name);
		return not_yet(what, e);
	}
	return err_set(e, EINVAL, "there is no option -%c; monitor run --help lists them", c);
}

/* -v is ours for more words, docker's for volumes: what comes next tells. */
static bool is_volume(const char *next)
{
	return strstr(next, ":/") != NULL;
}

/* --name, --name=value, --name value. *at is advanced over a separate value. */
static int parse_long(struct run_options *o, int argc, char **argv, int *at, struct err *e)
{
	const char *s = argv[*at] + 2, *eq = strchr(s, '=');
	const struct option_row *row = find_long(s, eq ? (size_t)(eq - s) : strlen(s));
	const char *value = eq ? eq + 1 : NULL;

	if (!row)
		return no_such_long(argv[*at], e);
	if (row->arg == ARG_NONE && value && strcmp(value, "true"))
		return err_set(e, EINVAL, "option --%s takes no value", row->longname);
	if (row->arg == ARG_REQUIRED && !value) {
		if (*at + 1 >= argc)
			return err_set(e, EINVAL, "option --%s needs a value: %s", row->longname,
				       row->arg_name);
		value = argv[++*at];
	}
	return row->take(o, value, e);
}

/* -it, -e NAME, -eNAME */
static int parse_short(struct run_options *o, int argc, char **argv, int *at, struct err *e)
{
	const char *s;
	int ret = 0;

	for (s = argv[*at] + 1; *s && !ret; s++) {
		const struct option_row *row = find_short(*s);

		if (!row)
			return no_such_short(*s, e);
		if (*s == 'v' && is_volume(s[1] ? s + 1 : *at + 1 < argc ? argv[*at + 1] : ""))
			return not_yet("-v with a directory", e);
		if (row->arg == ARG_NONE) {
			ret = row->take(o, NULL, e);
			continue;
		}
		if (s[1])
			return row->take(o, s + 1 + (s[1] == '='), e);
		if (*at + 1 >= argc)
			return err_set(e, EINVAL, "option -%c needs a value: %s", *s,
				       row->arg_name);
		return row->take(o, argv[++*at], e);
	}
	return ret;
}

int options_parse(struct run_options *o, int argc, char **argv, struct err *e)
{
	int i, ret = 0;

	*o = (struct run_options){ .log_level = LOG_WARN };
	for (i = 1; i < argc && !ret && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		ret = argv[i][1] == '-' ? parse_long(o, argc, argv, &i, e)
					: parse_short(o, argc, argv, &i, e);
	}
	if (ret || o->want_help)
		return ret;
	if (i >= argc)
		return err_set(e, EINVAL,
			       "no image given; write: monitor run [OPTIONS] IMAGE [COMMAND]");
	o->image = argv[i];
	o->cmd = argv + i + 1;
	return 0;
}

void options_fini(struct run_options *o)
{
	string_list_fini(&o->env);
	string_list_fini(&o->tmpfs);
	string_list_fini(&o->ulimits);
}
