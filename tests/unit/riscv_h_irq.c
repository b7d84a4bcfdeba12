/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The PLIC as a device and the per-vCPU lines: arch/riscv_h/irq.c. The core's
 * inputs are written as axvm_irq_set() and axvm_inject() leave them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "riscv_h_fake.h"

#define PLIC_BASE UINT64_C(0x0c000000)
#define THRESHOLD(vcpu) (VPLIC_CONTEXT + (vcpu)*VPLIC_CONTEXT_STRIDE)
#define CLAIM(vcpu) (THRESHOLD(vcpu) + 4)

static int setup(void **state)
{
	(void)state;
	fake_vm(3);
	store_relaxed(&fake.vcpus[2].core.state, AXVM_VCPU_READY);
	axvmi_riscv_plic_init(&fake.vm, VPLIC_ONE_PER_HART, PLIC_BASE,
			      VPLIC_WINDOW);
	return 0;
}

static uint64_t access_by(uint32_t vcpu, uint64_t offset, bool write,
			  uint64_t value)
{
	struct axvm_device *device = &fake.vm.plic_device;
	struct axvm_device_access access = {
		.vm = &fake.vm.core,
		.offset = offset,
		.value = value,
		.vcpu = vcpu,
		.size = 4,
		.write = write,
	};

	assert_int_equal(device->ops->access(device, &access),
			 AXVM_ACCESS_DONE);
	assert_int_equal(fake.vm.core.irqchip.held, 0);
	assert_int_equal(fake.vm.plic.dirty, 0);
	return access.value;
}

static uint64_t get(uint32_t vcpu, uint64_t offset)
{
	return access_by(vcpu, offset, false, UINT64_MAX);
}

static void put(uint32_t vcpu, uint64_t offset, uint32_t value)
{
	access_by(vcpu, offset, true, value);
}

static void enable(uint32_t vcpu, uint32_t source)
{
	uint64_t at =
		VPLIC_ENABLE + vcpu * VPLIC_ENABLE_STRIDE + source / 32 * 4;

	put(vcpu, at, (uint32_t)get(vcpu, at) | UINT32_C(1) << source % 32);
}

static void sync_vcpu(uint32_t vcpu)
{
	axvmi_riscv_irq_sync(&fake.vcpus[vcpu].core);
	assert_int_equal(fake.vm.core.irqchip.held, 0);
}

/* What the metal half does with effects: hvip as the guest sees it. */
static uint64_t apply(uint32_t vcpu)
{
	static uint64_t hvip[AXVM_MAX_VCPUS];
	struct riscv_vcpu *v = &fake.vcpus[vcpu];

	if ((v->effects & RISCV_EFFECT_HVIP) != 0)
		hvip[vcpu] = (hvip[vcpu] | v->hvip_set) & ~v->hvip_clear;
	v->effects = 0;
	v->hvip_set = 0;
	v->hvip_clear = 0;
	return hvip[vcpu];
}

/* A guest that starts over takes nothing from the test before. */
static void forget_hvip(void)
{
	for (uint32_t i = 0; i < 3; i++) {
		riscv_lower(&fake.vcpus[i],
			    RISCV_VSSIP | RISCV_VSTIP | RISCV_VSEIP);
		assert_int_equal(apply(i), 0);
	}
}

/* ---- the device ---- */

static void the_device_takes_aligned_words_only(void **s)
{
	const struct axvm_device *d = &fake.vm.plic_device;

	(void)s;
	assert_int_equal(d->range_count, 1);
	assert_int_equal(d->ranges[0].bus, AXVM_BUS_MMIO);
	assert_int_equal(d->ranges[0].base, PLIC_BASE);
	assert_int_equal(d->ranges[0].size, VPLIC_WINDOW);
	assert_int_equal(d->ranges[0].widths, 4);
	assert_string_equal(d->ops->name, "plic");
	assert_int_equal(fake.vm.plic.contexts, 3);
}

