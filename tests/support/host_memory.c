/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Memory of the test host: whole pages of one reserved arena with a guard page
 * behind each allocation. `owner` names the allocation of each page, so address
 * translation is checked in O(1) and without a lock; `lock` protects the rest.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host_hal.h"
#include "host_memory.h"

#ifdef __has_feature /* clang; gcc defines the macro itself */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
#endif

#define PAGE 4096u
#define ARENA_SIZE (UINT64_C(8) << 30)
#define ARENA_PAGES (ARENA_SIZE / PAGE)
/* Below 2^40: fits the smallest physical address width of any backend, and is
 * no address of a user process. */
#define PHYS_BASE (UINT64_C(1) << 39)
#define PHYS_STRIDE (UINT64_C(16) << 30)
#define ALIGN_LIMIT (64u << 10)
#define FILL_LIMIT (4u << 20)
#define FILL_FRESH 0xa5
#define FILL_FREED 0xdd
#define GUARD UINT32_MAX /* owner of a guard page */

struct record {
	char *ptr; /* NULL: the record is free */
	size_t size;
	size_t align;
	uint64_t number; /* of the allocation, from 1 */
	size_t pages; /* without the guard */
	bool lent; /* test_hal_host_memory */
};

struct test_memory {
	pthread_mutex_t lock;
	char *base;
	uint64_t phys;
	_Atomic uint32_t *owner; /* per page: record index + 1, or GUARD */
	size_t next; /* page where the search goes on */
	size_t top; /* no page from here on was ever used */
	struct record *records;
	uint32_t record_count, record_hint;
	size_t max_align;
	uint64_t live, live_bytes, allocs, break_at;
	uint64_t fail_at; /* absolute number; 0: none */
	bool fail_all_after, failed;
};

