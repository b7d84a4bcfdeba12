/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The structure of a TOML document: statements, keys, arrays, inline tables.
 * Follows "TOML v1.0.0" (toml.io), sections named below. State lives in the
 * caller's struct axvmi_toml; called by toml_vm.c alone.
 */
#include "axvm/error.h"
#include "toml.h"

void axvmi_toml_open(struct axvmi_toml *t, const char *text, size_t length)
{
	*t = (struct axvmi_toml){.text = text, .length = length, .line = 1};
	/* A byte order mark is not part of the text, nor of column 1. */
	if (toml_look(t, 0) == 0xef && toml_look(t, 1) == 0xbb &&
	    toml_look(t, 2) == 0xbf) {
		t->at = 3;
		t->line_start = 3;
	}
}

/* The first failure ends the reading, so there is never a second one. */
int axvmi_toml_fail(struct axvmi_toml *t, struct axvmi_toml_pos pos, int error,
		    const char *reason)
{
	t->error_at = pos;
	t->reason = reason;
	return error;
}

struct axvmi_toml_pos axvmi_toml_pos(const struct axvmi_toml *t)
{
	return (struct axvmi_toml_pos){
		.line = t->line,
		.column = (uint32_t)(t->at - t->line_start) + 1,
	};
}

int axvmi_toml_unexpected(struct axvmi_toml *t, const char *reason)
{
	return axvmi_toml_fail(t, axvmi_toml_pos(t), AXVM_ESYNTAX, reason);
}

/*
 * "Spec": newline is LF or CRLF. The only place that counts lines; a CR alone
 * is a control character, which the callers then refuse.
 */
bool axvmi_toml_newline(struct axvmi_toml *t)
{
	if (toml_look(t, 0) == '\n')
		t->at += 1;
	else if (toml_look(t, 0) == '\r' && toml_look(t, 1) == '\n')
		t->at += 2;
	else
		return false;
	t->line++;
	t->line_start = t->at;
	return true;
}

/* "Spec": white space is tab or space, nothing else. */
static void skip_blanks(struct axvmi_toml *t)
{
	while (toml_look(t, 0) == ' ' || toml_look(t, 0) == '\t')
		toml_advance(t, 1);
}

/* The end of the text ends its last line. */
static bool at_line_end(const struct axvmi_toml *t)
{
	int c = toml_look(t, 0);

	return c < 0 || c == '\n' || (c == '\r' && toml_look(t, 1) == '\n');
}

/* "Comment": control characters other than tab are not permitted. */
static int skip_comment(struct axvmi_toml *t)
{
	if (toml_look(t, 0) != '#')
		return 0;
	while (!at_line_end(t)) {
		int ret = axvmi_toml_character(t, NULL);

		if (ret != 0)
			return ret;
	}
	return 0;
}

/* Blanks, comments and newlines: between statements and inside arrays. */
static int skip_lines(struct axvmi_toml *t)
{
	do {
		int ret;

		skip_blanks(t);
		ret = skip_comment(t);
		if (ret != 0)
			return ret;
	} while (axvmi_toml_newline(t));
	return 0;
}

/*
 * "Key/Value Pair": there must be a newline (or the end) after a pair. A comma
 * or a second pair on the line is an error, not something to go on from.
 */
int axvmi_toml_line_end(struct axvmi_toml *t)
{
	int ret;

	skip_blanks(t);
	ret = skip_comment(t);
	if (ret != 0)
		return ret;
	if (!at_line_end(t))
		return axvmi_toml_unexpected(t, "expected the end of the line");
	axvmi_toml_newline(t);
	return 0;
}

/*
 * "Array of Tables": the double brackets are one token; "[ [" opens a table
 * whose key then fails.
 */
int axvmi_toml_next(struct axvmi_toml *t, enum axvmi_toml_item *item)
{
	int ret = skip_lines(t);

	if (ret != 0)
		return ret;
	if (toml_look(t, 0) < 0) {
		*item = AXVMI_TOML_END;
	} else if (toml_look(t, 0) != '[') {
		*item = AXVMI_TOML_PAIR;
	} else if (toml_look(t, 1) != '[') {
		*item = AXVMI_TOML_TABLE;
		toml_advance(t, 1);
	} else {
		*item = AXVMI_TOML_TABLE_ARRAY;
		toml_advance(t, 2);
	}
	return 0;
}

int axvmi_toml_header_end(struct axvmi_toml *t, enum axvmi_toml_item item)
{
	size_t brackets = item == AXVMI_TOML_TABLE_ARRAY ? 2 : 1;

	for (size_t i = 0; i < brackets; i++) {
		if (toml_look(t, 0) != ']')
			return axvmi_toml_unexpected(t, "expected ']'");
		toml_advance(t, 1);
	}
	return axvmi_toml_line_end(t);
}

