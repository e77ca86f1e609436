// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_hypercall - arbitrary bytes in the channel page, call after call, without KVM
 *
 * Rules     Input: records of number (1 byte), payload length as told (2), bytes that follow (1), those bytes. Memory
 *           outside RAM and the monitor's own is ASan's to watch; after a broken contract nothing more is served.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/fake_vm.h"
#include "vmm/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Instead of log.c: what the guest says is not the fuzzer's output, but it is read. */
void log_guest(uint32_t level, const char *text, uint32_t len)
{
	while (len)
		(void)*(volatile const char *)(text + --len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vm vm;
	struct hyp_channel *ch;

	if (!vm.nr_cpus)
		fake_vm_init(&vm, 3);
	fake_vm_reset(&vm);
	ch = vm_channel(&vm, 0);
	while (size >= 4 && !atomic_load(&vm.stopping)) {
		uint32_t told = (uint32_t)data[1] << 8 | data[2], n = data[3] * 16u;

		if (n > size - 4)
			n = (uint32_t)(size - 4);
		if (n > HYP_PAYLOAD_MAX)
			n = HYP_PAYLOAD_MAX;
		ch->nr = data[0];
		ch->len = told;
		memcpy(ch->payload, data + 4, n);
		data += 4 + n;
		size -= 4 + n;
		hypercall_dispatch(&vm.cpu[0]);
		if (vm.result.kind != VM_RUNNING && !vm.result.reason[0])
			abort();
	}
	return 0;
}
