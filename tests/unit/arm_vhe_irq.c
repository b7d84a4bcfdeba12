/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The GIC as two devices, its inputs, and the list registers of running vCPUs:
 * arch/arm_vhe/irq.c with the core's inputs and buses.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arm_vhe_irq.h"

#define SPI 40u
#define PPI 20u
#define BIT_OF(intid) (UINT32_C(1) << (intid) % 32)
#define D(offset) (GICD_BASE + (offset))
#define R(vcpu, offset) (GICR_BASE + FAKE_SGI(vcpu) + (offset))
/* The word of SPI in a bank of bits. */
#define W(offset) D((offset) + SPI / 32 * 4)

static int setup(void **state)
{
	(void)state;
	fake_boot(NULL);
	fake_put(0, D(GICD_CTLR), 3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return fake_end() ? 0 : -1;
}

static void enable_spi(uint32_t target)
{
	fake_access(0, D(GICD_IROUTER + 8 * SPI), 8, true, target);
	fake_put(0, W(GICD_ISENABLER), BIT_OF(SPI));
	fake_enter(0);
}

static void enable_ppi(uint32_t vcpu, uint32_t intid)
{
	fake_put(vcpu, R(vcpu, GICD_ISENABLER), BIT_OF(intid));
	fake_enter(vcpu);
}

static void line(bool level)
{
	assert_int_equal(axvm_irq_set(&fake.vm.core, SPI, level), AXVM_OK);
}

static uint32_t notified(uint32_t vcpu)
{
	return atomic_exchange(&fake.notified[vcpu], 0);
}

/* ---- the devices ---- */

static void two_devices_take_every_width(void **s)
{
	const struct axvm_device *d = &fake.vm.gicd_device;
	const struct axvm_device *r = &fake.vm.gicr_device;

	(void)s;
	assert_int_equal(d->ranges[0].base, GICD_BASE);
	assert_int_equal(d->ranges[0].size, GICD_SIZE);
	assert_int_equal(d->ranges[0].widths, 15);
	assert_int_equal(r->ranges[0].base, GICR_BASE);
	assert_int_equal(r->ranges[0].size, FAKE_VCPUS * GICR_STRIDE);
	assert_int_equal(r->ranges[0].widths, 15);
	assert_int_equal(fake_get(0, D(GICD_TYPER)), GICD_TYPER_VALUE);
	assert_int_equal(fake_access(1, GICR_BASE + GICR_STRIDE + GICR_TYPER, 8,
				     false, 0),
			 UINT64_C(1) << 32 | 1 << 8);
	assert_int_equal(fake_access(0, D(GICD_PIDR2), 4, false, 0), 0x3b);
}

static int make_vgic(void *unused)
{
	(void)unused;
	return axvmi_arm_vgic_init(&fake.vm, GICD_BASE, GICD_SIZE, GICR_BASE,
				   FAKE_VCPUS * GICR_STRIDE);
}

static void a_vgic_that_fails_leaves_nothing_behind(void **s)
{
	size_t live;

	(void)s;
	assert_true(fake_end());
	fake_vm(NULL, 0);
	live = test_hal_live(fake.hal);
	assert_int_equal(axvmi_arm_vgic_init(&fake.vm, GICD_BASE, GICD_SIZE,
					     GICR_BASE,
					     FAKE_VCPUS * GICR_STRIDE - 1),
			 AXVM_ERANGE);
	/* The second device does not fit: the first one goes again. */
	assert_int_equal(axvmi_arm_vgic_init(&fake.vm, GICD_BASE, GICD_SIZE,
					     GICD_BASE + 0x8000,
					     FAKE_VCPUS * GICR_STRIDE),
			 AXVM_EEXIST);
	assert_null(fake.vm.vgic);
	assert_int_equal(fake.vm.core.device_count, 0);
	assert_int_equal(fake.vm.core.bus[AXVM_BUS_MMIO].count, 0);
	axvmi_bus_fini(&fake.vm.core);
	assert_int_equal(test_hal_live(fake.hal), live);
	for (uint64_t k = 1; k <= 2; k++) {
		test_hal_fail_from(fake.hal, k);
		assert_int_equal(make_vgic(NULL), AXVM_ENOMEM);
		assert_true(test_hal_failed(fake.hal));
		assert_null(fake.vm.vgic);
		assert_int_equal(test_hal_live(fake.hal), live);
	}
	test_hal_fail_from(fake.hal, 0);
	assert_int_equal(make_vgic(NULL), AXVM_OK);
}

static void without_a_vgic_nothing_happens(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	assert_true(fake_end());
	fake_vm(NULL, 0);
	axvmi_arm_irq_sync(&v->core);
	axvmi_arm_gic_fold(v);
	axvmi_arm_gic_fill(v);
	axvmi_arm_set_ppi(v, 27, true);
	axvmi_arm_send_sgi(v, 1, 1);
	axvmi_arm_write_dir(v, 40);
	axvmi_arm_vgic_vcpu_reset(v);
	axvmi_arm_vgic_vcpu_off(v);
	assert_false(axvmi_arm_gic_retire(v, ARM_PPI_CNTV, 1));
	assert_false(axvmi_arm_gic_pending(v));
	assert_false(axvmi_arm_gic_retire(v, 27, 1));
	assert_int_equal(axvmi_arm_line_targets(&fake.vm.core, SPI), 0);
	assert_int_equal(fake.reads + fake.writes, 0);
}

static void reads_of_settings_take_no_lock_and_no_registers(void **s)
{
	static const uint64_t settings[] = {
		D(GICD_CTLR),
		D(GICD_TYPER),
		D(GICD_IIDR),
		W(GICD_IGROUPR),
		W(GICD_ISENABLER),
		W(GICD_ICENABLER),
		D(GICD_IPRIORITYR + SPI),
		D(GICD_ICFGR + 8),
		D(GICD_IROUTER + 320),
		R(1, GICD_ISENABLER),
		R(0, GICD_ICFGR),
		GICR_BASE + GICR_CTLR,
		GICR_BASE + GICR_WAKER,
		D(GICD_PIDR2),
	};

	(void)s;
	enable_spi(0);
	line(true);
	fake_enter(0);
	fake.reads = 0;
	/* Held by another: a reader that took the lock would hang. */
	spin_lock(&fake.vm.core.irqchip);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct axvmi_space *space = axvmi_bus_find(
			&fake.vm.core.bus[AXVM_BUS_MMIO], settings[i]);
		uint64_t value = 0;

		assert_int_equal(axvmi_device_access(&fake.vcpus[0].core, space,
						     settings[i], 4, false,
						     &value),
				 AXVMI_DISPATCH_DONE);
	}
	spin_unlock(&fake.vm.core.irqchip);
	assert_int_equal(fake.reads, 0);
	assert_int_equal(fake.vcpus[0].effects, 0);
	assert_int_equal(fake.vcpus[0].gic_filled, 1);
}

