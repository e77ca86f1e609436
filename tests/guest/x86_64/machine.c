// SPDX-License-Identifier: Apache-2.0
/*
 * machine - hostile cases that only x86-64 has
 *
 * Role      See tests/guest/hostile.c.
 */
#include "tests/lib/guestlib.h"

#define FAR_GPA (HYP_RAM_BASE + (1ull << 37))

static void touch_unmapped(void)
{
	__asm__ volatile("movb $1, (%0)" : : "r"(0x10ul) : "memory");
}

/* A page table of our own making leads where no memory is. */
static void touch_nothing(void)
{
	static u64 pdpt[512] __attribute__((aligned(4096))), pd[512] __attribute__((aligned(4096)));
	u64 cr3, *root, base = HYP_RAM_BASE - 0xffffffff80000000ull;

	__asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
	root = at_gpa(cr3 & ~4095ull);
	pd[0] = FAR_GPA | 0x83;
	pdpt[0] = ((u64)pd + base) | 3;
	root[1] = ((u64)pdpt + base) | 3;
	*(volatile u64 *)(1ull << 39) = 1;
}

static void write_window(void)
{
	u64 cr0;

	__asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("movq %0, %%cr0" : : "r"(cr0 & ~0x10000ull));
	*(volatile u64 *)at_gpa(HYP_WINDOW_BASE) = 1;
}

static void port_other(void)
{
	__asm__ volatile("outl %0, %w1" : : "a"(0), "d"(0x3f8));
}

static void port_byte(void)
{
	__asm__ volatile("outb %b0, %w1" : : "a"(0), "d"(HYP_DOORBELL_PORT));
}

static void port_in(void)
{
	u32 v;

	__asm__ volatile("inl %w1, %0" : "=a"(v) : "d"(HYP_DOORBELL_PORT));
}

static void port_string(void)
{
	const void *p = at_gpa(boot.channels);
	u64 n = 8;

	__asm__ volatile("rep outsl" : "+S"(p), "+c"(n) : "d"(HYP_DOORBELL_PORT) : "memory");
}

static void triple_fault(void)
{
	__asm__ volatile("ud2");
}

static void halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

const struct guest_case machine_cases[] = {
	{"touch_unmapped", touch_unmapped},
	{ "touch_nothing", touch_nothing },
	{ "write_window",  write_window  },
	{ "port_other",	port_other	   },
	{ "port_byte",     port_byte	 },
	{ "port_in",	     port_in	     },
	{ "port_string",	 port_string   },
	{ "triple_fault",  triple_fault  },
	{ "halt",	  halt	       },
	{ NULL,		NULL	     },
};
