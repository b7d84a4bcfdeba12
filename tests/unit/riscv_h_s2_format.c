/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * G-stage PTEs written out bit by bit from RISC-V Privileged, "Sv39" and
 * "Two-Stage Address Translation": V R W X U G A D are bits 0..7, RSW 9:8,
 * PPN from bit 10, PBMT 62:61.
 */
#include "stage2_support.h"

static struct axvm_s2_format make(unsigned mode, bool svpbmt)
{
	struct axvm_s2_format format;

	assert_int_equal(axvmi_riscv_s2_format(mode, svpbmt, &format), 0);
	return format;
}

static void leaf_has_user_accessed_and_dirty_set(void **state)
{
	struct axvm_s2_format f = make(8, false);

	(void)state;
	/* PPN 0x80200 << 10 = 0x20080000; V R W X U A D = 0xdf. */
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80200000, AXVM_RWX,
					      AXVM_MEM_NORMAL, 0),
			 0x200800df);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80200000, AXVM_READ,
					      AXVM_MEM_NORMAL, 0),
			 0x200800d3);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80200000, AXVM_RW,
					      AXVM_MEM_NORMAL, 0),
			 0x200800d7);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80200000,
					      AXVM_READ | AXVM_EXEC,
					      AXVM_MEM_NORMAL, 0),
			 0x200800db);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80200000, AXVM_EXEC,
					      AXVM_MEM_NORMAL, 0),
			 0x200800d9);
}

static void leaves_of_all_levels_look_the_same(void **state)
{
	struct axvm_s2_format f = make(9, false);

	(void)state;
	for (unsigned level = 0; level <= 2; level++)
		assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80000000, AXVM_RWX,
						      AXVM_MEM_NORMAL, level),
				 0x200000df);
}

static void next_page_is_one_addition_away(void **state)
{
	struct axvm_s2_format f = make(8, false);
	uint64_t here = axvmi_s2_encode_leaf(&f, 0x80200000, AXVM_RW,
					     AXVM_MEM_NORMAL, 0);
	uint64_t next = axvmi_s2_encode_leaf(&f, 0x80201000, AXVM_RW,
					     AXVM_MEM_NORMAL, 0);

	(void)state;
	assert_int_equal(next - here, 0x1000 >> f.addr_shift);
	assert_int_equal(next - here, 0x400);
}

static void write_without_read_is_refused(void **state)
{
	struct axvm_s2_format f = make(8, false);

	(void)state;
	assert_int_equal(
		axvmi_s2_encode_leaf(&f, 0, AXVM_WRITE, AXVM_MEM_NORMAL, 0), 0);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0, AXVM_WRITE | AXVM_EXEC,
					      AXVM_MEM_NORMAL, 0),
			 0);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0, 0, AXVM_MEM_NORMAL, 0), 0);
}

static void device_memory_uses_pbmt_io_only_with_svpbmt(void **state)
{
	struct axvm_s2_format without = make(8, false);
	struct axvm_s2_format with = make(8, true);
	uint64_t plain = axvmi_s2_encode_leaf(&without, 0x10000000, AXVM_RW,
					      AXVM_MEM_DEVICE, 0);
	uint64_t io = axvmi_s2_encode_leaf(&with, 0x10000000, AXVM_RW,
					   AXVM_MEM_DEVICE, 0);

	(void)state;
	/* PPN 0x10000 << 10; RSW[0] tells software; PBMT 2 << 61. */
	assert_int_equal(plain, 0x40001d7);
	assert_int_equal(io, UINT64_C(0x40000000040000d7));
	assert_int_equal(axvmi_s2_decode_type(&without, plain),
			 AXVM_MEM_DEVICE);
	assert_int_equal(axvmi_s2_decode_type(&with, io), AXVM_MEM_DEVICE);
	assert_int_equal(
		axvmi_s2_encode_leaf(&with, 0, AXVM_RWX, AXVM_MEM_DEVICE, 0),
		0);
}

static void table_pte_has_v_alone(void **state)
{
	struct axvm_s2_format f = make(10, true);

	(void)state;
	assert_int_equal(axvmi_s2_encode_table(&f, 0x80400000), 0x20100001);
}

static void roots_are_16_kib_and_addresses_two_bits_wider(void **state)
{
	static const unsigned bits[] = {41, 50, 59};

	(void)state;
	for (unsigned mode = 8; mode <= 10; mode++) {
		struct axvm_s2_format f = make(mode, false);

		assert_int_equal(axvmi_s2_root_size(&f), 16384);
		assert_int_equal(f.gpa_bits, bits[mode - 8]);
		assert_int_equal(f.levels, mode - 5);
	}
}

static void hgatp_has_mode_vmid_and_ppn(void **state)
{
	struct axvm_s2_format sv39 = make(8, false);
	struct axvm_s2_format sv57 = make(10, false);

	(void)state;
	assert_int_equal(axvmi_riscv_hgatp(&sv39, 0x80404000, 5),
			 UINT64_C(0x8000500000080404));
	assert_int_equal(axvmi_riscv_hgatp(&sv57, 0x80404000, 0x3fff),
			 UINT64_C(0xa3fff00000080404));
}

static void reserved_modes_are_refused(void **state)
{
	struct axvm_s2_format f;

	(void)state;
	assert_int_equal(axvmi_riscv_s2_format(0, false, &f), AXVM_ERANGE);
	assert_int_equal(axvmi_riscv_s2_format(7, false, &f), AXVM_ERANGE);
	assert_int_equal(axvmi_riscv_s2_format(11, false, &f), AXVM_ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_has_user_accessed_and_dirty_set),
		cmocka_unit_test(leaves_of_all_levels_look_the_same),
		cmocka_unit_test(next_page_is_one_addition_away),
		cmocka_unit_test(write_without_read_is_refused),
		cmocka_unit_test(device_memory_uses_pbmt_io_only_with_svpbmt),
		cmocka_unit_test(table_pte_has_v_alone),
		cmocka_unit_test(roots_are_16_kib_and_addresses_two_bits_wider),
		cmocka_unit_test(hgatp_has_mode_vmid_and_ppn),
		cmocka_unit_test(reserved_modes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
