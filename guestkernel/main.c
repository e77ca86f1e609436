// SPDX-License-Identifier: Apache-2.0
/* main - temporary: boot as far as it goes */
#include "guestkernel/main.h"

#include "arch/cpu.h"
#include "guestkernel/host/boot.h"
#include "guestkernel/host/hyp.h"
#include "guestkernel/host/stream.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/log.h"

struct cpu *cpus[MAX_CPUS];
u32 nr_cpus = 1;

noreturn_fn void kmain(const void *fdt)
{
	struct hyp_exit e = { 0 };

	boot_parse(fdt);
	hyp_init();
	log_level_max = (u32)boot.log_level;
	arch_clock_init(boot.counter_khz, boot.wall_ns, boot.wall_counter);
	log_err("hello from ring 0, arg %s", boot.args.data);
	hyp_exit(&e);
}
