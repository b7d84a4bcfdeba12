/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The self test of a host's memory: pieces are taken one after the other, each
 * looked at as soon as it is there; then half of them go back and come again.
 * What is taken is listed in `pieces` and goes back whatever happens.
 */
#include "selftest.h"

#include "bits.h"

/* 350 KiB together. Every alignment up to 64 KiB, and sizes over, under and
 * besides whole pages. */
static const struct {
	uint32_t size;
	uint32_t align;
} pieces[] = {
	{1, 1},
	{2, 2},
	{24, 4},
	{40, 8},
	{100, 16},
	{4096, 4096},
	{36, 32},
	{200, 64},
	{16384, 16384},
	{128, 128},
	{3000, 256},
	{3 * 4096, 4096},
	{512, 512},
	{65536, 65536},
	{1024, 1024},
	{5000, 2048},
	{2 * 8192, 8192},
	{32768, 32768},
	{48 * 4096 + 1, 4096},
	{4096, 65536},
};

#define PIECES ARRAY_SIZE(pieces)
#define CHURN_SIZE 65536u
#define CHURN_ROUNDS 512u /* 32 MiB in all */

struct taken {
	struct selftest *t;
	unsigned char *start[PIECES];
	uint64_t phys[PIECES];
};

static int fail(struct taken *m, enum axvm_selftest_clause clause,
		const char *detail, uint64_t found, uint64_t wanted)
{
	return axvmi_selftest_fail(m->t, clause, detail, found, wanted);
}

static uint64_t phys_of(struct taken *m, const void *byte)
{
	const struct axvm_hal *hal = m->t->hal;

	return hal->virt_to_phys(hal->ctx, byte).value;
}

static uint64_t virt_of(struct taken *m, uint64_t hpa)
{
	const struct axvm_hal *hal = m->t->hal;

	return (uintptr_t)hal->phys_to_virt(hal->ctx, axvm_to_hpa(hpa));
}

static void give_back(struct taken *m, size_t n)
{
	const struct axvm_hal *hal = m->t->hal;

	if (m->start[n] != NULL)
		hal->free(hal->ctx, m->start[n], pieces[n].size);
	m->start[n] = NULL;
}

/* ---- contents ---- */

/* Differs between pieces, and between pages of one. */
static unsigned char pattern(size_t n, size_t offset)
{
	return (unsigned char)(n * 41 + offset * 7 + (offset >> 12) * 13 + 1);
}

static void fill(struct taken *m, size_t n)
{
	for (size_t i = 0; i < pieces[n].size; i++)
		m->start[n][i] = pattern(n, i);
}

/* All are taken. True if every piece holds what was written to it. */
static bool all_kept(const struct taken *m, uint64_t *address)
{
	for (size_t n = 0; n < PIECES; n++) {
		const unsigned char *byte = m->start[n];

		for (size_t i = 0; i < pieces[n].size; i++) {
			if (byte[i] == pattern(n, i))
				continue;
			*address = (uintptr_t)&byte[i];
			return false;
		}
	}
	return true;
}

/* ---- addresses ---- */

/* True if piece n shares no byte with another one that is taken. */
static bool is_apart(const struct taken *m, size_t n, bool phys)
{
	for (size_t i = 0; i < PIECES; i++) {
		uint64_t a = phys ? m->phys[n] : (uintptr_t)m->start[n];
		uint64_t b = phys ? m->phys[i] : (uintptr_t)m->start[i];

		if (i != n && m->start[i] != NULL &&
		    range_overlaps(a, pieces[n].size, b, pieces[i].size))
			return false;
	}
	return true;
}

