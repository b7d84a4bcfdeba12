/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Free RAM as one list of runs in address order; each run is described in its
 * own first bytes. First fit: small pieces fill the gaps that large alignments
 * leave, and neighbours merge when they come back.
 */
#include "heap.h"
#include "board.h"
#include "spinlock.h"

struct run {
	struct run *next;
	size_t size; /* bytes, whole pages */
};

static struct run *runs;
static uint64_t free_bytes;
static struct spinlock lock;

/* 0 for what does not fit into a size_t. */
static size_t whole_pages(size_t size)
{
	return (size + PAGE_SIZE - 1) & ~(size_t)(PAGE_SIZE - 1);
}

/* Takes [gap, gap + size) of a run out of it; what is left stays. */
static void *carve(struct run **link, size_t gap, size_t size)
{
	struct run *run = *link;
	char *piece = (char *)run + gap;

	if (run->size - gap - size != 0) {
		struct run *rest = (struct run *)(void *)(piece + size);

		rest->next = run->next;
		rest->size = run->size - gap - size;
		run->next = rest;
	}
	if (gap != 0)
		run->size = gap;
	else
		*link = run->next;
	free_bytes -= size;
	return piece;
}

/* At the address `start`, or with 0 at the first multiple of `align`. */
static void *take(uint64_t start, size_t size, size_t align)
{
	void *piece = NULL;

	spin_lock(&lock);
	for (struct run **link = &runs; *link != NULL; link = &(*link)->next) {
		uintptr_t at = (uintptr_t)*link;
		size_t gap = start != 0 ? start - at : -at & (align - 1);

		if (gap < (*link)->size && size <= (*link)->size - gap) {
			piece = carve(link, gap, size);
			break;
		}
	}
	spin_unlock(&lock);
	return piece;
}

void *heap_alloc(size_t size, size_t align)
{
	size = whole_pages(size);
	if (size == 0 || (align & (align - 1)) != 0)
		return NULL;
	return take(0, size, align < PAGE_SIZE ? PAGE_SIZE : align);
}

bool heap_claim(uint64_t start, uint64_t size)
{
	return take(start, size, 0) != NULL;
}

/* Merges a run with the next one if they touch. */
static void join(struct run *run)
{
	struct run *next = run->next;

	if (next != NULL && (char *)run + run->size == (char *)next) {
		run->size += next->size;
		run->next = next->next;
	}
}

void heap_free(void *memory, size_t size)
{
	struct run *piece = memory;
	struct run **link = &runs;
	struct run *before = NULL;

	size = whole_pages(size);
	spin_lock(&lock);
	while (*link != NULL && *link < piece) {
		before = *link;
		link = &before->next;
	}
	if ((*link != NULL && (uintptr_t)*link - (uintptr_t)piece < size) ||
	    (before != NULL &&
	     (uintptr_t)piece - (uintptr_t)before < before->size))
		panic("heap: 0x%lx is free already", (uintptr_t)piece);
	piece->next = *link;
	piece->size = size;
	*link = piece;
	join(piece);
	if (before != NULL)
		join(before);
	free_bytes += size;
	spin_unlock(&lock);
}

void heap_add(uint64_t start, uint64_t size)
{
	uint64_t skip = -start & (PAGE_SIZE - 1);

	if (size >= skip + PAGE_SIZE)
		heap_free((void *)(uintptr_t)(start + skip),
			  (size - skip) & ~(uint64_t)(PAGE_SIZE - 1));
}

uint64_t heap_free_bytes(void)
{
	return free_bytes;
}
