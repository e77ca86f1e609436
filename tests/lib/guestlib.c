// SPDX-License-Identifier: Apache-2.0
/*
 * guestlib - see guestlib.h
 */
#include "tests/lib/guestlib.h"

#include "guest_cpu.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/string.h"

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (unsigned char)*a - (unsigned char)*b;
}

noreturn_fn void panic(const char *fmt, ...)
{
	say(fmt);
	for (;;)
		guest_lost();
}

struct hyp_channel *channel(u32 cpu)
{
	return (struct hyp_channel *)at_gpa(boot.channels) + cpu;
}

struct hyp_ring *ring(enum hyp_stream s)
{
	return (struct hyp_ring *)at_gpa(boot.rings) + s;
}

s32 raw_call(u32 nr, u32 len, const void *req, u32 n)
{
	struct hyp_channel *ch = channel(0);

	memcpy(ch->payload, req, n);
	ch->len = len;
	ch->nr = nr;
	ring_doorbell();
	return ch->status;
}

void say(const char *text)
{
	struct {
		u32 level, len;
		u64 pad;
		char text[200];
	} req = { .level = HYP_LOG_ERR, .len = (u32)strnlen(text, 200) };

	memcpy(req.text, text, req.len);
	raw_call(HYP_LOG, 16 + req.len, &req, 16 + req.len);
}

void kick(u32 streams)
{
	struct hyp_kick k = { .streams = streams };

	raw_call(HYP_KICK, sizeof k, &k, sizeof k);
}

noreturn_fn void exit_with(s32 status)
{
	struct hyp_exit e = { .status = status };

	for (;;)
		raw_call(HYP_EXIT, sizeof e, &e, sizeof e);
}

void put_stdout(const void *p, u32 n)
{
	struct hyp_ring *r = ring(HYP_STDOUT);

	memcpy(r->data + r->head % HYP_RING_BYTES, p, n);
	__atomic_store_n(&r->head, r->head + n, __ATOMIC_RELEASE);
	kick(1u << HYP_STDOUT);
}

void guest_start(const void *fdt)
{
	const struct guest_case *c;
	const char *want;
	u32 i;

	boot_parse(fdt);
	machine_init();
	want = boot_strings_next(&boot.args, NULL);
	for (i = 0; want && i < nr_cases; i++) {
		if (strcmp(want, cases[i].name))
			continue;
		cases[i].fn();
		exit_with(0);
	}
	for (c = machine_cases; want && c->name; c++) {
		if (strcmp(want, c->name))
			continue;
		c->fn();
		exit_with(0);
	}
	exit_with(99 << 8);
}
