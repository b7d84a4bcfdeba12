/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The flattened-device-tree writer and the nodes every machine has. Owns
 * nothing: all state is in the caller's struct fdt_writer and buffer. Called by
 * the backends' guest_tables.c. Sections named are those of the Devicetree
 * Specification v0.4.
 */
#include "fdt_writer.h"

#include "assert.h"
#include "axvm/error.h"
#include "bits.h"
#include "mem.h"

/* 5.2 Header */
#define HEADER_MAGIC 0xd00dfeedu
#define HEADER_SIZE 40u
#define HEADER_TOTAL_SIZE 4u
#define HEADER_STRUCT_OFFSET 8u
#define HEADER_STRINGS_OFFSET 12u
#define HEADER_RESERVATIONS_OFFSET 16u
#define HEADER_VERSION 20u
#define HEADER_LAST_COMPATIBLE 24u
#define HEADER_BOOT_CPU 28u
#define HEADER_STRINGS_SIZE 32u
#define HEADER_STRUCT_SIZE 36u

#define VERSION 17u
#define LAST_COMPATIBLE 16u

/* 5.3 Memory Reservation Block: pairs of 64-bit address and size */
#define RESERVATION_SIZE 16u

/* 5.4.1 Lexical structure: big-endian 32-bit tokens */
#define TOKEN_BEGIN_NODE 1u
#define TOKEN_END_NODE 2u
#define TOKEN_PROPERTY 3u
#define TOKEN_END 9u
#define TOKEN_SIZE 4u
/* Token, value length, offset of the name in the strings block. */
#define PROPERTY_HEADER_SIZE 12u
#define PROPERTY_LENGTH 4u
#define PROPERTY_NAME 8u

/* 2.2.1 Node names, 2.2.4 Properties: longest name */
#define NAME_MAX_LENGTH 31u

