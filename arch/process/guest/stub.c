// SPDX-License-Identifier: Apache-2.0
/*
 * stub - the host processes that run applications: making, commanding, cleaning and keeping them
 *
 * Role      A stub is forked by the spawner, which was forked before the kernel process had threads or a filter. Stubs
 *           of ended address spaces wait in a pool, so fork and exec need no host fork.
 * Rules     A stub is clean when it maps nothing but its code, command page and areas, and every application thread is
 *           in the stub's code. The kernel cannot believe an area that says so: it unmaps everything (the
 *           service thread's report cannot be forged), then lets each thread that ever ran go on at an
 *           address chosen anew: only a thread that was really waiting faults just there.
 *           A stub that does not answer is killed, and so is the task that was in it.
 * Locking   pool.lock; birth.lock while the spawner makes one.
 */
#include "arch/cpu.h"
#include "arch/param.h"
#include "arch/process/guest/host.h"
#include "arch/process/guest/local.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/lock.h"
#include "guestkernel/kapi/leak.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"

BUILD_BUG_ON(offsetof(struct area, addr) != AREA_ADDR);
BUILD_BUG_ON(offsetof(struct area, cr2) != AREA_CR2);
BUILD_BUG_ON(offsetof(struct area, tid) != AREA_TID);
BUILD_BUG_ON(offsetof(struct area, fp) != AREA_FP);
BUILD_BUG_ON(offsetof(struct area, regs) != AREA_REGS);
BUILD_BUG_ON(offsetof(struct area, fs_base) != AREA_FS);
BUILD_BUG_ON(offsetof(struct area, ss) != AREA_SS);
BUILD_BUG_ON(offsetof(struct area, pid) != AREA_PID);
BUILD_BUG_ON(offsetof(struct area, nested) != AREA_NESTED);
BUILD_BUG_ON(offsetof(struct command, off) != CMD_OFF);
BUILD_BUG_ON(offsetof(struct command, op) != CMD_OPS);
BUILD_BUG_ON(sizeof(struct command_op) != CMD_OP_BYTES);
BUILD_BUG_ON(PM_STUB_AREA_BYTES != 1 << AREA_STRIDE_SHIFT);

#define POOL_MAX       32
#define ANSWER_POLL_MS 200
#define ANSWER_ROUNDS  25 /* 5 s */
#define PARK_POLL_NS   (10 * 1000 * 1000)
#define BIRTH_ROUNDS   500 /* 5 s */
#define CLEAN_ROUNDS   10 /* 100 ms for all threads: losing a stub costs less than waiting for it */
#define CLEAN_TRIES    8
#define IP_WORD	       16
#define FILTER_MAX     ((STUB_DATA_BYTES - DATA_FILTERS) / 8)
#define SIGKILL_       9
#define SA_FLAGS       0x4c000004ull /* SIGINFO ONSTACK NODEFER RESTORER */

extern const char stub_code[], stub_spawner[], stub_handler[], stub_restorer[];

static u8 stub_data[STUB_DATA_BYTES] __attribute__((aligned(4096)));
static u8 spawner_page[4096] __attribute__((aligned(4096)));

static struct {
	struct spinlock lock;
	struct list free;
	u32 nr;
} pool = {
	.lock = SPINLOCK_INIT(RANK_LEAF), .free = {&pool.free, &pool.free}
};

static struct spinlock birth_lock = SPINLOCK_INIT(RANK_LEAF);

struct fprog {
	u16 len, pad[3];
	u64 filter;
};

static u64 in_stub(const void *data)
{
	return PM_STUB_CODE + STUB_DATA_OFF + (u64)((const u8 *)data - stub_data);
}

static void add_filter(u32 prog_off, enum pm_filter kind, u32 *used)
{
	u32 n = pm_boot->filter[kind].count;
	u8 *to = stub_data + DATA_FILTERS + 8 * *used;
	struct fprog p = { .len = (u16)n, .filter = in_stub(to) };

	if (!n || n > FILTER_MAX - *used)
		panic("the monitor's filter %u has %u instructions", kind, n);
	memcpy(to, (const u8 *)PM_DIRECT_BASE + pm_boot->filter[kind].gpa, 8ull * n);
	memcpy(stub_data + prog_off, &p, sizeof p);
	*used += n;
}

static void fill_data(void)
{
	const u64 sa[4] = { PM_STUB_CODE + (u64)(stub_handler - stub_code), SA_FLAGS,
			    PM_STUB_CODE + (u64)(stub_restorer - stub_code), 0 };
	const u64 ignore[4] = { 1, 0, 0, 0 };
	u32 used = 0;

	memcpy(stub_data + DATA_SA_HANDLER, sa, sizeof sa);
	memcpy(stub_data + DATA_SA_IGNORE, ignore, sizeof ignore);
	add_filter(DATA_PROG_SPAWNER, PM_FILTER_SPAWNER, &used);
	add_filter(DATA_PROG_SERVICE, PM_FILTER_SERVICE, &used);
	add_filter(DATA_PROG_APP, PM_FILTER_APP, &used);
}

