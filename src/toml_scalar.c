/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The scalars of TOML: characters, strings, integers, booleans; floats and
 * dates are recognised, so that they can be skipped, but have no value here.
 * Follows "TOML v1.0.0" (toml.io). Stateless but for the caller's cursor.
 */
#include "axvm/error.h"
#include "toml.h"

/*
 * Counts beyond the capacity, so that the caller can tell a string that fits
 * from one that was cut. NULL: the bytes go nowhere.
 */
static void put(struct axvmi_toml_text *text, unsigned byte)
{
	if (!text)
		return;
	if (text->length < text->capacity)
		text->bytes[text->length] = (char)(unsigned char)byte;
	text->length++;
}

/*
 * Length of the well-formed UTF-8 sequence here, or 0. The bounds on the second
 * byte exclude overlong forms and surrogates (Unicode Standard, table 3-7).
 */
static size_t utf8_length(const struct axvmi_toml *t)
{
	int lead = toml_look(t, 0);
	int second = toml_look(t, 1);
	int low = 0x80;
	int high = 0xbf;
	size_t length;

	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf4)
		high = 0x8f;
	if (second < low || second > high)
		return 0;
	length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	for (size_t i = 2; i < length; i++) {
		if (toml_look(t, i) < 0x80 || toml_look(t, i) > 0xbf)
			return 0;
	}
	return length;
}

/*
 * "Spec", "Comment", "String": a document is UTF-8 throughout, and control
 * characters other than tab stand in neither comments nor strings.
 */
int axvmi_toml_character(struct axvmi_toml *t, struct axvmi_toml_text *text)
{
	int c = toml_look(t, 0);
	size_t length = 1;

	if (c < 0)
		return axvmi_toml_unexpected(t, "the text ends in a string");
	if ((c < 0x20 && c != '\t') || c == 0x7f)
		return axvmi_toml_unexpected(t, "unexpected control character");
	if (c >= 0x80)
		length = utf8_length(t);
	if (length == 0)
		return axvmi_toml_unexpected(t, "not UTF-8");
	for (size_t i = 0; i < length; i++)
		put(text, (unsigned)toml_look(t, i));
	toml_advance(t, length);
	return 0;
}

