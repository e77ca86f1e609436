// SPDX-License-Identifier: Apache-2.0
/*
 * kapi_host - the kernel interfaces of kapi/ over the host, for unit tests
 *
 * Role      Panic, log, clocks, the current task. Memory is in kapi_host_mem.c, locks and wait queues in
 *           kapi_host_wait.c, application memory in kapi_host_user.c.
 * Rules     A task is a host thread. Code under test runs unchanged.
 * See       harness.h, kapi_host.h
 */
#include "tests/lib/kapi_host.h"
#include "arch/clock.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/defer.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "tests/lib/host_os.h"

u32 log_level_max = LOG_WARN;

static u64 fixed_clock;
static struct cpu host_cpu;

static void print_line(const char *prefix, const char *fmt, va_list ap)
{
	char line[512];
	int n = snprintf(line, sizeof line, "%s", prefix);

	n += vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	n = MIN(n, (int)sizeof line - 2);
	line[n++] = '\n';
	host_print(line, (size_t)n);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("panic: ", fmt, ap);
	va_end(ap);
	host_abort();
}

void log_print(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("log: ", fmt, ap);
	va_end(ap);
}

void host_clock_fix(u64 monotonic_ns)
{
	fixed_clock = monotonic_ns;
}

u64 arch_clock_ns(void)
{
	return clock_monotonic_ns();
}

u64 clock_monotonic_ns(void)
{
	return fixed_clock ? fixed_clock : host_clock_ns(0);
}

u64 clock_realtime_ns(void)
{
	return fixed_clock ? fixed_clock + 1600000000 * NSEC_PER_SEC : host_clock_ns(1);
}

int clock_get_ns(s32 clock_id, u64 *out)
{
	if (clock_id < 0 || clock_id > CLOCK_TAI)
		return -EINVAL;
	*out = clock_id == CLOCK_REALTIME ? clock_realtime_ns() : clock_monotonic_ns();
	return 0;
}

static bool to_ns(s64 sec, s64 frac, s64 per_sec, u64 *out)
{
	if (sec < 0 || frac < 0 || frac >= per_sec)
		return false;
	*out = (u64)sec >= U64_MAX / NSEC_PER_SEC - 1
		       ? U64_MAX - 1
		       : (u64)sec * NSEC_PER_SEC + (u64)frac * (NSEC_PER_SEC / (u64)per_sec);
	return true;
}

bool timespec_to_ns(const struct timespec *ts, u64 *out)
{
	return to_ns(ts->tv_sec, ts->tv_nsec, (s64)NSEC_PER_SEC, out);
}

bool timeval_to_ns(const struct timeval *tv, u64 *out)
{
	return to_ns(tv->tv_sec, tv->tv_usec, 1000000, out);
}

/* The current task is root with every capability; tests may edit host_cred. */
struct cred host_cred = {
	.refs = { { 1 } }, .cap_permitted = ~0ull, .cap_effective = ~0ull, .cap_bounding = ~0ull
};

struct cpu *this_cpu(void)
{
	return &host_cpu;
}

const struct cred *current_cred(void)
{
	return &host_cred;
}

void cred_put(const struct cred *c)
{
	BUG_ON(refs_put(&((struct cred *)(uintptr_t)c)->refs) && c != &host_cred);
}

bool cred_in_group(const struct cred *c, u32 gid)
{
	for (u32 i = 0; i < c->nr_groups; i++)
		if (c->groups[i] == gid)
			return true;
	return c->fsgid == gid;
}

bool cred_capable(const struct cred *c, u32 cap)
{
	return c->cap_effective >> cap & 1;
}

bool capable(u32 cap)
{
	return cred_capable(&host_cred, cap);
}

u64 current_rlimit(u32 which)
{
	return which == 7 ? 1024 : U64_MAX; /* RLIMIT_NOFILE */
}

s32 current_tid(void)
{
	return host_thread_number();
}

s32 current_tgid(void)
{
	return 1;
}

void current_send_signal(s32 sig)
{
}

/* Every number but 0 names the same owner, who counts what it is sent. */
struct host_sigio host_sigio;

int sigio_owner_get(s32 type, s32 nr, struct pid **out)
{
	*out = (struct pid *)&host_sigio;
	return 0;
}

void sigio_owner_put(struct pid *p)
{
}

s32 sigio_owner_nr(struct pid *p, s32 type)
{
	return 1;
}

void sigio_send(struct pid *p, s32 type, const struct sigio *what)
{
	host_sigio.sent++;
	host_sigio.last = *what;
}

/* A thread of a test has no way out: the outermost release drains. */
static _Thread_local struct defer_list deferred;

void defer_add(struct deferred *d)
{
	d->next = NULL;
	if (deferred.first)
		deferred.last->next = d;
	else
		deferred.first = d;
	deferred.last = d;
}

void defer_drain(void)
{
	struct deferred *d;

	deferred.is_running = true;
	while ((d = deferred.first) != NULL) {
		deferred.first = d->next;
		d->run(d);
	}
	deferred.is_running = false;
}

void defer_run(struct deferred *d)
{
	defer_add(d);
	if (!deferred.is_running)
		defer_drain();
}
