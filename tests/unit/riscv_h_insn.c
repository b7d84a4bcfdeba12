/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Decoding of guest instructions on RISC-V. Numbers with a mnemonic beside
 * them are the GNU assembler's output; Zcb and Zacas, which it does not know,
 * are encoded by hand. The reference decoder is the manual's tables as text.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "riscv_h/insn.h"

#define OTHER RISCV_INSN_OTHER
#define LOAD RISCV_INSN_LOAD
#define STORE RISCV_INSN_STORE
#define FP_LOAD RISCV_INSN_FP_LOAD
#define FP_STORE RISCV_INSN_FP_STORE
#define LR RISCV_INSN_LR
#define SC RISCV_INSN_SC
#define AMO RISCV_INSN_AMO
#define VECTOR RISCV_INSN_VECTOR
#define CBO RISCV_INSN_CBO

/*
 * One line of the manual's instruction listings. In `bits`, most significant
 * first: 0 and 1 fixed, r register, b base, i immediate, x anything. `imm`
 * names the immediate bits that the i's hold, in the manual's order.
 */
struct form {
	const char *bits;
	const char *imm;
	enum riscv_insn_kind kind;
	uint8_t width;
	bool sign;
	bool not_x0; /* reserved when the register is x0 */
};

/* "RVC Instruction Set Listings", RV64, and "Zcb". */
static const struct form short_forms[] = {
	{"001iiibbbiirrr00", "54376", FP_LOAD, 8, false, false},
	{"010iiibbbiirrr00", "54326", LOAD, 4, true, false},
	{"011iiibbbiirrr00", "54376", LOAD, 8, false, false},
	{"101iiibbbiirrr00", "54376", FP_STORE, 8, false, false},
	{"110iiibbbiirrr00", "54326", STORE, 4, false, false},
	{"111iiibbbiirrr00", "54376", STORE, 8, false, false},
	{"001irrrrriiiii10", "543876", FP_LOAD, 8, false, false},
	{"010irrrrriiiii10", "543276", LOAD, 4, true, true},
	{"011irrrrriiiii10", "543876", LOAD, 8, false, true},
	{"101iiiiiirrrrr10", "543876", FP_STORE, 8, false, false},
	{"110iiiiiirrrrr10", "543276", STORE, 4, false, false},
	{"111iiiiiirrrrr10", "543876", STORE, 8, false, false},
	{"100000bbbiirrr00", "01", LOAD, 1, false, false},
	{"100001bbb0irrr00", "1", LOAD, 2, false, false},
	{"100001bbb1irrr00", "1", LOAD, 2, true, false},
	{"100010bbbiirrr00", "01", STORE, 1, false, false},
	{"100011bbb0irrr00", "1", STORE, 2, false, false},
};

/* a and b are immediate bits 10 and 11. */
#define IMM12 "ba9876543210"
#define LOAD_FORM(f3, op) "iiiiiiiiiiiibbbbb" f3 "rrrrr" op
#define STORE_FORM(f3, op) "iiiiiiirrrrrbbbbb" f3 "iiiii" op
#define AMO_FORM(f5, f3, width)                                             \
	{                                                                   \
		f5 "xxxxxxxbbbbb" f3 "rrrrr0101111", "", AMO, width, false, \
			false                                               \
	}
#define AMO_FORMS(f5)                                   \
	AMO_FORM(f5, "000", 1), AMO_FORM(f5, "001", 2), \
		AMO_FORM(f5, "010", 4), AMO_FORM(f5, "011", 8)
#define CBO_FORM(operation)                                                \
	{                                                                  \
		operation "bbbbb010000000001111", "", CBO, 0, false, false \
	}

/* "RV32/64G Instruction Set Listings", RVV, Zicbom, Zicboz, Zabha, Zacas. */
static const struct form long_forms[] = {
	{LOAD_FORM("000", "0000011"), IMM12, LOAD, 1, true, false},
	{LOAD_FORM("001", "0000011"), IMM12, LOAD, 2, true, false},
	{LOAD_FORM("010", "0000011"), IMM12, LOAD, 4, true, false},
	{LOAD_FORM("011", "0000011"), IMM12, LOAD, 8, false, false},
	{LOAD_FORM("100", "0000011"), IMM12, LOAD, 1, false, false},
	{LOAD_FORM("101", "0000011"), IMM12, LOAD, 2, false, false},
	{LOAD_FORM("110", "0000011"), IMM12, LOAD, 4, false, false},
	{STORE_FORM("000", "0100011"), IMM12, STORE, 1, false, false},
	{STORE_FORM("001", "0100011"), IMM12, STORE, 2, false, false},
	{STORE_FORM("010", "0100011"), IMM12, STORE, 4, false, false},
	{STORE_FORM("011", "0100011"), IMM12, STORE, 8, false, false},
	{LOAD_FORM("001", "0000111"), IMM12, FP_LOAD, 2, false, false},
	{LOAD_FORM("010", "0000111"), IMM12, FP_LOAD, 4, false, false},
	{LOAD_FORM("011", "0000111"), IMM12, FP_LOAD, 8, false, false},
	{LOAD_FORM("100", "0000111"), IMM12, FP_LOAD, 0, false, false},
	{STORE_FORM("001", "0100111"), IMM12, FP_STORE, 2, false, false},
	{STORE_FORM("010", "0100111"), IMM12, FP_STORE, 4, false, false},
	{STORE_FORM("011", "0100111"), IMM12, FP_STORE, 8, false, false},
	{STORE_FORM("100", "0100111"), IMM12, FP_STORE, 0, false, false},
	{"00010xx00000bbbbb010rrrrr0101111", "", LR, 4, false, false},
	{"00010xx00000bbbbb011rrrrr0101111", "", LR, 8, false, false},
	{"00011xxxxxxxbbbbb010rrrrr0101111", "", SC, 4, false, false},
	{"00011xxxxxxxbbbbb011rrrrr0101111", "", SC, 8, false, false},
	AMO_FORMS("00001"), /* amoswap */
	AMO_FORMS("00000"), /* amoadd */
	AMO_FORMS("00100"), /* amoxor */
	AMO_FORMS("01100"), /* amoand */
	AMO_FORMS("01000"), /* amoor */
	AMO_FORMS("10000"), /* amomin */
	AMO_FORMS("10100"), /* amomax */
	AMO_FORMS("11000"), /* amominu */
	AMO_FORMS("11100"), /* amomaxu */
	AMO_FORMS("00101"), /* amocas */
	{"00101xxxxxx0bbbbb100rrrr00101111", "", AMO, 0, false, false},
	{"xxx0xxxxxxxxxxxxx000rrrrr0x00111", "", VECTOR, 0, false, false},
	{"xxx0xxxxxxxxxxxxx101rrrrr0x00111", "", VECTOR, 0, false, false},
	{"xxx0xxxxxxxxxxxxx110rrrrr0x00111", "", VECTOR, 0, false, false},
	{"xxx0xxxxxxxxxxxxx111rrrrr0x00111", "", VECTOR, 0, false, false},
	CBO_FORM("000000000000"), /* cbo.inval */
	CBO_FORM("000000000001"), /* cbo.clean */
	CBO_FORM("000000000010"), /* cbo.flush */
	CBO_FORM("000000000100"), /* cbo.zero */
};

