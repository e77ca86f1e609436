/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processes.c - signals, tracing, memory, scheduling and limits of every kind of process
 */
#include "tests/probes/probe.h"

#include <linux/kcmp.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>

static void trace(const struct target *t, int request, const char *name)
{
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		ASK(ptrace(request, t->pid, 0, 0), "process/%s/%s", t->name, name);
		fflush(stdout);
		ptrace(PTRACE_DETACH, t->pid, 0, 0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	kill(t->pid, SIGCONT);
}

static void ask_signals(const struct target *t)
{
	static const int sigs[] = { 0, SIGCONT, SIGURG, SIGWINCH, SIGUSR1 };
	siginfo_t si = { .si_code = SI_USER };
	int fd;

	for (size_t k = 0; k < sizeof sigs / sizeof *sigs; k++) {
		if (sigs[k] == SIGUSR1 && strcmp(t->name, "root") && strcmp(t->name, "stranger"))
			continue;
		ASK(kill(t->pid, sigs[k]), "process/%s/kill %d", t->name, sigs[k]);
	}
	ASK(syscall(SYS_tgkill, t->pid, t->pid, SIGURG), "process/%s/tgkill", t->name);
	ASK(syscall(SYS_tkill, t->pid, SIGURG), "process/%s/tkill", t->name);
	si.si_signo = SIGURG;
	ASK(syscall(SYS_rt_sigqueueinfo, t->pid, SIGURG, &si), "process/%s/sigqueue as a user",
	    t->name);
	si.si_code = SI_QUEUE;
	ASK(syscall(SYS_rt_sigqueueinfo, t->pid, SIGURG, &si), "process/%s/sigqueue as a queue",
	    t->name);
	si.si_code = SI_TKILL;
	ASK(syscall(SYS_rt_sigqueueinfo, t->pid, SIGURG, &si), "process/%s/sigqueue as tkill",
	    t->name);
	fd = (int)syscall(SYS_pidfd_open, t->pid, 0);
	answer(result_text(fd), "process/%s/pidfd_open", t->name);
	if (fd < 0)
		return;
	ASK(syscall(SYS_pidfd_send_signal, fd, SIGURG, NULL, 0), "process/%s/pidfd_send_signal",
	    t->name);
	ASK(syscall(SYS_pidfd_getfd, fd, 0, 0), "process/%s/pidfd_getfd", t->name);
	ASK_APART(setns(fd, CLONE_NEWUTS), "process/%s/setns", t->name);
	close(fd);
}

static void ask_memory(const struct target *t)
{
	static char here[8];
	struct iovec local = { here, 8 }, remote = { here, 8 };
	void *head;
	size_t len;

	ASK(process_vm_readv(t->pid, &local, 1, &remote, 1, 0), "process/%s/process_vm_readv",
	    t->name);
	ASK(process_vm_writev(t->pid, &local, 1, &remote, 1, 0), "process/%s/process_vm_writev",
	    t->name);
	ASK(syscall(SYS_kcmp, getpid(), t->pid, KCMP_FILES, 0, 0), "process/%s/kcmp", t->name);
	ASK(syscall(SYS_get_robust_list, t->pid, &head, &len), "process/%s/get_robust_list",
	    t->name);
	if (strcmp(t->name, "self")) {
		trace(t, PTRACE_ATTACH, "ptrace attach");
		trace(t, PTRACE_SEIZE, "ptrace seize");
	}
}

static void ask_scheduling(const struct target *t)
{
	struct rlimit lim, low = { 100, 100 };
	struct sched_param prio = { 0 };
	cpu_set_t set;

	ASK(getpriority(PRIO_PROCESS, (id_t)t->pid) >= -20 ? 0 : -1, "process/%s/getpriority",
	    t->name);
	ASK(setpriority(PRIO_PROCESS, (id_t)t->pid, 1), "process/%s/setpriority up", t->name);
	ASK(setpriority(PRIO_PROCESS, (id_t)t->pid, 0), "process/%s/setpriority down", t->name);
	ASK(sched_getaffinity(t->pid, sizeof set, &set), "process/%s/sched_getaffinity", t->name);
	ASK(sched_setaffinity(t->pid, sizeof set, &set), "process/%s/sched_setaffinity", t->name);
	ASK(sched_setscheduler(t->pid, SCHED_BATCH, &prio), "process/%s/sched_setscheduler",
	    t->name);
	ASK(sched_setscheduler(t->pid, SCHED_OTHER, &prio), "process/%s/sched_setscheduler back",
	    t->name);
	ASK(syscall(SYS_ioprio_get, 1, t->pid), "process/%s/ioprio_get", t->name);
	ASK(syscall(SYS_ioprio_set, 1, t->pid, 2 << 13 | 4), "process/%s/ioprio_set", t->name);
	ASK(prlimit(t->pid, RLIMIT_CORE, NULL, &lim), "process/%s/prlimit get", t->name);
	ASK(prlimit(t->pid, RLIMIT_SIGPENDING, strcmp(t->name, "self") ? &low : NULL, NULL),
	    "process/%s/prlimit set", t->name);
	ASK(getpgid(t->pid), "process/%s/getpgid", t->name);
	ASK(getsid(t->pid), "process/%s/getsid", t->name);
	ASK_APART(setpgid(t->pid, 0), "process/%s/setpgid", t->name);
}

void probe_processes(void)
{
	for (int i = 0; i < nr_targets; i++) {
		ask_signals(&targets[i]);
		ask_memory(&targets[i]);
		ask_scheduling(&targets[i]);
	}
	ASK(kill(1, 0), "process/1/kill 0");
	ASK_APART(kill(-1, SIGURG), "process/everybody/kill");
}
