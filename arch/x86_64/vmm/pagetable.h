// SPDX-License-Identifier: Apache-2.0
/*
 * pagetable - the tables the guest kernel starts with
 */
#pragma once

#include <stdbool.h>

#include "vmm/err.h"

struct vm;

/* Kernel image, direct map of memory and windows; vm->root_gpa is their root. has_1g: the CPU has pages of 1 GiB. */
int pagetable_make(struct vm *vm, bool has_1g, struct err *e) MUST_CHECK;
