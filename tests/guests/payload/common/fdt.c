/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The reader of fdt.h. Called by the boot CPU, before it has started others. */
#include "fdt.h"

#define MAGIC 0xd00dfeedu
#define BEGIN_NODE 1u
#define END_NODE 2u
#define PROPERTY 3u
#define NOP 4u
#define MAX_DEPTH 8u

static uint32_t string_size(const char *s)
{
	uint32_t n = 1;

	while (*s++ != '\0')
		n++;
	return n;
}

/* Nodes that are nested too deep count as their ancestor. */
bool fdt_read(const void *fdt, const struct fdt_handler *handler)
{
	const uint8_t *at = fdt;
	const char *strings = fdt;
	const char *names[MAX_DEPTH] = {"", ""};
	uint32_t depth = 1;

	if (((uint64_t)fdt & 7) != 0 || be32(fdt) != MAGIC)
		return false;
	strings += be32(at + 12);
	at += be32(at + 8);
	for (;;) {
		uint32_t token = be32(at);
		uint32_t length;

		at += 4;
		if (token == BEGIN_NODE) {
			depth += depth + 1 < MAX_DEPTH;
			names[depth] = (const char *)at;
			handler->node(names[depth]);
			at += (string_size(names[depth]) + 3) & ~3u;
		} else if (token == END_NODE) {
			depth -= depth > 1;
		} else if (token == PROPERTY) {
			length = be32(at);
			handler->property(names[depth - 1], names[depth],
					  strings + be32(at + 4), at + 8,
					  length);
			at += 8 + ((length + 3) & ~3u);
		} else if (token != NOP) {
			return true;
		}
	}
}
