// SPDX-License-Identifier: Apache-2.0
/*
 * container - what the container sees when its first instruction runs
 *
 * Role      Called once by main.c: registers file systems, mounts them as container runtimes do, opens the standard
 *           streams, starts process 1, and reports how it ended.
 * Rules     A failure before the program runs ends the VM with the errno; the monitor words it.
 * See       OCI runtime spec, config-linux.md (default file systems and devices)
 */
#include "guestkernel/container.h"

#include "arch/mmu.h"
#include "fs/devfs.h"
#include "fs/erofs.h"
#include "fs/hoststream.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "fs/overlayfs.h"
#include "fs/procfs.h"
#include "fs/sysfs.h"
#include "fs/tmpfs.h"
#include "guestkernel/host/boot.h"
#include "guestkernel/host/hyp.h"
#include "guestkernel/host/stream.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/disturb.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/proc.h"
#include "guestkernel/kapi/proc.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/leak.h"
#include "guestkernel/ipc/ipc_proc.h"
#include "guestkernel/mm/mm_proc.h"
#include "guestkernel/syscall.h"
#include "guestkernel/task/clone.h"
#include "guestkernel/task/rlimit.h"
#include "guestkernel/task/sched.h"
#include "guestkernel/task/task_proc.h"
#include "guestkernel/task/signal.h"
#include "guestkernel/task/task_proc.h"
#include "guestkernel/uapi/capability.h"
#include "guestkernel/uapi/fcntl.h"
#include "guestkernel/uapi/mount.h"
#include "net/socket.h"

/* What container runtimes leave to root by default. */
#define CAPS_DEFAULT                                                                              \
	(1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FSETID | 1ull << CAP_FOWNER | \
	 1ull << CAP_MKNOD | 1ull << CAP_NET_RAW | 1ull << CAP_SETGID | 1ull << CAP_SETUID |      \
	 1ull << CAP_SETFCAP | 1ull << CAP_SETPCAP | 1ull << CAP_NET_BIND_SERVICE |               \
	 1ull << CAP_SYS_CHROOT | 1ull << CAP_KILL | 1ull << CAP_AUDIT_WRITE)
#define CAPS_ALL ((1ull << (CAP_LAST_CAP + 1)) - 1)

static struct page_stats pages_at_boot;

static noreturn_fn void end(s32 status, int exec_errno)
{
	struct hyp_exit e = { .status = status, .exec_errno = exec_errno };
	struct page_stats now;

	page_stats(&now);
	e.tasks = task_count();
	e.pages_at_boot = pages_at_boot.total - pages_at_boot.free;
	e.pages = now.total - now.free;
	e.slab_bytes = now.slab * PAGE_SIZE;
	e.slab_at_boot = pages_at_boot.slab * PAGE_SIZE;
	e.switches = sched_switches();
	hyp_exit(&e);
}

static void finish(s32 status)
{
	end(status, 0);
}

void init_exited(s32 status)
{
	if (!leak_end(status))
		end(status, 0);
}

static void start_failed(int err, const char *what)
{
	log_info("%s failed: error %d", what, -err);
	end(0, err < 0 ? -err : EIO);
}

static void must(int err, const char *what)
{
	if (!err)
		return;
	log_err("%s failed: error %d", what, -err);
	end(0, -err);
}

