# about: two busy threads take at most 0.6 of the time of one after the other (two processors needed)
# timeout: 300
cat > /tmp/p.c <<'E'
#include <pthread.h>
#include <stdio.h>
#include <time.h>
static void *burn(void *arg) { volatile double x = 1; for (long i = 0; i < 100000000; i++) x = x * 1.0000001; return arg; }
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
int main(void)
{
	pthread_t a, b;
	double best = 9;

	for (int i = 0; i < 12 && best > 0.6; i++) {
		double t0 = now(), t1;

		burn(0); burn(0); t1 = now();
		pthread_create(&a, 0, burn, 0); pthread_create(&b, 0, burn, 0); pthread_join(a, 0); pthread_join(b, 0);
		if ((now() - t1) / (t1 - t0) < best) best = (now() - t1) / (t1 - t0);
	}
	fprintf(stdout, "%s\n", best <= 0.6 ? "parallel" : "not parallel");
	return best > 0.6;
}
E
gcc -O1 -o /tmp/p /tmp/p.c -lpthread && /tmp/p
