// SPDX-License-Identifier: Apache-2.0
/*
 * layout - where the kernel lies in its host process
 *
 * Rules     Known to both sides: vmm/abi/process.h.
 */
#pragma once

#include "vmm/abi/process.h"

#define DIRECT_MAP_BASE PM_DIRECT_BASE
#define KMAP_BASE	PM_KMAP_BASE
#define KMAP_BYTES	(PM_KMAP_END - PM_KMAP_BASE)
#define KERNEL_VA_BASE	PM_KERNEL_BASE
#define KERNEL_HALF	PM_KERNEL_BASE
