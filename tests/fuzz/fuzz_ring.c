// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_ring - the monitor's end of the stream rings while the guest sets every word of them at will
 *
 * Rules     Input: records of operation and ring (1 byte) and a value (4). The file under test is included for its
 *           inner functions. Its descriptors are pipes of ours, never blocking.
 */
#include "vmm/stream.c"

#include <fcntl.h>
#include <stdlib.h>

#include "tests/lib/fake_vm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_pipes(int in[2], int out[2])
{
	if (pipe2(in, O_NONBLOCK | O_CLOEXEC) || pipe2(out, O_NONBLOCK | O_CLOEXEC))
		abort();
}

static void guest_step(struct hyp_ring *r, unsigned op, uint32_t v)
{
	switch (op) {
	case 0:
		r->head = v;
		break;
	case 1:
		r->tail = v;
		break;
	case 2:
		r->head += v % 70000;
		break;
	case 3:
		r->tail += v % 70000;
		break;
	case 4:
		r->producer_flags = r->consumer_flags = v;
		break;
	case 5:
		r->producer_waits = r->consumer_waits = v;
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vm vm;
	static const struct timespec now;
	static int in[2], out[2];
	static uint8_t bytes[4096];
	int i;

	if (!vm.nr_cpus) {
		fake_vm_init(&vm, 1);
		open_pipes(in, out);
	}
	fake_vm_reset(&vm);
	for (i = 0; i < HYP_STREAMS; i++)
		set.s[i] = (struct stream){ .ring = vm_ring(&vm, (enum hyp_stream)i),
					    .fd = i == HYP_STDIN ? in[0] : out[1] };
	for (; size >= 5; data += 5, size -= 5) {
		uint32_t v = (uint32_t)data[1] << 24 | (uint32_t)data[2] << 16 |
			     (uint32_t)data[3] << 8 | data[4];

		guest_step(vm_ring(&vm, (enum hyp_stream)(data[0] % HYP_STREAMS)),
			   data[0] / HYP_STREAMS % 8, v);
		if (data[0] & 0x80 && write(in[1], bytes, v % sizeof bytes) < 0 && errno != EAGAIN)
			abort();
		ask_for_kicks(&vm);
		wait_and_move(&vm, &now);
		for (i = HYP_STDOUT; i < HYP_STREAMS; i++)
			if (!set.s[i].is_done && !atomic_load(&vm.stopping))
				(void)output_left(&vm);
		while (read(out[0], bytes, sizeof bytes) == sizeof bytes)
			;
		if (vm.result.kind != VM_RUNNING && vm.result.kind != VM_KILL_PROTOCOL)
			abort();
	}
	return 0;
}