void test_misuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("# host_hal: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

static struct test_memory *locked(struct test_hal *t)
{
	pthread_mutex_lock(&t->memory->lock);
	return t->memory;
}

static void unlock(struct test_memory *m)
{
	pthread_mutex_unlock(&m->lock);
}

static uint32_t page_owner(struct test_memory *m, uint64_t page)
{
	return atomic_load_explicit(&m->owner[page], memory_order_relaxed);
}

static bool in_use(struct test_memory *m, uint64_t page)
{
	uint32_t owner = page_owner(m, page);

	return owner != 0 && owner != GUARD;
}

static void own_pages(struct test_memory *m, size_t page, size_t count,
		      uint32_t owner)
{
	for (size_t i = 0; i < count; i++)
		atomic_store_explicit(&m->owner[page + i], owner,
				      memory_order_relaxed);
}

/* First fit from `from` on: `count` free pages at a multiple of `step`. */
static bool find_from(struct test_memory *m, size_t from, size_t count,
		      size_t step, size_t *found)
{
	size_t page = (from + step - 1) / step * step;

	while (page + count <= ARENA_PAGES) {
		size_t used = page + count;

		for (size_t i = page; i < page + count; i++) {
			if (page_owner(m, i) != 0)
				used = i;
		}
		if (used == page + count) {
			*found = page;
			return true;
		}
		page = (used + 1 + step - 1) / step * step;
	}
	return false;
}

/* Goes round the arena, so that freed pages stay unused as long as possible. */
static bool find_pages(struct test_memory *m, size_t count, size_t align,
		       size_t *found)
{
	size_t step = align > PAGE ? align / PAGE : 1;

	return find_from(m, m->next, count, step, found) ||
	       find_from(m, 0, count, step, found);
}

static uint32_t free_record(struct test_memory *m)
{
	for (uint32_t i = m->record_hint; i < m->record_count; i++) {
		if (m->records[i].ptr == NULL)
			return i;
	}
	for (uint32_t i = 0; i < m->record_hint; i++) {
		if (m->records[i].ptr == NULL)
			return i;
	}

	uint32_t old = m->record_count;

	m->record_count = old == 0 ? 1024 : 2 * old;
	m->records = realloc(m->records, m->record_count * sizeof(*m->records));
	if (m->records == NULL)
		test_misuse("no memory for the ledger");
	memset(m->records + old, 0,
	       (m->record_count - old) * sizeof(*m->records));
	return old;
}

/* Large blocks are filled at both ends only: they would cost real memory. */
static void fill(char *ptr, size_t size, int byte)
{
	if (size <= FILL_LIMIT) {
		memset(ptr, byte, size);
	} else {
		memset(ptr, byte, ALIGN_LIMIT);
		memset(ptr + size - ALIGN_LIMIT, byte, ALIGN_LIMIT);
	}
}

static void *take(struct test_memory *m, size_t size, size_t align, bool lent)
{
	size_t pages = (size + PAGE - 1) / PAGE;
	size_t page;

	if (!find_pages(m, pages + 1, align, &page))
		return NULL;

	uint32_t index = free_record(m);
	char *ptr = m->base + page * PAGE;

	m->record_hint = index + 1;
	m->records[index] = (struct record){
		.ptr = ptr,
		.size = size,
		.align = align,
		.number = m->allocs,
		.pages = pages,
		.lent = lent,
	};
	own_pages(m, page, pages, index + 1);
	own_pages(m, page + pages, 1, GUARD);
	m->next = page + pages + 1;
	if (m->top < m->next)
		m->top = m->next;
	ASAN_POISON_MEMORY_REGION(ptr, (pages + 1) * PAGE);
	ASAN_UNPOISON_MEMORY_REGION(ptr, size);
	fill(ptr, size, FILL_FRESH);
	return ptr;
}

/* Whether this allocation is the one, or one of those, asked to fail. */
static bool injected(struct test_memory *m)
{
	bool hit = m->fail_at != 0 &&
		   (m->allocs == m->fail_at ||
		    (m->fail_all_after && m->allocs > m->fail_at));

	m->failed |= hit;
	return hit;
}

void *test_memory_alloc(void *ctx, size_t size, size_t align)
{
	struct test_memory *m = locked(ctx);
	void *ptr = NULL;

	if (size == 0 || align == 0 || (align & (align - 1)) != 0)
		test_misuse("alloc(size %zu, align %zu)", size, align);
	m->allocs++;
	if (m->allocs == m->break_at)
		raise(SIGTRAP);
	if (!injected(m) && align <= m->max_align && size <= ARENA_SIZE)
		ptr = take(m, size, align, false);
	if (ptr != NULL) {
		m->live++;
		m->live_bytes += size;
	}
	unlock(m);
	return ptr;
}

static struct record *owner_of(struct test_memory *m, const char *ptr)
{
	if (ptr < m->base || ptr >= m->base + ARENA_SIZE)
		return NULL;

	uint64_t page = (uint64_t)(ptr - m->base) / PAGE;

	return in_use(m, page) ? &m->records[page_owner(m, page) - 1] : NULL;
}

static void give_back(struct test_memory *m, struct record *r)
{
	size_t bytes = r->pages * PAGE;

	/* A write, so that TSan sees a reader that is still in there. */
	fill(r->ptr, r->size, FILL_FREED);
	ASAN_POISON_MEMORY_REGION(r->ptr, bytes);
	madvise(r->ptr, bytes, MADV_DONTNEED);
	own_pages(m, (size_t)(r->ptr - m->base) / PAGE, r->pages + 1, 0);
	r->ptr = NULL;
}

void test_memory_free(void *ctx, void *ptr, size_t size)
{
	struct test_memory *m = locked(ctx);
	struct record *r = owner_of(m, ptr);

	if (r == NULL || r->ptr != ptr || r->lent)
		test_misuse("free(%p, %zu): not allocated", ptr, size);
	if (r->size != size)
		test_misuse("free(%p, %zu): allocation #%" PRIu64
			    " has %zu bytes",
			    ptr, size, r->number, r->size);
	give_back(m, r);
	m->live--;
	m->live_bytes -= size;
	unlock(m);
}

struct axvm_hpa test_memory_virt_to_phys(void *ctx, const void *ptr)
{
	struct test_hal *t = ctx;
	struct test_memory *m = t->memory;
	uint64_t off = (uintptr_t)ptr - (uintptr_t)m->base;

	if (off >= ARENA_SIZE || !in_use(m, off / PAGE))
		test_misuse("virt_to_phys(%p): not allocated", ptr);
	return axvm_to_hpa(m->phys + off);
}

void *test_memory_phys_to_virt(void *ctx, struct axvm_hpa hpa)
{
	struct test_hal *t = ctx;
	struct test_memory *m = t->memory;
	uint64_t off = hpa.value - m->phys;

	if (off >= ARENA_SIZE)
		test_misuse("phys_to_virt(%#" PRIx64 "): no memory there",
			    hpa.value);
	if (!in_use(m, off / PAGE))
		test_misuse("phys_to_virt(%#" PRIx64 "): not allocated",
			    hpa.value);
	return m->base + off;
}

/* Distinct physical ranges: an address of one host is none of another's. */
static uint64_t next_phys(void)
{
	static _Atomic uint32_t arenas;

	return PHYS_BASE + (atomic_fetch_add(&arenas, 1) % 31) * PHYS_STRIDE;
}

static void *reserve(size_t size)
{
	void *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (ptr == MAP_FAILED)
		test_misuse("no address space");
	return ptr;
}

/* The base is aligned like the physical one, so that large leaves work. */
static char *reserve_aligned(size_t size, size_t align)
{
	char *raw = reserve(size + align);
	size_t skip = (align - (uintptr_t)raw % align) % align;

	if (skip != 0)
		munmap(raw, skip);
	munmap(raw + skip + size, align - skip);
	return raw + skip;
}

struct test_memory *test_memory_new(void)
{
	struct test_memory *m = calloc(1, sizeof(*m));
	const char *break_at = getenv("AXVM_HAL_BREAK");

	if (m == NULL)
		test_misuse("no memory");
	pthread_mutex_init(&m->lock, NULL);
	m->base = reserve_aligned(ARENA_SIZE, (size_t)1 << 30);
	m->owner = reserve(ARENA_PAGES * sizeof(*m->owner));
	m->phys = next_phys();
	m->max_align = ALIGN_LIMIT;
	m->break_at = break_at == NULL ? 0 : strtoull(break_at, NULL, 10);
	return m;
}

void test_memory_delete(struct test_memory *m)
{
	ASAN_UNPOISON_MEMORY_REGION(m->base, m->top * PAGE);
	munmap(m->base, ARENA_SIZE);
	munmap((void *)m->owner, ARENA_PAGES * sizeof(*m->owner));
	pthread_mutex_destroy(&m->lock);
	free(m->records);
	free(m);
}

bool test_hal_check_no_leaks(struct test_hal *t)
{
	struct test_memory *m = locked(t);
	size_t live = m->live;

	for (uint32_t i = 0; i < m->record_count; i++) {
		const struct record *r = &m->records[i];

		if (r->ptr != NULL && !r->lent)
			fprintf(stderr,
				"# host_hal: leaked allocation #%" PRIu64
				", %zu bytes, align %zu\n",
				r->number, r->size, r->align);
	}
	unlock(m);
	return live == 0;
}

static uint64_t read_locked(struct test_hal *t, const uint64_t *word)
{
	struct test_memory *m = locked(t);
	uint64_t value = *word;

	unlock(m);
	return value;
}

size_t test_hal_live(struct test_hal *t)
{
	return read_locked(t, &t->memory->live);
}

uint64_t test_hal_live_bytes(struct test_hal *t)
{
	return read_locked(t, &t->memory->live_bytes);
}

uint64_t test_hal_allocs(struct test_hal *t)
{
	return read_locked(t, &t->memory->allocs);
}

static void request_failure(struct test_hal *t, uint64_t k, bool all_after)
{
	struct test_memory *m = locked(t);

	m->fail_at = k == 0 ? 0 : m->allocs + k;
	m->fail_all_after = all_after;
	m->failed = false;
	unlock(m);
}

void test_hal_fail_at(struct test_hal *t, uint64_t k)
{
	request_failure(t, k, false);
}

void test_hal_fail_from(struct test_hal *t, uint64_t k)
{
	request_failure(t, k, true);
}

bool test_hal_failed(struct test_hal *t)
{
	struct test_memory *m = locked(t);
	bool failed = m->failed;

	m->failed = false;
	m->fail_at = 0;
	unlock(m);
	return failed;
}

void test_hal_max_align(struct test_hal *t, size_t align)
{
	struct test_memory *m = locked(t);

	m->max_align = align;
	unlock(m);
}

unsigned test_hal_sweep(struct test_hal *t, int error, int (*attempt)(void *),
			void (*undo)(void *), void *arg)
{
	for (unsigned k = 1;; k++) {
		size_t live = test_hal_live(t);
		uint64_t bytes = test_hal_live_bytes(t);

		test_hal_fail_at(t, k);

		int result = attempt(arg);
		bool failed = test_hal_failed(t);

		if (!failed && result == 0)
			return k - 1;
		if (result == 0) {
			undo(arg);
		} else if (!failed || result != error) {
			fprintf(stderr, "# sweep: %d at allocation %u\n",
				result, k);
			return 0;
		}
		if (test_hal_live(t) != live ||
		    test_hal_live_bytes(t) != bytes) {
			fprintf(stderr,
				"# sweep: ledger changed by failure %u\n", k);
			test_hal_check_no_leaks(t);
			return 0;
		}
	}
}

struct axvm_hpa test_hal_host_memory(struct test_hal *t, size_t size,
				     size_t align)
{
	struct test_memory *m = locked(t);
	char *ptr = take(m, size, align, true);

	if (ptr == NULL)
		test_misuse("host_memory(%zu): arena full", size);
	unlock(m);
	return test_memory_virt_to_phys(t, ptr);
}

struct axvm_hpa test_hal_phys(struct test_hal *t, const void *ptr)
{
	return test_memory_virt_to_phys(t, ptr);
}

void *test_hal_virt(struct test_hal *t, struct axvm_hpa hpa)
{
	return test_memory_phys_to_virt(t, hpa);
}
