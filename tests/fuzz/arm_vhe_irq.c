/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for the interrupts of an ARM machine: three guests use the
 * controller's frames, their CPU interfaces, SGIs and DIR, sleep, stop and start,
 * while inputs and timers come and go. Whatever they do, nobody waits for ever,
 * no lock stays, no interrupt is in two list registers, and what the list
 * registers signal is what the model wants signalled.
 */
#include <stddef.h>
#include <stdint.h>

#include "arm_vhe_irq.h"

#include "arm_vhe_gic_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLAIN_VMCR UINT32_C(0xf84c0003)

/* Lines of the host that are forwarded: SPIs 40, 41 and 70. */
static const uint32_t forwarded[32] = {0, 3u << 8, 1u << 6};
static bool is_off[FAKE_VCPUS];

static bool is_inside(uint32_t c)
{
	return !is_off[c] &&
	       load_relaxed(&fake.vcpus[c].core.state) == AXVM_VCPU_RUNNING;
}

/* INTIDs that are used more often than others. */
static const uint16_t usual[8] = {1, 5, 20, 27, 30, 40, 41, 70};

static uint32_t intid_of(const uint8_t *data)
{
	if (data[2] < 0xc0)
		return usual[data[2] & 7];
	return (data[2] | (uint32_t)data[3] << 8) & 0x3ff;
}

static uint64_t frame_offset(const uint8_t *data, uint32_t size)
{
	static const uint16_t banks[16] = {
		GICD_IGROUPR,	GICD_ISENABLER,	 GICD_ICENABLER,
		GICD_ISPENDR,	GICD_ICPENDR,	 GICD_ISACTIVER,
		GICD_ICACTIVER, GICD_IPRIORITYR, GICD_ICFGR,
		GICD_IROUTER,	GICD_CTLR,	 GICD_ISENABLER,
		GICD_ISENABLER, GICD_IROUTER,	 GICD_IPRIORITYR,
		GICD_ISENABLER,
	};
	uint32_t base = banks[data[1] & 15];
	uint32_t intid = intid_of(data);

	if (base == GICD_CTLR)
		return data[3] & 7 ? GICD_CTLR : (uint64_t)data[2] << 8;
	if (base == GICD_IROUTER)
		return base + UINT64_C(8) * intid;
	if (base == GICD_IPRIORITYR)
		return base + align_down(intid, size);
	return base + (base == GICD_ICFGR ? intid / 16 * 4 : intid / 32 * 4);
}

static uint64_t frame_value(const uint8_t *data)
{
	uint32_t intid = intid_of(data);

	switch (data[1] & 15) {
	case 7:
	case 14:
		return data[4] * UINT64_C(0x01010101);
	case 9:
	case 13:
		return (data[4] & 0x40) != 0 ? GICD_IROUTER_IRM : data[4] % 5u;
	case 10:
		return data[4];
	default:
		return (uint64_t)1 << intid % 32 | data[4];
	}
}

static void access_frame(uint32_t c, const uint8_t *data)
{
	uint32_t size = (data[1] & 0x40) != 0 ? 1u << (data[5] & 3) : 4;
	uint64_t at = frame_offset(data, size);
	bool write = (data[1] & 0x80) != 0;
	uint64_t base = GICD_BASE;

	if (intid_of(data) < VGIC_PRIVATE && (data[1] & 15) < 9)
		base = GICR_BASE + data[5] % FAKE_VCPUS * GICR_STRIDE +
		       GICR_SGI_BASE;
	if ((data[1] & 15) == 10 && (data[5] & 0x40) != 0) {
		base = GICR_BASE + data[5] % FAKE_VCPUS * GICR_STRIDE;
		at = GICR_WAKER;
	}
	fake_access(c, base + align_down(at, size) % GICD_SIZE, size, write,
		    frame_value(data));
}

/* ---- what the guest does without an exit ---- */