/* A decoded instruction as the reference sees it. */
struct expectation {
	enum riscv_insn_kind kind;
	uint8_t reg;
	uint8_t width;
	bool sign;
	uint8_t base;
	int32_t offset;
};

/* mask and match of every form, so that sweeps need not parse text */
struct matcher {
	uint32_t mask;
	uint32_t match;
};

static struct matcher short_match[ARRAY_SIZE(short_forms)];
static struct matcher long_match[ARRAY_SIZE(long_forms)];

static struct matcher compile(const char *bits)
{
	struct matcher m = {0, 0};

	for (; *bits != '\0'; bits++) {
		m.mask = m.mask << 1 | (*bits == '0' || *bits == '1');
		m.match = m.match << 1 | (*bits == '1');
	}
	return m;
}

static int compile_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(short_forms); i++) {
		assert_int_equal(strlen(short_forms[i].bits), 16);
		short_match[i] = compile(short_forms[i].bits);
	}
	for (size_t i = 0; i < ARRAY_SIZE(long_forms); i++) {
		assert_int_equal(strlen(long_forms[i].bits), 32);
		long_match[i] = compile(long_forms[i].bits);
	}
	return 0;
}

static unsigned imm_position(char digit)
{
	return digit >= 'a' ? 10u + (unsigned)(digit - 'a')
			    : (unsigned)(digit - '0');
}

/* Collects a letter's bits; three of them name x8-x15. */
static uint8_t collect(const char *bits, char letter, uint32_t insn)
{
	size_t length = strlen(bits);
	unsigned count = 0;
	uint32_t value = 0;

	for (size_t i = 0; i < length; i++) {
		if (bits[i] != letter)
			continue;
		value = value << 1 | (insn >> (length - 1 - i) & 1);
		count++;
	}
	/* a pair's register (amocas.q) has its low bit fixed to 0 */
	if (count == 4)
		value <<= 1;
	return (uint8_t)(count == 3 ? value + 8 : value);
}

static int32_t immediate(const struct form *form, uint32_t insn)
{
	size_t length = strlen(form->bits);
	const char *imm = form->imm;
	int32_t value = 0;

	for (size_t i = 0; i < length; i++) {
		if (form->bits[i] != 'i')
			continue;
		if (insn >> (length - 1 - i) & 1)
			value |= 1 << imm_position(*imm);
		imm++;
	}
	/* 32-bit forms are signed with 12 bits, compressed ones unsigned */
	return length == 32 && value >= 2048 ? value - 4096 : value;
}

static struct expectation reference(uint32_t insn)
{
	bool is_short = (insn & 3) != 3;
	const struct form *forms = is_short ? short_forms : long_forms;
	const struct matcher *m = is_short ? short_match : long_match;
	size_t count =
		is_short ? ARRAY_SIZE(short_forms) : ARRAY_SIZE(long_forms);
	struct expectation e = {.kind = OTHER};

	for (size_t i = 0; i < count; i++) {
		if ((insn & m[i].mask) != m[i].match)
			continue;
		e.reg = collect(forms[i].bits, 'r', insn);
		if (forms[i].not_x0 && e.reg == 0)
			return e;
		e.kind = forms[i].kind;
		e.width = forms[i].width;
		e.sign = forms[i].sign;
		e.offset = immediate(&forms[i], insn);
		e.base = strchr(forms[i].bits, 'b') == NULL
				 ? 2
				 : collect(forms[i].bits, 'b', insn);
		return e;
	}
	return e;
}

static bool address_agrees(uint32_t insn, struct expectation e)
{
	struct riscv_insn_address at = {.offset = -77, .base = 99};
	bool known = axvmi_riscv_insn_address(insn, &at);

	if (e.kind == OTHER || e.kind == VECTOR)
		return !known && at.offset == -77 && at.base == 99;
	return known && at.offset == e.offset && at.base == e.base;
}

static void check(uint32_t insn, struct expectation e)
{
	struct riscv_insn got = riscv_insn_decode(insn);
	bool good = got.kind == e.kind && got.reg == e.reg &&
		    got.width == e.width && got.sign == e.sign &&
		    got.length == ((insn & 3) == 3 ? 4 : 2) &&
		    got.fault_offset == 0;

	if (good && address_agrees(insn, e))
		return;
	print_error("0x%08x: kind %d reg %u width %u sign %d length %u\n",
		    (unsigned)insn, (int)got.kind, (unsigned)got.reg,
		    (unsigned)got.width, (int)got.sign, (unsigned)got.length);
	fail();
}

struct vector {
	uint32_t insn;
	struct expectation is;
};

static void check_all(const struct vector *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(v[i].insn, v[i].is);
}