/* One byte of piece n, at `offset`, the first of it in its page or not. */
static int check_byte(struct taken *m, size_t n, size_t offset, bool is_first)
{
	const struct axvm_hal *hal = m->t->hal;
	const unsigned char *byte = m->start[n] + offset;
	uint64_t virt = (uintptr_t)byte;
	uint64_t phys = phys_of(m, byte);
	uint64_t back;

	if (!is_aligned(virt ^ phys, PAGE_SIZE_4K))
		return fail(m, AXVM_CLAUSE_PAGE_OFFSET,
			    "virt_to_phys changes the low 12 bits", phys, virt);
	if (phys != m->phys[n] + offset)
		return fail(m, AXVM_CLAUSE_CONTIGUOUS,
			    "virt_to_phys of a byte inside a piece", phys,
			    m->phys[n] + offset);
	back = virt_of(m, phys);
	if (back != virt && is_first)
		return fail(m, AXVM_CLAUSE_TRANSLATE,
			    "phys_to_virt of what virt_to_phys said", back,
			    virt);
	if (back != virt)
		return fail(m, AXVM_CLAUSE_PAGE_LINEAR,
			    "phys_to_virt of a byte inside a page", back, virt);
	if (hal->linear && phys + hal->virt_offset != virt)
		return fail(m, AXVM_CLAUSE_LINEAR,
			    "physical address plus virt_offset",
			    phys + hal->virt_offset, virt);
	return AXVM_OK;
}

/* The first, the last and one more byte of each page of piece n. */
static int check_bytes(struct taken *m, size_t n)
{
	size_t size = pieces[n].size;
	size_t page = 0;
	int err = AXVM_OK;

	while (page < size && err == AXVM_OK) {
		size_t left = size - page;
		size_t room = PAGE_SIZE_4K -
			      ((uintptr_t)m->start[n] + page) % PAGE_SIZE_4K;
		size_t in_page = left < room ? left : room;

		err = check_byte(m, n, page, true);
		if (err == AXVM_OK)
			err = check_byte(m, n, page + in_page / 2, false);
		if (err == AXVM_OK)
			err = check_byte(m, n, page + in_page - 1, false);
		page += in_page;
	}
	return err;
}

/* ---- alloc ---- */

/* Takes piece n. `clause` is whose fault it is if it is not there, or not its
 * own; then it is not taken. */
static int take(struct taken *m, size_t n, enum axvm_selftest_clause clause,
		enum axvm_selftest_clause overlap)
{
	const struct axvm_hal *hal = m->t->hal;

	m->start[n] = hal->alloc(hal->ctx, pieces[n].size, pieces[n].align);
	if (m->start[n] == NULL) {
		(void)fail(m, clause, "alloc returned NULL for this size", 0,
			   pieces[n].size);
		return AXVM_ENOMEM;
	}
	if (is_apart(m, n, false))
		return AXVM_OK;
	(void)fail(m, overlap, "alloc gave memory that is in use",
		   (uintptr_t)m->start[n], 0);
	m->start[n] = NULL;
	return AXVM_EHAL;
}

static int take_first(struct taken *m, size_t n)
{
	uint64_t align = pieces[n].align;
	int err = take(m, n, AXVM_CLAUSE_ALLOC, AXVM_CLAUSE_ALLOC_DISTINCT);

	if (err != AXVM_OK)
		return err;
	if (!is_aligned((uintptr_t)m->start[n], align))
		return fail(m, AXVM_CLAUSE_ALLOC_ALIGN,
			    "the pointer is no multiple of the alignment",
			    (uintptr_t)m->start[n], align);
	m->phys[n] = phys_of(m, m->start[n]);
	err = check_bytes(m, n);
	if (err != AXVM_OK)
		return err;
	if (!is_aligned(m->phys[n], align))
		return fail(m, AXVM_CLAUSE_ALLOC_ALIGN,
			    "the physical address is no multiple of it",
			    m->phys[n], align);
	if (!is_apart(m, n, true))
		return fail(m, AXVM_CLAUSE_PHYS_DISTINCT,
			    "two pieces have this physical address", m->phys[n],
			    0);
	fill(m, n);
	return AXVM_OK;
}

