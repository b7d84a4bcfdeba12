/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * VMSAv8-64 stage-2 descriptors written out bit by bit from the Arm ARM,
 * "Translation table descriptor formats", and VTCR_EL2, VTTBR_EL2.
 */
#include "stage2_support.h"

static struct axvm_s2_format make(unsigned ipa_bits, unsigned pa_bits)
{
	struct axvm_s2_format format;

	assert_int_equal(axvmi_arm_s2_format(ipa_bits, pa_bits, &format), 0);
	return format;
}

static void ram_page_is_inner_shareable_write_back(void **state)
{
	struct axvm_s2_format f = make(40, 40);

	(void)state;
	/* 0b11, MemAttr 0xf << 2, S2AP 3 << 6, SH 3 << 8, AF 1 << 10. */
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80001000, AXVM_RWX,
					      AXVM_MEM_NORMAL, 0),
			 0x800017ff);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80001000,
					      AXVM_READ | AXVM_EXEC,
					      AXVM_MEM_NORMAL, 0),
			 0x8000177f);
}

static void execute_never_is_bit_54(void **state)
{
	struct axvm_s2_format f = make(40, 40);

	(void)state;
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80001000, AXVM_RW,
					      AXVM_MEM_NORMAL, 0),
			 0x400000800017ff);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80001000, AXVM_READ,
					      AXVM_MEM_NORMAL, 0),
			 0x4000008000177f);
}

static void block_is_0b01_and_page_0b11(void **state)
{
	struct axvm_s2_format f = make(40, 40);

	(void)state;
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80200000, AXVM_RWX,
					      AXVM_MEM_NORMAL, 1),
			 0x802007fd);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80000000, AXVM_RWX,
					      AXVM_MEM_NORMAL, 2),
			 0x800007fd);
}

static void device_page_is_ngnre_and_never_executed(void **state)
{
	struct axvm_s2_format f = make(40, 40);

	(void)state;
	/* 0b11, MemAttr 1 << 2, S2AP 3 << 6, AF, XN. */
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x09000000, AXVM_RW,
					      AXVM_MEM_DEVICE, 0),
			 0x400000090004c7);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x09000000, AXVM_RWX,
					      AXVM_MEM_DEVICE, 0),
			 0);
}

static void nothing_without_read_is_mapped(void **state)
{
	struct axvm_s2_format f = make(40, 40);

	(void)state;
	for (uint32_t access = 0; access < 8; access += 2) {
		assert_int_equal(
			axvmi_s2_encode_leaf(&f, 0, access, AXVM_MEM_NORMAL, 0),
			0);
		assert_int_equal(
			axvmi_s2_encode_leaf(&f, 0, access, AXVM_MEM_DEVICE, 0),
			0);
	}
}

static void table_descriptor_is_0b11(void **state)
{
	struct axvm_s2_format f = make(48, 48);

	(void)state;
	/* Bits 11:2 of a table descriptor are ignored; bit 10 is our mark. */
	assert_int_equal(axvmi_s2_encode_table(&f, 0x12345000), 0x12345403);
}

static void start_level_and_concatenation_follow_the_ipa_size(void **state)
{
	static const struct {
		unsigned ipa, levels;
		size_t root;
	} rows[] = {
		{32, 3, 4096}, {36, 3, 4096},  {38, 3, 4096},  {39, 3, 4096},
		{40, 3, 8192}, {41, 3, 16384}, {42, 3, 32768}, {43, 3, 65536},
		{44, 4, 4096}, {45, 4, 4096},  {48, 4, 4096},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct axvm_s2_format f = make(rows[i].ipa, 48);

		assert_int_equal(f.levels, rows[i].levels);
		assert_int_equal(f.gpa_bits, rows[i].ipa);
		assert_int_equal(axvmi_s2_root_size(&f), rows[i].root);
	}
}

static void every_ipa_size_fills_its_root_exactly(void **state)
{
	(void)state;
	for (unsigned ipa = 32; ipa <= 48; ipa++) {
		struct axvm_s2_format f = make(ipa, 48);

		assert_int_equal(f.root_bits + 9 * (f.levels - 1) + 12, ipa);
		assert_true(f.root_bits <= 13);
	}
}

static void vtcr_matches_the_format(void **state)
{
	struct axvm_s2_format f40 = make(40, 40);
	struct axvm_s2_format f44 = make(44, 48);
	struct axvm_s2_format f32 = make(32, 36);

	(void)state;
	/* RES1 bit 31, PS 2 << 16, SH0 3 << 12, ORGN0, IRGN0 1, SL0 1,
	 * T0SZ 24. */
	assert_int_equal(axvmi_arm_vtcr(&f40, false), 0x80023558);
	/* VS bit 19, PS 5, SL0 2, T0SZ 20. */
	assert_int_equal(axvmi_arm_vtcr(&f44, true), 0x800d3594);
	assert_int_equal(axvmi_arm_vtcr(&f32, false), 0x80013560);
}

static void vttbr_has_the_vmid_on_top(void **state)
{
	(void)state;
	assert_int_equal(axvmi_arm_vttbr(0x40010000, 0xbeef),
			 UINT64_C(0xbeef000040010000));
}

static void address_sizes_beyond_the_cpu_are_refused(void **state)
{
	struct axvm_s2_format f;

	(void)state;
	assert_int_equal(axvmi_arm_s2_format(31, 40, &f), AXVM_ERANGE);
	assert_int_equal(axvmi_arm_s2_format(49, 52, &f), AXVM_ERANGE);
	assert_int_equal(axvmi_arm_s2_format(40, 41, &f), AXVM_ERANGE);
	assert_int_equal(axvmi_arm_s2_format(44, 40, &f), AXVM_ENOTSUP);
	assert_int_equal(axvmi_arm_s2_format(48, 52, &f), 0);
	assert_int_equal(f.hpa_bits, 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_page_is_inner_shareable_write_back),
		cmocka_unit_test(execute_never_is_bit_54),
		cmocka_unit_test(block_is_0b01_and_page_0b11),
		cmocka_unit_test(device_page_is_ngnre_and_never_executed),
		cmocka_unit_test(nothing_without_read_is_mapped),
		cmocka_unit_test(table_descriptor_is_0b11),
		cmocka_unit_test(
			start_level_and_concatenation_follow_the_ipa_size),
		cmocka_unit_test(every_ipa_size_fills_its_root_exactly),
		cmocka_unit_test(vtcr_matches_the_format),
		cmocka_unit_test(vttbr_has_the_vmid_on_top),
		cmocka_unit_test(address_sizes_beyond_the_cpu_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
