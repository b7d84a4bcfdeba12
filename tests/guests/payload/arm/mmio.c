/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Every load and store of an integer register on devices and on nothing (DDI
 * 0487, "Loads and Stores"), in every addressing mode, from every register, with
 * the MMU off and on, at EL1 and EL0. The syndrome describes half of them; the
 * others the hypervisor has to decode.
 */
#include "mmio.h"

static uint8_t pages[2 * PAGE] __attribute__((aligned(4096)));

const char *const mode_names[MODES] = {
	"unsigned", "unscaled", "post-index", "unprivileged", "pre-index",
	"uxtw",	    "lsl",	"sxtw",	      "sxtx"};

/* The form that mode_names[] has at `mode` has no immediate. */
static bool by_register(enum mode mode)
{
	return mode >= MODE_UXTW;
}

static void by_index(struct access *a, enum mode mode, uint32_t size,
		     uint32_t v, uint32_t opc, uint32_t rt, uint64_t at,
		     uint32_t round)
{
	static const uint8_t option[MODES] = {[MODE_UXTW] = 2,
					      [MODE_LSL] = 3,
					      [MODE_SXTW] = 6,
					      [MODE_SXTX] = 7};
	bool is_signed = mode == MODE_SXTW || mode == MODE_SXTX;
	int64_t index = is_signed && round % 2 != 0 ? -16 : 32;
	uint32_t shift = round / 2 % 2;
	uint32_t scale = v != 0 && opc > 1 ? 4 : size;

	a->rm = (a->rn + 7) % 31;
	if (a->rm == rt || a->rm == a->rn)
		a->rm = (a->rm + 1) % 31;
	if (a->rm == rt || a->rm == a->rn)
		a->rm = (a->rm + 1) % 31;
	a->index = (uint64_t)index;
	/* What the extension takes away may be anything. */
	if (mode == MODE_UXTW || mode == MODE_SXTW)
		a->index = (a->index & 0xffffffff) | 0x7b00000000000000ull;
	a->base = at - ((uint64_t)index << (shift != 0 ? scale : 0));
	a->base_after = a->base;
	a->insn = insn_lsr(size, v, opc, rt, a->rn, a->rm, option[mode], shift);
}

/* A base that is SP has to be aligned; the loaded register is none that is
 * written back. */
static uint32_t pick_base(enum mode mode, uint32_t rt, uint64_t base,
			  uint32_t round)
{
	uint32_t rn = (rt + round * 9 + (round % 2 == 0)) % 32;
	bool writes = mode == MODE_POST || mode == MODE_PRE;

	if (rn == 31 && base % 16 != 0)
		rn = 3;
	if (writes && rn == rt && rn != 31)
		rn = (rn + 1) % 31;
	return rn;
}

struct access make_single(enum mode mode, uint32_t size, uint32_t v,
			  uint32_t opc, uint32_t rt, uint64_t at,
			  uint32_t round)
{
	static const int32_t offsets[] = {0, 16, -256, 255};
	uint32_t scale = v != 0 && opc > 1 ? 4 : size;
	int32_t imm = offsets[round % 4];
	struct access a = {.rm = 32};

	if (mode == MODE_UNSIGNED)
		imm = (int32_t)((round % 4 * 1365) << scale);
	if (by_register(mode))
		imm = 0;
	a.base = mode == MODE_POST ? at : at - (uint64_t)(int64_t)imm;
	a.rn = pick_base(mode, rt, a.base, round);
	if (by_register(mode)) {
		if (a.rn == 31)
			a.rn = (rt + 5) % 31;
		by_index(&a, mode, size, v, opc, rt, at, round);
		return a;
	}
	a.base_after = mode == MODE_POST || mode == MODE_PRE
			       ? a.base + (uint64_t)(int64_t)imm
			       : a.base;
	if (mode == MODE_UNSIGNED)
		a.insn = insn_ls(size, v, opc, rt, a.rn, round % 4 * 1365);
	else
		a.insn = insn_ls9(size, v, opc, (uint32_t)mode - MODE_UNSCALED,
				  rt, a.rn, imm);
	return a;
}

static void set_base(struct frame *f, const struct access *a)
{
	if (a->rn == 31)
		f->sp = a->base;
	else
		f->x[a->rn] = a->base;
	if (a->rm < 31)
		f->x[a->rm] = a->index;
}

const struct frame *perform(const struct place *p, const struct access *a,
			    struct frame *f)
{
	set_base(f, a);
	return exec_at(p->store, p->pc, a->insn, f, p->user);
}

bool clean_end(const struct access *a, const struct frame *after,
	       const struct frame *f, uint32_t changed)
{
	uint64_t base = a->rn == 31 ? after->sp : after->x[a->rn];

	if (!retired(after, f) ||
	    !unchanged(after, f, (changed & ~(1u << 31)) | 1u << a->rn))
		return false;
	/* A loaded register wins over the base. */
	return base == a->base_after ||
	       (a->rn != 31 && (changed >> a->rn & 1) != 0);
}

