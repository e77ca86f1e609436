// SPDX-License-Identifier: Apache-2.0
/*
 * poll - Linux ABI: poll(2), select(2) and epoll(7)
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       poll(2), epoll_ctl(2)
 */
#pragma once

#include "guestkernel/uapi/types.h"
#include "arch/uapi_poll.h"

#define POLLIN	   0x1
#define POLLPRI	   0x2
#define POLLOUT	   0x4
#define POLLERR	   0x8
#define POLLHUP	   0x10
#define POLLNVAL   0x20
#define POLLRDNORM 0x40
#define POLLRDBAND 0x80
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200
#define POLLMSG	   0x400
#define POLLREMOVE 0x1000
#define POLLRDHUP  0x2000
#define POLLFREE   0x4000

struct pollfd {
	s32 fd;
	s16 events;
	s16 revents;
};

#define EPOLLIN	       0x00000001u
#define EPOLLPRI       0x00000002u
#define EPOLLOUT       0x00000004u
#define EPOLLERR       0x00000008u
#define EPOLLHUP       0x00000010u
#define EPOLLNVAL      0x00000020u
#define EPOLLRDNORM    0x00000040u
#define EPOLLRDBAND    0x00000080u
#define EPOLLWRNORM    0x00000100u
#define EPOLLWRBAND    0x00000200u
#define EPOLLMSG       0x00000400u
#define EPOLLRDHUP     0x00002000u
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP    (1u << 29)
#define EPOLLONESHOT   (1u << 30)
#define EPOLLET	       (1u << 31)

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLL_CLOEXEC 02000000

/* Packed on x86-64 only (EPOLL_PACKED). */
struct epoll_event {
	u32 events;
	u64 data;
} EPOLL_PACKED;

struct epoll_params {
	u32 busy_poll_usecs;
	u16 busy_poll_budget;
	u8 prefer_busy_poll;
	u8 pad;
};

#define EPIOCSPARAMS 0x40088a01u
#define EPIOCGPARAMS 0x80088a02u

#define FD_SETSIZE 1024
typedef struct {
	u64 fds_bits[FD_SETSIZE / 64];
} fd_set;
