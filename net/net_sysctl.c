// SPDX-License-Identifier: Apache-2.0
/*
 * net_sysctl - /proc/sys/net: the limits sockets obey
 *
 * Missing   Limits per network namespace; net.unix.max_dgram_qlen cannot be changed.
 * See       kapi/sysctl.h; socket(7), unix(7)
 */
#include "guestkernel/kapi/string.h"
#include "guestkernel/kapi/sysctl.h"
#include "guestkernel/uapi/socket.h"
#include "net/socket.h"

#define BUFFER	     212992
#define SNDBUF_LEAST 4608
#define RCVBUF_LEAST 2304

struct net_limits net_limits = { SOMAXCONN, BUFFER, BUFFER, BUFFER, BUFFER };

static const struct sysctl k_somaxconn = { &net_limits.somaxconn, 1, 4, 0, S32_MAX };
static const struct sysctl k_wmem_default = { &net_limits.wmem_default, 1, 4, SNDBUF_LEAST,
					      S32_MAX };
static const struct sysctl k_wmem_max = { &net_limits.wmem_max, 1, 4, SNDBUF_LEAST, S32_MAX };
static const struct sysctl k_rmem_default = { &net_limits.rmem_default, 1, 4, RCVBUF_LEAST,
					      S32_MAX };
static const struct sysctl k_rmem_max = { &net_limits.rmem_max, 1, 4, RCVBUF_LEAST, S32_MAX };

static const struct proc_row rows[] = {
	SYSCTL_ROW("sys/net/core/somaxconn", 0644, k_somaxconn),
	SYSCTL_ROW("sys/net/core/wmem_default", 0644, k_wmem_default),
	SYSCTL_ROW("sys/net/core/wmem_max", 0644, k_wmem_max),
	SYSCTL_ROW("sys/net/core/rmem_default", 0644, k_rmem_default),
	SYSCTL_ROW("sys/net/core/rmem_max", 0644, k_rmem_max),
	SYSCTL_TEXT("net/unix/max_dgram_qlen", "10"),
};
const struct proc_table net_sysctl = { rows, ARRAY_SIZE(rows), NULL };
