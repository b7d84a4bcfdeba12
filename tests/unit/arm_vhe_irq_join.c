/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * SGIs of a vCPU to itself and its timers, which go into list registers beside
 * what its guest has there: arch/arm_vhe/irq_join.c, vgic_join.h.
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

#define SGI 5u
#define SPI 40u
#define BIT_OF(intid) (UINT32_C(1) << (intid) % 32)
#define D(offset) (GICD_BASE + (offset))
#define R(vcpu, offset) (GICR_BASE + FAKE_SGI(vcpu) + (offset))
#define W(offset) D((offset) + SPI / 32 * 4)

static int setup(void **state)
{
	(void)state;
	fake_boot(NULL);
	fake_put(0, D(GICD_CTLR), 3);
	fake_enter(0);
	fake.reads = fake.writes = fake.lr_moves = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return fake_end() ? 0 : -1;
}

static void enable(uint32_t intid)
{
	fake_put(0, R(0, GICD_ISENABLER), BIT_OF(intid));
	fake_enter(0);
}

static void line(bool level)
{
	assert_int_equal(axvm_irq_set(&fake.vm.core, SPI, level), AXVM_OK);
}

static void self_sgi(uint32_t sgi)
{
	axvmi_arm_send_sgi(&fake.vcpus[0], (uint64_t)sgi << 24 | 1, 1);
}

/* Nothing but single list registers were moved, so many times. */
static void joined(uint32_t moves)
{
	assert_int_equal(fake.vcpus[0].effects, 0);
	assert_int_equal(atomic_exchange(&fake.reads, 0), 0);
	assert_int_equal(atomic_exchange(&fake.writes, 0), 0);
	assert_int_equal(atomic_exchange(&fake.lr_moves, 0), moves);
}

/* No list register was written but by a fill. */
static void not_joined(void)
{
	assert_int_equal(fake.vcpus[0].effects, ARM_EFFECT_VGIC);
	fake_enter(0);
	fake.reads = fake.writes = fake.lr_moves = 0;
}

static void ready_for_self(void)
{
	enable(SGI);
	fake.reads = fake.writes = fake.lr_moves = 0;
}

