/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Every form of access to an emulated device. Each instruction is executed
 * for itself with chosen registers; all 31 others must keep their value. The
 * targets: the UART's scratch register (8 bits), a PLIC enable word (32
 * bits), and a hole, which reads as all ones at any width.
 */
#include "insn.h"
#include "mmio.h"

static uint8_t pages[4 * PAGE] __attribute__((aligned(4096)));
static uint64_t ram_word[2];

const struct form load_forms[LOAD_FORMS] = {
	{"lb", 0, 0xff, true, 1},	  {"lh", 1, 0xffff, true, 2},
	{"lw", 2, 0xffffffff, true, 4},	  {"ld", 3, ~0ull, false, 8},
	{"lbu", 4, 0xff, false, 1},	  {"lhu", 5, 0xffff, false, 2},
	{"lwu", 6, 0xffffffff, false, 4},
};

const struct form store_forms[STORE_FORMS] = {
	{"sb", 0, 0xff, false, 1},
	{"sh", 1, 0xffff, false, 2},
	{"sw", 2, 0xffffffff, false, 4},
	{"sd", 3, ~0ull, false, 8},
};

static uint64_t extend(const struct form *form, uint64_t v)
{
	v &= form->mask;
	if (form->sign && (v & (form->mask ^ form->mask >> 1)) != 0)
		v |= ~form->mask;
	return v;
}

/* Retired, `rd` holds `want`, everything else is as before. */
static bool loaded(const struct frame *after, const struct frame *f,
		   uint32_t insn, uint32_t rd, uint64_t want)
{
	if (!retired(after, f, insn))
		return false;
	for (uint32_t i = 1; i < 32; i++) {
		if (after->x[i] != (i == rd ? want : f->x[i]))
			return false;
	}
	return true;
}

/* One load form into every register through every base, at one address. */
static bool load_all(const struct place *p, const struct form *form,
		     uint64_t at, uint64_t value)
{
	struct frame f;

	for (uint32_t i = 0; i < 32 * 4; i++) {
		uint32_t rd = i % 32;
		uint32_t rs1 = 1 + (rd + i / 32 * 9) % 31;
		int32_t imm = i % 3 == 0 ? 0 : i % 3 == 1 ? 2047 : -2048;
		uint32_t insn = insn_i(OP_LOAD, form->f3, rd, rs1, imm);
		const struct frame *after;

		frame_fill(&f);
		f.x[rs1] = at - (uint64_t)(int64_t)imm;
		after = exec_here(p, insn, &f);
		if (!loaded(after, &f, insn, rd, extend(form, value))) {
			note("%s x%u, %d(x%u): cause %lu tval 0x%lx x%u 0x%lx",
			     form->name, rd, imm, rs1, after->cause,
			     after->tval, rd, after->x[rd]);
			return false;
		}
	}
	return true;
}

static void integer_loads(const struct place *p)
{
	static const uint8_t bytes[] = {0x80, 0x7f, 0xff, 0x00, 0xa5};
	static const uint32_t words[] = {0x80000001, 0x7ffffffe, 0xffffffff};

	for (uint32_t i = 0; i < 7; i++) {
		const struct form *form = &load_forms[i];
		bool ok = load_all(p, form, p->hole, ~0ull);

		for (uint32_t n = 0; ok && form->bytes == 1 && n < 5; n++) {
			write8(BYTE_AT, bytes[n]);
			ok = load_all(p, form, p->byte, bytes[n]);
		}
		for (uint32_t n = 0; ok && form->bytes == 4 && n < 3; n++) {
			write32(WORD_AT, words[n]);
			ok = load_all(p, form, p->word, words[n]);
		}
		check(ok, "%s: %s into every register, every base", p->name,
		      form->name);
	}
}

static bool store_all(const struct place *p, const struct form *form,
		      uint64_t at, uint64_t real)
{
	struct frame f;

	for (uint32_t i = 0; i < 32 * 4; i++) {
		uint32_t rs2 = i % 32;
		uint32_t rs1 = 1 + (rs2 + i / 32 * 9) % 31;
		int32_t imm = i % 3 == 0 ? 0 : i % 3 == 1 ? 2047 : -2048;
		uint32_t insn = insn_s(OP_STORE, form->f3, rs1, rs2, imm);
		uint64_t value;
		bool ok;

		frame_fill(&f);
		f.x[0] = 0;
		f.x[rs1] = at - (uint64_t)(int64_t)imm;
		value = f.x[rs2];
		if (real == BYTE_AT)
			write8(real, 0x3c);
		ok = loaded(exec_here(p, insn, &f), &f, insn, 0, 0);
		if (real == BYTE_AT)
			ok = ok && read8(real) == (uint8_t)value;
		else if (real == WORD_AT)
			ok = ok && read32(real) == (uint32_t)value;
		if (!ok) {
			note("%s x%u, %d(x%u): cause %lu tval 0x%lx",
			     form->name, rs2, imm, rs1, self()->frame.cause,
			     self()->frame.tval);
			return false;
		}
	}
	return true;
}

