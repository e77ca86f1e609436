// SPDX-License-Identifier: Apache-2.0
/*
 * pidfd - Linux ABI: pidfd_open(2)
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       pidfd_open(2), pidfd_send_signal(2)
 */
#pragma once

#define PIDFD_NONBLOCK		   04000
#define PIDFD_THREAD		   0200
#define PIDFD_SIGNAL_THREAD	   (1u << 0)
#define PIDFD_SIGNAL_THREAD_GROUP  (1u << 1)
#define PIDFD_SIGNAL_PROCESS_GROUP (1u << 2)
