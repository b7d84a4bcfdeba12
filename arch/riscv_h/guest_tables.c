/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * RISC-V nodes of the guest's device tree. Pure, owns nothing. The bindings are
 * those of the Linux kernel's Documentation/devicetree/bindings: riscv/cpus,
 * riscv/extensions, interrupt-controller/riscv,cpu-intc,
 * interrupt-controller/sifive,plic-1.0.0 and serial/8250.
 */
#include "guest_tables.h"

#include "assert.h"
#include "bits.h"
#include "mem.h"

/* scause code of the supervisor external interrupt (Privileged, scause). */
#define CAUSE_S_EXTERNAL 9u
/* riscv,plic0 binding: a context that goes nowhere. */
#define CAUSE_NONE UINT32_MAX
/* What a 16550 divides to get its baud rate, Hz: the virt board's value. */
#define UART_CLOCK 3686400u
#define PLIC_MAX_SOURCES 1023u

#define SERIAL_NAME "serial"
#define SOC_PATH "/soc/"

/*
 * In the order of "ISA Extension Naming Conventions" (Unprivileged ISA): single
 * letters, then Z by the letter that follows, then S.
 */
static const char isa_names[RISCV_ISA_COUNT][12] = {
	[RISCV_ISA_M] = "m",
	[RISCV_ISA_A] = "a",
	[RISCV_ISA_F] = "f",
	[RISCV_ISA_D] = "d",
	[RISCV_ISA_C] = "c",
	[RISCV_ISA_V] = "v",
	[RISCV_ISA_ZICBOM] = "zicbom",
	[RISCV_ISA_ZICBOP] = "zicbop",
	[RISCV_ISA_ZICBOZ] = "zicboz",
	[RISCV_ISA_ZICNTR] = "zicntr",
	[RISCV_ISA_ZICOND] = "zicond",
	[RISCV_ISA_ZICSR] = "zicsr",
	[RISCV_ISA_ZIFENCEI] = "zifencei",
	[RISCV_ISA_ZIHINTNTL] = "zihintntl",
	[RISCV_ISA_ZIHINTPAUSE] = "zihintpause",
	[RISCV_ISA_ZIHPM] = "zihpm",
	[RISCV_ISA_ZAWRS] = "zawrs",
	[RISCV_ISA_ZFA] = "zfa",
	[RISCV_ISA_ZFH] = "zfh",
	[RISCV_ISA_ZFHMIN] = "zfhmin",
	[RISCV_ISA_ZBA] = "zba",
	[RISCV_ISA_ZBB] = "zbb",
	[RISCV_ISA_ZBC] = "zbc",
	[RISCV_ISA_ZBKB] = "zbkb",
	[RISCV_ISA_ZBKC] = "zbkc",
	[RISCV_ISA_ZBKX] = "zbkx",
	[RISCV_ISA_ZBS] = "zbs",
	[RISCV_ISA_ZKND] = "zknd",
	[RISCV_ISA_ZKNE] = "zkne",
	[RISCV_ISA_ZKNH] = "zknh",
	[RISCV_ISA_ZKT] = "zkt",
	[RISCV_ISA_SSTC] = "sstc",
	[RISCV_ISA_SVADE] = "svade",
	[RISCV_ISA_SVINVAL] = "svinval",
	[RISCV_ISA_SVNAPOT] = "svnapot",
	[RISCV_ISA_SVPBMT] = "svpbmt",
};

static const char *const mmu_types[] = {
	[RISCV_MMU_SV39] = "riscv,sv39",
	[RISCV_MMU_SV48] = "riscv,sv48",
	[RISCV_MMU_SV57] = "riscv,sv57",
};

/* The assertion fails in the test of all extensions first. */
static size_t append(char *out, size_t at, const char *text)
{
	for (; *text != '\0'; text++) {
		AXVMI_ASSERT(at < RISCV_ISA_STRING_SIZE - 1);
		out[at++] = *text;
	}
	out[at] = '\0';
	return at;
}

size_t axvmi_riscv_isa_string(uint64_t isa, char out[RISCV_ISA_STRING_SIZE])
{
	size_t at = append(out, 0, "rv64i");

	for (unsigned i = 0; i < RISCV_ISA_COUNT; i++) {
		if (!(isa & BIT64(i)))
			continue;
		/* "_" sets longer names apart. */
		if (isa_names[i][1] != '\0')
			at = append(out, at, "_");
		at = append(out, at, isa_names[i]);
	}
	return at;
}

/* Phandles: one interrupt controller per vCPU, then the PLIC. */
static uint32_t cpu_intc(uint32_t vcpu)
{
	return vcpu + 1;
}

static uint32_t plic_phandle(uint32_t vcpu_count)
{
	return vcpu_count + 1;
}

uint32_t axvmi_riscv_first_phandle(uint32_t vcpu_count)
{
	return vcpu_count + 2;
}

/*
 * The old property and its two successors: Linux 6.12 prefers the latter,
 * U-Boot and older kernels know the former alone.
 */
