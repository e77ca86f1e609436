# about: two busy threads take at most 0.6 of the time of one after the other (two processors needed)
# timeout: 300
# The shortest of many short rounds is compared, so that a busy machine only makes it take longer.
cat > /tmp/p.c <<'E2'
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static atomic_int go, done;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void burn(void)
{
	volatile double x = 1;

	for (long i = 0; i < 1000000; i++)
		x = x * 1.0000001;
}

static void *other(void *arg)
{
	for (int i = 1;; i++) {
		while (atomic_load(&go) < i) {
			if (atomic_load(&go) < 0)
				return arg;
			__builtin_ia32_pause();
		}
		burn();
		atomic_store(&done, i);
	}
}

int main(void)
{
	pthread_t t;
	double start, middle, end, one = 9, two = 9;

	pthread_create(&t, 0, other, 0);
	for (int i = 1; i <= 10000 && (i < 20 || two > 0.6 * one); i++) {
		start = now();
		burn();
		burn();
		middle = now();
		atomic_store(&go, i);
		burn();
		while (atomic_load(&done) < i)
			__builtin_ia32_pause();
		end = now();
		one = middle - start < one ? middle - start : one;
		two = end - middle < two ? end - middle : two;
	}
	atomic_store(&go, -1);
	pthread_join(t, 0);
	puts(two <= 0.6 * one ? "parallel" : "not parallel");
	return two > 0.6 * one;
}
E2
gcc -O1 -o /tmp/p /tmp/p.c -lpthread && /tmp/p
