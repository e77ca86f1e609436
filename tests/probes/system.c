/* SPDX-License-Identifier: Apache-2.0 */
/*
 * system.c - what concerns everybody: mounts, namespaces, clocks, names, devices, sysctls, sockets
 */
#include "tests/probes/probe.h"

#include <netinet/in.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

static const char *const sysctls[] = {
	"fs/file-max",
	"fs/nr_open",
	"fs/protected_fifos",
	"fs/protected_hardlinks",
	"fs/protected_regular",
	"fs/protected_symlinks",
	"fs/suid_dumpable",
	"fs/inotify/max_user_watches",
	"fs/pipe-max-size",
	"kernel/cap_last_cap",
	"kernel/core_pattern",
	"kernel/dmesg_restrict",
	"kernel/domainname",
	"kernel/hostname",
	"kernel/kptr_restrict",
	"kernel/ngroups_max",
	"kernel/osrelease",
	"kernel/overflowuid",
	"kernel/panic",
	"kernel/perf_event_paranoid",
	"kernel/pid_max",
	"kernel/printk",
	"kernel/randomize_va_space",
	"kernel/random/boot_id",
	"kernel/random/uuid",
	"kernel/sem",
	"kernel/shmmax",
	"kernel/sysrq",
	"kernel/threads-max",
	"kernel/unprivileged_bpf_disabled",
	"kernel/yama/ptrace_scope",
	"net/core/somaxconn",
	"net/core/rmem_max",
	"vm/mmap_min_addr",
	"vm/overcommit_memory",
	"vm/swappiness",
	"vm/drop_caches",
	"vm/max_map_count",
};

static void ask_sysctls(void)
{
	char path[96], buf[64], text[16];
	struct stat st;
	int fd;

	for (size_t i = 0; i < sizeof sysctls / sizeof *sysctls; i++) {
		snprintf(path, sizeof path, "/proc/sys/%s", sysctls[i]);
		snprintf(text, sizeof text, "%o", stat(path, &st) ? 0 : st.st_mode & 07777);
		answer(text, "sysctl/%s mode", sysctls[i]);
		fd = open(path, O_RDONLY);
		answer(result_text(fd < 0 ? -1 : read(fd, buf, sizeof buf)), "sysctl/%s read",
		       sysctls[i]);
		if (fd >= 0)
			close(fd);
		if (geteuid() != 0)
			ASK_APART(open(path, O_WRONLY), "sysctl/%s write", sysctls[i]);
	}
}

static void ask_mounts(void)
{
	static const struct {
		const char *name;
		int flag;
	} ns[] = {
		{"mnt",	 CLONE_NEWNS    },
		  { "uts",	   CLONE_NEWUTS	},
		   { "ipc",    CLONE_NEWIPC	 },
		{ "pid",	 CLONE_NEWPID   },
		  { "net",	   CLONE_NEWNET	},
		   { "cgroup", CLONE_NEWCGROUP},
		{ "files",  CLONE_FILES    },
		  { "fs",	  CLONE_FS	   },
	};

	mkdir("mnt", 0755);
	ASK_APART(mount("none", "mnt", "tmpfs", 0, NULL), "mount/tmpfs");
	ASK_APART(mount("dir0", "mnt", NULL, MS_BIND, NULL), "mount/bind");
	ASK_APART(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), "mount/private");
	ASK_APART(mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
		  "mount/remount");
	ASK_APART(mount("none", "mnt", "nosuch", 0, NULL), "mount/unknown");
	ASK_APART(umount("/proc"), "mount/umount");
	ASK_APART(umount2("/", MNT_DETACH), "mount/umount detach");
	ASK_APART(syscall(SYS_pivot_root, ".", "."), "mount/pivot_root");
	ASK_APART(chroot("."), "mount/chroot");
	for (size_t i = 0; i < sizeof ns / sizeof *ns; i++)
		ASK_APART(unshare(ns[i].flag), "unshare/%s", ns[i].name);
	ASK_APART(setns(open("/proc/self/ns/uts", O_RDONLY), 0), "setns/uts");
	ASK_APART(setns(open("/proc/self/ns/mnt", O_RDONLY), 0), "setns/mnt");
	ASK_APART(setns(open("/dev/null", O_RDONLY), 0), "setns/a file");
}

