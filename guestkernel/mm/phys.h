// SPDX-License-Identifier: Apache-2.0
/*
 * phys - set-up of the frame allocator; everything else is kapi/page.h
 */
#pragma once

#include "guestkernel/kapi/page.h"

/* Frames [reserved_end, end) are free and were never touched. map: zeroed, one struct page per frame from
 * first on. */
void phys_init(u64 first_pfn, u64 end_pfn, u64 reserved_end_pfn, struct page *map);
