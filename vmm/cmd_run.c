// SPDX-License-Identifier: Apache-2.0
/*
 * cmd_run - "monitor run": image and options become a running sandbox
 *
 * Role      The flow: options, image, container description, virtual machine, exit status. What the container
 *           is to run is decided here, once, from the image's config and the options, as docker does it.
 * Rules     Exit status: see options_usage(). Nothing is left behind: the VM lives in memory only, the
 *           cached image belongs to the cache.
 */
#include "vmm/cmd_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "vmm/image/image.h"
#include "vmm/launch.h"
#include "vmm/machine.h"
#include "vmm/options.h"
#include "vmm/platform.h"
#include "vmm/terminal.h"
#include "vmm/vm.h"

#define EXIT_MONITOR	    125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127
#define CPUS_DEFAULT_MAX    4
#define MEMORY_DEFAULT	    (4ull << 30)
#define MEMORY_MIN	    (32ull << 20)
#define PIDS_DEFAULT	    4096u
#define MEMORY_UNIT	    (64ull << 10) /* the largest page a host may have */
#define DEFAULT_PATH	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Everything that must outlive the VM. */
struct run {
	struct run_options opt;
	struct image *image;
	struct image_user user;
	struct string_list argv, env;
	char hostname[65];
	struct vm_start start;
	struct vm_config cfg;
	struct launch_report report;
};

static bool env_has(const struct string_list *env, const char *name)
{
	size_t i, n = strlen(name);

	for (i = 0; i < env->n; i++)
		if (!strncmp(env->item[i], name, n) && env->item[i][n] == '=')
			return true;
	return false;
}

/* Later settings replace earlier ones, in place, as docker does. */
static int env_set(struct string_list *env, const char *line, struct err *e)
{
	size_t i, n = strcspn(line, "=");

	for (i = 0; i < env->n; i++) {
		if (strncmp(env->item[i], line, n + 1))
			continue;
		free(env->item[i]);
		env->item[i] = strdup(line);
		return env->item[i] ? 0 : err_set(e, ENOMEM, "out of memory");
	}
	return string_list_add(env, line, e);
}

static int env_default(struct string_list *env, const char *name, const char *value, struct err *e)
{
	char line[4200];

	if (env_has(env, name))
		return 0;
	snprintf(line, sizeof line, "%s=%s", name, value);
	return string_list_add(env, line, e);
}

static int build_env(struct run *r, struct err *e)
{
	char **image_env = r->image->config.env;
	int ret = 0;
	size_t i;

	if (!image_env || !*image_env)
		ret = string_list_add(&r->env, DEFAULT_PATH, e);
	for (i = 0; !ret && image_env && image_env[i]; i++)
		ret = env_set(&r->env, image_env[i], e);
	if (!ret)
		ret = env_default(&r->env, "PATH", &DEFAULT_PATH[5], e);
	if (!ret)
		ret = env_default(&r->env, "HOSTNAME", r->hostname, e);
	if (!ret && r->opt.has_tty)
		ret = env_default(&r->env, "TERM", "xterm", e);
	for (i = 0; !ret && i < r->opt.env.n; i++)
		ret = env_set(&r->env, r->opt.env.item[i], e);
	if (!ret)
		ret = env_default(&r->env, "HOME", r->user.home ? r->user.home : "/", e);
	return ret;
}

static int add_all(struct string_list *l, char *const *items, struct err *e)
{
	int ret = 0;

	for (; !ret && items && *items; items++)
		ret = string_list_add(l, *items, e);
	return ret;
}

/* --entrypoint replaces both Entrypoint and Cmd of the image; arguments replace Cmd. */
static int build_argv(struct run *r, struct err *e)
{
	const struct image_config *c = &r->image->config;
	int ret = 0;

	if (r->opt.has_entrypoint) {
		if (*r->opt.entrypoint)
			ret = string_list_add(&r->argv, r->opt.entrypoint, e);
	} else {
		ret = add_all(&r->argv, c->entrypoint, e);
	}
	if (!ret && *r->opt.cmd)
		ret = add_all(&r->argv, r->opt.cmd, e);
	else if (!ret && !r->opt.has_entrypoint)
		ret = add_all(&r->argv, c->cmd, e);
	if (!ret && !r->argv.n)
		ret = err_set(e, EINVAL, "%s names no command; write one: monitor run %s COMMAND",
			      r->opt.image, r->opt.image);
	return ret;
}

