// SPDX-License-Identifier: Apache-2.0
/*
 * kapi_host - the kernel interfaces of kapi/ over the host, for unit tests
 *
 * Role      Heap with failure injection and leak counts, pages, panic, log, clocks, the current task. Locks
 *           and wait queues are in kapi_host_wait.c, application memory in kapi_host_user.c.
 * Rules     A task is a host thread. Code under test runs unchanged.
 * Missing   Timers (kapi/timer.h), files.
 * See       harness.h, kapi_host.h
 */
#include "tests/lib/kapi_host.h"
#include "guestkernel/kapi/alloc.h"
#include "guestkernel/kapi/bug.h"
#include "guestkernel/kapi/cred.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/current.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/log.h"
#include "guestkernel/kapi/page.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/time.h"
#include "tests/lib/host_os.h"

#define HOST_PAGES 16384

u32 log_level_max = LOG_WARN;
struct page *page_map;
u64 page_first_pfn = 16, page_end_pfn = 16 + HOST_PAGES;

static atomic_t fail_countdown;
static bool fail_done;
static atomic64_t blocks_in_use, pages_in_use;
static u64 fixed_clock;
static struct cpu host_cpu;

void fail_at(u32 n)
{
	fail_done = false;
	atomic_set(&fail_countdown, n);
}

bool fail_happened(void)
{
	return fail_done;
}

static bool must_fail(void)
{
	u32 n = atomic_read(&fail_countdown);

	if (n == 0)
		return false;
	atomic_set(&fail_countdown, n - 1);
	fail_done |= n == 1;
	return n == 1;
}

u64 host_blocks_in_use(void)
{
	return atomic64_read(&blocks_in_use);
}

u64 host_pages_in_use(void)
{
	return atomic64_read(&pages_in_use);
}

/* Heap: the size stands in front of each block. */
struct block {
	size_t size;
	u64 pad;
};

static struct block *block_of(const void *p)
{
	return (struct block *)(uintptr_t)p - 1;
}

void *kmalloc(size_t size)
{
	struct block *b;

	if (size > KMALLOC_MAX || must_fail())
		return NULL;
	b = host_alloc(16, sizeof *b + size);
	if (!b)
		return NULL;
	b->size = size;
	memset(b + 1, 0xa5, size);
	atomic64_add(&blocks_in_use, 1);
	return b + 1;
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void *kcalloc(size_t count, size_t size)
{
	size_t n;

	return __builtin_mul_overflow(count, size, &n) ? NULL : kzalloc(n);
}

void *krealloc(void *p, size_t new_size)
{
	void *q = kmalloc(new_size);

	if (q && p) {
		memcpy(q, p, MIN(new_size, block_of(p)->size));
		kfree(p);
	}
	return q;
}

void kfree(void *p)
{
	if (!p)
		return;
	memset(p, 0xdd, block_of(p)->size);
	atomic64_sub(&blocks_in_use, 1);
	host_free(block_of(p));
}

void *kmemdup(const void *p, size_t n)
{
	void *q = kmalloc(n);

	if (q)
		memcpy(q, p, n);
	return q;
}

char *kstrdup(const char *s)
{
	return kmemdup(s, strlen(s) + 1);
}

size_t ksize(const void *p)
{
	return block_of(p)->size;
}

struct kmem_cache {
	size_t size;
};

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	struct kmem_cache *c = host_alloc(16, sizeof *c);

	BUG_ON(align > 16);
	if (c)
		c->size = size;
	return c;
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	return kmalloc(c->size);
}

void *kmem_cache_zalloc(struct kmem_cache *c)
{
	return kzalloc(c->size);
}

void kmem_cache_free(struct kmem_cache *c, void *p)
{
	kfree(p);
}

/* Pages: struct page of a frame and its memory are made when it is handed out. */
static u8 *page_memory;
static u8 page_used[HOST_PAGES];
static struct spinlock page_lock = SPINLOCK_INIT(RANK_PHYS);

static int find_run_locked(u32 nr, u64 *first) REQUIRES(&page_lock)
{
	u32 run = 0;

	for (u64 i = 0; i < HOST_PAGES; i++) {
		run = page_used[i] || (run == 0 && i % nr) ? 0 : run + 1;
		if (run == nr) {
			*first = i + 1 - nr;
			return 0;
		}
	}
	return -ENOMEM;
}

int page_alloc_order(u32 order, u32 flags, struct page **out)
{
	u32 nr = 1u << order;
	u64 first = 0;
	int ret;

	if (must_fail())
		return -ENOMEM;
	spin_lock(&page_lock);
	if (!page_map) {
		page_map = host_alloc(64, HOST_PAGES * sizeof *page_map);
		page_memory = host_alloc(PAGE_SIZE, HOST_PAGES * PAGE_SIZE);
		BUG_ON(!page_map || !page_memory);
	}
	ret = find_run_locked(nr, &first);
	if (!ret)
		memset(page_used + first, 1, nr);
	spin_unlock(&page_lock);
	if (ret)
		return ret;
	memset(page_map + first, 0, nr * sizeof *page_map);
	memset(page_memory + first * PAGE_SIZE, flags & PAGE_ZERO ? 0 : 0xa5, nr * PAGE_SIZE);
	refs_init(&page_map[first].refs, 1);
	atomic64_add(&pages_in_use, nr);
	*out = &page_map[first];
	return 0;
}

