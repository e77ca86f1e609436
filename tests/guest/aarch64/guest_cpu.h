// SPDX-License-Identifier: Apache-2.0
/*
 * guest_cpu - what bare guest programs know of aarch64
 */
#pragma once

#define guest_relax() __asm__ volatile("yield")
#define guest_lost()  __asm__ volatile("brk #0")
