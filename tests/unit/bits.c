/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * src/bits.h against slow definitions: every bit, every field, and all small
 * ranges at both ends of the 64-bit space.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bits.h"

/* A fixed sequence: a failure repeats. Marsaglia's xorshift, (13, 7, 17). */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static uint64_t slow_mask(unsigned hi, unsigned lo)
{
	uint64_t mask = 0;

	for (unsigned bit = lo; bit <= hi; bit++)
		mask |= BIT64(bit);
	return mask;
}

static void every_field_mask_has_exactly_its_bits(void **state)
{
	(void)state;
	for (unsigned hi = 0; hi < 64; hi++) {
		for (unsigned lo = 0; lo <= hi; lo++)
			assert_true(FIELD64(hi, lo) == slow_mask(hi, lo));
	}
}

static void every_field_reads_back_what_was_put(void **state)
{
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (unsigned hi = 0; hi < 64; hi++) {
		for (unsigned lo = 0; lo <= hi; lo++) {
			uint64_t mask = FIELD64(hi, lo);
			uint64_t word = next_random(&seed);
			uint64_t value = next_random(&seed);
			uint64_t set = FIELD_SET(mask, word, value);

			assert_true(FIELD_GET(mask, word) ==
				    (word & mask) >> lo);
			assert_true(FIELD_PUT(mask, value) ==
				    ((value << lo) & mask));
			assert_true((set & ~mask) == (word & ~mask));
			assert_true(FIELD_GET(mask, set) ==
				    (value & (mask >> lo)));
		}
	}
}

static void field_macros_work_on_32_bit_masks(void **state)
{
	(void)state;
	assert_int_equal(FIELD_GET(0xff00u, 0x12345678u), 0x56);
	assert_int_equal(FIELD_SET(0xff00u, 0x12345678u, 0xabu), 0x1234ab78);
}

static void lowest_and_highest_bit_of_every_pair_of_bits(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 64; a++) {
		for (unsigned b = a; b < 64; b++) {
			uint64_t between = FIELD64(b, a);

			assert_int_equal(lowest_bit64(BIT64(a) | BIT64(b)), a);
			assert_int_equal(highest_bit64(BIT64(a) | BIT64(b)), b);
			assert_int_equal(lowest_bit64(between), a);
			assert_int_equal(highest_bit64(between), b);
		}
	}
}

static void sign_extension_of_every_width(void **state)
{
	uint64_t seed = 1442695040888963407u;

	(void)state;
	for (unsigned bits = 1; bits <= 64; bits++) {
		uint64_t low = FIELD64(bits - 1, 0);

		for (unsigned i = 0; i < 64; i++) {
			uint64_t word = next_random(&seed);
			uint64_t expected = word & low;

			if (word & BIT64(bits - 1))
				expected |= ~low;
			assert_true(sign_extend64(word, bits) == expected);
		}
	}
	assert_true(sign_extend64(0x80, 8) == UINT64_C(0xffffffffffffff80));
	assert_true(sign_extend64(0x7f, 8) == 0x7f);
}

static void alignment_by_every_power_of_two(void **state)
{
	uint64_t seed = 2862933555777941757u;

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t unit = BIT64(bit);
		uint64_t word = next_random(&seed);

		assert_true(align_down(word, unit) == word - word % unit);
		assert_true(is_aligned(align_down(word, unit), unit));
		assert_true(is_aligned(word, unit) == (word % unit == 0));
		assert_true(is_aligned(unit, unit));
		assert_true(is_aligned(0, unit));
	}
	assert_false(is_aligned(4095, PAGE_SIZE_4K));
	assert_true(PAGE_SIZE_4K == BIT64(PAGE_SHIFT_4K));
}

static void only_single_bits_are_powers_of_two(void **state)
{
	(void)state;
	assert_false(is_power_of_two(0));
	for (unsigned a = 0; a < 64; a++) {
		assert_true(is_power_of_two(BIT64(a)));
		for (unsigned b = 0; b < a; b++)
			assert_false(is_power_of_two(BIT64(a) | BIT64(b)));
	}
}

/*
 * Ranges: the eight lowest and the eight highest addresses stand for all. A
 * range is the set of its bytes, one bit each; bytes past the end would wrap.
 */
