// SPDX-License-Identifier: Apache-2.0
/*
 * rename - keeps the kernel's libc-named functions apart from libc's in host tests
 *
 * Role      Forced in front of every guest kernel source and test (-include).
 */
#pragma once

#define memcpy	  k_memcpy
#define memmove	  k_memmove
#define memset	  k_memset
#define memcmp	  k_memcmp
#define memchr	  k_memchr
#define strlen	  k_strlen
#define strnlen	  k_strnlen
#define strcmp	  k_strcmp
#define strncmp	  k_strncmp
#define strchr	  k_strchr
#define strrchr	  k_strrchr
#define strlcpy	  k_strlcpy
#define snprintf  k_snprintf
#define vsnprintf k_vsnprintf
