/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Accesses of more than one integer register: pairs, SIMD&FP registers, literals;
 * the ordered forms; and what a device does not take: exclusives, atomics,
 * unaligned ones.
 */
#include "mmio.h"

/* Words at REAL_BYTE, double words at REAL_WIDE: what plain loads read there. */
static void fill_targets(uint64_t v)
{
	for (uint32_t i = 0; i < 8; i++)
		write32(REAL_BYTE + 4 * i, (uint32_t)(v >> i % 4 * 4 & ~7u));
	for (uint32_t i = 0; i < 4; i++)
		write64(REAL_WIDE + 8 * i, 1ull << 31 | (v >> i * 4 & 1));
}

static uint64_t word(uint32_t n)
{
	return read32(REAL_BYTE + 4 * n);
}

static uint64_t wide(uint32_t n)
{
	return read64(REAL_WIDE + 8 * n);
}

/* ---- Integer pairs ---- */

static struct access make_pair(uint32_t opc, uint32_t v, uint32_t form,
			       uint32_t load, uint32_t rt, uint32_t rt2,
			       uint64_t at, uint32_t round)
{
	/* opc 1: ldpsw of words, or d registers. */
	uint32_t scale = v != 0 ? opc + 2 : opc == 2 ? 3 : 2;
	int32_t imm = (int32_t)(round % 3) * 31 - 31;
	uint64_t offset = (uint64_t)((int64_t)imm << scale);
	struct access a = {.rm = 32};

	a.base = form == 1 ? at : at - offset;
	a.base_after = form % 2 != 0 ? a.base + offset : a.base;
	a.rn = (rt + rt2 + round) % 32;
	while ((a.rn == 31 && a.base % 16 != 0) ||
	       (v == 0 && (a.rn == rt || a.rn == rt2) && a.rn != 31))
		a.rn = (a.rn + 1) % 31;
	a.insn = insn_lsp(opc, v, form, load, rt, rt2, a.rn, imm);
	return a;
}

static uint64_t pair_part(uint32_t opc, uint32_t n, bool hole)
{
	uint64_t v = hole ? ~0ull : opc == 2 ? wide(n) : word(n);

	if (opc == 0)
		return (uint32_t)v;
	return opc == 1 ? (uint64_t)(int64_t)(int32_t)v : v;
}

static bool load_pair(const struct place *p, uint32_t opc, uint32_t form,
		      uint32_t round)
{
	uint32_t rt = round % 32;
	uint32_t rt2 = (round * 5 + 1) % 32;
	bool hole = round % 4 == 3;
	uint64_t at = hole ? p->hole : opc == 2 ? p->wide : p->byte;
	struct access a;
	struct frame f;
	const struct frame *after;
	uint32_t changed;
	bool ok;

	if (rt == rt2)
		rt2 = (rt2 + 1) % 32;
	a = make_pair(opc, 0, form, 1, rt, rt2, at, round);
	fill_targets(0xb4c8d0e8f0a8b8c8ull + round * 0x10101010101ull);
	frame_fill(&f);
	after = perform(p, &a, &f);
	changed = (rt == 31 ? 0 : 1u << rt) | (rt2 == 31 ? 0 : 1u << rt2);
	ok = clean_end(&a, after, &f, changed) &&
	     (rt == 31 || after->x[rt] == pair_part(opc, 0, hole)) &&
	     (rt2 == 31 || after->x[rt2] == pair_part(opc, 1, hole));
	if (!ok)
		report(&a, after);
	return ok;
}

static uint64_t reg(const struct frame *f, uint32_t n)
{
	return n == 31 ? 0 : f->x[n];
}