static void an_sgi_to_oneself_moves_one_list_register(void **s)
{
	(void)s;
	ready_for_self();
	for (uint32_t i = 0; i < 3; i++) {
		self_sgi(SGI);
		/* From the second on its old register is looked at first. */
		joined(i == 0 ? 1 : 2);
		assert_int_equal(fake.hw[0].lr_used, 1);
		assert_int_equal(fake_ack(0), SGI);
		assert_int_equal(fake_ack(0), CPUIF_NONE);
		fake_eoi(0, SGI);
	}
	assert_int_equal(fake_get(0, R(0, GICD_ISPENDR)), 0);
	assert_int_equal(fake_get(0, R(0, GICD_ISACTIVER)), 0);
	fake_enter(0);
	/* To a vCPU that has the same number in another cluster: not to us;
	 * nor to all others. */
	axvmi_arm_send_sgi(&fake.vcpus[0], UINT64_C(1) << 40 | SGI << 24 | 1,
			   1);
	axvmi_arm_send_sgi(&fake.vcpus[0], SGI << 24 | 1 << 16 | 1, 1);
	axvmi_arm_send_sgi(&fake.vcpus[0], UINT64_C(1) << 44 | SGI << 24 | 1,
			   1);
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

static void an_sgi_that_was_not_ended_is_not_lost(void **s)
{
	(void)s;
	ready_for_self();
	self_sgi(SGI);
	joined(1);
	/* Not taken yet: one interrupt. */
	self_sgi(SGI);
	not_joined();
	assert_int_equal(fake_ack(0), SGI);
	/* Taken: one more. */
	self_sgi(SGI);
	not_joined();
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	fake_eoi(0, SGI);
	assert_int_equal(fake_ack(0), SGI);
	fake_eoi(0, SGI);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

/* What the guest has just done to it stays as it is. */
static void a_timer_joins_an_active_interrupt(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	enable(ARM_PPI_CNTV);
	fake_put(0, W(GICD_ISENABLER), BIT_OF(SPI));
	fake_access(0, R(0, GICD_IPRIORITYR + ARM_PPI_CNTV), 1, true, 0x40);
	fake_access(0, D(GICD_IPRIORITYR + SPI), 1, true, 0x80);
	line(true);
	fake_enter(0);
	assert_int_equal(cpuif_acknowledge(&fake.hw[0]), SPI);
	fake.reads = fake.writes = fake.lr_moves = 0;
	fake.timer_asks = true;
	v->vtimer_held = 1;
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, true);
	joined(1);
	assert_int_equal(fake.hw[0].lr_used, 2);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	/* Its end is heard of, being that of a level. */
	fake.timer_asks = false;
	fake_eoi(0, ARM_PPI_CNTV);
	assert_int_equal(fake.timer_ended, 1);
	assert_int_equal(v->vtimer_held, 0);
	line(false);
	fake_enter(0);
	fake_eoi(0, SPI);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	assert_int_equal(fake_get(0, W(GICD_ISACTIVER)), 0);
	assert_int_equal(fake_get(0, R(0, GICD_ISPENDR)), 0);
}

/* One register each; they are emptied when the next one finds none. */
static void list_registers_run_out(void **s)
{
	(void)s;
	for (uint32_t sgi = 0; sgi < 6; sgi++)
		enable(sgi);
	for (uint32_t sgi = 0; sgi < 6; sgi++) {
		self_sgi(sgi);
		fake_enter(0);
		assert_int_equal(fake_ack(0), sgi);
		fake_eoi(0, sgi);
	}
	assert_int_equal(fake.hw[0].lr_used, 2);
	/* More than there is room for at once: all of them come. */
	for (uint32_t sgi = 0; sgi < 6; sgi++) {
		self_sgi(sgi);
		fake_enter(0);
	}
	self_sgi(5);
	fake_enter(0);
	for (uint32_t sgi = 0; sgi < 6; sgi++) {
		assert_int_equal(fake_ack(0), sgi);
		fake_eoi(0, sgi);
	}
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

static void what_must_not_be_signalled_does_not_join(void **s)
{
	const uint64_t waker = GICR_BASE + GICR_WAKER;

	(void)s;
	self_sgi(SGI);
	joined(0);
	assert_int_equal(fake_get(0, R(0, GICD_ISPENDR)), BIT_OF(SGI));
	enable(SGI);
	assert_int_equal(fake_ack(0), SGI);
	fake_eoi(0, SGI);
	/* The group is not forwarded. */
	fake_put(0, D(GICD_CTLR), 1);
	fake_enter(0);
	self_sgi(SGI);
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	fake_put(0, D(GICD_CTLR), 3);
	fake_enter(0);
	assert_int_equal(fake_ack(0), SGI);
	fake_eoi(0, SGI);
	/* ProcessorSleep. */
	fake_put(0, waker, GICR_WAKER_SLEEP);
	fake_enter(0);
	self_sgi(SGI);
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	fake_put(0, waker, 0);
	fake_enter(0);
	assert_int_equal(fake_ack(0), SGI);
}

/* Held, pending ones come first; what is left out is chosen by a fill. */
static void nothing_joins_a_choice(void **s)
{
	(void)s;
	for (uint32_t sgi = 0; sgi < 6; sgi++)
		enable(sgi);
	for (uint32_t sgi = 0; sgi < 6; sgi++)
		axvmi_arm_send_sgi(&fake.vcpus[1], sgi << 24 | 1, 1);
	fake_enter(0);
	fake_maintain(0);
	assert_int_equal(fake.hw[0].lr_used, 4);
	assert_int_equal(fake_ack(0), 0);
	fake_eoi(0, 0);
	fake.lr_moves = 0;
	self_sgi(0);
	assert_int_equal(fake.lr_moves, 0);
	not_joined();
	for (uint32_t sgi = 0; sgi < 6; sgi++) {
		assert_int_equal(fake_ack(0), sgi);
		fake_eoi(0, sgi);
	}
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

static void nothing_joins_registers_that_were_folded(void **s)
{
	(void)s;
	ready_for_self();
	self_sgi(SGI);
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	self_sgi(SGI);
	enable(SGI + 1);
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	self_sgi(SGI + 1);
	not_joined();
	for (uint32_t sgi = SGI; sgi < SGI + 2; sgi++) {
		assert_int_equal(fake_ack(0), sgi);
		fake_eoi(0, sgi);
	}
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

/* The guest's next instruction comes before the vCPU is told. */
static uint32_t ack_at_once(void)
{
	return cpuif_acknowledge(&fake.hw[0]);
}

/* What another vCPU has written about an interrupt that is held counts. */
static void a_write_from_elsewhere_is_not_overtaken(void **s)
{
	(void)s;
	ready_for_self();
	self_sgi(SGI);
	assert_int_equal(fake_ack(0), SGI);
	fake_eoi(0, SGI);
	/* It has ended, which nobody knows: this makes it active again. */
	fake_put(1, R(0, GICD_ISACTIVER), BIT_OF(SGI));
	self_sgi(SGI);
	assert_int_equal(ack_at_once(), CPUIF_NONE);
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	assert_int_equal(fake_get(0, R(0, GICD_ISACTIVER)), BIT_OF(SGI));
	assert_int_equal(fake_get(0, R(0, GICD_ISPENDR)), BIT_OF(SGI));
	fake_put(1, R(0, GICD_ICACTIVER), BIT_OF(SGI));
	fake_enter(0);
	assert_int_equal(fake_ack(0), SGI);
	fake_eoi(0, SGI);
	/* What pended before is meant, not what comes afterwards. */
	fake_put(1, R(0, GICD_ICPENDR), BIT_OF(SGI));
	self_sgi(SGI);
	fake_enter(0);
	assert_int_equal(fake_ack(0), SGI);
	fake_eoi(0, SGI);
	/* Disabled from elsewhere. */
	fake_put(1, R(0, GICD_ICENABLER), BIT_OF(SGI));
	self_sgi(SGI);
	assert_int_equal(ack_at_once(), CPUIF_NONE);
}

/* Another vCPU has made it active, and this one has not heard of it yet. */
static void what_is_made_active_elsewhere_stays_so(void **s)
{
	(void)s;
	ready_for_self();
	fake_put(1, R(0, GICD_ISACTIVER), BIT_OF(SGI));
	self_sgi(SGI);
	assert_int_equal(fake.lr_moves, 0);
	assert_int_equal(fake_get(0, R(0, GICD_ISACTIVER)), BIT_OF(SGI));
	assert_int_equal(fake_get(0, R(0, GICD_ISPENDR)), BIT_OF(SGI));
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	fake_put(0, R(0, GICD_ICACTIVER), BIT_OF(SGI));
	fake_enter(0);
	assert_int_equal(fake_ack(0), SGI);
}

/* Two of them before either is taken are one. */
static void an_sgi_from_elsewhere_is_not_doubled(void **s)
{
	uint32_t taken = 0;

	(void)s;
	ready_for_self();
	self_sgi(SGI);
	assert_int_equal(fake_ack(0), SGI);
	fake_eoi(0, SGI);
	axvmi_arm_send_sgi(&fake.vcpus[1], SGI << 24 | 1, 1);
	self_sgi(SGI);
	if (ack_at_once() == SGI) {
		taken++;
		fake_eoi(0, SGI);
	}
	fake_enter(0);
	for (; fake_ack(0) == SGI; fake_eoi(0, SGI))
		taken++;
	assert_int_equal(taken, 1);
}

static void the_end_of_a_level_is_told_before_it_comes_again(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	enable(ARM_PPI_CNTV);
	fake.timer_asks = true;
	v->vtimer_held = 1;
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, true);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	/* The maintenance interrupt is on its way. */
	cpuif_eoi(&fake.hw[0], ARM_PPI_CNTV);
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, false);
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, true);
	fake_enter(0);
	assert_int_equal(fake.timer_ended, 1);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
}

/* Who reads the state of all waits for those that joined, too. */
static void an_interrupt_that_joined_is_asked_for(void **s)
{
	(void)s;
	ready_for_self();
	store_relaxed(&fake.vcpus[0].core.state, AXVM_VCPU_RUNNING);
	fake.prompt[0] = true;
	self_sgi(SGI);
	assert_int_equal(ack_at_once(), SGI);
	assert_int_equal(fake_get(1, R(0, GICD_ISACTIVER)), BIT_OF(SGI));
}

/* ---- the virtual timer that is masked while it waits ---- */

/* Up, taken, ended; the guest has seen to it before. */
static void serve_timer(void)
{
	axvmi_arm_set_ppi(&fake.vcpus[0], ARM_PPI_CNTV, true);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	cpuif_eoi(&fake.hw[0], ARM_PPI_CNTV);
	assert_true(cpuif_maintenance(&fake.hw[0]));
}

static bool retire(uint64_t ended)
{
	return axvmi_arm_gic_retire(&fake.vcpus[0], ARM_PPI_CNTV, ended);
}

static void a_timer_that_has_ended_leaves_its_list_register(void **s)
{
	(void)s;
	enable(ARM_PPI_CNTV);
	enable(SGI);
	fake.reads = fake.writes = fake.lr_moves = 0;
	for (uint32_t i = 0; i < 3; i++) {
		serve_timer();
		assert_true(retire(1));
		joined(2);
		assert_false(cpuif_maintenance(&fake.hw[0]));
		assert_int_equal(fake.hw[0].lr_used, 0);
		assert_int_equal(fake.hw[0].lr[0], 0);
	}
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	fake_enter(0);
	/* Above another one, which stays. */
	self_sgi(SGI);
	assert_int_equal(ack_at_once(), SGI);
	fake_access(0, R(0, GICD_IPRIORITYR + ARM_PPI_CNTV), 1, true, 0);
	fake_enter(0);
	fake_access(0, R(0, GICD_IPRIORITYR + SGI), 1, true, 0x80);
	fake_enter(0);
	fake.reads = fake.writes = fake.lr_moves = 0;
	fake.hw[0].ap1r[0] = 1 << 16;
	serve_timer();
	assert_true(retire(2));
	joined(2);
	assert_int_equal(fake.hw[0].lr_used, 1);
	fake_eoi(0, SGI);
	assert_int_equal(fake_get(0, R(0, GICD_ISACTIVER)), 0);
	assert_int_equal(fake_get(0, R(0, GICD_ISPENDR)), 0);
	/* The model knows that it has ended: this is another life. */
	fake.timer_asks = true;
	fake.vcpus[0].vtimer_held = 1;
	axvmi_arm_set_ppi(&fake.vcpus[0], ARM_PPI_CNTV, true);
	fake_enter(0);
	assert_int_equal(fake.timer_ended, 0);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
}

static void it_stays_if_there_is_more_to_tell(void **s)
{
	(void)s;
	enable(ARM_PPI_CNTV);
	enable(SGI);
	serve_timer();
	/* Two that ask, or another one. */
	assert_false(retire(3));
	assert_false(retire(2));
	assert_false(retire(0));
	/* The host has the line high. */
	assert_int_equal(
		axvm_vcpu_irq_set(&fake.vm.core, 0, ARM_PPI_CNTV, true),
		AXVM_OK);
	assert_false(retire(1));
	assert_int_equal(
		axvm_vcpu_irq_set(&fake.vm.core, 0, ARM_PPI_CNTV, false),
		AXVM_OK);
	/* Another register is in use above it. */
	self_sgi(SGI);
	assert_false(retire(1));
}

static void it_stays_where_there_is_a_choice(void **s)
{
	(void)s;
	enable(ARM_PPI_CNTV);
	for (uint32_t sgi = 0; sgi < 6; sgi++)
		enable(sgi);
	serve_timer();
	for (uint32_t sgi = 0; sgi < 6; sgi++)
		axvmi_arm_send_sgi(&fake.vcpus[1], sgi << 24 | 1, 1);
	fake_enter(0);
	fake_maintain(0);
	assert_int_equal(fake.hw[0].lr_used, 4);
	fake.lr_moves = 0;
	for (uint32_t slot = 0; slot < 4; slot++)
		assert_false(retire(BIT64(slot)));
	assert_int_equal(fake.lr_moves, 0);
}

static void it_stays_if_another_vcpu_has_written_to_it(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	enable(ARM_PPI_CNTV);
	fake.timer_asks = true;
	v->vtimer_held = 1;
	serve_timer();
	fake_put(1, R(0, GICD_ISPENDR), BIT_OF(ARM_PPI_CNTV));
	assert_false(retire(1));
	v->vtimer_held = 0;
	fake_enter(0);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	fake_eoi(0, ARM_PPI_CNTV);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
	v->vtimer_held = 1;
	serve_timer();
	fake_put(1, R(0, GICD_ISACTIVER), BIT_OF(ARM_PPI_CNTV));
	assert_false(retire(1));
}

/* Nobody waits for what the vCPU does not hold any more. */
static void who_waits_for_it_goes_on(void **s)
{
	const atomic_u32 *epoch = &fake.vm.vgic->cpu[0].epoch;
	uint32_t before;

	(void)s;
	enable(ARM_PPI_CNTV);
	serve_timer();
	before = load_seq(epoch);
	assert_int_equal(before % 2, 1);
	assert_true(retire(1));
	assert_int_equal(load_seq(epoch), before + 1);
}

/* There would be no word of its end, and IMASK would stay ours while the guest,
 * which has set its next event, waits for it. */
static void a_guest_cannot_make_its_timer_an_edge(void **s)
{
	(void)s;
	enable(ARM_PPI_CNTV);
	fake_put(0, R(0, GICD_ICFGR + 4), UINT32_MAX);
	fake_enter(0);
	serve_timer();
	assert_true(retire(1));
	assert_int_equal(fake_get(0, R(0, GICD_ICFGR + 4)), 0xaa2aaaaa);
}

/* ---- a timer that the host takes, and that asks again ---- */

/* As PPI 26 of the machine; it is up, was taken by the guest and ended. */
static int setup_taken(void **state)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)state;
	fake_boot_with(NULL, 26);
	fake_put(0, D(GICD_CTLR), 3);
	enable(ARM_PPI_CNTV);
	fake.timer_asks = true;
	v->vtimer_held = 1;
	axvmi_arm_set_ppi(v, ARM_PPI_CNTV, true);
	fake_enter(0);
	if (fake_ack(0) != ARM_PPI_CNTV)
		return -1;
	fake_eoi(0, ARM_PPI_CNTV);
	fake.reads = fake.writes = fake.lr_moves = 0;
	return 0;
}