int page_alloc(u32 flags, struct page **out)
{
	return page_alloc_order(0, flags, out);
}

void page_free_order(struct page *pg, u32 order)
{
	u64 first = (u64)(pg - page_map);
	u32 nr = 1u << order;

	memset(page_memory + first * PAGE_SIZE, 0xdd, nr * PAGE_SIZE);
	spin_lock(&page_lock);
	BUG_ON(!page_used[first]);
	memset(page_used + first, 0, nr);
	spin_unlock(&page_lock);
	atomic64_sub(&pages_in_use, nr);
}

void page_put(struct page *pg)
{
	if (refs_put(&pg->refs))
		page_free_order(pg, 0);
}

void *page_kaddr(const struct page *pg)
{
	return page_memory + (u64)(pg - page_map) * PAGE_SIZE;
}

struct page *kaddr_page(const void *kaddr)
{
	return &page_map[((const u8 *)kaddr - page_memory) / PAGE_SIZE];
}

void page_stats(struct page_stats *out)
{
	*out = (struct page_stats){ .total = HOST_PAGES, .free = HOST_PAGES - host_pages_in_use() };
}

static void print_line(const char *prefix, const char *fmt, va_list ap)
{
	char line[512];
	int n = snprintf(line, sizeof line, "%s", prefix);

	n += vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	n = MIN(n, (int)sizeof line - 2);
	line[n++] = '\n';
	host_print(line, (size_t)n);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("panic: ", fmt, ap);
	va_end(ap);
	host_abort();
}

void log_print(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line("log: ", fmt, ap);
	va_end(ap);
}

void host_clock_fix(u64 monotonic_ns)
{
	fixed_clock = monotonic_ns;
}

u64 clock_monotonic_ns(void)
{
	return fixed_clock ? fixed_clock : host_clock_ns(0);
}

u64 clock_realtime_ns(void)
{
	return fixed_clock ? fixed_clock + 1600000000 * NSEC_PER_SEC : host_clock_ns(1);
}

int clock_get_ns(s32 clock_id, u64 *out)
{
	if (clock_id < 0 || clock_id > CLOCK_TAI)
		return -EINVAL;
	*out = clock_id == CLOCK_REALTIME ? clock_realtime_ns() : clock_monotonic_ns();
	return 0;
}

static bool to_ns(s64 sec, s64 frac, s64 per_sec, u64 *out)
{
	if (sec < 0 || frac < 0 || frac >= per_sec)
		return false;
	*out = (u64)sec >= U64_MAX / NSEC_PER_SEC - 1
		       ? U64_MAX - 1
		       : (u64)sec * NSEC_PER_SEC + (u64)frac * (NSEC_PER_SEC / (u64)per_sec);
	return true;
}

bool timespec_to_ns(const struct timespec *ts, u64 *out)
{
	return to_ns(ts->tv_sec, ts->tv_nsec, (s64)NSEC_PER_SEC, out);
}

bool timeval_to_ns(const struct timeval *tv, u64 *out)
{
	return to_ns(tv->tv_sec, tv->tv_usec, 1000000, out);
}

/* The current task is root with every capability; tests may edit host_cred. */
struct cred host_cred = {
	.refs = { { 1 } }, .cap_permitted = ~0ull, .cap_effective = ~0ull, .cap_bounding = ~0ull
};

struct cpu *this_cpu(void)
{
	return &host_cpu;
}

const struct cred *current_cred(void)
{
	return &host_cred;
}

void cred_put(const struct cred *c)
{
	BUG_ON(refs_put(&((struct cred *)(uintptr_t)c)->refs) && c != &host_cred);
}

bool cred_in_group(const struct cred *c, u32 gid)
{
	for (u32 i = 0; i < c->nr_groups; i++)
		if (c->groups[i] == gid)
			return true;
	return c->fsgid == gid;
}

bool cred_capable(const struct cred *c, u32 cap)
{
	return c->cap_effective >> cap & 1;
}

bool capable(u32 cap)
{
	return cred_capable(&host_cred, cap);
}

u64 current_rlimit(u32 which)
{
	return which == 7 ? 1024 : U64_MAX; /* RLIMIT_NOFILE */
}

s32 current_tid(void)
{
	return host_thread_number();
}

s32 current_tgid(void)
{
	return 1;
}

void current_send_signal(s32 sig)
{
}

void signal_send_pid(s32 pid, s32 sig, s32 si_code, s32 band, s32 fd)
{
}
