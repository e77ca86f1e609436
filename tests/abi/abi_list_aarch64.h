// SPDX-License-Identifier: Apache-2.0
/*
 * abi_list_aarch64 - what only aarch64 has
 *
 * Role      Expanded twice with other meanings of CONST, SIZE, FIELD, FIELD2: over guestkernel/uapi and
 *           over the system's headers; abi_test.c compares.
 */

CONST(PROT_BTI) CONST(PROT_MTE)
