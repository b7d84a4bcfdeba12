/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Decoding of A64 loads and stores. Words with a mnemonic beside them are the
 * GNU assembler's output. The reference decoder is the manual's tables as text.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "arm_vhe/insn.h"

#define OTHER ARM_INSN_OTHER
#define LOAD ARM_INSN_LOAD
#define STORE ARM_INSN_STORE
#define OFFSET ARM_INDEX_OFFSET
#define PRE ARM_INDEX_PRE
#define POST ARM_INDEX_POST
#define REGISTER ARM_INDEX_REGISTER
#define LITERAL ARM_INDEX_LITERAL

/* ---- words of the assembler ---- */

struct word {
	uint32_t insn;
	struct arm_insn expected;
};

/* kind, index, count, width, rt, rt2, simd, sign, wide, rn, rm, extend, shift,
 * offset */
static const struct word words[] = {
	/* ldr x1, [x2], #8 */
	{0xf8408441, {LOAD, POST, 1, 8, 1, 0, 0, 0, 1, 2, 0, 0, 0, 8}},
	/* ldr w1, [x2, #-4]! */
	{0xb85fcc41, {LOAD, PRE, 1, 4, 1, 0, 0, 0, 0, 2, 0, 0, 0, -4}},
	/* str x30, [sp, #-256]! */
	{0xf8100ffe, {STORE, PRE, 1, 8, 30, 0, 0, 0, 1, 31, 0, 0, 0, -256}},
	/* ldrsb w3, [x4], #1 */
	{0x38c01483, {LOAD, POST, 1, 1, 3, 0, 0, 1, 0, 4, 0, 0, 0, 1}},
	/* ldrsh x3, [x4, #2]! */
	{0x78802c83, {LOAD, PRE, 1, 2, 3, 0, 0, 1, 1, 4, 0, 0, 0, 2}},
	/* ldrsw x5, [x6, #16380] */
	{0xb9bffcc5, {LOAD, OFFSET, 1, 4, 5, 0, 0, 1, 1, 6, 0, 0, 0, 16380}},
	/* strb wzr, [x7, #4095] */
	{0x393ffcff, {STORE, OFFSET, 1, 1, 31, 0, 0, 0, 0, 7, 0, 0, 0, 4095}},
	/* ldurh w1, [x2, #-1] */
	{0x785ff041, {LOAD, OFFSET, 1, 2, 1, 0, 0, 0, 0, 2, 0, 0, 0, -1}},
	/* sttr x1, [x2, #255] */
	{0xf80ff841, {STORE, OFFSET, 1, 8, 1, 0, 0, 0, 1, 2, 0, 0, 0, 255}},
	/* ldr x1, [x2, w3, sxtw #3] */
	{0xf863d841, {LOAD, REGISTER, 1, 8, 1, 0, 0, 0, 1, 2, 3, 6, 3, 0}},
	/* strh w1, [x2, x3, lsl #1] */
	{0x78237841, {STORE, REGISTER, 1, 2, 1, 0, 0, 0, 0, 2, 3, 3, 1, 0}},
	/* ldr q7, [x2, w3, uxtw #4] */
	{0x3ce35847, {LOAD, REGISTER, 1, 16, 7, 0, 1, 0, 0, 2, 3, 2, 4, 0}},
	/* ldr x9, . - 1048576 */
	{0x58800009,
	 {LOAD, LITERAL, 1, 8, 9, 0, 0, 0, 1, 0, 0, 0, 0, -1048576}},
	/* ldrsw x9, . + 1048572 */
	{0x987fffe9, {LOAD, LITERAL, 1, 4, 9, 0, 0, 1, 1, 0, 0, 0, 0, 1048572}},
	/* ldr s9, . + 4 */
	{0x1c000029, {LOAD, LITERAL, 1, 4, 9, 0, 1, 0, 0, 0, 0, 0, 0, 4}},
	/* ldr q9, . + 16 */
	{0x9c000089, {LOAD, LITERAL, 1, 16, 9, 0, 1, 0, 0, 0, 0, 0, 0, 16}},
	/* ldp x1, x2, [x3] */
	{0xa9400861, {LOAD, OFFSET, 2, 8, 1, 2, 0, 0, 1, 3, 0, 0, 0, 0}},
	/* stp x29, x30, [sp, #-512]! */
	{0xa9a07bfd, {STORE, PRE, 2, 8, 29, 30, 0, 0, 1, 31, 0, 0, 0, -512}},
	/* ldp w1, w2, [x3], #252 */
	{0x28df8861, {LOAD, POST, 2, 4, 1, 2, 0, 0, 0, 3, 0, 0, 0, 252}},
	/* ldpsw x1, x2, [x3, #-4] */
	{0x697f8861, {LOAD, OFFSET, 2, 4, 1, 2, 0, 1, 1, 3, 0, 0, 0, -4}},
	/* ldnp x1, x2, [x3, #16] */
	{0xa8410861, {LOAD, OFFSET, 2, 8, 1, 2, 0, 0, 1, 3, 0, 0, 0, 16}},
	/* stp q0, q31, [x1, #1008] */
	{0xad1ffc20, {STORE, OFFSET, 2, 16, 0, 31, 1, 0, 0, 1, 0, 0, 0, 1008}},
	/* ldp s0, s1, [x1, #-4]! */
	{0x2dff8420, {LOAD, PRE, 2, 4, 0, 1, 1, 0, 0, 1, 0, 0, 0, -4}},
	/* ldp d2, d3, [x1], #-512 */
	{0x6ce00c22, {LOAD, POST, 2, 8, 2, 3, 1, 0, 0, 1, 0, 0, 0, -512}},
	/* str q2, [x1], #16 */
	{0x3c810422, {STORE, POST, 1, 16, 2, 0, 1, 0, 0, 1, 0, 0, 0, 16}},
	/* ldr q2, [x1, #65520] */
	{0x3dfffc22, {LOAD, OFFSET, 1, 16, 2, 0, 1, 0, 0, 1, 0, 0, 0, 65520}},
	/* ldr b2, [x1, #1]! */
	{0x3c401c22, {LOAD, PRE, 1, 1, 2, 0, 1, 0, 0, 1, 0, 0, 0, 1}},
	/* stur h2, [x1, #-2] */
	{0x7c1fe022, {STORE, OFFSET, 1, 2, 2, 0, 1, 0, 0, 1, 0, 0, 0, -2}},
	/* ldar w1, [x2] */
	{0x88dffc41, {LOAD, OFFSET, 1, 4, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0}},
	/* stlrb w1, [x2] */
	{0x089ffc41, {STORE, OFFSET, 1, 1, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0}},
	/* ldapr x1, [x2] */
	{0xf8bfc041, {LOAD, OFFSET, 1, 8, 1, 0, 0, 0, 1, 2, 0, 0, 0, 0}},
	/* ldapursb w1, [x2, #-1] */
	{0x19dff041, {LOAD, OFFSET, 1, 1, 1, 0, 0, 1, 0, 2, 0, 0, 0, -1}},
	/* stlur x1, [x2, #8] */
	{0xd9008041, {STORE, OFFSET, 1, 8, 1, 0, 0, 0, 1, 2, 0, 0, 0, 8}},
};