void report(const struct access *a, const struct frame *after)
{
	note("0x%x base x%u 0x%lx index x%u: ESR 0x%lx FAR 0x%lx pc 0x%lx",
	     a->insn, a->rn, a->base, a->rm, after->esr, after->far, after->pc);
}

/* ---- Loads ---- */

struct form {
	const char *name;
	uint8_t size;
	uint8_t opc;
};

static const struct form load_forms[] = {
	{"ldrb", 0, 1},	   {"ldrh", 1, 1},    {"ldr w", 2, 1},
	{"ldr x", 3, 1},   {"ldrsb x", 0, 2}, {"ldrsb w", 0, 3},
	{"ldrsh x", 1, 2}, {"ldrsh w", 1, 3}, {"ldrsw", 2, 2},
};

static uint64_t extend(const struct form *form, uint64_t raw)
{
	uint32_t unused = 64 - (8u << form->size);
	uint64_t v = raw << unused;

	if (form->opc == 1)
		return v >> unused;
	v = (uint64_t)((int64_t)v >> unused);
	return form->opc == 3 ? v & 0xffffffff : v;
}

static bool load_all(const struct place *p, const struct form *form,
		     enum mode mode, uint64_t at, uint64_t raw)
{
	struct frame f;

	for (uint32_t i = 0; i < 32 * 4; i++) {
		uint32_t rt = i % 32;
		struct access a = make_single(mode, form->size, 0, form->opc,
					      rt, at, i / 32 + i % 3);
		const struct frame *after;

		frame_fill(&f);
		after = perform(p, &a, &f);
		if (!clean_end(&a, after, &f, rt == 31 ? 0 : 1u << rt) ||
		    (rt != 31 && after->x[rt] != extend(form, raw))) {
			note("%s %s x%u 0x%lx, expected 0x%lx", form->name,
			     mode_names[mode], rt, after->x[rt % 31],
			     extend(form, raw));
			report(&a, after);
			return false;
		}
	}
	return true;
}

/* The value of a target, with its highest bit set. */
static uint64_t target(const struct place *p, uint32_t size, uint64_t *raw)
{
	static const uint8_t priority = 0xa8;

	switch (size) {
	case 0:
		write8(REAL_BYTE, priority);
		*raw = read8(REAL_BYTE);
		return p->byte;
	case 1:
		write16(REAL_HALF, 0x8421);
		*raw = read16(REAL_HALF);
		return p->half;
	case 2:
		write64(REAL_WIDE, 1ull << 31);
		*raw = read32(REAL_WIDE);
		return p->wide;
	default:
		write64(REAL_WIDE, 1ull << 31 | 1);
		*raw = read64(REAL_WIDE);
		return p->wide;
	}
}

static void loads(const struct place *p, enum mode mode)
{
	for (uint32_t i = 0; i < COUNT_OF(load_forms); i++) {
		const struct form *form = &load_forms[i];
		uint64_t raw;
		uint64_t at = target(p, form->size, &raw);
		bool ok = load_all(p, form, mode, at, raw) &&
			  load_all(p, form, mode, p->hole, ~0ull);

		check(ok, "%s: %s %s into every register", p->name, form->name,
		      mode_names[mode]);
	}
}

/* ---- Stores ---- */

static uint64_t real_of(uint32_t size)
{
	return size == 0 ? REAL_BYTE : size == 1 ? REAL_HALF : REAL_WIDE;
}

/* Accesses by the plain forms; those that are tried must do the same. */
static uint64_t plain_read(uint32_t size)
{
	uint64_t at = real_of(size);

	return size == 0   ? read8(at)
	       : size == 1 ? read16(at)
	       : size == 2 ? read32(at)
			   : read64(at);
}

static void plain_write(uint32_t size, uint64_t v)
{
	uint64_t at = real_of(size);

	if (size == 0)
		write8(at, (uint8_t)v);
	else if (size == 1)
		write16(at, (uint16_t)v);
	else if (size == 2)
		write32(at, (uint32_t)v);
	else
		write64(at, v);
}

static bool store_all(const struct place *p, uint32_t size, enum mode mode)
{
	uint64_t targets[] = {p->byte, p->half, p->wide, p->wide};
	struct frame f;

	for (uint32_t i = 0; i < 32 * 4; i++) {
		uint32_t rt = i % 32;
		bool hole = i / 32 == 3;
		struct access a = make_single(mode, size, 0, 0, rt,
					      hole ? p->hole : targets[size],
					      i / 32 + i % 3);
		const struct frame *after;
		uint64_t want;

		frame_fill(&f);
		set_base(&f, &a);
		plain_write(size, rt == 31 ? 0 : f.x[rt]);
		want = plain_read(size);
		if (!hole)
			plain_write(size, ~want & 0xff);
		after = perform(p, &a, &f);
		if (!clean_end(&a, after, &f, 0) || plain_read(size) != want) {
			note("size %u, %s x%u: 0x%lx, expected 0x%lx", size,
			     mode_names[mode], rt, plain_read(size), want);
			report(&a, after);
			return false;
		}
	}
	return true;
}

