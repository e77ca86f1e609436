// SPDX-License-Identifier: Apache-2.0
/*
 * tar_make - writes plain files into a tar archive, for C tests and fuzzers
 */
#pragma once

#include <stddef.h>

/* Append an entry to the tar open at fd; -1 when writing fails. */
int tar_make_file(int fd, const char *name, const void *data, size_t size);
/* The two zero blocks. */
int tar_make_end(int fd);
