// SPDX-License-Identifier: Apache-2.0
/*
 * sysbench.c - what single system calls cost
 *
 * Role      Static program run natively and in containers by tools/bench/count and others. Prints one
 *           line for each measurement: its name and the cost of one round.
 *           sysbench [-t] [-d DIR] [-r ROUNDS-FACTOR] [NAME...]
 * Rules     -t counts ticks of the CPU's counter, otherwise nanoseconds. On a test host started with
 *           --icount shift=0 a tick is one instruction. The cost of the empty loop is taken off; of
 *           five batches the cheapest counts.
 * See       tools/bench/count; tests/README.md
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES	  5
#define PAGE_SIZE 4096

static int use_ticks;
static const char *program;
static int data_fd, pipe_fds[2], ping[2], pong[2];
static char block[PAGE_SIZE];
static volatile sig_atomic_t nr_signals;

static uint64_t ticks(void)
{
#ifdef __x86_64__ /* the only place that knows a CPU */
	return __builtin_ia32_rdtsc();
#else
	uint64_t t, hz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t));
	return t * (1000000000 / hz); /* a slow clock: only sums over many rounds are exact */
#endif
}

static uint64_t now(void)
{
	struct timespec t;

	if (use_ticks)
		return ticks();
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "sysbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(long result, const char *what)
{
	if (result < 0)
		die(what);
}

/* The shortest system call, as the C library makes it: the number is part of the instruction before. */
static inline long call_getppid(void)
{
#ifdef __x86_64__ /* see ticks() */
	long result;

	__asm__ volatile("movl %1, %%eax\n\tsyscall"
			 : "=a"(result)
			 : "i"(SYS_getppid)
			 : "rcx", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = SYS_getppid;
	register long x0 __asm__("x0");

	__asm__ volatile("svc #0" : "=r"(x0) : "r"(x8) : "memory");
	return x0;
#endif
}

static void run_empty(int rounds)
{
	for (int i = 0; i < rounds; i++)
		__asm__ volatile("" : : "r"(i) : "memory");
}

static void run_getppid(int rounds)
{
	for (int i = 0; i < rounds; i++)
		call_getppid();
}

static void run_clock(int rounds)
{
	struct timespec t;

	for (int i = 0; i < rounds; i++)
		clock_gettime(CLOCK_MONOTONIC, &t);
}

static void run_pread(int rounds)
{
	for (int i = 0; i < rounds; i++)
		must(pread(data_fd, block, sizeof(block), 0), "pread");
}

static void run_open_close(int rounds)
{
	for (int i = 0; i < rounds; i++)
		must(close(open("sysbench.dat", O_RDONLY)), "open");
}

static void run_pipe(int rounds)
{
	char c = 0;

	for (int i = 0; i < rounds; i++) {
		must(write(pipe_fds[1], &c, 1), "write");
		must(read(pipe_fds[0], &c, 1), "read");
	}
}

static void run_pingpong(int rounds)
{
	char c = 0;

	for (int i = 0; i < rounds; i++) {
		must(write(ping[1], &c, 1), "write");
		must(read(pong[0], &c, 1), "read");
	}
}

static void echo_until_closed(void)
{
	char c;

	close(ping[1]);
	close(pong[0]);
	while (read(ping[0], &c, 1) == 1)
		must(write(pong[1], &c, 1), "write");
	_exit(0);
}

/* Every page is touched for the first time; mapping and unmapping are shared among many. */
static void run_anon_fault(int rounds)
{
	char *p = mmap(NULL, (size_t)rounds * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, (size_t)rounds * PAGE_SIZE, MADV_NOHUGEPAGE);
	for (int i = 0; i < rounds; i++)
		*(volatile char *)(p + (size_t)i * PAGE_SIZE) = 1;
	munmap(p, (size_t)rounds * PAGE_SIZE);
}

static void run_mmap(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		void *p = mmap(NULL, 4 * PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			die("mmap");
		munmap(p, 4 * PAGE_SIZE);
	}
}

static void on_signal(int number)
{
	nr_signals++;
}

static void run_signal(int rounds)
{
	for (int i = 0; i < rounds; i++)
		kill(getpid(), SIGUSR1);
}

static void wait_for(pid_t pid)
{
	int status;

	must(pid, "fork");
	must(waitpid(pid, &status, 0), "waitpid");
	if (status)
		exit(1);
}

static void run_fork(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		wait_for(pid);
	}
}

static void run_exec(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		pid_t pid = fork();

		if (!pid) {
			execl(program, program, "--exit", (char *)NULL);
			_exit(1);
		}
		wait_for(pid);
	}
}