/* "Keys": ASCII letters, digits, underscores, dashes; also only digits. */
static bool is_bare(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

static int bare_key(struct axvmi_toml *t, struct axvmi_toml_text *text)
{
	if (!is_bare(toml_look(t, 0)))
		return axvmi_toml_unexpected(t, "expected a key");
	while (is_bare(toml_look(t, 0))) {
		/* Plain ASCII: this cannot fail. */
		(void)axvmi_toml_character(t, text);
	}
	return 0;
}

/* "Keys": quoted keys follow the rules of single-line strings. */
static int quoted_key(struct axvmi_toml *t, struct axvmi_toml_text *text)
{
	int quote = toml_look(t, 0);

	if (toml_look(t, 1) == quote && toml_look(t, 2) == quote)
		return axvmi_toml_unexpected(
			t, "a key cannot be a multi-line string");
	return axvmi_toml_string(t, text);
}

/*
 * "Keys": blanks around dots are ignored. A part that does not fit is read to
 * its end all the same; its length then equals no known key's.
 */
int axvmi_toml_key(struct axvmi_toml *t, struct axvmi_toml_key *key)
{
	int ret;

	key->text = (struct axvmi_toml_text){
		.bytes = key->bytes,
		.capacity = sizeof(key->bytes),
	};
	skip_blanks(t);
	key->pos = axvmi_toml_pos(t);
	if (toml_look(t, 0) == '"' || toml_look(t, 0) == '\'')
		ret = quoted_key(t, &key->text);
	else
		ret = bare_key(t, &key->text);
	if (ret != 0)
		return ret;
	skip_blanks(t);
	key->more = toml_look(t, 0) == '.';
	if (key->more)
		toml_advance(t, 1);
	return 0;
}

int axvmi_toml_equals(struct axvmi_toml *t)
{
	if (toml_look(t, 0) != '=')
		return axvmi_toml_unexpected(t, "expected '='");
	toml_advance(t, 1);
	skip_blanks(t);
	return 0;
}

/*
 * Bounds the recursion of axvmi_toml_skip() and with it the stack: a text of
 * nothing but brackets is the host's input, maybe straight from a file.
 */
static int go_deeper(struct axvmi_toml *t)
{
	if (t->depth == AXVMI_TOML_MAX_DEPTH)
		return axvmi_toml_unexpected(t, "nested too deeply");
	t->depth++;
	toml_advance(t, 1);
	return 0;
}

int axvmi_toml_open_array(struct axvmi_toml *t)
{
	return go_deeper(t);
}

int axvmi_toml_open_table(struct axvmi_toml *t)
{
	return go_deeper(t);
}

/* "Array": newlines and comments anywhere, a trailing comma is allowed. */
int axvmi_toml_next_element(struct axvmi_toml *t, uint32_t index)
{
	int ret = skip_lines(t);

	if (ret != 0)
		return ret;
	if (index != 0 && toml_look(t, 0) == ',') {
		toml_advance(t, 1);
		ret = skip_lines(t);
		if (ret != 0)
			return ret;
	} else if (index != 0 && toml_look(t, 0) != ']') {
		return axvmi_toml_unexpected(t, "expected ',' or ']'");
	}
	if (toml_look(t, 0) != ']')
		return 1;
	toml_advance(t, 1);
	t->depth--;
	return 0;
}

/* "Inline Table": one line, no trailing comma. */
int axvmi_toml_next_pair(struct axvmi_toml *t, uint32_t index)
{
	skip_blanks(t);
	if (toml_look(t, 0) == '}') {
		toml_advance(t, 1);
		t->depth--;
		return 0;
	}
	if (index == 0)
		return 1;
	if (toml_look(t, 0) != ',')
		return axvmi_toml_unexpected(t, "expected ',' or '}'");
	toml_advance(t, 1);
	return 1;
}

/* What is skipped is still read by the grammar: errors do not hide in it. */
static int skip_array(struct axvmi_toml *t)
{
	uint32_t index = 0;
	int ret = axvmi_toml_open_array(t);

	if (ret != 0)
		return ret;
	while ((ret = axvmi_toml_next_element(t, index)) > 0) {
		ret = axvmi_toml_skip(t);
		if (ret != 0)
			return ret;
		index = 1;
	}
	return ret;
}

/* Keys of unknown tables are not remembered, so not checked for doubles. */
static int skip_pair(struct axvmi_toml *t)
{
	struct axvmi_toml_key key;
	int ret;

	do {
		ret = axvmi_toml_key(t, &key);
		if (ret != 0)
			return ret;
	} while (key.more);
	ret = axvmi_toml_equals(t);
	if (ret != 0)
		return ret;
	return axvmi_toml_skip(t);
}

static int skip_table(struct axvmi_toml *t)
{
	uint32_t index = 0;
	int ret = axvmi_toml_open_table(t);

	if (ret != 0)
		return ret;
	while ((ret = axvmi_toml_next_pair(t, index)) > 0) {
		ret = skip_pair(t);
		if (ret != 0)
			return ret;
		index = 1;
	}
	return ret;
}

/* Recursion ends at AXVMI_TOML_MAX_DEPTH: each level opened something. */
int axvmi_toml_skip(struct axvmi_toml *t)
{
	struct axvmi_toml_text nowhere = {.capacity = 0};

	switch (axvmi_toml_peek(t)) {
	case AXVMI_TOML_STRING:
		return axvmi_toml_string(t, &nowhere);
	case AXVMI_TOML_ARRAY:
		return skip_array(t);
	case AXVMI_TOML_INLINE_TABLE:
		return skip_table(t);
	case AXVMI_TOML_INTEGER:
	case AXVMI_TOML_BOOLEAN:
	case AXVMI_TOML_FLOAT:
	case AXVMI_TOML_DATE:
		return axvmi_toml_skip_scalar(t);
	case AXVMI_TOML_INVALID:
		break;
	}
	return axvmi_toml_unexpected(t, "expected a value");
}
