// SPDX-License-Identifier: Apache-2.0
/*
 * log - messages on stderr
 *
 * Role      See log.h.
 * Rules     The guest kernel gets GUEST_BURST lines at once and GUEST_PER_S a second; what is more is counted and
 *           dropped, and the count said once there is room again. System call lines are not limited, and are
 *           taken only from a guest that was asked for them.
 * Locking   One write(2) per line; the level words are set before any thread starts. guest.lock (leaf): the budget.
 * Missing   JSON lines for containerd.
 */
#include "vmm/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#define GUEST_BURST 1000u
#define GUEST_PER_S 100u

static enum log_level level_max = LOG_WARN;
static uint32_t guest_max = HYP_LOG_ERR;
static bool strace_wanted;
static struct {
	pthread_mutex_t lock;
	uint32_t room;	  /* lines it may still write */
	uint64_t dropped; /* lines since it had room */
	time_t last_s;	  /* when room was last added to */
} guest = { .lock = PTHREAD_MUTEX_INITIALIZER, .room = GUEST_BURST };

void log_setup(enum log_level level, uint32_t guest_level, bool strace)
{
	level_max = level;
	guest_max = guest_level;
	strace_wanted = strace;
}

static void emit(const char *line, size_t n)
{
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say so */
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	char line[1200];
	va_list ap;
	int n, m;

	if (level > level_max)
		return;
	n = snprintf(line, sizeof line, "monitor: %s: ", names[level]);
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof line - 1 - (size_t)n, fmt, ap);
	va_end(ap);
	n += m < 0 ? 0 : m;
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	emit(line, (size_t)n);
}

/* Takes one line from the budget; *dropped: lines to be reported as lost. */
static bool guest_may_log(uint64_t *dropped)
{
	struct timespec now;
	bool may;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&guest.lock);
	if (now.tv_sec != guest.last_s) {
		uint64_t more = (uint64_t)(now.tv_sec - guest.last_s) * GUEST_PER_S;

		guest.room = (uint32_t)(more >= GUEST_BURST - guest.room ? GUEST_BURST
									 : guest.room + more);
		guest.last_s = now.tv_sec;
	}
	may = guest.room > 0;
	*dropped = may ? guest.dropped : 0;
	if (may) {
		guest.room--;
		guest.dropped = 0;
	} else {
		guest.dropped++;
	}
	pthread_mutex_unlock(&guest.lock);
	return may;
}

void log_guest(uint32_t level, const char *text, uint32_t len)
{
	char line[HYP_LOG_TEXT_MAX + 32];
	uint64_t dropped = 0;
	size_t n = 0;
	uint32_t i;

	if (level == HYP_LOG_STRACE ? !strace_wanted
				    : level > guest_max || !guest_may_log(&dropped))
		return;
	if (dropped)
		log_warn("%" PRIu64 " lines of the guest kernel were dropped: too many at once",
			 dropped);
	if (level != HYP_LOG_STRACE)
		n = (size_t)snprintf(line, sizeof line, "[guest] ");
	for (i = 0; i < len && n < sizeof line - 1; i++) {
		unsigned char c = (unsigned char)text[i];

		line[n++] = (c >= ' ' && c != 127) || c == '\t' ? text[i] : '?';
	}
	line[n++] = '\n';
	emit(line, n);
}
