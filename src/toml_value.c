/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Reads the value of a known key into the storage, as the tables of toml_keys.c
 * say, and skips unknown ones. State in the caller's struct reader; called by
 * toml_vm.c.
 */
#include "axvm/error.h"
#include "bits.h"
#include "toml_reader.h"

/* Longest word of a choice. */
#define WORD_SIZE 16u

static int read_value(struct reader *r, struct scope scope,
		      const struct toml_field *field,
		      struct axvmi_toml_pos pos);

/* Schemas have far fewer than 64 fields. */
uint64_t axvmi_toml_bit(const struct toml_schema *schema,
			const struct toml_field *field)
{
	AXVMI_ASSERT(schema != NULL);
	return BIT64((unsigned)(field - schema->fields));
}

/* The document is well-formed TOML, but no configuration. */
int axvmi_toml_wrong_type(struct reader *r, struct axvmi_toml_pos pos)
{
	return axvmi_toml_fail(&r->toml, pos, AXVM_EINVAL,
			       "wrong type of value");
}

/*
 * "Keys", "Table": defining anything more than once is invalid. It matters:
 * which of two memory sizes would be meant?
 */
int axvmi_toml_defined_twice(struct reader *r, struct axvmi_toml_pos pos)
{
	return axvmi_toml_fail(&r->toml, pos, AXVM_ESYNTAX, "defined twice");
}

/* A text that was cut has a length no word has. */
static bool same_word(const struct axvmi_toml_text *text, const char *word)
{
	size_t i;

	if (text->length > text->capacity)
		return false;
	for (i = 0; i < text->length; i++) {
		if (word[i] == '\0' || word[i] != text->bytes[i])
			return false;
	}
	return word[i] == '\0';
}

/* A message names the key of the document, not the part of a struct. */
static void at_work(struct reader *r, const struct toml_schema *schema,
		    const char *path)
{
	if (schema->slot == TOML_ENTRY)
		return;
	r->path = path;
	r->index = 0;
}

const struct toml_field *axvmi_toml_find(struct reader *r,
					 const struct toml_schema *schema,
					 const struct axvmi_toml_key *key)
{
	if (!schema)
		return NULL;
	for (uint32_t i = 0; i < schema->count; i++) {
		const struct toml_field *field = &schema->fields[i];

		if (same_word(&key->text, field->path + schema->prefix)) {
			at_work(r, schema, field->path);
			return field;
		}
	}
	at_work(r, schema, "");
	return NULL;
}

/* Tells a value of another type from what is no value at all. */
static int expect(struct reader *r, enum axvmi_toml_kind kind)
{
	enum axvmi_toml_kind found = axvmi_toml_peek(&r->toml);

	if (found == kind)
		return 0;
	if (found == AXVMI_TOML_INVALID)
		return axvmi_toml_unexpected(&r->toml, "expected a value");
	return axvmi_toml_wrong_type(r, axvmi_toml_pos(&r->toml));
}

/* The position is taken first: errors point at the value's begin. */
static int read_number(struct reader *r, uint64_t max, uint64_t *value)
{
	struct axvmi_toml_pos pos = axvmi_toml_pos(&r->toml);
	int ret = expect(r, AXVMI_TOML_INTEGER);

	if (ret == 0)
		ret = axvmi_toml_integer(&r->toml, value);
	if (ret == 0 && *value > max)
		ret = axvmi_toml_fail(&r->toml, pos, AXVM_ERANGE,
				      "integer exceeds 32 bits");
	return ret;
}

static int read_u32(struct reader *r, uint32_t *value)
{
	uint64_t wide = 0;
	int ret = read_number(r, UINT32_MAX, &wide);

	*value = (uint32_t)wide;
	return ret;
}

/*
 * The family's flags word goes on above bit 2 (user, device, uncached): the
 * nested page tables are not the place for those, so they are dropped.
 */
static int read_access(struct reader *r, uint32_t *access)
{
	uint64_t flags = 0;
	int ret = read_number(r, UINT64_MAX, &flags);

	*access = (uint32_t)flags & AXVM_RWX;
	return ret;
}

static int read_bool(struct reader *r, bool *value)
{
	int ret = expect(r, AXVMI_TOML_BOOLEAN);

	return ret != 0 ? ret : axvmi_toml_boolean(&r->toml, value);
}

