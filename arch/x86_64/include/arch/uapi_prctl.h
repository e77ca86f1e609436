// SPDX-License-Identifier: Apache-2.0
/*
 * uapi_prctl - Linux ABI values of x86_64 that other architectures have differently: arch_prctl codes
 *
 * Rules     Included only by guestkernel/uapi/prctl.h.
 */
#pragma once

#define ARCH_SET_GS	    0x1001
#define ARCH_SET_FS	    0x1002
#define ARCH_GET_FS	    0x1003
#define ARCH_GET_GS	    0x1004
#define ARCH_GET_CPUID	    0x1011
#define ARCH_SET_CPUID	    0x1012
#define ARCH_GET_XCOMP_SUPP 0x1021
#define ARCH_GET_XCOMP_PERM 0x1022
#define ARCH_REQ_XCOMP_PERM 0x1023
#define ARCH_MAP_VDSO_X32   0x2001
#define ARCH_MAP_VDSO_64    0x2003
#define ARCH_SHSTK_ENABLE   0x5001
#define ARCH_SHSTK_DISABLE  0x5002
#define ARCH_SHSTK_STATUS   0x5005
