// SPDX-License-Identifier: Apache-2.0
/*
 * epoll - interest sets behind epoll_create1(2)
 *
 * See       epoll(7); epoll_forget_file() is declared in guestkernel/kapi/file.h
 */
#pragma once

#include "guestkernel/kapi/file.h"

int must_check epoll_create_file(struct file **out);
/* True when f is an epoll file; -EINVAL from the calls below otherwise. */
bool file_is_epoll(const struct file *f);
/* op: EPOLL_CTL_*; ev is not used for EPOLL_CTL_DEL. fd is the number the caller knows target by. */
int must_check epoll_control(struct file *epf, u32 op, s32 fd, struct file *target,
			     const struct epoll_event *ev);
/* Stores up to max events at out. Count; 0 when the deadline passed (0: do not sleep); -ERESTARTSYS. */
s64 must_check epoll_wait_events(struct file *epf, uaddr_t out, u32 max, u64 deadline_ns);