static void integer_loads_have_width_sign_and_destination(void **state)
{
	static const struct vector v[] = {
		{0xfff58503, {LOAD, 10, 1, true, 11, -1}}, /* lb */
		{0x00259503, {LOAD, 10, 2, true, 11, 2}}, /* lh */
		{0x0045a503, {LOAD, 10, 4, true, 11, 4}}, /* lw */
		{0xff85b503, {LOAD, 10, 8, false, 11, -8}}, /* ld */
		{0x7ff44f83, {LOAD, 31, 1, false, 8, 2047}}, /* lbu */
		{0x80045f03, {LOAD, 30, 2, false, 8, -2048}}, /* lhu */
		{0x00c46e83, {LOAD, 29, 4, false, 8, 12}}, /* lwu */
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
}

static void integer_stores_have_width_and_source(void **state)
{
	static const struct vector v[] = {
		{0xfea58fa3, {STORE, 10, 1, false, 11, -1}}, /* sb */
		{0x01f49123, {STORE, 31, 2, false, 9, 2}}, /* sh */
		{0x00092223, {STORE, 0, 4, false, 18, 4}}, /* sw */
		{0x8019b023, {STORE, 1, 8, false, 19, -2048}}, /* sd */
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
}

static void reserved_load_and_store_widths_are_no_access(void **state)
{
	(void)state;
	check(0x0005f503, (struct expectation){.kind = OTHER});
	for (uint32_t funct3 = 4; funct3 < 8; funct3++)
		check(0x00a58023 | funct3 << 12,
		      (struct expectation){.kind = OTHER});
}

static void scalar_floating_point_accesses_are_named(void **state)
{
	static const struct vector v[] = {
		{0x00259507, {FP_LOAD, 10, 2, false, 11, 2}}, /* flh */
		{0x0045a507, {FP_LOAD, 10, 4, false, 11, 4}}, /* flw */
		{0xff85bf87, {FP_LOAD, 31, 8, false, 11, -8}}, /* fld */
		{0x00a59127, {FP_STORE, 10, 2, false, 11, 2}}, /* fsh */
		{0x00a5a227, {FP_STORE, 10, 4, false, 11, 4}}, /* fsw */
		{0xfff5bc27, {FP_STORE, 31, 8, false, 11, -8}}, /* fsd */
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
}

static void quad_accesses_claim_no_width_they_cannot_have(void **state)
{
	static const struct vector v[] = {
		{0x0105c507, {FP_LOAD, 10, 0, false, 11, 16}}, /* flq */
		{0x00a5c827, {FP_STORE, 10, 0, false, 11, 16}}, /* fsq */
		/* amocas.q a0, a2, (a1) */
		{0x28c5c52f, {AMO, 10, 0, false, 11, 0}},
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
}

static void load_reserved_and_store_conditional_are_named(void **state)
{
	static const struct vector v[] = {
		{0x1005a52f, {LR, 10, 4, false, 11, 0}}, /* lr.w */
		{0x1605bfaf, {LR, 31, 8, false, 11, 0}}, /* lr.d.aqrl */
		{0x18c5a52f, {SC, 10, 4, false, 11, 0}}, /* sc.w */
		{0x1ac5b2af, {SC, 5, 8, false, 11, 0}}, /* sc.d.rl */
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
	/* lr with rs2, lr.h, sc.h are reserved */
	check(0x1015a52f, (struct expectation){.kind = OTHER});
	check(0x1005952f, (struct expectation){.kind = OTHER});
	check(0x18c5952f, (struct expectation){.kind = OTHER});
}

static void atomic_operations_are_named(void **state)
{
	static const struct vector v[] = {
		{0x08c5a52f, {AMO, 10, 4, false, 11, 0}}, /* amoswap.w */
		{0x00c5b52f, {AMO, 10, 8, false, 11, 0}}, /* amoadd.d */
		{0x24c5a52f, {AMO, 10, 4, false, 11, 0}}, /* amoxor.w.aq */
		{0x60c5b52f, {AMO, 10, 8, false, 11, 0}}, /* amoand.d */
		{0x40c5a52f, {AMO, 10, 4, false, 11, 0}}, /* amoor.w */
		{0x80c5a52f, {AMO, 10, 4, false, 11, 0}}, /* amomin.w */
		{0xa0c5b52f, {AMO, 10, 8, false, 11, 0}}, /* amomax.d */
		{0xc0c5a52f, {AMO, 10, 4, false, 11, 0}}, /* amominu.w */
		{0xe1eebfaf, {AMO, 31, 8, false, 29, 0}}, /* amomaxu.d */
		/* by hand: amocas.w, amoadd.b, amoswap.h a0, a2, (a1) */
		{0x28c5a52f, {AMO, 10, 4, false, 11, 0}},
		{0x00c5852f, {AMO, 10, 1, false, 11, 0}},
		{0x08c5952f, {AMO, 10, 2, false, 11, 0}},
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
}

static void reserved_atomics_are_no_access(void **state)
{
	static const uint32_t reserved[] = {
		0x28d5c52f, /* amocas.q with odd rs2 */
		0x28c5c5af, /* amocas.q with odd rd */
		0x00c5c52f, /* amoadd with funct3 4 */
		0x28c5d52f, /* amocas with funct3 5 */
		0x38c5a52f, /* funct5 7 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		check(reserved[i], (struct expectation){.kind = OTHER});
}

static void cache_block_operations_are_named(void **state)
{
	static const struct vector v[] = {
		{0x0005200f, {CBO, 0, 0, false, 10, 0}}, /* cbo.inval */
		{0x001fa00f, {CBO, 0, 0, false, 31, 0}}, /* cbo.clean */
		{0x0025200f, {CBO, 0, 0, false, 10, 0}}, /* cbo.flush */
		{0x0045200f, {CBO, 0, 0, false, 10, 0}}, /* cbo.zero */
		{0x0035200f, {.kind = OTHER}},
		{0x0055200f, {.kind = OTHER}},
		{0x0005208f, {.kind = OTHER}}, /* rd is not x0 */
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
}

static void vector_accesses_are_named(void **state)
{
	static const struct vector v[] = {
		{0x02050087, {.kind = VECTOR, .reg = 1}}, /* vle8 */
		{0x00057f87, {.kind = VECTOR, .reg = 31}}, /* vle64 */
		{0x020550a7, {.kind = VECTOR, .reg = 1}}, /* vse16 */
		{0x020560a7, {.kind = VECTOR, .reg = 1}}, /* vse32 */
		{0x0ab56087, {.kind = VECTOR, .reg = 1}}, /* vlse32 */
		{0x062570a7, {.kind = VECTOR, .reg = 1}}, /* vsuxei64 */
		{0xe2857407, {.kind = VECTOR, .reg = 8}}, /* vl8re64 */
		{0x02b50087, {.kind = VECTOR, .reg = 1}}, /* vlm */
		{0x12050087, {.kind = OTHER}}, /* mew = 1 */
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
}

static void compressed_register_forms_use_x8_to_x15(void **state)
{
	static const struct vector v[] = {
		{0x5c7c, {LOAD, 15, 4, true, 8, 124}}, /* c.lw */
		{0x43c0, {LOAD, 8, 4, true, 15, 4}}, /* c.lw */
		{0x7d64, {LOAD, 9, 8, false, 10, 248}}, /* c.ld */
		{0x63a0, {LOAD, 8, 8, false, 15, 64}}, /* c.ld */
		{0xdc7c, {STORE, 15, 4, false, 8, 124}}, /* c.sw */
		{0xfd64, {STORE, 9, 8, false, 10, 248}}, /* c.sd */
		{0x3c7c, {FP_LOAD, 15, 8, false, 8, 248}}, /* c.fld */
		{0xbd60, {FP_STORE, 8, 8, false, 10, 248}}, /* c.fsd */
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
}

static void compressed_stack_forms_use_any_register(void **state)
{
	static const struct vector v[] = {
		{0x5ffe, {LOAD, 31, 4, true, 2, 252}}, /* c.lwsp */
		{0x4506, {LOAD, 10, 4, true, 2, 64}}, /* c.lwsp */
		{0x70fe, {LOAD, 1, 8, false, 2, 504}}, /* c.ldsp */
		{0x6506, {LOAD, 10, 8, false, 2, 64}}, /* c.ldsp */
		{0xdffe, {STORE, 31, 4, false, 2, 252}}, /* c.swsp */
		{0xc0aa, {STORE, 10, 4, false, 2, 64}}, /* c.swsp */
		{0xff82, {STORE, 0, 8, false, 2, 504}}, /* c.sdsp */
		{0xe42a, {STORE, 10, 8, false, 2, 8}}, /* c.sdsp */
		{0x307e, {FP_LOAD, 0, 8, false, 2, 504}}, /* c.fldsp */
		{0xbffe, {FP_STORE, 31, 8, false, 2, 504}}, /* c.fsdsp */
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
}

static void stack_loads_to_x0_are_reserved(void **state)
{
	(void)state;
	for (uint32_t imm = 0; imm < 64; imm++) {
		uint32_t scattered = (imm & 31) << 2 | (imm >> 5) << 12;

		check(0x4002 | scattered, (struct expectation){.kind = OTHER});
		check(0x6002 | scattered, (struct expectation){.kind = OTHER});
	}
}

static void zcb_bytes_and_halves_decode(void **state)
{
	/* by hand: rs1' = a0 (2), rd' or rs2' = a5 (7) */
	static const struct vector v[] = {
		{0x811c, {LOAD, 15, 1, false, 10, 0}}, /* c.lbu 0 */
		{0x815c, {LOAD, 15, 1, false, 10, 1}}, /* c.lbu 1 */
		{0x813c, {LOAD, 15, 1, false, 10, 2}}, /* c.lbu 2 */
		{0x851c, {LOAD, 15, 2, false, 10, 0}}, /* c.lhu 0 */
		{0x853c, {LOAD, 15, 2, false, 10, 2}}, /* c.lhu 2 */
		{0x855c, {LOAD, 15, 2, true, 10, 0}}, /* c.lh 0 */
		{0x857c, {LOAD, 15, 2, true, 10, 2}}, /* c.lh 2 */
		{0x897c, {STORE, 15, 1, false, 10, 3}}, /* c.sb 3 */
		{0x8d3c, {STORE, 15, 2, false, 10, 2}}, /* c.sh 2 */
		{0x8d5c, {.kind = OTHER}}, /* bit 6 of c.sh */
		{0x911c, {.kind = OTHER}}, /* bit 12 */
	};

	(void)state;
	check_all(v, ARRAY_SIZE(v));
}

static void instructions_without_an_access_are_other(void **state)
{
	static const uint32_t none[] = {
		0x0ff0000f, /* fence */
		0x0000100f, /* fence.i */
		0x00150513, /* addi */
		0x00001537, /* lui */
		0x000000ef, /* jal */
		0x00b50063, /* beq */
		0x00156013, /* prefetch.r: a hint, it cannot fault */
		0x10500073, /* wfi */
		0x0001, /* c.nop */
		0x0048, /* c.addi4spn */
		0x852e, /* c.mv */
		0x8082, /* c.jr */
		0x050e, /* c.slli */
		0x9002, /* c.ebreak */
		0x0000, /* defined to be illegal */
		0xffffffff,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		check(none[i], (struct expectation){.kind = OTHER});
}

static void every_register_of_32_bit_forms_is_found(void **state)
{
	(void)state;
	for (uint32_t reg = 0; reg < 32; reg++) {
		uint32_t other = 31 - reg;
		uint32_t ld = 0x00003003 | reg << 7 | other << 15;
		uint32_t sd = 0x00003023 | reg << 20 | other << 15;

		check(ld, (struct expectation){LOAD, (uint8_t)reg, 8, false,
					       (uint8_t)other, 0});
		check(sd, (struct expectation){STORE, (uint8_t)reg, 8, false,
					       (uint8_t)other, 0});
	}
}

static void every_register_of_stack_forms_is_found(void **state)
{
	(void)state;
	for (uint32_t reg = 1; reg < 32; reg++) {
		check(0x4002 | reg << 7,
		      (struct expectation){LOAD, (uint8_t)reg, 4, true, 2, 0});
		check(0xc002 | reg << 2,
		      (struct expectation){STORE, (uint8_t)reg, 4, false, 2,
					   0});
	}
	check(0xc002, (struct expectation){STORE, 0, 4, false, 2, 0});
}

static void every_register_of_three_bit_forms_is_found(void **state)
{
	(void)state;
	for (uint32_t reg = 0; reg < 8; reg++) {
		uint32_t fields = reg << 2 | (7 - reg) << 7;
		uint8_t x = (uint8_t)(8 + reg);
		uint8_t base = (uint8_t)(15 - reg);

		check(0x4000 | fields,
		      (struct expectation){LOAD, x, 4, true, base, 0});
		check(0xe000 | fields,
		      (struct expectation){STORE, x, 8, false, base, 0});
	}
}

static void every_16_bit_encoding_agrees_with_the_manual(void **state)
{
	unsigned accesses = 0;

	(void)state;
	for (uint32_t insn = 0; insn < 0x10000; insn++) {
		struct expectation e;

		if ((insn & 3) == 3)
			continue;
		e = reference(insn);
		if (e.kind == OTHER)
			e.reg = 0;
		accesses += e.kind != OTHER;
		check(insn, e);
	}
	/* By hand: 12 forms with 11 free bits, less x0 twice, and Zcb. */
	assert_int_equal(accesses, 12 * 2048 - 2 * 64 + 2 * 256 + 3 * 128);
}

static void upper_half_of_a_compressed_one_is_ignored(void **state)
{
	(void)state;
	for (uint32_t insn = 0; insn < 0x10000; insn++) {
		struct riscv_insn plain = riscv_insn_decode(insn);
		struct riscv_insn dirty = riscv_insn_decode(insn | 0xffff0000);

		if ((insn & 3) == 3)
			continue;
		assert_int_equal(plain.kind, dirty.kind);
		assert_int_equal(plain.reg, dirty.reg);
		assert_int_equal(plain.width, dirty.width);
		assert_int_equal(dirty.length, 2);
		assert_int_equal(
			axvmi_riscv_sys_decode(insn).kind,
			axvmi_riscv_sys_decode(insn | 0xffff0000).kind);
	}
}

static struct expectation long_reference(uint32_t insn)
{
	struct expectation e = reference(insn);

	if (e.kind == OTHER || e.kind == CBO)
		e.reg = 0;
	return e;
}

static void every_function_field_of_every_opcode_agrees(void **state)
{
	(void)state;
	for (uint32_t opcode = 3; opcode < 128; opcode += 4) {
		for (uint32_t i = 0; i < 4096 * 8; i++) {
			uint32_t insn = (i >> 3) << 20 | (i & 7) << 12 |
					opcode | 21u << 15 | (i % 31) << 7;

			check(insn, long_reference(insn));
			insn &= ~(31u << 7);
			check(insn, long_reference(insn));
		}
	}
}

/* xorshift: the same words in every run */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void sampled_32_bit_words_agree_with_the_manual(void **state)
{
	static const uint32_t opcodes[] = {0x03, 0x07, 0x0f, 0x23, 0x27, 0x2f};
	uint32_t seed = 0x2545f491;

	(void)state;
	for (unsigned i = 0; i < 500000; i++) {
		uint32_t insn = next_random(&seed) | 3;

		check(insn, long_reference(insn));
		insn = (insn & ~0x7fu) | opcodes[i % ARRAY_SIZE(opcodes)];
		check(insn, long_reference(insn));
	}
}

static void length_follows_the_two_low_bits(void **state)
{
	(void)state;
	assert_int_equal(riscv_insn_length(0x0000), 2);
	assert_int_equal(riscv_insn_length(0x4501), 2);
	assert_int_equal(riscv_insn_length(0xfffe), 2);
	assert_int_equal(riscv_insn_length(0x0003), 4);
	assert_int_equal(riscv_insn_length(0xffff), 4);
	assert_int_equal(riscv_insn_length(0xffff0000), 2);
}

static struct riscv_insn untouched(void)
{
	return (struct riscv_insn){CBO, 77, true, 77, 77, 77};
}

static void expect_no_htinst(uint64_t htinst)
{
	struct riscv_insn out = untouched();

	assert_int_equal(riscv_htinst_decode(htinst, &out), RISCV_HTINST_NONE);
	assert_int_equal(out.kind, CBO);
	assert_int_equal(out.length, 77);
	assert_int_equal(out.fault_offset, 77);
}

static struct riscv_insn htinst_insn(uint64_t htinst)
{
	struct riscv_insn out = untouched();

	assert_int_equal(riscv_htinst_decode(htinst, &out), RISCV_HTINST_INSN);
	return out;
}

static void htinst_zero_says_nothing(void **state)
{
	(void)state;
	expect_no_htinst(0);
}

static void htinst_of_a_load_is_decoded(void **state)
{
	/* lw a0, x(y): immediate and rs1 replaced by zeros */
	struct riscv_insn lw = htinst_insn(0x00002503);
	struct riscv_insn lhu = htinst_insn(0x00005f83);

	(void)state;
	assert_int_equal(lw.kind, LOAD);
	assert_int_equal(lw.reg, 10);
	assert_int_equal(lw.width, 4);
	assert_true(lw.sign);
	assert_int_equal(lw.length, 4);
	assert_int_equal(lw.fault_offset, 0);
	assert_int_equal(lhu.reg, 31);
	assert_int_equal(lhu.width, 2);
	assert_false(lhu.sign);
}

static void htinst_of_a_store_is_decoded(void **state)
{
	/* sd t6 */
	struct riscv_insn sd = htinst_insn(0x01f03023);

	(void)state;
	assert_int_equal(sd.kind, STORE);
	assert_int_equal(sd.reg, 31);
	assert_int_equal(sd.width, 8);
	assert_int_equal(sd.length, 4);
}

static void htinst_of_a_compressed_one_has_length_two(void **state)
{
	/* c.lw a0 -> lw a0 with bit 1 cleared, c.sd s1, c.fld fs0 alike */
	struct riscv_insn lw = htinst_insn(0x00002501);
	struct riscv_insn sd = htinst_insn(0x00903021);
	struct riscv_insn fld = htinst_insn(0x00003405);

	(void)state;
	assert_int_equal(lw.kind, LOAD);
	assert_int_equal(lw.reg, 10);
	assert_int_equal(lw.width, 4);
	assert_true(lw.sign);
	assert_int_equal(lw.length, 2);
	assert_int_equal(sd.kind, STORE);
	assert_int_equal(sd.reg, 9);
	assert_int_equal(sd.length, 2);
	assert_int_equal(fld.kind, FP_LOAD);
	assert_int_equal(fld.reg, 8);
	assert_int_equal(fld.length, 2);
}

static void htinst_tells_how_far_into_the_access_it_faulted(void **state)
{
	(void)state;
	for (uint32_t offset = 0; offset < 32; offset++) {
		assert_int_equal(
			htinst_insn(0x00003503 | offset << 15).fault_offset,
			offset);
		assert_int_equal(
			htinst_insn(0x00a03021 | offset << 15).fault_offset,
			offset);
	}
}

static void htinst_of_the_other_kinds_is_named(void **state)
{
	struct riscv_insn amo = htinst_insn(0x08c0252f);
	struct riscv_insn sc = htinst_insn(0x18c0352f);

	(void)state;
	assert_int_equal(amo.kind, AMO);
	assert_int_equal(amo.reg, 10);
	assert_int_equal(sc.kind, SC);
	assert_int_equal(sc.width, 8);
	assert_int_equal(htinst_insn(0x1000252f).kind, LR);
	assert_int_equal(htinst_insn(0x00a03027).kind, FP_STORE);
	assert_int_equal(htinst_insn(0x0020200f).kind, CBO);
	assert_int_equal(htinst_insn(0x02000087).kind, VECTOR);
}

static void htinst_names_page_table_accesses(void **state)
{
	struct riscv_insn out = untouched();

	(void)state;
	assert_int_equal(riscv_htinst_decode(0x2000, &out),
			 RISCV_HTINST_TABLE_READ);
	assert_int_equal(riscv_htinst_decode(0x2020, &out),
			 RISCV_HTINST_TABLE_WRITE);
	assert_int_equal(riscv_htinst_decode(0x3000, &out),
			 RISCV_HTINST_TABLE_READ);
	assert_int_equal(riscv_htinst_decode(0x3020, &out),
			 RISCV_HTINST_TABLE_WRITE);
	assert_int_equal(out.length, 77);
}

static void htinst_with_upper_bits_is_not_recognised(void **state)
{
	(void)state;
	for (unsigned bit = 32; bit < 64; bit++) {
		expect_no_htinst(BIT64(bit) | 0x00002503);
		expect_no_htinst(BIT64(bit) | 0x3000);
		expect_no_htinst(BIT64(bit));
	}
}

static void htinst_of_unknown_form_is_not_recognised(void **state)
{
	static const uint32_t unknown[] = {
		0x00002502, 0x00002500, 0x00003002, 0x00003040,
		0x00001000, 0x00000020, 0x00007503, /* reserved load */
		0x00004023, /* reserved store */
		0x00150513, /* addi has no transformation */
		0x00150511, /* nor has c.addi's expansion */
		0x0000000b, /* custom-0 */
		0x00003022, 0x80003000,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		expect_no_htinst(unknown[i]);
}

static uint64_t loaded(uint32_t word, uint64_t raw)
{
	struct riscv_insn insn = riscv_insn_decode(word);

	return riscv_insn_load_value(insn.width, insn.sign, raw);
}

static uint64_t stored(uint32_t word, uint64_t value)
{
	return riscv_insn_store_value(riscv_insn_decode(word).width, value);
}

static void values_read_are_extended_to_the_register(void **state)
{
	const uint64_t raw = UINT64_C(0x8182838485868788);
	static const struct {
		uint32_t insn;
		uint64_t value;
	} v[] = {
		{0xfff58503, UINT64_C(0xffffffffffffff88)}, /* lb */
		{0x00259503, UINT64_C(0xffffffffffff8788)}, /* lh */
		{0x0045a503, UINT64_C(0xffffffff85868788)}, /* lw */
		{0xff85b503, UINT64_C(0x8182838485868788)}, /* ld */
		{0x7ff44f83, UINT64_C(0x88)}, /* lbu */
		{0x80045f03, UINT64_C(0x8788)}, /* lhu */
		{0x00c46e83, UINT64_C(0x85868788)}, /* lwu */
		{0x5c7c, UINT64_C(0xffffffff85868788)}, /* c.lw */
		{0x5ffe, UINT64_C(0xffffffff85868788)}, /* c.lwsp */
		{0x811c, UINT64_C(0x88)}, /* c.lbu */
		{0x855c, UINT64_C(0xffffffffffff8788)}, /* c.lh */
		{0x851c, UINT64_C(0x8788)}, /* c.lhu */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		assert_true(loaded(v[i].insn, raw) == v[i].value);
	/* a positive value has no sign to extend */
	assert_true(loaded(0x0045a503, 0xff12345678) == 0x12345678);
}

static void values_written_are_cut_to_the_width(void **state)
{
	const uint64_t value = UINT64_C(0xf1f2f3f4f5f6f7f8);

	(void)state;
	assert_true(stored(0xfea58fa3, value) == 0xf8);
	assert_true(stored(0x01f49123, value) == 0xf7f8);
	assert_true(stored(0x00092223, value) == 0xf5f6f7f8);
	assert_true(stored(0x8019b023, value) == value);
}

struct sys_vector {
	uint32_t insn;
	enum riscv_sys_kind kind;
};

static void check_sys(const struct sys_vector *v, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct riscv_sys_insn got = axvmi_riscv_sys_decode(v[i].insn);

		if (got.kind != v[i].kind)
			print_error("0x%08x\n", (unsigned)v[i].insn);
		assert_int_equal(got.kind, v[i].kind);
		assert_int_equal(got.op, RISCV_CSR_NONE);
		assert_false(got.reads);
		assert_false(got.writes);
	}
}

static void privileged_instructions_are_named(void **state)
{
	static const struct sys_vector v[] = {
		{0x00000073, RISCV_SYS_ECALL}, {0x00100073, RISCV_SYS_EBREAK},
		{0x10200073, RISCV_SYS_SRET},  {0x30200073, RISCV_SYS_MRET},
		{0x10500073, RISCV_SYS_WFI},   {0x00d00073, RISCV_SYS_WRS},
		{0x01d00073, RISCV_SYS_WRS},   {0x9002, RISCV_SYS_EBREAK},
	};

	(void)state;
	check_sys(v, ARRAY_SIZE(v));
	assert_int_equal(axvmi_riscv_sys_decode(0x9002).length, 2);
	assert_int_equal(axvmi_riscv_sys_decode(0x10500073).length, 4);
}

static void one_bit_off_is_another_instruction(void **state)
{
	static const uint32_t exact[] = {0x00000073, 0x00100073, 0x10200073,
					 0x30200073, 0x10500073, 0x00d00073,
					 0x18000073, 0x9002};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(exact); i++) {
		enum riscv_sys_kind kind =
			axvmi_riscv_sys_decode(exact[i]).kind;
		unsigned bits = exact[i] == 0x9002 ? 16 : 32;

		for (unsigned bit = 0; bit < bits; bit++) {
			uint32_t near = exact[i] ^ 1u << bit;
			enum riscv_sys_kind got =
				axvmi_riscv_sys_decode(near).kind;

			/* wrs.nto and wrs.sto differ in one bit */
			assert_true(got != kind || kind == RISCV_SYS_WRS ||
				    kind == RISCV_SYS_SFENCE_ORDER);
		}
		/* rd and rs1 must be x0 */
		assert_int_equal(axvmi_riscv_sys_decode(exact[i] ^ 0x80).kind,
				 RISCV_SYS_OTHER);
	}
}

static void fences_are_named_with_their_operands(void **state)
{
	static const struct sys_vector v[] = {
		{0x12000073, RISCV_SYS_SFENCE_VMA},
		{0x12b50073, RISCV_SYS_SFENCE_VMA},
		{0x16b50073, RISCV_SYS_SFENCE_VMA}, /* sinval.vma */
		{0x18000073, RISCV_SYS_SFENCE_ORDER},
		{0x18100073, RISCV_SYS_SFENCE_ORDER},
		{0x22b50073, RISCV_SYS_HFENCE_VVMA},
		{0x26b50073, RISCV_SYS_HFENCE_VVMA}, /* hinval.vvma */
		{0x62b50073, RISCV_SYS_HFENCE_GVMA},
		{0x66b50073, RISCV_SYS_HFENCE_GVMA}, /* hinval.gvma */
		{0x12b500f3, RISCV_SYS_OTHER}, /* rd must be x0 */
	};
	struct riscv_sys_insn fence = axvmi_riscv_sys_decode(0x12b50073);

	(void)state;
	check_sys(v, ARRAY_SIZE(v));
	assert_int_equal(fence.rs1, 10);
	assert_int_equal(fence.rs2, 11);
}

static void hypervisor_accesses_are_named(void **state)
{
	static const struct sys_vector v[] = {
		{0x6005c573, RISCV_SYS_HLV},
		{0x6015c573, RISCV_SYS_HLV},
		{0x6405c573, RISCV_SYS_HLV},
		{0x6415c573, RISCV_SYS_HLV},
		{0x6435c573, RISCV_SYS_HLV},
		{0x6805c573, RISCV_SYS_HLV},
		{0x6815c573, RISCV_SYS_HLV},
		{0x6835c573, RISCV_SYS_HLV},
		{0x6c05c573, RISCV_SYS_HLV},
		{0x62a5c073, RISCV_SYS_HSV},
		{0x66a5c073, RISCV_SYS_HSV},
		{0x6aa5c073, RISCV_SYS_HSV},
		{0x6ea5c073, RISCV_SYS_HSV},
		/* there is no hlvx.bu, hlv.du, nor hsv with rd */
		{0x6035c573, RISCV_SYS_OTHER},
		{0x6c15c573, RISCV_SYS_OTHER},
		{0x62a5c0f3, RISCV_SYS_OTHER},
	};

	(void)state;
	check_sys(v, ARRAY_SIZE(v));
}

static void csr_instructions_give_number_operation_and_operands(void **state)
{
	/* csrrw a0, sstatus, a1; csrrsi a0, cycle, 0; csrrc zero, stvec, t6 */
	struct riscv_sys_insn rw = axvmi_riscv_sys_decode(0x10059573);
	struct riscv_sys_insn rsi = axvmi_riscv_sys_decode(0xc0006573);
	struct riscv_sys_insn rc = axvmi_riscv_sys_decode(0x105fb073);

	(void)state;
	assert_int_equal(rw.kind, RISCV_SYS_CSR);
	assert_int_equal(rw.op, RISCV_CSR_WRITE);
	assert_int_equal(rw.csr, 0x100);
	assert_int_equal(rw.rd, 10);
	assert_int_equal(rw.rs1, 11);
	assert_false(rw.immediate);
	assert_int_equal(rw.length, 4);
	assert_int_equal(rsi.op, RISCV_CSR_SET);
	assert_int_equal(rsi.csr, 0xc00);
	assert_true(rsi.immediate);
	assert_int_equal(rsi.rs1, 0);
	assert_int_equal(rc.op, RISCV_CSR_CLEAR);
	assert_int_equal(rc.csr, 0x105);
	assert_int_equal(rc.rd, 0);
	assert_int_equal(rc.rs1, 31);
}

static void every_csr_number_and_operation_is_told_apart(void **state)
{
	(void)state;
	for (uint32_t csr = 0; csr < 4096; csr++) {
		for (uint32_t funct3 = 0; funct3 < 8; funct3++) {
			uint32_t insn = csr << 20 | funct3 << 12 | 0x73 |
					(csr & 31) << 7 | 9 << 15;
			struct riscv_sys_insn got =
				axvmi_riscv_sys_decode(insn);

			if ((funct3 & 3) == 0) {
				assert_true(got.kind != RISCV_SYS_CSR);
				assert_int_equal(got.csr, 0);
				continue;
			}
			assert_int_equal(got.kind, RISCV_SYS_CSR);
			assert_int_equal(got.csr, csr);
			assert_int_equal(got.op, funct3 & 3);
			assert_int_equal(got.immediate, funct3 >> 2);
			assert_int_equal(got.rd, csr & 31);
			assert_int_equal(got.rs1, 9);
		}
	}
}

static void csr_side_effects_depend_on_x0(void **state)
{
	static const struct {
		uint32_t insn;
		bool reads;
		bool writes;
	} v[] = {
		{0x10059573, true, true}, /* csrrw a0, sstatus, a1 */
		{0x10059073, false, true}, /* csrw sstatus, a1 */
		{0x10001573, true, true}, /* csrrw a0, sstatus, zero */
		{0xc0102ff3, true, false}, /* csrr t6, time */
		{0x105fb073, true, true}, /* csrc stvec, t6 */
		{0x140fd573, true, true}, /* csrrwi a0, sscratch, 31 */
		{0x14005073, false, true}, /* csrwi sscratch, 0 */
		{0xc0006573, true, false}, /* csrrsi a0, cycle, 0 */
		{0x10017073, true, true}, /* csrci sstatus, 2 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct riscv_sys_insn got = axvmi_riscv_sys_decode(v[i].insn);

		assert_int_equal(got.reads, v[i].reads);
		assert_int_equal(got.writes, v[i].writes);
	}
}

static void csr_update_writes_sets_or_clears(void **state)
{
	(void)state;
	assert_int_equal(riscv_csr_update(RISCV_CSR_WRITE, 0xf0, 0x3c), 0x3c);
	assert_int_equal(riscv_csr_update(RISCV_CSR_SET, 0xf0, 0x3c), 0xfc);
	assert_int_equal(riscv_csr_update(RISCV_CSR_CLEAR, 0xf0, 0x3c), 0xc0);
	assert_int_equal(riscv_csr_update(RISCV_CSR_NONE, 0xf0, 0x3c), 0xf0);
}

static void accesses_are_no_system_instructions(void **state)
{
	static const uint32_t plain[] = {0x0045a503, 0xfea58fa3, 0x0ff0000f,
					 0x00150513, 0x5c7c,	 0x0001,
					 0x9006,     0xfffff063};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		struct riscv_sys_insn got = axvmi_riscv_sys_decode(plain[i]);

		assert_int_equal(got.kind, RISCV_SYS_OTHER);
		assert_int_equal(got.length, (plain[i] & 3) == 3 ? 4 : 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integer_loads_have_width_sign_and_destination),
		cmocka_unit_test(integer_stores_have_width_and_source),
		cmocka_unit_test(reserved_load_and_store_widths_are_no_access),
		cmocka_unit_test(scalar_floating_point_accesses_are_named),
		cmocka_unit_test(quad_accesses_claim_no_width_they_cannot_have),
		cmocka_unit_test(load_reserved_and_store_conditional_are_named),
		cmocka_unit_test(atomic_operations_are_named),
		cmocka_unit_test(reserved_atomics_are_no_access),
		cmocka_unit_test(cache_block_operations_are_named),
		cmocka_unit_test(vector_accesses_are_named),
		cmocka_unit_test(compressed_register_forms_use_x8_to_x15),
		cmocka_unit_test(compressed_stack_forms_use_any_register),
		cmocka_unit_test(stack_loads_to_x0_are_reserved),
		cmocka_unit_test(zcb_bytes_and_halves_decode),
		cmocka_unit_test(instructions_without_an_access_are_other),
		cmocka_unit_test(every_register_of_32_bit_forms_is_found),
		cmocka_unit_test(every_register_of_stack_forms_is_found),
		cmocka_unit_test(every_register_of_three_bit_forms_is_found),
		cmocka_unit_test(every_16_bit_encoding_agrees_with_the_manual),
		cmocka_unit_test(upper_half_of_a_compressed_one_is_ignored),
		cmocka_unit_test(every_function_field_of_every_opcode_agrees),
		cmocka_unit_test(sampled_32_bit_words_agree_with_the_manual),
		cmocka_unit_test(length_follows_the_two_low_bits),
		cmocka_unit_test(htinst_zero_says_nothing),
		cmocka_unit_test(htinst_of_a_load_is_decoded),
		cmocka_unit_test(htinst_of_a_store_is_decoded),
		cmocka_unit_test(htinst_of_a_compressed_one_has_length_two),
		cmocka_unit_test(
			htinst_tells_how_far_into_the_access_it_faulted),
		cmocka_unit_test(htinst_of_the_other_kinds_is_named),
		cmocka_unit_test(htinst_names_page_table_accesses),
		cmocka_unit_test(htinst_with_upper_bits_is_not_recognised),
		cmocka_unit_test(htinst_of_unknown_form_is_not_recognised),
		cmocka_unit_test(values_read_are_extended_to_the_register),
		cmocka_unit_test(values_written_are_cut_to_the_width),
		cmocka_unit_test(privileged_instructions_are_named),
		cmocka_unit_test(one_bit_off_is_another_instruction),
		cmocka_unit_test(fences_are_named_with_their_operands),
		cmocka_unit_test(hypervisor_accesses_are_named),
		cmocka_unit_test(
			csr_instructions_give_number_operation_and_operands),
		cmocka_unit_test(every_csr_number_and_operation_is_told_apart),
		cmocka_unit_test(csr_side_effects_depend_on_x0),
		cmocka_unit_test(csr_update_writes_sets_or_clears),
		cmocka_unit_test(accesses_are_no_system_instructions),
	};

	return cmocka_run_group_tests(tests, compile_forms, NULL);
}