static void integer_stores(const struct place *p)
{
	for (uint32_t i = 0; i < 4; i++) {
		const struct form *form = &store_forms[i];
		bool ok = store_all(p, form, p->hole, 0);

		if (ok && form->bytes == 1)
			ok = store_all(p, form, p->byte, BYTE_AT);
		if (ok && form->bytes == 4)
			ok = store_all(p, form, p->word, WORD_AT);
		check(ok, "%s: %s from every register, every base", p->name,
		      form->name);
	}
}

/* One compressed (or Zcb) load that must give `want` in `rd`. */
static bool short_load(const struct place *p, uint32_t insn, uint32_t base,
		       uint64_t at, uint32_t rd, uint64_t want)
{
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	f.x[base] = at;
	after = exec_here(p, insn, &f);
	if (loaded(after, &f, insn, rd, want))
		return true;
	note("0x%x: cause %lu tval 0x%lx x%u 0x%lx", insn, after->cause,
	     after->tval, rd, after->x[rd]);
	return false;
}

static bool short_store(const struct place *p, uint32_t insn, uint32_t base,
			uint64_t at, uint64_t *value, uint32_t rs2)
{
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	f.x[0] = 0;
	f.x[base] = at;
	*value = f.x[rs2];
	after = exec_here(p, insn, &f);
	if (loaded(after, &f, insn, 0, 0))
		return true;
	note("0x%x: cause %lu tval 0x%lx", insn, after->cause, after->tval);
	return false;
}

static void compressed(const struct place *p)
{
	bool lw = true, ld = true, sw = true, sd = true;
	uint64_t v;

	for (uint32_t i = 0; i < 64; i++) {
		uint32_t reg = 8 + i % 8;
		uint32_t base = 8 + i / 8;

		write32(WORD_AT, 0x80000001);
		lw = lw && short_load(p, insn_c0(2, reg, base), base, p->word,
				      reg, 0xffffffff80000001ull);
		ld = ld && short_load(p, insn_c0(3, reg, base), base, p->hole,
				      reg, ~0ull);
		sw = sw &&
		     short_store(p, insn_c0(6, reg, base), base, p->word, &v,
				 reg) &&
		     read32(WORD_AT) == (uint32_t)v;
		sd = sd && short_store(p, insn_c0(7, reg, base), base, p->hole,
				       &v, reg);
	}
	check(lw, "%s: c.lw", p->name);
	check(ld, "%s: c.ld", p->name);
	check(sw, "%s: c.sw", p->name);
	check(sd, "%s: c.sd", p->name);
	lw = ld = sw = sd = true;
	for (uint32_t reg = 0; reg < 32; reg++) {
		write32(WORD_AT, 0x80000001);
		lw = lw &&
		     (reg == 0 || short_load(p, insn_clsp(2, reg), 2, p->word,
					     reg, 0xffffffff80000001ull));
		ld = ld && (reg == 0 || short_load(p, insn_clsp(3, reg), 2,
						   p->hole, reg, ~0ull));
		sw = sw &&
		     short_store(p, insn_cssp(6, reg), 2, p->word, &v, reg) &&
		     read32(WORD_AT) == (uint32_t)v;
		sd = sd &&
		     short_store(p, insn_cssp(7, reg), 2, p->hole, &v, reg);
	}
	check(lw, "%s: c.lwsp with sp in a device", p->name);
	check(ld, "%s: c.ldsp with sp in a device", p->name);
	check(sw, "%s: c.swsp with sp in a device", p->name);
	check(sd, "%s: c.sdsp with sp in a device", p->name);
}

static void zcb(const struct place *p)
{
	struct frame f;
	uint32_t probe = insn_zcb(0x20, 0, 9, 8);
	uint64_t v;
	bool ok;

	frame_fill(&f);
	f.x[8] = (uint64_t)ram_word;
	if (!retired(exec(probe, &f), &f, probe)) {
		skip("no Zcb on this CPU", "%s: c.lbu c.lhu c.lh c.sb c.sh",
		     p->name);
		return;
	}
	write8(BYTE_AT, 0xa5);
	/* Offset 3 is bits 0 and 1: base = target - 3. */
	ok = short_load(p, insn_zcb(0x20, 3, 9, 8), 8, p->byte - 3, 9, 0xa5);
	check(ok, "%s: c.lbu", p->name);
	ok = short_load(p, insn_zcb(0x21, 1, 10, 8), 8, p->hole, 10, 0xffff);
	check(ok, "%s: c.lhu", p->name);
	ok = short_load(p, insn_zcb(0x21, 2, 10, 8), 8, p->hole, 10, ~0ull);
	check(ok, "%s: c.lh", p->name);
	ok = short_store(p, insn_zcb(0x22, 0, 9, 8), 8, p->byte, &v, 9);
	check(ok && read8(BYTE_AT) == (uint8_t)v, "%s: c.sb", p->name);
	ok = short_store(p, insn_zcb(0x23, 0, 9, 8), 8, p->hole, &v, 9);
	check(ok, "%s: c.sh", p->name);
}