static void interface(uint32_t c, const uint8_t *data)
{
	struct vgic_cpu_regs *hw = &fake.hw[c];

	switch (data[1] & 7) {
	case 0:
		hw->vmcr = (hw->vmcr & 0xffffff) | (data[4] & 0xf8u) << 24;
		break;
	case 1: /* groups, CBPR */
		hw->vmcr ^= data[4] &
			    (ICH_VMCR_ENG0 | ICH_VMCR_ENG1 | ICH_VMCR_CBPR);
		break;
	case 2:
		if ((hw->ap0r[0] | hw->ap1r[0]) == 0)
			hw->vmcr ^= ICH_VMCR_EOIM;
		break;
	case 3:
	case 4:
	case 5:
		cpuif_acknowledge(hw);
		break;
	default:
		/* Mostly of what runs. */
		for (uint32_t n = 0; n < hw->lr_used; n++) {
			if ((hw->lr[n] & LR_ACTIVE) != 0 && data[4] < 0xf0) {
				cpuif_eoi(hw,
					  (uint32_t)(hw->lr[n] & LR_VINTID));
				return;
			}
		}
		cpuif_eoi(hw, intid_of(data));
		break;
	}
}

/* ---- life ---- */

static void start(uint32_t c)
{
	memset(&fake.hw[c], 0, sizeof(fake.hw[c]));
	fake.hw[c].vmcr = PLAIN_VMCR;
	fake.vcpus[c].vtimer_held = 0;
	axvmi_arm_vgic_vcpu_reset(&fake.vcpus[c]);
	store_relaxed(&fake.vcpus[c].core.state, AXVM_VCPU_RUNNING);
	is_off[c] = false;
	fake.prompt[c] = true;
	fake_enter(c);
}

static void leave_run(uint32_t c)
{
	axvmi_arm_gic_fold(&fake.vcpus[c]);
	store_relaxed(&fake.vcpus[c].core.state, AXVM_VCPU_READY);
	fake.prompt[c] = false;
}

static void stop(uint32_t c)
{
	axvmi_arm_vgic_vcpu_off(&fake.vcpus[c]);
	leave_run(c);
	is_off[c] = true;
}

static void reset_all(void)
{
	for (uint32_t c = 0; c < FAKE_VCPUS; c++)
		leave_run(c);
	fake.vm.gicd_device.ops->reset(&fake.vm.gicd_device);
	axvmi_lines_reset(&fake.vm.core);
	for (uint32_t c = 0; c < FAKE_VCPUS; c++)
		start(c);
}

static void change_life(uint32_t c, const uint8_t *data)
{
	switch (data[1] & 7) {
	case 0:
		if (data[4] == 0xff)
			reset_all();
		break;
	case 1:
		if (is_inside(c))
			stop(c);
		break;
	case 2:
	case 3:
		if (is_off[c])
			start(c);
		break;
	case 4:
		if (is_inside(c))
			leave_run(c);
		break;
	default:
		if (is_off[c] || is_inside(c))
			break;
		store_relaxed(&fake.vcpus[c].core.state, AXVM_VCPU_RUNNING);
		fake.prompt[c] = true;
		fake_enter(c);
		break;
	}
}

/* ---- from outside ---- */

static void outside(uint32_t c, const uint8_t *data)
{
	struct axvm_vm *vm = &fake.vm.core;
	bool level = (data[4] & 1) != 0;
	int err;

	switch (data[1] & 3) {
	case 0:
		err = axvm_irq_set(vm, intid_of(data), level);
		break;
	case 1:
		err = axvm_vcpu_irq_set(vm, c, intid_of(data) & 31, level);
		break;
	case 2:
		err = axvm_inject(vm, c, intid_of(data));
		break;
	default:
		fake.timer_asks = level;
		if (!level || !is_inside(c))
			return;
		fake.vcpus[c].vtimer_held = 1;
		axvmi_arm_set_ppi(&fake.vcpus[c], ARM_PPI_CNTV, true);
		return;
	}
	fake_require(err == AXVM_OK || err == AXVM_ENOENT);
}

static void registers(uint32_t c, const uint8_t *data)
{
	struct arm_vcpu *v = &fake.vcpus[c];

	switch (data[1] & 3) {
	case 0:
	case 1:
		axvmi_arm_send_sgi(v,
				   (uint64_t)(data[5] & 1) << 40 |
					   (uint64_t)(data[2] & 15) << 24 |
					   (data[5] & 0xf0u) << 12 | data[4],
				   (data[5] & 2) != 0);
		break;
	case 2:
		axvmi_arm_write_dir(v, intid_of(data));
		break;
	default:
		axvmi_arm_gic_pending(v);
		break;
	}
}

/* ---- what must hold ---- */