static void map_own(u64 va, const void *what, u64 len, u32 prot)
{
	s64 ret = host_call(HOST_MMAP, va, len, prot, HOST_MAP_SHARED | HOST_MAP_FIXED, PM_FD_RAM,
			    image_offset(what));

	if (ret < 0)
		panic("mapping the stub's code: %ld", ret);
}

void stub_spawner_start(void)
{
	s64 ret;

	fill_data();
	map_own(PM_STUB_CODE, stub_code, STUB_DATA_OFF, HOST_PROT_READ | HOST_PROT_EXEC);
	map_own(PM_STUB_CODE + STUB_DATA_OFF, stub_data, STUB_DATA_BYTES, HOST_PROT_READ);
	map_own(PM_STUB_COMMAND, spawner_page, 4096, HOST_PROT_READ);
	/* The child shares this stack: it must leave for the stub's code without touching it. */
	__asm__ volatile("xorl %%esi, %%esi\n\t"
			 "xorl %%edx, %%edx\n\t"
			 "xorl %%r10d, %%r10d\n\t"
			 "xorl %%r8d, %%r8d\n\t"
			 "syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "jmp *%%rbx\n"
			 "1:"
			 : "=a"(ret)
			 : "0"(HOST_CLONE), "D"(17),
			   "b"(PM_STUB_CODE + (u64)(stub_spawner - stub_code))
			 : "rcx", "r11", "rsi", "rdx", "r8", "r10", "memory");
	if (ret < 0)
		panic("the host does not let us fork: %ld", ret);
	host_call3(HOST_MUNMAP, PM_STUB_BASE, HOST_VA_END - PM_STUB_BASE, 0);
}

static bool is_alive(u32 pid)
{
	return host_call3(HOST_TGKILL, pid, pid, 0) == 0;
}

/* The report on this CPU's eventfd. pid 0: of the spawner's child, not known yet. */
static bool wait_done(u32 pid)
{
	struct {
		s32 fd;
		s16 events, revents;
	} p = { .fd = (s32)(PM_FD_DONE + this_cpu()->id), .events = 1 };
	u64 word = 0;
	u32 i;

	for (i = 0; i < ANSWER_ROUNDS; i++) {
		if (host_call3(HOST_POLL, (u64)&p, 1, ANSWER_POLL_MS) == 1) {
			host_call3(HOST_READ, (u64)p.fd, (u64)&word, sizeof word);
			return word == 1;
		}
		if (pid && !is_alive(pid))
			break;
	}
	return false;
}

bool stub_run(struct stub *s, u32 count)
{
	struct command *cmd = s->cmd;

	if (s->broken)
		return false;
	place_follow_service(s);
	cmd->count = count;
	cmd->done_fd = PM_FD_DONE + this_cpu()->id;
	store_release(&cmd->seq, cmd->seq + 1);
	host_futex_wake(&cmd->seq);
	return wait_done(s->pid);
}

void stub_break(struct stub *s)
{
	const struct host_timespec t = { 0, 100000 };
	u32 word = 0;

	if (s->pid)
		host_call3(HOST_TGKILL, s->pid, s->pid, SIGKILL_);
	while (s->pid && is_alive(s->pid))
		host_futex_wait(&word, 0, &t);
	s->broken = true;
}

void stub_kill(struct stub *s)
{
	stub_break(s);
	page_put(s->cmd_page);
	page_free_order(s->area_page, s->area_order);
	kfree(s);
}

static u32 area_order(void)
{
	u32 order = 2;

	while (1u << order < nr_cpus * (AREA_BYTES / PAGE_SIZE))
		order++;
	return order;
}

static struct stub *stub_alloc(void)
{
	struct stub *s = kzalloc(sizeof *s + nr_cpus * sizeof s->thread[0]);
	u32 i;

	if (!s)
		return NULL;
	s->area_order = area_order();
	if (page_alloc(PAGE_ZERO, &s->cmd_page))
		goto free;
	if (page_alloc_order(s->area_order, PAGE_ZERO, &s->area_page)) {
		page_put(s->cmd_page);
		goto free;
	}
	leak_forget(s); /* the pool keeps it */
	leak_forget(s->cmd_page);
	leak_forget(s->area_page);
	s->cmd = page_kaddr(s->cmd_page);
	s->cmd->ok = 1;
	s->cmd->fail = 1ull << 32;
	for (i = 0; i < nr_cpus; i++) {
		struct area *a = (struct area *)((u8 *)page_kaddr(s->area_page) + i * AREA_BYTES);

		s->thread[i].area = a;
		a->state = STATE_RUN;
		a->ss[0] = PM_STUB_AREA + i * PM_STUB_AREA_BYTES + AREA_ALTSTACK;
		a->ss[2] = AREA_ALTSTACK_TOP - AREA_ALTSTACK;
	}
	return s;
free:
	kfree(s);
	return NULL;
}

