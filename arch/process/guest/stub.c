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
 *           A stub that does not answer is killed, and so is the task that was in it. Whatever its processes may still
 *           map is freed only when the host says that they are gone; of a stub whose birth nobody confirmed, never.
 *           A report says which stub and which command it answers (report_ok()), and a stub whose answer was
 *           given up is dead before the next command goes out, so no late report counts for anything else.
 *           Births report on a descriptor of their own, since the late one is not dead.
 *           Host threads: two for each stub (the service, and one where it runs), one more for each further guest CPU
 *           that runs it; stubs: as many as there may be tasks (pm_boot->pids_limit), and the pool.
 * Locking   pool.lock; birth.lock while the spawner makes a stub or a stub a thread: a host lock (host.h), because it is held
 *           over waits for the host. Commands to one stub: its space's page table lock, or nobody else has it.
 */
#include "arch/cpu.h"
#include "arch/fpu.h"
#include "arch/param.h"
#include "arch/process/guest/host.h"
#include "arch/process/guest/local.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/atomic.h"
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
BUILD_BUG_ON(offsetof(struct area, fp) != AREA_FP);
BUILD_BUG_ON(offsetof(struct area, regs) != AREA_REGS);
BUILD_BUG_ON(offsetof(struct area, fs_base) != AREA_FS);
BUILD_BUG_ON(DATA_NO_SIGNALS != PM_STUB_NO_SIGNALS_OFF ||
	     PM_STUB_DATA - PM_STUB_CODE != STUB_DATA_OFF);
BUILD_BUG_ON(DATA_STACKS + HYP_CPU_MAX * DATA_STACK_BYTES > DATA_FILTERS);
BUILD_BUG_ON(offsetof(struct area, pid) != AREA_PID);
BUILD_BUG_ON(offsetof(struct command, off) != CMD_OFF);
BUILD_BUG_ON(offsetof(struct command, pid_fd) != CMD_PID_FD);
BUILD_BUG_ON(offsetof(struct command, op) != CMD_OPS);
BUILD_BUG_ON(sizeof(struct command_op) != CMD_OP_BYTES);
BUILD_BUG_ON(PM_STUB_AREA_BYTES != 1 << AREA_STRIDE_SHIFT);

#define POOL_MAX       32
#define ANSWER_POLL_MS 200
#define ANSWER_ROUNDS \
	100 /* 20 s: application code cannot delay it, only a host that is very busy */
#define PARK_POLL_NS (10 * 1000 * 1000)
#define BIRTH_ROUNDS 500 /* 5 s */
#define CLEAN_ROUNDS 10	 /* 100 ms for all threads: losing a stub costs less than waiting for it */
#define CLEAN_TRIES  8
#define IP_WORD	     16
#define FILTER_MAX   ((STUB_DATA_BYTES - DATA_FILTERS) / 8)
#define SIGKILL_     9
/* VM FS SIGHAND SYSVSEM, SIGCHLD when it ends */
#define CLONE_APP 0x40b11ull
#define SA_FLAGS  0x4c000004ull /* SIGINFO ONSTACK NODEFER RESTORER */

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

static struct {
	struct host_lock lock;
	struct list lost; /* [lock] stubs that did not report their birth, link */
} birth = {
	.lost = {&birth.lost, &birth.lost}
};

static atomic_t nr_stubs, next_id;

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
	u32 used = 0, i;

	for (i = 0; i < HYP_CPU_MAX; i++) {
		u64 area = PM_STUB_AREA + i * PM_STUB_AREA_BYTES;
		const u64 stack[3] = { area + AREA_ALTSTACK, 0, AREA_ALTSTACK_TOP - AREA_ALTSTACK };

		memcpy(stub_data + DATA_STACKS + i * DATA_STACK_BYTES, stack, sizeof stack);
	}
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

bool host_is_alive(u32 pid)
{
	return host_call3(HOST_TGKILL, pid, pid, 0) == 0;
}

enum answer { ANSWER_OK, ANSWER_FAILED, ANSWER_NONE };

/* What the service thread adds to an eventfd: no other command of any stub has the same. */
static u64 report_ok(const struct stub *s, u32 seq)
{
	return (u64)s->id << 32 | (u64)(seq & 0x3fffffff) << 2 | 1;
}

static u64 report_fail(const struct stub *s, u32 seq)
{
	return report_ok(s, seq) + 1;
}

static u64 read_reports(u32 fd)
{
	u64 word = 0;

	return host_call3(HOST_READ, fd, (u64)&word, sizeof word) == sizeof word ? word : 0;
}

/* The report to command seq on fd. pid 0: of a process not known yet. */
static enum answer wait_report(u32 fd, const struct stub *s, u32 seq, u32 pid)
{
	struct {
		s32 fd;
		s16 events, revents;
	} p = { .fd = (s32)fd, .events = 1 };
	u32 i;

