/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What the stage-2 tests share: a frame pool with a ledger and an offset
 * between virtual and physical, all formats, and a walker of raw tables that
 * was written from the manuals and uses nothing of the code under test.
 */
#ifndef STAGE2_SUPPORT_H
#define STAGE2_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../arch/arm_vhe/s2_format.h"
#include "../../arch/riscv_h/s2_format.h"
#include "../../arch/vmx/s2_format.h"
#include "stage2.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define FRAMES 4096u
#define FRAMES_HPA UINT64_C(0x7fab0000)

struct frames {
	unsigned char *memory;
	unsigned char used[FRAMES];
	size_t live;
	size_t allocations; /* calls so far */
	size_t fail_at; /* the call that fails and all after; 0: none */
	size_t hint;
	struct s2_pool pool;
};

static inline size_t frame_count(size_t size)
{
	return size / 4096;
}

static inline void *frames_alloc(void *ctx, size_t size, size_t align)
{
	struct frames *f = ctx;
	size_t n = frame_count(size);
	size_t step = n;

	assert_int_equal(size, align);
	f->allocations++;
	if (f->fail_at != 0 && f->allocations >= f->fail_at)
		return NULL;
	for (size_t tries = 0; tries < FRAMES / step; tries++) {
		size_t at = f->hint / step * step;
		size_t i = 0;

		while (i < n && f->used[at + i] == 0)
			i++;
		f->hint = (at + step) % FRAMES;
		if (i == n) {
			memset(f->used + at, 1, n);
			memset(f->memory + at * 4096, 0xff, size);
			f->live += n;
			return f->memory + at * 4096;
		}
	}
	return NULL;
}

static inline void frames_free(void *ctx, void *page, size_t size)
{
	struct frames *f = ctx;
	size_t at = (size_t)((unsigned char *)page - f->memory) / 4096;

	for (size_t i = 0; i < frame_count(size); i++) {
		assert_int_equal(f->used[at + i], 1);
		f->used[at + i] = 0;
	}
	/* A use after free finds entries that are valid and wrong. */
	memset(page, 0xe7, size);
	f->live -= frame_count(size);
}

static inline uint64_t frames_phys(void *ctx, void *page)
{
	struct frames *f = ctx;

	return (uint64_t)((unsigned char *)page - f->memory) + FRAMES_HPA;
}

static inline void *frames_virt(void *ctx, uint64_t hpa)
{
	struct frames *f = ctx;

	assert_true(hpa - FRAMES_HPA < FRAMES * UINT64_C(4096));
	return f->memory + (hpa - FRAMES_HPA);
}

static inline struct frames *frames_create(bool linear)
{
	struct frames *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->memory = aligned_alloc(65536, FRAMES * 4096u);
	assert_non_null(f->memory);
	f->pool = (struct s2_pool){
		.ctx = f,
		.alloc_page = frames_alloc,
		.free_page = frames_free,
		.virt_to_phys = frames_phys,
		.phys_to_virt = frames_virt,
		.linear = linear,
		.virt_offset = (uint64_t)(uintptr_t)f->memory - FRAMES_HPA,
	};
	return f;
}

static inline void frames_destroy(struct frames *f)
{
	assert_int_equal(f->live, 0);
	free(f->memory);
	free(f);
}

/* The kinds of tables, as the raw walker knows them. */
enum kind {
	EPT,
	ARM,
	SV
};

struct mode {
	const char *name;
	enum kind kind;
	unsigned parameter; /* levels, IPA bits, hgatp mode */
	bool flag; /* Svpbmt */
};

static const struct mode modes[] = {
	{"EPT 4-level", EPT, 4, true}, {"EPT 5-level", EPT, 5, true},
	{"ARM 32", ARM, 32, false},    {"ARM 36", ARM, 36, false},
	{"ARM 39", ARM, 39, false},    {"ARM 40", ARM, 40, false},
	{"ARM 43", ARM, 43, false},    {"ARM 44", ARM, 44, false},
	{"ARM 48", ARM, 48, false},    {"Sv39x4", SV, 8, false},
	{"Sv39x4 pbmt", SV, 8, true},  {"Sv48x4", SV, 9, false},
	{"Sv57x4 pbmt", SV, 10, true},
};

#define MODES (sizeof(modes) / sizeof(modes[0]))

static inline struct axvm_s2_format mode_format(const struct mode *mode)
{
	struct axvm_s2_format format;
	struct vmx_ept_features ept = {.exec_only = false,
				       .leaf_2m = true,
				       .leaf_1g = true,
				       .levels = mode->parameter,
				       .hpa_bits = 46};
	int error;

	if (mode->kind == EPT)
		error = axvmi_vmx_s2_format(&ept, &format);
	else if (mode->kind == ARM)
		error = axvmi_arm_s2_format(mode->parameter, 48, &format);
	else
		error = axvmi_riscv_s2_format(mode->parameter, mode->flag,
					      &format);
	assert_int_equal(error, 0);
	return format;
}

