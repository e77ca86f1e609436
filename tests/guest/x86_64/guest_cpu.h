// SPDX-License-Identifier: Apache-2.0
/*
 * guest_cpu - what bare guest programs know of x86-64
 */
#pragma once

#define guest_relax() __asm__ volatile("pause")
#define guest_lost()  __asm__ volatile("ud2")