/* As timer.c does. */
static bool again(void)
{
	struct arm_vcpu *v = &fake.vcpus[0];
	uint32_t lr = axvmi_arm_vtimer_again(v);

	if (lr == ARM_NO_LR)
		return false;
	arm_metal(v)->lr_write(v, lr);
	return true;
}

static void an_event_after_the_other_moves_one_list_register(void **s)
{
	(void)s;
	for (int i = 0; i < 3; i++) {
		assert_true(again());
		joined(2);
		assert_int_equal(fake.hw[0].lr_used, 1);
		assert_int_equal(fake.hw[0].lr[0] & (LR_HW | LR_PINTID),
				 LR_HW | UINT64_C(26) << 32);
		assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
		assert_int_equal(fake_ack(0), CPUIF_NONE);
		fake_eoi(0, ARM_PPI_CNTV);
	}
	assert_int_equal(fake.timer_done, 0);
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	assert_int_equal(fake.timer_done, 1);
	assert_int_equal(fake_get(0, R(0, GICD_ISPENDR)), 0);
	assert_int_equal(fake_get(0, R(0, GICD_ISACTIVER)), 0);
}

/* The model had it active; its end was seen on the way. */
static void one_that_was_active_at_the_fill_is_so_no_more(void **s)
{
	struct arm_vcpu *v = &fake.vcpus[0];

	(void)s;
	assert_true(again());
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	axvmi_arm_gic_fold(v);
	fake_enter(0);
	fake_eoi(0, ARM_PPI_CNTV);
	assert_true(again());
	axvmi_arm_gic_fold(v);
	assert_int_equal(fake_get(0, R(0, GICD_ISPENDR)), BIT_OF(ARM_PPI_CNTV));
	assert_int_equal(fake_get(0, R(0, GICD_ISACTIVER)), 0);
}

