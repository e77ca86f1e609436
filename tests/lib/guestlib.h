// SPDX-License-Identifier: Apache-2.0
/*
 * guestlib - what a bare guest program needs: hostcalls, raw and well-formed, and where things lie
 *
 * Role      For tests/guest. A program defines cases[]; the first argument of the container chooses one. A case that
 *           returns ends the run with status 0. Linked with the part for a machine: guest_kvm.c, guest_process.c.
 * Rules     No interrupt table and no signal handler: any exception is the end.
 */
#pragma once

#include "guestkernel/host/boot.h"
#include "vmm/abi/hyp.h"
#include "vmm/abi/ring.h"

struct guest_case {
	const char *name;
	void (*fn)(void);
};
extern const struct guest_case cases[];
extern const u32 nr_cases;
extern const struct guest_case machine_cases[]; /* of this CPU; ends with a nameless one */

/* Parses the device tree and runs the case it names; comes back never. */
void guest_start(const void *fdt);
/* guest_kvm.c, guest_process.c: direct map, doorbell, start of a CPU. */
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
/* The boot block has been read. */
void machine_init(void);
void start_cpu(u32 cpu, void (*fn)(void));
void put_stdout(const void *p, u32 n);
