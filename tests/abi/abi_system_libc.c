// SPDX-License-Identifier: Apache-2.0
/*
 * abi_system_libc - the values of abi_list_libc.inc as libc's headers have them
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include "tests/abi/abi_row.h"

#define ABI_PICK(ours, theirs) theirs

const struct abi_row ABI_TABLE(system_libc)[] = {
#include "tests/abi/abi_list_libc.inc"
	{NULL, 0},
};
