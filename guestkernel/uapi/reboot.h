// SPDX-License-Identifier: Apache-2.0
/*
 * reboot - Linux ABI: reboot(2)
 *
 * Rules     Names and values are exactly Linux's. No logic.
 * See       reboot(2)
 */
#pragma once

#define LINUX_REBOOT_CMD_CAD_OFF    0x0
#define LINUX_REBOOT_CMD_RESTART    0x1234567
#define LINUX_REBOOT_MAGIC2A	    0x5121996
#define LINUX_REBOOT_MAGIC2B	    0x16041998
#define LINUX_REBOOT_MAGIC2C	    0x20112000
#define LINUX_REBOOT_MAGIC2	    0x28121969
#define LINUX_REBOOT_CMD_POWER_OFF  0x4321fedc
#define LINUX_REBOOT_CMD_KEXEC	    0x45584543
#define LINUX_REBOOT_CMD_CAD_ON	    0x89abcdefu
#define LINUX_REBOOT_CMD_RESTART2   0xa1b2c3d4u
#define LINUX_REBOOT_CMD_HALT	    0xcdef0123u
#define LINUX_REBOOT_CMD_SW_SUSPEND 0xd000fce2u
#define LINUX_REBOOT_MAGIC1	    0xfee1deadu
