// SPDX-License-Identifier: Apache-2.0
/*
 * progress - one line on the terminal while a long image is unpacked
 *
 * Role      see progress.h
 */
#include "vmm/image/progress.h"

#include <string.h>
#include <time.h>

#define FIRST_NS (500ull * 1000 * 1000)
#define EVERY_NS (100ull * 1000 * 1000)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

void progress_start(struct progress *p, const char *what, uint64_t total, bool is_quiet)
{
	memset(p, 0, sizeof(*p));
	p->what = what;
	p->total = total;
	p->is_on = !is_quiet && isatty(STDERR_FILENO);
	p->start_ns = now_ns();
}

void progress_add(struct progress *p, uint64_t bytes)
{
	unsigned int percent;
	uint64_t now;

	if (!p || !p->is_on)
		return;
	p->done += bytes;
	now = now_ns();
	if (now - p->start_ns < FIRST_NS || now - p->shown_ns < EVERY_NS)
		return;
	p->shown_ns = now;
	p->has_line = true;
	percent = p->total && p->done < p->total ? p->done * 100 / p->total : 99;
	fprintf(stderr, "\r\033[Kunpacking %.60s: %u %% of %llu MiB", p->what, percent,
		(unsigned long long)(p->total >> 20));
	fflush(stderr);
}

void progress_stop(struct progress *p)
{
	if (!p || !p->has_line)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->has_line = false;
}
