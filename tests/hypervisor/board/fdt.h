/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Reads the flattened device tree that the firmware hands over. */
#ifndef FDT_H
#define FDT_H

#include <stdbool.h>
#include <stdint.h>

/* A property, the node it belongs to and that node's parent ("" for none). */
struct fdt_property {
	const char *parent;
	const char *node;
	const char *name;
	const uint8_t *data;
	uint32_t length;
};

/* Calls `visit` for every property in order; false: malformed tree. */
bool fdt_visit(const void *blob,
	       void (*visit)(const struct fdt_property *property));

uint32_t fdt_size(const void *blob);
/* Big-endian number of `cells` 32-bit cells; 0 if the property is shorter. */
uint64_t fdt_number(const struct fdt_property *property, uint32_t first_cell,
		    uint32_t cells);
/* "memory" and "memory@80000000" are both a "memory". */
bool fdt_is(const char *name, const char *wanted);

#endif
