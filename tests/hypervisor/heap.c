/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Free RAM as one list of runs in address order; each run is described in its
 * own first bytes. First fit: small pieces fill the gaps that large alignments
 * leave, and neighbours merge when they come back.
 */
#include "host.h"

struct run {
	struct run *next;
	size_t size; /* bytes, whole pages */
};

static struct run first; /* empty, so that every run has one before it */
uint64_t heap_free_bytes;
static atomic_uint lock;

/* 0 for what does not fit into a size_t. */
static size_t whole_pages(size_t size)
{
	return (size + PAGE_SIZE - 1) & ~(size_t)(PAGE_SIZE - 1);
}

/* Merges a run with the next one if they touch. */
static void join(struct run *run)
{
	struct run *next = run->next;

	if ((char *)run + run->size == (char *)next) {
		run->size += next->size;
		run->next = next->next;
	}
}

/* Into its place in the list, merged with neighbours that it touches. */
static void insert(uintptr_t start, size_t size)
{
	struct run *piece = (struct run *)start;
	struct run *before = &first;
	struct run *next;

	if (size == 0)
		return;
	while ((next = before->next) != NULL && next <= piece)
		before = next;
	if (start - (uintptr_t)before < before->size ||
	    (next != NULL && (uintptr_t)next - start < size))
		panic("heap: 0x%lx is free already", start);
	*piece = (struct run){next, size};
	before->next = piece;
	join(piece);
	join(before);
}

void *heap_alloc(void *ctx, size_t size, size_t align)
{
	struct run *before = &first;
	uintptr_t piece = 0;

	(void)ctx;
	size = whole_pages(size);
	acquire(&lock);
	for (struct run *run; (run = before->next) != NULL; before = run) {
		size_t gap = -(uintptr_t)run & (align - 1);
		size_t room = run->size;

		if (gap >= room || size > room - gap || size == 0)
			continue;
		before->next = run->next;
		piece = (uintptr_t)run + gap;
		insert((uintptr_t)run, gap);
		insert(piece + size, room - gap - size);
		heap_free_bytes -= size;
		break;
	}
	release(&lock);
	return (void *)piece;
}

void heap_free(void *ctx, void *memory, size_t size)
{
	(void)ctx;
	size = whole_pages(size);
	acquire(&lock);
	insert((uintptr_t)memory, size);
	heap_free_bytes += size;
	release(&lock);
}

void heap_add(uint64_t start, uint64_t end)
{
	start = whole_pages(start);
	end &= ~(uint64_t)(PAGE_SIZE - 1);
	if (start < end)
		heap_free(NULL, (void *)(uintptr_t)start, end - start);
}
