// SPDX-License-Identifier: Apache-2.0
/*
 * calls - a plain Linux program that makes random system calls, and watches that Linux lives
 *
 * Role      Starts workers (worker.c) one after the other, PROCS at a time, half of them as an ordinary user; a bystander
 *           does something harmless all the time. What it says on stdout is read by run.py: `beat` every second,
 *           `worker SEED UID` for each one, `bad: …` for what must not be, `done …` at the end.
 * Rules     A bystander that has to wait longer than STALL_S, and a process that does not go away after SIGKILL, are bad.
 *           The same --seed starts the same workers: their random sequences depend on their own seed alone. How their
 *           threads meet does not, so a finding may take several runs of --worker.
 * See       tests/README.md
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/calls/calls.h"

#define STALL_S	   10
#define AGE_MAX_S  12	/* of anything but us: then SIGKILL */
#define GONE_BEATS 1000 /* after it */
#define PLACE	   "/tmp/calls"
#define PROCS_MAX  64
#define PIDS_MAX   65536

static struct {
	uint64_t seed, worker;
	unsigned seconds, procs, threads;
	int uid;
	bool has_worker, trace;
} opt = { .seconds = 10, .procs = 4, .threads = 3, .uid = 1000 };

static struct shared {
	unsigned beats; /* of the bystander */
	unsigned longest_ms;
} * shared;
static struct {
	time_t since;	    /* first seen */
	unsigned killed_at; /* + 1, in beats */
	bool was_told;
} seen[PIDS_MAX];
static int bystander;
static unsigned nr_bad;

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static time_t now_s(void)
{
	return (time_t)(now_ms() / 1000);
}

static void bad(const char *what, long n)
{
	printf("bad: %s %ld\n", what, n);
	nr_bad++;
}

/* Descriptors, memory, a child's memory and the clock, a hundred times a second. */
static _Noreturn void stand_by(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint64_t last = now_ms(), now;
	char byte = 0;
	int p[2];

	if (pipe(p))
		_exit(1);
	for (;;) {
		if (write(p[1], &byte, 1) != 1 || read(p[0], &byte, 1) != 1 || getppid() != 1)
			_exit(1);
		nanosleep(&pause, NULL);
		now = now_ms();
		if (now - last > shared->longest_ms)
			shared->longest_ms = (unsigned)(now - last);
		last = now;
		shared->beats++;
	}
}

static int start_worker(uint64_t seed, int uid)
{
	const struct worker_opts o = {
		.seed = seed, .threads = opt.threads, .uid = uid, .trace = opt.trace
	};
	int pid = fork();

	if (!pid) {
		if (chdir(PLACE))
			_exit(1);
		worker_run(&o);
	}
	if (pid > 0)
		printf("worker %lu %d\n", (unsigned long)seed, uid);
	return pid;
}

/* What it is doing instead. */
static void show(int pid)
{
	static const char *const files[] = { "stat", "wchan", "syscall" };
	char path[40], text[300];
	unsigned i;

	for (i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
		int fd = open(path, O_RDONLY);
		ssize_t n = read(fd, text, sizeof text - 1);

		close(fd);
		text[n > 0 ? n : 0] = 0;
		printf("%s: %s\n", path, text);
	}
}

/* Patience is counted in what the bystander did meanwhile: where it does little, the host is busy. */
static void look_at(int pid)
{
	time_t now = now_s();

	if (pid <= 1 || pid == bystander || pid >= PIDS_MAX || pid == getpid())
		return;
	if (!seen[pid].since) {
		seen[pid].since = now;
	} else if (now - seen[pid].since <= AGE_MAX_S) {
		return;
	} else if (!seen[pid].killed_at) {
		seen[pid].killed_at = shared->beats + 1;
		kill(pid, SIGKILL);
	} else if (!seen[pid].was_told && shared->beats - seen[pid].killed_at > GONE_BEATS) {
		bad("does not die:", pid);
		show(pid);
		seen[pid].was_told = true;
	}
}