static bool store_pair(const struct place *p, uint32_t opc, uint32_t form,
		       uint32_t round)
{
	uint32_t rt = round % 32;
	uint32_t rt2 = (round * 7 + 1) % 32;
	bool hole = round % 4 == 3;
	uint64_t at = hole ? p->hole : opc == 2 ? p->wide : p->byte;
	struct access a = make_pair(opc, 0, form, 0, rt, rt2, at, round);
	struct frame f;
	const struct frame *after;
	uint64_t want[2];
	bool ok;

	frame_fill(&f);
	for (uint32_t i = 0; i < 2; i++) {
		uint64_t v = reg(&f, i == 0 ? rt : rt2);

		if (opc == 2)
			write64(REAL_WIDE + 8 * i, v);
		else
			write32(REAL_BYTE + 4 * i, (uint32_t)v);
		want[i] = opc == 2 ? wide(i) : word(i);
	}
	if (!hole)
		fill_targets(0);
	after = perform(p, &a, &f);
	ok = clean_end(&a, after, &f, 0) &&
	     want[0] == (opc == 2 ? wide(0) : word(0)) &&
	     want[1] == (opc == 2 ? wide(1) : word(1));
	if (!ok)
		report(&a, after);
	return ok;
}

static const char *const form_names[] = {"no-allocate", "post-index", "offset",
					 "pre-index"};

void pairs(const struct place *p)
{
	static const char *const names[] = {"w", "sw", "x"};

	for (uint32_t i = 0; i < 12; i++) {
		uint32_t opc = i / 4;
		uint32_t form = i % 4;
		bool loads = true, stores = true;

		/* LDNPSW and STPSW do not exist. */
		if (opc == 1 && form == 0)
			continue;
		for (uint32_t round = 0; round < 64; round++) {
			loads = loads && load_pair(p, opc, form, round);
			stores = stores &&
				 (opc == 1 || store_pair(p, opc, form, round));
		}
		check(loads, "%s: ldp%s %s", p->name, names[opc],
		      form_names[form]);
		if (opc != 1)
			check(stores, "%s: stp %s %s", p->name, names[opc],
			      form_names[form]);
	}
}

/* ---- SIMD&FP ---- */

static struct fp before_fp, after_fp;

static void fp_fill(void)
{
	for (uint32_t i = 0; i < 32; i++) {
		before_fp.v[i][0] = 0xa1b2c3d4e5f60718ull + i * 0x101;
		before_fp.v[i][1] = 0x0f1e2d3c4b5a6978ull - i * 0x303;
	}
	fp_load(&before_fp);
}

/* All registers are as before but the `count` from `rt` and `rt2` on. */
static bool fp_is(uint32_t rt, uint32_t rt2, uint64_t (*want)[2])
{
	fp_store(&after_fp);
	for (uint32_t i = 0; i < 32; i++) {
		const uint64_t *v = i == rt    ? want[0]
				    : i == rt2 ? want[1]
					       : before_fp.v[i];

		if (after_fp.v[i][0] != v[0] || after_fp.v[i][1] != v[1]) {
			note("q%u is 0x%lx 0x%lx, expected 0x%lx 0x%lx", i,
			     after_fp.v[i][0], after_fp.v[i][1], v[0], v[1]);
			return false;
		}
	}
	return true;
}

/* scale: 0 b ... 4 q. The target of that width, and its value. */
static uint64_t fp_target(const struct place *p, uint32_t scale, uint32_t n,
			  uint64_t v[2])
{
	v[1] = 0;
	if (scale == 0) {
		v[0] = read8(REAL_BYTE);
		return p->byte;
	}
	if (scale == 1) {
		v[0] = read16(REAL_HALF);
		return p->half;
	}
	if (scale == 2) {
		v[0] = word(n);
		return p->byte;
	}
	v[0] = scale == 3 ? wide(n) : wide(2 * n);
	if (scale == 4)
		v[1] = wide(2 * n + 1);
	return p->wide;
}

static void ones(uint32_t scale, uint64_t v[2])
{
	v[0] = scale >= 3 ? ~0ull : ~0ull >> (64 - (8u << scale));
	v[1] = scale == 4 ? ~0ull : 0;
}