static const struct bench {
	const char *name;
	void (*run)(int rounds);
	int rounds;
	const char *what;
} benches[] = {
	{"getppid",     run_getppid,	  2000, "the shortest system call"		   },
	{ "clock",	   run_clock,      2000, "clock_gettime through the vDSO"	     },
	{ "pread4k",    run_pread,	500,  "4 KiB from a cached file"		},
	{ "open_close", run_open_close, 300,  "open and close a file"		     },
	{ "pipe",	  run_pipe,	    500,	 "write and read one byte, one process"	},
	{ "pingpong",   run_pingpong,   200,	 "one byte to another process and back"	},
	{ "anon_fault", run_anon_fault, 256,  "first touch of an anonymous page"	},
	{ "mmap",	  run_mmap,	    300,	 "map and unmap four pages, untouched"   },
	{ "signal",	    run_signal,	300,  "signal to oneself, handler, return"	  },
	{ "fork",	  run_fork,	    20,	"fork, exit, wait"			   },
	{ "exec",	  run_exec,	    10,	"fork, exec of this program, exit, wait"},
};
#define NR_BENCHES ((int)(sizeof(benches) / sizeof(benches[0])))

static double cheapest(void (*run)(int), int rounds)
{
	double best = 1e18;

	run(rounds < 16 ? rounds : 16); /* warm up */
	for (int i = 0; i < BATCHES; i++) {
		uint64_t start = now();
		double each;

		run(rounds);
		each = (double)(now() - start) / rounds;
		if (each < best)
			best = each;
	}
	return best;
}

static void prepare(const char *dir)
{
	must(chdir(dir), dir);
	data_fd = open("sysbench.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(data_fd, "sysbench.dat");
	if (write(data_fd, block, sizeof(block)) != sizeof(block))
		die("sysbench.dat");
	must(pipe(pipe_fds), "pipe");
	must(pipe(ping), "pipe");
	must(pipe(pong), "pipe");
	signal(SIGUSR1, on_signal);
}

static int is_wanted(const char *name, char **names)
{
	if (!*names)
		return 1;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return 1;
	return 0;
}

static void measure(const struct bench *b, double factor)
{
	int rounds = b->rounds * factor < 1 ? 1 : b->rounds * factor;
	pid_t echo = 0;

	if (b->run == run_pingpong) {
		echo = fork();
		if (!echo)
			echo_until_closed();
	}
	printf("%-12s %12.1f  %s\n", b->name,
	       cheapest(b->run, rounds) - cheapest(run_empty, rounds), b->what);
	fflush(stdout);
	if (echo) {
		close(ping[1]);
		wait_for(echo);
	}
}

int main(int argc, char **argv)
{
	const char *dir = ".";
	double factor = 1;
	int option;

	if (argc == 2 && !strcmp(argv[1], "--exit"))
		return 0;
	program = realpath(argv[0], NULL);
	while ((option = getopt(argc, argv, "td:r:")) != -1) {
		if (option == 't')
			use_ticks = 1;
		else if (option == 'd')
			dir = optarg;
		else if (option == 'r')
			factor = atof(optarg);
		else
			return 2;
	}
	prepare(dir);
	for (int i = 0; i < NR_BENCHES; i++)
		if (is_wanted(benches[i].name, argv + optind))
			measure(&benches[i], factor);
	unlink("sysbench.dat");
	return 0;
}
