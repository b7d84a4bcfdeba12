/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * ARM nodes of the guest's device tree. Pure, owns nothing. The bindings are
 * those of the Linux kernel's Documentation/devicetree/bindings: arm/cpus,
 * arm/psci, timer/arm,arch_timer, interrupt-controller/arm,gic-v3, serial/pl011
 * and clock/fixed-clock.
 */
#include "guest_tables.h"

#include "assert.h"
#include "bits.h"

enum phandle {
	PHANDLE_GIC = 1,
	PHANDLE_CLOCK = 2,
};

/* "arm,gic-v3": the kinds, and the triggers that are in use. */
#define GIC_SPI 0u
#define GIC_PPI 1u
#define IRQ_EDGE_RISING 1u
#define IRQ_LEVEL_HIGH 4u
#define IRQ_LEVEL_LOW 8u
#define FIRST_PPI 16u
#define FIRST_SPI 32u

/* What the PL011 divides to get its baud rate, Hz: the virt board's value. */
#define UART_CLOCK 24000000u

#define SERIAL_NAME "serial"

static bool has_gic(const struct arm_tables_config *config)
{
	return config->gicd.size != 0;
}

void axvmi_arm_spi_cells(uint32_t cells[ARM_GIC_CELLS], uint32_t intid,
			 bool edge)
{
	cells[0] = GIC_SPI;
	cells[1] = intid - FIRST_SPI;
	cells[2] = edge ? IRQ_EDGE_RISING : IRQ_LEVEL_HIGH;
}

/* One address cell: Aff3 is 0 here. */
static void write_cpus(struct fdt_writer *fdt,
		       const struct arm_tables_config *config)
{
	axvmi_fdt_begin_node(fdt, "cpus");
	axvmi_fdt_u32(fdt, "#address-cells", 1);
	axvmi_fdt_u32(fdt, "#size-cells", 0);
	for (uint32_t i = 0; i < config->vcpu_count; i++) {
		axvmi_fdt_begin_node_at(fdt, "cpu", config->affinities[i]);
		axvmi_fdt_string(fdt, "device_type", "cpu");
		axvmi_fdt_string(fdt, "compatible", "arm,armv8");
		axvmi_fdt_u32(fdt, "reg", config->affinities[i]);
		axvmi_fdt_string(fdt, "enable-method", "psci");
		axvmi_fdt_end_node(fdt);
	}
	axvmi_fdt_end_node(fdt);
}

/* 0.2 says that functions have their standard numbers. */
static void write_psci(struct fdt_writer *fdt)
{
	static const char *const compatible[] = {"arm,psci-1.0",
						 "arm,psci-0.2"};

	axvmi_fdt_begin_node(fdt, "psci");
	axvmi_fdt_string_list(fdt, "compatible", compatible,
			      ARRAY_SIZE(compatible));
	axvmi_fdt_string(fdt, "method", "hvc");
	axvmi_fdt_end_node(fdt);
}

/*
 * Secure physical, non-secure physical, virtual and EL2 physical timer, as on
 * all machines ("PPI assignments", Base System Architecture). The guest has the
 * second and the third, but the list is read by position.
 */
static void write_timer(struct fdt_writer *fdt)
{
	static const uint32_t intids[] = {29, 30, 27, 26};
	uint32_t cells[ARRAY_SIZE(intids) * ARM_GIC_CELLS];

	for (size_t i = 0; i < ARRAY_SIZE(intids); i++) {
		cells[ARM_GIC_CELLS * i] = GIC_PPI;
		cells[ARM_GIC_CELLS * i + 1] = intids[i] - FIRST_PPI;
		cells[ARM_GIC_CELLS * i + 2] = IRQ_LEVEL_LOW;
	}
	axvmi_fdt_begin_node(fdt, "timer");
	axvmi_fdt_string(fdt, "compatible", "arm,armv8-timer");
	axvmi_fdt_cells(fdt, "interrupts", cells, ARRAY_SIZE(cells));
	/* Neither stops while the guest sleeps. */
	axvmi_fdt_empty(fdt, "always-on");
	axvmi_fdt_end_node(fdt);
}

static void write_gic(struct fdt_writer *fdt,
		      const struct arm_tables_config *config)
{
	struct fdt_range reg[] = {config->gicd, config->gicr};

	axvmi_fdt_begin_node_at(fdt, "interrupt-controller", reg[0].start);
	axvmi_fdt_string(fdt, "compatible", "arm,gic-v3");
	axvmi_fdt_u32(fdt, "#address-cells", 0);
	axvmi_fdt_u32(fdt, "#interrupt-cells", ARM_GIC_CELLS);
	axvmi_fdt_empty(fdt, "interrupt-controller");
	axvmi_fdt_reg(fdt, reg, ARRAY_SIZE(reg));
	axvmi_fdt_u32(fdt, "phandle", PHANDLE_GIC);
	axvmi_fdt_end_node(fdt);
}

