// SPDX-License-Identifier: Apache-2.0
/*
 * vmm_test - the monitor's own parts without KVM: memory ranges, options, kernel loading, boot block, log
 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/layout.h"
#include "guestkernel/host/boot.h"
#include "tests/lib/fake_vm.h"
#include "vmm/log.h"
#include "vmm/options.h"

#define TOP (HYP_RAM_BASE + FAKE_RAM)

static struct vm vm;
static struct err e;

/* For boot.c. */
noreturn_fn void panic(const char *fmt, ...)
{
	cr_log_error("%s", fmt);
	abort();
}

static void setup(void)
{
	fake_vm_init(&vm, 2);
}

static void teardown(void)
{
	fake_vm_fini(&vm);
}

TestSuite(gmem, .init = setup, .fini = teardown);

static bool fits(uint64_t gpa, uint64_t len)
{
	return gmem_range(&vm.mem, (hyp_ptr){ gpa }, len) != NULL;
}

Test(gmem, a_range_may_end_at_the_top)
{
	cr_assert(fits(TOP - 1, 1));
	cr_assert(fits(HYP_RAM_BASE, FAKE_RAM));
	cr_assert(!fits(TOP - 1, 2));
	cr_assert(!fits(TOP, 1));
	cr_assert(!fits(HYP_RAM_BASE, FAKE_RAM + 1));
}

Test(gmem, nothing_lies_below_and_nothing_is_no_range)
{
	cr_assert(!fits(HYP_RAM_BASE - 1, 1));
	cr_assert(!fits(0, FAKE_RAM));
	cr_assert(!fits(HYP_RAM_BASE, 0));
	cr_assert(!fits(TOP, 0));
}

Test(gmem, lengths_that_wrap_are_refused)
{
	cr_assert(!fits(HYP_RAM_BASE, UINT64_MAX));
	cr_assert(!fits(TOP - 8, UINT64_MAX - TOP + 16));
	cr_assert(!fits(UINT64_MAX, 1));
	cr_assert(!fits(UINT64_MAX, UINT64_MAX));
}

Test(gmem, released_pages_read_zero_and_bad_ranges_change_nothing)
{
	uint8_t one = 7, got = 9;
	hyp_ptr p = { TOP - HYP_PAGE_SIZE };

	cr_assert_eq(gmem_copy_out(&vm.mem, p, &one, 1), 0);
	cr_assert_eq(gmem_release(&vm.mem, p, 2), -EFAULT);
	cr_assert_eq(gmem_release(&vm.mem, p, 0), -EFAULT);
	cr_assert_eq(gmem_release(&vm.mem, p, (1ull << 52) + 1), -EFAULT);
	cr_assert_eq(gmem_release(&vm.mem, (hyp_ptr){ p.gpa + 1 }, 1), -EFAULT);
	cr_assert_eq(gmem_copy_in(&vm.mem, &got, p, 1), 0);
	cr_assert_eq(got, 7);
	cr_assert_eq(gmem_release(&vm.mem, p, 1), 0);
	cr_assert_eq(gmem_copy_in(&vm.mem, &got, p, 1), 0);
	cr_assert_eq(got, 0);
}

#define LARGE_PAGE 65536u

static uint8_t byte_at(uint64_t gpa)
{
	uint8_t got = 0xff;

	cr_assert_eq(gmem_copy_in(&vm.mem, &got, (hyp_ptr){ gpa }, 1), 0);
	return got;
}

/* As on a host whose pages are sixteen of the guest's: nothing but the range given back is lost. */
Test(gmem, with_larger_pages_of_the_host_only_the_range_is_released)
{
	static const struct {
		uint64_t start, npages; /* in guest pages from RAM's base */
	} ranges[] = {
		{0,   1 },
		  { 3,  7 },
		    { 15, 2 },
		       { 16, 16},
		   { 5,	40},
		      { 31, 33}
	};
	uint64_t i, p;
	uint8_t one = 1;

	vm.mem.host_page = LARGE_PAGE;
	for (i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		for (p = 0; p < 80; p++)
			cr_assert_eq(gmem_copy_out(&vm.mem,
						   (hyp_ptr){ HYP_RAM_BASE + p * HYP_PAGE_SIZE },
						   &one, 1),
				     0);
		cr_assert_eq(
			gmem_release(&vm.mem,
				     (hyp_ptr){ HYP_RAM_BASE + ranges[i].start * HYP_PAGE_SIZE },
				     ranges[i].npages),
			0);
		for (p = 0; p < 80; p++)
			cr_assert_eq(
				byte_at(HYP_RAM_BASE + p * HYP_PAGE_SIZE),
				!(p >= ranges[i].start && p < ranges[i].start + ranges[i].npages));
	}
}