static uint32_t fp_opc(uint32_t scale, uint32_t load)
{
	return (scale == 4 ? 2 : 0) | load;
}

static bool fp_load_one(const struct place *p, uint32_t scale, enum mode mode,
			uint32_t round)
{
	bool hole = round % 4 == 3;
	uint32_t rt = round % 32;
	uint64_t want[2][2];
	struct access a;
	struct frame f;
	const struct frame *after;
	uint64_t at;

	fill_targets(0x8899aabbccddeef8ull - round);
	write16(REAL_HALF, (uint16_t)(0x8765 + round));
	at = fp_target(p, scale, 0, want[0]);
	if (hole) {
		at = p->hole;
		ones(scale, want[0]);
	}
	a = make_single(mode, scale & 3, 1, fp_opc(scale, 1), rt, at, round);
	frame_fill(&f);
	fp_fill();
	after = perform(p, &a, &f);
	if (clean_end(&a, after, &f, 0) && fp_is(rt, 32, want))
		return true;
	report(&a, after);
	return false;
}

/* Stores by the plain forms what the register `rt` has. */
static void fp_plain_store(uint32_t scale, uint32_t n, uint32_t rt)
{
	const uint64_t *v = before_fp.v[rt];

	if (scale == 0)
		write8(REAL_BYTE, (uint8_t)v[0]);
	else if (scale == 1)
		write16(REAL_HALF, (uint16_t)v[0]);
	else if (scale == 2)
		write32(REAL_BYTE + 4 * n, (uint32_t)v[0]);
	else if (scale == 3)
		write64(REAL_WIDE + 8 * n, v[0]);
	if (scale == 4) {
		write64(REAL_WIDE + 16 * n, v[0]);
		write64(REAL_WIDE + 16 * n + 8, v[1]);
	}
}

static bool fp_stored(const struct place *p, uint32_t scale, uint32_t n,
		      const uint64_t want[2])
{
	uint64_t v[2];

	(void)fp_target(p, scale, n, v);
	return v[0] == want[0] && v[1] == want[1];
}

static bool fp_store_one(const struct place *p, uint32_t scale, enum mode mode,
			 uint32_t round)
{
	uint32_t rt = round % 32;
	uint64_t want[2];
	struct access a;
	struct frame f;
	const struct frame *after;
	uint64_t at;

	fp_fill();
	fp_plain_store(scale, 0, rt);
	at = fp_target(p, scale, 0, want);
	if (round % 4 != 3) {
		fill_targets(0);
		write16(REAL_HALF, 0);
	} else {
		at = p->hole;
	}
	a = make_single(mode, scale & 3, 1, fp_opc(scale, 0), rt, at, round);
	frame_fill(&f);
	after = perform(p, &a, &f);
	if (clean_end(&a, after, &f, 0) && fp_is(32, 32, NULL) &&
	    fp_stored(p, scale, 0, want))
		return true;
	report(&a, after);
	return false;
}

/* opc: 0 s, 1 d, 2 q. */
static bool fp_pair(const struct place *p, uint32_t opc, uint32_t form,
		    uint32_t load, uint32_t round)
{
	uint32_t rt = round % 32;
	uint32_t rt2 = (round + 9) % 32;
	uint32_t scale = opc + 2;
	uint64_t want[2][2];
	struct access a;
	struct frame f;
	const struct frame *after;
	uint64_t at;
	bool ok;

	fp_fill();
	fill_targets(0x9080706050403028ull + round);
	if (load == 0) {
		fp_plain_store(scale, 0, rt);
		fp_plain_store(scale, 1, rt2);
	}
	at = fp_target(p, scale, 0, want[0]);
	(void)fp_target(p, scale, 1, want[1]);
	if (load == 0)
		fill_targets(0);
	a = make_pair(opc, 1, form, load, rt, rt2, at, round);
	frame_fill(&f);
	after = perform(p, &a, &f);
	ok = clean_end(&a, after, &f, 0);
	if (load != 0)
		ok = ok && fp_is(rt, rt2, want);
	else
		ok = ok && fp_is(32, 32, NULL) &&
		     fp_stored(p, scale, 0, want[0]) &&
		     fp_stored(p, scale, 1, want[1]);
	if (!ok)
		report(&a, after);
	return ok;
}