/* *rounds: how often to wait for PARK_POLL_NS, counted down. */
static bool wait_parked(struct stub_thread *st, u32 *rounds)
{
	const struct host_timespec t = { 0, PARK_POLL_NS };
	u32 state;

	for (; *rounds; --*rounds) {
		state = load_acquire(&st->area->state);
		if (state == STATE_PARKED || state == STATE_SLEEPING)
			return true;
		if (state == STATE_RUN &&
		    !__atomic_compare_exchange_n(&st->area->state, &state, STATE_RUN_KSLEEP, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			continue;
		host_futex_wait(&st->area->state, STATE_RUN_KSLEEP, &t);
	}
	return false;
}

static struct stub *stub_new(void)
{
	struct command *cmd = (struct command *)spawner_page;
	struct stub *s = stub_alloc();
	u32 i, rounds = BIRTH_ROUNDS;
	bool ok;

	if (!s)
		return NULL;
	spin_lock(&birth_lock);
	cmd->ok = 1;
	cmd->fail = 1ull << 32;
	cmd->done_fd = PM_FD_DONE + this_cpu()->id;
	cmd->cpus = nr_cpus;
	cmd->off = page_paddr(s->cmd_page).pa - HYP_RAM_BASE;
	cmd->area_off = page_paddr(s->area_page).pa - HYP_RAM_BASE;
	s->cmd->done_fd = cmd->done_fd;
	store_release(&cmd->seq, cmd->seq + 1);
	host_futex_wake(&cmd->seq);
	ok = wait_done(0);
	spin_unlock(&birth_lock);
	s->pid = s->thread[0].area->pid;
	for (i = 0; ok && i < nr_cpus; i++) {
		ok = wait_parked(&s->thread[i], &rounds);
		s->thread[i].tid = s->thread[i].area->tid;
	}
	if (ok)
		return s;
	log_err("the host did not give us another process");
	stub_kill(s);
	return NULL;
}

struct stub *stub_get(void)
{
	struct stub *s = NULL;

	spin_lock(&pool.lock);
	if (!list_empty(&pool.free)) {
		s = list_first(&pool.free, struct stub, link);
		list_del(&s->link);
		pool.nr--;
	}
	spin_unlock(&pool.lock);
	return s ? s : stub_new();
}

/* Whether the thread is in the stub's code, whatever the area says. */
static bool is_waiting(struct stub_thread *st, u64 where, u32 *rounds)
{
	struct area *a = st->area;
	u32 i;

	for (i = 0; i < CLEAN_TRIES; i++) {
		if (!wait_parked(st, rounds))
			return false;
		if (i && a->cr2 == where && a->sig == 11)
			return true;
		memset(a->regs, 0, sizeof a->regs);
		a->regs[IP_WORD] = where;
		a->regs[IP_WORD + 1] = 2;
		a->fp = 0;
		a->fs_base = a->gs_base = 0;
		a->cr2 = 0;
		if (xchg(&a->state, STATE_RUN) == STATE_SLEEPING)
			host_futex_wake(&a->state);
	}
	return false;
}

static bool stub_clean(struct stub *s)
{
	struct command_op *op = &s->cmd->op[0];
	u64 where = USER_VA_MIN + (arch_cycles() & 0x3fffffff);
	u32 i, rounds = CLEAN_ROUNDS;

	op->nr = HOST_MUNMAP;
	op->arg[0] = 0;
	op->arg[1] = PM_STUB_BASE;
	if (!stub_run(s, 1))
		return false;
	for (i = 0; i < nr_cpus; i++) {
		if (s->thread[i].used && !is_waiting(&s->thread[i], where, &rounds))
			return false;
		s->thread[i].used = false;
		s->thread[i].owner = NULL;
		s->thread[i].image = NULL;
	}
	return true;
}

void stub_put(struct stub *s)
{
	bool keep = !s->broken && stub_clean(s);
	u32 i;

	/* what the last program left there must not be seen by the next */
	for (i = 0; keep && i < nr_cpus; i++)
		memset((u8 *)s->thread[i].area + sizeof(struct area), 0,
		       AREA_ALTSTACK - sizeof(struct area));
	spin_lock(&pool.lock);
	keep = keep && pool.nr < POOL_MAX;
	if (keep) {
		list_add(&pool.free, &s->link);
		pool.nr++;
	}
	spin_unlock(&pool.lock);
	if (!keep)
		stub_kill(s);
}