/* The host had something else to do: the fold finds the end. */
static void what_was_not_written_has_ended_still(void **s)
{
	(void)s;
	assert_int_equal(axvmi_arm_vtimer_again(&fake.vcpus[0]), 0);
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	assert_int_equal(fake.timer_done, 1);
	fake_enter(0);
	assert_int_equal(fake_ack(0), CPUIF_NONE);
}

static void one_that_has_not_ended_does_not_come_again(void **s)
{
	(void)s;
	assert_true(again());
	assert_false(again());
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	assert_false(again());
	/* Folded, with nothing in a list register, nor one that was filled. */
	fake_eoi(0, ARM_PPI_CNTV);
	axvmi_arm_gic_fold(&fake.vcpus[0]);
	assert_false(again());
	fake_enter(0);
	assert_false(again());
}

static void what_elsewhere_pends_or_pends_no_more_waits_for_a_fold(void **s)
{
	(void)s;
	fake_put(1, R(0, GICD_ICPENDR), BIT_OF(ARM_PPI_CNTV));
	assert_false(again());
	fake_enter(0);
	fake.vcpus[0].vtimer_held = 1;
	axvmi_arm_set_ppi(&fake.vcpus[0], ARM_PPI_CNTV, true);
	fake_enter(0);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	fake_eoi(0, ARM_PPI_CNTV);
	/* It and the event are one. */
	fake_put(1, R(0, GICD_ISPENDR), BIT_OF(ARM_PPI_CNTV));
	assert_false(again());
}

