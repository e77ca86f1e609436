// SPDX-License-Identifier: Apache-2.0
/*
 * sandbox - namespaces, capabilities, system call filters
 *
 * Role      See sandbox.h.
 * See       seccomp(2), pivot_root(2), capabilities(7)
 */
#include "vmm/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "vmm/log.h"
#include "vmm/terminal.h"

static int empty_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,mode=000") ||
	    chdir("/tmp") || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ||
	    chdir("/"))
		return -errno;
	return 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	int cap;

	for (cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno == EPERM)
			break;
	return syscall(SYS_capset, &head, none) ? -errno : 0;
}

static int drop_privileges(void)
{
	const struct rlimit no_core = { 0, 0 };
	int ret = drop_capabilities();

	if (ret)
		return ret;
	if (setrlimit(RLIMIT_CORE, &no_core) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

int sandbox_enter(struct err *e)
{
	int ret = unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) ? -errno : empty_root();

	if (ret)
		log_info("keeping the host's mount namespace: %s", strerror(-ret));
	ret = drop_privileges();
	return ret ? err_set_errno(e, -ret, "giving up privileges") : 0;
}

int sandbox_jail(bool has_namespaces)
{
	int ret = has_namespaces ? empty_root() : 0;

	if (!ret)
		ret = drop_privileges();
	errno = -ret;
	return ret ? -1 : 0;
}

static void on_refused(int signo, siginfo_t *info, void *context)
{
	static const char text[] =
		"monitor: internal error: a host system call outside vmm/seccomp.tbl was refused: number ";
	char line[sizeof text + 8];
	size_t n = sizeof text - 1;
	int nr = info->si_syscall, div;

	(void)signo;
	(void)context;
	memcpy(line, text, n);
	for (div = 100; div; div /= 10)
		line[n++] = (char)('0' + nr / div % 10);
	line[n++] = '\n';
	terminal_restore();
	if (write(STDERR_FILENO, line, n) < 0)
		_exit(125);
	_exit(125);
}

void sandbox_filter(enum sandbox_thread kind)
{
	struct sigaction sa = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
	struct sock_filter filter[SANDBOX_FILTER_MAX];
	struct sock_fprog prog = { .filter = filter };

	prog.len = (unsigned short)sandbox_filter_build(kind, filter);
	sigaction(SIGSYS, &sa, NULL);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog)) {
		log_err("installing the system call filter: %s", strerror(errno));
		_exit(125);
	}
}
