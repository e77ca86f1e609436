/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_rights.c - what a program gains by execve, when it does not, and who may look into it afterwards
 *
 * See       execve(2), credentials(7), capabilities(7), proc(5), ptrace(2)
 */
#include "tests/lib/t.h"

#include <linux/capability.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#define USER 1000

enum { SECURE = 1, EUID_0 = 2, EGID_0 = 4, DUMPABLE = 8, NET_RAW = 16, PDEATH = 32, FIXED = 64 };

static char known[32] = "the old program's memory";

static int has_cap(int cap)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	MUST(syscall(SYS_capget, &head, data));
	return !!(data[cap / 32].effective & (1u << (cap % 32)));
}

/* state: answers what it became. wait IN OUT: says that it runs, and waits. reap OUT: the same, for a child. */
static int helper(int argc, char **argv)
{
	int sig = 0;
	char c = 'r';

	if (argc > 1 && !strcmp(argv[1], "wait")) {
		strcpy(known, "a secret");
		MUST(write(atoi(argv[3]), &c, 1));
		MUST(read(atoi(argv[2]), &c, 1));
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "reap")) {
		MUST(write(atoi(argv[2]), &c, 1));
		return waitpid(-1, NULL, __WALL) > 0 ? 0 : 1;
	}
	MUST(prctl(PR_GET_PDEATHSIG, &sig));
	return (getauxval(AT_SECURE) ? SECURE : 0) | (geteuid() == 0 ? EUID_0 : 0) |
	       (getegid() == 0 ? EGID_0 : 0) | (prctl(PR_GET_DUMPABLE) == 1 ? DUMPABLE : 0) |
	       (has_cap(CAP_NET_RAW) ? NET_RAW : 0) | (sig ? PDEATH : 0) |
	       (personality(0xffffffff) & ADDR_NO_RANDOMIZE ? FIXED : 0);
}

/* A copy of this binary that everybody can reach. */
static void make_program(const char *name, mode_t mode)
{
	char buf[65536];
	int from = MUST(open(t_self(), O_RDONLY)),
	    to = MUST(open(name, O_WRONLY | O_CREAT | O_EXCL, 0700));
	ssize_t n;

	t_need_cap(CAP_SETUID);
	while ((n = MUST(read(from, buf, sizeof buf))) > 0)
		CHECK_EQ(write(to, buf, (size_t)n), n);
	MUST(close(from));
	MUST(fchmod(to, mode));
	MUST(close(to));
	MUST(chmod(".", 0755));
}

static void set_caps(const char *name, uint32_t flags, uint32_t permitted)
{
	uint32_t v[5] = { 0x02000000u | flags, permitted };

	t_need_cap(CAP_SETFCAP);
	MUST(setxattr(name, "security.capability", v, sizeof v, 0));
}

static void start_state(const char *name)
{
	char *args[] = { "syscalls_all", "--helper", "exec_rights", "state", NULL };

	execv(name, args);
	_exit(120);
}

static int state_of(pid_t pid)
{
	int status = 0;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int state_as_user(const char *name)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		if (getuid() == 0)
			t_become_user(USER);
		start_state(name);
	}
	return state_of(pid);
}

static void set_id_programs_take_their_owner(void)
{
	make_program("suid", 04755);
	make_program("sgid", 02755);
	make_program("lock", 02745); /* no execute bit for the group: not a set-group-ID program */
	make_program("plain", 0755);
	CHECK_EQ(state_as_user("plain"), DUMPABLE);
	CHECK_EQ(state_as_user("suid"), SECURE | EUID_0 | NET_RAW);
	CHECK_EQ(state_as_user("sgid"), SECURE | EGID_0);
	CHECK_EQ(state_as_user("lock"), DUMPABLE);
}

/* A set-id program that runs as a child of this process, both started by USER. */
struct guarded {
	pid_t pid;
	int go, ready[2], stop[2];
};

static void guard_start(struct guarded *g, const char *name)
{
	char in[12], out[12];
	char *args[] = { "syscalls_all", "--helper", "exec_rights", "wait", in, out, NULL };
	int go[2];
	char c;

	MUST(pipe(go));
	MUST(pipe(g->ready));
	MUST(pipe(g->stop));
	g->pid = t_fork();
	if (g->pid == 0) {
		MUST(read(go[0], &c, 1));
		snprintf(in, sizeof in, "%d", g->stop[0]);
		snprintf(out, sizeof out, "%d", g->ready[1]);
		execv(name, args);
		_exit(121);
	}
	g->go = go[1];
}

