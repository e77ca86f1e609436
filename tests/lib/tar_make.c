// SPDX-License-Identifier: Apache-2.0
/*
 * tar_make - writes plain files into a tar archive, for C tests and fuzzers
 *
 * See       tar(5): the ustar header
 */
#include "tests/lib/tar_make.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void make_header(uint8_t h[512], const char *name, size_t size)
{
	unsigned int sum = 0;

	memset(h, 0, 512);
	strcpy((char *)h, name);
	strcpy((char *)h + 100, "0000644");
	strcpy((char *)h + 108, "0000000");
	strcpy((char *)h + 116, "0000000");
	snprintf((char *)h + 124, 12, "%011zo", size);
	strcpy((char *)h + 136, "00000000000");
	memset(h + 148, ' ', 8);
	h[156] = '0';
	memcpy(h + 257, "ustar", 6);
	memcpy(h + 263, "00", 2);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

int tar_make_file(int fd, const char *name, const void *data, size_t size)
{
	static const uint8_t zeros[512];
	uint8_t h[512];
	size_t pad = -size % 512;

	make_header(h, name, size);
	if (write(fd, h, sizeof(h)) != sizeof(h) || write(fd, data, size) != (ssize_t)size)
		return -1;
	return write(fd, zeros, pad) == (ssize_t)pad ? 0 : -1;
}

int tar_make_end(int fd)
{
	static const uint8_t zeros[1024];

	return write(fd, zeros, sizeof(zeros)) == sizeof(zeros) ? 0 : -1;
}
