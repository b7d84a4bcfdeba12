/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The state of reading one configuration: toml_vm.c goes through the document,
 * toml_value.c reads a key's value into the storage. Lives on the stack of
 * axvm_config_from_toml(), no lock.
 */
#ifndef AXVMI_TOML_READER_H
#define AXVMI_TOML_READER_H

#include "assert.h"
#include "axvm/config.h"
#include "toml.h"
#include "toml_keys.h"

/* Where keys are looked up and their values stored. */
struct scope {
	const struct toml_schema *schema; /* NULL: all keys are unknown */
	char *base;
};

struct reader {
	struct axvmi_toml toml;
	struct axvm_config_storage *storage;
	/* For messages: the known key at work, and which element of it. */
	const char *path;
	uint32_t index;
	/* Bit n of a word: field n of that schema has been defined ... */
	uint64_t seen[TOML_SLOTS];
	uint64_t arrays[TOML_SLOTS]; /* ... as [[array of tables]] */
	uint64_t dotted; /* ... by dotted keys (tables of the root) */
	uint64_t closed; /* ... as inline table (likewise) */
	/* The entry of the last [[header]], whose keys may still follow. */
	const struct toml_list *open_list;
	struct axvmi_toml_pos open_pos;
};

/* The known field of that name, or NULL; it becomes the one at work. */
const struct toml_field *axvmi_toml_find(struct reader *r,
					 const struct toml_schema *schema,
					 const struct axvmi_toml_key *key);
uint64_t axvmi_toml_bit(const struct toml_schema *schema,
			const struct toml_field *field);
int axvmi_toml_wrong_type(struct reader *r, struct axvmi_toml_pos pos);
int axvmi_toml_defined_twice(struct reader *r, struct axvmi_toml_pos pos);
/* Room for one more element of the list of the struct at base; counts it. */
int axvmi_toml_append(struct reader *r, char *base,
		      const struct toml_list *list, void **element);
/* Whether all fields came that the struct just read must have. */
int axvmi_toml_check_complete(struct reader *r,
			      const struct toml_schema *schema,
			      struct axvmi_toml_pos pos);
/* key = value, up to and without the end of the line. */
int axvmi_toml_read_pair(struct reader *r, struct scope scope);

#endif
