// SPDX-License-Identifier: Apache-2.0
/*
 * host - what the process machine needs to know about the processor it runs on
 *
 * Role      See arch/vcpu.h.
 * See       Intel SDM volume 2, CPUID leaf 15H; perf_event_open(2), cap_user_time
 */
#include <cpuid.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "arch/vcpu.h"

#define HWCAP2_FSGSBASE 2u
#define TIMING_LEAF	0x40000010u /* hypervisors that follow VMware: counter frequency in kHz */
#define MEASURE_NS	5000000

int arch_process_check(struct err *e)
{
	unsigned eax, ebx, ecx = 0, edx;

	if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE))
		return err_set(
			e, ENOTSUP,
			"the process machine needs the FSGSBASE instructions; use --platform=kvm");
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE))
		return err_set(e, ENOTSUP, "the process machine needs XSAVE; use --platform=kvm");
	return 0;
}

/* The kernel's own conversion from counter to nanoseconds: exact, and there without waiting. */
static uint64_t khz_from_perf(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.size = sizeof attr,
		.exclude_kernel = 1,
	};
	struct perf_event_mmap_page *page;
	uint64_t khz = 0;
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return 0;
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED) {
		if (page->cap_user_time && page->time_mult)
			khz = (1000000ull << page->time_shift) / page->time_mult;
		munmap(page, 4096);
	}
	close(fd);
	return khz;
}

static uint64_t khz_from_cpuid(void)
{
	unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;

	if (__get_cpuid(0x15, &eax, &ebx, &ecx, &edx) && eax && ebx && ecx)
		return (uint64_t)ecx * ebx / eax / 1000;
	__cpuid(0x40000000u, eax, ebx, ecx, edx);
	if (eax < TIMING_LEAF || eax > 0x400000ffu)
		return 0;
	__cpuid(TIMING_LEAF, eax, ebx, ecx, edx);
	return eax;
}

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t khz_from_measuring(void)
{
	uint64_t start = monotonic_ns(), ticks = arch_counter_now(), now;

	do {
		now = monotonic_ns();
	} while (now - start < MEASURE_NS);
	return (arch_counter_now() - ticks) * 1000000u / (now - start);
}

uint64_t arch_host_counter_khz(void)
{
	uint64_t khz = khz_from_perf();

	if (!khz)
		khz = khz_from_cpuid();
	return khz ? khz : khz_from_measuring();
}
