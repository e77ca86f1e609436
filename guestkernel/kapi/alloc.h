// SPDX-License-Identifier: Apache-2.0
/*
 * alloc - kernel heap: object caches and kmalloc
 *
 * Rules     Never sleeps, may be called under any spinlock of rank below RANK_SLAB. NULL means out of
 *           memory and is reported to the caller's caller as -ENOMEM. Implementation in mm/slab.c.
 *           Sizes above 8 KiB come from contiguous frames; above KMALLOC_MAX they fail.
 */
#pragma once

#include "guestkernel/kapi/types.h"

#define KMALLOC_MAX (4u << 20)

struct kmem_cache;

void *must_check kmalloc(size_t size);
void *must_check kzalloc(size_t size);
/* count * size with overflow check, zeroed. */
void *must_check kcalloc(size_t count, size_t size);
/* NULL p allocates. On failure p stays valid. */
void *must_check krealloc(void *p, size_t new_size);
void kfree(void *p);
void *must_check kmemdup(const void *p, size_t n);
char *must_check kstrdup(const char *s);
/* Usable size of a kmalloc block. */
size_t ksize(const void *p);

struct kmem_cache *must_check kmem_cache_create(const char *name, size_t size, size_t align);
void *must_check kmem_cache_alloc(struct kmem_cache *c);
void *must_check kmem_cache_zalloc(struct kmem_cache *c);
void kmem_cache_free(struct kmem_cache *c, void *p);

#define knew(type) ((type *)kzalloc(sizeof(type)))
