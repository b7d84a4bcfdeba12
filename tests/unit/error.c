/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Error codes and their names: src/error.c against include/axvm/error.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "axvm/error.h"
#include "bits.h"

#define NAMED(code)         \
	{                   \
		code, #code \
	}

static const struct {
	int code;
	const char *name;
} named[] = {
	NAMED(AXVM_OK),	     NAMED(AXVM_EINVAL), NAMED(AXVM_ENOMEM),
	NAMED(AXVM_ESTATE),  NAMED(AXVM_EBUSY),	 NAMED(AXVM_ENOTSUP),
	NAMED(AXVM_EEXIST),  NAMED(AXVM_ENOENT), NAMED(AXVM_ERANGE),
	NAMED(AXVM_EAGAIN),  NAMED(AXVM_EFAULT), NAMED(AXVM_ENOSPC),
	NAMED(AXVM_ESYNTAX), NAMED(AXVM_EPERM),	 NAMED(AXVM_EFORMAT),
	NAMED(AXVM_EHAL),
};

static void every_code_has_the_name_of_its_macro(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		assert_string_equal(axvm_error_name(named[i].code),
				    named[i].name);
}

static void codes_are_distinct_and_negative(void **state)
{
	(void)state;
	for (size_t i = 1; i < ARRAY_SIZE(named); i++) {
		assert_true(named[i].code < 0);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(named[i].code, named[k].code);
	}
}

static void anything_else_is_unknown(void **state)
{
	static const int others[] = {1,	      2,	   INT_MAX,
				     INT_MIN, INT_MIN + 1, AXVM_EHAL - 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_string_equal(axvm_error_name(others[i]), "unknown");
}

/* A code added to the header without a name here and there would show. */
static void no_code_between_the_first_and_the_last_lacks_a_name(void **state)
{
	(void)state;
	for (int code = 0; code > -(int)ARRAY_SIZE(named); code--)
		assert_non_null(axvm_error_name(code));
	assert_string_equal(axvm_error_name(-(int)ARRAY_SIZE(named)),
			    "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_the_name_of_its_macro),
		cmocka_unit_test(codes_are_distinct_and_negative),
		cmocka_unit_test(anything_else_is_unknown),
		cmocka_unit_test(
			no_code_between_the_first_and_the_last_lacks_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
