// SPDX-License-Identifier: Apache-2.0
/*
 * guestlib - what a bare guest program needs: hostcalls, raw and well-formed, and where things lie
 *
 * Role      For tests/guest. A program defines cases[]; the first argument of the container chooses one. A case that
 *           returns ends the run with status 0.
 * Rules     No interrupt table: any exception is a triple fault.
 */
#pragma once

#include "guestkernel/host/boot.h"
#include "vmm/abi/hyp.h"
#include "vmm/abi/ring.h"

#define DIRECT_MAP 0xffff800000000000ull

struct guest_case {
	const char *name;
	void (*fn)(void);
};
extern const struct guest_case cases[];
extern const u32 nr_cases;
extern const struct guest_case machine_cases[]; /* of this CPU; ends with a nameless one */

void *at_gpa(u64 gpa);
struct hyp_channel *channel(u32 cpu);
struct hyp_ring *ring(enum hyp_stream s);
/* Writes number, length and the first n bytes of the request as they are, then rings. */
s32 raw_call(u32 nr, u32 len, const void *req, u32 n);
void ring_doorbell(void);
/* Well-formed calls. */
void say(const char *text);
void kick(u32 streams);
noreturn_fn void exit_with(s32 wait_status);
void start_cpu(u32 cpu, void (*fn)(void));
void put_stdout(const void *p, u32 n);