static void a_priority_of_an_idle_interrupt_moves_no_registers(void **s)
{
	(void)s;
	enable_spi(0);
	line(true);
	fake_enter(0);
	fake.reads = 0;
	fake_access(0, D(GICD_IPRIORITYR + SPI + 4), 1, true, 0x50);
	assert_int_equal(fake.reads, 0);
	assert_int_equal(fake.vcpus[0].effects, 0);
	assert_int_equal(fake_get(0, D(GICD_IPRIORITYR + SPI + 4)), 0x50);
	/* Of one that is pending it does. */
	fake_access(0, D(GICD_IPRIORITYR + SPI), 1, true, 0x58);
	assert_int_equal(fake.reads, 1);
	fake_enter(0);
	assert_int_equal(FIELD_GET(LR_PRIORITY, fake.hw[0].lr[0]), 0x58);
}

/* ---- lines ---- */

static void a_line_reaches_the_vcpu_it_is_routed_to(void **s)
{
	(void)s;
	enable_spi(1);
	notified(1);
	line(true);
	assert_int_equal(notified(0), 0);
	assert_int_equal(notified(1), 1);
	fake_enter(1);
	assert_int_equal(fake_ack(1), SPI);
	assert_int_equal(fake_ack(1), CPUIF_NONE);
	line(false);
	fake_enter(1);
	fake_eoi(1, SPI);
	assert_int_equal(fake_ack(1), CPUIF_NONE);
}

static void a_line_that_stays_high_comes_again(void **s)
{
	(void)s;
	enable_spi(0);
	line(true);
	fake_enter(0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fake_ack(0), SPI);
		fake_eoi(0, SPI);
	}
	line(false);
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

