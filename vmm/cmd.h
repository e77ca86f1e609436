// SPDX-License-Identifier: Apache-2.0
/*
 * cmd - the verbs of the command line; each returns the process's exit status
 */
#pragma once

int cmd_run(int argc, char **argv);
int cmd_image(int argc, char **argv);
