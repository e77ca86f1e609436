// SPDX-License-Identifier: Apache-2.0
/*
 * limits - Linux ABI: limits of names and arguments
 *
 * Rules     Names and values are exactly Linux's. No logic.
 */
#pragma once

#define NGROUPS_MAX    65536
#define ARG_MAX	       131072
#define MAX_ARG_STRLEN 131072
#define LINK_MAX       127
#define MAX_CANON      255
#define MAX_INPUT      255
#define NAME_MAX       255
#define PATH_MAX       4096
#define PIPE_BUF       4096
#define IOV_MAX	       1024
#define UIO_FASTIOV    8