static void write_isa(struct fdt_writer *fdt, uint64_t isa)
{
	char string[RISCV_ISA_STRING_SIZE];
	const char *names[RISCV_ISA_COUNT + 1] = {"i"};
	uint32_t count = 1;

	for (unsigned i = 0; i < RISCV_ISA_COUNT; i++) {
		if (isa & BIT64(i))
			names[count++] = isa_names[i];
	}
	axvmi_riscv_isa_string(isa, string);
	axvmi_fdt_string(fdt, "riscv,isa", string);
	axvmi_fdt_string(fdt, "riscv,isa-base", "rv64i");
	axvmi_fdt_string_list(fdt, "riscv,isa-extensions", names, count);
}

/*
 * Linux ignores an extension whose block size it is not told, so the two go
 * together; a size alone would say nothing.
 */
static void write_block_sizes(struct fdt_writer *fdt,
			      const struct riscv_tables_config *config)
{
	if ((config->isa & BIT64(RISCV_ISA_ZICBOM)) && config->cbom_block_size)
		axvmi_fdt_u32(fdt, "riscv,cbom-block-size",
			      config->cbom_block_size);
	if ((config->isa & BIT64(RISCV_ISA_ZICBOP)) && config->cbop_block_size)
		axvmi_fdt_u32(fdt, "riscv,cbop-block-size",
			      config->cbop_block_size);
	if ((config->isa & BIT64(RISCV_ISA_ZICBOZ)) && config->cboz_block_size)
		axvmi_fdt_u32(fdt, "riscv,cboz-block-size",
			      config->cboz_block_size);
}

static void write_cpu(struct fdt_writer *fdt,
		      const struct riscv_tables_config *config, uint32_t vcpu)
{
	uint32_t hart_id = config->hart_ids[vcpu];

	axvmi_fdt_begin_node_at(fdt, "cpu", hart_id);
	axvmi_fdt_string(fdt, "device_type", "cpu");
	axvmi_fdt_u32(fdt, "reg", hart_id);
	/* The rest is started by SBI HSM, not by what "disabled" means. */
	axvmi_fdt_string(fdt, "status", "okay");
	axvmi_fdt_string(fdt, "compatible", "riscv");
	write_isa(fdt, config->isa);
	write_block_sizes(fdt, config);
	axvmi_fdt_string(fdt, "mmu-type", mmu_types[config->mmu]);
	axvmi_fdt_begin_node(fdt, "interrupt-controller");
	axvmi_fdt_string(fdt, "compatible", "riscv,cpu-intc");
	axvmi_fdt_u32(fdt, "#address-cells", 0);
	axvmi_fdt_u32(fdt, "#interrupt-cells", 1);
	axvmi_fdt_empty(fdt, "interrupt-controller");
	axvmi_fdt_u32(fdt, "phandle", cpu_intc(vcpu));
	axvmi_fdt_end_node(fdt);
	axvmi_fdt_end_node(fdt);
}

/* One timebase for all: the guest's `time` is the same on every hart. */
static void write_cpus(struct fdt_writer *fdt,
		       const struct riscv_tables_config *config)
{
	axvmi_fdt_begin_node(fdt, "cpus");
	axvmi_fdt_u32(fdt, "#address-cells", 1);
	axvmi_fdt_u32(fdt, "#size-cells", 0);
	axvmi_fdt_u32(fdt, "timebase-frequency", config->timebase);
	for (uint32_t i = 0; i < config->vcpu_count; i++)
		write_cpu(fdt, config, i);
	axvmi_fdt_end_node(fdt);
}

/* One context per vCPU, its S-mode; real boards have an M-mode one before. */
static void write_plic(struct fdt_writer *fdt,
		       const struct riscv_tables_config *config)
{
	static const char *const compatible[] = {"sifive,plic-1.0.0",
						 "riscv,plic0"};
	uint32_t contexts[AXVM_MAX_VCPUS * 4];
	uint32_t count = 0;
	struct fdt_range reg = {config->plic_gpa, config->plic_size};

	/* Context 2n would be hart n's M-mode, which does not exist. */
	for (uint32_t i = 0; i < config->vcpu_count; i++) {
		contexts[count++] = cpu_intc(i);
		contexts[count++] = CAUSE_NONE;
		contexts[count++] = cpu_intc(i);
		contexts[count++] = CAUSE_S_EXTERNAL;
	}
	axvmi_fdt_begin_node_at(fdt, "interrupt-controller", reg.start);
	axvmi_fdt_string_list(fdt, "compatible", compatible,
			      ARRAY_SIZE(compatible));
	axvmi_fdt_reg(fdt, &reg, 1);
	axvmi_fdt_cells(fdt, "interrupts-extended", contexts, count);
	axvmi_fdt_u32(fdt, "riscv,ndev", config->plic_sources);
	axvmi_fdt_u32(fdt, "#address-cells", 0);
	axvmi_fdt_u32(fdt, "#interrupt-cells", 1);
	axvmi_fdt_empty(fdt, "interrupt-controller");
	axvmi_fdt_u32(fdt, "phandle", plic_phandle(config->vcpu_count));
	axvmi_fdt_end_node(fdt);
}

