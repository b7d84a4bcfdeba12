/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Forwarded interrupts at the PLIC: arch/riscv_h/irq.c with the real core. What
 * a completion is, the PLIC specification says ("Interrupt Completion").
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "riscv_h_machine.h"

#define IRQ 11u
#define PLAIN 12u
/* Two contexts a hart: those of vCPU 0 and 1. */
#define CONTEXT(vcpu) (2 * (vcpu) + 1)
#define ENABLE(vcpu) (VPLIC_ENABLE + CONTEXT(vcpu) * VPLIC_ENABLE_STRIDE)
#define PAGE_OF(vcpu) (VPLIC_CONTEXT + CONTEXT(vcpu) * VPLIC_CONTEXT_STRIDE)
#define CLAIM(vcpu) (PAGE_OF(vcpu) + VPLIC_CLAIM)
#define BOTH (1u << IRQ | 1u << PLAIN)

static struct axvm_passthrough_config rtc;
static void (*record)(void *ctx, uint32_t irq);
static bool locked;

static void unmask(void *ctx, uint32_t irq)
{
	record(ctx, irq);
	locked |= load_seq(&m.vm->irqchip.held) != 0;
}

/* Two vCPUs, a PLIC, a device whose interrupt is IRQ. */
static int setup(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES);
	machine_emu(AXVM_EMU_PLIC, PLIC, VPLIC_WINDOW, 0);
	record = m.hal->hal.irq_unmask;
	m.hal->hal.irq_unmask = unmask;
	locked = false;
	rtc = (struct axvm_passthrough_config){
		.name = "rtc",
		.gpa = {0x101000},
		.hpa = {0x101000},
		.size = 0x1000,
		.irq = IRQ,
	};
	m.config.passthrough = &rtc;
	m.config.passthrough_count = 1;
	m.config.cpu_num = 2;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return machine_delete() && !locked ? 0 : -1;
}

static uint64_t access_by(uint32_t vcpu, uint64_t offset, bool write,
			  uint32_t value)
{
	struct axvm_device *plic = &riscv_vm(m.vm)->plic_device;
	struct axvm_device_access access = {
		.vm = m.vm,
		.offset = offset,
		.value = value,
		.vcpu = vcpu,
		.size = 4,
		.write = write,
	};

	assert_int_equal(plic->ops->access(plic, &access), AXVM_ACCESS_DONE);
	assert_int_equal(m.vm->irqchip.held, 0);
	return access.value;
}

static void put(uint64_t offset, uint32_t value)
{
	access_by(0, offset, true, value);
}

static uint64_t claim(uint32_t vcpu)
{
	return access_by(vcpu, CLAIM(vcpu), false, 0);
}

static void complete(uint32_t vcpu, uint32_t source)
{
	access_by(vcpu, CLAIM(vcpu), true, source);
}

/* vCPU 0 takes both sources. */
static void ready(void)
{
	machine_boot();
	put(4 * IRQ, 1);
	put(4 * PLAIN, 1);
	put(ENABLE(0), BOTH);
}

static void post(void)
{
	assert_int_equal(axvm_irq_forward(m.vm, IRQ), AXVM_OK);
}

static uint64_t unmasks(void)
{
	return test_hal_unmasks(m.hal, IRQ);
}

static void a_completion_ends_the_post(void **state)
{
	(void)state;
	ready();
	for (unsigned n = 1; n <= 3; n++) {
		post();
		assert_int_equal(claim(0), IRQ);
		assert_int_equal(unmasks(), n - 1);
		complete(0, IRQ);
		assert_int_equal(unmasks(), n);
		assert_int_equal(claim(0), 0);
		complete(0, IRQ);
		assert_int_equal(unmasks(), n);
	}
}

static void a_completion_without_claim_does_not(void **state)
{
	(void)state;
	ready();
	post();
	complete(0, IRQ); /* pending, not claimed */
	assert_int_equal(unmasks(), 0);
	assert_int_equal(axvm_inject(m.vm, 0, PLAIN), AXVM_OK);
	assert_int_equal(claim(0), IRQ);
	complete(0, PLAIN);
	assert_int_equal(claim(0), PLAIN);
	complete(0, PLAIN);
	complete(0, 0);
	complete(0, IRQ + 1024);
	complete(0, UINT32_MAX);
	assert_int_equal(unmasks(), 0);
	complete(0, IRQ);
	assert_int_equal(unmasks(), 1);
	assert_int_equal(test_hal_unmasks(m.hal, PLAIN), 0);
}