	lock_check_host_wait();
	for (i = 0; i < ANSWER_ROUNDS; i++) {
		if (host_call3(HOST_POLL, (u64)&p, 1, ANSWER_POLL_MS) == 1) {
			u64 word = read_reports(fd);

			if (word == report_ok(s, seq))
				return ANSWER_OK;
			if (word == report_fail(s, seq))
				return ANSWER_FAILED;
			if (word)
				log_warn("a report of a stub that was given up: %lx", word);
		} else if (pid && !host_is_alive(pid)) {
			break;
		}
	}
	return ANSWER_NONE;
}

/* The words of the next report, in a page the stub cannot write. */
static u32 prepare_report(struct command *cmd, const struct stub *s, u32 fd)
{
	u32 seq = cmd->seq + 1;

	cmd->done_fd = fd;
	cmd->ok = report_ok(s, seq);
	cmd->fail = report_fail(s, seq);
	return seq;
}

static void send_command(struct command *cmd, u32 seq)
{
	store_release(&cmd->seq, seq);
	host_futex_wake(&cmd->seq);
}

bool stub_run(struct stub *s, u32 count)
{
	u32 fd = PM_FD_DONE + this_cpu()->id, seq;
	enum answer answer;

	if (s->broken)
		return false;
	place_follow_service(s);
	s->cmd->count = count;
	seq = prepare_report(s->cmd, s, fd);
	send_command(s->cmd, seq);
	answer = wait_report(fd, s, seq, s->pid);
	if (unlikely(answer == ANSWER_NONE)) {
		stub_break(s);
		read_reports(fd); /* its last one, if it made it */
	}
	return answer == ANSWER_OK;
}

static void kill_host(u32 pid)
{
	if (pid)
		host_call3(HOST_TGKILL, pid, pid, SIGKILL_);
}

static void wait_gone(u32 pid)
{
	const struct host_timespec t = { 0, 100000 };
	u32 word = 0;

	lock_check_host_wait();
	while (pid && host_is_alive(pid))
		host_futex_wait(&word, 0, &t);
}

void stub_break(struct stub *s)
{
	u32 i;

	kill_host(s->pid);
	for (i = 0; i < nr_cpus; i++)
		kill_host(s->thread[i].tid);
	wait_gone(s->pid);
	for (i = 0; i < nr_cpus; i++)
		wait_gone(s->thread[i].tid);
	s->broken = true;
}

/* No process of it is left. */
static void stub_free(struct stub *s)
{
	page_put(s->cmd_page);
	page_free_order(s->area_page, s->area_order);
	kfree(s);
	atomic_add(&nr_stubs, (u32)-1);
}