static void the_words_of_the_assembler_are_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct arm_insn insn = axvmi_arm_insn_decode(words[i].insn);
		const struct arm_insn *e = &words[i].expected;
		bool same = insn.kind == e->kind && insn.index == e->index &&
			    insn.count == e->count && insn.width == e->width &&
			    insn.rt == e->rt && insn.rt2 == e->rt2 &&
			    insn.simd == e->simd && insn.sign == e->sign &&
			    insn.wide == e->wide && insn.rn == e->rn &&
			    insn.rm == e->rm && insn.extend == e->extend &&
			    insn.shift == e->shift && insn.offset == e->offset;

		if (!same)
			fail_msg("%08x is decoded wrongly", words[i].insn);
	}
}

static void what_has_no_rule_is_other(void **state)
{
	static const uint32_t others[] = {
		0x00000000, /* udf #0 */
		0xd503201f, /* nop */
		0xd50b7420, /* dc zva, x0 */
		0xd50b7a20, /* dc cvac, x0 */
		0xf9800040, /* prfm pldl1keep, [x2] */
		0xd8000000, /* prfm pldl1keep, . */
		0xc85f7c41, /* ldxr x1, [x2] */
		0xc8037c41, /* stxr w3, x1, [x2] */
		0xc87f0841, /* ldxp x1, x2, [x2] */
		0xc8a37c41, /* cas x3, x1, [x2] */
		0x48227c20, /* casp x2, x3, x0, x1, [x1] */
		0xf8230041, /* ldadd x3, x1, [x2] */
		0xf8238041, /* swp x3, x1, [x2] */
		0xf8200420, /* ldraa x0, [x1] */
		0x4c407020, /* ld1 {v0.16b}, [x1] */
		0x0d408020, /* ld1 {v0.s}[0], [x1] */
		0x69000861, /* stgp x1, x2, [x3] */
		0xd9200820, /* stg x0, [x1] */
		0xf8200020, /* ldadd x0, x0, [x1] */
		0x8895787f, /* stllr, but for bits that should be one */
		0xffffffff,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct arm_insn insn = axvmi_arm_insn_decode(others[i]);

		if (insn.kind != OTHER)
			fail_msg("%08x is an access", others[i]);
		assert_int_equal(insn.width, 0);
	}
}

