// SPDX-License-Identifier: Apache-2.0
/*
 * stream - guest end of the byte rings: the container's standard input, output and error
 */
#pragma once

#include "guestkernel/kapi/hoststream.h"
#include "vmm/abi/ring.h"

void stream_init(void);
struct host_stream *stream_get(enum hyp_stream which);
/* The monitor moved some ring: from trap_host_event(). */
void stream_event(void);
