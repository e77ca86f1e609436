// SPDX-License-Identifier: Apache-2.0
/*
 * terminal - raw mode and its undoing
 *
 * Rules     The saved state is restored at most once, from exit(), from the normal end, or from the handler of a
 *           fatal signal (tcsetattr is async-signal-safe). After that nothing makes it raw again: `state` decides
 *           between the end and a monitor that goes on after a stop.
 *           Only a foreground process may change a terminal. At the start and after a stop SIGTTOU has its default
 *           action, so a monitor in the background stops until it is in front; at the end it is blocked, so that
 *           the end does not wait.
 */
#include "vmm/terminal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <termios.h>

enum { COOKED, RAW, LEFT, DONE };

static struct termios saved, raw;
static atomic_int state;

static void cook(void)
{
	sigset_t ttou, old;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &ttou, &old);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void terminal_restore(void)
{
	if (atomic_exchange(&state, DONE) == RAW)
		cook();
}

void terminal_leave(void)
{
	int was = RAW;

	if (atomic_compare_exchange_strong(&state, &was, LEFT))
		cook();
}

void terminal_again(void)
{
	int was = atomic_load(&state);

	if (was != RAW && was != LEFT)
		return;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	if (!atomic_compare_exchange_strong(&state, &was, RAW))
		cook(); /* the end came between */
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
	size_t i;

	tcdrain(STDIN_FILENO); /* in the background: stops here, before anything is looked at */
	if (tcgetattr(STDIN_FILENO, &saved))
		return err_set_errno(e, errno, "reading the terminal's settings");
	raw = saved;
	cfmakeraw(&raw);
	for (i = 0; i < ARRAY_SIZE(fatal); i++)
		sigaction(fatal[i], &sa, NULL);
	atexit(terminal_restore);
	atomic_store(&state, RAW);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)) {
		atomic_store(&state, COOKED);
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