/* ---- the manual's tables ---- */

/*
 * An encoding diagram, most significant bit first: 0 and 1 fixed, t u n m
 * register fields Rt Rt2 Rn Rm, i immediate, o option, s shift, x anything.
 */
struct form {
	const char *bits;
	enum arm_insn_kind kind;
	enum arm_insn_index index;
	uint8_t width;
	bool simd, sign, wide;
	uint8_t scale; /* of the immediate */
	bool is_unsigned;
};

/* One register in the five ways with imm9, imm12 and Rm. */
#define SINGLE(size, v, opc, kind, width, simd, sign, wide)           \
	{size "111" v "00" opc "0iiiiiiiii00nnnnnttttt",              \
	 kind,                                                        \
	 OFFSET,                                                      \
	 width,                                                       \
	 simd,                                                        \
	 sign,                                                        \
	 wide,                                                        \
	 1,                                                           \
	 false},                                                      \
		{size "111" v "00" opc "0iiiiiiiii01nnnnnttttt",      \
		 kind,                                                \
		 POST,                                                \
		 width,                                               \
		 simd,                                                \
		 sign,                                                \
		 wide,                                                \
		 1,                                                   \
		 false},                                              \
		{size "111" v "00" opc "0iiiiiiiii11nnnnnttttt",      \
		 kind,                                                \
		 PRE,                                                 \
		 width,                                               \
		 simd,                                                \
		 sign,                                                \
		 wide,                                                \
		 1,                                                   \
		 false},                                              \
		{size "111" v "01" opc "iiiiiiiiiiiinnnnnttttt",      \
		 kind,                                                \
		 OFFSET,                                              \
		 width,                                               \
		 simd,                                                \
		 sign,                                                \
		 wide,                                                \
		 width,                                               \
		 true},                                               \
	{                                                             \
		size "111" v "00" opc "1mmmmmo1os10nnnnnttttt", kind, \
			REGISTER, width, simd, sign, wide, 0, false   \
	}
/* Unprivileged, and the unscaled ones of LRCPC2. */
#define INTEGER(size, opc, kind, width, sign, wide)                       \
	SINGLE(size, "0", opc, kind, width, false, sign, wide),           \
		{size "111000" opc "0iiiiiiiii10nnnnnttttt",              \
		 kind,                                                    \
		 OFFSET,                                                  \
		 width,                                                   \
		 false,                                                   \
		 sign,                                                    \
		 wide,                                                    \
		 1,                                                       \
		 false},                                                  \
	{                                                                 \
		size "011001" opc "0iiiiiiiii00nnnnnttttt", kind, OFFSET, \
			width, false, sign, wide, 1, false                \
	}
