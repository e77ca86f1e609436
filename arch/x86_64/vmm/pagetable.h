// SPDX-License-Identifier: Apache-2.0
/*
 * pagetable - the tables the guest kernel starts with
 */
#pragma once

#include "vmm/err.h"

struct vm;

/* Kernel image, direct map of memory and windows; vm->root_gpa is their root. */
int pagetable_make(struct vm *vm, struct err *e) MUST_CHECK;
