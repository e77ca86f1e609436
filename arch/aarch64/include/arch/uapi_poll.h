// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_poll - Linux ABI values of aarch64 that other architectures have differently: epoll_event
 *
 * Rules     Included only by guestkernel/uapi/poll.h.
 */
#pragma once

#define EPOLL_PACKED
