// SPDX-License-Identifier: Apache-2.0
/*
 * sandbox - namespaces, user, capabilities, Landlock, limits, system call filters
 *
 * Role      See sandbox.h.
 * Rules     sandbox_jail() runs in a child forked without the C library's knowledge: system calls only.
 *           A user namespace is made without a map: nothing in it has a name outside, so that nothing of it can become
 *           another user. As root it comes last, so that the mount namespace belongs to the host's root and even the
 *           capabilities one has inside a user namespace could not change it.
 * See       user_namespaces(7), pivot_root(2), capabilities(7), landlock(7), seccomp(2)
 */
#include "vmm/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "vmm/log.h"

#define UID_FIRST  0x70000000u /* above what distributions, containers and systemd hand out */
#define UID_MASK   0x00ffffffu
#define UID_NOBODY 65534u

struct sandbox_stage {
	const char *name;
	bool has_way_round;
};

static const struct {
	unsigned long flag;
	const char *name;
} namespaces[] = {
	{CLONE_NEWNET,	"network namespace"},
	       { CLONE_NEWIPC,    "IPC namespace"    },
	{ CLONE_NEWUTS,	"UTS namespace"	},
	       { CLONE_NEWCGROUP, "cgroup namespace" },
	{ CLONE_NEWNS,     "mount namespace"	 },
};

/* landlock(7). The host's header may be older than the host. */
struct landlock_attr {
	uint64_t fs, net, scoped;
};
#define LANDLOCK_VERSION_FLAG  1u
#define LANDLOCK_SCOPE_SOCKETS 1u
#define LANDLOCK_SCOPE_SIGNALS 2u

static int *refused_call; /* a signal handler has no other way to it */

/* Only namespaces have a way round. */
static int refuse(const char *stage, bool has_way_round, int code, struct err *e)
{
	return err_set(
		e, code, "locking in: %s: %s%s", stage, strerror(code),
		has_way_round
			? "; --insecure-no-namespaces does without, but what breaks out of the "
			  "guest then meets the host's processes, network and files"
			: "");
}

static int set_capabilities(uint64_t permitted)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };
	int i;

	for (i = 0; i < 2; i++)
		d[i].permitted = d[i].effective = (uint32_t)(permitted >> 32 * i);
	return syscall(SYS_capset, &head, d) ? -errno : 0;
}

static uint64_t get_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };

	if (syscall(SYS_capget, &head, d))
		return 0;
	return (uint64_t)d[1].permitted << 32 | d[0].permitted;
}

/* One nobody else has, so that neither a limit nor a signal is shared with another sandbox. */
static uid_t choose_uid(void)
{
	uint32_t r;

	if (getrandom(&r, sizeof r, 0) != sizeof r)
		return UID_NOBODY;
	return UID_FIRST + (r & UID_MASK);
}

/* Root of a user namespace may be anybody outside; then there is no other user to become, and no need to. */
static bool is_hosts_root(void)
{
	CLEANUP_FILE FILE *f = geteuid() ? NULL : fopen("/proc/self/uid_map", "re");
	unsigned inside, outside;

	if (geteuid())
		return false;
	return !f || fscanf(f, "%u %u", &inside, &outside) != 2 || inside != 0 || outside == 0;
}

int sandbox_prepare(struct sandbox *s, bool no_namespaces, struct err *e)
{
	s->has_namespaces = !no_namespaces;
	s->is_by_right = true;
	s->uid = is_hosts_root() ? choose_uid() : 0;
	if (no_namespaces) {
		log_warn(
			"--insecure-no-namespaces: the sandbox's processes stay in the host's namespaces");
		return 0;
	}
	if (!unshare(CLONE_NEWPID))
		return 0;
	if (errno != EPERM)
		return refuse("PID namespace", true, errno, e);
	s->is_by_right = false;
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID))
		return refuse("user namespace", true, errno, e);
	return 0;
}

int sandbox_begin(const struct sandbox *s, struct err *e)
{
	size_t i;

	for (i = 0; s->has_namespaces && i < ARRAY_SIZE(namespaces); i++)
		if (unshare((int)namespaces[i].flag))
			return refuse(namespaces[i].name, true, errno, e);
	return 0;
}

unsigned long sandbox_clone_flags(const struct sandbox *s)
{
	return s->has_namespaces ? CLONE_NEWPID | CLONE_NEWNS : 0;
}

static int mount_nothing(void)
{
	static const char *const places[] = { "/tmp", "/var", "/usr", "/proc", "/dev" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (!mount("none", places[i], "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
			   "size=4k,nr_inodes=1,mode=555"))
			return chdir(places[i]) ? -errno : 0;
	return -errno;
}

/* Back to the root of the mount namespace, for whoever was started in a chroot. */
static int leave_chroot(void)
{
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)syscall(SYS_getpid), 0), ret;

	if (fd < 0)
		return -errno;
	ret = setns(fd, CLONE_NEWNS) ? -errno : 0;
	close(fd);
	return ret;
}

/* A host that runs from its initial RAM file system cannot pivot: there the new root covers the old one. */
static int cover_root(void)
{
	if (mount(".", "/", NULL, MS_MOVE, NULL) || chroot("."))
		return -errno;
	return 0;
}

