// SPDX-License-Identifier: Apache-2.0
/*
 * frame - backtraces over the frame pointer chain
 */
#include "arch/frame.h"

#include "arch/layout.h"

#define FRAME_STEP_MAX 16384

u32 arch_backtrace(u64 fp, u64 *out, u32 max)
{
	u32 n = 0;

	while (n < max && fp >= KERNEL_HALF && (fp & 7) == 0) {
		const u64 *frame = (const u64 *)fp;

		if (!frame[1])
			break;
		out[n++] = frame[1];
		if (frame[0] <= fp || frame[0] - fp > FRAME_STEP_MAX)
			break;
		fp = frame[0];
	}
	return n;
}
