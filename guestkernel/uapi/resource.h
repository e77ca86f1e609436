// SPDX-License-Identifier: Apache-2.0
/*
 * resource - Linux ABI: resource limits and usage
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       getrlimit(2), getrusage(2), getpriority(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"
#include "guestkernel/uapi/time.h"

#define RLIMIT_CPU	  0
#define RLIMIT_FSIZE	  1
#define RLIMIT_DATA	  2
#define RLIMIT_STACK	  3
#define RLIMIT_CORE	  4
#define RLIMIT_RSS	  5
#define RLIMIT_NPROC	  6
#define RLIMIT_NOFILE	  7
#define RLIMIT_MEMLOCK	  8
#define RLIMIT_AS	  9
#define RLIMIT_LOCKS	  10
#define RLIMIT_SIGPENDING 11
#define RLIMIT_MSGQUEUE	  12
#define RLIMIT_NICE	  13
#define RLIMIT_RTPRIO	  14
#define RLIMIT_RTTIME	  15
#define RLIM_NLIMITS	  16

#define PRIO_PROCESS	0
#define RUSAGE_SELF	0
#define PRIO_PGRP	1
#define RUSAGE_THREAD	1
#define PRIO_USER	2
#define PRIO_MAX	20
#define PRIO_MIN	(-20)
#define RUSAGE_BOTH	(-2)
#define RUSAGE_CHILDREN (-1)

#define RLIM_INFINITY (~0ull)

struct rlimit {
	u64 rlim_cur;
	u64 rlim_max;
};

struct rusage {
	struct timeval ru_utime;
	struct timeval ru_stime;
	s64 ru_maxrss;
	s64 ru_ixrss;
	s64 ru_idrss;
	s64 ru_isrss;
	s64 ru_minflt;
	s64 ru_majflt;
	s64 ru_nswap;
	s64 ru_inblock;
	s64 ru_oublock;
	s64 ru_msgsnd;
	s64 ru_msgrcv;
	s64 ru_nsignals;
	s64 ru_nvcsw;
	s64 ru_nivcsw;
};
