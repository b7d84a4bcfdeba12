/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Reads the TOML of a VM configuration: goes through the document's headers
 * and pairs, toml_value.c reads the values. State lives in one struct reader
 * on the stack, no lock. Called by hosts through axvm_config_from_toml().
 */
#include "axvm/config.h"
#include "axvm/error.h"
#include "bits.h"
#include "mem.h"
#include "toml_reader.h"

/* Stands until the key comes; which protocol is the default depends. */
#define BOOT_UNSET ((enum axvm_boot_protocol)0xff)

/* [[list]]: one more struct, whose keys follow. */
static int open_entry(struct reader *r, struct scope *scope,
		      const struct toml_field *field,
		      const struct axvmi_toml_key *key)
{
	const struct toml_schema *schema = scope->schema;
	uint64_t bit = axvmi_toml_bit(schema, field);
	const struct toml_list *list = field->detail;
	void *element = NULL;
	int ret;

	AXVMI_ASSERT(schema != NULL && scope->base != NULL);
	if (field->type != TOML_ENTRIES)
		return axvmi_toml_wrong_type(r, key->pos);
	if ((r->seen[schema->slot] & bit) && !(r->arrays[schema->slot] & bit))
		return axvmi_toml_defined_twice(r, key->pos);
	memcpy(&r->index, scope->base + list->count_offset, sizeof(r->index));
	ret = axvmi_toml_append(r, scope->base, list, &element);
	if (ret != 0) {
		r->toml.error_at = key->pos;
		return ret;
	}
	r->seen[schema->slot] |= bit;
	r->arrays[schema->slot] |= bit;
	r->seen[TOML_ENTRY] = 0;
	r->open_list = list;
	r->open_pos = key->pos;
	*scope = (struct scope){list->schema, element};
	return 0;
}

/* [table]: each of ours may be opened once. */
static int open_table(struct reader *r, struct scope *scope,
		      const struct toml_field *field,
		      const struct axvmi_toml_key *key)
{
	uint64_t bit = axvmi_toml_bit(scope->schema, field);

	if (field->type != TOML_TABLE)
		return axvmi_toml_wrong_type(r, key->pos);
	if ((r->seen[TOML_ROOT] | r->dotted) & bit)
		return axvmi_toml_defined_twice(r, key->pos);
	r->seen[TOML_ROOT] |= bit;
	scope->schema = field->detail;
	return 0;
}

/* A part of a header before the last: a table, or a list's last struct. */
static int step_into(struct reader *r, struct scope *scope,
		     const struct toml_field *field,
		     const struct axvmi_toml_key *key)
{
	uint64_t bit = axvmi_toml_bit(scope->schema, field);

	AXVMI_ASSERT(scope->schema != NULL);
	if (field->type == TOML_TABLE) {
		/* "Inline Table": nothing can be added outside its braces. */
		if (r->closed & bit)
			return axvmi_toml_defined_twice(r, key->pos);
		scope->schema = field->detail;
		return 0;
	}
	if (field->type != TOML_ENTRIES ||
	    !(r->arrays[scope->schema->slot] & bit))
		return axvmi_toml_wrong_type(r, key->pos);
	/* None of a struct's fields is a table: what follows is unknown. */
	*scope = (struct scope){
		((const struct toml_list *)field->detail)->schema, NULL};
	return 0;
}

/*
 * "Table", "Array of Tables": walks the dotted name from the root. From the
 * first unknown part on all is unknown: a table `base` in it is not ours.
 */
static int read_header(struct reader *r, enum axvmi_toml_item item,
		       struct scope *scope)
{
	const struct toml_field *field;
	struct axvmi_toml_key key;
	int ret;

	*scope = (struct scope){&axvmi_toml_root, (char *)r->storage};
	do {
		ret = axvmi_toml_key(&r->toml, &key);
		if (ret != 0)
			return ret;
		field = axvmi_toml_find(r, scope->schema, &key);
		if (!field)
			scope->schema = NULL;
		else if (key.more)
			ret = step_into(r, scope, field, &key);
		else if (item == AXVMI_TOML_TABLE)
			ret = open_table(r, scope, field, &key);
		else
			ret = open_entry(r, scope, field, &key);
		if (ret != 0)
			return ret;
	} while (key.more);
	return axvmi_toml_header_end(&r->toml, item);
}