#define ORDERED(size, width, wide)                                        \
	{size "001000110"                                                 \
	      "11111"                                                     \
	      "x11111nnnnnttttt",                                         \
	 LOAD,                                                            \
	 OFFSET,                                                          \
	 width,                                                           \
	 false,                                                           \
	 false,                                                           \
	 wide,                                                            \
	 0,                                                               \
	 false},                                                          \
		{size "001000100"                                         \
		      "11111"                                             \
		      "x11111nnnnnttttt",                                 \
		 STORE,                                                   \
		 OFFSET,                                                  \
		 width,                                                   \
		 false,                                                   \
		 false,                                                   \
		 wide,                                                    \
		 0,                                                       \
		 false},                                                  \
	{                                                                 \
		size "111000101"                                          \
		     "11111"                                              \
		     "110000nnnnnttttt",                                  \
			LOAD, OFFSET, width, false, false, wide, 0, false \
	}
#define PAIR(opc, v, l, kind, width, simd, sign, wide)                   \
	{opc "101" v "001" l "iiiiiiiuuuuunnnnnttttt",                   \
	 kind,                                                           \
	 POST,                                                           \
	 width,                                                          \
	 simd,                                                           \
	 sign,                                                           \
	 wide,                                                           \
	 width,                                                          \
	 false},                                                         \
		{opc "101" v "010" l "iiiiiiiuuuuunnnnnttttt",           \
		 kind,                                                   \
		 OFFSET,                                                 \
		 width,                                                  \
		 simd,                                                   \
		 sign,                                                   \
		 wide,                                                   \
		 width,                                                  \
		 false},                                                 \
	{                                                                \
		opc "101" v "011" l "iiiiiiiuuuuunnnnnttttt", kind, PRE, \
			width, simd, sign, wide, width, false            \
	}
#define NO_ALLOCATE(opc, v, l, kind, width, simd, wide)                     \
	{                                                                   \
		opc "101" v "000" l "iiiiiiiuuuuunnnnnttttt", kind, OFFSET, \
			width, simd, false, wide, width, false              \
	}
#define PAIRS(opc, v, width, simd, wide)                            \
	PAIR(opc, v, "0", STORE, width, simd, false, wide),         \
		PAIR(opc, v, "1", LOAD, width, simd, false, wide),  \
		NO_ALLOCATE(opc, v, "0", STORE, width, simd, wide), \
		NO_ALLOCATE(opc, v, "1", LOAD, width, simd, wide)
#define FROM_PC(opc, v, width, simd, sign, wide)                         \
	{                                                                \
		opc "011" v "00iiiiiiiiiiiiiiiiiiittttt", LOAD, LITERAL, \
			width, simd, sign, wide, 4, false                \
	}

static const struct form forms[] = {
	INTEGER("00", "00", STORE, 1, false, false),
	INTEGER("00", "01", LOAD, 1, false, false),
	INTEGER("00", "10", LOAD, 1, true, true),
	INTEGER("00", "11", LOAD, 1, true, false),
	INTEGER("01", "00", STORE, 2, false, false),
	INTEGER("01", "01", LOAD, 2, false, false),
	INTEGER("01", "10", LOAD, 2, true, true),
	INTEGER("01", "11", LOAD, 2, true, false),
	INTEGER("10", "00", STORE, 4, false, false),
	INTEGER("10", "01", LOAD, 4, false, false),
	INTEGER("10", "10", LOAD, 4, true, true),
	INTEGER("11", "00", STORE, 8, false, true),
	INTEGER("11", "01", LOAD, 8, false, true),
	SINGLE("00", "1", "00", STORE, 1, true, false, false),
	SINGLE("00", "1", "01", LOAD, 1, true, false, false),
	SINGLE("00", "1", "10", STORE, 16, true, false, false),
	SINGLE("00", "1", "11", LOAD, 16, true, false, false),
	SINGLE("01", "1", "00", STORE, 2, true, false, false),
	SINGLE("01", "1", "01", LOAD, 2, true, false, false),
	SINGLE("10", "1", "00", STORE, 4, true, false, false),
	SINGLE("10", "1", "01", LOAD, 4, true, false, false),
	SINGLE("11", "1", "00", STORE, 8, true, false, false),
	SINGLE("11", "1", "01", LOAD, 8, true, false, false),
	ORDERED("00", 1, false),
	ORDERED("01", 2, false),
	ORDERED("10", 4, false),
	ORDERED("11", 8, true),
	PAIRS("00", "0", 4, false, false),
	PAIR("01", "0", "1", LOAD, 4, false, true, true),
	PAIRS("10", "0", 8, false, true),
	PAIRS("00", "1", 4, true, false),
	PAIRS("01", "1", 8, true, false),
	PAIRS("10", "1", 16, true, false),
	FROM_PC("00", "0", 4, false, false, false),
	FROM_PC("01", "0", 8, false, false, true),
	FROM_PC("10", "0", 4, false, true, true),
	FROM_PC("00", "1", 4, true, false, false),
	FROM_PC("01", "1", 8, true, false, false),
	FROM_PC("10", "1", 16, true, false, false),
};

