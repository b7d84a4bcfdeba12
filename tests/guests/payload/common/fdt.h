/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Reads a flattened device tree from its start to its end (Devicetree
 * Specification, "Flattened Devicetree Format").
 */
#ifndef FDT_H
#define FDT_H

#include <stdbool.h>
#include <stdint.h>

struct fdt_handler {
	void (*node)(const char *name);
	/* `parent` is "" where there is none that is worth a name. */
	void (*property)(const char *parent, const char *node, const char *name,
			 const uint8_t *value, uint32_t length);
};

/* False when there is no device tree. */
bool fdt_read(const void *fdt, const struct fdt_handler *handler);

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static inline bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static inline bool starts(const char *s, const char *prefix)
{
	while (*prefix != '\0') {
		if (*s++ != *prefix++)
			return false;
	}
	return true;
}

#endif
