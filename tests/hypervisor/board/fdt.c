/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A reader for flattened device trees (Devicetree Specification 0.4, chapter
 * 5). Every offset is checked against the blob's size. No state.
 */
#include "fdt.h"

#include <stddef.h>

#define MAGIC 0xd00dfeedu
#define MAX_SIZE (1u << 20)
#define MAX_DEPTH 8u

enum {
	BEGIN_NODE = 1,
	END_NODE = 2,
	PROPERTY = 3,
	NOP = 4,
	END = 9
};

struct reader {
	const uint8_t *at, *end; /* in the structure block */
	const char *strings;
	uint32_t strings_size;
	const char *path[MAX_DEPTH + 1]; /* path[0] is the root's parent */
	uint32_t depth;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* Steps over bytes and their padding to four. */
static bool skip(struct reader *r, uint32_t length)
{
	if (length > MAX_SIZE ||
	    r->end - r->at < (ptrdiff_t)((length + 3) & ~3u))
		return false;
	r->at += (length + 3) & ~3u;
	return true;
}

static bool next_cell(struct reader *r, uint32_t *cell)
{
	const uint8_t *at = r->at;

	if (!skip(r, 4))
		return false;
	*cell = be32(at);
	return true;
}

static bool begin_node(struct reader *r)
{
	const char *name = (const char *)r->at;
	uint32_t length = 0;

	if (r->depth == MAX_DEPTH)
		return false;
	r->path[++r->depth] = name;
	while (length < r->end - r->at && name[length] != '\0')
		length++;
	return skip(r, length + 1);
}

static bool read_property(struct reader *r,
			  void (*visit)(const struct fdt_property *))
{
	struct fdt_property p;
	uint32_t name;

	if (!next_cell(r, &p.length) || !next_cell(r, &name) ||
	    name >= r->strings_size || r->depth == 0)
		return false;
	p.data = r->at;
	p.parent = r->path[r->depth - 1];
	p.node = r->path[r->depth];
	p.name = r->strings + name;
	if (!skip(r, p.length))
		return false;
	visit(&p);
	return true;
}

uint32_t fdt_size(const void *blob)
{
	const uint8_t *header = blob;
	uint32_t size = be32(header + 4);

	return be32(header) == MAGIC && size <= MAX_SIZE ? size : 0;
}

/* Offset and size of a block, as the header has them, lie in the blob. */
static bool inside(const uint8_t *header, uint32_t offset, uint32_t size)
{
	uint32_t total = fdt_size(header);

	return offset <= total && size <= total - offset;
}

bool fdt_visit(const void *blob, void (*visit)(const struct fdt_property *))
{
	const uint8_t *header = blob;
	struct reader r = {.path = {""}};
	uint32_t token;

	r.at = header + be32(header + 8);
	r.end = r.at + be32(header + 36);
	r.strings = (const char *)header + be32(header + 12);
	r.strings_size = be32(header + 32);
	/* The last name ends, and so all names do. */
	if (!inside(header, be32(header + 8), be32(header + 36)) ||
	    !inside(header, be32(header + 12), r.strings_size) ||
	    r.strings_size == 0 || r.strings[r.strings_size - 1] != '\0')
		return false;
	while (next_cell(&r, &token) && token != END) {
		if (token == BEGIN_NODE ? !begin_node(&r)
		    : token == PROPERTY ? !read_property(&r, visit)
		    : token == END_NODE ? r.depth-- == 0
					: token != NOP)
			return false;
	}
	return r.depth == 0;
}

uint64_t fdt_number(const struct fdt_property *property, uint32_t first_cell,
		    uint32_t cells)
{
	uint64_t value = 0;

	if (property->length / 4 < first_cell + cells)
		return 0;
	for (uint32_t i = first_cell; i < first_cell + cells; i++)
		value = value << 32 | be32(property->data + 4 * (size_t)i);
	return value;
}

bool fdt_is(const char *name, const char *wanted)
{
	for (; *wanted != '\0' && *name == *wanted; name++)
		wanted++;
	return *wanted == '\0' && (*name == '\0' || *name == '@');
}
