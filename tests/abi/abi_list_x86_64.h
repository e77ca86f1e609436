// SPDX-License-Identifier: Apache-2.0
/*
 * abi_list_x86_64 - what only x86-64 has
 *
 * Role      Expanded twice with other meanings of CONST, SIZE, FIELD, FIELD2: over guestkernel/uapi and
 *           over the system's headers; abi_test.c compares.
 */

CONST(MAP_32BIT)
CONST(ARCH_SET_GS) CONST(ARCH_SET_FS) CONST(ARCH_GET_FS) CONST(ARCH_GET_GS) CONST(ARCH_GET_CPUID)
CONST(ARCH_SET_CPUID) CONST(ARCH_GET_XCOMP_SUPP) CONST(ARCH_GET_XCOMP_PERM)
CONST(ARCH_REQ_XCOMP_PERM)
