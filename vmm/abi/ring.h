// SPDX-License-Identifier: Apache-2.0
/*
 * ring - byte rings between the monitor's I/O thread and the guest kernel: stdin, stdout, stderr
 *
 * Role      One producer, one consumer. Guest to host: stdout, stderr (guest produces). Host to guest: stdin.
 * Rules     head counts bytes ever produced, tail bytes ever consumed, both modulo 2^32; used = head - tail
 *           <= HYP_RING_BYTES always. Each side writes only its own index, stores it with release after
 *           the data, and loads the other's with acquire before the data. The monitor keeps private copies
 *           of its own index and kills the guest when the other's makes used exceed the size.
 *           Kicks: the producer rings when it made the ring non-empty, the consumer when it made
 *           room and *_waits is set by the other side. A full fence stands between publishing an
 *           index and reading the other's wait flag, and between setting the flag and re-reading the index.
 */
#pragma once

#include <stdint.h>

#define HYP_RING_BYTES 65536u

enum hyp_stream { HYP_STDIN = 0, HYP_STDOUT = 1, HYP_STDERR = 2, HYP_STREAMS = 3 };

enum hyp_ring_flag {
	HYP_RING_EOF = 1u << 0,	   /* producer: nothing follows what is in the ring */
	HYP_RING_BROKEN = 1u << 1, /* consumer: nobody will read this any more (EPIPE) */
	HYP_RING_TELL =
		1u
		<< 2, /* producer: kick when a reader finds the ring empty (stdin is a terminal) */
};

struct hyp_ring {
	/* producer's line */
	uint32_t head;
	uint32_t producer_flags; /* HYP_RING_EOF, HYP_RING_TELL */
	uint32_t producer_waits; /* producer wants a kick when there is room */
	uint32_t pad0[13];
	/* consumer's line */
	uint32_t tail;
	uint32_t consumer_flags; /* HYP_RING_BROKEN */
	uint32_t consumer_waits; /* consumer wants a kick when there is data */
	uint32_t pad1[13];
	uint8_t pad2[4096 - 128];
	uint8_t data[HYP_RING_BYTES];
};
_Static_assert(sizeof(struct hyp_ring) == 4096 + HYP_RING_BYTES, "ABI");
_Static_assert(__builtin_offsetof(struct hyp_ring, tail) == 64, "one cache line each");
