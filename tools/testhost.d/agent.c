// SPDX-License-Identifier: Apache-2.0
/*
 * agent.c - the first process of a test host: prepares Linux, then runs what it is asked to
 *
 * Role      /init of the initramfs made by prepare.py. Loads modules, mounts the usual file systems
 *           and waits for frames on a virtio serial port; client.py is the other end.
 *           `agent --tsc-khz` run on the developer's machine prints its time-stamp frequency.
 * Rules     One job at a time. A frame of a new session ends the job of the old one. A job has a
 *           mount namespace of its own, so what it mounts ends with its last process; whatever it
 *           leaves running is killed unless the request says to keep it. Standard input is paid
 *           for in advance: the client sends the next block only after FRAME_MORE.
 * Missing   Terminals; more than one job at once.
 * See       tools/testhost, client.py (the same frame kinds and request letters)
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT_NAME   "monitor.testhost"
#define FRAME_MAGIC 0x74736548u
#define PAYLOAD_MAX (256 * 1024)
#define STRINGS_MAX 2048

enum frame_kind {
	FRAME_UP = 'U',	    /* to the client: ready, or the answer to FRAME_PING */
	FRAME_PING = 'P',   /* from the client: are you there? */
	FRAME_RUN = 'R',    /* from the client: a request, see struct request */
	FRAME_INPUT = 'I',  /* from the client: standard input, nothing means its end */
	FRAME_MORE = 'M',   /* to the client: that input is written */
	FRAME_SIGNAL = 'S', /* from the client: u32 signal for the job's process group */
	FRAME_OUT = 'O',    /* to the client: standard output */
	FRAME_ERR = 'E',    /* to the client: standard error */
	FRAME_EXIT = 'X',   /* to the client: u32 wait status */
	FRAME_FAILED = 'F', /* to the client: text, the job could not be started */
};

struct frame {
	uint32_t magic, session, kind, len;
};

/* A request is a list of NUL-terminated strings, the first letter saying what each is:
 * a argument, e VAR=VALUE, d directory, m TAG:OPTIONS:TARGET (9p), r TAG:OPTIONS (the host's root,
 * read-only under a tmpfs), c SECONDS.NANOSECONDS, s seed, k keep what is left behind. */
struct request {
	char *args[STRINGS_MAX + 1];
	char *envs[STRINGS_MAX + 1];
	char *mounts[16];
	char *root, *dir, *clock, *seed;
	int nargs, nenvs, nmounts, keep;
};

static struct {
	pid_t pid;	  /* 0: no job */
	int in, out, err; /* our ends, -1 when closed */
	int keep;
	char *input; /* not yet written to `in` */
	size_t input_len;
} job = { .in = -1, .out = -1, .err = -1 };

static int port = -1;
static uint32_t session;

static void complain(const char *what, const char *which)
{
	fprintf(stderr, "agent: %s %s: %s\n", what, which, strerror(errno));
}

static void send_frame(enum frame_kind kind, const void *data, size_t len)
{
	struct frame head = { FRAME_MAGIC, session, kind, len };
	struct iovec part[2] = {
		{&head,	 sizeof(head)},
		 { (void *)data, len	     }
	};
	int first = 0;

	while (first < 2) {
		ssize_t n = writev(port, part + first, 2 - first);

		if (n < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return; /* the client has gone; it will not miss this */
		}
		while (first < 2 && (size_t)n >= part[first].iov_len)
			n -= part[first++].iov_len;
		if (first < 2) {
			part[first].iov_base = (char *)part[first].iov_base + n;
			part[first].iov_len -= n;
		}
	}
}

/* ---- starting a job ---------------------------------------------------------------------- */

static int make_dirs(const char *path)
{
	char copy[4096];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		mkdir(copy, 0755);
		*p = '/';
	}
	return mkdir(copy, 0755) && errno != EEXIST ? -1 : 0;
}

static void give_up(int pipe_fd, const char *what, const char *which)
{
	dprintf(pipe_fd, "%s %s: %s", what, which, strerror(errno));
	_exit(127);
}