static void writes_from_elsewhere_come_before_the_next_event(void **s)
{
	const uint64_t waker = GICR_BASE + GICR_WAKER;

	(void)s;
	fake_put(1, R(0, GICD_ISACTIVER), BIT_OF(ARM_PPI_CNTV));
	assert_false(again());
	fake_put(1, R(0, GICD_ICACTIVER), BIT_OF(ARM_PPI_CNTV));
	assert_false(again());
	fake_enter(0);
	fake_eoi(0, ARM_PPI_CNTV);
	fake.vcpus[0].vtimer_held = 1;
	axvmi_arm_set_ppi(&fake.vcpus[0], ARM_PPI_CNTV, true);
	fake_enter(0);
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	fake_eoi(0, ARM_PPI_CNTV);
	assert_true(again());
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	fake_eoi(0, ARM_PPI_CNTV);
	fake_put(1, R(0, GICD_ICENABLER), BIT_OF(ARM_PPI_CNTV));
	assert_false(again());
	fake_put(1, R(0, GICD_ISENABLER), BIT_OF(ARM_PPI_CNTV));
	fake_put(1, waker, GICR_WAKER_SLEEP);
	assert_false(again());
}

/*
 * A timer that is let go while its list register still has HW: the end seen there
 * later would be taken for that of the next event, whose physical interrupt would
 * stay active, for other VMs on this CPU too.
 */