void stub_kill(struct stub *s)
{
	ration_remove(s);
	stub_break(s);
	stub_free(s);
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
	atomic_add(&nr_stubs, 1);
	s->cmd = page_kaddr(s->cmd_page);
	s->id = atomic_add(&next_id, 1) & 0x3fffffff;
	for (i = 0; i < nr_cpus; i++) {
		struct area *a = (struct area *)((u8 *)page_kaddr(s->area_page) + i * AREA_BYTES);

		s->thread[i].area = a;
		a->state = STATE_RUN;
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

	lock_check_host_wait();
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

/* Stubs whose birth was given up, and that were born nevertheless: their pages come back. [birth.lock] */
static void bury_lost(void)
{
	struct stub *s, *next;

	list_for_each_entry_safe (s, next, &birth.lost, link) {
		s->pid = READ_ONCE(s->thread[0].area->pid);
		if (!s->pid)
			continue;
		list_del(&s->link);
		stub_break(s);
		stub_free(s);
	}
}

/* The spawner's command asks for a child; the child reports by its own page. [birth.lock] */
static enum answer ask_spawner(struct stub *s)
{
	struct command *cmd = (struct command *)spawner_page;
	u32 seq;

	read_reports(PM_FD_BIRTH);
	seq = prepare_report(cmd, s, PM_FD_BIRTH);
	cmd->off = page_paddr(s->cmd_page).pa - HYP_RAM_BASE;
	cmd->area_off = page_paddr(s->area_page).pa - HYP_RAM_BASE;
	s->cmd->done_fd = cmd->done_fd;
	s->cmd->pid_fd = PM_FD_BIRTH;
	s->cmd->ok = cmd->ok;
	s->cmd->fail = cmd->fail;
	send_command(cmd, seq);
	return wait_report(PM_FD_BIRTH, s, seq, 0);
}

static bool may_have_more(void)
{
	u32 most = pm_boot->pids_limit;

	return !most || atomic_read(&nr_stubs) <= most + POOL_MAX + nr_cpus;
}

static struct stub *stub_new(void)
{
	struct stub *s = may_have_more() ? stub_alloc() : NULL;
	enum answer answer;

	if (!s)
		return NULL;
	host_lock(&birth.lock);
	bury_lost();
	answer = ask_spawner(s);
	if (answer == ANSWER_NONE)
		list_add(&birth.lost, &s->link); /* it may yet map its pages */
	host_unlock(&birth.lock);
	if (answer == ANSWER_OK) {
		s->pid = s->thread[0].area->pid;
		ration_add(s);
		return s;
	}
	log_err("the host did not give us another process");
	if (answer == ANSWER_FAILED)
		stub_free(s);
	return NULL;
}

/* The number of the new thread comes on the birth descriptor, before the report. */
bool stub_make_thread(struct stub *s)
{
	struct stub_thread *st = &s->thread[this_cpu()->id];
	u64 va = PM_STUB_AREA + this_cpu()->id * PM_STUB_AREA_BYTES;
	struct command_op *op = s->cmd->op;
	u32 rounds = BIRTH_ROUNDS;
	bool ok;

	op[0] = (struct command_op){
		.nr = HOST_MMAP,
		.arg = {va, AREA_BYTES, HOST_PROT_READ | HOST_PROT_WRITE,
			 HOST_MAP_SHARED | HOST_MAP_FIXED, PM_FD_RAM,
			 page_paddr(s->area_page).pa - HYP_RAM_BASE + this_cpu()->id * AREA_BYTES},
	};
	op[1] = (struct command_op){
		.nr = HOST_CLONE, .arg = {CLONE_APP, va + AREA_ALTSTACK_TOP}
	};
	host_lock(&birth.lock);
	read_reports(PM_FD_BIRTH);
	ok = stub_run(s, 2);
	if (ok)
		st->tid = (u32)read_reports(PM_FD_BIRTH);
	host_unlock(&birth.lock);
	return ok && wait_parked(st, &rounds);
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
static bool is_waiting(struct stub *s, u32 cpu, u64 where, u32 *rounds)
{
	struct stub_thread *st = &s->thread[cpu];
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
		arch_fpu_init_state((struct fpu_state *)((u8 *)a + AREA_XSAVE));
		a->fp = PM_STUB_AREA + cpu * PM_STUB_AREA_BYTES + AREA_XSAVE;
		a->fs_base = a->gs_base = 0;
		a->cr2 = 0;
		if (xchg(&a->state, STATE_RUN) == STATE_SLEEPING)
			host_futex_wake(&a->state);
	}
	return false;
}

/* What the last program left must not be seen by the next: its registers in frames and images, what its commands said
 * about its memory. The thread waits, and goes on with nothing but the words before AREA_XSAVE, all written anew. */
static void wipe(struct stub *s)
{
	u32 i;

	for (i = 0; i < nr_cpus; i++) {
		struct area *a = s->thread[i].area;

		if (i && !s->thread[i].tid) /* not mapped there */
			continue;
		memset(&a->sig, 0, offsetof(struct area, pid) - offsetof(struct area, sig));
		memset(a + 1, 0, AREA_BYTES - sizeof *a);
	}
	memset(s->cmd->op, 0, sizeof s->cmd->op);
}

/* How many of the threads that ran wait; 0: not all. One that the kernel did not let run may have been woken by another:
 * its processor time tells. */
static u32 all_waiting(struct stub *s, u32 *rounds)
{
	u64 where = USER_VA_MIN + (arch_cycles() & 0x3fffffff);
	u32 i, n = 0;

	for (i = 0; i < nr_cpus; i++) {
		struct stub_thread *st = &s->thread[i];
		bool waits;

		if (!st->tid || (!st->used && ration_cpu_ns(st->tid) == st->slept_ns))
			continue;
		ration_begin(st, arch_cycles());
		waits = is_waiting(s, i, where, rounds);
		ration_end(st, arch_cycles());
		if (!waits)
			return 0;
		n++;
	}
	return MAX(n, 1u);
}

static bool stub_clean(struct stub *s)
{
	struct command_op *op = &s->cmd->op[0];
	u32 i, n, rounds = CLEAN_ROUNDS;

	op->nr = HOST_MUNMAP;
	op->arg[0] = 0;
	op->arg[1] = PM_STUB_BASE;
	if (!stub_run(s, 1))
		return false;
	n = all_waiting(s, &rounds);
	if (!n || (n > 1 &&
		   !all_waiting(s, &rounds))) /* one not asked yet could have woken one that was */
		return false;
	wipe(s);
	for (i = 0; i < nr_cpus; i++) {
		if (s->thread[i].tid)
			s->thread[i].slept_ns = ration_cpu_ns(s->thread[i].tid);
		s->thread[i].used = false;
		s->thread[i].owner = NULL;
		s->thread[i].image = NULL;
	}
	return true;
}

void stub_put(struct stub *s)
{
	bool keep;

	s->tgid = 0;
	keep = !s->broken && stub_clean(s);
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