static void guard_exec(struct guarded *g)
{
	char c;

	MUST(write(g->go, "x", 1));
	MUST(read(g->ready[0], &c, 1));
}

static void guard_end(struct guarded *g)
{
	MUST(write(g->stop[1], "x", 1));
	t_wait_exit(g->pid, 0);
}

static int open_of(const struct guarded *g, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", g->pid, name);
	return open(path, flags);
}

static void descriptors_opened_before_exec_lead_to_nothing_after_it(void)
{
	static const char *const texts[] = { "maps", "environ", "smaps_rollup", "smaps" };
	struct guarded g;
	char buf[64] = "";
	int fd[4], mem;

	make_program("suid", 04755);
	t_become_user(USER);
	MUST(prctl(PR_SET_DUMPABLE, 1));
	guard_start(&g, "./suid");
	mem = MUST(open_of(&g, "mem", O_RDWR));
	CHECK_EQ(pread(mem, buf, sizeof known, (off_t)known), sizeof known);
	CHECK(!strcmp(buf, known));
	for (int i = 0; i < 4; i++)
		fd[i] = MUST(open_of(&g, texts[i], O_RDONLY));
	guard_exec(&g);
	CHECK_EQ(pread(mem, buf, sizeof known, (off_t)known), 0);
	CHECK_EQ(pwrite(mem, "overwritten", 11, (off_t)known), 0);
	for (int i = 0; i < 4; i++)
		CHECK(read(fd[i], buf, sizeof buf) <= 0);
	guard_end(&g);
}

static void check_closed(const struct guarded *g, int pidfd, int fds, int dir)
{
	static const char *const files[] = { "mem",   "environ",      "auxv", "maps",
					     "smaps", "smaps_rollup", "io",   "personality" };
	static const char *const links[] = { "cwd", "root", "exe", "ns/mnt", "ns/pid" };
	struct iovec local = { known, 8 }, remote = { known, 8 };
	char buf[256];
	void *head;
	size_t len;
	int f;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		f = open_of(g, files[i], O_RDONLY);
		if (f >= 0)
			f = (int)read(f, buf, 1);
		CHECK(f == -1 && (errno == EACCES || errno == EPERM));
	}
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		CHECK_ERRNO(readlinkat(dir, links[i], buf, sizeof buf), EACCES);
	CHECK_ERRNO(readlinkat(fds, "0", buf, sizeof buf), EACCES);
	CHECK_ERRNO(openat(fds, "0", O_RDONLY), EACCES);
	CHECK_ERRNO(open_of(g, "fd", O_RDONLY), EACCES);
	CHECK_ERRNO(open_of(g, "fdinfo/0", O_RDONLY), EACCES);
	CHECK_ERRNO(process_vm_readv(g->pid, &local, 1, &remote, 1, 0), EPERM);
	CHECK_ERRNO(process_vm_writev(g->pid, &local, 1, &remote, 1, 0), EPERM);
	CHECK_ERRNO(ptrace(PTRACE_ATTACH, g->pid, 0, 0), EPERM);
	CHECK_ERRNO(ptrace(PTRACE_SEIZE, g->pid, 0, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, pidfd, 0, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_kcmp, getpid(), g->pid, KCMP_VM, 0, 0), EPERM);
	CHECK_ERRNO(syscall(SYS_get_robust_list, g->pid, &head, &len), EPERM);
}

static void guard_and_check(const char *name)
{
	struct guarded g;
	int pidfd, fds, dir;

	guard_start(&g, name);
	pidfd = MUST((int)syscall(SYS_pidfd_open, g.pid, 0));
	fds = MUST(open_of(&g, "fd", O_RDONLY | O_DIRECTORY));
	dir = MUST(open_of(&g, "", O_RDONLY | O_DIRECTORY));
	guard_exec(&g);
	check_closed(&g, pidfd, fds, dir);
	guard_end(&g);
}

static void a_set_id_program_is_closed_to_its_user(void)
{
	make_program("suid", 04755);
	t_become_user(USER);
	MUST(prctl(PR_SET_DUMPABLE, 1));
	guard_and_check("./suid");
}

