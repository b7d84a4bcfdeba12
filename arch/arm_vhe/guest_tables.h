/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The device tree an ARM guest sees: a machine like QEMU's virt board without
 * EL2. Pure; called when a VM is loaded and at each reset.
 */
#ifndef AXVMI_ARM_GUEST_TABLES_H
#define AXVMI_ARM_GUEST_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "axvm/config.h"
#include "fdt_writer.h"

/* A PL011. */
struct arm_uart_config {
	uint64_t gpa;
	uint64_t size;
	uint32_t intid; /* SPI, level-sensitive; below 32: the driver polls */
};

struct arm_tables_config {
	const char *model; /* NULL: "axvm,arm" */
	uint32_t vcpu_count; /* 1..AXVM_MAX_VCPUS */
	/* Of each: MPIDR_EL1's affinity fields, no two alike; below 2^32. */
	const uint32_t *affinities;
	uint32_t boot_vcpu;
	struct fdt_range gicd; /* size 0: no GIC, and no interrupts at all */
	struct fdt_range gicr;
	const struct arm_uart_config *uarts; /* the first is the console */
	uint32_t uart_count;
	const struct axvm_region_config *regions;
	uint32_t region_count;
	struct fdt_range initrd; /* size 0: none */
	const char *bootargs; /* NULL: none */
	/*
	 * Further devices. Interrupts are three cells of the GIC's binding
	 * unless they name a parent; phandles from ARM_FIRST_PHANDLE on are
	 * theirs.
	 */
	const struct fdt_device *devices;
	uint32_t device_count;
};

/* Phandles below are the GIC's and the clock's. */
#define ARM_FIRST_PHANDLE 3u

/* Cells of the GIC's binding: kind, number in it, trigger. */
#define ARM_GIC_CELLS 3u

/* Of an SPI by its INTID, rising edge or active high. */
void axvmi_arm_spi_cells(uint32_t cells[ARM_GIC_CELLS], uint32_t intid,
			 bool edge);

/*
 * Writes the whole tree. Its size does not depend on addresses of images, so
 * it can be asked for before they are placed. Returns 0 with the tree's size,
 * AXVM_ENOSPC, or AXVM_EINVAL for a device whose name is no node name.
 */
int axvmi_arm_guest_tables(const struct arm_tables_config *config, void *buffer,
			   size_t capacity, uint32_t *size);

#endif
