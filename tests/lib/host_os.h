// SPDX-License-Identifier: Apache-2.0
/*
 * host_os - the few host services kapi_host.c stands on
 *
 * Role      kapi_host.c includes kernel headers, host_os.c includes libc's: their names clash.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct host_thread;

void *host_alloc(size_t align, size_t n);
void host_free(void *p);
_Noreturn void host_abort(void);
void host_print(const char *text, size_t n);
uint64_t host_clock_ns(int realtime);
const char *host_getenv(const char *name);
void host_yield(void);

/* The calling thread; each has a wake-up token. */
struct host_thread *host_self(void);
int host_thread_number(void);
/* Waits for the token and takes it; 1 when the deadline (host_clock_ns(0) time) passed first. */
int host_park(uint64_t deadline_ns);
void host_unpark(struct host_thread *t);