static void registers_read_back_without_effects_or_notifications(void **s)
{
	(void)s;
	put(0, 4, 5);
	put(1, THRESHOLD(1), 3);
	enable(0, 40);
	assert_int_equal(get(1, 4), 5);
	assert_int_equal(get(0, THRESHOLD(1)), 3);
	assert_int_equal(get(2, VPLIC_ENABLE + 4), 1 << 8);
	assert_int_equal(get(0, VPLIC_PENDING), 0);
	assert_int_equal(get(0, CLAIM(0)), 0);
	assert_int_equal(fake.notify_count, 0);
	assert_int_equal(fake.vcpus[0].effects, 0);
	assert_int_equal(fake.takes, 0);
}

static void a_line_reaches_the_vcpu_that_enables_it(void **s)
{
	(void)s;
	put(0, 5 * 4, 1);
	enable(0, 5);
	assert_int_equal(axvmi_riscv_line_targets(&fake.vm.core, 5), 1);
	fake_line(5, true, false);
	sync_vcpu(0);
	assert_int_equal(apply(0), RISCV_VSEIP);
	assert_int_equal(fake.notify_count, 0);
	assert_int_equal(get(0, CLAIM(0)), 5);
	assert_int_equal(apply(0), 0);
	/* Still high: again after completion. */
	put(0, CLAIM(0), 5);
	assert_int_equal(apply(0), RISCV_VSEIP);
	assert_int_equal(get(0, CLAIM(0)), 5);
	fake_line(5, false, false);
	put(0, CLAIM(0), 5);
	assert_int_equal(apply(0), 0);
}

static void an_injected_edge_is_one_interrupt(void **s)
{
	(void)s;
	put(0, 5 * 4, 1);
	enable(0, 5);
	fake_line(5, false, true);
	sync_vcpu(0);
	assert_int_equal(get(0, CLAIM(0)), 5);
	put(0, CLAIM(0), 5);
	assert_int_equal(get(0, CLAIM(0)), 0);
	assert_int_equal(apply(0), 0);
}

static void an_access_takes_inputs_first(void **s)
{
	(void)s;
	fake_line(33, true, false);
	assert_int_equal(get(0, VPLIC_PENDING + 4), 2);
	assert_int_equal(fake.takes, 1);
	put(0, 33 * 4, 2);
	enable(0, 33);
	fake_line(34, true, false);
	put(0, 34 * 4, 2);
	assert_int_equal(fake.takes, 2);
	assert_int_equal(get(0, VPLIC_PENDING + 4), 6);
}

static void other_vcpus_are_notified_and_sync_for_themselves(void **s)
{
	(void)s;
	put(0, 5 * 4, 1);
	enable(1, 5);
	enable(2, 5);
	fake_line(5, true, false);
	assert_int_equal(axvmi_riscv_line_targets(&fake.vm.core, 5), 6);
	sync_vcpu(0);
	assert_int_equal(apply(0), 0);
	assert_int_equal(fake.notify_count, 2);
	assert_int_equal(fake.notified[1], AXVMI_ATTN_LINES);
	assert_int_equal(fake.notified[2], AXVMI_ATTN_LINES);
	sync_vcpu(1);
	sync_vcpu(2);
	assert_int_equal(apply(1), RISCV_VSEIP);
	assert_int_equal(apply(2), RISCV_VSEIP);
	assert_int_equal(fake.notify_count, 2);
	/* One claims: the other hears that there is nothing left. */
	assert_int_equal(get(1, CLAIM(1)), 5);
	assert_int_equal(apply(1), 0);
	assert_int_equal(fake.notify_count, 3);
	assert_int_equal(fake.vm.plic.eip, 0);
	sync_vcpu(2);
	assert_int_equal(apply(2), 0);
}

static void a_vcpu_may_write_registers_of_another_context(void **s)
{
	(void)s;
	put(0, 5 * 4, 3);
	enable(1, 5);
	fake_line(5, true, false);
	sync_vcpu(1);
	assert_int_equal(apply(1), RISCV_VSEIP);
	fake.notify_count = 0;
	put(0, THRESHOLD(1), 3);
	assert_int_equal(fake.notify_count, 1);
	assert_int_equal(fake.notified[1], AXVMI_ATTN_LINES);
	sync_vcpu(1);
	assert_int_equal(apply(1), 0);
}

