// SPDX-License-Identifier: Apache-2.0
/*
 * platform - see platform.h
 *
 * Rules     The memory of a measurement is a line "BOOT-ID PICOSECONDS" in the file "platform" of the cache's directory,
 *           which only its user can write. Anything else in it counts as nothing.
 */
#include "vmm/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "arch/vcpu.h"
#include "vmm/image/cache.h"
#include "vmm/image/place.h"
#include "vmm/launch.h"
#include "vmm/log.h"
#include "vmm/machine.h"

#define FAST_PS	    100000u /* an emulated instruction takes ten times that, a real one a hundredth */
#define BOOT_ID_LEN 36

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

static int read_boot_id(char id[BOOT_ID_LEN + 1])
{
	CLEANUP_FD int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, id, BOOT_ID_LEN) != BOOT_ID_LEN)
		return -EIO;
	id[BOOT_ID_LEN] = 0;
	return 0;
}

static bool recall(const struct cache *c, const char *boot_id, uint64_t *ps)
{
	CLEANUP_FD int fd = place_openat(c->fd, "platform", O_RDONLY | O_NONBLOCK, 0);
	char line[80];
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);

	if (n <= BOOT_ID_LEN)
		return false;
	line[n] = 0;
	return !strncmp(line, boot_id, BOOT_ID_LEN) &&
	       sscanf(line + BOOT_ID_LEN, " %" SCNu64 "\n", ps) == 1;
}

/* Whole or not at all; a failure only costs the next run a measurement. */
static void remember(const struct cache *c, const char *boot_id, uint64_t ps)
{
	char name[40], line[80];
	int len = snprintf(line, sizeof line, "%s %" PRIu64 "\n", boot_id, ps), fd;

	snprintf(name, sizeof name, "platform.%d", getpid());
	fd = openat(c->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write(fd, line, (size_t)len) != len || renameat(c->fd, name, c->fd, "platform"))
		unlinkat(c->fd, name, 0);
	close(fd);
}

static int measure(struct platform_report *r)
{
	static struct vm probe; /* too large for a stack */
	uint64_t start = now_us();
	int ret;

	probe = (struct vm){
		.kvm_fd = -1, .fd = -1, .irqchip_fd = -1, .event_fd = -1, .kick_fd = -1
	};
	ret = machine_kvm.open(&probe, &r->kvm_error);
	if (!ret)
		ret = arch_kvm_probe(probe.kvm_fd, probe.fd, &r->ring0_ps, &r->kvm_error);
	machine_kvm.destroy(&probe);
	r->probe_us = now_us() - start;
	return ret;
}

static void look_at_kvm(struct platform_report *r)
{
	char boot_id[BOOT_ID_LEN + 1];
	struct cache cache;
	bool has_cache;

	has_cache = !read_boot_id(boot_id) && !cache_open(NULL, &cache, NULL);
	if (has_cache && !access("/dev/kvm", R_OK | W_OK))
		r->is_remembered = recall(&cache, boot_id, &r->ring0_ps);
	r->is_measured = r->has_kvm = r->is_remembered || !measure(r);
	if (has_cache && r->has_kvm && !r->is_remembered)
		remember(&cache, boot_id, r->ring0_ps);
	if (has_cache)
		cache_close(&cache);
}

static void decide(enum platform wanted, struct platform_report *r)
{
	bool is_fast = r->has_kvm && r->ring0_ps <= FAST_PS;

	if (wanted == PLATFORM_KVM || wanted == PLATFORM_PROCESS) {
		r->chosen = wanted == PLATFORM_KVM ? &machine_kvm : &machine_process;
		snprintf(r->why, sizeof r->why, "as the command line says");
	} else if (is_fast) {
		r->chosen = &machine_kvm;
		snprintf(r->why, sizeof r->why, "/dev/kvm runs the guest kernel at hardware speed");
	} else if (r->has_process) {
		r->chosen = &machine_process;
		snprintf(r->why, sizeof r->why, "%s",
			 r->has_kvm
				 ? "/dev/kvm emulates the guest kernel, one instruction at a time"
				 : "there is no usable /dev/kvm");
	} else if (r->has_kvm) {
		r->chosen = &machine_kvm;
		snprintf(r->why, sizeof r->why, "it is slow here, but nothing else can run");
	}
}

void platform_look(enum platform wanted, struct platform_report *r)
{
	static struct vm none;

	memset(r, 0, sizeof *r);
	look_at_kvm(r);
	r->has_process = !machine_process.open(&none, &r->process_error);
	decide(wanted, r);
}

int platform_choose(enum platform wanted, const struct machine **out, struct err *e)
{
	struct platform_report r = { 0 };

	if (wanted == PLATFORM_AUTO)
		platform_look(wanted, &r);
	else
		decide(wanted, &r); /* what is missing, its open() says */
	if (!r.chosen)
		return err_set(e, ENOTSUP, "nothing here can run a sandbox: %s; %s",
			       r.kvm_error.msg, r.process_error.msg);
	log_info("platform %s: %s", r.chosen->name, r.why);
	*out = r.chosen;
	return 0;
}

static void print(const struct platform_report *r, const struct err *lock_in)
{
	if (r->has_kvm)
		printf("kvm      usable\nring 0   %" PRIu64 ".%03u ns an instruction: %s",
		       r->ring0_ps / 1000, (unsigned)(r->ring0_ps % 1000),
		       r->ring0_ps <= FAST_PS ? "hardware speed" : "emulated");
	else
		printf("kvm      not usable: %s", r->kvm_error.msg);
	if (r->is_remembered)
		printf(" (measured before, since the host's last boot)");
	else if (r->is_measured)
		printf(" (measured in %" PRIu64 " us)", r->probe_us);
	printf("\nprocess  %s%s\n", r->has_process ? "usable" : "not usable: ",
	       r->has_process ? "" : r->process_error.msg);
	printf("lock-in  %s\n", lock_in->code ? lock_in->msg : "complete");
	if (r->chosen)
		printf("chosen   %s: %s\n", r->chosen->name, r->why);
	else
		printf("chosen   none: nothing here can run a sandbox\n");
}

int cmd_platform(int argc, char **argv)
{
	struct platform_report r;
	struct err lock_in = { 0 };
	int refused;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		printf("Usage: monitor platform\n\n"
		       "Tells what this host offers to run sandboxes, how fast it runs a guest kernel, and\n"
		       "what monitor run --platform=auto, the default, chooses,\n"
		       "and whether the host lets a sandbox be locked in. Exit status 1 when nothing can run.\n");
		return 0;
	}
	if (argc > 1) {
		fprintf(stderr, "monitor platform: it takes no arguments; see --help\n");
		return 125;
	}
	log_setup(LOG_WARN, 0, false);
	platform_look(PLATFORM_AUTO, &r);
	refused = launch_check(&lock_in);
	print(&r, &lock_in);
	return r.chosen && !refused ? 0 : 1;
}
