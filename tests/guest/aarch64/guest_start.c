// SPDX-License-Identifier: Apache-2.0
/*
 * guest_start - CPUs of a bare guest program in an aarch64 virtual machine: PSCI starts them
 *
 * Role      With the kernel's own start.S and boot.c.
 */
#include "arch/aarch64/guest/boot.h"
#include "arch/layout.h"
#include "tests/guest/aarch64/guest_cpu.h"
#include "tests/lib/guestlib.h"

/* What start.S and guest_entry.S know. */
struct guest_cpu {
	void (*fn)(void);
	u8 *stack_top;
};

extern char entry_secondary[];
static u8 stacks[4][8192] __attribute__((aligned(16)));
static struct guest_cpu cpus[4];

void machine_init(void)
{
	boot_map();
}

u64 guest_hvc(u64 nr, u64 a, u64 b, u64 c)
{
	register u64 x0 __asm__("x0") = nr;
	register u64 x1 __asm__("x1") = a;
	register u64 x2 __asm__("x2") = b;
	register u64 x3 __asm__("x3") = c;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	return x0;
}

void start_cpu(u32 cpu, void (*fn)(void))
{
	struct guest_cpu *c = &cpus[cpu & 3];

	c->fn = fn;
	c->stack_top = stacks[cpu & 3] + sizeof stacks[0];
	guest_hvc(PSCI_CPU_ON, cpu, (u64)entry_secondary - KERNEL_VA_BASE + HYP_RAM_BASE, (u64)c);
}