#define EDGE 8u

static uint64_t edge_address(unsigned i)
{
	return i < EDGE ? i : UINT64_MAX - (2 * EDGE - 1 - i);
}

static bool slow_valid(unsigned start, uint64_t size)
{
	uint64_t above = UINT64_MAX - edge_address(start);

	return size != 0 && size - 1 <= above;
}

static bool slow_holds(uint64_t start, uint64_t size, uint64_t addr)
{
	return addr >= start && addr - start < size;
}

static void range_is_valid_up_to_the_last_byte(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * EDGE; i++) {
		uint64_t start = edge_address(i);

		assert_false(range_valid(start, 0));
		for (uint64_t size = 1; size <= EDGE; size++)
			assert_true(range_valid(start, size) ==
				    slow_valid(i, size));
	}
	assert_true(range_valid(0, UINT64_MAX));
	assert_true(range_valid(1, UINT64_MAX));
	assert_false(range_valid(2, UINT64_MAX));
	assert_true(range_valid(UINT64_MAX, 1));
	assert_false(range_valid(UINT64_MAX, 2));
}

static bool slow_contains(uint64_t start, uint64_t size, uint64_t addr,
			  uint64_t len)
{
	for (uint64_t k = 0; k < len; k++) {
		if (addr + k < addr || !slow_holds(start, size, addr + k))
			return false;
	}
	return slow_holds(start, size, addr);
}

static void range_contains_equals_containing_every_byte(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * EDGE; i++) {
		for (unsigned k = 0; k < 2 * EDGE; k++) {
			for (unsigned n = 0; n < EDGE * EDGE; n++) {
				uint64_t size = n / EDGE + 1;
				uint64_t len = n % EDGE + 1;
				uint64_t a = edge_address(i);
				uint64_t b = edge_address(k);

				if (!slow_valid(i, size))
					continue;
				assert_true(range_contains(a, size, b, len) ==
					    slow_contains(a, size, b, len));
			}
		}
	}
	assert_false(range_contains(0x1000, 0x1000, 0x1fff, UINT64_MAX));
	assert_true(range_contains(0, UINT64_MAX, 5, UINT64_MAX - 5));
}

static bool slow_overlaps(uint64_t a, uint64_t a_size, uint64_t b,
			  uint64_t b_size)
{
	for (uint64_t k = 0; k < a_size; k++) {
		if (slow_holds(b, b_size, a + k))
			return true;
	}
	return false;
}

static void ranges_overlap_when_they_share_a_byte(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * EDGE; i++) {
		for (unsigned k = 0; k < 2 * EDGE; k++) {
			for (unsigned n = 0; n < EDGE * EDGE; n++) {
				uint64_t a_size = n / EDGE + 1;
				uint64_t b_size = n % EDGE + 1;
				uint64_t a = edge_address(i);
				uint64_t b = edge_address(k);

				if (!slow_valid(i, a_size) ||
				    !slow_valid(k, b_size))
					continue;
				assert_true(
					range_overlaps(a, a_size, b, b_size) ==
					slow_overlaps(a, a_size, b, b_size));
			}
		}
	}
}

struct outer {
	char before[3];
	uint64_t inner;
};

static void container_of_a_member_is_its_struct(void **state)
{
	struct outer outer = {.inner = 1};
	struct outer list[7];

	(void)state;
	assert_ptr_equal(CONTAINER_OF(&outer.inner, struct outer, inner),
			 &outer);
	assert_int_equal(ARRAY_SIZE(list), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_mask_has_exactly_its_bits),
		cmocka_unit_test(every_field_reads_back_what_was_put),
		cmocka_unit_test(field_macros_work_on_32_bit_masks),
		cmocka_unit_test(lowest_and_highest_bit_of_every_pair_of_bits),
		cmocka_unit_test(sign_extension_of_every_width),
		cmocka_unit_test(alignment_by_every_power_of_two),
		cmocka_unit_test(only_single_bits_are_powers_of_two),
		cmocka_unit_test(range_is_valid_up_to_the_last_byte),
		cmocka_unit_test(range_contains_equals_containing_every_byte),
		cmocka_unit_test(ranges_overlap_when_they_share_a_byte),
		cmocka_unit_test(container_of_a_member_is_its_struct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