static void a_program_that_may_not_be_read_is_closed_to_its_user(void)
{
	make_program("execute-only", 0711);
	t_become_user(USER);
	MUST(prctl(PR_SET_DUMPABLE, 1));
	guard_and_check("./execute-only");
	CHECK_EQ(state_as_user("execute-only"), 0);
}

static int share_fs(void *arg)
{
	start_state(arg);
	return 1;
}

static void a_shared_root_directory_keeps_rights_away(void)
{
	static char stack[65536];
	pid_t pid;

	make_program("suid", 04755);
	make_program("caps", 0755);
	set_caps("caps", 1, 1u << CAP_NET_RAW);
	t_become_user(USER);
	pid = MUST(clone(share_fs, stack + sizeof stack, CLONE_FS | SIGCHLD, "suid"));
	CHECK_EQ(state_of(pid) & (EUID_0 | NET_RAW), 0);
	pid = MUST(clone(share_fs, stack + sizeof stack, CLONE_FS | SIGCHLD, "caps"));
	CHECK_EQ(state_of(pid) & NET_RAW, 0);
	CHECK_EQ(state_as_user("caps"), SECURE | NET_RAW);
}

static int state_traced(const char *name)
{
	pid_t pid = t_fork();
	int status;

	if (pid == 0) {
		MUST(ptrace(PTRACE_TRACEME, 0, 0, 0));
		start_state(name);
	}
	for (;;) {
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		CHECK(WIFSTOPPED(status));
		MUST(ptrace(PTRACE_CONT, pid, 0, 0));
	}
}

static void a_tracer_keeps_rights_away_and_the_program_is_told(void)
{
	make_program("suid", 04755);
	make_program("caps", 0755);
	set_caps("caps", 1, 1u << CAP_NET_RAW);
	t_become_user(USER);
	CHECK_EQ(state_traced("suid") & (EUID_0 | NET_RAW | SECURE), SECURE);
	CHECK_EQ(state_traced("caps") & (NET_RAW | SECURE), SECURE);
}

/* With the capability the tracer's child keeps what the file gives. */
static void a_privileged_tracer_does_not(void)
{
	pid_t pid;
	int status;

	make_program("suid", 04755);
	t_need_cap(CAP_SYS_PTRACE);
	pid = t_fork();
	if (pid == 0) {
		t_become_user(USER);
		raise(SIGSTOP);
		start_state("suid");
	}
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	MUST(ptrace(PTRACE_SEIZE, pid, 0, 0));
	MUST(kill(pid, SIGCONT));
	for (;;) {
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			break;
		CHECK(WIFSTOPPED(status));
		ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status));
	}
	CHECK_EQ(WEXITSTATUS(status) & (EUID_0 | SECURE), EUID_0 | SECURE);
}

static void no_new_privs_keeps_new_rights_away(void)
{
	make_program("suid", 04755);
	make_program("caps", 0755);
	set_caps("caps", 1, 1u << CAP_NET_RAW);
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_EQ(state_as_user("suid") & (EUID_0 | NET_RAW), 0);
	CHECK_EQ(state_as_user("caps") & NET_RAW, 0);
}

static void no_new_privs_leaves_capabilities_that_were_held(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{0, 1u << CAP_NET_RAW, 0}
	};
	pid_t pid;

	make_program("caps", 0755);
	set_caps("caps", 1, 1u << CAP_NET_RAW);
	pid = t_fork();
	if (pid == 0) {
		MUST(prctl(PR_SET_KEEPCAPS, 1));
		MUST(setresuid(USER, USER, USER));
		MUST(syscall(SYS_capset, &head, data));
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		start_state("caps");
	}
	CHECK_EQ(state_of(pid) & NET_RAW, NET_RAW);
}

static void a_set_user_id_root_program_with_capabilities_has_only_those(void)
{
	make_program("both", 04755);
	set_caps("both", 1, 1u << CAP_CHOWN);
	CHECK_EQ(state_as_user("both") & (EUID_0 | NET_RAW), EUID_0);
}

static void what_the_caller_chose_does_not_reach_a_set_id_program(void)
{
	pid_t pid;

	make_program("suid", 04755);
	make_program("plain", 0755);
	for (int i = 0; i < 2; i++) {
		pid = t_fork();
		if (pid == 0) {
			t_become_user(USER);
			MUST(prctl(PR_SET_PDEATHSIG, SIGUSR1));
			MUST(personality(ADDR_NO_RANDOMIZE));
			start_state(i ? "suid" : "plain");
		}
		CHECK_EQ(state_of(pid) & (PDEATH | FIXED), i ? 0 : PDEATH | FIXED);
	}
}

