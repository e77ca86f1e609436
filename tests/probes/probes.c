/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probes.c - main(): who asks, who is asked about
 *
 * Role      Started as root in an empty directory. Makes the targets, then asks everything as an ordinary user, and what
 *           concerns the system as the container's root too.
 */
#include "tests/probes/probe.h"

#include <grp.h>
#include <stdarg.h>

static const char *asker = "";

void as(const char *who)
{
	asker = who;
}

void answer(const char *text, const char *fmt, ...)
{
	va_list ap;

	printf("%s/", asker);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\t%s\n", text);
}

const char *result_text(long result)
{
	const char *name;

	if (result >= 0)
		return "ok";
	name = strerrorname_np(errno);
	return name ? name : "an unknown error";
}

void become(uid_t id)
{
	if (setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id))
		_exit(99);
}

long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	return syscall(nr, a, b, c, d, e, f);
}

enum { SELF, OWN, UNDUMPABLE, SET_ID, EXECUTE_ONLY, ZOMBIE, STRANGER, ROOT, THREAD_OF_NONE };

struct target targets[] = {
	{"self",	  0	    },
	   { "own",	    0	      },
	  { "undumpable",	  0	    },
	{ "set-id",	    0	      },
	   { "execute-only", 0	       },
	  { "zombie",	      0	},
	{ "stranger",     0	},
	   { "root",	     0	       },
	  { "nobody",	      0x3ffffff},
};
const int nr_targets = sizeof targets / sizeof *targets;

/* A process that says it is there and stays. program: what it executes; NULL: nothing. */
static pid_t make_target(uid_t id, const char *program, int undumpable)
{
	char c, out[12];
	int ready[2];
	pid_t pid;

	if (pipe(ready))
		exit(98);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (id != getuid())
			become(id);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_DUMPABLE, !undumpable);
		snprintf(out, sizeof out, "%d", ready[1]);
		if (program)
			execl(program, "probes", "wait", out, NULL);
		if (program || write(ready[1], "x", 1) != 1)
			_exit(97);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		exit(96);
	close(ready[0]);
	return pid;
}

static void make_own_targets(void)
{
	targets[SELF].pid = getpid();
	targets[OWN].pid = make_target(USER, NULL, 0);
	targets[UNDUMPABLE].pid = make_target(USER, NULL, 1);
	targets[SET_ID].pid = make_target(USER, "./suid", 0);
	targets[EXECUTE_ONLY].pid = make_target(USER, "./unreadable", 0);
	targets[ZOMBIE].pid = fork();
	if (targets[ZOMBIE].pid == 0)
		_exit(0);
	siginfo_t si;
	waitid(P_PID, (id_t)targets[ZOMBIE].pid, &si, WEXITED | WNOWAIT);
}

static void copy_self(const char *name, mode_t mode)
{
	char cmd[65536];
	int in = open("/proc/self/exe", O_RDONLY), out = open(name, O_WRONLY | O_CREAT, 0700);
	ssize_t n;

	while ((n = read(in, cmd, sizeof cmd)) > 0)
		if (write(out, cmd, (size_t)n) != n)
			exit(95);
	fchmod(out, mode);
	close(in);
	close(out);
}

/* After an execve: who am I? */
static int tell(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	getresuid(&r, &e, &s);
	getresgid(&rg, &eg, &sg);
	printf("uid %u %u %u gid %u %u %u dumpable %d\n", r, e, s, rg, eg, sg,
	       prctl(PR_GET_DUMPABLE));
	return 0;
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc > 2 && !strcmp(argv[1], "wait")) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(atoi(argv[2]), "x", 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	if (argc > 1 && !strcmp(argv[1], "tell"))
		return tell();
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	umask(022);
	chmod(".", 01777);
	copy_self("plain", 0755);
	copy_self("suid", 04755);
	copy_self("sgid", 02755);
	copy_self("unreadable", 0711);
	copy_self("caps", 0755);
	signal(SIGUSR1, SIG_IGN);
	targets[ROOT].pid = make_target(0, NULL, 0);
	targets[STRANGER].pid = make_target(OTHER, NULL, 0);
	as("root");
	probe_system();
	probe_files();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		as("user");
		become(USER);
		prctl(PR_SET_DUMPABLE, 1);
		make_own_targets();
		probe_procfs();
		probe_processes();
		probe_ids();
		probe_exec();
		probe_files();
		probe_system();
		fflush(stdout);
		for (int i = OWN; i < STRANGER; i++)
			kill(targets[i].pid, SIGKILL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	as("end");
	answer("all", "reached");
	kill(targets[ROOT].pid, SIGKILL);
	kill(targets[STRANGER].pid, SIGKILL);
	return 0;
}
