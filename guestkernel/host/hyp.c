// SPDX-License-Identifier: Apache-2.0
/*
 * hyp - hostcalls and the event interrupt
 *
 * Role      The only caller of arch_hostcall() besides CPU start. Events arrive here and go to the
 *           streams, the first process (signals) and the console (window size).
 * See       vmm/abi/hyp.h
 */
#include "guestkernel/host/hyp.h"

#include "arch/cpu.h"
#include "arch/mmu.h"
#include "guestkernel/host/boot.h"
#include "guestkernel/host/stream.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/rand.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/trap.h"

struct hyp_channel *hyp_channels;
void (*hyp_on_signals)(u64 mask, bool from_tty);
void (*hyp_on_winsize)(u16 rows, u16 cols);

static struct hyp_event *event_page;

void hyp_init(void)
{
	hyp_channels = arch_phys_to_virt(PADDR(boot.channels));
	event_page = arch_phys_to_virt(PADDR(boot.event));
}

void hyp_log(u32 level, const char *text, size_t n)
{
	struct {
		u32 level, len;
		u64 pad;
		u8 text[512];
	} req = { .level = level };

	/* long lines go in pieces: the buffer lives on a kernel stack */
	do {
		req.len = (u32)MIN(n, sizeof req.text);
		memcpy(req.text, text, req.len);
		arch_hostcall(HYP_LOG, &req, 16 + req.len, NULL, 0);
		text += req.len;
		n -= req.len;
	} while (n);
}

noreturn_fn void hyp_exit(struct hyp_exit *e)
{
	arch_hostcall(HYP_EXIT, e, sizeof *e, NULL, 0);
	arch_cpu_stop();
}

void hyp_panic(const struct hyp_panic *p)
{
	arch_hostcall(HYP_PANIC, p, sizeof *p, NULL, 0);
}

void hyp_kick(u32 streams)
{
	struct hyp_kick req = { .streams = streams };

	arch_hostcall(HYP_KICK, &req, sizeof req, NULL, 0);
}

int hyp_reseed(void)
{
	struct {
		u32 len, pad;
	} req = { .len = HYP_RANDOM_MAX };
	struct hyp_random reply;
	s64 r = arch_hostcall(HYP_RANDOM, &req, sizeof req, &reply, sizeof reply);

	if (r < 0)
		return (int)r;
	r = rand_reseed_after_clone(reply.bytes, sizeof reply.bytes);
	memset(&reply, 0, sizeof reply);
	return (int)r;
}

void trap_host_event(void)
{
	u64 ping = 1ull << this_cpu()->id;
	u32 bits;

	if (READ_ONCE(event_page->pings) & ping)
		fetch_and(&event_page->pings, ~ping);
	bits = xchg(&event_page->pending, 0);
	if (bits & HYP_EVENT_STREAM)
		stream_event();
	if ((bits & HYP_EVENT_SIGNAL) && hyp_on_signals)
		hyp_on_signals(xchg(&event_page->signals, 0), false);
	if ((bits & HYP_EVENT_TTY_SIGNAL) && hyp_on_signals)
		hyp_on_signals(xchg(&event_page->tty_signals, 0), true);
	if ((bits & HYP_EVENT_WINSIZE) && hyp_on_winsize)
		hyp_on_winsize(READ_ONCE(event_page->rows), READ_ONCE(event_page->cols));
}

/* kapi/log.h over the log hostcall. */
u32 log_level_max = LOG_ERR;

void log_print(enum log_level level, const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	hyp_log(level, line, MIN((size_t)n, sizeof line - 1));
}

void strace_emit(const char *line, size_t n)
{
	hyp_log(HYP_LOG_STRACE, line, n);
}