static int check_alloc(struct taken *m)
{
	uint64_t address;

	for (size_t n = 0; n < PIECES; n++) {
		int err = take_first(m, n);

		if (err != AXVM_OK)
			return err;
	}
	if (!all_kept(m, &address))
		return fail(m, AXVM_CLAUSE_ALLOC_MEMORY,
			    "this byte is not what was written", address, 0);
	for (unsigned c = AXVM_CLAUSE_ALLOC; c <= AXVM_CLAUSE_ALLOC_MEMORY;
	     c++) {
		if (c != AXVM_CLAUSE_LINEAR || m->t->hal->linear)
			selftest_held(m->t, (enum axvm_selftest_clause)c);
	}
	return AXVM_OK;
}

static int check_large(struct taken *m)
{
	static const size_t aligns[] = {(size_t)2 << 20, (size_t)1 << 30};
	const struct axvm_hal *hal = m->t->hal;

	for (size_t i = 0; i < ARRAY_SIZE(aligns); i++) {
		void *piece = hal->alloc(hal->ctx, PAGE_SIZE_4K, aligns[i]);
		uint64_t phys;

		if (piece == NULL)
			continue;
		phys = phys_of(m, piece);
		hal->free(hal->ctx, piece, PAGE_SIZE_4K);
		if (!is_aligned(phys, aligns[i]))
			return fail(m, AXVM_CLAUSE_ALLOC_LARGE,
				    "the physical address is no multiple", phys,
				    aligns[i]);
	}
	selftest_held(m->t, AXVM_CLAUSE_ALLOC_LARGE);
	return AXVM_OK;
}

/* ---- free ---- */

/* Every second piece goes back and comes again; the others must not notice. */
static int check_reuse(struct taken *m)
{
	uint64_t address;
	int err = AXVM_OK;

	for (size_t n = 1; n < PIECES; n += 2)
		give_back(m, n);
	for (size_t n = 1; n < PIECES && err == AXVM_OK; n += 2) {
		err = take(m, n, AXVM_CLAUSE_FREE, AXVM_CLAUSE_FREE);
		if (err == AXVM_OK)
			fill(m, n);
	}
	if (err == AXVM_OK && !all_kept(m, &address))
		err = fail(m, AXVM_CLAUSE_FREE,
			   "free changed memory that is in use", address, 0);
	return err;
}

/* Again and again, until a host that loses some has none left. */
static int check_churn(struct taken *m)
{
	const struct axvm_hal *hal = m->t->hal;

	for (unsigned i = 0; i < CHURN_ROUNDS; i++) {
		void *piece = hal->alloc(hal->ctx, CHURN_SIZE, CHURN_SIZE);

		if (piece == NULL) {
			(void)fail(m, AXVM_CLAUSE_FREE,
				   "memory ran out after so many rounds", i,
				   CHURN_ROUNDS);
			return AXVM_ENOMEM;
		}
		hal->free(hal->ctx, piece, CHURN_SIZE);
	}
	return AXVM_OK;
}

static uint64_t free_bytes(const struct selftest *t)
{
	return t->how.free_bytes == NULL ? 0 : t->how.free_bytes(t->how.ctx);
}

int axvmi_selftest_memory(struct selftest *t)
{
	uint64_t before = free_bytes(t);
	struct taken m = {.t = t};
	int err = check_alloc(&m);

	if (err == AXVM_OK)
		err = check_large(&m);
	if (err == AXVM_OK)
		err = check_reuse(&m);
	for (size_t n = 0; n < PIECES; n++)
		give_back(&m, n);
	if (err == AXVM_OK)
		err = check_churn(&m);
	if (err != AXVM_OK)
		return err;
	if (free_bytes(t) != before)
		return fail(&m, AXVM_CLAUSE_FREE,
			    "not every byte came back: free_bytes",
			    free_bytes(t), before);
	selftest_held(t, AXVM_CLAUSE_FREE);
	return AXVM_OK;
}
