/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * For the tests of the TOML reader: parse a text, expect it to be accepted or
 * refused with a code at a line and column. Each program has its own storage.
 */
#ifndef AXVM_TOML_TEST_H
#define AXVM_TOML_TEST_H

#include "axvm/config.h"
#include "axvm/error.h"

static struct axvm_config_storage storage;
static struct axvm_config_error error;
static const struct axvm_vm_config *const config __attribute__((unused)) =
	&storage.config;

/* On the heap without NUL, so that ASan sees a read past the end. */
static inline int parse_bytes(const char *text, size_t length)
{
	char *copy = malloc(length ? length : 1);
	int ret;

	assert_non_null(copy);
	memcpy(copy, text, length);
	memset(&error, 0xa5, sizeof(error));
	ret = axvm_config_from_toml(copy, length, &storage, &error);
	free(copy);
	return ret;
}

static inline int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static inline void accepts(const char *text)
{
	int ret = parse(text);

	if (ret != 0)
		fail_msg("%s at %u:%u: %s\n%s", axvm_error_name(ret),
			 error.line, error.column, error.reason, text);
}

static inline void refuses(const char *text, int code, uint32_t line,
			   uint32_t column)
{
	int ret = parse(text);

	if (ret != code || error.line != line || error.column != column)
		fail_msg("%s at %u:%u (%s), not %s at %u:%u\n%s",
			 axvm_error_name(ret), error.line, error.column,
			 ret ? error.reason : "", axvm_error_name(code), line,
			 column, text);
	assert_non_null(error.reason);
	assert_non_null(error.field);
}

#endif
