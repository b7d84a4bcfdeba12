/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Random histories of the virtual timer and the vGIC together, on a CPU whose
 * physical PPI is active or not: whatever a guest does, the CPU's next vCPU finds
 * that inactive, nothing storms, and its own timer works once it behaves.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "backend.h"
#include "regs.h"

/* The timer is the real one here: these are its stand-ins. */
#define axvmi_arm_vtimer_ended fake_vtimer_ended
#define axvmi_arm_vtimer_done fake_vtimer_done
#define axvmi_arm_vtimer_sync fake_vtimer_sync
#include "arm_vhe_irq.h"
#undef axvmi_arm_vtimer_ended
#undef axvmi_arm_vtimer_done
#undef axvmi_arm_vtimer_sync

#define HISTORIES 5000u
#define STEPS 100u
#define PHYSICAL 26u
#define FIRST_SPI 40u
#define SPIS 8u
#define TIMER_BIT (UINT32_C(1) << ARM_PPI_CNTV)
#define R(offset) (GICR_BASE + FAKE_SGI(0) + (offset))

static struct {
	struct arm_metal metal;
	struct arm_vcpu *v;
	struct vgic_cpu_regs *hw;
	uint64_t counter, ctl, cval;
	bool takes;
	bool inside; /* a run: the timer is on */
	bool active; /* the physical interrupt */
	bool others; /* one of the host's comes first */
	uint64_t random;
} t;

static uint32_t rnd(uint32_t n)
{
	t.random =
		t.random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(t.random >> 33) % n;
}

/* ---- the CPU and the host ---- */

static bool line(void)
{
	return t.inside && t.ctl == CNT_CTL_ENABLE && t.counter >= t.cval;
}

static uint64_t read_el1(enum arm_el1 reg)
{
	bool met = (t.ctl & CNT_CTL_ENABLE) != 0 && t.counter >= t.cval;

	if (reg == ARM_EL1_CNTV_CVAL)
		return t.cval;
	return t.ctl | (met ? CNT_CTL_ISTATUS : 0);
}

static void write_el1(enum arm_el1 reg, uint64_t value)
{
	assert_int_equal(reg, ARM_EL1_CNTV_CTL);
	t.ctl = value & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
}

static void deactivate(uint32_t intid)
{
	assert_int_equal(intid, PHYSICAL);
	t.active = false;
}

static bool take_vtimer(void *ctx)
{
	(void)ctx;
	if (t.others || !line() || t.active) {
		t.others = false;
		return false;
	}
	t.active = true;
	return true;
}

uint64_t axvmi_arm_cntp_due(const struct arm_vcpu *v)
{
	(void)v;
	return UINT64_MAX;
}

uint64_t axvmi_guest_counter(struct axvm_vm *vm)
{
	(void)vm;
	return t.counter;
}

uint64_t axvmi_deadline_in(struct axvm_host *host, uint64_t ticks)
{
	(void)host;
	return ticks;
}

/* ---- runs, as vcpu.c has them ---- */

static void put(void)
{
	t.inside = true;
	axvmi_arm_gic_fold(t.v);
	t.inside = false;
	axvmi_arm_vtimer_drop(t.v);
	/* Another VM may be next. */
	assert_false(t.active);
	t.hw->lr_used = t.v->gic.lr_used = 0;
	t.hw->hcr = t.v->gic.hcr = 0;
	t.v->effects |= ARM_EFFECT_VGIC;
}

static void run_ends(void)
{
	if (t.v->gic.lr_used != 0)
		axvmi_arm_gic_fold(t.v);
	t.inside = false;
	fake.prompt[0] = false;
	store_relaxed(&t.v->core.state, AXVM_VCPU_READY);
}

static void run_begins(void)
{
	store_relaxed(&t.v->core.state, AXVM_VCPU_RUNNING);
	fake.prompt[0] = true;
	t.inside = true;
	if (t.v->vtimer_held != 0 || t.ctl == CNT_CTL_ENABLE)
		axvmi_arm_vtimer_look(t.v);
	fake_enter(0);
}

static void run_again(void)
{
	run_ends();
	if (rnd(3) == 0)
		put();
	run_begins();
}

static void maintain(void)
{
	struct vgic_cpu_regs rest = *t.hw;
	uint64_t ended = 0;

	for (uint32_t i = 0; i < rest.lr_used; i++) {
		if ((rest.lr[i] & (CPUIF_STATE | LR_HW | LR_EOI)) == LR_EOI)
			ended |= BIT64(i);
		rest.lr[i] &= ~LR_EOI;
	}
	if (ended == 0 || cpuif_maintenance(&rest) ||
	    !axvmi_arm_vtimer_retire(t.v, ended))
		axvmi_arm_gic_fold(t.v);
}