/* A device raised the line when nobody was a target: nobody was notified. */
static void enabling_a_source_whose_line_is_high_interrupts_at_once(void **s)
{
	(void)s;
	put(0, 5 * 4, 1);
	fake_line(5, true, false);
	assert_int_equal(axvmi_riscv_line_targets(&fake.vm.core, 5), 0);
	enable(0, 5);
	assert_int_equal(apply(0), RISCV_VSEIP);
}

static void raise_after_take(void)
{
	/* As if another CPU wrote its input after the access took inputs and
	 * before the hint was there. */
	fake_line(6, true, false);
}

static void inputs_are_looked_at_again_after_an_enable_write(void **s)
{
	(void)s;
	put(0, 6 * 4, 1);
	put(0, 7 * 4, 1);
	fake.after_take = raise_after_take;
	fake_line(7, true, false); /* makes the access take */
	put(0, VPLIC_ENABLE, 1u << 6);
	assert_int_equal(fake.takes, 2);
	assert_int_equal(apply(0), RISCV_VSEIP);
	assert_int_equal(get(0, CLAIM(0)), 6);
}

static void a_priority_write_of_a_pending_source_updates_the_output(void **s)
{
	(void)s;
	enable(0, 5);
	fake_line(5, true, false);
	sync_vcpu(0);
	assert_int_equal(apply(0), 0);
	put(0, 5 * 4, 1);
	assert_int_equal(apply(0), RISCV_VSEIP);
	put(0, 5 * 4, 0);
	assert_int_equal(apply(0), 0);
}

static void reset_clears_the_model(void **s)
{
	struct axvm_device *device = &fake.vm.plic_device;

	(void)s;
	put(0, 5 * 4, 1);
	enable(0, 5);
	fake_line(5, true, false);
	sync_vcpu(0);
	device->ops->reset(device);
	assert_int_equal(fake.vm.plic.eip, 0);
	assert_int_equal(fake.vm.plic.dirty, 0);
	assert_int_equal(get(0, 5 * 4), 0);
	assert_int_equal(fake.vm.core.irqchip.held, 0);
}

static void targets_of_a_line_that_cannot_be_are_not_read_outside(void **s)
{
	(void)s;
	assert_int_equal(axvmi_riscv_line_targets(&fake.vm.core, UINT32_MAX),
			 0);
}

/* ---- per-vCPU lines ---- */

static void levels(uint32_t vcpu, uint32_t bits)
{
	store_seq(&fake.vcpus[vcpu].core.line_levels, bits);
	sync_vcpu(vcpu);
}

static void edges(uint32_t vcpu, uint32_t bits)
{
	atomic_fetch_or(&fake.vcpus[vcpu].core.line_edges, bits);
	sync_vcpu(vcpu);
	assert_int_equal(fake.vcpus[vcpu].core.line_edges, 0);
}

static void sync_without_inputs_takes_no_lock(void **s)
{
	(void)s;
	store_relaxed(&fake.vm.core.irqchip.held, 1);
	axvmi_riscv_irq_sync(&fake.vcpus[1].core);
	store_relaxed(&fake.vm.core.irqchip.held, 0);
	assert_int_equal(fake.takes, 0);
	assert_int_equal(apply(1), 0);
}

static void software_edge_raises_vssip_once(void **s)
{
	(void)s;
	edges(0, 1u << 1);
	assert_int_equal(apply(0), RISCV_VSSIP);
	/* The guest clears it; nothing raises it again. */
	sync_vcpu(0);
	assert_int_equal(fake.vcpus[0].hvip_set, 0);
}