static int choose_hostname(struct run *r, struct err *e)
{
	uint8_t id[6];
	int i;

	if (r->opt.hostname) {
		snprintf(r->hostname, sizeof r->hostname, "%s", r->opt.hostname);
		return 0;
	}
	if (getrandom(id, sizeof id, 0) != sizeof id)
		return err_set_errno(e, errno, "reading random bytes");
	for (i = 0; i < 6; i++)
		snprintf(r->hostname + 2 * i, 3, "%02x", id[i]);
	return 0;
}

static int describe_container(struct run *r, struct err *e)
{
	const struct image_config *c = &r->image->config;
	struct vm_start *s = &r->start;
	int ret = image_resolve_user(r->image, r->opt.user ? r->opt.user : c->user, &r->user, e);

	if (!ret)
		ret = choose_hostname(r, e);
	if (!ret)
		ret = build_env(r, e);
	if (!ret)
		ret = build_argv(r, e);
	if (ret)
		return ret;
	s->argv = r->argv.item;
	s->envp = r->env.item;
	s->cwd = r->opt.workdir			     ? r->opt.workdir
		 : c->working_dir && *c->working_dir ? c->working_dir
						     : "/";
	s->hostname = r->hostname;
	s->uid = r->user.uid;
	s->gid = r->user.gid;
	s->groups = r->user.groups;
	s->nr_groups = (uint32_t)r->user.nr_groups;
	s->tty = r->opt.has_tty;
	s->read_only = r->opt.is_read_only;
	s->privileged = r->opt.is_privileged;
	s->tmpfs = r->opt.tmpfs.item;
	s->rlimits = r->opt.ulimits.item;
	s->strace = r->opt.strace;
	s->log_level = r->opt.kernel_log;
	terminal_size(&s->rows, &s->cols);
	return 0;
}

static uint32_t default_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > CPUS_DEFAULT_MAX ? CPUS_DEFAULT_MAX : (uint32_t)n;
}

/* Half of the host's: a guest that used it all would leave the host, and so the guest's own pages, nothing. */
static uint64_t default_memory(void)
{
	uint64_t half = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGE_SIZE) / 2;

	return half < MEMORY_DEFAULT ? half / (1 << 20) * (1 << 20) : MEMORY_DEFAULT;
}

