// SPDX-License-Identifier: Apache-2.0
/*
 * hyp - contract between the monitor and the guest kernel
 *
 * Role      Compiled by both sides and by the tests. The monitor, the side that must stay safe, defines it.
 * Rules     Fixed-width fields, explicit zeroed padding, sizes pinned below. A hostcall is a request written to
 *           the CPU's channel page followed by one ring of the doorbell (x86: a 32-bit out to
 *           HYP_DOORBELL_PORT; aarch64: a 32-bit store to the doorbell page). The monitor copies the request
 *           once, checks the copy, works on it, and writes the reply back before the CPU goes on. Requests
 *           that may block never do so on the CPU: they complete through a ring and the event interrupt.
 *           Numbers are never reused. Any change bumps HYP_ABI_VERSION.
 * See       ring.h for the stream rings, vmm/bootinfo.c for the device tree, vmm/hypercall.c for the dispatcher.
 */
#pragma once

#include <stdint.h>

#define HYP_ABI_VERSION 2u

/* A guest-physical address; neither side can dereference it. */
typedef struct {
	uint64_t gpa;
} hyp_ptr;

#define HYP_DOORBELL_PORT 0x0d0bu
#define HYP_DOORBELL_GPA \
	0x000000000d0b0000ull /* aarch64: page of the doorbell, behind which nothing is */
#define HYP_GICD_GPA  0x0000000008000000ull /* aarch64, GICv2: distributor */
#define HYP_GICC_GPA  0x0000000008010000ull /* the same: CPU interface */
#define HYP_PAGE_SIZE 4096u
#define HYP_CPU_MAX   64u

/* Guest-physical layout. */
#define HYP_RAM_BASE \
	0x0000000100000000ull /* memory starts at 4 GiB: nothing below to step around */
#define HYP_RAM_MAX	0x0000003e00000000ull /* 248 GiB */
#define HYP_WINDOW_BASE 0x0000004000000000ull /* read-only files, up to HYP_WINDOW_MAX */
#define HYP_WINDOW_MAX	0x0000002000000000ull

enum hyp_call {
	HYP_LOG = 1, /* text for the monitor's log, an strace line, or the dying words of a panic */
	HYP_EXIT = 2,	     /* the container's first process ended */
	HYP_CPU_START = 3,   /* let a waiting CPU enter the kernel; aarch64 has PSCI for it */
	HYP_KICK = 4,	     /* look at the stream rings named in the mask */
	HYP_RANDOM = 5,	     /* fresh host randomness */
	HYP_CLOCK = 6,	     /* host wall clock */
	HYP_MEM_RELEASE = 7, /* give whole pages back; they read as zero afterwards */
	HYP_PANIC = 8,	     /* the kernel cannot go on */
	HYP_CALL_MAX = 9,
};

/* Result of the call itself, apart from the reply's own status. */
enum hyp_status {
	HYP_OK = 0,
	HYP_INVALID = -22,
	HYP_NOMEM = -12,
};

#define HYP_PAYLOAD_MAX 4064u

/* One per CPU. nr and the request are written by the guest, status and the reply by the monitor. */
struct hyp_channel {
	uint32_t nr;  /* enum hyp_call */
	uint32_t len; /* bytes of payload used by the request */
	int32_t status;
	uint32_t bell; /* process machine: futex of the doorbell, enum pm_bell */
	uint32_t wake; /* process machine: futex of interrupts to this CPU, enum pm_wake */
	uint32_t pad0;
	uint64_t pad1;
	uint8_t payload[HYP_PAYLOAD_MAX];
};
_Static_assert(sizeof(struct hyp_channel) == HYP_PAGE_SIZE, "ABI");

enum hyp_log_level {
	HYP_LOG_ERR,
	HYP_LOG_WARN,
	HYP_LOG_INFO,
	HYP_LOG_DEBUG,
	HYP_LOG_STRACE,
	HYP_LOG_LEVELS
};

#define HYP_LOG_TEXT_MAX 4048u