static void software_level_is_raised_as_long_as_it_is_held(void **s)
{
	(void)s;
	levels(0, 1u << 1);
	assert_int_equal(fake.vcpus[0].hvip_set & RISCV_VSSIP, RISCV_VSSIP);
	apply(0);
	sync_vcpu(0);
	assert_int_equal(fake.vcpus[0].hvip_set & RISCV_VSSIP, RISCV_VSSIP);
	apply(0);
	levels(0, 0);
	assert_int_equal((fake.vcpus[0].hvip_set | fake.vcpus[0].hvip_clear) &
				 RISCV_VSSIP,
			 0);
}

static void timer_level_follows_and_then_asks_for_the_timer_again(void **s)
{
	struct riscv_vcpu *v = &fake.vcpus[0];

	(void)s;
	levels(0, 1u << 5);
	assert_int_equal(apply(0), RISCV_VSTIP);
	sync_vcpu(0);
	assert_int_equal(v->hvip_set | (v->hvip_clear & RISCV_VSTIP), 0);
	levels(0, 0);
	assert_int_equal(v->effects & RISCV_EFFECT_TIMER_LOOK,
			 RISCV_EFFECT_TIMER_LOOK);
	assert_int_equal(apply(0), 0);
	/* The guest's own timer is left alone by other syncs. */
	riscv_raise(v, RISCV_VSTIP);
	sync_vcpu(0);
	assert_int_equal(apply(0), RISCV_VSTIP);
}

static void timer_edge_lasts_until_set_timer(void **s)
{
	(void)s;
	edges(0, 1u << 5);
	assert_int_equal(apply(0), RISCV_VSTIP);
	levels(0, 1u << 5);
	levels(0, 0);
	assert_int_equal(apply(0), RISCV_VSTIP);
	assert_int_equal(fake.vcpus[0].lines,
			 RISCV_LINE_EDGE(RISCV_LINE_TIMER));
}

static void external_level_is_ored_with_the_plic(void **s)
{
	(void)s;
	put(0, 5 * 4, 1);
	enable(0, 5);
	levels(0, 1u << 9);
	assert_int_equal(apply(0), RISCV_VSEIP);
	fake_line(5, true, false);
	sync_vcpu(0);
	levels(0, 0);
	assert_int_equal(apply(0), RISCV_VSEIP);
	levels(0, 1u << 9);
	assert_int_equal(get(0, CLAIM(0)), 5);
	assert_int_equal(apply(0), RISCV_VSEIP);
	levels(0, 0);
	assert_int_equal(apply(0), 0);
}

static void external_edge_lasts_until_the_vcpu_claims(void **s)
{
	(void)s;
	edges(0, 1u << 9);
	assert_int_equal(apply(0), RISCV_VSEIP);
	get(1, CLAIM(0)); /* somebody else's claim, or another access */
	get(0, CLAIM(1));
	put(0, CLAIM(0), 3);
	get(0, THRESHOLD(0));
	sync_vcpu(0);
	assert_int_equal(apply(0), RISCV_VSEIP);
	assert_int_equal(get(0, CLAIM(0)), 0);
	assert_int_equal(apply(0), 0);
	assert_int_equal(fake.vcpus[0].lines, 0);
}

static void external_edge_and_plic_end_with_the_plic(void **s)
{
	(void)s;
	put(0, 5 * 4, 1);
	put(0, 6 * 4, 1);
	enable(0, 5);
	enable(0, 6);
	fake_line(5, false, true);
	fake_line(6, false, true);
	edges(0, 1u << 9);
	assert_int_equal(apply(0), RISCV_VSEIP);
	assert_int_equal(get(0, CLAIM(0)), 5);
	assert_int_equal(apply(0), RISCV_VSEIP);
	assert_int_equal(get(0, CLAIM(0)), 6);
	assert_int_equal(apply(0), 0);
}

static void lines_of_one_vcpu_do_not_reach_another(void **s)
{
	(void)s;
	edges(1, 1u << 1 | 1u << 5 | 1u << 9);
	assert_int_equal(apply(1), RISCV_VSSIP | RISCV_VSTIP | RISCV_VSEIP);
	sync_vcpu(0);
	assert_int_equal(apply(0), 0);
}