void simd(const struct place *p)
{
	static const char letters[] = "bhsdq";

	for (uint32_t i = 0; i < 5 * MODES; i++) {
		uint32_t scale = i / MODES;
		enum mode mode = (enum mode)(i % MODES);
		bool loads = true, stores = true;

		if (mode == MODE_UNPRIVILEGED)
			continue;
		for (uint32_t round = 0; round < 32; round++) {
			loads = loads && fp_load_one(p, scale, mode, round);
			stores = stores && fp_store_one(p, scale, mode, round);
		}
		check(loads, "%s: ldr %c %s", p->name, letters[scale],
		      mode_names[mode]);
		check(stores, "%s: str %c %s", p->name, letters[scale],
		      mode_names[mode]);
	}
	for (uint32_t i = 0; i < 12; i++) {
		bool loads = true, stores = true;

		for (uint32_t round = 0; round < 32; round++) {
			loads = loads && fp_pair(p, i / 4, i % 4, 1, round);
			stores = stores && fp_pair(p, i / 4, i % 4, 0, round);
		}
		check(loads, "%s: ldp %c %s", p->name, letters[i / 4 + 2],
		      form_names[i % 4]);
		check(stores, "%s: stp %c %s", p->name, letters[i / 4 + 2],
		      form_names[i % 4]);
	}
}

/* ---- Ordered forms, literals ---- */

/* o0 1: LDAR and STLR; 0: LDLAR and STLLR ("FEAT_LOR"). */
static bool ordered_one(const struct place *p, uint32_t size, uint32_t o0)
{
	uint64_t targets[] = {p->byte, p->half, p->wide, p->wide};
	struct access a = {insn_lsx(size, 1, 1, 0, o0, 31, 31, 8, 9),
			   8,
			   targets[size],
			   targets[size],
			   32,
			   0};
	struct frame f;
	const struct frame *after;
	uint64_t want;
	bool ok;

	fill_targets(0xf8);
	write16(REAL_HALF, 0x9bdf);
	want = size == 0   ? read8(REAL_BYTE)
	       : size == 1 ? read16(REAL_HALF)
	       : size == 2 ? read32(REAL_WIDE)
			   : read64(REAL_WIDE);
	frame_fill(&f);
	after = perform(p, &a, &f);
	ok = clean_end(&a, after, &f, 1u << 9) && after->x[9] == want;
	if (!ok)
		report(&a, after);
	a.insn = insn_lsx(size, 1, 0, 0, o0, 31, 31, 8, 9);
	frame_fill(&f);
	f.x[9] = size == 1 ? 0x6b : 0;
	after = perform(p, &a, &f);
	want = size == 0   ? read8(REAL_BYTE)
	       : size == 1 ? read16(REAL_HALF) ^ 0x6bu
	       : size == 2 ? read32(REAL_WIDE)
			   : read64(REAL_WIDE);
	if (!clean_end(&a, after, &f, 0) || want != 0) {
		report(&a, after);
		ok = false;
	}
	return ok;
}

/* LDAPR, of CPUs that have it ("FEAT_LRCPC"). */
static bool ldapr(const struct place *p)
{
	struct access a = {0xb8bfc109, 8, p->wide, p->wide, 32, 0};
	struct frame f;
	const struct frame *after;

	fill_targets(1);
	frame_fill(&f);
	after = perform(p, &a, &f);
	if (clean_end(&a, after, &f, 1u << 9) &&
	    after->x[9] == (uint32_t)wide(0))
		return true;
	report(&a, after);
	return false;
}

