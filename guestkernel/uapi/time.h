// SPDX-License-Identifier: Apache-2.0
/*
 * time - Linux ABI: clocks and timers
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       clock_gettime(2), timer_create(2), timerfd_create(2), adjtimex(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"

#define CLOCK_REALTIME		 0
#define CLOCK_MONOTONIC		 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	 3
#define CLOCK_MONOTONIC_RAW	 4
#define CLOCK_REALTIME_COARSE	 5
#define CLOCK_MONOTONIC_COARSE	 6
#define CLOCK_BOOTTIME		 7
#define CLOCK_REALTIME_ALARM	 8
#define CLOCK_BOOTTIME_ALARM	 9
#define CLOCK_TAI		 11

#define ITIMER_REAL    0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF    2

#define TFD_TIMER_ABSTIME	0x1
#define TIMER_ABSTIME		0x1
#define TFD_TIMER_CANCEL_ON_SET 0x2
#define TFD_NONBLOCK		0x800
#define TFD_CLOEXEC		0x80000

#define MAX_CLOCKS	  16
#define CLOCKFD		  3
#define TFD_IOC_SET_TICKS 0x40085400u

struct timespec {
	s64 tv_sec;
	s64 tv_nsec;
};

struct timeval {
	s64 tv_sec;
	s64 tv_usec;
};

struct timezone {
	s32 tz_minuteswest;
	s32 tz_dsttime;
};

struct itimerspec {
	struct timespec it_interval;
	struct timespec it_value;
};

struct itimerval {
	struct timeval it_interval;
	struct timeval it_value;
};

struct timex {
	u32 modes;
	u32 pad0;
	s64 offset;
	s64 freq;
	s64 maxerror;
	s64 esterror;
	s32 status;
	u32 pad1;
	s64 constant;
	s64 precision;
	s64 tolerance;
	struct timeval time;
	s64 tick;
	s64 ppsfreq;
	s64 jitter;
	s32 shift;
	u32 pad2;
	s64 stabil;
	s64 jitcnt;
	s64 calcnt;
	s64 errcnt;
	s64 stbcnt;
	s32 tai;
	u32 reserved[11];
};

#define ADJ_OFFSET	      0x0001
#define ADJ_FREQUENCY	      0x0002
#define ADJ_MAXERROR	      0x0004
#define ADJ_ESTERROR	      0x0008
#define ADJ_STATUS	      0x0010
#define ADJ_TIMECONST	      0x0020
#define ADJ_TAI		      0x0080
#define ADJ_SETOFFSET	      0x0100
#define ADJ_MICRO	      0x1000
#define ADJ_NANO	      0x2000
#define ADJ_TICK	      0x4000
#define ADJ_OFFSET_SINGLESHOT 0x8001
#define ADJ_OFFSET_SS_READ    0xa001
#define STA_PLL		      0x0001
#define STA_UNSYNC	      0x0040
#define STA_NANO	      0x2000
#define TIME_OK		      0
#define TIME_ERROR	      5