static void register_filesystems(void)
{
	static const struct fs_type *const types[] = {
		&tmpfs_fs_type, &erofs_fs_type, &ovl_fs_type, &procfs_type,
		&sysfs_type,	&devfs_type,	&devpts_type,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		fs_type_add(types[i]);
}

/* Everything that shows under /proc besides what procfs knows itself. */
static void collect_proc(void)
{
	static const struct proc_row missing_row = { "monitor/missing_syscalls", 0444,
						     syscall_show_missing, NULL };
	static const struct proc_table missing_calls = { &missing_row, 1, NULL };
	static const struct proc_table *const root[] = { &mm_proc_root,	 &task_proc_root,
							 &task_sysctl,	 &mm_sysctl,
							 &mm_zones,	 &ipc_proc, &net_sysctl,
							 &missing_calls, DISTURB_PROC_ROOT NULL };
	static const struct proc_table *const process[] = { &mm_proc_process,
							    &mm_maps,
							    &task_proc_process,
							    &task_proc_more,
							    &procfs_net_table,
							    &task_proc_process_only,
							    DISTURB_PROC_PROCESS NULL };
	static const struct proc_table *const thread[] = { &mm_proc_process,
							   &mm_maps,
							   &task_proc_process,
							   &task_proc_more,
							   &procfs_net_table,
							   &task_proc_thread_only,
							   NULL };
	static const struct proc_table *const node[] = { &mm_node, NULL };
	static const struct procfs_setup setup = {
		.root = root, .process = process, .thread = thread, .tasks = &task_proc_ops
	};

	procfs_setup(&setup);
	sysfs_setup(node);
}

/* The image below, memory above. With --read-only the same, closed once everything is in its place, so that mount
 * points and /etc files that the image lacks can be made. */
static void mount_root(void)
{
	const struct ovl_layers layers = {
		.lower[0] = {
			.base = arch_phys_to_virt(PADDR(boot.image_gpa)),
			.len = boot.image_len,
			.gpa = boot.image_gpa,
		},
		.nr_lower = 1,
	};
	const struct mount_args args = { .source = "overlay", .kdata = &layers };

	must(vfs_mount_root(&ovl_fs_type, &args), "mounting the root");
}

static int close_root(void)
{
	struct path root;
	int ret = path_lookup(AT_FDCWD, "/", 0, &root);

	if (ret)
		return ret;
	ret = vfs_remount(&root, MS_RDONLY | MS_BIND, NULL);
	path_put(&root);
	return ret;
}

static const struct {
	const char *fs, *target, *data;
	u32 flags;
} mounts[] = {
	{"proc",	  "/proc",	   NULL,			 MS_NOSUID | MS_NODEV | MS_NOEXEC		  },
	{ "devtmpfs", "/dev",     "mode=755",		  MS_NOSUID				    },
	{ "devpts",   "/dev/pts", NULL,		      MS_NOSUID | MS_NOEXEC			    },
	{ "tmpfs",	   "/dev/shm", "mode=1777,size=65536k", MS_NOSUID | MS_NODEV | MS_NOEXEC		 },
	{ "sysfs",	   "/sys",	   NULL,			 MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY},
};

/* Mount flags among tmpfs options, with docker's defaults. */
static const struct {
	const char *word;
	u32 set, clear;
} tmpfs_words[] = {
	{"ro",	MS_RDONLY,  0	     },
	    { "rw",	    0,	       MS_RDONLY},
	      { "exec",	0,	   MS_NOEXEC},
	{ "noexec",  MS_NOEXEC,  0	 },
	    { "suid",    0,		 MS_NOSUID},
	      { "nosuid",  MS_NOSUID,  0	       },
	{ "dev",	 0,	    MS_NODEV },
	    { "nodev",   MS_NODEV,	 0	   },
	      { "noatime", MS_NOATIME, 0	 },
};

static bool take_tmpfs_flag(const char *word, size_t n, u32 *flags)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tmpfs_words); i++) {
		if (strlen(tmpfs_words[i].word) != n || strncmp(word, tmpfs_words[i].word, n))
			continue;
		*flags = (*flags | tmpfs_words[i].set) & ~tmpfs_words[i].clear;
		return true;
	}
	return false;
}

/* Splits "exec,size=64m" into flags and what tmpfs itself reads. -EINVAL: longer than data. */
static int parse_tmpfs_options(const char *opts, u32 *flags, char *data, size_t size)
{
	size_t used = 0;

	while (*opts) {
		const char *end = strchr(opts, ',');
		size_t n = end ? (size_t)(end - opts) : strlen(opts);

		if (!take_tmpfs_flag(opts, n, flags)) {
			if (used + n + 2 > size)
				return -EINVAL;
			if (used)
				data[used++] = ',';
			memcpy(data + used, opts, n);
			used += n;
		}
		opts += n + (end != NULL);
	}
	data[used] = 0;
	return 0;
}

/* "path[:options]" as in docker run --tmpfs. */
static int mount_tmpfs(const char *spec)
{
	const char *colon = strchr(spec, ':');
	u32 flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	char path[256], data[128] = "mode=1777";
	int ret = 0;

	strlcpy(path, spec, sizeof path);
	if (colon && (size_t)(colon - spec) < sizeof path)
		path[colon - spec] = 0;
	if (colon)
		ret = parse_tmpfs_options(colon + 1, &flags, data, sizeof data);
	return ret ? ret : vfs_kern_mount("tmpfs", path, flags, data, NULL);
}

/* The host's own name must resolve: programs look it up at their start. An image that has a file of another kind in
 * place of resolv.conf keeps it. */
static int write_etc(void)
{
	static const char resolv[] = "# there is no network in this sandbox\n";
	char name[80], hosts[256];
	int n = snprintf(name, sizeof name, "%s\n", boot.hostname);
	int m = snprintf(hosts, sizeof hosts,
			 "127.0.0.1\tlocalhost\n"
			 "::1\tlocalhost ip6-localhost ip6-loopback\n"
			 "127.0.1.1\t%s\n",
			 boot.hostname);

	if (vfs_mkdir_p("/etc", 0755) || vfs_write_file("/etc/hostname", name, (size_t)n, 0644))
		return -EIO;
	if (vfs_write_file("/etc/resolv.conf", resolv, sizeof resolv - 1, 0644))
		log_info("/etc/resolv.conf stays the image's");
	return vfs_write_file("/etc/hosts", hosts, (size_t)m, 0644);
}

/* As container runtimes do, root's and before the root is closed. What stands in the way, the first program's start
 * says. */
