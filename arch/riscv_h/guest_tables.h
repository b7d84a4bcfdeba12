/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The device tree a RISC-V guest sees: a machine like QEMU's virt board, but
 * with S-mode only. Pure; called when a VM is loaded and at each reset.
 */
#ifndef AXVMI_RISCV_GUEST_TABLES_H
#define AXVMI_RISCV_GUEST_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "axvm/config.h"
#include "fdt_writer.h"

/* Extensions a guest may be told of; bit numbers of `isa`. */
enum riscv_isa {
	RISCV_ISA_M,
	RISCV_ISA_A,
	RISCV_ISA_F,
	RISCV_ISA_D,
	RISCV_ISA_C,
	RISCV_ISA_V,
	RISCV_ISA_ZICBOM, /* needs cbom_block_size */
	RISCV_ISA_ZICBOP, /* needs cbop_block_size */
	RISCV_ISA_ZICBOZ, /* needs cboz_block_size */
	RISCV_ISA_ZICNTR,
	RISCV_ISA_ZICOND,
	RISCV_ISA_ZICSR,
	RISCV_ISA_ZIFENCEI,
	RISCV_ISA_ZIHINTNTL,
	RISCV_ISA_ZIHINTPAUSE,
	RISCV_ISA_ZIHPM,
	RISCV_ISA_ZAWRS,
	RISCV_ISA_ZFA,
	RISCV_ISA_ZFH,
	RISCV_ISA_ZFHMIN,
	RISCV_ISA_ZBA,
	RISCV_ISA_ZBB,
	RISCV_ISA_ZBC,
	RISCV_ISA_ZBKB,
	RISCV_ISA_ZBKC,
	RISCV_ISA_ZBKX,
	RISCV_ISA_ZBS,
	RISCV_ISA_ZKND,
	RISCV_ISA_ZKNE,
	RISCV_ISA_ZKNH,
	RISCV_ISA_ZKT,
	RISCV_ISA_SSTC,
	RISCV_ISA_SVADE,
	RISCV_ISA_SVINVAL,
	RISCV_ISA_SVNAPOT,
	RISCV_ISA_SVPBMT,
	RISCV_ISA_COUNT,
};

/* Widest first-stage translation of the guest (vsatp). */
enum riscv_mmu {
	RISCV_MMU_SV39,
	RISCV_MMU_SV48,
	RISCV_MMU_SV57,
};

struct riscv_uart_config {
	uint64_t gpa;
	uint64_t size;
	uint32_t irq; /* PLIC source; 0: the driver polls */
};

struct riscv_tables_config {
	const char *model; /* NULL: "axvm,riscv" */
	uint32_t vcpu_count; /* 1..AXVM_MAX_VCPUS */
	const uint32_t *hart_ids; /* vcpu_count of them, no two alike */
	uint32_t boot_vcpu;
	uint32_t timebase; /* Hz */
	uint64_t isa; /* BIT64(enum riscv_isa) set; I is always there */
	uint32_t cbom_block_size; /* bytes, as the two below; 0: not told */
	uint32_t cbop_block_size;
	uint32_t cboz_block_size;
	enum riscv_mmu mmu;
	uint64_t plic_gpa;
	uint64_t plic_size; /* 0: no PLIC, and no interrupts of devices */
	uint32_t plic_sources; /* highest source number, 1..1023 */
	const struct riscv_uart_config *uarts; /* the first is the console */
	uint32_t uart_count;
	const struct axvm_region_config *regions;
	uint32_t region_count;
	struct fdt_range initrd; /* size 0: none */
	const char *bootargs; /* NULL: none */
	/*
	 * Further devices. Those with `reg` go under /soc; their interrupts
	 * are PLIC sources unless they name a parent; phandles from
	 * axvmi_riscv_first_phandle() on are theirs.
	 */
	const struct fdt_device *devices;
	uint32_t device_count;
};

/*
 * Writes the whole tree. Its size does not depend on addresses of images, so
 * it can be asked for before they are placed. Returns 0 with the tree's size,
 * AXVM_ENOSPC, or AXVM_EINVAL for a device whose name is no node name.
 */
int axvmi_riscv_guest_tables(const struct riscv_tables_config *config,
			     void *buffer, size_t capacity, uint32_t *size);

/* Phandles below are the CPUs' and the PLIC's. */
uint32_t axvmi_riscv_first_phandle(uint32_t vcpu_count);

/* Longest result, every extension present, and the NUL. */
#define RISCV_ISA_STRING_SIZE 256u

/* "rv64i" and what follows, e.g. rv64imac_zicsr; returns the length. */
size_t axvmi_riscv_isa_string(uint64_t isa, char out[RISCV_ISA_STRING_SIZE]);

#endif