/* C ends a string at NUL: one inside would hide what follows it. */
static int read_string(struct reader *r, const char **string)
{
	struct axvm_config_storage *s = r->storage;
	struct axvmi_toml_pos pos = axvmi_toml_pos(&r->toml);
	struct axvmi_toml_text text = {
		.bytes = s->strings + s->strings_used,
		.capacity = sizeof(s->strings) - s->strings_used,
	};
	int ret = expect(r, AXVMI_TOML_STRING);

	if (ret == 0)
		ret = axvmi_toml_string(&r->toml, &text);
	if (ret != 0)
		return ret;
	if (text.length >= text.capacity)
		return axvmi_toml_fail(&r->toml, pos, AXVM_ENOSPC,
				       "too many characters in strings");
	for (size_t i = 0; i < text.length; i++) {
		if (text.bytes[i] == '\0')
			return axvmi_toml_fail(&r->toml, pos, AXVM_EINVAL,
					       "NUL in a string");
	}
	text.bytes[text.length] = '\0';
	s->strings_used += (uint32_t)text.length + 1;
	*string = text.bytes;
	return 0;
}

/*
 * Unlike unknown keys an unknown word is refused: the key is ours, and a guess
 * at its meaning would boot something else than was asked for.
 */
static int read_choice(struct reader *r, const struct toml_choice *choices,
		       uint32_t *value)
{
	char bytes[WORD_SIZE];
	struct axvmi_toml_text text = {
		.bytes = bytes,
		.capacity = sizeof(bytes),
	};
	struct axvmi_toml_pos pos = axvmi_toml_pos(&r->toml);
	int ret = expect(r, AXVMI_TOML_STRING);

	if (ret == 0)
		ret = axvmi_toml_string(&r->toml, &text);
	if (ret != 0)
		return ret;
	for (; choices->word; choices++) {
		if (same_word(&text, choices->word)) {
			*value = choices->value;
			return 0;
		}
	}
	return axvmi_toml_fail(&r->toml, pos, AXVM_EINVAL, "unknown word");
}

/* Room for one more element, which is counted. */
int axvmi_toml_append(struct reader *r, char *base,
		      const struct toml_list *list, void **element)
{
	uint32_t *count = (void *)(base + list->count_offset);

	if (*count == list->max)
		return axvmi_toml_fail(&r->toml, axvmi_toml_pos(&r->toml),
				       AXVM_ENOSPC, "too many entries");
	*element = base + list->array_offset + (size_t)*count * list->size;
	(*count)++;
	return 0;
}

/* Checked before it is opened: the depth counts only what was entered. */
static int open_array(struct reader *r)
{
	int ret = expect(r, AXVMI_TOML_ARRAY);

	return ret != 0 ? ret : axvmi_toml_open_array(&r->toml);
}

/* Elements land in the storage one by one; on error it is void anyway. */
static int read_numbers(struct reader *r, char *base,
			const struct toml_list *list)
{
	uint32_t n = 0;
	int ret = open_array(r);

	if (ret != 0)
		return ret;
	while ((ret = axvmi_toml_next_element(&r->toml, n)) > 0) {
		void *element = NULL;

		/* The arguments of a device are a part of its entry. */
		if (base == (char *)r->storage)
			r->index = n;
		ret = axvmi_toml_append(r, base, list, &element);
		if (ret != 0)
			return ret;
		AXVMI_ASSERT(element != NULL);
		ret = read_number(r, UINT64_MAX, element);
		if (ret != 0)
			return ret;
		n++;
	}
	return ret;
}

static int read_inner_strings(struct reader *r, char *base,
			      const struct toml_list *list)
{
	uint32_t n = 0;
	int ret = open_array(r);

	if (ret != 0)
		return ret;
	while ((ret = axvmi_toml_next_element(&r->toml, n)) > 0) {
		void *element = NULL;

		ret = axvmi_toml_append(r, base, list, &element);
		if (ret != 0)
			return ret;
		AXVMI_ASSERT(element != NULL);
		ret = read_string(r, element);
		if (ret != 0)
			return ret;
		n++;
	}
	return ret;
}

/*
 * excluded_devices is a list of lists in the family's format; the grouping has
 * no meaning. The index counts groups, as the text shows them.
 */
static int read_strings(struct reader *r, char *base,
			const struct toml_list *list)
{
	int ret = open_array(r);

	if (ret != 0)
		return ret;
	while ((ret = axvmi_toml_next_element(&r->toml, r->index)) > 0) {
		ret = read_inner_strings(r, base, list);
		if (ret != 0)
			return ret;
		r->index++;
	}
	return ret;
}

/* key = value, in a table of either form. */
int axvmi_toml_read_pair(struct reader *r, struct scope scope)
{
	const struct toml_field *field;
	struct axvmi_toml_key key;
	int ret;

	for (;;) {
		ret = axvmi_toml_key(&r->toml, &key);
		if (ret != 0)
			return ret;
		field = axvmi_toml_find(r, scope.schema, &key);
		if (!key.more)
			break;
		if (field && field->type != TOML_TABLE)
			return axvmi_toml_wrong_type(r, key.pos);
		if (field) {
			uint64_t bit = axvmi_toml_bit(scope.schema, field);

			/* "Table": a dotted key cannot reopen a table. */
			if (r->seen[TOML_ROOT] & bit)
				return axvmi_toml_defined_twice(r, key.pos);
			r->dotted |= bit;
		}
		scope.schema = field ? field->detail : NULL;
	}
	ret = axvmi_toml_equals(&r->toml);
	if (ret != 0)
		return ret;
	if (!field)
		return axvmi_toml_skip(&r->toml);
	return read_value(r, scope, field, key.pos);
}

