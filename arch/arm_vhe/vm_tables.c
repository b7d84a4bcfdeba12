/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * From a VM's configuration to what guest_tables.c writes. Pure; called when a
 * VM is loaded and at each reset.
 */
#include "guest_tables.h"
#include "vm.h"

struct ivc_node {
	struct fdt_device device;
	struct fdt_range reg[2];
	uint32_t interrupt[ARM_GIC_CELLS];
};

static uint32_t list_uarts(const struct axvm_vm *vm,
			   struct arm_uart_config *uarts)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < vm->config.emu_device_count; i++) {
		const struct axvm_emu_device_config *d =
			&vm->config.emu_devices[i];

		if (d->type != AXVM_EMU_CONSOLE)
			continue;
		uarts[count].gpa = d->gpa.value;
		uarts[count].size = d->size;
		uarts[count].intid = d->irq;
		count++;
	}
	return count;
}

/* The node of axvm/ivc.h. Returns how many devices it is. */
static uint32_t describe_ivc(const struct axvm_vm *vm, struct ivc_node *node)
{
	static const char *const compatible = "axvm,ivc";
	const struct axvm_emu_device_config *pool =
		axvmi_arm_find_device(vm, AXVM_EMU_IVC_POOL);

	if (pool == NULL)
		return 0;
	node->reg[0] = (struct fdt_range){pool->gpa.value, PAGE_SIZE_4K};
	node->reg[1] = (struct fdt_range){pool->gpa.value + PAGE_SIZE_4K,
					  pool->size - PAGE_SIZE_4K};
	node->device = (struct fdt_device){
		.name = "ivc",
		.compatible = &compatible,
		.compatible_count = 1,
		.reg = node->reg,
		.reg_count = pool->size > PAGE_SIZE_4K ? 2 : 1,
		.interrupts = node->interrupt,
		.interrupt_cells = pool->irq != 0 ? ARM_GIC_CELLS : 0,
	};
	if (pool->irq != 0)
		axvmi_arm_spi_cells(node->interrupt, pool->irq, true);
	return 1;
}

static struct fdt_range range_of(const struct axvm_emu_device_config *device)
{
	if (device == NULL)
		return (struct fdt_range){0, 0};
	return (struct fdt_range){device->gpa.value, device->size};
}

int axvmi_arm_write_tables(struct axvm_vm *vm, void *buffer, size_t size,
			   size_t *used)
{
	struct ivc_node ivc;
	struct arm_uart_config uarts[AXVM_CONFIG_MAX_DEVICES];
	uint32_t affinities[AXVM_MAX_VCPUS];
	struct arm_tables_config config = {
		.vcpu_count = vm->vcpu_count,
		.affinities = affinities,
		.gicd = range_of(axvmi_arm_find_gicd(vm)),
		.gicr = range_of(axvmi_arm_find_device(vm, AXVM_EMU_GICR)),
		.uarts = uarts,
		.uart_count = list_uarts(vm, uarts),
		.regions = vm->config.regions,
		.region_count = vm->config.region_count,
		.initrd = {vm->ramdisk_gpa, vm->ramdisk_size},
		.bootargs = vm->config.kernel.cmdline,
		.devices = &ivc.device,
		.device_count = describe_ivc(vm, &ivc),
	};
	uint32_t written;
	int err;

	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		affinities[i] = (uint32_t)arm_affinity(i);
	err = axvmi_arm_guest_tables(&config, buffer, size, &written);
	if (err == AXVM_OK)
		*used = written;
	return err;
}
