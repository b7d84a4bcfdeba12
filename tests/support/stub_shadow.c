/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Memory as a guest with its caches off sees it: a copy of each page that
 * sync_guest_memory() was told about. A page without one was never synced.
 */
#include <stdlib.h>
#include <string.h>

#include "stub_internal.h"

#define SLOTS 65536u

struct shadow_page {
	uintptr_t page; /* 0: free */
	uint8_t *copy; /* NULL: not synced */
};

struct stub_shadow {
	struct shadow_page slots[SLOTS];
};

void stub_shadow_new(struct stub_machine *m)
{
	m->shadow = calloc(1, sizeof(*m->shadow));
	if (m->shadow == NULL)
		abort();
}

void stub_shadow_delete(struct stub_machine *m)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (m->shadow->slots[i].copy != NULL)
			free(m->shadow->slots[i].copy);
	}
	free(m->shadow);
}

static struct shadow_page *find(struct stub_machine *m, uintptr_t page)
{
	for (uintptr_t i = page / PAGE_SIZE_4K;; i++) {
		struct shadow_page *s = &m->shadow->slots[i % SLOTS];

		if (s->page == page || s->page == 0) {
			s->page = page;
			return s;
		}
	}
}

/* What was never synced differs from anything. */
static void invert(uint8_t *copy, const uint64_t *page)
{
	for (size_t i = 0; i < PAGE_SIZE_4K / sizeof(*page); i++) {
		uint64_t word = ~page[i];

		memcpy(copy + i * sizeof(word), &word, sizeof(word));
	}
}

void stub_shadow_sync(struct stub_machine *m, const void *start, uint64_t size)
{
	uintptr_t at = (uintptr_t)start;
	uintptr_t end = at + size;

	pthread_mutex_lock(&m->lock);
	while (at < end) {
		uintptr_t page = at & ~(uintptr_t)(PAGE_SIZE_4K - 1);
		size_t n = PAGE_SIZE_4K - (at - page);
		struct shadow_page *s = find(m, page);

		if (n > end - at)
			n = end - at;
		if (s->copy == NULL) {
			s->copy = malloc(PAGE_SIZE_4K);
			invert(s->copy, (const void *)page);
		}
		memcpy(s->copy + (at - page), (const void *)at, n);
		at += n;
	}
	pthread_mutex_unlock(&m->lock);
}

void stub_shadow_drop(struct stub_machine *m, const void *start, uint64_t size)
{
	pthread_mutex_lock(&m->lock);
	for (uint64_t off = 0; off < size; off += PAGE_SIZE_4K) {
		struct shadow_page *s = find(m, (uintptr_t)start + off);

		free(s->copy);
		s->copy = NULL;
	}
	pthread_mutex_unlock(&m->lock);
}

static uint64_t *shadow_word(struct stub_machine *m, const uint64_t *word)
{
	uintptr_t page = (uintptr_t)word & ~(uintptr_t)(PAGE_SIZE_4K - 1);
	struct shadow_page *s = find(m, page);

	if (s->copy == NULL)
		return NULL;
	return (uint64_t *)(void *)(s->copy + ((uintptr_t)word - page));
}

bool stub_shadow_same(struct stub_machine *m, const uint64_t *word)
{
	const uint64_t *copy;
	bool same;

	pthread_mutex_lock(&m->lock);
	copy = shadow_word(m, word);
	same = copy != NULL && *copy == *word;
	pthread_mutex_unlock(&m->lock);
	return same;
}

void stub_shadow_write(struct stub_machine *m, const uint64_t *word)
{
	uint64_t *copy;

	pthread_mutex_lock(&m->lock);
	copy = shadow_word(m, word);
	if (copy != NULL)
		*copy = *word;
	pthread_mutex_unlock(&m->lock);
}
