// SPDX-License-Identifier: Apache-2.0
/*
 * process - contract between the monitor and the guest kernel on the `process` machine
 *
 * Role      There the guest kernel is not in a virtual machine but in a jailed host process of its own, the kernel
 *           process; applications run in stub processes. hyp.h and ring.h stay in force: channel pages, event page,
 *           rings, hostcall numbers and the device tree are the same. This header adds what KVM did otherwise:
 *           how the kernel is entered, how a doorbell is rung, how an event arrives.
 *
 *           Entry. The monitor forks a child that maps, from the files of guest memory,
 *             - each segment of the kernel's ELF file at its virtual address, with its rights,
 *             - all of RAM, shared, at PM_DIRECT_BASE + gpa (kernel text and read-only data without write),
 *             - each window, read-only, at PM_DIRECT_BASE + gpa,
 *           moves its descriptors to the numbers below, closes all others, unregisters its rseq area (the host
 *           kernel would go on writing to it), and jumps to the kernel's entry with
 *           the address of struct pm_boot (in RAM, so in the direct map) as the only argument. Whatever else is
 *           mapped is the monitor's remains: the kernel unmaps everything outside its own ranges first.
 *
 *           Hostcall. After writing the request as hyp.h says, the kernel stores PM_BELL_RUNG in channel->bell
 *           (release), wakes the futex there and waits while it holds that value. The monitor's thread of this CPU
 *           serves the call, stores PM_BELL_QUIET (release) and wakes it.
 *
 *           Event. To interrupt a CPU the monitor sets PM_WAKE_EVENT in channel->wake (atomic or) and wakes the
 *           futex there; the kernel takes the bits by atomic exchange. The kernel's own CPUs use the other bits
 *           of the word among themselves.
 * Rules     The kernel process may be in the application's hands: everything in the channel page is hostile to the
 *           monitor, as on KVM.
 */
#pragma once

#include <stdint.h>

#include "vmm/abi/hyp.h"

/* Host-virtual layout of the kernel process. The kernel image is linked at PM_KERNEL_BASE. */
#define PM_KERNEL_BASE 0x0000000010000000ull
#define PM_DIRECT_BASE 0x0000100000000000ull /* + gpa */
#define PM_KMAP_BASE   0x0000200000000000ull
#define PM_KMAP_END    0x0000208000000000ull

/* Descriptors of the kernel process; it has no others. */
enum pm_fd {
	PM_FD_RAM = 3,	  /* memory file; offset 0 is HYP_RAM_BASE; read and write */
	PM_FD_WINDOW = 4, /* PM_FD_WINDOW + n: file of window n, read only */
	PM_FD_BIRTH = 15, /* eventfd: births of stubs, numbers of their threads */
	PM_FD_DONE =
		16, /* PM_FD_DONE + cpu: eventfd on which stubs report to the kernel thread of a CPU */
};

/* hyp_channel.bell. INVARIANTS: only the kernel turns QUIET into RUNG, only the monitor RUNG into QUIET, each when it has
 * seen the other's value, so no store can cover another's:
 *
 *   kernel                               monitor
 *   store RUNG, wake                     load; not RUNG: wait while it is what was loaded, again
 *   wait while RUNG, until it is not     RUNG: serve, store QUIET, wake
 *
 * The monitor never stores before it waits: what it waits for is the value it loaded, so a ring in between ends the
 * wait at once, whatever value the kernel process left there. Its second word to wait for (kicks) is loaded before it
 * looks for what a kick announces. tests/model/handshake_model.c tries all orders of these steps. */
enum pm_bell { PM_BELL_QUIET = 0, PM_BELL_RUNG = 1 };
enum pm_wake {
	PM_WAKE_EVENT = 1u << 0, /* monitor: look at the event page */
	PM_WAKE_IPI = 1u << 1,	 /* kernel: look at ipi_pending */
};

/* Filters for the kinds of threads of this machine, built by the monitor from vmm/seccomp.tbl, installed by the
 * kernel, which knows when. Each is an array of struct sock_filter in RAM. */
enum pm_filter {
	PM_FILTER_KERNEL,  /* threads of the kernel process */
	PM_FILTER_SPAWNER, /* the process that forks stubs; every stub inherits it */
	PM_FILTER_SERVICE, /* the thread of a stub that changes its mappings */
	PM_FILTER_APP, /* threads that run application code: calls from anywhere but the stub's code trap */
	PM_FILTERS
};

#define PM_BOOT_MAGIC 0x746f6f62636f7270ull

struct pm_boot {
	uint64_t magic;
	uint64_t fdt_gpa;
	uint64_t ram_bytes;
	uint64_t channels_gpa; /* struct hyp_channel per CPU */
	uint32_t nr_cpus;
	uint32_t
		host_cpus; /* that the host lets us run on: spinning makes sense with more than one per pair */
	uint32_t nr_windows;
	uint32_t flags; /* enum pm_boot_flag */
	struct {
		uint64_t gpa, bytes;
	} window[8];
	struct {
		uint64_t gpa;
		uint32_t count; /* struct sock_filter's */
		uint32_t pad;
	} filter[PM_FILTERS];
	uint64_t host_cpu_mask[16]; /* those host_cpus */
	uint32_t pids_limit; /* --pids-limit: tasks there may be, so that many stubs; 0: no limit */
	uint32_t pad;
};

enum pm_boot_flag {
	PM_NO_REWRITE = 1u << 0,  /* --no-rewrite: system call sites stay as they are */
	PM_SPIN_NEVER = 1u << 1,  /* handovers always sleep (tests) */
	PM_SPIN_ALWAYS = 1u << 2, /* or always spin first, on two host CPUs where there are two */
};

/* In every stub, from USER_VA_END of this machine up: one page of code (shared, read and execute), the command
 * page (read only), and an area per CPU. The filter of application threads lets calls pass only from the code. */
#define PM_STUB_BASE	   0x00007fffe0000000ull
#define PM_STUB_CODE	   PM_STUB_BASE
#define PM_STUB_CODE_BYTES 0x10000ull
/* Read-only data behind the code: where eight zero bytes lie, the only signal mask application threads may set. */
#define PM_STUB_DATA	       (PM_STUB_CODE + 0x2000)
#define PM_STUB_NO_SIGNALS_OFF 112
#define PM_STUB_NO_SIGNALS     (PM_STUB_DATA + PM_STUB_NO_SIGNALS_OFF)
#define PM_STUB_COMMAND	       (PM_STUB_BASE + 0x100000ull)
#define PM_STUB_AREA	       (PM_STUB_BASE + 0x200000ull) /* + cpu * PM_STUB_AREA_BYTES */
#define PM_STUB_AREA_BYTES     0x10000ull
#define PM_STUB_AREA_END       (PM_STUB_AREA + HYP_CPU_MAX * PM_STUB_AREA_BYTES)