static bool matches(const char *bits, uint32_t insn)
{
	for (unsigned i = 0; i < 32; i++) {
		uint32_t bit = insn >> (31 - i) & 1;

		if ((bits[i] == '0' && bit != 0) ||
		    (bits[i] == '1' && bit != 1))
			return false;
	}
	return true;
}

static uint32_t letter(const char *bits, uint32_t insn, char which,
		       unsigned *count)
{
	uint32_t value = 0;

	*count = 0;
	for (unsigned i = 0; i < 32; i++) {
		if (bits[i] != which)
			continue;
		value = value << 1 | (insn >> (31 - i) & 1);
		++*count;
	}
	return value;
}

static int64_t form_offset(const struct form *f, uint32_t insn)
{
	unsigned count;
	int64_t value = letter(f->bits, insn, 'i', &count);

	if (!f->is_unsigned && count != 0 && (value >> (count - 1)) != 0)
		value -= INT64_C(1) << count;
	return value * f->scale;
}

static void check_form(const struct form *f, uint32_t insn)
{
	struct arm_insn out = axvmi_arm_insn_decode(insn);
	unsigned count;
	uint32_t shift = letter(f->bits, insn, 's', &count);
	uint32_t option = letter(f->bits, insn, 'o', &count);
	uint32_t log2 = 0;

	while (1u << log2 < f->width)
		log2++;
	if (out.kind != f->kind || out.index != f->index ||
	    out.width != f->width || out.simd != f->simd ||
	    out.sign != f->sign || out.wide != f->wide)
		fail_msg("%08x: wrong kind", insn);
	if (out.rt != letter(f->bits, insn, 't', &count) ||
	    out.rt2 != letter(f->bits, insn, 'u', &count))
		fail_msg("%08x: wrong registers", insn);
	assert_int_equal(out.count, count == 0 ? 1 : 2);
	if (out.rn != letter(f->bits, insn, 'n', &count) ||
	    out.rm != letter(f->bits, insn, 'm', &count))
		fail_msg("%08x: wrong base or index", insn);
	if (out.shift != shift * log2 || out.offset != form_offset(f, insn))
		fail_msg("%08x: wrong offset", insn);
	/* The middle bit of the option is a fixed 1. */
	if (f->index == REGISTER)
		assert_int_equal(out.extend,
				 (option >> 1) << 2 | 2 | (option & 1));
}

static void check_word(uint32_t insn)
{
	const struct form *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!matches(forms[i].bits, insn))
			continue;
		if (found != NULL)
			fail_msg("%08x: two forms", insn);
		found = &forms[i];
	}
	if (found != NULL)
		check_form(found, insn);
	else if (axvmi_arm_insn_decode(insn).kind != OTHER)
		fail_msg("%08x: unallocated, or not a plain access", insn);
}

static uint32_t random_word(void)
{
	static uint64_t seed = 1;

	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(seed >> 32);
}

/* Bits 31:21 and 15:10 say all there is but operands. */
static void every_encoding_is_what_the_manual_says(void **state)
{
	(void)state;
	for (uint32_t high = 0; high < 1u << 11; high++) {
		/* Bits 27 and 25: nothing else loads or stores. */
		if ((high & 0x50) != 0x40 && high % 64 != 0)
			continue;
		for (uint32_t low = 0; low < 1u << 6; low++) {
			uint32_t operands = random_word() & 0x001f03ff;

			check_word(high << 21 | low << 10 | operands);
			check_word(high << 21 | low << 10 | 0x001f0000 |
				   operands);
		}
	}
}

