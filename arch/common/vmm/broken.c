// SPDX-License-Identifier: Apache-2.0
/*
 * broken - sentences about a guest whose exit means its end
 *
 * Role      For exit.c of each machine. Names of addresses are looked up later, by the main thread: that needs system
 *           calls a vCPU thread may not make.
 */
#include "arch/common/vmm/broken.h"

#include <errno.h>

#include "vmm/vm.h"

enum arch_exit exit_broken(struct vcpu *v, struct err *e, const char *what)
{
	uint64_t ip, sp, fp;

	arch_vcpu_where(v, &ip, &sp, &fp);
	err_set(e, EIO, "the guest kernel %s on CPU %u at 0x%lx", what, v->id, ip);
	return ARCH_EXIT_BROKEN;
}

static bool in_window(const struct vm *vm, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < vm->mem.nr_windows; i++)
		if (gpa >= vm->mem.window[i].gpa &&
		    gpa - vm->mem.window[i].gpa < vm->mem.window[i].len)
			return true;
	return false;
}

enum arch_exit exit_nothing_there(struct vcpu *v, uint64_t gpa, struct err *e)
{
	uint64_t ip, sp, fp;

	arch_vcpu_where(v, &ip, &sp, &fp);
	err_set(e, EIO, "the guest kernel touched guest-physical 0x%lx, %s, on CPU %u at 0x%lx",
		gpa, in_window(v->vm, gpa) ? "which is read-only" : "where nothing is", v->id, ip);
	return ARCH_EXIT_BROKEN;
}