/* Without a PLIC nobody could deliver what `interrupts` promises. */
static void write_device(struct fdt_writer *fdt,
			 const struct riscv_tables_config *config,
			 struct fdt_device device)
{
	if (device.interrupt_parent == 0) {
		if (config->plic_size != 0)
			device.interrupt_parent =
				plic_phandle(config->vcpu_count);
		else
			device.interrupt_cells = 0;
	}
	axvmi_fdt_device(fdt, &device);
}

/* Registers are adjacent bytes, the binding's default: no reg-shift. */
static void write_uart(struct fdt_writer *fdt,
		       const struct riscv_tables_config *config,
		       const struct riscv_uart_config *uart)
{
	static const char *const compatible = "ns16550a";
	static const uint32_t clock = UART_CLOCK;
	static const struct fdt_cells properties[] = {
		{"clock-frequency", &clock, 1},
	};
	struct fdt_range reg = {uart->gpa, uart->size};
	struct fdt_device device = {
		.name = SERIAL_NAME,
		.compatible = &compatible,
		.compatible_count = 1,
		.reg = &reg,
		.reg_count = 1,
		.interrupts = &uart->irq,
		.interrupt_cells = uart->irq != 0,
		.properties = properties,
		.property_count = ARRAY_SIZE(properties),
	};

	write_device(fdt, config, device);
}

/*
 * Devices that Linux's platform bus finds: it looks into simple-bus nodes only.
 */
static void write_soc(struct fdt_writer *fdt,
		      const struct riscv_tables_config *config)
{
	axvmi_fdt_begin_node(fdt, "soc");
	axvmi_fdt_string(fdt, "compatible", "simple-bus");
	axvmi_fdt_u32(fdt, "#address-cells", 2);
	axvmi_fdt_u32(fdt, "#size-cells", 2);
	/* Empty: the bus's addresses are guest-physical ones. */
	axvmi_fdt_empty(fdt, "ranges");
	if (config->plic_size != 0)
		write_plic(fdt, config);
	for (uint32_t i = 0; i < config->uart_count; i++)
		write_uart(fdt, config, &config->uarts[i]);
	for (uint32_t i = 0; i < config->device_count; i++) {
		if (config->devices[i].reg_count != 0)
			write_device(fdt, config, config->devices[i]);
	}
	axvmi_fdt_end_node(fdt);
}

/* The full path: an alias would have to be written and looked up. */
static void write_chosen(struct fdt_writer *fdt,
			 const struct riscv_tables_config *config)
{
	char console[sizeof(SOC_PATH) + FDT_WRITER_NAME_SIZE] = SOC_PATH;
	struct fdt_chosen chosen = {
		.bootargs = config->bootargs,
		.initrd_start = config->initrd.start,
		.initrd_size = config->initrd.size,
	};

	if (config->uart_count != 0) {
		axvmi_fdt_unit_name(console + sizeof(SOC_PATH) - 1, SERIAL_NAME,
				    config->uarts[0].gpa);
		chosen.stdout_path = console;
	}
	axvmi_fdt_chosen(fdt, &chosen);
}

/* The VM's configuration was checked long before; these are our own bugs. */
static void check(const struct riscv_tables_config *config)
{
	AXVMI_ASSERT(config->vcpu_count != 0 &&
		     config->vcpu_count <= AXVM_MAX_VCPUS);
	AXVMI_ASSERT(config->boot_vcpu < config->vcpu_count);
	AXVMI_ASSERT((size_t)config->mmu < ARRAY_SIZE(mmu_types));
	AXVMI_ASSERT(config->plic_size == 0 ||
		     (config->plic_sources != 0 &&
		      config->plic_sources <= PLIC_MAX_SOURCES));
}

int axvmi_riscv_guest_tables(const struct riscv_tables_config *config,
			     void *buffer, size_t capacity, uint32_t *size)
{
	static const char *const compatible[] = {"axvm,riscv", "riscv-virtio"};
	const char *model = config->model;
	struct fdt_writer fdt;

	check(config);
	axvmi_fdt_begin(&fdt, buffer, capacity);
	fdt.boot_cpu = config->hart_ids[config->boot_vcpu];
	axvmi_fdt_begin_root(&fdt, model != NULL ? model : compatible[0],
			     compatible, ARRAY_SIZE(compatible));
	write_chosen(&fdt, config);
	axvmi_fdt_memory(&fdt, config->regions, config->region_count);
	write_cpus(&fdt, config);
	write_soc(&fdt, config);
	for (uint32_t i = 0; i < config->device_count; i++) {
		if (config->devices[i].reg_count == 0)
			write_device(&fdt, config, config->devices[i]);
	}
	axvmi_fdt_end_node(&fdt);
	return axvmi_fdt_finish(&fdt, size);
}
