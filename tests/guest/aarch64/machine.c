// SPDX-License-Identifier: Apache-2.0
/*
 * machine - hostile cases that only aarch64 has
 *
 * Role      See tests/guest/hostile.c.
 * Rules     The program has no exception vectors: an exception is an endless loop of exceptions.
 */
#include "tests/guest/aarch64/guest_cpu.h"
#include "tests/lib/guestlib.h"

#define FAR_GPA (HYP_RAM_BASE + (1ull << 37))
#define GICD	0x08000000ull
#define GICR	0x08100000ull
#define BLOCK	0x701ull /* valid, inner shareable, accessed */
#define DEVICE	0x705ull
#define LOW_VA	(1ull << 39)

/* Tables of our own making: 2 MiB of any guest-physical address at LOW_VA, by way of TTBR0. */
static volatile u8 *map_anything(u64 gpa, u64 kind)
{
	static u64 pud[512] __attribute__((aligned(4096))), pmd[512] __attribute__((aligned(4096)));
	u64 root, base = HYP_RAM_BASE - 0xffffffff80000000ull;

	__asm__ volatile("mrs %0, ttbr0_el1" : "=r"(root));
	pmd[0] = (gpa & ~((2ull << 20) - 1)) | kind;
	pud[0] = ((u64)pmd + base) | 3;
	((u64 *)at_gpa(root))[1] = ((u64)pud + base) | 3;
	__asm__ volatile("dsb sy; tlbi vmalle1; dsb sy; isb" : : : "memory");
	return (volatile u8 *)(LOW_VA + (gpa & ((2ull << 20) - 1)));
}

static void touch_nothing(void)
{
	*map_anything(FAR_GPA, BLOCK) = 1;
}

static void fetch_nothing(void)
{
	((void (*)(void))(uintptr_t)map_anything(FAR_GPA, BLOCK))();
}

static void write_window(void)
{
	*map_anything(HYP_WINDOW_BASE, BLOCK) = 1;
}

/* A pair of words has no description a host could emulate it from. */
static void touch_nothing_by_pair(void)
{
	__asm__ volatile("stp xzr, xzr, [%0]" : : "r"(map_anything(FAR_GPA, BLOCK)) : "memory");
}

static void walk_through_nothing(void)
{
	u64 root;

	__asm__ volatile("mrs %0, ttbr0_el1" : "=r"(root));
	((u64 *)at_gpa(root))[1] = FAR_GPA | 3;
	__asm__ volatile("dsb sy; isb" : : : "memory");
	*(volatile u8 *)LOW_VA = 1;
}

static void doorbell_byte(void)
{
	*(volatile u8 *)at_gpa(HYP_DOORBELL_GPA) = 0;
}

static void doorbell_wide(void)
{
	*(volatile u64 *)at_gpa(HYP_DOORBELL_GPA) = 0;
}

static void doorbell_beside(void)
{
	*(volatile u32 *)((u8 *)at_gpa(HYP_DOORBELL_GPA) + 4) = 0;
}

static void doorbell_read(void)
{
	(void)*(volatile u32 *)at_gpa(HYP_DOORBELL_GPA);
}

static void doorbell_pair(void)
{
	__asm__ volatile("stp wzr, wzr, [%0]" : : "r"(at_gpa(HYP_DOORBELL_GPA)) : "memory");
}

/* The interrupt controller's pages are KVM's: nonsense there is the guest's own trouble. */
static void gic_nonsense(void)
{
	volatile u8 *dist = map_anything(GICD, DEVICE);
	u32 i;

	for (i = 0; i < 0x10000; i += 0x104)
		*(volatile u32 *)(dist + i) = 0xffffffff;
	for (i = 0; i < 0x20000; i += 0x204)
		*(volatile u32 *)(dist + (GICR - GICD) + i) = 0xffffffff;
}