struct hyp_log {
	/* in */
	uint32_t level;
	uint32_t len;
	uint64_t pad;
	uint8_t text[HYP_LOG_TEXT_MAX]; /* only len bytes are copied */
};
_Static_assert(sizeof(struct hyp_log) == HYP_PAYLOAD_MAX, "ABI");

struct hyp_exit {
	/* in */
	int32_t status; /* as wait(2) gives it */
	int32_t exec_errno; /* positive: the first program could not be started; status is then meaningless */
	/* the leak guard: what is left after everything ended, against the state before the first process */
	uint64_t tasks, files, inodes, pages, pages_at_boot, slab_bytes, slab_at_boot;
	/* counters */
	uint64_t syscalls, faults, switches;
	uint64_t cycles_boot; /* first kernel instruction to first application instruction */
};
_Static_assert(sizeof(struct hyp_exit) == 96, "ABI");

struct hyp_cpu_start {
	/* in */
	uint32_t cpu;
	uint32_t pad;
	uint64_t ip, sp, arg;
};
_Static_assert(sizeof(struct hyp_cpu_start) == 32, "ABI");

struct hyp_kick {
	/* in */
	uint32_t streams; /* bit per stream */
	uint32_t pad;
};
_Static_assert(sizeof(struct hyp_kick) == 8, "ABI");

#define HYP_RANDOM_MAX 256u

struct hyp_random {
	/* in */
	uint32_t len;
	uint32_t pad;
	/* out */
	uint8_t bytes[HYP_RANDOM_MAX];
};
_Static_assert(sizeof(struct hyp_random) == 264, "ABI");

struct hyp_clock {
	/* out */
	uint64_t wall_ns; /* since 1970 */
	uint64_t counter; /* the CPU's cycle counter at that moment */
};
_Static_assert(sizeof(struct hyp_clock) == 16, "ABI");

#define HYP_RELEASE_MAX 128u

struct hyp_mem_release {
	/* in */
	uint32_t count;
	uint32_t pad;
	struct {
		hyp_ptr start;
		uint64_t npages;
	} range[HYP_RELEASE_MAX];
};
_Static_assert(sizeof(struct hyp_mem_release) == 2056, "ABI");

#define HYP_BACKTRACE_MAX  32u
#define HYP_PANIC_TEXT_MAX 512u

struct hyp_panic {
	/* in */
	uint64_t ip, sp, fault_addr;
	uint32_t cpu, nr_frames;
	uint64_t frames[HYP_BACKTRACE_MAX]; /* return addresses, innermost first */
	uint8_t text[HYP_PANIC_TEXT_MAX];   /* NUL-terminated */
};
_Static_assert(sizeof(struct hyp_panic) == 800, "ABI");

/* Monitor to guest. One page; the monitor sets bits and raises the event interrupt, the guest takes them with
 * an atomic exchange. */
enum hyp_event_bit {
	HYP_EVENT_STREAM = 1u << 0, /* some ring moved */
	HYP_EVENT_SIGNAL = 1u << 1, /* signals holds bits */
	HYP_EVENT_WINSIZE = 1u << 2,
	/* 1u << 3 was the watchdog's */
	HYP_EVENT_TTY_SIGNAL = 1u << 4, /* tty_signals holds bits */
};

struct hyp_event {
	uint32_t pending; /* enum hyp_event_bit */
	uint16_t rows, cols;
	uint64_t signals; /* bit n-1: signal n for the first process */
	uint64_t pings;	  /* watchdog, bit per CPU: taking its bit is the CPU's answer */
	uint64_t
		tty_signals; /* as signals, but from a terminal's key: for the whole foreground group */
};
_Static_assert(sizeof(struct hyp_event) == 32, "ABI");
_Static_assert(HYP_CPU_MAX <= 64, "a bit in hyp_event.pings each");

/* How a run that did not end by HYP_EXIT ended; the monitor's exit status for it. */
#define HYP_EXIT_STATUS_BROKEN 125