static void check_once(void)
{
	uint32_t seen[VGIC_INTIDS] = {0};

	for (uint32_t c = 0; c < FAKE_VCPUS; c++) {
		/* Others are filled anew before they enter. */
		uint32_t used =
			fake.vcpus[c].gic_filled != 0 ? fake.hw[c].lr_used : 0;

		for (uint32_t n = 0; n < used; n++) {
			uint64_t lr = fake.hw[c].lr[n];
			uint32_t intid = (uint32_t)(lr & LR_VINTID);

			fake_require(intid < VGIC_INTIDS);
			if ((lr & CPUIF_STATE) == 0)
				continue;
			fake_require((seen[intid] >> c & 1) == 0);
			fake_require(intid < VGIC_PRIVATE || seen[intid] == 0);
			seen[intid] |= 1u << c;
		}
	}
}

static void settle(void)
{
	for (uint32_t c = 0; c < FAKE_VCPUS; c++) {
		if (!is_inside(c))
			continue;
		fake_enter(c);
		fake_maintain(c);
	}
	fake_require(load_relaxed(&fake.vm.core.irqchip.held) == 0);
	check_once();
}

static void step(const uint8_t *data)
{
	uint32_t c = data[0] % FAKE_VCPUS;

	fake.ended_count = 0;
	switch (data[0] >> 5) {
	case 0:
		change_life(c, data);
		break;
	case 1:
		outside(c, data);
		break;
	case 2:
		if (is_inside(c))
			registers(c, data);
		break;
	case 3:
	case 4:
		if (is_inside(c))
			interface(c, data);
		break;
	default:
		if (is_inside(c))
			access_frame(c, data);
		break;
	}
	check_once();
	settle();
}

/*
 * Nobody has anything left to look at: list registers as they are must signal
 * what they signal when they are filled anew. With "1 of N" another vCPU may be
 * the better choice by now, a sleeper only wakes, and a timer that its guest has
 * silenced is looked at with the next exit.
 */
static void check_signals(void)
{
	const struct vgic *g = fake.vm.vgic;

	for (uint32_t c = 0; c < FAKE_VCPUS; c++) {
		bool signalled = cpuif_signalled(&fake.hw[c]) >= 0;
		bool pending;

		if (!is_inside(c) || g->any_words != 0 ||
		    (fake.vcpus[c].vtimer_held && !fake.timer_asks) ||
		    (load_relaxed(&g->awake) & BIT64(c)) == 0)
			continue;
		pending = axvmi_arm_gic_pending(&fake.vcpus[c]);
		fake_require(pending == signalled);
		settle();
		fake_require((cpuif_signalled(&fake.hw[c]) >= 0) == pending);
	}
}

/* As a kernel leaves it: priorities that differ, SPIs spread over the vCPUs. */
static void enable_all(void)
{
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t intid = usual[i];

		if (intid >= VGIC_PRIVATE) {
			fake_put(0, GICD_BASE + GICD_ISENABLER + intid / 32 * 4,
				 vgic_bit(intid));
			fake_access(0, GICD_BASE + GICD_IPRIORITYR + intid, 1,
				    true, 0x80 - 8 * i);
			fake_access(0, GICD_BASE + GICD_IROUTER + 8 * intid, 8,
				    true, i % FAKE_VCPUS);
			continue;
		}
		for (uint32_t c = 0; c < FAKE_VCPUS; c++) {
			uint64_t frame = GICR_BASE + FAKE_SGI(c);

			fake_put(c, frame + GICD_ISENABLER, vgic_bit(intid));
			fake_access(c, frame + GICD_IPRIORITYR + intid, 1, true,
				    0x80 - 8 * i);
		}
	}
	fake_put(0, GICD_BASE + GICD_CTLR, 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	fake_boot_with(forwarded, (data[0] & 1) != 0 ? 26 : 0);
	for (uint32_t c = 0; c < FAKE_VCPUS; c++)
		start(c);
	enable_all();
	settle();
	for (data++, size--; size >= 6; data += 6, size -= 6)
		step(data);
	gic_check_model(fake.vm.vgic);
	check_signals();
	gic_check_model(fake.vm.vgic);
	for (uint32_t c = 0; c < FAKE_VCPUS; c++)
		leave_run(c);
	fake_require(fake_end());
	return 0;
}
