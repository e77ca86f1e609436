// SPDX-License-Identifier: Apache-2.0
/*
 * layout - what the kernel and the code of the stubs share: offsets in their pages, states of the handover
 *
 * Role      Included by assembly and C; guest/stub.c asserts the offsets against its structures.
 * Rules     Application code can write its areas: nothing in them is believed, only copied. The command page and
 *           the data behind the code cannot be written in a stub.
 */
#pragma once

/* Behind the code, mapped read-only. */
#define STUB_DATA_OFF	  0x2000
#define STUB_DATA_BYTES	  0x8000
#define DATA_SA_HANDLER	  0  /* struct sigaction of the kernel's ABI, for every caught signal */
#define DATA_SA_IGNORE	  32 /* the same with SIG_IGN */
#define DATA_PROG_SPAWNER 64 /* struct sock_fprog's */
#define DATA_PROG_SERVICE 80
#define DATA_PROG_APP	  96
#define DATA_NO_SIGNALS	  112 /* PM_STUB_NO_SIGNALS_OFF: a signal mask: nothing blocked */
#define DATA_STACKS	  256 /* stack_t of each area's alternate stack */
#define DATA_STACK_BYTES  24
#define DATA_FILTERS	  2048

/* Command page: of the spawner, and of each stub's service thread. */
#define CMD_SEQ	     0 /* futex: raised when there is work */
#define CMD_COUNT    4
#define CMD_DONE_FD  8
#define CMD_OK	     16 /* what is written to the eventfd: everything succeeded */
#define CMD_FAIL     24 /* or something did not */
#define CMD_OFF	     32 /* birth: where in the memory file the new stub's pages are */
#define CMD_AREA_OFF 40
#define CMD_PID_FD   48 /* where the number of a new thread goes */
#define CMD_OPS	     64
#define CMD_OP_BYTES 64 /* number, six arguments */
#define CMD_OP_MAX   63

/* Area of one application thread. */
#define AREA_STRIDE_SHIFT 16
#define AREA_BYTES	  0x4000
#define AREA_STATE	  0
#define AREA_SPIN	  4
#define AREA_SIG	  8
#define AREA_CODE	  12
#define AREA_ADDR	  16
#define AREA_ERR	  24
#define AREA_TRAPNO	  32
#define AREA_CR2	  40
#define AREA_ARCH	  48
#define AREA_FP		  56 /* XSAVE image to load before going on, 0: none */
#define AREA_REGS \
	64 /* 18 words in the order of the signal frame: r8-r15 di si bp bx dx ax cx sp ip flags */
#define AREA_REGS_WORDS	  18
#define AREA_FS		  208
#define AREA_GS		  216
#define AREA_PID	  248
#define AREA_XSAVE	  1024
#define AREA_ALTSTACK	  4096
#define AREA_ALTSTACK_TOP 0x4000

/* AREA_STATE, a futex. */
#define STATE_RUN	 1 /* the application runs */
#define STATE_RUN_KSLEEP 2 /* and the kernel thread sleeps until it does not */
#define STATE_PARKED	 3 /* the thread waits, spinning */
#define STATE_SLEEPING	 4 /* the thread waits in the futex */

#define STUB_FAST_OFF 0x1000 /* of fast_entry in the code */

/* AREA_SIG beside signal numbers. */
#define ENTRY_BIRTH  0
#define ENTRY_FAST   99	 /* a system call without a signal: fast_entry; vector registers are live */
#define ENTRY_BROKEN 100 /* a fault in the stub's own code */

#define SIG_PREEMPT 10
#define XSAVE_MASK  0xe7
