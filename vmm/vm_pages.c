// SPDX-License-Identifier: Apache-2.0
/*
 * vm_pages - where the pages shared with the guest lie: events, rings, channels
 *
 * Role      The places were fixed when memory was laid out (vm.c); tests lay out a smaller machine.
 * See       vmm/abi/hyp.h
 */
#include "vmm/vm.h"

struct hyp_event *vm_event_page(struct vm *vm)
{
	return gmem_setup_ptr(&vm->mem, vm->at.event, sizeof(struct hyp_event));
}

struct hyp_ring *vm_ring(struct vm *vm, enum hyp_stream s)
{
	return gmem_setup_ptr(&vm->mem, vm->at.rings + s * sizeof(struct hyp_ring),
			      sizeof(struct hyp_ring));
}

struct hyp_channel *vm_channel(struct vm *vm, uint32_t cpu)
{
	return gmem_setup_ptr(&vm->mem, vm->at.channels + cpu * sizeof(struct hyp_channel),
			      sizeof(struct hyp_channel));
}