static void ask_limits(void)
{
	struct rlimit more = { RLIM_INFINITY, RLIM_INFINITY }, hard;
	struct sched_param fifo = { 1 };

	ASK_APART(nice(-1) == -1 && errno ? -1 : 0, "limits/nice -1");
	ASK_APART(setpriority(PRIO_USER, 0, -5), "limits/priority of a user");
	ASK_APART(sched_setscheduler(0, SCHED_FIFO, &fifo), "limits/real time");
	ASK_APART(sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){ 0 }), "limits/idle");
	getrlimit(RLIMIT_NOFILE, &hard);
	hard.rlim_max++;
	ASK_APART(setrlimit(RLIMIT_NOFILE, &hard), "limits/raise files");
	ASK_APART(setrlimit(RLIMIT_MEMLOCK, &more), "limits/raise locked memory");
	ASK_APART(syscall(SYS_ioprio_set, 1, 0, 1 << 13 | 4), "limits/real time io");
	ASK_APART(mlock(&more, sizeof more), "limits/lock a page");
}

static void ask_the_rest(void)
{
	struct timeval tv = { 1000000000, 0 };
	struct timespec ts = { 1000000000, 0 };
	struct timex tx = { .modes = ADJ_OFFSET };
	char buf[16];

	if (geteuid() != 0) {
		ASK_APART(settimeofday(&tv, NULL), "system/settimeofday");
		ASK_APART(clock_settime(CLOCK_REALTIME, &ts), "system/clock_settime");
		ASK_APART(adjtimex(&tx), "system/adjtimex");
		ASK_APART(raw(SYS_reboot, 0xfee1dead, 672274793, 0x89abcdef, 0, 0, 0),
			  "system/reboot");
	}
	ASK_APART(sethostname("name", 4), "system/sethostname");
	ASK_APART(raw(SYS_setdomainname, (long)"name", 4, 0, 0, 0, 0), "system/setdomainname");
	ASK_APART(raw(SYS_swapon, (long)"plain", 0, 0, 0, 0, 0), "system/swapon");
	ASK_APART(raw(SYS_acct, (long)"plain", 0, 0, 0, 0, 0), "system/acct");
	ASK_APART(raw(SYS_vhangup, 0, 0, 0, 0, 0, 0), "system/vhangup");
	ASK_APART(raw(SYS_init_module, 0, 0, 0, 0, 0, 0), "system/init_module");
	ASK_APART(raw(SYS_delete_module, (long)"none", 0, 0, 0, 0, 0), "system/delete_module");
	ASK_APART(raw(SYS_kexec_load, 0, 0, 0, 0, 0, 0), "system/kexec_load");
	ASK_APART(raw(SYS_quotactl, 0, 0, 0, 0, 0, 0), "system/quotactl");
	ASK_APART(raw(SYS_fanotify_init, 0, 0, 0, 0, 0, 0), "system/fanotify_init");
	ASK_APART(raw(SYS_open_by_handle_at, AT_FDCWD, 0, 0, 0, 0, 0), "system/open_by_handle_at");
	ASK_APART(klogctl(3, buf, sizeof buf), "system/syslog read all");
	ASK_APART(klogctl(10, NULL, 0), "system/syslog size");
	ASK_APART(klogctl(5, NULL, 0), "system/syslog clear");
	ASK_APART(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), "socket/raw");
	ASK_APART(socket(AF_PACKET, SOCK_RAW, 0), "socket/packet");
	ASK_APART(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
				  MAP_FAILED
			  ? -1
			  : 0,
		  "memory/map page zero");
	ASK_APART((long)mmap((void *)4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			     -1, 0),
		  "memory/map page one");
	ASK_APART((long)mmap((void *)65536, 4096, PROT_READ,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
		  "memory/map at 64 KiB");
}

void probe_system(void)
{
	ask_sysctls();
	ask_mounts();
	ask_limits();
	ask_the_rest();
}