/* What the manuals say that an entry means. */
struct raw {
	bool valid;
	bool leaf;
	uint64_t hpa;
	uint32_t access;
	bool device;
};

static inline uint64_t raw_bits(uint64_t word, unsigned hi, unsigned lo)
{
	return (word >> lo) & ((UINT64_C(2) << (hi - lo)) - 1);
}

/* Intel SDM, "Format of an EPT ... Entry" and "EPT Misconfigurations". */
static inline struct raw raw_ept(uint64_t e, unsigned level)
{
	struct raw raw = {0};

	raw.valid = raw_bits(e, 2, 0) != 0;
	if (!raw.valid)
		return raw;
	raw.hpa = raw_bits(e, 51, 12) << 12;
	raw.leaf = level == 0 || raw_bits(e, 7, 7) == 1;
	assert_int_equal(raw_bits(e, 51, 46), 0);
	assert_int_equal(raw_bits(e, 63, 52), 0);
	if (!raw.leaf) {
		assert_int_equal(raw_bits(e, 7, 0), 7);
		return raw;
	}
	assert_int_equal(raw_bits(e, 0, 0), 1);
	assert_true(raw_bits(e, 5, 3) == 6 || raw_bits(e, 5, 3) == 0);
	if (level == 0)
		assert_int_equal(raw_bits(e, 7, 7), 0);
	raw.access = (raw_bits(e, 0, 0) ? AXVM_READ : 0) |
		     (raw_bits(e, 1, 1) ? AXVM_WRITE : 0) |
		     (raw_bits(e, 2, 2) ? AXVM_EXEC : 0);
	raw.device = raw_bits(e, 5, 3) == 0;
	return raw;
}

/* Arm ARM, "Translation table descriptor formats", stage 2, 4 KiB granule. */
static inline struct raw raw_arm(uint64_t e, unsigned level)
{
	struct raw raw = {0};

	raw.valid = raw_bits(e, 0, 0) == 1;
	if (!raw.valid)
		return raw;
	raw.hpa = raw_bits(e, 47, 12) << 12;
	assert_int_equal(raw_bits(e, 50, 48), 0);
	if (level == 0)
		assert_int_equal(raw_bits(e, 1, 0), 3);
	raw.leaf = level == 0 || raw_bits(e, 1, 0) == 1;
	if (!raw.leaf) {
		assert_int_equal(raw_bits(e, 63, 59), 0);
		return raw;
	}
	assert_int_equal(raw_bits(e, 10, 10), 1);
	assert_int_equal(raw_bits(e, 53, 53), 0);
	raw.device = raw_bits(e, 5, 2) == 1;
	if (!raw.device) {
		assert_int_equal(raw_bits(e, 5, 2), 15);
		assert_int_equal(raw_bits(e, 9, 8), 3);
	}
	raw.access = (raw_bits(e, 6, 6) ? AXVM_READ : 0) |
		     (raw_bits(e, 7, 7) ? AXVM_WRITE : 0) |
		     (raw_bits(e, 54, 54) ? 0 : AXVM_EXEC);
	return raw;
}

/* RISC-V Privileged, "Sv39: Page-Based 39-bit Virtual-Memory System". */
static inline struct raw raw_sv(uint64_t e, bool pbmt)
{
	struct raw raw = {0};

	raw.valid = raw_bits(e, 0, 0) == 1;
	if (!raw.valid)
		return raw;
	raw.hpa = raw_bits(e, 53, 10) << 12;
	raw.leaf = raw_bits(e, 3, 1) != 0;
	if (!raw.leaf) {
		assert_int_equal(raw_bits(e, 9, 4), 0);
		assert_int_equal(raw_bits(e, 63, 54), 0);
		return raw;
	}
	assert_int_equal(raw_bits(e, 4, 4), 1);
	assert_int_equal(raw_bits(e, 7, 6), 3);
	assert_int_equal(raw_bits(e, 5, 5), 0);
	assert_int_equal(raw_bits(e, 60, 54), 0);
	assert_int_equal(raw_bits(e, 63, 63), 0);
	assert_int_not_equal(raw_bits(e, 2, 1), 2);
	raw.device = pbmt ? raw_bits(e, 62, 61) == 2 : raw_bits(e, 8, 8) == 1;
	if (!raw.device)
		assert_int_equal(raw_bits(e, 62, 61), 0);
	raw.access = (raw_bits(e, 1, 1) ? AXVM_READ : 0) |
		     (raw_bits(e, 2, 2) ? AXVM_WRITE : 0) |
		     (raw_bits(e, 3, 3) ? AXVM_EXEC : 0);
	return raw;
}