static void lines_that_do_not_exist_change_nothing(void **s)
{
	(void)s;
	edges(0, ~(1u << 1 | 1u << 5 | 1u << 9));
	levels(0, ~(1u << 1 | 1u << 5 | 1u << 9));
	assert_int_equal(apply(0), 0);
	assert_int_equal(fake.vcpus[0].lines, 0);
}

static void a_vm_without_plic_still_has_its_lines(void **s)
{
	(void)s;
	fake_vm(2);
	edges(0, 1u << 1);
	levels(0, 1u << 9);
	assert_int_equal(apply(0), RISCV_VSSIP | RISCV_VSEIP);
	assert_int_equal(axvmi_riscv_line_targets(&fake.vm.core, 5), 0);
}

/* Whatever happens, once everybody notified has synced, hvip is what the model
 * says. */
static void random_traffic_ends_with_the_right_outputs(void **s)
{
	uint32_t seed = 3;

	(void)s;
	for (int i = 0; i < 20000; i++) {
		uint32_t vcpu, source;

		seed = seed * 1664525 + 1013904223;
		vcpu = (seed >> 8) % 3;
		source = 1 + (seed >> 12) % 5;
		switch (seed >> 28) {
		case 0:
		case 1:
			put(vcpu, source * 4, seed >> 20);
			break;
		case 2:
		case 3:
			put(vcpu, VPLIC_ENABLE + vcpu * 0x80, seed >> 16);
			break;
		case 4:
			put(vcpu, THRESHOLD(vcpu), seed >> 20 & 3);
			break;
		case 5:
		case 6:
		case 7:
			get(vcpu, CLAIM(vcpu));
			break;
		case 8:
		case 9:
			put(vcpu, CLAIM(vcpu), source);
			break;
		default:
			fake_line(source, (seed & 0x80000) != 0,
				  (seed & 0x40000) != 0);
			/* The hint names who must look. */
			if ((axvmi_riscv_line_targets(&fake.vm.core, source) >>
				     vcpu &
			     1) != 0)
				sync_vcpu(vcpu);
			break;
		}
		for (uint32_t k = 0; k < 3; k++) {
			if (atomic_exchange(&fake.vcpus[k].core.attention, 0))
				sync_vcpu(k);
			assert_int_equal(apply(k) == RISCV_VSEIP,
					 axvmi_vplic_eip(&fake.vm.plic, k));
		}
	}
}

static int setup_fresh(void **state)
{
	setup(state);
	forget_hvip();
	return 0;
}

#define T(name) cmocka_unit_test_setup(name, setup_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_device_takes_aligned_words_only),
		T(registers_read_back_without_effects_or_notifications),
		T(a_line_reaches_the_vcpu_that_enables_it),
		T(an_injected_edge_is_one_interrupt),
		T(an_access_takes_inputs_first),
		T(other_vcpus_are_notified_and_sync_for_themselves),
		T(a_vcpu_may_write_registers_of_another_context),
		T(enabling_a_source_whose_line_is_high_interrupts_at_once),
		T(inputs_are_looked_at_again_after_an_enable_write),
		T(a_priority_write_of_a_pending_source_updates_the_output),
		T(reset_clears_the_model),
		T(targets_of_a_line_that_cannot_be_are_not_read_outside),
		T(sync_without_inputs_takes_no_lock),
		T(software_edge_raises_vssip_once),
		T(software_level_is_raised_as_long_as_it_is_held),
		T(timer_level_follows_and_then_asks_for_the_timer_again),
		T(timer_edge_lasts_until_set_timer),
		T(external_level_is_ored_with_the_plic),
		T(external_edge_lasts_until_the_vcpu_claims),
		T(external_edge_and_plic_end_with_the_plic),
		T(lines_of_one_vcpu_do_not_reach_another),
		T(lines_that_do_not_exist_change_nothing),
		T(a_vm_without_plic_still_has_its_lines),
		T(random_traffic_ends_with_the_right_outputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
