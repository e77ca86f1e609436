// SPDX-License-Identifier: Apache-2.0
/*
 * terminal - the user's terminal in raw mode, and back on every way out
 */
#pragma once

#include "vmm/err.h"

/* Puts stdin's terminal into raw mode; restored by terminal_restore(), exit() and fatal signals. */
int terminal_raw(struct err *e) MUST_CHECK;
void terminal_restore(void);
/* Before the monitor is stopped: as it was; after it: raw again, if it was. */
void terminal_leave(void);
void terminal_again(void);
/* Size of the terminal on stdin or stdout; 24x80 when there is none. */
void terminal_size(uint16_t *rows, uint16_t *cols);
