// SPDX-License-Identifier: Apache-2.0
/*
 * fail_host - lets the Nth memory allocation or host call of monitor code fail
 *
 * Role      forced in front of the monitor's files (-include) when they are compiled for failure
 *           loops; the test counts n up until an operation runs through without reaching n
 * Rules     only code compiled with it is concerned, libraries stay as they are
 * See       tests/unit/image_fail_test.c
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern long fail_countdown; /* negative: never */

/* True when this call is the one to fail; errno is then set. */
static inline int fail_now(int code)
{
	if (fail_countdown < 0 || fail_countdown-- > 0)
		return 0;
	errno = code;
	return 1;
}

#define malloc(n)	      (fail_now(ENOMEM) ? NULL : malloc(n))
#define calloc(n, m)	      (fail_now(ENOMEM) ? NULL : calloc(n, m))
#define reallocarray(p, n, m) (fail_now(ENOMEM) ? NULL : reallocarray(p, n, m))
#define asprintf(...)	      (fail_now(ENOMEM) ? -1 : asprintf(__VA_ARGS__))
#undef strdup
#define strdup(s)	     (fail_now(ENOMEM) ? NULL : strdup(s))
#define open(...)	     (fail_now(EMFILE) ? -1 : open(__VA_ARGS__))
#define openat(...)	     (fail_now(EMFILE) ? -1 : openat(__VA_ARGS__))
#define fstat(f, s)	     (fail_now(EIO) ? -1 : fstat(f, s))
#define mkdirat(f, p, m)     (fail_now(EACCES) ? -1 : mkdirat(f, p, m))
#define renameat(a, b, c, d) (fail_now(EACCES) ? -1 : renameat(a, b, c, d))
#define flock(f, o)	     (fail_now(ENOLCK) ? -1 : flock(f, o))
#define mmap(...)	     (fail_now(ENOMEM) ? MAP_FAILED : mmap(__VA_ARGS__))
#define write(f, p, n)	     (fail_now(ENOSPC) ? -1 : write(f, p, n))
#define pread(f, p, n, o)    (fail_now(EIO) ? -1 : pread(f, p, n, o))
#define pwrite(f, p, n, o)   (fail_now(ENOSPC) ? -1 : pwrite(f, p, n, o))