static void who_does_not_fold_does_not_look_at_the_timer(void **s)
{
	unsigned syncs;

	(void)s;
	assert_true(again());
	assert_int_equal(fake_ack(0), ARM_PPI_CNTV);
	syncs = fake.timer_syncs;
	fake.timer_asks = false;
	/* It is disabled: it pends, and that is all. */
	self_sgi(SGI);
	assert_int_equal(fake.timer_syncs, syncs);
	assert_int_equal(fake.vcpus[0].vtimer_held, 1);
	assert_true(fake.vcpus[0].gic_filled);
	/* It folds. */
	enable(SGI + 1);
	fake.timer_asks = true;
	fake.vcpus[0].vtimer_held = 1;
	axvmi_arm_set_ppi(&fake.vcpus[0], ARM_PPI_CNTV, true);
	fake_enter(0);
	self_sgi(SGI + 1);
	fake_enter(0);
	syncs = fake.timer_syncs;
	self_sgi(SGI + 1);
	assert_int_equal(fake.timer_syncs, syncs + 1);
}

#define TAKEN(name) cmocka_unit_test_setup_teardown(name, setup_taken, teardown)
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_sgi_to_oneself_moves_one_list_register),
		CASE(an_sgi_that_was_not_ended_is_not_lost),
		CASE(a_timer_joins_an_active_interrupt),
		CASE(list_registers_run_out),
		CASE(what_must_not_be_signalled_does_not_join),
		CASE(nothing_joins_a_choice),
		CASE(nothing_joins_registers_that_were_folded),
		CASE(a_write_from_elsewhere_is_not_overtaken),
		CASE(what_is_made_active_elsewhere_stays_so),
		CASE(an_sgi_from_elsewhere_is_not_doubled),
		CASE(the_end_of_a_level_is_told_before_it_comes_again),
		CASE(an_interrupt_that_joined_is_asked_for),
		CASE(a_timer_that_has_ended_leaves_its_list_register),
		CASE(it_stays_if_there_is_more_to_tell),
		CASE(it_stays_where_there_is_a_choice),
		CASE(it_stays_if_another_vcpu_has_written_to_it),
		CASE(who_waits_for_it_goes_on),
		CASE(a_guest_cannot_make_its_timer_an_edge),
		TAKEN(an_event_after_the_other_moves_one_list_register),
		TAKEN(one_that_was_active_at_the_fill_is_so_no_more),
		TAKEN(what_was_not_written_has_ended_still),
		TAKEN(one_that_has_not_ended_does_not_come_again),
		TAKEN(what_elsewhere_pends_or_pends_no_more_waits_for_a_fold),
		TAKEN(writes_from_elsewhere_come_before_the_next_event),
		TAKEN(who_does_not_fold_does_not_look_at_the_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
