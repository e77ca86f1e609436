// SPDX-License-Identifier: Apache-2.0
/*
 * broken - the ends of a guest that every machine's exit.c knows; each fills e with one sentence
 */
#pragma once

#include "arch/vcpu.h"

enum arch_exit exit_broken(struct vcpu *v, struct err *e, const char *what);
/* An access to gpa that no memory and no device answers. */
enum arch_exit exit_nothing_there(struct vcpu *v, uint64_t gpa, struct err *e);
