// SPDX-License-Identifier: Apache-2.0
/*
 * main - the kernel's entry from the architecture, and the boot facts everybody may read
 */
#pragma once

#include "guestkernel/kapi/types.h"

struct cpu;

/* CPU 0, on the boot stack, tables loaded, interrupts off. fdt: the boot block in the direct map. */
/* The compiler's: the canary of stack frames, and where a function ends that found another one in its own. */
extern u64 __stack_chk_guard;
noreturn_fn void __stack_chk_fail(void);

noreturn_fn void kmain(const void *fdt);
/* Every other CPU, on its idle stack. */
noreturn_fn void secondary_main(struct cpu *c);

/* arch/<cpu>/guest/clock.c: called once, before anything asks for time. */
void arch_clock_init(u64 counter_khz, u64 wall_ns, u64 wall_counter);
