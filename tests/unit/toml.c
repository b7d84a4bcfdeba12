/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The structure of a TOML document: statements, arrays, tables, nesting. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "toml_test.h"

static void unknown_structures_are_skipped(void **state)
{
	(void)state;
	accepts("x = [\n# c\n1, [ 'a', ], {}, { b = 1, c.'d' = [2,\n3] } ,\n]\n"
		"y = {}\n[t]\nid = 5\n[[u]]\nid = 6\n[[u]]\n[u.v.'w']\nid = 7\n"
		"[base]\nid = 8\nz.id = 1\n[base.sub]\nid = 9\n");
	assert_int_equal(config->id, 8);
}

static void key_longer_than_any_of_ours_is_skipped(void **state)
{
	(void)state;
	accepts("kernel.uefi_firmware_path_with_a_very_long_tail = 1\n"
		"[base]\nidx = 4\ni = 3\n'' = 1\nid = 2");
	assert_int_equal(config->id, 2);
}

static void quoted_and_dotted_keys_name_the_same_key(void **state)
{
	(void)state;
	accepts("base . \"id\" = "
		"3\nbase.'cpu_num'=1\n\"b\\u0061se\".vm_type=2");
	assert_int_equal(config->id, 3);
	assert_int_equal(config->cpu_num, 1);
	assert_int_equal(config->type, 2);
}

static void control_characters_in_comments_are_refused(void **state)
{
	(void)state;
	refuses("# a\001", AXVM_ESYNTAX, 1, 4);
	refuses("# a\rb", AXVM_ESYNTAX, 1, 4);
	refuses("x = 1 # a\002", AXVM_ESYNTAX, 1, 10);
	refuses("x = [ # a\002\n1]", AXVM_ESYNTAX, 1, 10);
	refuses("x = [1, # a\002\n]", AXVM_ESYNTAX, 1, 12);
	refuses("[a] # \003", AXVM_ESYNTAX, 1, 7);
}

static void malformed_statements_are_refused(void **state)
{
	(void)state;
	refuses("x", AXVM_ESYNTAX, 1, 2);
	refuses("x 1", AXVM_ESYNTAX, 1, 3);
	refuses("x =", AXVM_ESYNTAX, 1, 4);
	refuses("x = \n1", AXVM_ESYNTAX, 1, 5);
	refuses("= 1", AXVM_ESYNTAX, 1, 1);
	refuses("{x = 1", AXVM_ESYNTAX, 1, 1);
	refuses("x{ = 1", AXVM_ESYNTAX, 1, 2);
	refuses("^x = 1", AXVM_ESYNTAX, 1, 1);
	refuses("x. = 1", AXVM_ESYNTAX, 1, 4);
	refuses(".x = 1", AXVM_ESYNTAX, 1, 1);
	refuses("x = 1 y = 2", AXVM_ESYNTAX, 1, 7);
	refuses("x = 1\ry", AXVM_ESYNTAX, 1, 6);
	refuses("'''x''' = 1", AXVM_ESYNTAX, 1, 1);
	refuses("\"x = 1", AXVM_ESYNTAX, 1, 7);
	refuses("\xc3\xa9 = 1", AXVM_ESYNTAX, 1, 1);
	refuses("base.id", AXVM_ESYNTAX, 1, 8);
	refuses("base.id = ", AXVM_ESYNTAX, 1, 11);
}

static void malformed_headers_are_refused(void **state)
{
	(void)state;
	refuses("[a", AXVM_ESYNTAX, 1, 3);
	refuses("[]", AXVM_ESYNTAX, 1, 2);
	refuses("[a.]", AXVM_ESYNTAX, 1, 4);
	refuses("[[a]", AXVM_ESYNTAX, 1, 5);
	refuses("[[a] ]", AXVM_ESYNTAX, 1, 5);
	refuses("[ [a]]", AXVM_ESYNTAX, 1, 3);
	refuses("[a] x = 1", AXVM_ESYNTAX, 1, 5);
	refuses("[a]]", AXVM_ESYNTAX, 1, 4);
	accepts("[ a . 'b' ] # c");
}

