/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Writes a flattened device tree front to back into a buffer of the caller's
 * (Devicetree Specification v0.4, chapter 5). The first error sticks and is
 * returned by axvmi_fdt_finish(); nothing is written past the buffer. Calls out
 * of order are bugs of the library and assert. Not named fdt.h because libfdt,
 * with which the tests read trees, includes a header of that name.
 */
#ifndef AXVMI_FDT_WRITER_H
#define AXVMI_FDT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "axvm/config.h"

/* Deepest nesting of nodes, the root included. */
#define FDT_WRITER_DEPTH 8u
/* Room for "name@unit-address" and the terminating NUL. */
#define FDT_WRITER_NAME_SIZE (31u + 1u + 16u + 1u)

enum fdt_writer_phase {
	FDT_WRITING_RESERVATIONS,
	FDT_WRITING_NODES,
	FDT_WRITING_DONE,
};

/*
 * Structure data grows up from the start, property names grow down from the
 * end; both meet when the buffer is exactly full.
 */
struct fdt_writer {
	uint8_t *base;
	uint32_t capacity;
	uint32_t used; /* bytes at the start */
	uint32_t strings; /* bytes at the end */
	uint32_t structure; /* offset of the structure block */
	uint32_t depth;
	uint32_t boot_cpu; /* `reg` of the CPU that starts; 0 at first */
	enum fdt_writer_phase phase;
	bool properties_allowed; /* they precede subnodes */
	int error;
};

struct fdt_range {
	uint64_t start;
	uint64_t size;
};

/* A property of 32-bit cells; without cells it is an empty one. */
struct fdt_cells {
	const char *name;
	const uint32_t *cells;
	uint32_t count;
};

/*
 * A node with the common properties. Names may come from a configuration: one
 * that is no node name (Devicetree Specification 2.2.1) is AXVM_EINVAL. The
 * unit address is the first range's start.
 */
struct fdt_device {
	const char *name;
	const char *const *compatible;
	uint32_t compatible_count;
	const struct fdt_range *reg;
	uint32_t reg_count;
	const uint32_t *interrupts; /* cells, as the parent defines them */
	uint32_t interrupt_cells;
	uint32_t interrupt_parent; /* phandle; 0: inherited from above */
	uint32_t phandle; /* 0: none */
	const struct fdt_cells *properties; /* further ones */
	uint32_t property_count;
};

struct fdt_chosen {
	const char *bootargs; /* NULL: none */
	uint64_t initrd_start;
	uint64_t initrd_size; /* 0: none */
	const char *stdout_path; /* NULL: none */
};

void axvmi_fdt_begin(struct fdt_writer *fdt, void *buffer, size_t size);
/* Memory the guest must not use; before the first node. */
void axvmi_fdt_reserve(struct fdt_writer *fdt, uint64_t start, uint64_t size);
/* The root is the node named "". */
void axvmi_fdt_begin_node(struct fdt_writer *fdt, const char *name);
/* "name@unit", unit in hexadecimal. */
void axvmi_fdt_begin_node_at(struct fdt_writer *fdt, const char *name,
			     uint64_t unit);
void axvmi_fdt_end_node(struct fdt_writer *fdt);
/* 0, AXVM_ENOSPC or AXVM_EINVAL. `size` is written on success only. */
int axvmi_fdt_finish(struct fdt_writer *fdt, uint32_t *size);

void axvmi_fdt_empty(struct fdt_writer *fdt, const char *name);
void axvmi_fdt_u32(struct fdt_writer *fdt, const char *name, uint32_t value);
void axvmi_fdt_u64(struct fdt_writer *fdt, const char *name, uint64_t value);
void axvmi_fdt_cells(struct fdt_writer *fdt, const char *name,
		     const uint32_t *cells, uint32_t count);
void axvmi_fdt_string(struct fdt_writer *fdt, const char *name,
		      const char *value);
void axvmi_fdt_string_list(struct fdt_writer *fdt, const char *name,
			   const char *const *values, uint32_t count);
void axvmi_fdt_bytes(struct fdt_writer *fdt, const char *name, const void *data,
		     size_t size);
/* "reg" with two address and two size cells per range. */
void axvmi_fdt_reg(struct fdt_writer *fdt, const struct fdt_range *ranges,
		   uint32_t count);

/*
 * Writes "name@unit" and a NUL; a name that is none gives an empty string.
 * Returns the length without the NUL.
 */
size_t axvmi_fdt_unit_name(char out[FDT_WRITER_NAME_SIZE], const char *name,
			   uint64_t unit);

/* Begins the root node: two address and size cells, model, compatible. */
void axvmi_fdt_begin_root(struct fdt_writer *fdt, const char *model,
			  const char *const *compatible, uint32_t count);
void axvmi_fdt_chosen(struct fdt_writer *fdt, const struct fdt_chosen *chosen);
/* One /memory node per region that the guest may write. */
void axvmi_fdt_memory(struct fdt_writer *fdt,
		      const struct axvm_region_config *regions, uint32_t count);
/* Leaves the node open for what else it needs. */
void axvmi_fdt_begin_device(struct fdt_writer *fdt,
			    const struct fdt_device *device);
void axvmi_fdt_device(struct fdt_writer *fdt, const struct fdt_device *device);

#endif