static void an_injected_edge_is_one_interrupt(void **s)
{
	(void)s;
	enable_spi(0);
	assert_int_equal(axvm_inject(&fake.vm.core, 0, SPI), AXVM_OK);
	fake_enter(0);
	assert_int_equal(fake_ack(0), SPI);
	fake_eoi(0, SPI);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

static void a_line_that_rose_while_disabled_is_seen_when_enabled(void **s)
{
	(void)s;
	line(true);
	assert_int_equal(notified(0) + notified(1), 0);
	enable_spi(2);
	fake_enter(2);
	assert_int_equal(fake_ack(2), SPI);
	fake_put(2, W(GICD_ICENABLER), BIT_OF(SPI));
	line(false);
	notified(2);
	/* Also one that asks sees it. */
	assert_int_equal(axvm_irq_set(&fake.vm.core, SPI + 1, true), AXVM_OK);
	assert_int_equal(notified(0) + notified(1) + notified(2), 0);
	assert_int_equal(fake_get(1, W(GICD_ISPENDR)), BIT_OF(SPI + 1));
}

static void raise_meanwhile(void)
{
	assert_int_equal(axvm_irq_set(&fake.vm.core, SPI + 1, true), AXVM_OK);
}

/* The write has taken inputs in, and nobody was called for what is disabled. */
static void a_line_that_rises_during_the_write_that_enables_it(void **s)
{
	(void)s;
	enable_spi(0);
	line(true);
	fake_enter(0);
	fake.on_read = raise_meanwhile;
	notified(0);
	fake_put(0, W(GICD_ISENABLER), BIT_OF(SPI + 1));
	assert_null(fake.on_read);
	assert_int_equal(notified(0), 0);
	fake_enter(0);
	assert_int_equal(fake.hw[0].lr_used, 2);
}

static void lines_that_do_not_exist_concern_nobody(void **s)
{
	(void)s;
	enable_spi(1);
	assert_int_equal(axvmi_arm_line_targets(&fake.vm.core, SPI), 2);
	for (uint32_t line = VGIC_INTIDS; line < 2 * VGIC_INTIDS; line++)
		assert_int_equal(axvmi_arm_line_targets(&fake.vm.core, line),
				 0);
}

static void a_line_follows_a_changed_route(void **s)
{
	(void)s;
	enable_spi(0);
	line(true);
	fake_enter(0);
	notified(0);
	notified(1);
	fake_access(2, D(GICD_IROUTER + 8 * SPI), 8, true, 1);
	/* vCPU 0 has it in a list register and must give it up first. */
	assert_int_equal(notified(0), 1);
	assert_int_equal(notified(1), 0);
	fake_enter(1);
	assert_int_equal(fake_ack(1), CPUIF_NONE);
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	assert_int_equal(notified(1), 1);
	fake_enter(1);
	assert_int_equal(fake_ack(1), SPI);
}

static void per_vcpu_lines_are_ppis(void **s)
{
	(void)s;
	enable_ppi(1, PPI);
	assert_int_equal(axvm_vcpu_irq_set(&fake.vm.core, 1, PPI, true),
			 AXVM_OK);
	fake_enter(1);
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	assert_int_equal(fake_ack(1), PPI);
	assert_int_equal(axvm_vcpu_irq_set(&fake.vm.core, 1, PPI, false),
			 AXVM_OK);
	fake_enter(1);
	fake_eoi(1, PPI);
	assert_int_equal(fake_ack(1), CPUIF_NONE);
	assert_int_equal(axvm_inject(&fake.vm.core, 1, AXVM_PRIVATE_LINE + PPI),
			 AXVM_OK);
	fake_enter(1);
	assert_int_equal(fake_ack(1), PPI);
	fake_eoi(1, PPI);
	assert_int_equal(fake_ack(1), CPUIF_NONE);
}

/* ---- list registers and who has what in them ---- */

/* Nothing else makes vCPU 0 say that it can take it. */
static void one_of_n_goes_to_who_has_the_group_enabled(void **s)
{
	(void)s;
	fake.hw[0].vmcr = fake.hw[1].vmcr = 0;
	fake_access(0, D(GICD_IROUTER + 8 * SPI), 8, true, GICD_IROUTER_IRM);
	fake_put(0, W(GICD_ISENABLER), BIT_OF(SPI));
	for (uint32_t c = 0; c < FAKE_VCPUS; c++) {
		fake_enter(c);
		axvmi_arm_gic_fold(&fake.vcpus[c]);
		fake_enter(c);
	}
	notified(2);
	line(true);
	assert_int_equal(notified(2), 1);
	fake_enter(2);
	assert_int_equal(fake_ack(2), SPI);
}

/* vCPUs that write their interfaces' enables and do not leave the guest. */
static void one_of_n_follows_the_group_enables(void **s)
{
	(void)s;
	for (uint32_t c = 0; c < FAKE_VCPUS; c++) {
		fake.hw[c].vmcr = 0;
		fake.prompt[c] = true;
	}
	enable_spi(0);
	fake_access(0, D(GICD_IROUTER + 8 * SPI), 8, true, GICD_IROUTER_IRM);
	fake_enter(0);
	line(true);
	for (uint32_t c = 0; c < FAKE_VCPUS; c++) {
		fake.hw[c].vmcr = 0xf84c0003;
		fake_maintain(c);
		assert_false(cpuif_maintenance(&fake.hw[c]));
		assert_int_equal(fake_ack(c), SPI);
		fake_eoi(c, SPI);
		fake.hw[c].vmcr = 0;
		fake_maintain(c);
	}
}

/* Enables that were written before anything was routed so. */
static void one_of_n_finds_groups_that_are_enabled(void **s)
{
	(void)s;
	fake.hw[0].vmcr = fake.hw[1].vmcr = 0;
	fake.prompt[1] = fake.prompt[2] = true;
	enable_spi(0);
	fake_access(0, D(GICD_IROUTER + 8 * SPI), 8, true, GICD_IROUTER_IRM);
	fake_enter(0);
	fake_maintain(2);
	line(true);
	assert_int_equal(fake_ack(2), SPI);
}

static void an_access_sees_what_the_guest_has_just_done(void **s)
{
	(void)s;
	enable_spi(0);
	line(true);
	fake_enter(0);
	assert_int_equal(cpuif_acknowledge(&fake.hw[0]), SPI);
	assert_int_equal(fake_get(0, W(GICD_ISACTIVER)), BIT_OF(SPI));
	fake_enter(0);
	line(false);
	cpuif_eoi(&fake.hw[0], SPI);
	assert_int_equal(fake_get(0, W(GICD_ISACTIVER)), 0);
	assert_int_equal(fake_get(0, W(GICD_ISPENDR)), 0);
}

static void a_read_calls_those_who_know_better(void **s)
{
	(void)s;
	enable_spi(1);
	line(true);
	fake_enter(1);
	fake.prompt[1] = true;
	store_relaxed(&fake.vcpus[1].core.state, AXVM_VCPU_RUNNING);
	assert_int_equal(cpuif_acknowledge(&fake.hw[1]), SPI);
	notified(1);
	assert_int_equal(fake_get(0, W(GICD_ISACTIVER)), BIT_OF(SPI));
	assert_int_equal(notified(1), 1);
	line(false);
	cpuif_eoi(&fake.hw[1], SPI);
	assert_int_equal(fake_get(0, W(GICD_ISACTIVER)), 0);
	/* Nobody else holds anything: nobody is called. */
	notified(1);
	fake_get(0, W(GICD_ISACTIVER));
	fake_get(1, W(GICD_ISACTIVER));
	assert_int_equal(notified(1), 0);
}

static void a_write_is_done_when_it_returns(void **s)
{
	(void)s;
	enable_spi(1);
	line(true);
	fake_enter(1);
	fake.prompt[1] = true;
	store_relaxed(&fake.vcpus[1].core.state, AXVM_VCPU_RUNNING);
	fake_put(0, W(GICD_ICENABLER), BIT_OF(SPI));
	assert_int_equal(cpuif_acknowledge(&fake.hw[1]), CPUIF_NONE);
	fake_put(0, W(GICD_ISENABLER), BIT_OF(SPI));
	assert_int_equal(cpuif_acknowledge(&fake.hw[1]), SPI);
	fake_put(0, W(GICD_ICACTIVER), BIT_OF(SPI));
	assert_int_equal(fake_get(0, W(GICD_ISACTIVER)), 0);
	fake_put(0, D(GICD_CTLR), 0);
	assert_int_equal(fake.hw[1].lr_used, 0);
}

static void a_write_waits_for_who_is_slow_to_come(void **s)
{
	(void)s;
	enable_spi(1);
	line(true);
	fake_enter(1);
	fake.prompt[1] = true;
	fake.slow[1] = 1;
	store_relaxed(&fake.vcpus[1].core.state, AXVM_VCPU_RUNNING);
	fake_put(0, W(GICD_ICENABLER), BIT_OF(SPI));
	assert_int_equal(cpuif_acknowledge(&fake.hw[1]), CPUIF_NONE);
}

/* Who is outside run holds nothing, or folds before it enters. */
static void nobody_waits_for_a_vcpu_that_does_not_run(void **s)
{
	(void)s;
	enable_spi(1);
	line(true);
	fake_enter(1);
	fake_put(0, W(GICD_ICENABLER), BIT_OF(SPI));
	assert_int_equal(fake_get(0, W(GICD_ISACTIVER)), 0);
	fake_enter(1);
	assert_int_equal(fake_ack(1), CPUIF_NONE);
}

static void folding_what_holds_nothing_reads_no_registers(void **s)
{
	(void)s;
	fake.reads = 0;
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	assert_int_equal(fake.reads, 0);
	assert_int_equal(fake.vcpus[0].gic_filled, 0);
	assert_int_equal(fake.vcpus[0].effects, ARM_EFFECT_VGIC);
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	fake_enter(0);
	assert_int_equal(fake.vcpus[0].gic_filled, 1);
}

static void a_fill_folds_first(void **s)
{
	(void)s;
	enable_spi(0);
	line(true);
	fake_enter(0);
	assert_int_equal(cpuif_acknowledge(&fake.hw[0]), SPI);
	axvmi_arm_gic_fill(&fake.vcpus[0]);
	assert_int_equal(fake.hw[0].lr_used, 1);
	assert_true((fake.hw[0].lr[0] & LR_ACTIVE) != 0);
}

/* Nothing was folded since the guest enabled its groups; then there are more
 * interrupts than list registers at once. */
static void a_crowd_is_chosen_by_the_interface_as_it_is_now(void **s)
{
	(void)s;
	fake_put(0, W(GICD_ISENABLER), UINT32_MAX);
	fake_put(0, W(GICD_ISPENDR), 0x3f);
	fake_enter(0);
	fake_maintain(0);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(fake_ack(0), 32 + i);
		fake_eoi(0, 32 + i);
	}
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

/* None of the crowd may be taken yet: no list register is filled. */
static void a_crowd_waits_for_its_group(void **s)
{
	(void)s;
	fake.hw[0].vmcr &= ~(ICH_VMCR_ENG0 | ICH_VMCR_ENG1);
	fake_put(0, W(GICD_ISENABLER), UINT32_MAX);
	fake_put(0, W(GICD_ISPENDR), 0x3f);
	fake_enter(0);
	fake_maintain(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	assert_int_equal(fake.hw[0].lr_used, 0);
	fake.hw[0].vmcr |= ICH_VMCR_ENG1;
	fake_maintain(0);
	assert_int_equal(fake_ack(0), 32);
	fake_eoi(0, 32);
	/* Off again, and the rest is there when it is back. */
	fake.hw[0].vmcr &= ~ICH_VMCR_ENG1;
	fake_maintain(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	fake.hw[0].vmcr |= ICH_VMCR_ENG1;
	fake_maintain(0);
	for (uint32_t i = 1; i < 6; i++) {
		assert_int_equal(fake_ack(0), 32 + i);
		fake_eoi(0, 32 + i);
	}
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

static void pending_is_asked_of_the_interface_as_it_is_now(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	enable_spi(0);
	assert_false(axvmi_arm_gic_pending(v));
	line(true);
	/* Not called yet, but asked. */
	assert_true(axvmi_arm_gic_pending(v));
	fake_enter(0);
	fake.hw[0].vmcr &= ~ICH_VMCR_ENG1;
	assert_false(axvmi_arm_gic_pending(v));
	fake.hw[0].vmcr |= ICH_VMCR_ENG1;
	fake.hw[0].ap1r[0] = 1;
	assert_false(axvmi_arm_gic_pending(v));
	fake.hw[0].ap1r[0] = 0;
	fake_access(0, D(GICD_IPRIORITYR + SPI), 1, true, 0xf8);
	assert_false(axvmi_arm_gic_pending(v));
	assert_int_equal(axvm_vcpu_irq_set(&fake.vm.core, 0, PPI, true),
			 AXVM_OK);
	enable_ppi(0, PPI);
	assert_true(axvmi_arm_gic_pending(v));
}

/* ---- timers ---- */

static void the_timer_is_high_until_it_stops_asking(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	enable_ppi(0, ARM_PPI_CNTV);
	fake.timer_asks = true;
	v->vtimer_held = 1;
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, true);
	fake_enter(0);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	assert_int_equal(fake.timer_ended, 0);
	/* Ended without a look at the timer: it comes again. */
	fake_eoi(0, ARM_PPI_CNTV);
	assert_int_equal(fake.timer_ended, 1);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	fake.timer_asks = false;
	fake_eoi(0, ARM_PPI_CNTV);
	assert_int_equal(fake.timer_ended, 2);
	assert_int_equal(v->vtimer_held, 0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	/* The end of another interrupt is not that of the timer. */
	v->vtimer_held = 1;
	axvmi_arm_send_sgi(v, 1, 1);
	assert_int_equal(fake.timer_ended, 2);
}

static void a_register_access_looks_at_the_timer_as_well(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	enable_ppi(0, ARM_PPI_CNTV);
	fake.timer_asks = true;
	v->vtimer_held = 1;
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, true);
	fake_enter(0);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	fake.timer_asks = false;
	fake_put(0, W(GICD_ISENABLER), BIT_OF(SPI));
	assert_int_equal(v->vtimer_held, 0);
	fake_enter(0);
	/* Nothing is left for its EOI to tell. */
	assert_true((fake.hw[0].lr[0] & LR_EOI) == 0);
	fake_eoi(0, ARM_PPI_CNTV);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

static void host_level(uint32_t intid, bool level)
{
	assert_int_equal(axvm_vcpu_irq_set(&fake.vm.core, 0, intid, level),
			 AXVM_OK);
	fake_enter(0);
}

static void share(uint32_t intid, uint32_t *timer)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	enable_ppi(0, intid);
	fake.timer_asks = true;
	*timer = 1;
	axvmi_arm_set_ppi(v, intid, true);
	host_level(intid, true);
	host_level(intid, false);
	assert_true(axvmi_arm_gic_pending(v));
	host_level(intid, true);
	*timer = 0;
	axvmi_arm_set_ppi(v, intid, false);
	/* At once, not when all levels are looked at again. */
	axvmi_arm_gic_fill(v);
	assert_int_equal(fake.hw[0].lr_used, 1);
	assert_true((fake.hw[0].lr[0] & LR_PENDING) != 0);
	assert_true(axvmi_arm_gic_pending(v));
	host_level(intid, false);
	assert_false(axvmi_arm_gic_pending(v));
}

static void the_host_and_a_timer_share_a_ppi(void **s)
{
	(void)s;
	share(ARM_PPI_CNTV, &fake.vcpus[0].vtimer_held);
	share(ARM_PPI_CNTP, &fake.vcpus[0].cntp_level);
}

/* ---- the virtual timer, taken by the host ---- */

/* As PPI 26 of the machine. */
static int setup_taken(void **state)
{
	(void)state;
	fake_boot_with(NULL, 26);
	fake_put(0, D(GICD_CTLR), 3);
	enable_ppi(0, ARM_PPI_CNTV);
	fake.timer_asks = true;
	cpuif_hw_ends = 0;
	return 0;
}

static void timer_rises(void)
{
	fake.vcpus[0].vtimer_held = 1;
	axvmi_arm_set_ppi(&fake.vcpus[0], ARM_PPI_CNTV, true);
	fake_enter(0);
}

static void the_guests_eoi_ends_the_physical_interrupt(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];
	uint64_t lr;

	(void)s;
	for (unsigned i = 1; i <= 3; i++) {
		timer_rises();
		lr = fake.hw[0].lr[0];
		assert_int_equal(lr & (LR_HW | LR_PINTID | LR_PENDING),
				 LR_HW | UINT64_C(26) << 32 | LR_PENDING);
		assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
		cpuif_eoi(&fake.hw[0], ARM_PPI_CNTV);
		/* Nobody is called; it would come again by itself. */
		assert_false(cpuif_maintenance(&fake.hw[0]));
		assert_int_equal(cpuif_hw_ends, i);
		assert_int_equal(cpuif_hw_ended, 26);
		assert_int_equal(fake.timer_done, i - 1);
		axvmi_arm_gic_fold(v);
		assert_int_equal(fake.timer_done, i);
		assert_int_equal(fake.timer_ended, 0);
		fake_enter(0);
		assert_int_equal(fake_ack(0), CPUIF_NONE);
	}
}

static void after_reset_it_is_forwarded_as_before(void **s)
{
	(void)s;
	for (uint32_t c = 0; c < FAKE_VCPUS; c++)
		axvmi_arm_gic_fold(&fake.vcpus[c]);
	fake.vm.gicd_device.ops->reset(&fake.vm.gicd_device);
	for (uint32_t c = 0; c < FAKE_VCPUS; c++)
		axvmi_arm_vgic_vcpu_reset(&fake.vcpus[c]);
	fake_put(0, D(GICD_CTLR), 3);
	enable_ppi(0, ARM_PPI_CNTV);
	timer_rises();
	assert_true((fake.hw[0].lr[0] & LR_HW) != 0);
}

static void one_that_is_active_does_not_pend_too(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	timer_rises();
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	/* On another CPU, say: the timer asks there again. */
	axvmi_arm_gic_fold(v);
	timer_rises();
	assert_int_equal(fake.hw[0].lr[0] & (LR_HW | CPUIF_STATE),
			 LR_HW | LR_ACTIVE);
	fake_eoi(0, ARM_PPI_CNTV);
	assert_int_equal(cpuif_hw_ends, 1);
}

/* By software it may pend while it is active: the EOI must be heard of then. */
static void one_that_is_set_pending_while_active_is_not_lost(void **s)
{
	(void)s;
	timer_rises();
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	fake_put(0, R(0, GICD_ISPENDR), BIT_OF(ARM_PPI_CNTV));
	fake_enter(0);
	assert_int_equal(fake.hw[0].lr[0] & (LR_HW | LR_EOI | CPUIF_STATE),
			 LR_EOI | CPUIF_STATE);
	fake_eoi(0, ARM_PPI_CNTV);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	assert_int_equal(fake.timer_done, 0);
	fake_eoi(0, ARM_PPI_CNTV);
	/* The level, which the host has taken still. */
	assert_int_equal(fake.hw[0].lr[0] & (LR_HW | CPUIF_STATE),
			 LR_HW | LR_PENDING);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	fake_eoi(0, ARM_PPI_CNTV);
	assert_int_equal(cpuif_hw_ends, 1);
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	assert_int_equal(fake.timer_done, 1);
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

static void one_that_the_host_holds_up_as_well_is_heard_of(void **s)
{
	(void)s;
	timer_rises();
	host_level(ARM_PPI_CNTV, true);
	assert_int_equal(fake.hw[0].lr[0] & (LR_HW | LR_EOI | CPUIF_STATE),
			 LR_EOI | LR_PENDING);
	fake.timer_asks = false;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
		fake_eoi(0, ARM_PPI_CNTV);
	}
	assert_int_equal(cpuif_hw_ends, 0);
	host_level(ARM_PPI_CNTV, false);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	/* The other way round, and the timer is alone at last. */
	fake.timer_asks = true;
	host_level(ARM_PPI_CNTV, true);
	timer_rises();
	assert_int_equal(fake.hw[0].lr[0] & LR_HW, 0);
	host_level(ARM_PPI_CNTV, false);
	assert_int_equal(fake.hw[0].lr[0] & LR_HW, LR_HW);
}

static void one_that_the_timer_has_let_go_is_the_models_alone(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	timer_rises();
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	fake.timer_asks = false;
	axvmi_arm_gic_fold(v);
	assert_int_equal(v->vtimer_held, 0);
	fake_enter(0);
	assert_int_equal(fake.hw[0].lr[0] & (LR_HW | CPUIF_STATE), LR_ACTIVE);
	fake_eoi(0, ARM_PPI_CNTV);
	assert_int_equal(cpuif_hw_ends, 0);
	axvmi_arm_gic_fold(v);
	assert_int_equal(fake.timer_done, 0);
}

static void ends_that_the_cpu_does_not_see_leave_it_taken(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	timer_rises();
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	fake_put(0, R(0, GICD_ICACTIVER), BIT_OF(ARM_PPI_CNTV));
	assert_int_equal(fake.timer_done, 0);
	assert_int_equal(fake.timer_ended, 0);
	assert_int_equal(v->vtimer_held, 1);
	/* It asks still. */
	fake_enter(0);
	assert_int_equal(fake.hw[0].lr[0] & (LR_HW | CPUIF_STATE),
			 LR_HW | LR_PENDING);
	axvmi_arm_gic_fold(v);
	assert_int_equal(fake.timer_done, 0);
	assert_int_equal(fake.timer_ended, 0);
	assert_int_equal(v->vtimer_held, 1);
}

/* More are pending than there are list registers. */
static void it_is_forwarded_in_a_crowd_too(void **s)
{
	(void)s;
	for (uint32_t intid = 16; intid < 24; intid++) {
		fake_put(0, R(0, GICD_IPRIORITYR + (intid & 28)), 0x80808080);
		enable_ppi(0, intid);
		assert_int_equal(
			axvm_vcpu_irq_set(&fake.vm.core, 0, intid, true),
			AXVM_OK);
	}
	timer_rises();
	assert_int_equal(fake.hw[0].lr_used, 4);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	/* Chosen anew while it is active: it does not pend too. */
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	fake_enter(0);
	for (uint32_t i = 0; i < fake.hw[0].lr_used; i++) {
		uint64_t lr = fake.hw[0].lr[i];

		if ((lr & LR_VINTID) == ARM_PPI_CNTV)
			assert_int_equal(lr & (LR_HW | CPUIF_STATE),
					 LR_HW | LR_ACTIVE);
	}
	fake_eoi(0, ARM_PPI_CNTV);
	assert_int_equal(cpuif_hw_ends, 1);
	assert_int_equal(cpuif_hw_ended, 26);
}

/* ---- system registers ---- */

static void sgis_call_their_targets(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	for (uint32_t c = 0; c < FAKE_VCPUS; c++) {
		enable_ppi(c, 5);
		notified(c);
	}
	axvmi_arm_send_sgi(v, UINT64_C(5) << 24 | 5, 1);
	assert_int_equal(notified(0), 0);
	assert_int_equal(notified(1), 0);
	assert_int_equal(notified(2), 1);
	assert_int_equal(v->effects, ARM_EFFECT_VGIC);
	fake_enter(0);
	fake_enter(2);
	assert_int_equal(fake_ack(0), 5);
	assert_int_equal(fake_ack(2), 5);
	/* To others alone, the own list registers stay. */
	fake.reads = 0;
	axvmi_arm_send_sgi(v, UINT64_C(5) << 24 | 2, 1);
	assert_int_equal(v->effects, 0);
	assert_int_equal(fake.reads, 0);
	fake_enter(1);
	assert_int_equal(fake_ack(1), 5);
	/* Group 1 is out of reach of the other registers. */
	axvmi_arm_send_sgi(v, UINT64_C(5) << 24 | 4, 0);
	assert_int_equal(notified(2), 0);
}

static void an_sgi_to_oneself_comes_as_often_as_it_is_sent(void **s)
{
	(void)s;
	enable_ppi(0, 5);
	for (int round = 0; round < 3; round++) {
		/* The list register of the one before is still there. */
		axvmi_arm_send_sgi(&fake.vcpus[0], 5 << 24 | 1, 1);
		fake_enter(0);
		assert_int_equal(fake_ack(0), 5);
		assert_int_equal(fake_ack(0), CPUIF_NONE);
		fake_eoi(0, 5);
	}
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

static void a_trapped_write_of_dir_deactivates(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	enable_spi(0);
	assert_true((fake.hw[0].hcr & ICH_HCR_TDIR) != 0);
	line(true);
	fake_enter(0);
	fake.hw[0].vmcr |= ICH_VMCR_EOIM;
	assert_int_equal(fake_ack(0), SPI);
	fake_eoi(0, SPI);
	line(false);
	fake_enter(0);
	axvmi_arm_write_dir(v, SPI | 0xffffff0000000000);
	fake_enter(0);
	assert_int_equal(fake.hw[0].lr_used, 0);
	/* Ignored as long as an EOI deactivates. */
	fake.hw[0].vmcr &= ~ICH_VMCR_EOIM;
	line(true);
	fake_enter(0);
	assert_int_equal(fake_ack(0), SPI);
	axvmi_arm_write_dir(v, SPI);
	assert_int_equal(fake_get(0, W(GICD_ISACTIVER)), BIT_OF(SPI));
}

static void another_vcpu_deactivates_what_is_held(void **s)
{
	(void)s;
	for (uint32_t c = 0; c < 2; c++)
		fake.hw[c].vmcr |= ICH_VMCR_EOIM;
	enable_spi(1);
	line(true);
	fake_enter(1);
	assert_int_equal(fake_ack(1), SPI);
	line(false);
	fake_enter(1);
	axvmi_arm_write_dir(&fake.vcpus[0], SPI);
	fake_enter(1);
	assert_int_equal(fake.hw[1].lr_used, 0);
}

/* ---- power and reset ---- */

static void a_vcpu_that_is_off_gets_nothing(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[1];

	(void)s;
	enable_spi(1);
	line(true);
	fake_enter(1);
	assert_int_equal(fake.hw[1].lr_used, 1);
	axvmi_arm_vgic_vcpu_off(v);
	assert_int_equal(v->gic_filled, 0);
	fake_enter(1);
	assert_int_equal(fake.hw[1].lr_used, 0);
	axvmi_arm_vgic_vcpu_reset(v);
	assert_int_equal(v->gic.lr_count, 4);
	assert_int_equal(v->gic.pre_bits, 5);
	assert_int_equal(v->gic.vmcr, 0);
	fake_enter(1);
	assert_int_equal(fake_ack(1), SPI);
}

/* It was called for the line, and goes off instead of looking. */
static void one_of_n_goes_to_another_when_its_choice_goes_off(void **s)
{
	(void)s;
	enable_spi(0);
	fake_access(0, D(GICD_IROUTER + 8 * SPI), 8, true, GICD_IROUTER_IRM);
	for (uint32_t c = 0; c < FAKE_VCPUS; c++)
		fake_enter(c);
	notified(1);
	line(true);
	assert_int_equal(notified(1), 1);
	axvmi_arm_vgic_vcpu_off(&fake.vcpus[1]);
	fake_enter(0);
	fake_enter(2);
	assert_int_equal(fake_ack(2), SPI);
}

static void a_vcpu_that_starts_has_its_timers_off(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	enable_ppi(0, ARM_PPI_CNTV);
	enable_ppi(0, ARM_PPI_CNTP);
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, true);
	axvmi_arm_set_ppi(v, ARM_PPI_CNTP, true);
	axvmi_arm_gic_fold(v);
	axvmi_arm_vgic_vcpu_reset(v);
	assert_int_equal(fake_get(0, R(0, GICD_ISPENDR)), 0);
}

static void after_reset_lines_are_taken_again(void **s)
{
	(void)s;
	enable_spi(0);
	line(true);
	assert_int_equal(axvm_vcpu_irq_set(&fake.vm.core, 0, PPI, true),
			 AXVM_OK);
	fake_enter(0);
	for (uint32_t c = 0; c < FAKE_VCPUS; c++)
		axvmi_arm_gic_fold(&fake.vcpus[c]);
	fake.vm.gicd_device.ops->reset(&fake.vm.gicd_device);
	axvmi_lines_reset(&fake.vm.core);
	for (uint32_t c = 0; c < FAKE_VCPUS; c++)
		axvmi_arm_vgic_vcpu_reset(&fake.vcpus[c]);
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	assert_int_equal(fake_get(0, W(GICD_ISENABLER)), 0);
	assert_int_equal(fake_get(0, W(GICD_ISPENDR)), BIT_OF(SPI));
	assert_int_equal(fake_get(0, R(0, GICD_ISPENDR)), BIT_OF(PPI));
}

/* ---- forwarded interrupts ---- */

static void ends_of_forwarded_lines_are_told_without_the_lock(void **s)
{
	static const uint32_t lines[32] = {0, BIT_OF(SPI)};

	(void)s;
	assert_true(fake_end());
	fake_boot(lines);
	fake_put(0, D(GICD_CTLR), 3);
	enable_spi(0);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(axvm_inject(&fake.vm.core, 0, SPI), AXVM_OK);
		fake_enter(0);
		assert_int_equal(fake_ack(0), SPI);
		assert_int_equal(fake.ended_count, i - 1);
		fake_eoi(0, SPI);
		assert_int_equal(fake.ended_count, i);
		assert_int_equal(fake.ended[i - 1], SPI);
	}
	assert_int_equal(axvm_inject(&fake.vm.core, 0, SPI), AXVM_OK);
	fake_enter(0);
	assert_int_equal(fake_ack(0), SPI);
	fake_put(0, W(GICD_ICACTIVER), BIT_OF(SPI));
	assert_int_equal(fake.ended_count, 4);
}

#define TAKEN(name) cmocka_unit_test_setup_teardown(name, setup_taken, teardown)
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(two_devices_take_every_width),
		CASE(a_vgic_that_fails_leaves_nothing_behind),
		CASE(without_a_vgic_nothing_happens),
		CASE(reads_of_settings_take_no_lock_and_no_registers),
		CASE(a_priority_of_an_idle_interrupt_moves_no_registers),
		CASE(a_line_reaches_the_vcpu_it_is_routed_to),
		CASE(a_line_that_stays_high_comes_again),
		CASE(an_injected_edge_is_one_interrupt),
		CASE(a_line_that_rose_while_disabled_is_seen_when_enabled),
		CASE(a_line_that_rises_during_the_write_that_enables_it),
		CASE(lines_that_do_not_exist_concern_nobody),
		CASE(a_line_follows_a_changed_route),
		CASE(per_vcpu_lines_are_ppis),
		CASE(one_of_n_goes_to_who_has_the_group_enabled),
		CASE(one_of_n_follows_the_group_enables),
		CASE(one_of_n_finds_groups_that_are_enabled),
		CASE(an_access_sees_what_the_guest_has_just_done),
		CASE(a_read_calls_those_who_know_better),
		CASE(a_write_is_done_when_it_returns),
		CASE(a_write_waits_for_who_is_slow_to_come),
		CASE(nobody_waits_for_a_vcpu_that_does_not_run),
		CASE(folding_what_holds_nothing_reads_no_registers),
		CASE(a_fill_folds_first),
		CASE(a_crowd_is_chosen_by_the_interface_as_it_is_now),
		CASE(a_crowd_waits_for_its_group),
		CASE(pending_is_asked_of_the_interface_as_it_is_now),
		CASE(the_timer_is_high_until_it_stops_asking),
		CASE(a_register_access_looks_at_the_timer_as_well),
		CASE(the_host_and_a_timer_share_a_ppi),
		TAKEN(the_guests_eoi_ends_the_physical_interrupt),
		TAKEN(after_reset_it_is_forwarded_as_before),
		TAKEN(one_that_is_active_does_not_pend_too),
		TAKEN(one_that_is_set_pending_while_active_is_not_lost),
		TAKEN(one_that_the_host_holds_up_as_well_is_heard_of),
		TAKEN(one_that_the_timer_has_let_go_is_the_models_alone),
		TAKEN(ends_that_the_cpu_does_not_see_leave_it_taken),
		TAKEN(it_is_forwarded_in_a_crowd_too),
		CASE(sgis_call_their_targets),
		CASE(an_sgi_to_oneself_comes_as_often_as_it_is_sent),
		CASE(a_trapped_write_of_dir_deactivates),
		CASE(another_vcpu_deactivates_what_is_held),
		CASE(a_vcpu_that_is_off_gets_nothing),
		CASE(one_of_n_goes_to_another_when_its_choice_goes_off),
		CASE(a_vcpu_that_starts_has_its_timers_off),
		CASE(after_reset_lines_are_taken_again),
		CASE(ends_of_forwarded_lines_are_told_without_the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
