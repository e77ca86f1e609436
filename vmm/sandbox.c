// SPDX-License-Identifier: Apache-2.0
/*
 * sandbox - namespaces, capabilities, system call filters
 *
 * Role      See sandbox.h.
 * See       seccomp(2), pivot_root(2), capabilities(7)
 */
#include "vmm/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <termios.h>

#include "arch/vcpu.h"
#include "vmm/log.h"
#include "vmm/terminal.h"

#define FILTER_MAX 256

static const struct {
	enum sandbox_thread thread;
	int nr;
	bool has_arg;
	uint32_t arg1;
} allowed[] = {
#include "seccomp_gen.h"
};

static int empty_root(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS))
		return -errno;
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

int sandbox_enter(struct err *e)
{
	const struct rlimit no_core = { 0, 0 };
	int ret = empty_root();

	if (ret)
		log_info("keeping the host's mount namespace: %s", strerror(-ret));
	ret = drop_capabilities();
	if (ret)
		return err_set_errno(e, -ret, "dropping capabilities");
	if (setrlimit(RLIMIT_CORE, &no_core) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return err_set_errno(e, errno, "turning core dumps off");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_set_errno(e, errno, "giving up new privileges");
	return 0;
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

static uint32_t build(struct sock_filter *f, enum sandbox_thread kind)
{
	uint32_t n = 0;
	size_t i;

	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, arch));
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH_AUDIT, 1, 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	for (i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (allowed[i].thread != SANDBOX_ALL && allowed[i].thread != kind)
			continue;
		f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						      offsetof(struct seccomp_data, nr));
		f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						      (uint32_t)allowed[i].nr, 0,
						      allowed[i].has_arg ? 3 : 1);
		if (allowed[i].has_arg) {
			f[n++] = (struct sock_filter)BPF_STMT(
				BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]));
			f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							      allowed[i].arg1, 0, 1);
		}
		f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
	return n;
}

void sandbox_filter(enum sandbox_thread kind)
{
	struct sigaction sa = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
	struct sock_filter filter[FILTER_MAX];
	struct sock_fprog prog = { .filter = filter };

	_Static_assert(ARRAY_SIZE(allowed) * 5 + 4 < FILTER_MAX, "the filter fits");
	prog.len = (unsigned short)build(filter, kind);
	sigaction(SIGSYS, &sa, NULL);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog)) {
		log_err("installing the system call filter: %s", strerror(errno));
		_exit(125);
	}
}