/* Under /new: the developer's root file system, written to only in memory. */
static void mount_host_root(int tell, char *spec)
{
	char *tag = strsep(&spec, ":");

	mkdir("/lower", 0755);
	mkdir("/over", 0755);
	if (mount(tag, "/lower", "9p", MS_RDONLY, spec) ||
	    mount("over", "/over", "tmpfs", 0, NULL) || mkdir("/over/upper", 0755) ||
	    mkdir("/over/work", 0755) ||
	    mount("root", "/new", "overlay", 0,
		  "lowerdir=/lower,upperdir=/over/upper,workdir=/over/work"))
		give_up(tell, "mounting", "the host's root");
	for (const char *const *p = (const char *const[]){ "/proc", "/sys", "/dev", NULL }; *p;
	     p++) {
		char target[64];

		snprintf(target, sizeof(target), "/new%s", *p);
		if (mount(*p, target, NULL, MS_BIND | MS_REC, NULL))
			give_up(tell, "mounting", target);
	}
	if (mount("tmp", "/new/tmp", "tmpfs", 0, "mode=1777") ||
	    mount("run", "/new/run", "tmpfs", 0, "mode=755"))
		give_up(tell, "mounting", "/tmp and /run");
}

/* Give the job its own mount namespace whose root is a real mount, not the initramfs, so that
 * pivot_root(2) works in it. */
static void enter_root(int tell, struct request *rq)
{
	mkdir("/new", 0755);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		give_up(tell, "unshare", "mounts");
	if (rq->root)
		mount_host_root(tell, rq->root);
	else if (mount("/", "/new", NULL, MS_BIND | MS_REC, NULL))
		give_up(tell, "mounting", "/");
	for (int i = 0; i < rq->nmounts; i++) {
		char *spec = rq->mounts[i], *tag = strsep(&spec, ":"),
		     *options = strsep(&spec, ":");
		char target[4096];

		snprintf(target, sizeof(target), "/new%s", spec ? spec : "");
		if (!spec || make_dirs(target) || mount(tag, target, "9p", 0, options))
			give_up(tell, "mounting", target);
	}
	if (chdir("/new") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot("."))
		give_up(tell, "changing", "root");
	if (chdir(rq->dir ? rq->dir : "/"))
		give_up(tell, "directory", rq->dir);
}

static void become_job(struct request *rq, int tell, const int ends[3])
{
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	enter_root(tell, rq);
	for (int i = 0; i < 3; i++)
		dup2(ends[i], i);
	for (int i = 0; i < rq->nenvs; i++)
		putenv(rq->envs[i]);
	execvp(rq->args[0], rq->args);
	give_up(tell, "starting", rq->args[0]);
}

static void set_clock(const char *text)
{
	struct timespec now = { 0 };
	char *rest;

	now.tv_sec = strtoll(text, &rest, 10);
	if (*rest == '.')
		now.tv_nsec = strtol(rest + 1, NULL, 10);
	if (clock_settime(CLOCK_REALTIME, &now))
		complain("clock", text);
}

static void stir_randomness(const char *seed)
{
	struct {
		struct rand_pool_info info;
		char bytes[64]; /* where info.buf begins */
	} pool = {
		.info = {.entropy_count = 256, .buf_size = 64}
	};
	int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	snprintf(pool.bytes, sizeof(pool.bytes), "%s", seed);
	if (fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) || ioctl(fd, RNDRESEEDCRNG, NULL))
		complain("random", "seed");
	if (fd >= 0)
		close(fd);
}

static int parse_request(char *data, size_t len, struct request *rq)
{
	memset(rq, 0, sizeof(*rq));
	for (char *p = data; p < data + len; p += strlen(p) + 1) {
		char *value = p + 1;

		switch (*p) {
		case 'a':
			if (rq->nargs < STRINGS_MAX)
				rq->args[rq->nargs++] = value;
			break;
		case 'e':
			if (rq->nenvs < STRINGS_MAX)
				rq->envs[rq->nenvs++] = value;
			break;
		case 'm':
			if (rq->nmounts < 16)
				rq->mounts[rq->nmounts++] = value;
			break;
		case 'r':
			rq->root = value;
			break;
		case 'd':
			rq->dir = value;
			break;
		case 'c':
			rq->clock = value;
			break;
		case 's':
			rq->seed = value;
			break;
		case 'k':
			rq->keep = 1;
			break;
		default:
			return -1;
		}
	}
	return rq->nargs ? 0 : -1;
}