/* Byte by byte: neither the buffer nor a value in it need be aligned. */
static void put32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static void put64(uint8_t *at, uint64_t value)
{
	put32(at, (uint32_t)(value >> 32));
	put32(at + 4, (uint32_t)value);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

static size_t string_length(const char *string)
{
	size_t n = 0;

	while (string[n] != '\0')
		n++;
	return n;
}

/* Tokens are aligned to their size. */
static uint64_t padded(uint64_t size)
{
	return align_down(size + TOKEN_SIZE - 1, TOKEN_SIZE);
}

/* The first error is the cause; what follows is its consequence. */
static void fail(struct fdt_writer *fdt, int error)
{
	if (fdt->error == 0)
		fdt->error = error;
}

/*
 * used + strings <= capacity always holds, so the difference cannot wrap. After
 * an error there is no room for anything: later calls only keep the order.
 */
static bool has_room(struct fdt_writer *fdt, uint64_t size)
{
	if (fdt->error == 0 && size > fdt->capacity - fdt->used - fdt->strings)
		fail(fdt, AXVM_ENOSPC);
	return fdt->error == 0;
}

/* The next `size` bytes at the start, zeroed, or NULL after an error. */
static uint8_t *take(struct fdt_writer *fdt, uint64_t size)
{
	uint8_t *at;

	if (!has_room(fdt, size))
		return NULL;
	at = fdt->base + fdt->used;
	fdt->used += (uint32_t)size;
	return memset(at, 0, (size_t)size);
}

static void put_token(struct fdt_writer *fdt, uint32_t token)
{
	uint8_t *at = take(fdt, TOKEN_SIZE);

	if (at != NULL)
		put32(at, token);
}

/*
 * Distance from a name's first byte to the end of the buffer: the one thing
 * about it that stays true while more names are put before it. finish() turns
 * distances into offsets.
 */
static uint32_t intern(struct fdt_writer *fdt, const char *name)
{
	size_t size = string_length(name) + 1;
	uint32_t distance = fdt->strings;

	AXVMI_ASSERT(size > 1 && size <= NAME_MAX_LENGTH + 1);
	while (distance != 0) {
		const uint8_t *at = fdt->base + (fdt->capacity - distance);
		size_t other = string_length((const char *)at) + 1;

		if (other == size && memcmp(at, name, size) == 0)
			return distance;
		distance -= (uint32_t)other;
	}
	if (!has_room(fdt, size))
		return 0;
	fdt->strings += (uint32_t)size;
	memcpy(fdt->base + (fdt->capacity - fdt->strings), name, size);
	return fdt->strings;
}

/* Where the property's value goes, zeroed, or NULL after an error. */
static uint8_t *begin_property(struct fdt_writer *fdt, const char *name,
			       uint64_t length)
{
	uint32_t distance;
	uint8_t *at;

	AXVMI_ASSERT(fdt->phase == FDT_WRITING_NODES);
	AXVMI_ASSERT(fdt->depth != 0 && fdt->properties_allowed);
	if (length > INT32_MAX) {
		fail(fdt, AXVM_ENOSPC);
		return NULL;
	}
	distance = intern(fdt, name);
	at = take(fdt, PROPERTY_HEADER_SIZE + padded(length));
	if (at == NULL)
		return NULL;
	put32(at, TOKEN_PROPERTY);
	put32(at + PROPERTY_LENGTH, (uint32_t)length);
	put32(at + PROPERTY_NAME, distance);
	return at + PROPERTY_HEADER_SIZE;
}

void axvmi_fdt_begin(struct fdt_writer *fdt, void *buffer, size_t size)
{
	memset(fdt, 0, sizeof(*fdt));
	fdt->base = buffer;
	/* Readers keep offsets in an int. */
	fdt->capacity = size > INT32_MAX ? (uint32_t)INT32_MAX : (uint32_t)size;
	fdt->phase = FDT_WRITING_RESERVATIONS;
	take(fdt, HEADER_SIZE);
}

void axvmi_fdt_reserve(struct fdt_writer *fdt, uint64_t start, uint64_t size)
{
	uint8_t *at;

	AXVMI_ASSERT(fdt->phase == FDT_WRITING_RESERVATIONS);
	/* Two zeroes would end the list. */
	AXVMI_ASSERT(size != 0);
	at = take(fdt, RESERVATION_SIZE);
	if (at == NULL)
		return;
	put64(at, start);
	put64(at + 8, size);
}

static void open_node(struct fdt_writer *fdt, const char *name)
{
	size_t size = string_length(name) + 1;
	uint8_t *at;

	AXVMI_ASSERT(fdt->phase == FDT_WRITING_NODES);
	/* Generated trees are flat; deeper means a forgotten end_node. */
	AXVMI_ASSERT(fdt->depth < FDT_WRITER_DEPTH);
	fdt->depth++;
	fdt->properties_allowed = true;
	at = take(fdt, TOKEN_SIZE + padded(size));
	if (at == NULL)
		return;
	put32(at, TOKEN_BEGIN_NODE);
	memcpy(at + TOKEN_SIZE, name, size);
}

/* The reservation list ends with an entry of zeroes (5.3). */
static void open_root(struct fdt_writer *fdt)
{
	AXVMI_ASSERT(fdt->phase == FDT_WRITING_RESERVATIONS);
	take(fdt, RESERVATION_SIZE);
	fdt->structure = fdt->used;
	fdt->phase = FDT_WRITING_NODES;
	open_node(fdt, "");
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 2.2.1 Node names, Table 2.1. Does not read past the longest valid name. */
static bool is_node_name(const char *name)
{
	size_t n = 0;

	if (!is_letter(name[0]))
		return false;
	for (; n <= NAME_MAX_LENGTH && name[n] != '\0'; n++) {
		char c = name[n];
		bool punctuation = c == ',' || c == '.' || c == '_' ||
				   c == '+' || c == '-';

		if (!is_letter(c) && !(c >= '0' && c <= '9') && !punctuation)
			return false;
	}
	return n <= NAME_MAX_LENGTH;
}

void axvmi_fdt_begin_node(struct fdt_writer *fdt, const char *name)
{
	if (name[0] == '\0' && fdt->depth == 0) {
		open_root(fdt);
		return;
	}
	AXVMI_ASSERT(fdt->depth != 0);
	if (!is_node_name(name))
		fail(fdt, AXVM_EINVAL);
	open_node(fdt, name);
}

size_t axvmi_fdt_unit_name(char out[FDT_WRITER_NAME_SIZE], const char *name,
			   uint64_t unit)
{
	unsigned digits = unit == 0 ? 1 : highest_bit64(unit) / 4 + 1;
	size_t n;

	out[0] = '\0';
	if (!is_node_name(name))
		return 0;
	n = string_length(name);
	memcpy(out, name, n);
	out[n++] = '@';
	/* 2.2.1.1: no leading zeroes, lower case by custom. */
	while (digits-- != 0)
		out[n++] = "0123456789abcdef"[(unit >> (digits * 4)) & 0xf];
	out[n] = '\0';
	return n;
}

void axvmi_fdt_begin_node_at(struct fdt_writer *fdt, const char *name,
			     uint64_t unit)
{
	char full[FDT_WRITER_NAME_SIZE];

	AXVMI_ASSERT(fdt->depth != 0);
	if (axvmi_fdt_unit_name(full, name, unit) == 0)
		fail(fdt, AXVM_EINVAL);
	open_node(fdt, full);
}

void axvmi_fdt_end_node(struct fdt_writer *fdt)
{
	AXVMI_ASSERT(fdt->phase == FDT_WRITING_NODES && fdt->depth != 0);
	fdt->depth--;
	fdt->properties_allowed = false;
	put_token(fdt, TOKEN_END_NODE);
	/* There is one root. */
	if (fdt->depth == 0)
		fdt->phase = FDT_WRITING_DONE;
}

/*
 * Distances from the end of the strings block become offsets into it. The walk
 * trusts the tokens: they are this writer's own and the tree is complete.
 */
static void resolve_names(struct fdt_writer *fdt)
{
	uint8_t *at = fdt->base + fdt->structure;

	for (uint32_t token = get32(at); token != TOKEN_END;
	     token = get32(at)) {
		if (token == TOKEN_BEGIN_NODE) {
			const char *name = (const char *)(at + TOKEN_SIZE);

			at += TOKEN_SIZE + padded(string_length(name) + 1);
		} else if (token == TOKEN_PROPERTY) {
			uint32_t distance = get32(at + PROPERTY_NAME);

			put32(at + PROPERTY_NAME, fdt->strings - distance);
			at += PROPERTY_HEADER_SIZE +
			      padded(get32(at + PROPERTY_LENGTH));
		} else {
			at += TOKEN_SIZE;
		}
	}
}

int axvmi_fdt_finish(struct fdt_writer *fdt, uint32_t *size)
{
	/* Zero until here: an unfinished tree has no magic. */
	uint8_t *header = fdt->base;
	uint32_t total;

	AXVMI_ASSERT(fdt->phase == FDT_WRITING_DONE);
	put_token(fdt, TOKEN_END);
	if (fdt->error != 0)
		return fdt->error;
	resolve_names(fdt);
	/* They may overlap: the gap between them can be small. */
	memmove(fdt->base + fdt->used,
		fdt->base + (fdt->capacity - fdt->strings), fdt->strings);
	total = fdt->used + fdt->strings;
	put32(header, HEADER_MAGIC);
	put32(header + HEADER_TOTAL_SIZE, total);
	put32(header + HEADER_STRUCT_OFFSET, fdt->structure);
	put32(header + HEADER_STRINGS_OFFSET, fdt->used);
	put32(header + HEADER_RESERVATIONS_OFFSET, HEADER_SIZE);
	put32(header + HEADER_VERSION, VERSION);
	put32(header + HEADER_LAST_COMPATIBLE, LAST_COMPATIBLE);
	put32(header + HEADER_BOOT_CPU, fdt->boot_cpu);
	put32(header + HEADER_STRINGS_SIZE, fdt->strings);
	put32(header + HEADER_STRUCT_SIZE, fdt->used - fdt->structure);
	*size = total;
	return 0;
}

void axvmi_fdt_empty(struct fdt_writer *fdt, const char *name)
{
	begin_property(fdt, name, 0);
}

void axvmi_fdt_u32(struct fdt_writer *fdt, const char *name, uint32_t value)
{
	axvmi_fdt_cells(fdt, name, &value, 1);
}

void axvmi_fdt_u64(struct fdt_writer *fdt, const char *name, uint64_t value)
{
	uint8_t *at = begin_property(fdt, name, sizeof(value));

	if (at != NULL)
		put64(at, value);
}

void axvmi_fdt_cells(struct fdt_writer *fdt, const char *name,
		     const uint32_t *cells, uint32_t count)
{
	uint8_t *at = begin_property(fdt, name, (uint64_t)count * 4);

	for (uint32_t i = 0; at != NULL && i < count; i++)
		put32(at + (size_t)i * 4, cells[i]);
}

void axvmi_fdt_string(struct fdt_writer *fdt, const char *name,
		      const char *value)
{
	axvmi_fdt_string_list(fdt, name, &value, 1);
}

void axvmi_fdt_string_list(struct fdt_writer *fdt, const char *name,
			   const char *const *values, uint32_t count)
{
	uint64_t length = 0;
	uint8_t *at;

	for (uint32_t i = 0; i < count; i++)
		length += string_length(values[i]) + 1;
	at = begin_property(fdt, name, length);
	for (uint32_t i = 0; at != NULL && i < count; i++) {
		size_t size = string_length(values[i]) + 1;

		memcpy(at, values[i], size);
		at += size;
	}
}

void axvmi_fdt_bytes(struct fdt_writer *fdt, const char *name, const void *data,
		     size_t size)
{
	uint8_t *at = begin_property(fdt, name, size);

	if (at != NULL && size != 0)
		memcpy(at, data, size);
}

void axvmi_fdt_reg(struct fdt_writer *fdt, const struct fdt_range *ranges,
		   uint32_t count)
{
	uint8_t *at = begin_property(fdt, "reg", (uint64_t)count * 16);

	for (uint32_t i = 0; at != NULL && i < count; i++, at += 16) {
		put64(at, ranges[i].start);
		put64(at + 8, ranges[i].size);
	}
}
