/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * EPT entries written out bit by bit from the Intel SDM volume 3, chapter "VMX
 * Support for Address Translation". Bit 11 is ignored by the CPU and ours.
 */
#include "stage2_support.h"

static struct axvm_s2_format make(bool exec_only, unsigned levels)
{
	struct vmx_ept_features features = {exec_only, true, true, levels, 46};
	struct axvm_s2_format format;

	assert_int_equal(axvmi_vmx_s2_format(&features, &format), 0);
	return format;
}

static void ram_leaf_is_write_back_and_ignores_guest_pat(void **state)
{
	struct axvm_s2_format f = make(false, 4);

	(void)state;
	/* RWX 7, WB 6 << 3, IPAT 0x40, mark 0x800. */
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x123456000, AXVM_RWX,
					      AXVM_MEM_NORMAL, 0),
			 0x123456877);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x123456000, AXVM_READ,
					      AXVM_MEM_NORMAL, 0),
			 0x123456871);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x123456000, AXVM_RW,
					      AXVM_MEM_NORMAL, 0),
			 0x123456873);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x123456000,
					      AXVM_READ | AXVM_EXEC,
					      AXVM_MEM_NORMAL, 0),
			 0x123456875);
}

static void large_leaves_set_bit_7(void **state)
{
	struct axvm_s2_format f = make(false, 4);

	(void)state;
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x40200000, AXVM_RWX,
					      AXVM_MEM_NORMAL, 1),
			 0x402008f7);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0x80000000, AXVM_RWX,
					      AXVM_MEM_NORMAL, 2),
			 0x800008f7);
}

static void device_leaf_is_uncacheable_and_honours_guest_pat(void **state)
{
	struct axvm_s2_format f = make(false, 4);

	(void)state;
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0xfec00000, AXVM_RW,
					      AXVM_MEM_DEVICE, 0),
			 0xfec00803);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0xfec00000, AXVM_RWX,
					      AXVM_MEM_DEVICE, 0),
			 0);
}

static void write_without_read_is_refused(void **state)
{
	struct axvm_s2_format f = make(true, 4);

	(void)state;
	assert_int_equal(
		axvmi_s2_encode_leaf(&f, 0, AXVM_WRITE, AXVM_MEM_NORMAL, 0), 0);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0, AXVM_WRITE | AXVM_EXEC,
					      AXVM_MEM_NORMAL, 0),
			 0);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0, 0, AXVM_MEM_NORMAL, 0), 0);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0, 8, AXVM_MEM_NORMAL, 0), 0);
	assert_int_equal(axvmi_s2_encode_leaf(&f, 0, AXVM_READ,
					      (enum axvm_mem_type)2, 0),
			 0);
}

static void execute_only_needs_the_capability(void **state)
{
	struct axvm_s2_format without = make(false, 4);
	struct axvm_s2_format with = make(true, 4);

	(void)state;
	assert_int_equal(axvmi_s2_encode_leaf(&without, 0x1000, AXVM_EXEC,
					      AXVM_MEM_NORMAL, 0),
			 0);
	assert_int_equal(axvmi_s2_encode_leaf(&with, 0x1000, AXVM_EXEC,
					      AXVM_MEM_NORMAL, 0),
			 0x1874);
	assert_int_equal(axvmi_s2_decode_access(&with, 0x1874), AXVM_EXEC);
}

static void table_entry_grants_everything(void **state)
{
	struct axvm_s2_format f = make(false, 5);

	(void)state;
	assert_int_equal(axvmi_s2_encode_table(&f, 0xabcde000), 0xabcde007);
}

static void ept_pointer_tells_walk_length_and_write_back(void **state)
{
	struct axvm_s2_format four = make(false, 4);
	struct axvm_s2_format five = make(false, 5);

	(void)state;
	/* Bits 2:0 = 6, bits 5:3 = length - 1, bit 6 (A/D) clear. */
	assert_int_equal(axvmi_vmx_eptp(&four, 0x1234000), 0x123401e);
	assert_int_equal(axvmi_vmx_eptp(&five, 0x1234000), 0x1234026);
}

static void levels_decide_the_guest_address_width(void **state)
{
	(void)state;
	assert_int_equal(make(false, 4).gpa_bits, 48);
	assert_int_equal(make(false, 5).gpa_bits, 57);
	assert_int_equal(make(false, 4).levels, 4);
	assert_int_equal(make(false, 5).levels, 5);
}

static void missing_leaf_sizes_are_not_used(void **state)
{
	struct vmx_ept_features features = {false, true, false, 4, 39};
	struct axvm_s2_format f;

	(void)state;
	assert_int_equal(axvmi_vmx_s2_format(&features, &f), 0);
	assert_int_equal(f.leaf_levels, S2_LEAF_4K | S2_LEAF_2M);
	features.leaf_2m = false;
	assert_int_equal(axvmi_vmx_s2_format(&features, &f), 0);
	assert_int_equal(f.leaf_levels, S2_LEAF_4K);
}

static void impossible_features_are_refused(void **state)
{
	struct vmx_ept_features features = {false, true, true, 3, 39};
	struct axvm_s2_format f;

	(void)state;
	assert_int_equal(axvmi_vmx_s2_format(&features, &f), AXVM_ERANGE);
	features.levels = 6;
	assert_int_equal(axvmi_vmx_s2_format(&features, &f), AXVM_ERANGE);
	features.levels = 4;
	features.hpa_bits = 53;
	assert_int_equal(axvmi_vmx_s2_format(&features, &f), AXVM_ERANGE);
	features.hpa_bits = 31;
	assert_int_equal(axvmi_vmx_s2_format(&features, &f), AXVM_ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_leaf_is_write_back_and_ignores_guest_pat),
		cmocka_unit_test(large_leaves_set_bit_7),
		cmocka_unit_test(
			device_leaf_is_uncacheable_and_honours_guest_pat),
		cmocka_unit_test(write_without_read_is_refused),
		cmocka_unit_test(execute_only_needs_the_capability),
		cmocka_unit_test(table_entry_grants_everything),
		cmocka_unit_test(ept_pointer_tells_walk_length_and_write_back),
		cmocka_unit_test(levels_decide_the_guest_address_width),
		cmocka_unit_test(missing_leaf_sizes_are_not_used),
		cmocka_unit_test(impossible_features_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