/* The struct of a [[header]] ends where the next header or the text does. */
static int close_entry(struct reader *r)
{
	const struct toml_list *list = r->open_list;

	r->open_list = NULL;
	return list ? axvmi_toml_check_complete(r, list->schema, r->open_pos)
		    : 0;
}

/* Keys before the first header belong to the root. */
static int read_document(struct reader *r)
{
	struct scope scope = {&axvmi_toml_root, (char *)r->storage};
	enum axvmi_toml_item item;
	int ret;

	for (;;) {
		ret = axvmi_toml_next(&r->toml, &item);
		if (ret != 0)
			return ret;
		if (item == AXVMI_TOML_PAIR) {
			ret = axvmi_toml_read_pair(r, scope);
			if (ret == 0)
				ret = axvmi_toml_line_end(&r->toml);
		} else {
			ret = close_entry(r);
			if (ret != 0 || item == AXVMI_TOML_END)
				return ret;
			ret = read_header(r, item, &scope);
		}
		if (ret != 0)
			return ret;
	}
}

/*
 * Zero is the default of nearly all. Not of dma: that the text says nothing is
 * different from its saying "none".
 */
static void clear(struct axvm_config_storage *s)
{
	memset(s, 0, sizeof(*s));
	s->config.size = sizeof(s->config);
	s->config.kernel.boot_protocol = BOOT_UNSET;
	for (size_t i = 0; i < ARRAY_SIZE(s->passthrough); i++)
		s->passthrough[i].dma = AXVM_DMA_UNSPECIFIED;
	for (size_t i = 0; i < ARRAY_SIZE(s->passthrough_addresses); i++)
		s->passthrough_addresses[i].dma = AXVM_DMA_UNSPECIFIED;
	for (size_t i = 0; i < ARRAY_SIZE(s->passthrough_ports); i++)
		s->passthrough_ports[i].dma = AXVM_DMA_UNSPECIFIED;
}

/*
 * The pointers are set even to empty arrays: they are as good as NULL then.
 * The family's rule for a missing boot_protocol needs enable_bios, which may
 * come later in the text, hence here.
 */
static void finish(struct axvm_config_storage *s)
{
	struct axvm_vm_config *c = &s->config;

	c->phys_cpu_ids = s->phys_cpu_ids;
	c->phys_cpu_sets = s->phys_cpu_sets;
	c->regions = s->regions;
	c->emu_devices = s->emu_devices;
	c->passthrough = s->passthrough;
	c->passthrough_addresses = s->passthrough_addresses;
	c->passthrough_ports = s->passthrough_ports;
	c->excluded_devices = s->excluded_devices;
	if (c->kernel.boot_protocol == BOOT_UNSET)
		c->kernel.boot_protocol = c->kernel.enable_bios
						  ? AXVM_BOOT_MULTIBOOT
						  : AXVM_BOOT_DIRECT;
}

/* Only now is `error` written: on success it stays as it was. */
static int report(const struct reader *r, int code,
		  struct axvm_config_error *error)
{
	if (error) {
		*error = (struct axvm_config_error){
			.field = r->path,
			.index = r->index,
			.reason = r->toml.reason,
			.line = r->toml.error_at.line,
			.column = r->toml.error_at.column,
		};
	}
	return code;
}

int axvm_config_from_toml(const char *text, size_t length,
			  struct axvm_config_storage *storage,
			  struct axvm_config_error *error)
{
	struct reader r = {.storage = storage, .path = ""};
	int ret;

	if (!text || !storage) {
		r.toml.reason = "no text or no storage";
		return report(&r, AXVM_EINVAL, error);
	}
	if (length > AXVM_CONFIG_MAX_TEXT) {
		r.toml.reason = "the text is too long";
		return report(&r, AXVM_ERANGE, error);
	}
	clear(storage);
	axvmi_toml_open(&r.toml, text, length);
	ret = read_document(&r);
	if (ret != 0)
		return report(&r, ret, error);
	finish(storage);
	return 0;
}
