/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The keys of a VM configuration as tables: toml_keys.c fills them, toml_vm.c
 * walks them. Constant; no lock.
 */
#ifndef AXVMI_TOML_KEYS_H
#define AXVMI_TOML_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum toml_type {
	TOML_U64,
	TOML_U32,
	TOML_BOOL,
	TOML_STRING,
	TOML_ACCESS, /* a region's flags; bits that are not ours are dropped */
	TOML_CHOICE, /* a word for an enum; detail: struct toml_choice[] */
	TOML_NUMBERS, /* u64 each; detail: struct toml_list */
	TOML_STRINGS, /* lists of lists, flattened; detail: struct toml_list */
	TOML_ENTRIES, /* structs; detail: struct toml_list */
	TOML_TABLE, /* detail: struct toml_schema */
};

/* Which keys of a schema have come is kept in one word per slot. */
enum toml_slot {
	TOML_ROOT,
	TOML_BASE,
	TOML_KERNEL,
	TOML_DEVICES,
	TOML_ENTRY,
	TOML_SLOTS,
};

struct toml_choice {
	const char *word; /* NULL ends the list */
	uint32_t value;
};

/* Offsets count from the struct that holds the schema's fields. */
struct toml_field {
	const char *path; /* the schema's prefix, then the key */
	enum toml_type type;
	size_t offset;
	const void *detail;
};

struct toml_schema {
	size_t prefix; /* length of what stands before the key in a path */
	enum toml_slot slot;
	uint32_t count;
	uint32_t required; /* so many leading fields must come */
	const struct toml_field *fields;
};

struct toml_list {
	size_t count_offset; /* of a uint32_t */
	size_t array_offset;
	uint32_t max;
	uint32_t size; /* of an element */
	const struct toml_schema *schema; /* of a struct; else NULL */
};

/* Offsets count from struct axvm_config_storage. */
extern const struct toml_schema axvmi_toml_root;

#endif