static void on_interrupt(void)
{
	enum arm_vtimer taken = ARM_VTIMER_NONE;
	bool ours = false;

	if (t.takes)
		taken = axvmi_arm_vtimer_take(t.v);
	else
		ours = axvmi_arm_vtimer_look(t.v);
	if (taken == ARM_VTIMER_NONE && t.v->gic_filled != 0 &&
	    cpuif_maintenance(t.hw)) {
		maintain();
		ours = true;
	}
	if (ours || taken == ARM_VTIMER_TAKEN)
		fake_enter(0);
	else
		run_again();
}

/* Until nothing interrupts the guest any more. */
static void settle(void)
{
	for (int i = 0;; i++) {
		if (cpuif_hw_ends != 0)
			t.active = false;
		cpuif_hw_ends = 0;
		if ((!line() || t.active) && !cpuif_maintenance(t.hw))
			break;
		assert_true(i < 20);
		on_interrupt();
	}
	if (t.active)
		assert_true(t.v->vtimer_taken && t.v->vtimer_held);
}

/* ---- the guest ---- */

static void access_frame(uint64_t gpa, uint32_t value)
{
	fake_put(rnd(2), gpa, value);
	fake_enter(1);
	fake_enter(0);
}

static int active(void)
{
	int best = -1;

	for (int i = 0; i < (int)t.hw->lr_used; i++) {
		if ((t.hw->lr[i] & LR_ACTIVE) != 0 &&
		    (best < 0 || cpuif_priority(t.hw->lr[i]) <
					 cpuif_priority(t.hw->lr[best])))
			best = i;
	}
	return best;
}

static bool is_running(void)
{
	return (t.hw->ap0r[0] | t.hw->ap1r[0]) != 0;
}

static void deactivates(uint32_t intid)
{
	if (cpuif_dir(t.hw, intid))
		return;
	axvmi_arm_write_dir(t.v, intid);
	fake_enter(0);
}

static void sleeps(void)
{
	uint64_t deadline = axvmi_arm_timer_deadline(t.v);

	/* An event that is to come wakes it. */
	if (t.ctl == CNT_CTL_ENABLE && t.counter < t.cval)
		assert_int_equal(deadline, t.cval - t.counter);
	axvmi_arm_vtimer_look(t.v);
	if (axvmi_arm_gic_pending(t.v))
		fake_enter(0);
	else
		run_again();
}

static void power_cycle(void)
{
	if (rnd(3) != 0)
		return;
	axvmi_arm_vgic_vcpu_off(t.v);
	run_ends();
	put();
	t.ctl = t.cval = 0;
	t.v->vtimer_held = t.v->vtimer_taken = t.v->vtimer_rounds = 0;
	t.v->vtimer_cval = 0;
	axvmi_arm_vgic_vcpu_reset(t.v);
	memset(t.hw, 0, sizeof(*t.hw));
	t.hw->vmcr = 0xf84c0003;
	t.v->effects |= ARM_EFFECT_VGIC;
	run_begins();
}

static void step_timer(void)
{
	switch (rnd(4)) {
	case 0:
	case 1:
		t.cval = t.counter + rnd(40);
		if (rnd(2) != 0)
			t.ctl = CNT_CTL_ENABLE;
		break;
	case 2:
		/* Without take_vtimer its own mask is the library's too. */
		t.ctl = t.takes ? rnd(4) : rnd(2);
		break;
	default:
		t.counter += rnd(60);
	}
}

static void step_frames(void)
{
	static const uint16_t banks[] = {
		GICD_ISENABLER, GICD_ICENABLER, GICD_ISENABLER, GICD_ISPENDR,
		GICD_ICPENDR,	GICD_ISACTIVER, GICD_ICACTIVER,
	};

	switch (rnd(12)) {
	case 0:
		access_frame(R(GICD_ICFGR + 4), rnd(2) != 0 ? UINT32_MAX : 0);
		break;
	case 1:
		access_frame(GICD_BASE + GICD_CTLR, rnd(4));
		break;
	case 2:
		access_frame(GICR_BASE + GICR_WAKER, rnd(2) * GICR_WAKER_SLEEP);
		break;
	default:
		access_frame(R(banks[rnd(ARRAY_SIZE(banks))]), TIMER_BIT);
	}
}

static void step_interface(void)
{
	int i = active();

	switch (rnd(8)) {
	case 0:
	case 1:
	case 5:
		(void)cpuif_acknowledge(t.hw);
		break;
	case 2:
	case 3:
	case 6:
		if (i >= 0)
			cpuif_eoi(t.hw, (uint32_t)(t.hw->lr[i] & LR_VINTID));
		break;
	case 4:
		deactivates(rnd(2) != 0 ? ARM_PPI_CNTV : FIRST_SPI + rnd(SPIS));
		break;
	default:
		if (rnd(2) != 0 && !is_running())
			t.hw->vmcr ^= ICH_VMCR_EOIM;
		else
			t.hw->vmcr ^= 0xb8000000;
	}
}