Test(gmem, windows_are_whole_pages_of_the_host)
{
	uint64_t gpa;
	int fd = memfd_create("file", MFD_CLOEXEC);

	vm.mem.host_page = LARGE_PAGE;
	cr_assert_eq(ftruncate(fd, 5000), 0);
	cr_assert_eq(gmem_add_window(&vm.mem, fd, 5000, &gpa, &e), 0);
	cr_assert_eq(vm.mem.window[vm.mem.nr_windows - 1].len, LARGE_PAGE);
	cr_assert_eq(gpa % LARGE_PAGE, 0);
	cr_assert_eq(gmem_add_window(&vm.mem, fd, LARGE_PAGE + 1, &gpa, &e), 0);
	cr_assert_eq(vm.mem.window[vm.mem.nr_windows - 1].len, 2 * LARGE_PAGE);
	cr_assert_eq(gpa % LARGE_PAGE, 0);
	close(fd);
}

static int parse(struct run_options *o, int argc, const char **argv)
{
	char *copy[16] = { 0 };
	int i;

	for (i = 0; i < argc; i++)
		copy[i] = (char *)(uintptr_t)argv[i];
	e = (struct err){ 0 };
	return options_parse(o, argc, copy, &e);
}

#define PARSE(o, ...)                                                 \
	({                                                            \
		const char *argv_[] = { "run", __VA_ARGS__ };         \
		parse(o, (int)(sizeof argv_ / sizeof *argv_), argv_); \
	})

Test(options, forms_of_docker_are_understood)
{
	struct run_options o;

	cr_assert_eq(PARSE(&o, "-it", "-eA=b", "-e=C=d", "--memory=512m", "-w", "/tmp", "--cpus",
			   "1.5", "--", "img", "-x"),
		     0);
	cr_assert(o.is_interactive && o.has_tty);
	cr_assert_eq(o.env.n, 2);
	cr_assert_str_eq(o.env.item[1], "C=d");
	cr_assert_eq(o.memory_bytes, 512ull << 20);
	cr_assert_eq(o.cpus, 2);
	cr_assert_str_eq(o.image, "img");
	options_fini(&o);
}

Test(options, every_wrong_use_is_one_sentence)
{
	static const char *const wrong[][2] = {
		{"--nope",	    "x"		},
		{ "-Z",		"x"	    },
		{ "--memory",	      "lots"	     },
		{ "--memory",	      "1q"	   },
		{ "--memory",	      ""		 },
		{ "--memory",	      "99999999999g"},
		{ "--memory",	      "-1"	   },
		{ "--cpus",	    "0"		},
		{ "--cpus",	    "-1"		 },
		{ "--cpus",	    "nan"	  },
		{ "--cpus",	    "inf"	  },
		{ "--cpus",	    "65"		 },
		{ "-w",		"rel"	      },
		{ "-h",		"a b"	      },
		{ "-h",		""		   },
		{ "--tmpfs",	     "rel"	   },
		{ "--ulimit",	      "nofile"      },
		{ "--ulimit",	      "=1"	   },
		{ "--ulimit",	      "nofile=x"	 },
		{ "--stop-timeout", "86401"	    },
		{ "--platform",	""		   },
		{ "--log-level",	 "loud"	},
		{ "-e",		"=x"	     },
		{ "--env-file",	"/nonexistent"},
		{ "--read-only=no", "x"		},
	};
	struct run_options o;
	size_t i;

	for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		cr_assert_neq(PARSE(&o, wrong[i][0], wrong[i][1], "img"), 0, "%s %s", wrong[i][0],
			      wrong[i][1]);
		cr_assert(e.msg[0] && !strchr(e.msg, '\n'), "%s", wrong[i][0]);
		options_fini(&o);
	}
}

TestSuite(kimage, .init = setup, .fini = teardown);

