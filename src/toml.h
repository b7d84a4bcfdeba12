/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A pull reader for TOML 1.0 (toml.io, "TOML v1.0.0"): the caller asks for the
 * next thing and says where its value goes. No allocation, one pass, nesting
 * bounded. It knows no keys; toml_vm.c does. Owned by one caller, no lock.
 */
#ifndef AXVMI_TOML_H
#define AXVMI_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deepest nesting of arrays and inline tables in one value. */
#define AXVMI_TOML_MAX_DEPTH 8u
/* Longest key part that is kept; a longer one is no key of ours. */
#define AXVMI_TOML_KEY_SIZE 32u

/* 1-based, column in bytes. */
struct axvmi_toml_pos {
	uint32_t line;
	uint32_t column;
};

struct axvmi_toml {
	const char *text;
	size_t length;
	size_t at;
	size_t line_start;
	uint32_t line;
	uint32_t depth;
	/* Of the first failure. */
	struct axvmi_toml_pos error_at;
	const char *reason;
};

/* Receives decoded bytes. `length` counts also those that did not fit. */
struct axvmi_toml_text {
	char *bytes;
	size_t capacity;
	size_t length;
};

/* One part of a dotted key. */
struct axvmi_toml_key {
	struct axvmi_toml_text text; /* into `bytes` */
	struct axvmi_toml_pos pos;
	bool more; /* a dot and another part follow */
	char bytes[AXVMI_TOML_KEY_SIZE];
};

enum axvmi_toml_item {
	AXVMI_TOML_END,
	AXVMI_TOML_TABLE, /* [name]; the bracket is consumed */
	AXVMI_TOML_TABLE_ARRAY, /* [[name]]; the brackets are consumed */
	AXVMI_TOML_PAIR, /* key = value */
};

enum axvmi_toml_kind {
	AXVMI_TOML_INVALID,
	AXVMI_TOML_STRING,
	AXVMI_TOML_INTEGER,
	AXVMI_TOML_BOOLEAN,
	AXVMI_TOML_FLOAT,
	AXVMI_TOML_DATE,
	AXVMI_TOML_ARRAY,
	AXVMI_TOML_INLINE_TABLE,
};

/* Functions returning int give 0 or AXVM_E*, except where they say more. */

void axvmi_toml_open(struct axvmi_toml *t, const char *text, size_t length);
/* Records where and why, returns `error`. */
int axvmi_toml_fail(struct axvmi_toml *t, struct axvmi_toml_pos pos, int error,
		    const char *reason);
struct axvmi_toml_pos axvmi_toml_pos(const struct axvmi_toml *t);

/* Next statement; blank lines and comments are skipped. */
int axvmi_toml_next(struct axvmi_toml *t, enum axvmi_toml_item *item);
int axvmi_toml_key(struct axvmi_toml *t, struct axvmi_toml_key *key);
/* Closing bracket(s) of a header and the rest of its line. */
int axvmi_toml_header_end(struct axvmi_toml *t, enum axvmi_toml_item item);
/* "=" and the blanks around it. */
int axvmi_toml_equals(struct axvmi_toml *t);
int axvmi_toml_line_end(struct axvmi_toml *t);

/* What kind of value stands here; consumes nothing. */
enum axvmi_toml_kind axvmi_toml_peek(const struct axvmi_toml *t);
/* Each reads one value of the kind that peek returned. */
int axvmi_toml_string(struct axvmi_toml *t, struct axvmi_toml_text *text);
int axvmi_toml_integer(struct axvmi_toml *t, uint64_t *value);
int axvmi_toml_boolean(struct axvmi_toml *t, bool *value);
/* Reads and forgets a value of any kind. */
int axvmi_toml_skip(struct axvmi_toml *t);

int axvmi_toml_open_array(struct axvmi_toml *t);
int axvmi_toml_open_table(struct axvmi_toml *t);
/*
 * Goes to the next element or key; `index` is how many were read before.
 * 1: there is one, 0: the array or table was closed, negative: AXVM_E*.
 */
int axvmi_toml_next_element(struct axvmi_toml *t, uint32_t index);
int axvmi_toml_next_pair(struct axvmi_toml *t, uint32_t index);

/* Shared by toml.c and toml_scalar.c. */

/* The byte `ahead` of the cursor, or -1 past the end. */
static inline int toml_look(const struct axvmi_toml *t, size_t ahead)
{
	if (ahead >= t->length - t->at)
		return -1;
	return (unsigned char)t->text[t->at + ahead];
}

/* Not across a newline: axvmi_toml_newline() does that. */
static inline void toml_advance(struct axvmi_toml *t, size_t bytes)
{
	t->at += bytes;
}

/* AXVM_ESYNTAX at the cursor. */
int axvmi_toml_unexpected(struct axvmi_toml *t, const char *reason);
/* Consumes LF or CRLF if one is here. */
bool axvmi_toml_newline(struct axvmi_toml *t);
/*
 * Consumes one character of a comment or string other than newline, which may
 * be several bytes; `text` may be NULL.
 */
int axvmi_toml_character(struct axvmi_toml *t, struct axvmi_toml_text *text);
/* Reads and forgets a scalar that is not a string. */
int axvmi_toml_skip_scalar(struct axvmi_toml *t);

#endif