/* Value of a digit in any base up to 16, or 16. */
static unsigned digit_value(int c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

/* UTF-8 from a scalar value (Unicode Standard, table 3-6). */
static void put_code_point(struct axvmi_toml_text *text, uint32_t code)
{
	if (code < 0x80) {
		put(text, code);
		return;
	}
	if (code < 0x800) {
		put(text, 0xc0 | (code >> 6));
	} else {
		if (code < 0x10000) {
			put(text, 0xe0 | (code >> 12));
		} else {
			put(text, 0xf0 | (code >> 18));
			put(text, 0x80 | ((code >> 12) & 0x3f));
		}
		put(text, 0x80 | ((code >> 6) & 0x3f));
	}
	put(text, 0x80 | (code & 0x3f));
}

/* \uXXXX or \UXXXXXXXX, of which the cursor is on the X. */
static int unicode_escape(struct axvmi_toml *t, size_t digits,
			  struct axvmi_toml_text *text)
{
	uint32_t code = 0;

	for (size_t i = 0; i < digits; i++) {
		unsigned digit = digit_value(toml_look(t, i));

		if (digit == 16)
			return axvmi_toml_unexpected(t, "unknown escape");
		code = code << 4 | digit;
	}
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return axvmi_toml_unexpected(t, "no Unicode scalar value");
	put_code_point(text, code);
	toml_advance(t, digits);
	return 0;
}

/*
 * "String": the escapes of basic strings. All others are reserved, hence
 * errors. The backslash is at the cursor.
 */
static int escape(struct axvmi_toml *t, struct axvmi_toml_text *text)
{
	static const char letters[] = "btnfr\"\\";
	static const char values[] = "\b\t\n\f\r\"\\";
	int c = toml_look(t, 1);

	for (size_t i = 0; i < sizeof(letters) - 1; i++) {
		if (c == letters[i]) {
			put(text, (unsigned char)values[i]);
			toml_advance(t, 2);
			return 0;
		}
	}
	if (c != 'u' && c != 'U')
		return axvmi_toml_unexpected(t, "unknown escape");
	toml_advance(t, 2);
	return unicode_escape(t, c == 'u' ? 4 : 8, text);
}

/*
 * "Multi-line basic strings": a backslash at the end of a line removes all
 * white space up to the next character.
 */
static bool line_continuation(struct axvmi_toml *t)
{
	size_t blanks = 1;
	int c;

	while (toml_look(t, blanks) == ' ' || toml_look(t, blanks) == '\t')
		blanks++;
	c = toml_look(t, blanks);
	if (c != '\n' && !(c == '\r' && toml_look(t, blanks + 1) == '\n'))
		return false;
	toml_advance(t, blanks);
	do {
		while (toml_look(t, 0) == ' ' || toml_look(t, 0) == '\t')
			toml_advance(t, 1);
	} while (axvmi_toml_newline(t));
	return true;
}

/* Up to two quotes may stand directly before the closing three. */
static bool multi_line_end(struct axvmi_toml *t, int quote,
			   struct axvmi_toml_text *text)
{
	size_t quotes = 0;

	while (quotes < 5 && toml_look(t, quotes) == quote)
		quotes++;
	if (quotes < 3)
		return false;
	for (size_t i = 3; i < quotes; i++)
		put(text, (unsigned)quote);
	toml_advance(t, quotes);
	return true;
}

/*
 * "String": a newline right after the opening quotes is trimmed; CRLF inside
 * becomes LF, which the specification leaves to us and Python does as well.
 */
static int multi_line(struct axvmi_toml *t, struct axvmi_toml_text *text)
{
	int quote = toml_look(t, 0);

	toml_advance(t, 3);
	axvmi_toml_newline(t);
	while (!multi_line_end(t, quote, text)) {
		int ret = 0;

		if (axvmi_toml_newline(t))
			put(text, '\n');
		else if (quote == '\'' || toml_look(t, 0) != '\\')
			ret = axvmi_toml_character(t, text);
		else if (!line_continuation(t))
			ret = escape(t, text);
		if (ret != 0)
			return ret;
	}
	return 0;
}

/*
 * Two quotes in a row are an empty string, three open a multi-line one. Basic
 * and literal strings differ in the backslash alone.
 */
int axvmi_toml_string(struct axvmi_toml *t, struct axvmi_toml_text *text)
{
	int quote = toml_look(t, 0);

	if (toml_look(t, 1) == quote && toml_look(t, 2) == quote)
		return multi_line(t, text);
	toml_advance(t, 1);
	while (toml_look(t, 0) != quote) {
		int ret;

		if (quote == '"' && toml_look(t, 0) == '\\')
			ret = escape(t, text);
		else if (toml_look(t, 0) == '\n' || toml_look(t, 0) == '\r')
			ret = axvmi_toml_unexpected(
				t, "the line ends in a string");
		else
			ret = axvmi_toml_character(t, text);
		if (ret != 0)
			return ret;
	}
	toml_advance(t, 1);
	return 0;
}

/* The characters of a number, boolean or date at the cursor. */
struct token {
	const char *text;
	size_t length;
};

static int token_at(const struct token *token, size_t i)
{
	return i < token->length ? (unsigned char)token->text[i] : -1;
}

/* '9' in the pattern is any decimal digit. Returns the index behind, or 0. */
static size_t match(const struct token *token, size_t i, const char *pattern)
{
	for (; *pattern != '\0'; pattern++, i++) {
		int c = token_at(token, i);

		if (*pattern == '9' ? digit_value(c) > 9 : c != *pattern)
			return 0;
	}
	return i;
}

/* The token from i on is the pattern and nothing else. */
static bool word(const struct token *token, size_t i, const char *pattern)
{
	size_t end = match(token, i, pattern);

	return end != 0 && end == token->length;
}

/*
 * Takes all that a number, word or date may consist of; whether it is one is
 * decided afterwards. The blank is for "Offset Date-Time", which may separate
 * date and time by one.
 */
static struct token scan(const struct axvmi_toml *t)
{
	struct token token = {.text = t->text + t->at};

	for (;;) {
		int c = toml_look(t, token.length);

		bool more = c == '+' || c == '.' || c == ':' || c == '-' ||
			    c == '_' || (c >= '0' && c <= '9') ||
			    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		/* A date may be parted from its time by one space. */
		if (c == ' ' && word(&token, 0, "9999-99-99"))
			more = toml_look(t, token.length + 1) >= '0' &&
			       toml_look(t, token.length + 1) <= '9';
		if (!more)
			return token;
		token.length++;
	}
}

/*
 * Digits from i on, single underscores between them. Returns the index behind
 * the last digit (i: there is none).
 */
static size_t digits(const struct token *token, size_t i, unsigned base)
{
	size_t end = i;

	while (digit_value(token_at(token, end)) < base ||
	       (end > i && token_at(token, end) == '_' &&
		digit_value(token_at(token, end + 1)) < base))
		end++;
	return end;
}

/* A decimal integer part: no leading zeros. Index behind it, or 0. */
static size_t decimal(const struct token *token)
{
	size_t start = token_at(token, 0) == '+' || token_at(token, 0) == '-';
	size_t end = digits(token, start, 10);

	if (end == start || (token_at(token, start) == '0' && end > start + 1))
		return 0;
	return end;
}

/* "Integer": prefixes are lower case. */
static unsigned prefixed_base(const struct token *token)
{
	if (token_at(token, 0) != '0')
		return 10;
	switch (token_at(token, 1)) {
	case 'x':
		return 16;
	case 'o':
		return 8;
	case 'b':
		return 2;
	default:
		return 10;
	}
}

/* A prefixed number has no sign but may have leading zeros. */
static bool is_integer(const struct token *token)
{
	unsigned base = prefixed_base(token);

	if (base == 10)
		return decimal(token) == token->length;
	return token->length > 2 && digits(token, 2, base) == token->length;
}

/* "Float": an integer part, then a fraction, an exponent, or both. */
static bool is_float(const struct token *token)
{
	size_t sign = token_at(token, 0) == '+' || token_at(token, 0) == '-';
	size_t i = decimal(token);
	size_t end;

	if (word(token, sign, "inf") || word(token, sign, "nan"))
		return true;
	if (i == 0)
		return false;
	if (token_at(token, i) == '.') {
		end = digits(token, i + 1, 10);
		if (end == i + 1)
			return false;
		i = end;
	}
	if (token_at(token, i) == 'e' || token_at(token, i) == 'E') {
		i++;
		if (token_at(token, i) == '+' || token_at(token, i) == '-')
			i++;
		end = digits(token, i, 10);
		if (end == i)
			return false;
		i = end;
	}
	return i == token->length;
}

/* The shape alone; that a month has 30 days matters to nobody here. */
static bool is_date(const struct token *token)
{
	size_t date = match(token, 0, "9999-99-99");
	size_t i = date;
	int c = token_at(token, i);

	if (date != 0 && date == token->length)
		return true;
	if (date != 0) {
		if (c != 'T' && c != 't' && c != ' ')
			return false;
		i++;
	}
	i = match(token, i, "99:99:99");
	if (i == 0)
		return false;
	if (token_at(token, i) == '.') {
		i = match(token, i, ".9");
		if (i == 0)
			return false;
		while (digit_value(token_at(token, i)) < 10)
			i++;
	}
	if (i == token->length)
		return true;
	return date != 0 &&
	       (word(token, i, "Z") || word(token, i, "z") ||
		word(token, i, "+99:99") || word(token, i, "-99:99"));
}

/*
 * Looks at the whole scalar, not at its first character: 1979-05-27 and 1.5
 * begin like integers. Reading it afterwards cannot fail on syntax.
 */
enum axvmi_toml_kind axvmi_toml_peek(const struct axvmi_toml *t)
{
	struct token token;

	switch (toml_look(t, 0)) {
	case '"':
	case '\'':
		return AXVMI_TOML_STRING;
	case '[':
		return AXVMI_TOML_ARRAY;
	case '{':
		return AXVMI_TOML_INLINE_TABLE;
	default:
		break;
	}
	token = scan(t);
	if (token.length == 0)
		return AXVMI_TOML_INVALID;
	if (word(&token, 0, "true") || word(&token, 0, "false"))
		return AXVMI_TOML_BOOLEAN;
	if (is_integer(&token))
		return AXVMI_TOML_INTEGER;
	if (is_float(&token))
		return AXVMI_TOML_FLOAT;
	return is_date(&token) ? AXVMI_TOML_DATE : AXVMI_TOML_INVALID;
}

int axvmi_toml_skip_scalar(struct axvmi_toml *t)
{
	toml_advance(t, scan(t).length);
	return 0;
}

int axvmi_toml_boolean(struct axvmi_toml *t, bool *value)
{
	*value = toml_look(t, 0) == 't';
	return axvmi_toml_skip_scalar(t);
}

/*
 * Addresses need all 64 bits, so the upper half of uint64_t is accepted beyond
 * the int64_t that "Integer" demands. Nothing of ours is negative.
 */
int axvmi_toml_integer(struct axvmi_toml *t, uint64_t *value)
{
	struct token token = scan(t);
	unsigned base = prefixed_base(&token);
	uint64_t sum = 0;
	size_t i = base == 10 ? 0 : 2;

	for (; i < token.length; i++) {
		unsigned digit = digit_value(token.text[i]);

		if (digit >= base) /* a sign or underscore */
			continue;
		if (sum > (UINT64_MAX - digit) / base)
			return axvmi_toml_fail(t, axvmi_toml_pos(t),
					       AXVM_ERANGE,
					       "integer exceeds 64 bits");
		sum = sum * base + digit;
	}
	if (token.text[0] == '-' && sum != 0)
		return axvmi_toml_fail(t, axvmi_toml_pos(t), AXVM_ERANGE,
				       "integer is negative");
	toml_advance(t, token.length);
	*value = sum;
	return 0;
}