static void gic_byte_of_everything(void)
{
	volatile u8 *dist = map_anything(GICD, DEVICE);
	u32 i;

	for (i = 0; i < 0x1000; i += 0x11)
		dist[i] = 0xff;
}

static void psci_off(void)
{
	guest_hvc(0x84000008, 0, 0, 0);
}

static void psci_reset(void)
{
	guest_hvc(0x84000009, 0, 0, 0);
}

/* A CPU at an address where nothing is, and one that is on already. */
static void psci_start(void)
{
	guest_hvc(PSCI_CPU_ON, 1, 0x1234567800ull, 0);
	guest_hvc(PSCI_CPU_ON, 1, 0x1234567800ull, 0);
	guest_hvc(PSCI_CPU_ON, 0, 0x1234567800ull, 0);
}

/* CPUs that do not exist. */
static void psci_start_many(void)
{
	u64 i;

	for (i = 2; i < 300; i++)
		guest_hvc(PSCI_CPU_ON, i, HYP_RAM_BASE, i);
	guest_hvc(PSCI_CPU_ON, ~0ull, ~0ull, ~0ull);
}

/* The only running CPU: nobody could ever wake this guest. */
static void psci_last_off(void)
{
	guest_hvc(0x84000002, 0, 0, 0);
}

/* Over and over: on, and off at once. */
static void psci_on_off(void)
{
	u32 i;

	for (i = 0; i < 200; i++)
		start_cpu(1, psci_last_off);
}

static void psci_suspend(void)
{
	u64 i;

	for (i = 0; i < 8; i++)
		guest_hvc(0xc400000e, HYP_RAM_BASE, i, 0); /* SYSTEM_SUSPEND: not offered */
	guest_hvc(0x84000003, 1, 0, 0);			   /* the old CPU_ON of 32 bits */
}

/* The way of other machines. */
static void start_by_hostcall(void)
{
	struct hyp_cpu_start s = { .cpu = 1 };

	raw_call(HYP_CPU_START, sizeof s, &s, sizeof s);
}

static void hvc_numbers(void)
{
	u64 i;

	for (i = 0; i < 64; i++) {
		guest_hvc(0x84000010 + i, ~0ull, ~0ull, ~0ull);
		guest_hvc(0x86000000 + i, ~0ull, ~0ull, ~0ull);
		guest_hvc(0xc6000000 + i * 0x40, ~0ull, ~0ull, ~0ull);
		guest_hvc(i, ~0ull, ~0ull, ~0ull);
	}
}

static void lost(void)
{
	__asm__ volatile("brk #0");
}

const struct guest_case machine_cases[] = {
	{"touch_nothing",	   touch_nothing	 },
	{ "fetch_nothing",	   fetch_nothing	 },
	{ "touch_nothing_by_pair",  touch_nothing_by_pair },
	{ "walk_through_nothing",	  walk_through_nothing  },
	{ "write_window",		  write_window	       },
	{ "doorbell_byte",	   doorbell_byte	 },
	{ "doorbell_wide",	   doorbell_wide	 },
	{ "doorbell_beside",	     doorbell_beside	     },
	{ "doorbell_read",	   doorbell_read	 },
	{ "doorbell_pair",	   doorbell_pair	 },
	{ "gic_nonsense",		  gic_nonsense	       },
	{ "gic_byte_of_everything", gic_byte_of_everything},
	{ "psci_off",		      psci_off	       },
	{ "psci_reset",		psci_reset		   },
	{ "psci_start",		psci_start		   },
	{ "psci_start_many",	     psci_start_many	     },
	{ "psci_last_off",	   psci_last_off	 },
	{ "psci_on_off",		 psci_on_off	     },
	{ "psci_suspend",		  psci_suspend	       },
	{ "start_by_hostcall",      start_by_hostcall	 },
	{ "hvc_numbers",		 hvc_numbers	     },
	{ "lost",		   lost		       },
	{ NULL,		     NULL		     },
};