static void all_forms(const struct place *p)
{
	integer_loads(p);
	integer_stores(p);
	compressed(p);
	zcb(p);
	float_forms(p);
	atomic_forms(p);
	unaligned(p);
	wrong_width(p);
}

/* A 32-bit instruction with two bytes on each side of a page boundary. */
static void page_crossing(void)
{
	struct place p = {"across a page",
			  pages + PAGE - 2,
			  (uint64_t)pages + PAGE - 2,
			  BYTE_AT,
			  WORD_AT,
			  HOLE,
			  false};
	struct frame f;
	uint32_t insn = insn_i(OP_LOAD, 4, 9, 8, 0);
	uint16_t *first = (uint16_t *)(pages + 3 * PAGE - 2);
	volatile uint16_t *second = (uint16_t *)pages;
	uint64_t va = TEST_VA + 0x40000000;

	integer_loads(&p);
	integer_stores(&p);
	/* The halves lie in pages that do not follow each other in memory. */
	paging_reset();
	paging_map(va, (uint64_t)(pages + 2 * PAGE), PTE_RWX);
	paging_map(va + PAGE, (uint64_t)pages, PTE_RWX);
	*(volatile uint16_t *)first = (uint16_t)insn;
	second[0] = (uint16_t)(insn >> 16);
	second[1] = 0x9002;
	fence_i();
	write8(BYTE_AT, 0xc3);
	paging_on();
	frame_fill(&f);
	f.epc = va + PAGE - 2;
	f.x[8] = BYTE_AT;
	check(loaded(run(&f, false), &f, insn, 9, 0xc3),
	      "lbu with its halves in pages apart");
	paging_off();
}

/* Virtual addresses for code and devices that differ from physical ones. */
static void map_place(struct place *p, uint64_t code_flags, uint64_t data_flags)
{
	paging_reset();
	paging_map(TEST_VA, (uint64_t)pages, code_flags);
	paging_map(TEST_VA + 0x5000, UART(0), data_flags);
	paging_map(TEST_VA + 0x7000, WORD_AT & ~0xfffull, data_flags);
	paging_map(TEST_VA + 0x8000, (WORD_AT & ~0xfffull) + PAGE, data_flags);
	paging_map(TEST_VA + 0x9000, HOLE, data_flags);
	p->store = pages + 64;
	p->pc = TEST_VA + 64;
	p->byte = TEST_VA + 0x5000 + UART_SCR;
	p->word = TEST_VA + 0x7000 + (WORD_AT & 0xfff);
	p->hole = TEST_VA + 0x9000;
	paging_on();
}

static void with_paging(void)
{
	struct place p = {.name = "paging"};

	map_place(&p, PTE_RWX, PTE_RW);
	all_forms(&p);
	map_place(&p, PTE_RWX | PTE_U, PTE_RW | PTE_U);
	p.name = "user mode";
	p.user = true;
	all_forms(&p);
	paging_off();
}

/* Code that may be executed but not read: only HLVX can fetch it. */
static void execute_only(void)
{
	struct place p = {.name = "execute-only code"};

	map_place(&p, PTE_V | PTE_X | PTE_AD, PTE_RW);
	integer_loads(&p);
	integer_stores(&p);
	compressed(&p);
	map_place(&p, PTE_V | PTE_X | PTE_AD | PTE_U, PTE_RW | PTE_U);
	p.name = "execute-only user code";
	p.user = true;
	integer_loads(&p);
	integer_stores(&p);
	paging_off();
}

/* The guest's own tables forbid it: its page fault, whatever is below. */
static void page_faults_first(void)
{
	struct place p = {.name = "no rights"};
	bool ok;

	map_place(&p, PTE_RWX, PTE_V | PTE_R | PTE_AD);
	ok = refused(&p, insn_s(OP_STORE, 0, 8, 9, 0), 8, p.byte,
		     CAUSE_STORE_PAGE);
	check(ok, "store to a read-only device page is a page fault");
	map_place(&p, PTE_RWX, PTE_RW | PTE_U);
	ok = refused(&p, insn_i(OP_LOAD, 0, 9, 8, 0), 8, p.byte,
		     CAUSE_LOAD_PAGE);
	check(ok, "load from a user's device page without SUM is a page fault");
	csr_set(sstatus, SSTATUS_SUM);
	ok = short_load(&p, insn_i(OP_LOAD, 4, 9, 8, 0), 8, p.hole, 9, 0xff);
	check(ok, "and with SUM an access");
	csr_clear(sstatus, SSTATUS_SUM);
	paging_off();
}

void suite(void)
{
	struct place bare = {"bare",  pages + 64, (uint64_t)(pages + 64),
			     BYTE_AT, WORD_AT,	  HOLE,
			     false};

	all_forms(&bare);
	page_crossing();
	with_paging();
	page_faults_first();
	execute_only();
	write32(WORD_AT, 0);
}
