// SPDX-License-Identifier: Apache-2.0
/*
 * bootinfo - the boot block: a flattened device tree with everything the guest kernel is told
 *
 * Role      Written once before the first instruction, read by guestkernel/host/boot.c.
 * Rules     Nodes: /memory, /monitor (addresses, clock, randomness), /container (what to run). Strings of
 *           the user arrive here already bounded by BOOTINFO_MAX. Without randomness there is no boot block: the kernel's
 *           keys, canary and layout come from the seed.
 * See       Devicetree Specification 0.4, chapter 5
 */
#include "vmm/vm.h"

#include <errno.h>
#include <libfdt.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "arch/vcpu.h"

#define SEED_BYTES 48

/* First failure sticks; the caller asks once at the end. */
struct writer {
	void *fdt;
	int err;
};

static void begin(struct writer *w, const char *name)
{
	if (!w->err)
		w->err = fdt_begin_node(w->fdt, name);
}

static void end(struct writer *w)
{
	if (!w->err)
		w->err = fdt_end_node(w->fdt);
}

static void put_u64(struct writer *w, const char *name, uint64_t v)
{
	if (!w->err)
		w->err = fdt_property_u64(w->fdt, name, v);
}

static void put_u64_pair(struct writer *w, const char *name, uint64_t a, uint64_t b)
{
	uint64_t pair[2] = { cpu_to_fdt64(a), cpu_to_fdt64(b) };

	if (!w->err)
		w->err = fdt_property(w->fdt, name, pair, sizeof pair);
}

static void put_string(struct writer *w, const char *name, const char *s)
{
	if (!w->err && s)
		w->err = fdt_property_string(w->fdt, name, s);
}

static void put_bytes(struct writer *w, const char *name, const void *p, size_t n)
{
	if (!w->err)
		w->err = fdt_property(w->fdt, name, p, (int)n);
}

static void put_strings(struct writer *w, const char *name, char *const *list)
{
	size_t n = 0, at = 0, i;
	char *dst;

	if (w->err || !list)
		return;
	for (i = 0; list[i]; i++)
		n += strlen(list[i]) + 1;
	if (n > BOOTINFO_MAX) {
		w->err = -FDT_ERR_NOSPACE;
		return;
	}
	w->err = fdt_property_placeholder(w->fdt, name, (int)n, (void **)&dst);
	for (i = 0; !w->err && list[i]; i++) {
		size_t len = strlen(list[i]) + 1;

		memcpy(dst + at, list[i], len);
		at += len;
	}
}

static void put_monitor(struct writer *w, struct vm *vm, uint64_t khz,
			const uint8_t seed[SEED_BYTES])
{
	struct timespec ts;

	begin(w, "monitor");
	put_u64(w, "abi-version", HYP_ABI_VERSION);
	put_u64(w, "cpus", vm->nr_cpus);
	put_u64(w, "counter-khz", khz);
	clock_gettime(CLOCK_REALTIME, &ts);
	put_u64_pair(w, "wall-clock", (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec,
		     arch_counter_now() + vm->counter_offset);
	put_bytes(w, "seed", seed, SEED_BYTES);
	put_u64(w, "channels", vm->at.channels);
	put_u64(w, "event", vm->at.event);
	put_u64(w, "rings", vm->at.rings);
	put_u64(w, "page-map", vm->at.page_map);
	put_u64(w, "reserved-end", vm->at.reserved_end);
	put_u64(w, "log-level", vm->cfg.start->log_level);
	if (vm->irqchip)
		put_u64(w, "irqchip", vm->irqchip);
	if (vm->mem.nr_windows)
		put_u64_pair(w, "image", vm->mem.window[0].gpa, vm->cfg.image_len);
	end(w);
}

static void put_container(struct writer *w, const struct vm_start *s)
{
	uint32_t i;

	begin(w, "container");
	put_strings(w, "args", s->argv);
	put_strings(w, "env", s->envp);
	put_string(w, "cwd", s->cwd);
	put_string(w, "hostname", s->hostname);
	put_u64_pair(w, "user", s->uid, s->gid);
	if (s->nr_groups) {
		uint32_t *g;

		if (!w->err)
			w->err = fdt_property_placeholder(w->fdt, "groups", (int)(4 * s->nr_groups),
							  (void **)&g);
		for (i = 0; !w->err && i < s->nr_groups; i++)
			g[i] = cpu_to_fdt32(s->groups[i]);
	}
	if (s->tty)
		put_u64_pair(w, "tty", s->rows, s->cols);
	if (s->read_only)
		put_u64(w, "read-only", 1);
	if (s->privileged)
		put_u64(w, "privileged", 1);
	put_strings(w, "tmpfs", s->tmpfs);
	put_strings(w, "rlimits", s->rlimits);
	if (s->pids_limit)
		put_u64(w, "pids-limit", s->pids_limit);
	put_string(w, "strace", s->strace);
	end(w);
}

int bootinfo_write(struct vm *vm, uint64_t khz, struct err *e)
{
	struct writer w = { .fdt = gmem_setup_ptr(&vm->mem, vm->at.fdt, BOOTINFO_MAX) };
	uint8_t seed[SEED_BYTES];

	if (!khz)
		return err_set(e, ENOTSUP, "KVM does not tell the frequency of the cycle counter");
	if (getrandom(seed, sizeof seed, 0) != sizeof seed)
		return err_set(e, EIO,
			       "the host gives no random numbers to start the guest kernel with");
	w.err = fdt_create(w.fdt, BOOTINFO_MAX);
	if (!w.err)
		w.err = fdt_finish_reservemap(w.fdt);
	begin(&w, "");
	begin(&w, "memory");
	put_u64_pair(&w, "reg", HYP_RAM_BASE, vm->mem.ram_size);
	end(&w);
	put_monitor(&w, vm, khz, seed);
	explicit_bzero(seed, sizeof seed);
	put_container(&w, vm->cfg.start);
	end(&w);
	if (!w.err)
		w.err = fdt_finish(w.fdt);
	if (w.err == -FDT_ERR_NOSPACE)
		return err_set(e, E2BIG, "command and environment together exceed %u KiB",
			       BOOTINFO_MAX >> 10);
	if (w.err)
		return err_set(e, EINVAL, "writing the boot block: %s", fdt_strerror(w.err));
	return 0;
}
