// SPDX-License-Identifier: Apache-2.0
/*
 * container - from the boot block to process 1
 */
#pragma once

/* Mounts the root, creates process 1. Ends the VM with a message when that is impossible. */
void container_start(void);