static inline struct raw raw_decode(const struct mode *mode, uint64_t e,
				    unsigned level)
{
	struct raw raw = mode->kind == EPT   ? raw_ept(e, level)
			 : mode->kind == ARM ? raw_arm(e, level)
					     : raw_sv(e, mode->flag);

	/* Leaves above 1 GiB are none of ours; addresses are aligned. */
	if (raw.valid && raw.leaf) {
		assert_true(level <= 2);
		assert_int_equal(raw.hpa & ((UINT64_C(4096) << 9 * level) - 1),
				 0);
	}
	return raw;
}

/* Level and number of entries of the root, by the manuals. */
static inline unsigned raw_top(const struct mode *mode)
{
	if (mode->kind == EPT)
		return mode->parameter - 1;
	if (mode->kind == ARM)
		return mode->parameter <= 43 ? 2 : 3;
	return mode->parameter - 6;
}

static inline size_t raw_root_entries(const struct mode *mode)
{
	if (mode->kind == EPT)
		return 512;
	if (mode->kind == SV)
		return 2048;
	return (size_t)1 << (mode->parameter -
			     (mode->parameter <= 43 ? 30 : 39));
}

static inline uint64_t *raw_virt(const struct frames *f, uint64_t hpa)
{
	assert_true(hpa - FRAMES_HPA < FRAMES * UINT64_C(4096));
	assert_int_equal(f->used[(hpa - FRAMES_HPA) / 4096], 1);
	return (uint64_t *)(void *)(f->memory + (hpa - FRAMES_HPA));
}

/* The entry that decides about gpa, and its level. */
static inline uint64_t *raw_slot(const struct mode *mode,
				 const struct frames *f, const void *root,
				 uint64_t gpa, unsigned *level)
{
	uint64_t *table = raw_virt(
		f, (uint64_t)((const unsigned char *)root - f->memory) +
			   FRAMES_HPA);
	size_t entries = raw_root_entries(mode);

	for (*level = raw_top(mode);; (*level)--, entries = 512) {
		uint64_t *e =
			&table[(gpa >> (12 + 9 * *level)) & (entries - 1)];
		struct raw raw = raw_decode(mode, *e, *level);

		if (!raw.valid || raw.leaf)
			return e;
		table = raw_virt(f, raw.hpa);
	}
}

/* Frames reachable from a table; no table but the root may be empty. */
static inline size_t raw_frames(const struct mode *mode, const struct frames *f,
				const uint64_t *table, unsigned level,
				size_t entries)
{
	size_t frames = entries <= 512 ? 1 : entries / 512;
	size_t used = 0;

	for (size_t i = 0; i < entries; i++) {
		struct raw raw = raw_decode(mode, table[i], level);

		used += raw.valid;
		if (raw.valid && !raw.leaf)
			frames += raw_frames(mode, f, raw_virt(f, raw.hpa),
					     level - 1, 512);
		if (!raw.valid)
			assert_int_equal(table[i], 0);
	}
	assert_true(used != 0 || level == raw_top(mode));
	return frames;
}

static inline void check_frames(const struct mode *mode, const struct frames *f,
				const struct s2_table *table)
{
	size_t frames =
		raw_frames(mode, f, (const uint64_t *)(const void *)table->root,
			   raw_top(mode), raw_root_entries(mode));

	assert_int_equal(frames, f->live);
	assert_int_equal(frames, load_relaxed(&table->pages));
}

/* The walker's answer and the query's are one. */
static inline void check_page(const struct mode *mode, const struct frames *f,
			      const struct s2_table *table, uint64_t gpa,
			      uint64_t hpa, uint32_t access, bool device)
{
	unsigned level;
	uint64_t *e = raw_slot(mode, f, table->root, gpa, &level);
	struct raw raw = raw_decode(mode, *e, level);
	uint64_t size = UINT64_C(4096) << 9 * level;
	struct s2_mapping mapping;

	assert_true(raw.valid);
	assert_int_equal(raw.hpa + (gpa & (size - 1)), hpa);
	assert_int_equal(raw.access, access);
	assert_int_equal(raw.device, device);
	assert_int_equal(axvmi_s2_query(table, axvm_to_gpa(gpa), &mapping), 0);
	assert_int_equal(mapping.hpa.value, hpa);
	assert_int_equal(mapping.access, access);
	assert_int_equal(mapping.type == AXVM_MEM_DEVICE, device);
	assert_int_equal(mapping.leaf_size, size);
}

static inline void check_hole(const struct mode *mode, const struct frames *f,
			      const struct s2_table *table, uint64_t gpa)
{
	struct s2_mapping mapping = {.leaf_size = 77};
	unsigned level;
	uint64_t *e = raw_slot(mode, f, table->root, gpa, &level);

	assert_int_equal(*e, 0);
	assert_int_equal(axvmi_s2_query(table, axvm_to_gpa(gpa), &mapping),
			 AXVM_ENOENT);
	assert_int_equal(mapping.leaf_size, 77);
}

#endif