Test(kimage, what_is_no_kernel_is_refused_in_one_sentence)
{
	static const char *const files[] = {
		"", "\177ELF", "#!/bin/sh\n", "\177ELF\2\1\1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	};
	struct kimage k;
	size_t i;

	for (i = 0; i < sizeof files / sizeof *files; i++) {
		cr_assert_lt(kimage_load(&k, files[i], strlen(files[i]), KERNEL_VA_BASE, &vm.mem,
					 HYP_RAM_BASE, &e),
			     0);
		cr_assert(e.msg[0]);
	}
}

TestSuite(bootinfo, .init = setup, .fini = teardown);

Test(bootinfo, the_kernel_reads_what_the_monitor_wrote)
{
	char *args[] = { "sh", "", "-c", NULL }, *env[] = { "A=b", NULL };
	uint32_t groups[] = { 7, 0x12345678 };
	struct vm_start s = { .argv = args,
			      .envp = env,
			      .cwd = "/w",
			      .hostname = "h",
			      .uid = 70000,
			      .gid = 4000000000u,
			      .groups = groups,
			      .nr_groups = 2,
			      .tty = true,
			      .rows = 50,
			      .cols = 200,
			      .read_only = true };
	const char *arg;

	vm.cfg.start = &s;
	cr_assert_eq(bootinfo_write(&vm, 2000000, &e), 0, "%s", e.msg);
	boot_parse(gmem_setup_ptr(&vm.mem, vm.at.fdt, BOOTINFO_MAX));
	cr_assert_eq(boot.ram_base, HYP_RAM_BASE);
	cr_assert_eq(boot.ram_size, FAKE_RAM);
	cr_assert_eq(boot.cpus, 2);
	cr_assert_eq(boot.counter_khz, 2000000);
	cr_assert_eq(boot.channels, vm.at.channels);
	cr_assert_eq(boot.rings, vm.at.rings);
	cr_assert_eq(boot.uid, 70000);
	cr_assert_eq(boot.gid, 4000000000u);
	cr_assert_eq(boot.nr_groups, 2);
	cr_assert_eq(boot_strings_count(&boot.args), 3);
	arg = boot_strings_next(&boot.args, boot_strings_next(&boot.args, NULL));
	cr_assert_str_eq(arg, "");
	cr_assert_str_eq(boot_strings_next(&boot.args, arg), "-c");
	cr_assert_str_eq(boot.hostname, "h");
	cr_assert(boot.has_tty && boot.is_read_only && !boot.is_privileged);
	cr_assert_eq(boot.cols, 200);
}

Test(bootinfo, too_much_environment_is_refused)
{
	static char big[BOOTINFO_MAX];
	char *args[] = { "x", NULL }, *env[] = { big, NULL };
	struct vm_start s = { .argv = args, .envp = env };

	memset(big, 'x', sizeof big - 1);
	vm.cfg.start = &s;
	cr_assert_eq(bootinfo_write(&vm, 1, &e), -E2BIG);
	cr_assert_eq(bootinfo_write(&vm, 0, &e), -ENOTSUP);
}

Test(log, guest_text_cannot_drive_the_terminal, .init = cr_redirect_stderr)
{
	log_setup(LOG_WARN, HYP_LOG_ERR, false);
	log_guest(HYP_LOG_ERR, "a\033[2J\nb\177\xc3\xa9", 10);
	log_guest(HYP_LOG_DEBUG, "hidden", 6);
	cr_assert_stderr_eq_str("[guest] a?[2J?b?\xc3\xa9\n");
}

Test(log, a_guest_cannot_flood_the_log)
{
	int fds[2], i, lines = 0;
	char buf[4096];
	ssize_t n;

	cr_assert_eq(pipe(fds), 0);
	cr_assert_neq(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20), -1);
	cr_assert_neq(dup2(fds[1], STDERR_FILENO), -1);
	log_setup(LOG_ERR, HYP_LOG_ERR, false);
	for (i = 0; i < 5000; i++)
		log_guest(HYP_LOG_ERR, "x", 1);
	for (i = 0; i < 5000; i++)
		log_guest(HYP_LOG_STRACE, "nobody asked", 12);
	close(fds[1]);
	close(STDERR_FILENO);
	while ((n = read(fds[0], buf, sizeof buf)) > 0)
		while (n--)
			lines += buf[n] == '\n';
	/* one second's worth more for each second this took */
	cr_assert(lines >= 1000 && lines < 4000, "%d lines", lines);
}