static void a_completion_counts_where_the_source_is_enabled(void **state)
{
	(void)state;
	ready();
	post();
	assert_int_equal(claim(0), IRQ);
	complete(1, IRQ); /* not enabled there */
	/* No context, and other registers of the page. */
	put(VPLIC_CONTEXT + VPLIC_CLAIM, IRQ);
	put(VPLIC_CONTEXT + 5 * VPLIC_CONTEXT_STRIDE + VPLIC_CLAIM, IRQ);
	put(PAGE_OF(0) + 8, IRQ);
	put(PAGE_OF(0), 0);
	assert_int_equal(unmasks(), 0);
	put(ENABLE(1), BOTH);
	complete(1, IRQ);
	assert_int_equal(unmasks(), 1);
}

static void a_source_switched_off_ends_when_it_is_on_again(void **state)
{
	(void)state;
	ready();
	post();
	assert_int_equal(claim(0), IRQ);
	put(ENABLE(0), 0);
	complete(0, IRQ);
	assert_int_equal(unmasks(), 0);
	put(ENABLE(0), BOTH);
	complete(0, IRQ);
	assert_int_equal(unmasks(), 1);
	/* A post meanwhile waits in the controller. */
	put(ENABLE(0), 0);
	post();
	assert_int_equal(claim(0), 0);
	put(ENABLE(0), BOTH);
	assert_int_equal(claim(0), IRQ);
	complete(0, IRQ);
	assert_int_equal(unmasks(), 2);
}

static void posts_while_it_is_claimed_are_one(void **state)
{
	(void)state;
	ready();
	post();
	assert_int_equal(claim(0), IRQ);
	post();
	complete(0, IRQ);
	assert_int_equal(unmasks(), 1);
	assert_int_equal(claim(0), 0);
}

static void a_reset_ends_a_claim_that_the_guest_never_did(void **state)
{
	(void)state;
	ready();
	post();
	assert_int_equal(claim(0), IRQ);
	assert_int_equal(axvm_shutdown(m.vm), AXVM_OK);
	assert_int_equal(axvm_cpu_release(m.cpu), AXVM_OK);
	while (axvm_reset(m.vm) == AXVM_EAGAIN)
		;
	assert_int_equal(unmasks(), 1);
	assert_int_equal(axvm_boot(m.vm), AXVM_OK);
	put(4 * IRQ, 1);
	put(ENABLE(0), BOTH);
	assert_int_equal(claim(0), 0);
	post();
	assert_int_equal(claim(0), IRQ);
	complete(0, IRQ);
	assert_int_equal(unmasks(), 2);
}

static void a_vm_that_forwards_nothing_has_the_plain_access(void **state)
{
	const struct axvm_device_ops *ops;

	(void)state;
	machine_boot();
	ops = riscv_vm(m.vm)->plic_device.ops;
	machine_destroy();
	rtc.irq = 0;
	ready();
	assert_ptr_not_equal(riscv_vm(m.vm)->plic_device.ops->access,
			     ops->access);
	assert_int_equal(axvm_irq_forward(m.vm, IRQ), AXVM_ENOENT);
	assert_int_equal(axvm_inject(m.vm, 0, IRQ), AXVM_OK);
	assert_int_equal(claim(0), IRQ);
	complete(0, IRQ);
	assert_int_equal(claim(0), 0);
	assert_int_equal(unmasks(), 0);
}

static void the_registers_are_the_same_through_both(void **state)
{
	(void)state;
	ready();
	assert_int_equal(access_by(0, 4 * IRQ, false, 0), 1);
	assert_int_equal(access_by(1, ENABLE(0), false, 0), BOTH);
	put(PAGE_OF(0), 5);
	assert_int_equal(access_by(0, PAGE_OF(0), false, 0), 5);
	post();
	assert_int_equal(access_by(0, VPLIC_PENDING, false, 0), 1 << IRQ);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_completion_ends_the_post),
		T(a_completion_without_claim_does_not),
		T(a_completion_counts_where_the_source_is_enabled),
		T(a_source_switched_off_ends_when_it_is_on_again),
		T(posts_while_it_is_claimed_are_one),
		T(a_reset_ends_a_claim_that_the_guest_never_did),
		T(a_vm_that_forwards_nothing_has_the_plain_access),
		T(the_registers_are_the_same_through_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
