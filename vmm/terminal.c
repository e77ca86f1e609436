// SPDX-License-Identifier: Apache-2.0
/*
 * terminal - raw mode and its undoing
 *
 * Rules     The saved state is restored at most once, from exit(), from the normal end, or from the handler of a
 *           fatal signal (tcsetattr is async-signal-safe).
 */
#include "vmm/terminal.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

static struct termios saved;
static volatile sig_atomic_t is_raw;

void terminal_restore(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
}

static void on_fatal(int signo)
{
	terminal_restore();
	raise(signo); /* SA_RESETHAND: the default action now */
}

int terminal_raw(struct err *e)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS };
	struct sigaction sa = { .sa_handler = on_fatal, .sa_flags = SA_RESETHAND };
	struct termios raw;
	size_t i;

	if (tcgetattr(STDIN_FILENO, &saved))
		return err_set_errno(e, errno, "reading the terminal's settings");
	raw = saved;
	cfmakeraw(&raw);
	for (i = 0; i < ARRAY_SIZE(fatal); i++)
		sigaction(fatal[i], &sa, NULL);
	atexit(terminal_restore);
	is_raw = 1;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)) {
		is_raw = 0;
		return err_set_errno(e, errno, "setting the terminal to raw mode");
	}
	return 0;
}

void terminal_size(uint16_t *rows, uint16_t *cols)
{
	struct winsize ws = { 0 };

	*rows = 24;
	*cols = 80;
	if ((ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws)) ||
	    !ws.ws_row)
		return;
	*rows = ws.ws_row;
	*cols = ws.ws_col;
}
