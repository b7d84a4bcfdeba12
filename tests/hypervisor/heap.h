/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The page allocator behind hal.alloc: contiguous runs of 4 KiB pages at any
 * power-of-two alignment.
 */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096u

/* Gives the heap the whole pages inside a range of RAM. */
void heap_add(uint64_t start, uint64_t size);

/* NULL: no such run. Contents are anything. */
void *heap_alloc(size_t size, size_t align);

/* Takes exactly these pages out of the heap; false: not all of them free. */
bool heap_claim(uint64_t start, uint64_t size);

/* Gives back what alloc or claim gave, with the same size. */
void heap_free(void *memory, size_t size);

uint64_t heap_free_bytes(void);

#endif
