/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Numbers, strings and characters of TOML: read, skipped, refused where. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "toml_test.h"

static void integers_are_read_in_every_base(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} cases[] = {
		{"0", 0},
		{"+0", 0},
		{"-0", 0},
		{"+17", 17},
		{"1_000", 1000},
		{"0x_", 0},
		{"0xdead_BEEF", 0xdeadbeef},
		{"0x00ff", 255},
		{"0o755", 493},
		{"0b1101", 13},
		{"18446744073709551615", UINT64_MAX},
		{"0xffff_ffff_ffff_ffff", UINT64_MAX},
		{"0o1777777777777777777777", UINT64_MAX},
	};
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "base.id = %s", cases[i].text);
		if (strcmp(cases[i].text, "0x_") == 0) {
			refuses(text, AXVM_ESYNTAX, 1, 11);
			continue;
		}
		accepts(text);
		assert_int_equal(config->id, cases[i].value);
	}
}

static void integers_beyond_64_bits_are_refused(void **state)
{
	(void)state;
	refuses("base.id = 18446744073709551616", AXVM_ERANGE, 1, 11);
	refuses("base.id = 0x1_0000_0000_0000_0000", AXVM_ERANGE, 1, 11);
	refuses("base.id = 99999999999999999999999999999", AXVM_ERANGE, 1, 11);
	refuses("base.id = 0o2000000000000000000000", AXVM_ERANGE, 1, 11);
	refuses("base.id = -1", AXVM_ERANGE, 1, 11);
}

static void malformed_numbers_are_refused(void **state)
{
	static const char *const numbers[] = {
		"01",
		"1_",
		"_1",
		"1__0",
		"0x",
		"0x_1",
		"0xg",
		"0b2",
		"0o8",
		"0X1",
		"+0x1",
		"+",
		"-",
		"1.",
		".5",
		"1.e5",
		"1e",
		"1e+",
		"1.5.2",
		"1._5",
		"1.5_",
		"00.5",
		"infinity",
		"+nano",
		"True",
		"truefoo",
		"1979-5-27",
		"12:30",
		"1979-05-27T",
		"1979-05-27X07:32:00",
		"07:32:00Z",
		"07:32:00.",
		"1979-05-27T07:32:00+1",
		"1979-05-27T07:32:00z0",
		"1979-05-27T7",
		"nil",
		"1 2",
		"@",
	};
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint32_t column = strcmp(numbers[i], "1 2") == 0 ? 7 : 5;

		snprintf(text, sizeof(text), "x = %s", numbers[i]);
		refuses(text, AXVM_ESYNTAX, 1, column);
		assert_string_equal(error.field, "");
	}
}

static void unknown_scalars_are_skipped(void **state)
{
	static const char *const values[] = {
		"0",
		"-5",
		"true",
		"false",
		"1.5",
		"-0.0",
		"1e10",
		"1E-5",
		"6.0_2e+2_3",
		"inf",
		"+inf",
		"-nan",
		"'x'",
		"\"y\"",
		"''",
		"'''a'b'''",
		"\"\"\"\n\"\"\"",
		"1979-05-27",
		"1979-05-27T07:32:00Z",
		"1979-05-27t07:32:00z",
		"1979-05-27 07:32:00.123-07:00",
		"07:32:00",
		"07:32:00.5",
		"99999999999999999999999999999999",
	};
	char text[120];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(text, sizeof(text), "x = %s # c\nbase.id = 9\n",
			 values[i]);
		accepts(text);
		assert_int_equal(config->id, 9);
	}
}

static void escapes_are_decoded(void **state)
{
	(void)state;
	accepts("base.name = \"\\b\\t\\n\\f\\r\\\"\\\\\\u00E9\\u20aC"
		"\\U0001F600\\u007f\"");
	assert_string_equal(config->name, "\b\t\n\f\r\"\\\xc3\xa9\xe2\x82\xac"
					  "\xf0\x9f\x98\x80\x7f");
	accepts("base.name = 'no \\escape \"here\"'");
	assert_string_equal(config->name, "no \\escape \"here\"");
}

static void multi_line_strings_follow_the_rules(void **state)
{
	(void)state;
	accepts("base.name = \"\"\"\r\na\r\n b \\  \r\n \t\n  c\\td\"\"\"");
	assert_string_equal(config->name, "a\n b c\td");
	accepts("base.name = \"\"\"a\\\t \n\tb\tc\"\"\"");
	assert_string_equal(config->name, "ab\tc");
	accepts("base.name = '''\n\na\\'''''");
	assert_string_equal(config->name, "\na\\''");
	accepts("base.name = \"\"\"\"\"\"");
	assert_string_equal(config->name, "");
	accepts("base.name = \"\"\"\"x\"\" y\"\"\"\"\"");
	assert_string_equal(config->name, "\"x\"\" y\"\"");
	refuses("base.name = '''a''''''", AXVM_ESYNTAX, 1, 22);
}

static void malformed_strings_are_refused(void **state)
{
	(void)state;
	refuses("x = \"abc", AXVM_ESYNTAX, 1, 9);
	refuses("x = 'abc\ny", AXVM_ESYNTAX, 1, 9);
	refuses("x = 'abc\r\ny", AXVM_ESYNTAX, 1, 9);
	refuses("x = '''abc\n''", AXVM_ESYNTAX, 2, 3);
	refuses("x = \"\\x41\"", AXVM_ESYNTAX, 1, 6);
	refuses("x = \"\\", AXVM_ESYNTAX, 1, 6);
	refuses("x = \"\\u12\"", AXVM_ESYNTAX, 1, 8);
	refuses("x = \"\\ud800\"", AXVM_ESYNTAX, 1, 8);
	refuses("x = \"\\U00110000\"", AXVM_ESYNTAX, 1, 8);
	refuses("x = 'a\001'", AXVM_ESYNTAX, 1, 7);
	refuses("x = 'a\177'", AXVM_ESYNTAX, 1, 7);
	refuses("x = '''a\rb'''", AXVM_ESYNTAX, 1, 9);
	refuses("x = \"\"\"a \\ b\"\"\"", AXVM_ESYNTAX, 1, 10);
	refuses("x = \"\"\"a \\ \rb\"\"\"", AXVM_ESYNTAX, 1, 10);
}

static void only_well_formed_utf8_is_accepted(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"\xc1\xbf",
		"\xc3",
		"\xc3(",
		"\xe0\x9f\x80",
		"\xed\xa0\x80",
		"\xe2\x82",
		"\xe2\x82(",
		"\xf0\x8f\x80\x80",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xf0\x9f\x98",
		"\xff",
		"\xe2\xc3\x80",
		"\xe2\x82\xc0",
	};
	char text[40];

	(void)state;
	accepts("# \xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 "
		"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "x = '%s'", bad[i]);
		refuses(text, AXVM_ESYNTAX, 1, 6);
		snprintf(text, sizeof(text), "# %s", bad[i]);
		refuses(text, AXVM_ESYNTAX, 1, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_read_in_every_base),
		cmocka_unit_test(integers_beyond_64_bits_are_refused),
		cmocka_unit_test(malformed_numbers_are_refused),
		cmocka_unit_test(unknown_scalars_are_skipped),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(multi_line_strings_follow_the_rules),
		cmocka_unit_test(malformed_strings_are_refused),
		cmocka_unit_test(only_well_formed_utf8_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