static void make_workdir(void)
{
	if (boot.cwd && vfs_mkdir_p(boot.cwd, 0755))
		log_info("%s cannot be made", boot.cwd);
}

static int mount_all(void)
{
	const char *spec = NULL;
	u32 i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		ret = vfs_kern_mount(mounts[i].fs, mounts[i].target, mounts[i].flags,
				     mounts[i].data, NULL);
		if (ret)
			return ret;
	}
	while ((spec = boot_strings_next(&boot.tmpfs, spec)) != NULL) {
		ret = mount_tmpfs(spec);
		if (ret)
			return ret;
	}
	make_workdir();
	ret = write_etc();
	return ret || !boot.is_read_only ? ret : close_root();
}

static int install_fd(struct file *f, s32 want)
{
	int fd = fd_install(f, false);

	if (fd < 0)
		file_put(f);
	return fd == want ? 0 : -EIO;
}

static int open_streams(void)
{
	const struct winsize ws = { .ws_row = (u16)boot.rows, .ws_col = (u16)boot.cols };
	struct file *f;
	s32 fd;
	int ret;

	if (boot.has_tty) {
		ret = console_start(stream_get(HYP_STDIN), stream_get(HYP_STDOUT), &ws);
		if (ret)
			return ret;
	}
	for (fd = 0; fd < 3; fd++) {
		if (boot.has_tty)
			ret = console_open(O_RDWR, &f);
		else
			ret = hoststream_file_create(stream_get((enum hyp_stream)fd), fd != 0, &f);
		if (!ret)
			ret = install_fd(f, fd);
		if (ret)
			return ret;
	}
	return 0;
}

static int prepare(void *arg)
{
	int ret = mount_all();

	(void)arg;
	if (!ret)
		ret = open_streams();
	stdio_set_owner((u32)boot.uid, (u32)boot.gid);
	leak_start(finish);
	return ret;
}

static const char **string_array(const struct boot_strings *list)
{
	const char **a = kcalloc(boot_strings_count(list) + 1, sizeof *a), *s = NULL;
	u32 n = 0;

	while (a && (s = boot_strings_next(list, s)) != NULL)
		a[n++] = s;
	return a;
}

static u32 *group_array(void)
{
	u32 *g = kcalloc(boot.nr_groups + 1, sizeof *g), i;

	for (i = 0; g && i < boot.nr_groups; i++) {
		const u8 *b = boot.groups + 4 * i;

		g[i] = (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
	}
	return g;
}

/* --ulimit; what it does not name keeps its default. */
static void take_rlimits(struct rlimit lim[RLIM_NLIMITS])
{
	const char *s = NULL;

	rlimit_defaults(lim);
	while ((s = boot_strings_next(&boot.rlimits, s)) != NULL) {
		if (rlimit_parse(s, lim) == 0)
			continue;
		log_err("--ulimit %s: not understood", s);
		must(-EINVAL, "setting resource limits");
	}
}

static void on_winsize(u16 rows, u16 cols)
{
	if (boot.has_tty)
		console_resize(rows, cols);
}

/* A key of the user's terminal means the foreground group: the console's, without one that of process 1. */
static void on_signals(u64 mask, bool from_tty)
{
	s32 pgrp = from_tty && boot.has_tty ? console_pgrp() : 0;
	s32 sig;

	for (sig = 1; sig <= 64; sig++)
		if (mask >> (sig - 1) & 1)
			signal_from_user(sig, from_tty, pgrp);
}

void container_start(void)
{
	struct init_spec spec = {
		.cwd = boot.cwd,
		.hostname = boot.hostname,
		.uid = (u32)boot.uid,
		.gid = (u32)boot.gid,
		.nr_groups = boot.nr_groups,
		.cap_bounding = boot.is_privileged ? CAPS_ALL : CAPS_DEFAULT,
		.prepare = prepare,
		.failed = start_failed,
	};
	struct rlimit lim[RLIM_NLIMITS];

	take_rlimits(lim);
	spec.rlim = lim;
	task_limits_init((boot.ram_base + boot.ram_size - boot.reserved_end) >> PAGE_SHIFT,
			 boot.pids_limit);
	spec.argv = string_array(&boot.args);
	spec.env = string_array(&boot.env);
	spec.groups = group_array();
	if (!spec.argv || !spec.env || !spec.groups)
		must(-ENOMEM, "reading the boot block");
	spec.path = spec.argv[0];
	spec.cap_permitted = spec.uid == 0 ? spec.cap_bounding : 0;
	spec.cap_effective = spec.cap_permitted;
	must(vfs_init(), "setting up file systems");
	register_filesystems();
	collect_proc();
	mount_root();
	page_stats(&pages_at_boot);
	hyp_on_signals = on_signals;
	hyp_on_winsize = on_winsize;
	must(task_create_init(&spec), "creating process 1");
	kfree((void *)(u64)spec.argv);
	kfree((void *)(u64)spec.env);
	kfree((void *)(u64)spec.groups);
}