static int pivot(void)
{
	if (syscall(SYS_pivot_root, ".", "."))
		return -errno;
	return umount2(".", MNT_DETACH) ? -errno : 0;
}

static int empty_root(void)
{
	int ret = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? -errno : 0;

	if (ret == -EINVAL) /* a chroot that is no mount point */
		ret = leave_chroot();
	if (!ret && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		ret = -errno;
	if (!ret)
		ret = mount_nothing();
	if (!ret)
		ret = pivot();
	if (ret == -EINVAL)
		ret = cover_root();
	return ret || !chdir("/") ? ret : -errno;
}

/* With capabilities kept, for what is still to come. */
static int become(uid_t id)
{
	uint64_t caps = get_capabilities();

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || syscall(SYS_setgroups, 0, NULL) ||
	    syscall(SYS_setresgid, id, id, id) || syscall(SYS_setresuid, id, id, id))
		return -errno;
	return set_capabilities(caps);
}

/* Where root's IDs are those of a container, the high ones may not exist. */
static int own_user(const struct sandbox *s)
{
	int ret = become(s->uid);

	return ret == -EINVAL ? become(UID_NOBODY) : ret;
}

static int user_namespace(const struct sandbox *s)
{
	return s->has_namespaces && s->is_by_right && unshare(CLONE_NEWUSER) ? -errno : 0;
}

static int no_new_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

/* Nothing on any file system, no TCP port, no abstract socket; scoped to itself. */
static int landlock(bool has_children)
{
	static const uint8_t fs_bits[] = { 0, 13, 14, 15, 15, 16 }; /* by version */
	struct landlock_attr a = { 0 };
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);
	size_t size = sizeof a.fs;
	int fd, ret;

	if (version < 1)
		return 0; /* the host does not have it, or not switched on */
	a.fs = (1u << fs_bits[version < 5 ? version : 5]) - 1;
	if (version >= 4) {
		a.net = 3;
		size += sizeof a.net;
	}
	if (version >= 6) {
		a.scoped = LANDLOCK_SCOPE_SOCKETS | (has_children ? 0 : LANDLOCK_SCOPE_SIGNALS);
		size += sizeof a.scoped;
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_landlock_restrict_self, fd, 0) ? -errno : 0;
	close(fd);
	return ret;
}

static int no_capabilities(const struct sandbox *s)
{
	int cap;

	for (cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno == EPERM && s->has_namespaces)
			return -errno;
	return set_capabilities(0);
}

static int limits(void)
{
	static const int none_of[] = { RLIMIT_CORE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE };
	const struct rlimit none = { 0, 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(none_of); i++)
		if (setrlimit((__rlimit_resource_t)none_of[i], &none))
			return -errno;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? -errno : 0;
}

/* has_children: other processes it must be able to signal were forked before. */
static int lock_in(const struct sandbox *s, bool has_children, struct sandbox_stage *at)
{
	int ret;

	*at = (struct sandbox_stage){ "an empty root", true };
	ret = s->has_namespaces ? empty_root() : 0;
	if (!ret && s->uid) {
		*at = (struct sandbox_stage){ "a user of its own", false };
		ret = own_user(s);
	}
	if (!ret) {
		*at = (struct sandbox_stage){ "user namespace", true };
		ret = user_namespace(s);
	}
	if (!ret) {
		*at = (struct sandbox_stage){ "no new privileges", false };
		ret = no_new_privileges();
	}
	if (!ret) {
		at->name = "Landlock";
		ret = landlock(has_children);
	}
	if (!ret) {
		at->name = "no capabilities";
		ret = no_capabilities(s);
	}
	if (!ret) {
		at->name = "limits";
		ret = limits();
	}
	return ret;
}

int sandbox_enter(const struct sandbox *s, struct err *e)
{
	struct sandbox_stage at;
	int ret = lock_in(s, true, &at);

	return ret ? refuse(at.name, at.has_way_round && s->has_namespaces, -ret, e) : 0;
}

int sandbox_jail(const struct sandbox *s, const char **stage)
{
	struct sandbox_stage at;
	int ret = lock_in(s, false, &at);

	*stage = at.name;
	return ret;
}

int sandbox_stand_by(const struct sandbox *s, struct err *e)
{
	uint64_t keep = s->uid ? 1ull << CAP_KILL : 0;
	int ret = no_new_privileges();

	if (!ret)
		ret = set_capabilities(get_capabilities() & keep);
	return ret ? err_set_errno(e, -ret, "giving up privileges") : 0;
}

void sandbox_report_refusals(int *call)
{
	refused_call = call;
}

/* Not every thread may end the process, and the first process of a namespace cannot kill itself; a fault always can. */
static void on_refused(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	if (refused_call)
		*refused_call = info->si_syscall + 1;
	__builtin_trap();
}

void sandbox_filter(enum sandbox_machine m, enum sandbox_thread kind, const struct sandbox_own *own)
{
	struct sigaction sa = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
	struct sock_filter filter[SANDBOX_FILTER_MAX];
	struct sock_fprog prog = { .filter = filter };

	prog.len = (unsigned short)sandbox_filter_build(m, kind, own, filter);
	sigaction(SIGSYS, &sa, NULL);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog)) {
		log_err("locking in: system call filter: %s", strerror(errno));
		_exit(125);
	}
}
