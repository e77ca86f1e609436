// SPDX-License-Identifier: Apache-2.0
/*
 * panic - last words: message, registers, backtrace, handed to the monitor in one hostcall
 *
 * Role      The monitor prints them with symbols and ends the VM.
 * Rules     Touches as little as it can: no locks, no allocation. A second panic while the first runs stops its CPU.
 * Missing   Held locks and the last trace events.
 */
#include "guestkernel/panic.h"

#include <stdarg.h>

#include "arch/cpu.h"
#include "arch/frame.h"
#include "guestkernel/host/hyp.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/string.h"
#include "guestkernel/main.h"
#include "vmm/abi/hyp.h"

static u32 is_panicking;

static noreturn_fn void die(u64 ip, u64 sp, u64 fp, u64 fault_addr, const char *fmt, va_list ap)
{
	static struct hyp_panic p;

	if (xchg(&is_panicking, 1))
		arch_cpu_stop();
	vsnprintf((char *)p.text, sizeof p.text, fmt, ap);
	p.ip = ip;
	p.sp = sp;
	p.fault_addr = fault_addr;
	p.cpu = this_cpu()->id;
	p.frames[0] = ip;
	p.nr_frames = 1 + arch_backtrace(fp, &p.frames[1], HYP_BACKTRACE_MAX - 1);
	hyp_panic(&p);
	arch_cpu_stop();
}

noreturn_fn void panic_at(const struct regs *r, u64 fault_addr, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(regs_ip(r), regs_sp(r), arch_regs_fp(r), fault_addr, fmt, ap);
}

noreturn_fn void __stack_chk_fail(void)
{
	panic("a function wrote beyond its frame");
}

noreturn_fn void panic(const char *fmt, ...)
{
	u64 fp = (u64)__builtin_frame_address(0);
	va_list ap;

	va_start(ap, fmt);
	die((u64)__builtin_return_address(0), fp, fp, 0, fmt, ap);
}