static void stores(const struct place *p, enum mode mode)
{
	static const char *const names[] = {"strb", "strh", "str w", "str x"};

	for (uint32_t size = 0; size < 4; size++)
		check(store_all(p, size, mode), "%s: %s %s of every register",
		      p->name, names[size], mode_names[mode]);
}

static void all_forms(const struct place *p)
{
	for (uint32_t mode = 0; mode < MODES; mode++) {
		loads(p, (enum mode)mode);
		stores(p, (enum mode)mode);
	}
	pairs(p);
	simd(p);
	ordered(p);
	if (p->near)
		literals(p);
	if (machine.axvm) {
		refused(p);
		unaligned(p);
		over_a_page(p);
	} else {
		skip("real machines take them", "%s: refused forms", p->name);
	}
	wrong_width(p);
}

/* ---- Places ---- */

/* Virtual addresses for code and devices that differ from physical ones. */
static void map_place(struct place *p, uint64_t code_flags, uint64_t data_flags)
{
	uint64_t wide = REAL_WIDE & ~0xfffull;
	uint64_t byte = REAL_BYTE & ~0xfffull;

	paging_reset();
	paging_map(TEST_VA, (uint64_t)pages, code_flags);
	paging_map(TEST_VA + PAGE, (uint64_t)pages + PAGE, code_flags);
	paging_map(TEST_VA + 0x5000, UART(0), data_flags);
	paging_map(TEST_VA + 0x7000, wide, data_flags);
	paging_map(TEST_VA + 0x9000, byte, data_flags);
	paging_map(TEST_VA + 0xb000, HOLE, data_flags);
	p->store = pages + 64;
	p->pc = TEST_VA + 64;
	p->half = TEST_VA + 0x5000 + UART_IBRD;
	p->wide = TEST_VA + 0x7000 + (REAL_WIDE & 0xfff);
	p->byte = TEST_VA + 0x9000 + (REAL_BYTE & 0xfff);
	p->hole = TEST_VA + 0xb000;
	p->near = true;
}

static void with_paging(void)
{
	struct place p = {.name = "EL1"};

	map_place(&p, PTE_NORMAL, PTE_DEVICE | PTE_EL0);
	all_forms(&p);
	map_place(&p, PTE_NORMAL | PTE_EL0 | PTE_PXN, PTE_DEVICE | PTE_EL0);
	p.name = "EL0";
	p.user = true;
	all_forms(&p);
	/* EL0 may run it and not read it. */
	map_place(&p, PTE_NORMAL | PTE_PXN, PTE_DEVICE | PTE_EL0);
	p.name = "EL0, execute-only";
	loads(&p, MODE_POST);
	stores(&p, MODE_PRE);
	pairs(&p);
	/* The last instruction of a page. */
	map_place(&p, PTE_NORMAL, PTE_DEVICE | PTE_EL0);
	p.name = "end of a page";
	p.user = false;
	p.store = pages + PAGE - 4;
	p.pc = TEST_VA + PAGE - 4;
	loads(&p, MODE_POST);
	stores(&p, MODE_PRE);
	pairs(&p);
}

/* Stage 1 forbids it: the guest's own fault, whatever is below. */
static bool forbidden(const struct place *p, uint32_t insn, uint64_t at,
		      uint64_t iss)
{
	struct access a = {insn, 8, at, at, 32, 0};
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	after = perform(p, &a, &f);
	if (esr_ec(after) == (p->user ? EC_DABORT_EL0 : EC_DABORT) &&
	    (after->esr & 0x1ffffff) == iss && after->far == at &&
	    unchanged(after, &f, 0))
		return true;
	report(&a, after);
	return false;
}

static void stage1_first(void)
{
	struct place p = {.name = "no rights"};
	uint32_t load = insn_ls9(0, 0, 1, 1, 9, 8, 1);
	uint32_t store = insn_ls9(0, 0, 0, 1, 9, 8, 1);

	map_place(&p, PTE_NORMAL, PTE_DEVICE | PTE_RO);
	check(forbidden(&p, store, p.byte, FSC_PERMISSION | 3 | ISS_WNR),
	      "a store to a read-only device page is a permission fault");
	check(forbidden(&p, insn_ls9(0, 0, 1, 2, 9, 8, 0), p.byte,
			FSC_PERMISSION | 3),
	      "LDTRB from EL1's device page is one");
	map_place(&p, PTE_NORMAL | PTE_EL0 | PTE_PXN, PTE_DEVICE);
	p.user = true;
	check(forbidden(&p, load, p.byte, FSC_PERMISSION | 3),
	      "a load of EL0 from EL1's device page is one");
	check(forbidden(&p, load, p.byte + PAGE, FSC_TRANSLATION | 3),
	      "without a page it is a translation fault");
}

void suite(void)
{
	struct place off = {.name = "MMU off",
			    .store = pages + 64,
			    .pc = (uint64_t)(pages + 64),
			    .byte = REAL_BYTE,
			    .half = REAL_HALF,
			    .wide = REAL_WIDE,
			    .hole = HOLE};

	paging_off();
	all_forms(&off);
	paging_reset();
	paging_on();
	with_paging();
	stage1_first();
}
