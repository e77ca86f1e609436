// SPDX-License-Identifier: Apache-2.0
/*
 * local - what the files of arch/process/guest share among themselves
 */
#pragma once

#include "arch/mmu.h"
#include "arch/process/stub/layout.h"
#include "arch/regs.h"
#include "arch/thread.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/list.h"
#include "vmm/abi/process.h"

struct aspace;

extern const struct pm_boot *pm_boot;

/* One area, as the application can write it: every field is copied once. */
struct area {
	u32 state, spin, sig;
	s32 code;
	u64 addr, err, trapno, cr2;
	u32 arch, pad;
	u64 fp;
	u64 regs[AREA_REGS_WORDS];
	u64 fs_base, gs_base;
	u64 pad3[3];
	u32 pid, pad2;
};

/* ok and fail name the stub and the command besides the outcome: a report that comes late is known as such. */
struct command {
	u32 seq, count, done_fd, pad;
	u64 ok, fail;
	u64 off, area_off;
	u32 pid_fd, pad2[3];
	struct command_op {
		u64 nr, arg[6], pad;
	} op[CMD_OP_MAX];
};

/* An application thread of a stub, a host process that shares the stub's memory: used by the guest CPU of the same
 * number only, made when that CPU first runs the stub.
 * INVARIANTS: nothing here comes from the area. tid is what the service thread reported. turn is odd while the kernel
 * lets it run; granted, since and ended change only between two steps of turn (ration.c). */
struct stub_thread {
	struct area *area;
	struct arch_thread *owner; /* whose vector state its image holds */
	u8 *image;		   /* that image in the area; NULL: none */
	u32 tid;		   /* 0: there is none yet */
	u32 pin;		   /* host CPU + 1 it is bound to; 0: none */
	bool fast;		   /* it came by fast_entry: its vector registers are live */
	bool used;		   /* ran since the stub was last cleaned */
	u32 turn;
	u64 slept_ns;	  /* processor time when it was last known to wait */
	u64 granted;	  /* cycles it was let run, waits included */
	u64 since, ended; /* when this turn began, or the last one ended */
	u64 seen_ns;	  /* [stubs.lock] processor time at the last look */
	u64 seen_granted; /* [stubs.lock] granted then */
	s64 over_ns;	  /* [stubs.lock] what it took beyond */
};

struct stub {
	struct list link; /* pool */
	struct list all;  /* [stubs.lock] */
	struct command *cmd;
	struct page *cmd_page, *area_page;
	u32 area_order;
	u32 id;	      /* in its reports; no two stubs have one */
	u32 pid, pin; /* the service thread's */
	s32 tgid;     /* the guest process it was given to; 0: none */
	bool broken;  /* does not answer any more */
	struct stub_thread thread[];
};

#define SPACE_RANGES 8

struct range_list {
	u32 nr;
	struct {
		u64 va, end;
	} r[SPACE_RANGES];
};

#define REWRITE_COUNTS 64

/* Of one space; see rewrite.c. */
struct rewrite {
	u32 busy;      /* a CPU rewrites a site */
	bool off;      /* traced once: its code stays as it is [busy] */
	u32 next_slot; /* 0: not looked yet [busy] */
	struct {
		u64 ip;
		u16 count, grace;
	} site[REWRITE_COUNTS];
};

/* What an address space is beside its tables. [page table lock] */
struct space {
	struct stub *stub;
	struct range_list stale, pending;
	struct rewrite rewrite; /* its own: busy */
};

/* start.c */
noreturn_fn void arch_start(const struct pm_boot *b);
u64 image_offset(const void *p);

/* stub.c */
void stub_spawner_start(void);
/* A clean stub, from the pool or new. NULL: the host has no more. */
struct stub *stub_get(void);
/* Unmaps everything, makes sure no application code runs in it, and keeps or kills it. */
void stub_put(struct stub *s);
/* Ends the process and returns when it maps nothing any more; whoever still has it sees broken. */
void stub_break(struct stub *s);
void stub_kill(struct stub *s);
/* Runs count operations of s->cmd; false when one failed or the stub is broken. One caller at a time. */
bool stub_run(struct stub *s, u32 count);
/* Makes the application thread of this CPU. As stub_run(). */
bool stub_make_thread(struct stub *s);
/* Of a host process of ours. */
bool host_is_alive(u32 pid);

/* ration.c */
u64 ration_cpu_ns(u32 tid);
void ration_add(struct stub *s);
void ration_remove(struct stub *s);
/* The thread is let run, or is parked again. */
void ration_begin(struct stub_thread *st, u64 now);
void ration_end(struct stub_thread *st, u64 now);
/* Cycles of the next look at what threads took that were not let run. */
extern u64 ration_next;
void ration_look(void);
/* How long a CPU without work may sleep. */
u64 ration_idle_ns(void);

/* space.c */
/* The space of the running task with a stub; NULL: none to be had. */
struct space *space_ready(struct arch_aspace *as);
/* A thread for this CPU in the stub, which has none. */
bool space_make_thread(struct arch_aspace *as);
/* Brings the stub in line before application code goes on. */
void space_settle(struct arch_aspace *as);
/* A fault where the tables allow the access: the stub lacks the mapping. True when it will have it. */
bool space_fault(struct arch_aspace *as, u64 va, bool is_write, bool is_exec, bool *present);

/* wait.c */
/* The thread of this CPU in s runs until it is parked again; serves interrupts meanwhile. False: it is gone. */
bool handover_run(struct stub_thread *st);
void interrupts_serve(void);

/* place.c */
enum place { PLACE_LOOSE, PLACE_TOGETHER, PLACE_APART };

void place_start(void);
/* Before a handover, whose threads then follow. */
void place_choose(void);
void place_loose(void);
void place_follow_app(struct stub_thread *st);
void place_follow_service(struct stub *s);
/* What the handover was like: spinning ended with the thread parked or in vain, it had to be woken, its time. */
void place_note_spin(bool parked);
void place_note_sleeper(void);
void place_note_run(u64 cycles);
/* This CPU begins or ends waiting for interrupts. */
void place_idle(bool is_idle);

/* user.c */
noreturn_fn void user_loop(struct regs *r);

/* fpu.c */
void fpu_note_entry(struct stub_thread *st, u64 fp);
void fpu_prepare_exit(struct stub_thread *st);

/* rewrite.c */
/* A call came from r->ip by a signal. */
void rewrite_count(struct rewrite *w, const struct regs *r);
/* Puts back what rewriting changed in a space; w: the space's counts, which stay idle from now on, or NULL. */
void rewrite_undo(struct aspace *as, struct rewrite *w);