static void start_job(char *data, size_t len)
{
	static struct request rq;
	int in[2], out[2], err[2], tell[2];
	char why[512];
	ssize_t n;

	if (parse_request(data, len, &rq)) {
		send_frame(FRAME_FAILED, "malformed request", 17);
		return;
	}
	if (rq.clock)
		set_clock(rq.clock);
	if (rq.seed)
		stir_randomness(rq.seed);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) ||
	    pipe2(tell, O_CLOEXEC)) {
		send_frame(FRAME_FAILED, "no pipe", 7);
		return;
	}
	job.pid = fork();
	if (job.pid == 0)
		become_job(&rq, tell[1], (const int[]){ in[0], out[1], err[1] });
	close(in[0]);
	close(out[1]);
	close(err[1]);
	close(tell[1]);
	n = read(tell[0], why, sizeof(why));
	close(tell[0]);
	if (n > 0 || job.pid < 0) {
		waitpid(job.pid, NULL, 0);
		job.pid = 0;
		close(in[1]);
		close(out[0]);
		close(err[0]);
		send_frame(FRAME_FAILED, why, n > 0 ? n : 0);
		return;
	}
	job.in = in[1];
	job.out = out[0];
	job.err = err[0];
	job.keep = rq.keep;
	fcntl(job.in, F_SETFL, O_NONBLOCK);
	fcntl(job.out, F_SETFL, O_NONBLOCK);
	fcntl(job.err, F_SETFL, O_NONBLOCK);
}

/* ---- a job's life ------------------------------------------------------------------------ */

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Passes on what is there; returns false when there is nothing more for now. */
static int pass_output(int *fd, enum frame_kind kind)
{
	static char block[32768];
	ssize_t n;

	if (*fd < 0)
		return 0;
	n = read(*fd, block, sizeof(block));
	if (n > 0)
		send_frame(kind, block, n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_end(fd);
	return n > 0;
}

static void write_input(void)
{
	ssize_t n = write(job.in, job.input, job.input_len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) { /* nobody reads any more */
		close_end(&job.in);
		n = job.input_len;
	}
	memmove(job.input, job.input + n, job.input_len - n);
	job.input_len -= n;
	if (!job.input_len)
		send_frame(FRAME_MORE, NULL, 0);
}

static void take_input(const char *data, size_t len)
{
	if (!len) {
		close_end(&job.in);
		return;
	}
	if (job.in < 0) {
		send_frame(FRAME_MORE, NULL, 0);
		return;
	}
	free(job.input);
	job.input = malloc(len);
	if (!job.input)
		return;
	memcpy(job.input, data, len);
	job.input_len = len;
	write_input();
}

static void end_job(void)
{
	if (!job.keep)
		kill(-1, SIGKILL); /* all but ourselves */
	close_end(&job.in);
	close_end(&job.out);
	close_end(&job.err);
	job.input_len = 0;
	job.pid = 0;
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		uint32_t word = status;

		if (pid != job.pid)
			continue;
		while (pass_output(&job.out, FRAME_OUT) || pass_output(&job.err, FRAME_ERR))
			;
		end_job();
		send_frame(FRAME_EXIT, &word, sizeof(word));
	}
}

/* ---- frames from the client -------------------------------------------------------------- */

static void handle_frame(const struct frame *head, char *data)
{
	if (head->session != session && job.pid) {
		pid_t old = job.pid;

		end_job();
		kill(-old, SIGKILL);
		waitpid(old, NULL, 0);
	}
	session = head->session;
	switch (head->kind) {
	case FRAME_PING:
		send_frame(FRAME_UP, NULL, 0);
		break;
	case FRAME_RUN:
		start_job(data, head->len);
		break;
	case FRAME_INPUT:
		take_input(data, head->len);
		break;
	case FRAME_SIGNAL:
		if (job.pid && head->len == sizeof(uint32_t))
			kill(-job.pid, *(uint32_t *)data);
		break;
	}
}

/* Reads what is there and handles every whole frame. Bytes that begin no frame are skipped: a
 * client that was killed may have left half of one, and its successor sends zeros first. */
static void read_port(void)
{
	static char buffer[sizeof(struct frame) + PAYLOAD_MAX + 1];
	static size_t have;
	ssize_t n = read(port, buffer + have, sizeof(buffer) - 1 - have);
	size_t used = 0;

	if (n <= 0) {
		usleep(1000); /* no client is connected */
		return;
	}
	have += n;
	while (have - used >= sizeof(struct frame)) {
		struct frame head;

		memcpy(&head, buffer + used, sizeof(head));
		if (head.magic != FRAME_MAGIC || head.len > PAYLOAD_MAX) {
			used++;
			continue;
		}
		if (have - used - sizeof(head) < head.len)
			break;
		handle_frame(&head, buffer + used + sizeof(head));
		used += sizeof(head) + head.len;
	}
	memmove(buffer, buffer + used, have - used);
	have -= used;
}

/* ---- bringing the host up ---------------------------------------------------------------- */