/* Shared by the root's tables and by the structs of lists. */
static int read_inline_table(struct reader *r, struct scope scope)
{
	uint32_t n = 0;
	int ret = expect(r, AXVMI_TOML_INLINE_TABLE);

	if (ret == 0)
		ret = axvmi_toml_open_table(&r->toml);
	if (ret != 0)
		return ret;
	while ((ret = axvmi_toml_next_pair(&r->toml, n)) > 0) {
		ret = axvmi_toml_read_pair(r, scope);
		if (ret != 0)
			return ret;
		n++;
	}
	return ret;
}

/*
 * The required fields are the leading ones, in both forms. A struct cut short
 * is a typing mistake that zeros would turn into an overlap or worse.
 */
int axvmi_toml_check_complete(struct reader *r,
			      const struct toml_schema *schema,
			      struct axvmi_toml_pos pos)
{
	uint64_t required = BIT64(schema->required) - 1;

	if ((r->seen[TOML_ENTRY] & required) != required)
		return axvmi_toml_fail(&r->toml, pos, AXVM_EINVAL,
				       "an element is missing");
	return 0;
}

/* A struct as array: the n-th element is the n-th field. */
static int read_positional(struct reader *r, struct scope scope)
{
	uint32_t n = 0;
	int ret = open_array(r);

	if (ret != 0)
		return ret;
	while ((ret = axvmi_toml_next_element(&r->toml, n)) > 0) {
		struct axvmi_toml_pos pos = axvmi_toml_pos(&r->toml);

		if (n == scope.schema->count)
			return axvmi_toml_fail(&r->toml, pos, AXVM_EINVAL,
					       "too many elements");
		ret = read_value(r, scope, &scope.schema->fields[n], pos);
		if (ret != 0)
			return ret;
		n++;
	}
	return ret;
}

/* The two forms may be mixed within one list. */
static int read_entry(struct reader *r, struct scope scope)
{
	struct axvmi_toml_pos pos = axvmi_toml_pos(&r->toml);
	int ret;

	r->seen[TOML_ENTRY] = 0;
	if (axvmi_toml_peek(&r->toml) == AXVMI_TOML_INLINE_TABLE)
		ret = read_inline_table(r, scope);
	else
		ret = read_positional(r, scope);
	return ret != 0 ? ret : axvmi_toml_check_complete(r, scope.schema, pos);
}

/* The index is the element's, so that the error names the device. */
static int read_entries(struct reader *r, char *base,
			const struct toml_list *list)
{
	int ret = open_array(r);

	if (ret != 0)
		return ret;
	while ((ret = axvmi_toml_next_element(&r->toml, r->index)) > 0) {
		void *element = NULL;

		ret = axvmi_toml_append(r, base, list, &element);
		if (ret != 0)
			return ret;
		ret = read_entry(r, (struct scope){list->schema, element});
		if (ret != 0)
			return ret;
		r->index++;
	}
	return ret;
}

/*
 * One known value. Recursion ends with the schemas: the root's tables hold
 * lists, a list's structs hold neither.
 */
static int read_value(struct reader *r, struct scope scope,
		      const struct toml_field *field, struct axvmi_toml_pos pos)
{
	uint64_t bit = axvmi_toml_bit(scope.schema, field);
	void *target = scope.base + field->offset;
	uint64_t *seen;

	AXVMI_ASSERT(scope.schema != NULL);
	seen = &r->seen[scope.schema->slot];
	if (*seen & bit)
		return axvmi_toml_defined_twice(r, pos);
	*seen |= bit;
	switch (field->type) {
	case TOML_U64:
		return read_number(r, UINT64_MAX, target);
	case TOML_U32:
		return read_u32(r, target);
	case TOML_BOOL:
		return read_bool(r, target);
	case TOML_STRING:
		return read_string(r, target);
	case TOML_ACCESS:
		return read_access(r, target);
	case TOML_CHOICE:
		return read_choice(r, field->detail, target);
	case TOML_NUMBERS:
		return read_numbers(r, scope.base, field->detail);
	case TOML_STRINGS:
		return read_strings(r, scope.base, field->detail);
	case TOML_ENTRIES:
		return read_entries(r, scope.base, field->detail);
	case TOML_TABLE:
		break;
	}
	if (r->dotted & bit)
		return axvmi_toml_defined_twice(r, pos);
	r->closed |= bit;
	scope.schema = field->detail;
	return read_inline_table(r, scope);
}
