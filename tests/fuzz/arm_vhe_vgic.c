/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for the GIC model: a history of accesses, inputs, SGIs and of
 * list registers as no CPU would leave them, six bytes each. Offsets reach
 * everywhere; lists, summaries and homes must agree afterwards (arm_vhe_gic.h).
 */
#include <stddef.h>
#include <stdint.h>

#include "arm_vhe_gic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VCPUS 3u

/* Registers that exist are hit more often than the rest. */
static uint64_t offset(uint8_t kind, uint16_t index)
{
	switch (kind & 7) {
	case 0:
		return GICD_IGROUPR + index % 224 * 4;
	case 1:
		return GICD_IPRIORITYR + index % 1024;
	case 2:
		return GICD_ICFGR + index % 64 * 4;
	case 3:
		return GICD_IROUTER + index % 1024 * 8;
	case 4:
		return index % 8 * 4;
	case 5:
		return index;
	case 6:
		return (uint64_t)index << 4;
	default:
		return UINT64_MAX - 7 - index * UINT64_C(8);
	}
}

static void access_one(const uint8_t *data, uint16_t index, bool write)
{
	static const uint64_t spread[4] = {1, 0x01010101, 0x80000001,
					   UINT64_C(0x100000001)};
	uint32_t size = 1u << (data[1] & 3);
	uint64_t at = align_down(offset(data[1] >> 2, index), size);
	uint64_t value = data[4] * spread[data[5] & 3] ^ data[5];
	uint64_t redist =
		data[0] % 4 * GICR_STRIDE + (data[1] >> 7) * GICR_SGI_BASE;

	if ((data[1] & 0x20) == 0) {
		if (write && !vgicd_poke(&g, at, size, value))
			axvmi_vgicd_write(&g, at, size, value);
		axvmi_vgicd_awaits(&g, at);
		axvmi_vgicd_read(&g, at, size);
		return;
	}
	if (write)
		axvmi_vgicr_write(&g, redist + at, size, value);
	axvmi_vgicr_awaits(&g, redist + at);
	axvmi_vgicr_read(&g, redist + at, size);
}

/* The guest's own: the interface, or nonsense in a list register. */
static void touch_registers(const uint8_t *data, uint32_t vcpu)
{
	struct vgic_cpu_regs *r = &regs[vcpu];

	switch (data[1] & 7) {
	case 0:
		r->vmcr = (uint32_t)data[4] << 24 | data[5];
		break;
	case 1:
		r->lr[data[2] % VGIC_MAX_LRS] ^= (uint64_t)data[4] << 56 |
						 (uint64_t)data[3] << 40 |
						 data[5];
		break;
	case 2:
		r->hcr ^= (uint32_t)data[4] << 24;
		break;
	case 3:
		cpuif_acknowledge(r);
		break;
	case 4:
		cpuif_eoi(r, data[4]);
		break;
	case 5:
		r->lr_count = 1 + data[4] % VGIC_MAX_LRS;
		break;
	case 6:
		axvmi_vgic_power(&g, vcpu, data[4] & 1);
		break;
	default:
		r->ap0r[data[2] & 3] = data[4];
		r->ap1r[data[2] & 3] = data[5];
		break;
	}
}

static void fold_and_fill(uint32_t vcpu)
{
	gic_fold(vcpu);
	axvmi_vgic_pending(&g, vcpu, &regs[vcpu]);
	gic_fill(vcpu);
}

/* As irq.c does for PPIs that rise and SGIs; all else is false. */
static bool join(uint32_t vcpu, uint32_t intid, bool rises)
{
	return intid < VGIC_PRIVATE && (intid < VGIC_SGIS || rises) &&
	       gic_join(vcpu, intid, intid >= VGIC_SGIS);
}

static void step(const uint8_t *data)
{
	uint16_t index = (uint16_t)(data[2] | data[3] << 8);
	uint32_t vcpu = data[0] % VCPUS;
	bool level = (data[4] & 1) != 0, edge = (data[4] & 2) != 0;

	switch (data[0] >> 5) {
	case 0:
	case 1:
	case 2:
		access_one(data, index, true);
		break;
	case 3:
		axvmi_vgic_set_spi(&g, index % 1030, level, edge);
		break;
	case 4:
		if (!level && gic_retire(vcpu, VGIC_SGIS + index % 16))
			break;
		if (!join(vcpu, index % 64, level && !edge))
			axvmi_vgic_set_private(&g, vcpu, index % 40, level,
					       edge);
		break;
	case 5:
		axvmi_vgic_sgi(&g, vcpu,
			       (uint64_t)data[1] << 40 |
				       (uint64_t)data[4] << 24 |
				       (uint64_t)index,
			       edge);
		break;
	case 6:
		touch_registers(data, vcpu);
		break;
	default:
		axvmi_vgic_deactivate(&g, vcpu, index);
		fold_and_fill(vcpu);
		break;
	}
	for (uint64_t again = vgic_update(&g); again != 0; again &= again - 1)
		fold_and_fill(lowest_bit64(again));
	g.awaited = 0;
}

/* The number of list registers is read at a flush alone: put back for the check
 * of what was last filled. */
static void check_all(void)
{
	for (uint32_t c = 0; c < VCPUS; c++) {
		gic_fold(c);
		regs[c].lr_count = 4;
		gic_fill(c);
	}
	gic_check();
	for (uint32_t c = 0; c < VCPUS; c++) {
		while (axvmi_vgic_take_ended(&g) != 0)
			;
		require(regs[c].lr_used <= 4);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t watched[VGIC_WORDS] = {UINT32_MAX, 0xf0f0f0f0};

	gic_make(VCPUS, 4, watched);
	for (; size >= 6; data += 6, size -= 6)
		step(data);
	check_all();
	return 0;
}
