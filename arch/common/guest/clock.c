// SPDX-License-Identifier: Apache-2.0
/*
 * clock - nanoseconds from the cycle counter, and the deadline timer
 *
 * Role      See arch/clock.h. The same numbers serve the vDSO through its data page.
 * Rules     ns = base_ns + ((counter - base) * mult >> 32); mult is fixed at boot from the frequency the
 *           monitor states. 128-bit products: no overflow in 500 years.
 * Missing   Correction of drift against the host's clock over long runs.
 */
#include "arch/clock.h"

#include "arch/common/guest/vdso.h"
#include "arch/cpu.h"
#include "guestkernel/kapi/atomic.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/main.h"

#define NS_PER_MS_SHIFTED (1000000ull << 32)

struct vdso_data vdso_data __attribute__((aligned(4096)));
static u64 cycles_per_ns_shifted; /* cycles per ns, 32-bit fraction */

void arch_clock_init(u64 counter_khz, u64 wall_ns, u64 wall_counter)
{
	u64 now = arch_cycles();

	vdso_data.base_cycles = now;
	vdso_data.mult = NS_PER_MS_SHIFTED / counter_khz;
	cycles_per_ns_shifted = (counter_khz << 32) / 1000000;
	vdso_data.wall_offset_ns =
		wall_ns + (u64)((__uint128_t)(now - wall_counter) * vdso_data.mult >> 32);
}

u64 arch_clock_ns(void)
{
	return (u64)((__uint128_t)(arch_cycles() - vdso_data.base_cycles) * vdso_data.mult >> 32);
}

u64 arch_wall_offset_ns(void)
{
	return vdso_data.wall_offset_ns;
}

void arch_vdso_set_wall_offset(u64 offset_ns)
{
	WRITE_ONCE(vdso_data.seq, vdso_data.seq + 1);
	smp_mb();
	vdso_data.wall_offset_ns = offset_ns;
	smp_mb();
	WRITE_ONCE(vdso_data.seq, vdso_data.seq + 1);
}

void arch_timer_arm(u64 deadline_ns)
{
	u64 at = 0;

	if (deadline_ns != U64_MAX) {
		at = vdso_data.base_cycles +
		     (u64)((__uint128_t)deadline_ns * cycles_per_ns_shifted >> 32) + 1;
		if (at < vdso_data.base_cycles)
			at = U64_MAX;
	}
	arch_timer_set(at);
}
