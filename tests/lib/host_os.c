// SPDX-License-Identifier: Apache-2.0
/*
 * host_os - the few host services kapi_host.c stands on
 *
 * Rules     Thread structures live until the process ends: a waker may still hold a pointer to one.
 */
#include "tests/lib/host_os.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/harness.h"

#define HOST_TASK_SPACE 16384

struct host_thread {
	char task[HOST_TASK_SPACE]; /* what current() points at: a struct task full of zeros */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool token; /* [lock] */
	int number;
	struct host_thread *next;
};

struct test_thread {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
};

static __thread struct host_thread *self;
static struct host_thread *threads; /* keeps them reachable for the leak checker */
static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static int nr_threads;

void *host_alloc(size_t align, size_t n)
{
	void *p = NULL;

	return posix_memalign(&p, align, n ? n : 1) ? NULL : p;
}

void host_free(void *p)
{
	free(p);
}

void host_abort(void)
{
	abort();
}

void host_print(const char *text, size_t n)
{
	while (n) {
		ssize_t done = write(2, text, n);

		if (done <= 0)
			return;
		text += done;
		n -= (size_t)done;
	}
}

uint64_t host_clock_ns(int realtime)
{
	struct timespec ts;

	clock_gettime(realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

const char *host_getenv(const char *name)
{
	return getenv(name);
}

void host_yield(void)
{
	sched_yield();
}

struct host_thread *host_self(void)
{
	pthread_condattr_t attr;

	if (self)
		return self;
	self = host_alloc(64, sizeof *self);
	if (!self)
		abort();
	memset(self, 0, sizeof *self);
	pthread_mutex_init(&self->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&self->cond, &attr);
	pthread_mutex_lock(&threads_lock);
	self->number = ++nr_threads;
	self->next = threads;
	threads = self;
	pthread_mutex_unlock(&threads_lock);
	return self;
}

int host_thread_number(void)
{
	return host_self()->number;
}

int host_park(uint64_t deadline_ns)
{
	struct host_thread *t = host_self();
	struct timespec ts = { .tv_sec = (time_t)(deadline_ns / 1000000000u),
			       .tv_nsec = (long)(deadline_ns % 1000000000u) };
	int err = 0;

	pthread_mutex_lock(&t->lock);
	while (!t->token && !err)
		err = deadline_ns == UINT64_MAX ? pthread_cond_wait(&t->cond, &t->lock)
						: pthread_cond_timedwait(&t->cond, &t->lock, &ts);
	err = !t->token;
	t->token = false;
	pthread_mutex_unlock(&t->lock);
	return err;
}

void host_unpark(struct host_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->token = true;
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->lock);
}

static void *thread_main(void *arg)
{
	struct test_thread *t = arg;

	t->fn(t->arg);
	return NULL;
}

struct test_thread *test_thread_start(void (*fn)(void *arg), void *arg)
{
	struct test_thread *t = malloc(sizeof *t);

	if (!t)
		abort();
	t->fn = fn;
	t->arg = arg;
	if (pthread_create(&t->id, NULL, thread_main, t))
		abort();
	return t;
}

void test_thread_join(struct test_thread *t)
{
	pthread_join(t->id, NULL);
	free(t);
}

void test_sleep_ms(u32 ms)
{
	usleep(ms * 1000);
}