void ordered(const struct place *p)
{
	static const char *const names[] = {"b", "h", "w", "x"};
	bool lor = (sys_read(id_aa64mmfr1_el1) >> 16 & 15) != 0;
	bool rcpc = (sys_read(id_aa64isar1_el1) >> 20 & 15) != 0;

	for (uint32_t size = 0; size < 4; size++) {
		check(ordered_one(p, size, 1), "%s: ldar and stlr %s", p->name,
		      names[size]);
		if (lor)
			check(ordered_one(p, size, 0), "%s: ldlar and stllr %s",
			      p->name, names[size]);
	}
	if (rcpc)
		check(ldapr(p), "%s: ldapr", p->name);
}

static uint32_t insn_literal(uint32_t opc, uint32_t v, uint32_t rt, uint64_t pc,
			     uint64_t at)
{
	return 0x18000000u | opc << 30 | v << 26 |
	       ((uint32_t)((at - pc) / 4) & 0x7ffff) << 5 | rt;
}

void literals(const struct place *p)
{
	static const char *const names[] = {"w", "x", "sw"};
	struct frame f;
	const struct frame *after;
	uint64_t want[2][2];

	fill_targets(0x81f8);
	for (uint32_t opc = 0; opc < 3; opc++) {
		uint64_t at = opc == 1 ? p->wide : p->byte;
		uint64_t v = opc == 1 ? wide(0) : word(0);

		if (opc == 2)
			v = (uint64_t)(int64_t)(int32_t)v;
		frame_fill(&f);
		after = exec_at(p->store, p->pc,
				insn_literal(opc, 0, 9, p->pc, at), &f,
				p->user);
		check(retired(after, &f) && unchanged(after, &f, 1u << 9) &&
			      after->x[9] == v,
		      "%s: ldr %s, literal", p->name, names[opc]);
	}
	for (uint32_t opc = 0; opc < 3; opc++) {
		uint64_t at = fp_target(p, opc + 2, 0, want[0]);

		fp_fill();
		frame_fill(&f);
		after = exec_at(p->store, p->pc,
				insn_literal(opc, 1, 9, p->pc, at), &f,
				p->user);
		check(retired(after, &f) && unchanged(after, &f, 0) &&
			      fp_is(9, 32, want),
		      "%s: ldr %c, literal", p->name, "sdq"[opc]);
	}
}

/* ---- Refusals ---- */

/* An abort of either kind, with the address, and no register changes. */
static bool aborts(const struct place *p, uint32_t insn, uint64_t at,
		   uint32_t fsc)
{
	struct access a = {insn, 8, at, at, 32, 0};
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	fp_fill();
	after = perform(p, &a, &f);
	if (esr_ec(after) == (p->user ? EC_DABORT_EL0 : EC_DABORT) &&
	    esr_fsc(after) == fsc && after->far == at && after->pc == f.pc &&
	    unchanged(after, &f, 0) && fp_is(32, 32, NULL))
		return true;
	report(&a, after);
	return false;
}

void refused(const struct place *p)
{
	static const struct {
		const char *name;
		uint32_t insn;
	} forms[] = {
		{"ldxr", 0x085f7c00 | 2u << 30 | 8 << 5 | 9},
		{"ldxp", 0x887f0000 | 10 << 10 | 8 << 5 | 9},
		{"ldaxr", 0x885ffc00 | 8 << 5 | 9},
		{"ld1 {v9.16b}", 0x4c407109},
		{"ld1 {v9.b}[0]", 0x0d400109},
		{"st1 {v9.16b}", 0x4c007109},
		{"ld1r {v9.16b}", 0x4d40c109},
		{"ldadd", 0xb8200109},
		{"swp", 0xb8208109},
		{"cas", 0x88a07d09},
	};
	bool lse = (sys_read(id_aa64isar0_el1) >> 20 & 15) != 0;

	for (uint32_t i = 0; i < COUNT_OF(forms) - (lse ? 0 : 3); i++)
		check(aborts(p, forms[i].insn, p->wide, FSC_EXTERNAL) &&
			      aborts(p, forms[i].insn, p->hole, FSC_EXTERNAL),
		      "%s: %s is refused", p->name, forms[i].name);
}

