// SPDX-License-Identifier: Apache-2.0
/*
 * hostcall - one ring of the doorbell
 *
 * Role      Used by guestkernel/host/hyp.c through arch_hostcall(), and by cpu.c.
 * Rules     The channel page belongs to this CPU and the kernel is not preempted, so no lock is needed.
 */
#include "arch/cpu.h"
#include "guestkernel/host/hyp.h"
#include "guestkernel/kapi/cpu.h"
#include "guestkernel/kapi/errno.h"
#include "guestkernel/kapi/string.h"
#include "vmm/abi/hyp.h"

s32 arch_hostcall(u32 nr, const void *req, u32 len, void *reply, u32 reply_len)
{
	struct hyp_channel *ch = hyp_channels + this_cpu()->id;

	if (len > HYP_PAYLOAD_MAX || reply_len > HYP_PAYLOAD_MAX)
		return -EINVAL;
	memcpy(ch->payload, req, len);
	ch->len = len;
	ch->nr = nr;
	arch_doorbell(nr);
	if (reply_len)
		memcpy(reply, ch->payload, reply_len);
	return READ_ONCE(ch->status);
}