static void step_outside(void)
{
	struct axvm_vm *vm = &fake.vm.core;
	int err = AXVM_OK;

	switch (rnd(5)) {
	case 0:
		err = axvm_vcpu_irq_set(vm, 0, ARM_PPI_CNTV, rnd(2) != 0);
		break;
	case 1:
		err = axvm_inject(vm, 0, AXVM_PRIVATE_LINE + ARM_PPI_CNTV);
		break;
	case 2:
		t.others = true;
		break;
	default:
		err = axvm_irq_set(vm, FIRST_SPI + rnd(SPIS), rnd(2) != 0);
	}
	assert_int_equal(err, AXVM_OK);
	fake_enter(0);
}

/* One SGI is enabled, the other is not. */
static void step_sgi(void)
{
	axvmi_arm_send_sgi(t.v, (uint64_t)(5 + rnd(2)) << 24 | 1, 1);
	fake_enter(0);
}

static void step(void)
{
	static void (*const steps[])(void) = {
		sleeps,		run_again,    step_sgi,	      step_sgi,
		power_cycle,	step_frames,  step_frames,    step_frames,
		step_outside,	step_outside, step_interface, step_interface,
		step_interface, step_timer,   step_timer,     step_timer,
		step_timer,
	};

	steps[rnd(ARRAY_SIZE(steps))]();
}

/* ---- a guest that behaves ---- */

/* By CVAL alone, if its own IMASK is not set. */
static void arms(uint64_t ticks)
{
	t.cval = t.counter + ticks;
	if (t.takes || t.v->vtimer_held == 0 || rnd(2) != 0)
		t.ctl = CNT_CTL_ENABLE;
}

static void serve(uint32_t intid)
{
	if (intid == ARM_PPI_CNTV)
		arms(100000);
	if (is_running())
		cpuif_eoi(t.hw, intid);
	if ((t.hw->vmcr & ICH_VMCR_EOIM) != 0)
		deactivates(intid);
	settle();
}

static void set_up(void)
{
	struct axvm_vm *vm = &fake.vm.core;

	t.others = false;
	for (uint32_t i = 0; i < SPIS; i++)
		fake_require(!axvm_irq_set(vm, FIRST_SPI + i, false));
	fake_require(!axvm_vcpu_irq_set(vm, 0, ARM_PPI_CNTV, false));
	fake_put(0, GICD_BASE + GICD_CTLR, 3);
	fake_put(0, GICR_BASE + GICR_WAKER, 0);
	fake_put(0, R(GICD_ISENABLER), TIMER_BIT | 1u << 5);
	t.hw->vmcr |= 0xf8000003;
	fake_enter(0);
	settle();
}

static void ends_all(void)
{
	for (uint32_t intid = 0, i = 0; intid != CPUIF_NONE; i++) {
		assert_true(i < 300);
		while (is_running() && active() >= 0)
			serve((uint32_t)(t.hw->lr[active()] & LR_VINTID));
		while (is_running())
			serve(ARM_PPI_CNTV);
		/* ISACTIVER: nobody's EOI ends those. */
		fake_put(0, R(GICD_ICACTIVER), UINT32_MAX);
		fake_enter(0);
		settle();
		intid = cpuif_acknowledge(t.hw);
		if (intid != CPUIF_NONE)
			serve(intid);
	}
}

static void its_timer_works(void)
{
	set_up();
	ends_all();
	arms(10);
	settle();
	t.counter += 20;
	settle();
	assert_int_equal(cpuif_acknowledge(t.hw), ARM_PPI_CNTV);
}

static void history(bool takes, uint32_t number)
{
	memset(&t, 0, sizeof(t));
	t.random = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
	t.takes = takes;
	t.counter = 1000;
	t.inside = true;
	cpuif_hw_ends = 0;
	fake_boot_with(NULL, takes ? PHYSICAL : 0);
	t.v = &fake.vcpus[0];
	t.hw = &fake.hw[0];
	t.metal = fake_metal;
	t.metal.read_el1 = read_el1;
	t.metal.write_el1 = write_el1;
	t.metal.deactivate = deactivate;
	fake.vm.metal = &t.metal;
	if (takes)
		fake.host.hal.take_vtimer = take_vtimer;
	fake_put(0, GICD_BASE + GICD_ISENABLER + 4, 0xff00);
	store_relaxed(&t.v->core.state, AXVM_VCPU_RUNNING);
	fake.prompt[0] = true;
	set_up();
	for (uint32_t i = 0; i < STEPS; i++) {
		step();
		settle();
	}
	its_timer_works();
	run_ends();
	put();
	assert_true(fake_end());
}

static void a_timer_that_the_host_takes_survives_its_guest(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HISTORIES; i++)
		history(true, i);
}

static void so_does_one_that_the_library_masks(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HISTORIES; i++)
		history(false, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_timer_that_the_host_takes_survives_its_guest),
		cmocka_unit_test(so_does_one_that_the_library_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