void unaligned(const struct place *p)
{
	bool singles = true, others = true;

	for (uint32_t offset = 1; offset < 8; offset++) {
		uint64_t at = p->wide + offset;

		for (uint32_t size = 1; size < 4; size++) {
			if (offset % (1u << size) == 0)
				continue;
			singles = singles &&
				  aborts(p, insn_ls(size, 0, 1, 9, 8, 0), at,
					 FSC_ALIGNMENT) &&
				  aborts(p, insn_ls(size, 0, 0, 9, 8, 0), at,
					 FSC_ALIGNMENT);
			others = others &&
				 aborts(p, insn_ls9(size, 0, 1, 1, 9, 8, 8), at,
					FSC_ALIGNMENT);
		}
		others =
			others &&
			aborts(p, insn_lsp(2, 0, 2, 1, 9, 10, 8, 0), at,
			       FSC_ALIGNMENT) &&
			aborts(p, insn_ls(0, 1, 3, 9, 8, 0), at, FSC_ALIGNMENT);
	}
	check(singles, "%s: an unaligned access is an alignment fault",
	      p->name);
	check(others, "%s: so it is of pairs, q and post-index", p->name);
}

/* Over the end of a page into one that may be anything. */
void over_a_page(const struct place *p)
{
	uint64_t end = (p->hole | 0xfff) + 1;
	bool ok = true;

	for (uint32_t before = 1; before < 8; before++) {
		ok = ok &&
		     aborts(p, insn_lsp(2, 0, 2, 1, 9, 10, 8, 0), end - before,
			    FSC_ALIGNMENT) &&
		     aborts(p, insn_lsp(2, 0, 2, 0, 9, 10, 8, 0), end - before,
			    FSC_ALIGNMENT) &&
		     aborts(p, insn_ls9(3, 0, 1, 1, 9, 8, 8), end - before,
			    FSC_ALIGNMENT);
	}
	check(ok, "%s: an unaligned access over a page is an alignment fault",
	      p->name);
	check(aborts(p, insn_lsp(2, 0, 2, 1, 9, 10, 8, 0), end - 8,
		     FSC_EXTERNAL) &&
		      aborts(p, insn_lsp(2, 0, 2, 0, 9, 10, 8, 0), end - 8,
			     FSC_EXTERNAL),
	      "%s: a pair in two pages is not supported", p->name);
}

/* A width the device does not have: a fault or a made-up value, no more. */
void wrong_width(const struct place *p)
{
	struct access a = {0, 8, 0, 0, 32, 0};
	struct frame f;
	const struct frame *after;
	bool ok = true;

	write32(UART(UART_IBRD), 0x1234);
	for (uint32_t size = 0; size < 4; size++) {
		a.base = a.base_after = p->half & ~7ull;
		a.insn = insn_ls(size, 0, 1, 9, 8, 0);
		frame_fill(&f);
		after = perform(p, &a, &f);
		ok = ok &&
		     (retired(after, &f) || esr_fsc(after) == FSC_EXTERNAL);
		a.base = a.base_after = p->byte;
		a.insn = insn_ls(size, 0, 1, 9, 8, 0);
		frame_fill(&f);
		after = perform(p, &a, &f);
		ok = ok &&
		     (retired(after, &f) || esr_fsc(after) == FSC_EXTERNAL);
	}
	check(ok, "%s: loads of an unusual width", p->name);
	check_eq(read32(UART(UART_IBRD)), 0x1234, "%s: change nothing",
		 p->name);
}
