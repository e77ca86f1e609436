/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.c - what programs become, by what is asked of them before
 */
#include "tests/probes/probe.h"

#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

enum how { PLAINLY, NO_NEW_PRIVS, TRACED, SHARING, KEPT_DUMPABLE, HOWS };
static const char *const how_names[] = { "plainly", "no_new_privs", "traced", "sharing its root",
					 "not dumpable" };
static const char *const programs[] = { "plain", "suid", "sgid", "unreadable", "caps" };

static int start(void *arg)
{
	const char *program = arg;

	execl(program, "probes", "tell", NULL);
	printf("%s\n", result_text(-1));
	fflush(stdout);
	_exit(0);
}

static pid_t child(enum how how, const char *program, int out)
{
	static char stack[65536];
	pid_t pid;

	if (how == SHARING)
		return clone(start, stack + sizeof stack, CLONE_FS | SIGCHLD, (void *)program);
	pid = fork();
	if (pid)
		return pid;
	if (how == NO_NEW_PRIVS)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (how == TRACED)
		ptrace(PTRACE_TRACEME, 0, 0, 0);
	if (how == KEPT_DUMPABLE)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	dup2(out, 1);
	start((void *)program);
	return 0;
}

static void ask(enum how how, const char *program)
{
	char text[128] = "";
	int p[2], status, saved;
	ssize_t n;
	pid_t pid;

	if (pipe(p))
		return;
	fflush(stdout);
	saved = dup(1);
	dup2(p[1], 1); /* for the one that shares */
	pid = child(how, program, p[1]);
	dup2(saved, 1);
	close(saved);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, pid, 0, 0);
	close(p[1]);
	n = read(p[0], text, sizeof text - 1);
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = 0;
	close(p[0]);
	answer(text, "exec/%s %s", program, how_names[how]);
}

void probe_exec(void)
{
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		for (enum how how = 0; how < HOWS; how++)
			ask(how, programs[i]);
}