static int load_kernel(struct run *r, struct err *e)
{
	CLEANUP_FD int fd = -1;
	struct stat st;
	void *p;

	if (!r->opt.kernel)
		return 0;
	fd = open(r->opt.kernel, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return err_set_errno(e, errno, "--debug-kernel %s", r->opt.kernel);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_set_errno(e, errno, "--debug-kernel %s", r->opt.kernel);
	r->cfg.kernel = p;
	r->cfg.kernel_len = (size_t)st.st_size;
	return 0;
}

static int configure_vm(struct run *r, struct err *e)
{
	r->cfg.start = &r->start;
	r->cfg.pm_flags = r->opt.pm_flags;
	r->start.pids_limit = r->opt.pids_limit ? r->opt.pids_limit : PIDS_DEFAULT;
	r->cfg.image_fd = r->image->fd;
	r->cfg.image_len = r->image->size;
	r->cfg.nr_cpus = r->opt.cpus ? r->opt.cpus : default_cpus();
	r->cfg.mem_bytes =
		r->opt.memory_bytes ? r->opt.memory_bytes & ~(MEMORY_UNIT - 1) : default_memory();
	if (r->cfg.mem_bytes < MEMORY_MIN)
		return err_set(e, EINVAL, "--memory: %lu bytes is too little; the least is 32m",
			       r->opt.memory_bytes ? r->opt.memory_bytes : r->cfg.mem_bytes);
	if (r->cfg.mem_bytes > HYP_RAM_MAX)
		return err_set(e, EINVAL, "--memory is too large; the most is %llu GiB",
			       HYP_RAM_MAX >> 30);
	return load_kernel(r, e);
}

static int dry_run(const struct run *r)
{
	size_t i;

	printf("image    %s (%s, %lu bytes%s)\n", r->opt.image, r->image->id, r->image->size,
	       r->image->was_cached ? ", cached" : "");
	printf("command ");
	for (i = 0; i < r->argv.n; i++)
		printf(" %s", r->argv.item[i]);
	printf("\nuser     %u:%u\nworkdir  %s\nhostname %s\n", r->start.uid, r->start.gid,
	       r->start.cwd, r->hostname);
	printf("platform %s\n", r->cfg.machine->name);
	printf("memory   %lu MiB\ncpus     %u\n", r->cfg.mem_bytes >> 20, r->cfg.nr_cpus);
	for (i = 0; i < r->env.n; i++)
		printf("env      %s\n", r->env.item[i]);
	return 0;
}

static int stop_signal(const char *name)
{
	int n;

	if (!name || !*name)
		return SIGTERM;
	n = atoi(name);
	if (n > 0 && n < 65)
		return n;
	if (!strncmp(name, "SIG", 3))
		name += 3;
	for (n = 1; n < 32; n++)
		if (sigabbrev_np(n) && !strcmp(sigabbrev_np(n), name))
			return n;
	n = strncmp(name, "RTMIN+", 6) ? 0 : 34 + atoi(name + 6);
	return n >= 34 && n < 65 ? n : SIGTERM;
}

/* The backtrace of a dead guest kernel, with names. */
static void report_frames(const struct run *r)
{
	const struct machine *m = r->cfg.machine;
	const struct kimage k = {
		.elf = r->cfg.kernel ? r->cfg.kernel : m->kernel,
		.elf_len = r->cfg.kernel ? r->cfg.kernel_len : (size_t)(m->kernel_end - m->kernel),
	};
	const struct vm_result *res = &r->report.result;
	char name[128];
	uint32_t i;

	for (i = 0; i < res->nr_frames; i++) {
		kimage_symbol(&k, res->frames[i], name, sizeof name);
		fprintf(stderr, "  #%-2u 0x%016lx %s\n", i, res->frames[i], name);
	}
}

static int report(const struct run *r)
{
	const struct vm_result *res = &r->report.result;
	int err = r->report.exec_errno;

	switch (res->kind) {
	case VM_EXITED:
		if (err) {
			fprintf(stderr, "monitor: %s: %s\n", r->argv.item[0],
				err == ENOENT
					? "not found in the image (PATH searched); check the command"
					: strerror(err));
			return err == ENOENT || err == ENOTDIR ? EXIT_NOT_FOUND
							       : EXIT_NOT_EXECUTABLE;
		}
		if (!WIFSIGNALED(res->status))
			return WEXITSTATUS(res->status);
		forward_die(WTERMSIG(res->status));
		return 128 + WTERMSIG(res->status);
	case VM_STOPPED:
		fprintf(stderr, "monitor: %s\n", res->reason);
		return 128 + SIGKILL;
	default:
		fprintf(stderr, "monitor: %s\n", res->reason);
		report_frames(r);
		return EXIT_MONITOR;
	}
}

static int run_vm(struct run *r, struct err *e)
{
	const struct launch_job job = {
		.config = &r->cfg,
		.forward = {
			.stop_signal = stop_signal(r->image->config.stop_signal),
			.has_stop_timeout = r->opt.has_stop_timeout,
			.stop_timeout_s = r->opt.stop_timeout_s,
			.has_tty = r->opt.has_tty,
		},
		.has_stdin = r->opt.is_interactive,
		.wants_raw_terminal = r->opt.has_tty && r->opt.is_interactive,
		.no_namespaces = r->opt.no_namespaces,
	};

	return launch(&job, &r->report, e);
}

static int prepare(struct run *r, struct err *e)
{
	const struct image_opts io = { .max_bytes = r->opt.image_bytes };
	int ret;

	if (r->opt.has_tty && r->opt.is_interactive && !isatty(STDIN_FILENO))
		return err_set(e, ENOTTY,
			       "the input device is not a terminal; leave out -t, or -i");
	ret = image_open(r->opt.image, &io, &r->image, e);
	if (!ret)
		ret = describe_container(r, e);
	if (!ret)
		ret = configure_vm(r, e);
	if (!ret)
		ret = platform_choose(r->opt.platform, &r->cfg.machine, e);
	return ret;
}

int cmd_run(int argc, char **argv)
{
	static struct run r;
	struct err e = { 0 };
	int ret = options_parse(&r.opt, argc, argv, &e);

	if (!ret && r.opt.want_help) {
		options_usage(stdout);
		return 0;
	}
	log_setup(r.opt.log_level, r.opt.kernel_log, r.opt.strace != NULL);
	if (!ret)
		ret = prepare(&r, &e);
	if (!ret && r.opt.is_dry_run)
		return dry_run(&r);
	if (!ret)
		ret = run_vm(&r, &e);
	if (ret) {
		terminal_restore();
		fprintf(stderr, "monitor: %s\n", e.msg);
		return EXIT_MONITOR;
	}
	return report(&r);
}
