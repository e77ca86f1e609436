// SPDX-License-Identifier: Apache-2.0
/*
 * cmd_run - "monitor run": create, start, wait, for people and tests
 */
#pragma once

/* Exit status: the program's; 128+N killed by signal N; 125 the monitor failed; 126 not executable; 127 not found. */
int cmd_run(int argc, char **argv);