static void mount_at(const char *type, const char *target, const char *options)
{
	mkdir(target, 0755);
	if (mount(type, target, type, 0, options) && errno != EBUSY)
		complain("mount", target);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		complain("write", path);
	if (fd >= 0)
		close(fd);
}

/* /modules/list names the files in the order of their dependencies. */
static void load_modules(void)
{
	FILE *list = fopen("/modules/list", "re");
	char name[256];

	while (list && fgets(name, sizeof(name), list)) {
		int fd;

		name[strcspn(name, "\n")] = 0;
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			complain("module", name);
		if (fd >= 0)
			close(fd);
	}
	if (list)
		fclose(list);
}

static void bring_up_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &request))
		complain("network", "lo");
	if (s >= 0)
		close(s);
}

/* Opens the virtio serial port that bears our name. */
static int open_port(void)
{
	DIR *ports = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	int fd = -1;

	while (fd < 0 && ports && (entry = readdir(ports))) {
		char path[300], name[64] = "";
		FILE *f;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		f = fopen(path, "re");
		if (f && fgets(name, sizeof(name), f) &&
		    !strncmp(name, PORT_NAME, strlen(PORT_NAME))) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			fd = open(path, O_RDWR | O_CLOEXEC);
		}
		if (f)
			fclose(f);
	}
	if (ports)
		closedir(ports);
	return fd;
}

static void bring_up(void)
{
	struct rlimit files = { 1 << 20, 1 << 20 };

	mount_at("proc", "/proc", NULL);
	mount_at("sysfs", "/sys", NULL);
	mount_at("devtmpfs", "/dev", NULL);
	load_modules();
	mount_at("devpts", "/dev/pts", "ptmxmode=0666,mode=620");
	mount_at("tmpfs", "/dev/shm", "mode=1777");
	mount_at("tmpfs", "/tmp", "mode=1777");
	mount_at("tmpfs", "/run", "mode=755");
	mount_at("cgroup2", "/sys/fs/cgroup", NULL);
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpu +memory +pids");
	(void)!symlink("/proc/self/fd", "/dev/fd");
	(void)!symlink("/proc/self/fd/0", "/dev/stdin");
	(void)!symlink("/proc/self/fd/1", "/dev/stdout");
	(void)!symlink("/proc/self/fd/2", "/dev/stderr");
	sethostname("testhost", 8);
	bring_up_loopback();
	setrlimit(RLIMIT_NOFILE, &files);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
}

#ifdef __x86_64__ /* only asked of the developer's machine, before there is a test host */
static int print_tsc_khz(void)
{
	struct timespec from, to;
	uint64_t ticks = __builtin_ia32_rdtsc();
	double seconds;

	clock_gettime(CLOCK_MONOTONIC_RAW, &from);
	do {
		clock_gettime(CLOCK_MONOTONIC_RAW, &to);
		seconds = (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) * 1e-9;
	} while (seconds < 0.1);
	ticks = __builtin_ia32_rdtsc() - ticks;
	printf("%.0f\n", ticks / seconds / 1000);
	return 0;
}
#else
static int print_tsc_khz(void)
{
	return 1;
}
#endif

static void serve(int children)
{
	for (;;) {
		struct pollfd ends[] = {
			{port,				POLLIN,	0},
			{ children,		    POLLIN,  0},
			{ job.out,			   POLLIN,  0},
			{ job.err,			   POLLIN,  0},
			{ job.input_len ? job.in : -1, POLLOUT, 0},
		};

		if (poll(ends, 5, -1) < 0)
			continue;
		if (ends[2].revents)
			pass_output(&job.out, FRAME_OUT);
		if (ends[3].revents)
			pass_output(&job.err, FRAME_ERR);
		if (ends[4].revents)
			write_input();
		if (ends[1].revents) {
			struct signalfd_siginfo info;

			while (read(children, &info, sizeof(info)) > 0)
				;
			reap();
		}
		if (ends[0].revents & POLLIN)
			read_port();
		else if (ends[0].revents)
			usleep(1000);
	}
}

int main(int argc, char **argv)
{
	sigset_t child;

	if (argc > 1 && !strcmp(argv[1], "--tsc-khz"))
		return print_tsc_khz();
	if (getpid() != 1) {
		fprintf(stderr, "agent: runs as the first process of a test host only\n");
		return 2;
	}
	bring_up();
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	port = open_port();
	if (port < 0) {
		complain("no port", PORT_NAME);
		reboot(RB_POWER_OFF);
	}
	send_frame(FRAME_UP, NULL, 0);
	serve(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
}