static void no_word_at_all_gives_an_undefined_result(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000000; i++) {
		struct arm_insn insn = axvmi_arm_insn_decode(random_word());

		if (insn.kind == OTHER)
			continue;
		assert_true(insn.width == 1 || insn.width == 2 ||
			    insn.width == 4 || insn.width == 8 ||
			    (insn.width == 16 && insn.simd));
		assert_true(insn.count == 1 || insn.count == 2);
		assert_true(insn.rt < 32 && insn.rt2 < 32 && insn.rn < 32 &&
			    insn.rm < 32);
		assert_true(!insn.sign || (insn.kind == LOAD && !insn.simd));
	}
}

/* ---- addresses and values ---- */

static void an_address_is_base_and_offset(void **state)
{
	struct arm_insn insn = axvmi_arm_insn_decode(0xb85fcc41);

	(void)state;
	assert_int_equal(axvmi_arm_insn_address(&insn, 0x1000, 7, 9), 0xffc);
	assert_true(arm_insn_writes_back(&insn));
	insn = axvmi_arm_insn_decode(0xf8408441);
	assert_int_equal(axvmi_arm_insn_address(&insn, 0x1000, 7, 9), 0x1000);
	assert_true(arm_insn_writes_back(&insn));
	insn = axvmi_arm_insn_decode(0xb9bffcc5);
	assert_int_equal(axvmi_arm_insn_address(&insn, 4, 7, 9), 16384);
	assert_false(arm_insn_writes_back(&insn));
	insn = axvmi_arm_insn_decode(0x58800009);
	assert_int_equal(axvmi_arm_insn_address(&insn, 0, 7, 0x100000), 0);
}

static void an_index_is_extended_and_shifted(void **state)
{
	static const struct {
		uint32_t option;
		uint64_t index;
		uint64_t address;
	} cases[] = {
		{2, UINT64_C(0xffffffff80000001), UINT64_C(0x401000008)},
		{3, UINT64_C(0x1000000000000001), UINT64_C(0x8000000001000008)},
		{6, UINT64_C(0x180000001), UINT64_C(0xfffffffc01000008)},
		{7, UINT64_MAX, UINT64_C(0xfffff8)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* ldr x1, [x2, x3, ... #3] */
		struct arm_insn insn = axvmi_arm_insn_decode(
			0xf8631841 | cases[i].option << 13);

		assert_int_equal(insn.kind, LOAD);
		assert_int_equal(axvmi_arm_insn_address(&insn, 0x1000000,
							cases[i].index, 0),
				 cases[i].address);
	}
}

static void a_loaded_value_has_the_width_and_the_sign(void **state)
{
	struct arm_insn insn = {.kind = LOAD, .width = 1};
	const uint64_t raw = UINT64_C(0x8182838485868788);

	(void)state;
	assert_int_equal(arm_insn_load_value(&insn, raw), 0x88);
	insn.sign = true;
	assert_int_equal(arm_insn_load_value(&insn, raw), 0xffffff88);
	insn.wide = true;
	assert_int_equal(arm_insn_load_value(&insn, raw),
			 UINT64_C(0xffffffffffffff88));
	insn.width = 4;
	assert_int_equal(arm_insn_load_value(&insn, raw),
			 UINT64_C(0xffffffff85868788));
	insn.sign = false;
	assert_int_equal(arm_insn_load_value(&insn, raw), 0x85868788);
	insn.width = 8;
	assert_int_equal(arm_insn_load_value(&insn, raw), raw);
	assert_int_equal(arm_insn_store_value(1, raw), 0x88);
	assert_int_equal(arm_insn_store_value(2, raw), 0x8788);
	assert_int_equal(arm_insn_store_value(4, raw), 0x85868788);
	assert_int_equal(arm_insn_store_value(8, raw), raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_of_the_assembler_are_decoded),
		cmocka_unit_test(what_has_no_rule_is_other),
		cmocka_unit_test(every_encoding_is_what_the_manual_says),
		cmocka_unit_test(no_word_at_all_gives_an_undefined_result),
		cmocka_unit_test(an_address_is_base_and_offset),
		cmocka_unit_test(an_index_is_extended_and_shifted),
		cmocka_unit_test(a_loaded_value_has_the_width_and_the_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