static void malformed_arrays_are_refused(void **state)
{
	(void)state;
	refuses("x = [1", AXVM_ESYNTAX, 1, 7);
	refuses("x = [1 2]", AXVM_ESYNTAX, 1, 8);
	refuses("x = [,]", AXVM_ESYNTAX, 1, 6);
	refuses("x = [1,,2]", AXVM_ESYNTAX, 1, 8);
	refuses("x = [1,\n", AXVM_ESYNTAX, 2, 1);
	refuses("x = [[1}]", AXVM_ESYNTAX, 1, 8);
	refuses("base.phys_cpu_ids = [1, 2", AXVM_ESYNTAX, 1, 26);
	assert_string_equal(error.field, "base.phys_cpu_ids");
	assert_int_equal(error.index, 1);
	refuses("devices.excluded_devices = [['a' 'b']]", AXVM_ESYNTAX, 1, 34);
	refuses("devices.excluded_devices = [['a'] ['b']]", AXVM_ESYNTAX, 1,
		35);
	refuses("kernel.memory_regions = [[1, 2", AXVM_ESYNTAX, 1, 31);
	refuses("kernel.memory_regions = [", AXVM_ESYNTAX, 1, 26);
}

static void malformed_inline_tables_are_refused(void **state)
{
	(void)state;
	refuses("x = {a = 1", AXVM_ESYNTAX, 1, 11);
	refuses("x = {a = 1,}", AXVM_ESYNTAX, 1, 12);
	refuses("x = {\na = 1}", AXVM_ESYNTAX, 1, 6);
	refuses("x = {a}", AXVM_ESYNTAX, 1, 7);
	refuses("x = {a = }", AXVM_ESYNTAX, 1, 10);
	refuses("x = {a = 1 b = 2}", AXVM_ESYNTAX, 1, 12);
	refuses("base = {id = 1, ", AXVM_ESYNTAX, 1, 17);
	refuses("base = {id = 1", AXVM_ESYNTAX, 1, 15);
	refuses("base = {id = x}", AXVM_ESYNTAX, 1, 14);
}

static void nesting_of_eight_is_read_and_of_nine_refused(void **state)
{
	(void)state;
	accepts("x = [[[[[[[[1]]]]]]]]");
	refuses("x = [[[[[[[[[1]]]]]]]]]", AXVM_ESYNTAX, 1, 13);
	accepts("x = {a={a={a={a={a={a={a={a=1}}}}}}}}");
	refuses("x = {a={a={a={a={a={a={a={a={}}}}}}}}}", AXVM_ESYNTAX, 1, 29);
	refuses("base.x = [[[[{a=[[[[1]]]]}]]]]", AXVM_ESYNTAX, 1, 20);
	/* Depth goes down again. */
	accepts("x = [[[[[[[[]]]]]]], [[[[[[[]]]]]]]]\n"
		"y = [[[[[[[[]]]]]]]]\nkernel.memory_regions = [[1,1,1,1]]");
}

static void ten_thousand_brackets_end_quickly(void **state)
{
	static char text[40000];

	(void)state;
	memset(text, '[', sizeof(text));
	memcpy(text, "x = ", 4);
	assert_int_equal(parse_bytes(text, sizeof(text)), AXVM_ESYNTAX);
	memcpy(text, "[x][", 4);
	assert_int_equal(parse_bytes(text, sizeof(text)), AXVM_ESYNTAX);
}

static void columns_count_from_the_byte_order_mark_and_in_bytes(void **state)
{
	(void)state;
	refuses("\xef\xbb\xbfx", AXVM_ESYNTAX, 1, 2);
	refuses("'\xc3\xa9' 1", AXVM_ESYNTAX, 1, 6);
	refuses("\r\n\r\n  x", AXVM_ESYNTAX, 3, 4);
	refuses("x = '''\r\n\n'''\n!", AXVM_ESYNTAX, 4, 1);
	refuses("x = 1\n\xef\xbb\xbf", AXVM_ESYNTAX, 2, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_structures_are_skipped),
		cmocka_unit_test(key_longer_than_any_of_ours_is_skipped),
		cmocka_unit_test(quoted_and_dotted_keys_name_the_same_key),
		cmocka_unit_test(control_characters_in_comments_are_refused),
		cmocka_unit_test(malformed_statements_are_refused),
		cmocka_unit_test(malformed_headers_are_refused),
		cmocka_unit_test(malformed_arrays_are_refused),
		cmocka_unit_test(malformed_inline_tables_are_refused),
		cmocka_unit_test(nesting_of_eight_is_read_and_of_nine_refused),
		cmocka_unit_test(ten_thousand_brackets_end_quickly),
		cmocka_unit_test(
			columns_count_from_the_byte_order_mark_and_in_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