/* Kills what has grown too old; whoever is not there any more is forgotten. */
static void look_around(void)
{
	static bool there[PIDS_MAX];
	DIR *d = opendir("/proc");
	struct dirent *e;
	int pid;

	if (!d)
		return;
	memset(there, 0, sizeof there);
	while ((e = readdir(d)) != NULL) {
		pid = isdigit(e->d_name[0]) ? atoi(e->d_name) : 0;
		if (pid > 0 && pid < PIDS_MAX)
			there[pid] = true;
		look_at(pid);
	}
	closedir(d);
	for (pid = 0; pid < PIDS_MAX; pid++)
		if (!there[pid])
			memset(&seen[pid], 0, sizeof seen[pid]);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	if (f->level)
		(void)!remove(path);
	return 0;
}

static void every_second(void)
{
	static unsigned beats, quiet, seconds;

	quiet = shared->beats == beats ? quiet + 1 : 0;
	beats = shared->beats;
	if (quiet == STALL_S)
		bad("the bystander stands still; seconds:", quiet);
	printf("beat %u longest %u ms\n", beats, shared->longest_ms);
	look_around();
	if (!(++seconds % 10))
		nftw(PLACE, remove_one, 20, FTW_DEPTH | FTW_PHYS);
}

/* Ended children; how many of them were workers is all that counts. */
static unsigned reap(void)
{
	unsigned n = 0;
	int pid, status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == bystander) {
			bad("the bystander ended:", status);
			bystander = 0;
		}
		if (pid < PIDS_MAX)
			memset(&seen[pid], 0, sizeof seen[pid]);
		n++;
	}
	return n;
}

static void run(void)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	time_t end = now_s() + (time_t)opt.seconds, last = now_s();
	uint64_t seed = opt.seed;
	unsigned live = 0, n;

	while (now_s() < end) {
		if (live < opt.procs && start_worker(seed, seed & 1 ? opt.uid : 0) > 0) {
			live++;
			seed++;
		} else {
			nanosleep(&pause, NULL);
		}
		n = reap(); /* orphans too: the count is corrected downwards only */
		live -= n < live ? n : live;
		if (now_s() != last)
			every_second();
		last = now_s();
	}
	if (shared->longest_ms > STALL_S * 1000)
		bad("the bystander waited; ms:", (long)shared->longest_ms);
	printf("done: %lu workers, longest wait of the bystander %u ms\n",
	       (unsigned long)(seed - opt.seed), shared->longest_ms);
}

static void take_options(int argc, char **argv)
{
	static const struct option names[] = {
		{"seconds",  1, NULL, 's' },
		     { "procs",	1, NULL, 'p' },
		{ "threads",	     1, NULL, 't' },
		     { "seed",    1, NULL, 'S' },
		{ "uid",	 1, NULL, 'u' },
		     { "worker", 1, NULL, 'w' },
		{ "trace",	   0, NULL, 'T' },
		     { 0	 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		uint64_t n = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (c) {
		case 's':
			opt.seconds = (unsigned)n;
			break;
		case 'p':
			opt.procs = n > PROCS_MAX ? PROCS_MAX : (unsigned)n;
			break;
		case 't':
			opt.threads = (unsigned)n;
			break;
		case 'S':
			opt.seed = n;
			break;
		case 'u':
			opt.uid = (int)n;
			break;
		case 'w':
			opt.worker = n;
			opt.has_worker = true;
			break;
		case 'T':
			opt.trace = true;
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct worker_opts one;

	take_options(argc, argv);
	if (access("/proc/monitor", F_OK)) {
		fprintf(stderr, "calls: this is no sandbox, and random calls would damage it\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	mkdir(PLACE, 0777);
	chmod(PLACE, 0777);
	if (opt.has_worker) { /* alone, as --seed started it */
		one = (struct worker_opts){ opt.worker, opt.threads, opt.worker & 1 ? opt.uid : 0,
					    opt.trace };
		return chdir(PLACE) ? 1 : (worker_run(&one), 0);
	}
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bystander = fork();
	if (!bystander)
		stand_by();
	run();
	if (bystander > 0)
		kill(bystander, SIGKILL);
	return nr_bad != 0;
}
