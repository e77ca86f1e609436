// SPDX-License-Identifier: Apache-2.0
/*
 * main - argv to command
 *
 * Role      The table of commands and nothing else.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/cmd_image.h"
#include "vmm/cmd_run.h"
#include "vmm/platform.h"

static const struct {
	const char *name;
	int (*fn)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"run",	 cmd_run,	  "run a command of a container image in a sandbox" },
	{ "image",	   cmd_image,    "list and remove cached images"		      },
	{ "platform", cmd_platform, "tell what can run sandboxes here, and what would"},
};

static void usage(FILE *out)
{
	size_t i;

	fprintf(out,
		"Usage: monitor COMMAND [OPTIONS]\n\n"
		"Runs containers, each on its own small kernel in its own virtual machine.\n\nCommands:\n");
	for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(out,
		"\nmonitor COMMAND --help tells more; monitor --version prints the version.\n");
}

/* A closed standard descriptor would become the next file opened, and the container's output would go there. */
static void fill_standard_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	size_t i;

	fill_standard_fds();
	signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error to report */

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		usage(argc < 2 ? stderr : stdout);
		return argc < 2 ? 125 : 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version")) {
		puts("monitor " MONITOR_VERSION);
		return 0;
	}
	for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].fn(argc - 1, argv + 1);
	fprintf(stderr, "monitor: there is no command \"%s\"; monitor --help lists them\n",
		argv[1]);
	return 125;
}