static void changing_ids_forgets_the_parent_death_signal(void)
{
	int sig;

	t_need_cap(CAP_SETUID);
	MUST(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	t_become_user(USER);
	MUST(prctl(PR_GET_PDEATHSIG, &sig));
	CHECK_EQ(sig, 0);
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
}

static void capabilities_nobody_understands_are_refused(void)
{
	uint32_t v[7] = { 0x02000001u, 1, 0, 0, 0, 0 };

	make_program("caps", 0755);
	t_need_cap(CAP_SETFCAP);
	CHECK_ERRNO(setxattr("caps", "security.capability", v, 12, 0), EINVAL);
	CHECK_ERRNO(setxattr("caps", "security.capability", v, 24, 0), EINVAL);
	CHECK_ERRNO(setxattr("caps", "security.capability", v, 28, 0), EINVAL);
	MUST(setxattr("caps", "security.capability", v, 20, 0));
	v[0] = 0x01000001u;
	CHECK_ERRNO(setxattr("caps", "security.capability", v, 12, 0), EINVAL);
	v[0] = 0x03000001u;
	CHECK_ERRNO(setxattr("caps", "security.capability", v, 20, 0), EINVAL);
	v[0] = 0x02000003u;
	CHECK_ERRNO(setxattr("caps", "security.capability", v, 20, 0), EINVAL);
	v[0] = 0x04000001u;
	CHECK_ERRNO(setxattr("caps", "security.capability", v, 20, 0), EINVAL);
}

static int wait_and_end(void *gate)
{
	char c;

	MUST(read(*(int *)gate, &c, 1));
	return 0;
}

/* A child that was to send SIGTERM at its end ends when its parent has become a set-id program. */
static void signals_at_the_end_of_children_do_not_reach_the_next_program(void)
{
	static char stack[65536];
	char out[12], c;
	char *args[] = { "syscalls_all", "--helper", "exec_rights", "reap", out, NULL };
	int ready[2], end[2];
	pid_t pid;

	make_program("plain", 0755);
	MUST(pipe(ready));
	MUST(pipe(end));
	pid = t_fork();
	if (pid == 0) {
		MUST(clone(wait_and_end, stack + sizeof stack, SIGTERM, &end[0]));
		snprintf(out, sizeof out, "%d", ready[1]);
		execv("./plain", args);
		_exit(121);
	}
	MUST(read(ready[0], &c, 1));
	MUST(write(end[1], "x", 1));
	t_wait_exit(pid, 0);
}

static void memory_of_the_dead_is_not_kept(void)
{
	struct guarded g;
	char c;
	int mem;

	make_program("plain", 0755);
	guard_start(&g, "./plain");
	mem = MUST(open_of(&g, "mem", O_RDONLY));
	guard_exec(&g);
	CHECK_EQ(pread(mem, &c, 1, (off_t)known), 0);
	MUST(close(mem));
	mem = MUST(open_of(&g, "mem", O_RDONLY));
	CHECK_EQ(pread(mem, &c, 1, (off_t)known), 1);
	guard_end(&g);
	CHECK_EQ(pread(mem, &c, 1, (off_t)known), 0);
}

TEST_PROGRAM_WITH_HELPER(exec_rights, helper, CASE(set_id_programs_take_their_owner),
			 CASE(descriptors_opened_before_exec_lead_to_nothing_after_it),
			 CASE(a_set_id_program_is_closed_to_its_user),
			 CASE(a_program_that_may_not_be_read_is_closed_to_its_user),
			 CASE(a_shared_root_directory_keeps_rights_away),
			 CASE(a_tracer_keeps_rights_away_and_the_program_is_told),
			 CASE(a_privileged_tracer_does_not),
			 CASE(no_new_privs_keeps_new_rights_away),
			 CASE(no_new_privs_leaves_capabilities_that_were_held),
			 CASE(a_set_user_id_root_program_with_capabilities_has_only_those),
			 CASE(what_the_caller_chose_does_not_reach_a_set_id_program),
			 CASE(changing_ids_forgets_the_parent_death_signal),
			 CASE(capabilities_nobody_understands_are_refused),
			 CASE(memory_of_the_dead_is_not_kept),
			 CASE(signals_at_the_end_of_children_do_not_reach_the_next_program));
