/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The device-tree nodes that look alike on every architecture (Devicetree
 * Specification v0.4, chapter 3). Owns nothing; called by the backends'
 * guest_tables.c.
 */
#include "fdt_writer.h"

void axvmi_fdt_begin_root(struct fdt_writer *fdt, const char *model,
			  const char *const *compatible, uint32_t count)
{
	axvmi_fdt_begin_node(fdt, "");
	axvmi_fdt_u32(fdt, "#address-cells", 2);
	axvmi_fdt_u32(fdt, "#size-cells", 2);
	axvmi_fdt_string(fdt, "model", model);
	axvmi_fdt_string_list(fdt, "compatible", compatible, count);
}

/* 3.6 /chosen; the initrd's two are Linux's own and may be 64 bits wide. */
void axvmi_fdt_chosen(struct fdt_writer *fdt, const struct fdt_chosen *chosen)
{
	axvmi_fdt_begin_node(fdt, "chosen");
	if (chosen->bootargs != NULL)
		axvmi_fdt_string(fdt, "bootargs", chosen->bootargs);
	if (chosen->stdout_path != NULL)
		axvmi_fdt_string(fdt, "stdout-path", chosen->stdout_path);
	if (chosen->initrd_size != 0) {
		axvmi_fdt_u64(fdt, "linux,initrd-start", chosen->initrd_start);
		axvmi_fdt_u64(fdt, "linux,initrd-end",
			      chosen->initrd_start + chosen->initrd_size);
	}
	axvmi_fdt_end_node(fdt);
}

/* 3.4 /memory. What cannot be written is ROM, and no guest's free memory. */
void axvmi_fdt_memory(struct fdt_writer *fdt,
		      const struct axvm_region_config *regions, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct fdt_range range = {regions[i].gpa.value,
					  regions[i].size};

		if (!(regions[i].access & AXVM_WRITE))
			continue;
		axvmi_fdt_begin_node_at(fdt, "memory", range.start);
		axvmi_fdt_string(fdt, "device_type", "memory");
		axvmi_fdt_reg(fdt, &range, 1);
		axvmi_fdt_end_node(fdt);
	}
}

void axvmi_fdt_begin_device(struct fdt_writer *fdt,
			    const struct fdt_device *device)
{
	if (device->reg_count != 0)
		axvmi_fdt_begin_node_at(fdt, device->name,
					device->reg[0].start);
	else
		axvmi_fdt_begin_node(fdt, device->name);
	if (device->compatible_count != 0)
		axvmi_fdt_string_list(fdt, "compatible", device->compatible,
				      device->compatible_count);
	if (device->reg_count != 0)
		axvmi_fdt_reg(fdt, device->reg, device->reg_count);
	if (device->interrupt_cells != 0) {
		if (device->interrupt_parent != 0)
			axvmi_fdt_u32(fdt, "interrupt-parent",
				      device->interrupt_parent);
		axvmi_fdt_cells(fdt, "interrupts", device->interrupts,
				device->interrupt_cells);
	}
	if (device->phandle != 0)
		axvmi_fdt_u32(fdt, "phandle", device->phandle);
	for (uint32_t i = 0; i < device->property_count; i++)
		axvmi_fdt_cells(fdt, device->properties[i].name,
				device->properties[i].cells,
				device->properties[i].count);
}

void axvmi_fdt_device(struct fdt_writer *fdt, const struct fdt_device *device)
{
	axvmi_fdt_begin_device(fdt, device);
	axvmi_fdt_end_node(fdt);
}