static void write_clock(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node(fdt, "clock");
	axvmi_fdt_string(fdt, "compatible", "fixed-clock");
	axvmi_fdt_u32(fdt, "#clock-cells", 0);
	axvmi_fdt_u32(fdt, "clock-frequency", UART_CLOCK);
	axvmi_fdt_u32(fdt, "phandle", PHANDLE_CLOCK);
	axvmi_fdt_end_node(fdt);
}

/* Without a GIC nobody could deliver what `interrupts` promises. */
static void write_device(struct fdt_writer *fdt,
			 const struct arm_tables_config *config,
			 struct fdt_device device)
{
	if (device.interrupt_parent == 0 && !has_gic(config))
		device.interrupt_cells = 0;
	axvmi_fdt_device(fdt, &device);
}

/* "arm,primecell": the driver's bus wants the clock of the interface, too. */
static void write_uart(struct fdt_writer *fdt,
		       const struct arm_tables_config *config,
		       const struct arm_uart_config *uart)
{
	static const char *const compatible[] = {"arm,pl011", "arm,primecell"};
	static const char *const clock_names[] = {"uartclk", "apb_pclk"};
	static const uint32_t clocks[] = {PHANDLE_CLOCK, PHANDLE_CLOCK};
	struct fdt_range reg = {uart->gpa, uart->size};
	uint32_t interrupts[ARM_GIC_CELLS];
	struct fdt_device device = {
		.name = SERIAL_NAME,
		.compatible = compatible,
		.compatible_count = ARRAY_SIZE(compatible),
		.reg = &reg,
		.reg_count = 1,
		.interrupts = interrupts,
		.interrupt_cells = ARM_GIC_CELLS,
	};

	axvmi_arm_spi_cells(interrupts, uart->intid, false);
	if (uart->intid < FIRST_SPI || !has_gic(config))
		device.interrupt_cells = 0;
	axvmi_fdt_begin_device(fdt, &device);
	axvmi_fdt_cells(fdt, "clocks", clocks, ARRAY_SIZE(clocks));
	axvmi_fdt_string_list(fdt, "clock-names", clock_names,
			      ARRAY_SIZE(clock_names));
	axvmi_fdt_end_node(fdt);
}

/* The full path: an alias would have to be written and looked up. */
static void write_chosen(struct fdt_writer *fdt,
			 const struct arm_tables_config *config)
{
	char console[1 + FDT_WRITER_NAME_SIZE] = "/";
	struct fdt_chosen chosen = {
		.bootargs = config->bootargs,
		.initrd_start = config->initrd.start,
		.initrd_size = config->initrd.size,
	};

	if (config->uart_count != 0) {
		axvmi_fdt_unit_name(console + 1, SERIAL_NAME,
				    config->uarts[0].gpa);
		chosen.stdout_path = console;
	}
	axvmi_fdt_chosen(fdt, &chosen);
}

/* The VM's configuration was checked long before; these are our own bugs. */
static void check(const struct arm_tables_config *config)
{
	AXVMI_ASSERT(config->vcpu_count != 0 &&
		     config->vcpu_count <= AXVM_MAX_VCPUS);
	AXVMI_ASSERT(config->boot_vcpu < config->vcpu_count);
}

int axvmi_arm_guest_tables(const struct arm_tables_config *config, void *buffer,
			   size_t capacity, uint32_t *size)
{
	static const char *const compatible[] = {"axvm,arm",
						 "linux,dummy-virt"};
	const char *model = config->model;
	struct fdt_writer fdt;

	check(config);
	axvmi_fdt_begin(&fdt, buffer, capacity);
	fdt.boot_cpu = config->affinities[config->boot_vcpu];
	axvmi_fdt_begin_root(&fdt, model != NULL ? model : compatible[0],
			     compatible, ARRAY_SIZE(compatible));
	if (has_gic(config))
		axvmi_fdt_u32(&fdt, "interrupt-parent", PHANDLE_GIC);
	write_chosen(&fdt, config);
	axvmi_fdt_memory(&fdt, config->regions, config->region_count);
	write_cpus(&fdt, config);
	write_psci(&fdt);
	if (has_gic(config)) {
		write_timer(&fdt);
		write_gic(&fdt, config);
	}
	if (config->uart_count != 0)
		write_clock(&fdt);
	for (uint32_t i = 0; i < config->uart_count; i++)
		write_uart(&fdt, config, &config->uarts[i]);
	for (uint32_t i = 0; i < config->device_count; i++)
		write_device(&fdt, config, config->devices[i]);
	axvmi_fdt_end_node(&fdt);
	return axvmi_fdt_finish(&fdt, size);
}
