/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Doorbells: the register page word for word, and rings by register, hypercall
 * and host, with the interrupts they cause.
 */
#include "ivc_test.h"

#define KEY UINT64_C(0x1122334455667788)
#define SLOT(n, reg) (AXVM_DOORBELL_SLOT(n) + AXVM_DOORBELL_##reg)

static struct axvm_vm *a, *b;

/* One access of the guest's; false: it got a fault. */
static bool touch(struct axvm_vm *vm, uint64_t offset, uint32_t size,
		  bool write, uint64_t *value)
{
	const struct axvmi_space *space =
		axvmi_bus_find(&vm->bus[AXVM_BUS_MMIO], POOL + offset);

	assert_non_null(space);
	assert_int_equal(space->kind, AXVMI_SPACE_DEVICE);
	return axvmi_device_access(vm->vcpus[0], space, POOL + offset, size,
				   write, value) == AXVMI_DISPATCH_DONE;
}

static uint64_t read_bell(struct axvm_vm *vm, uint64_t offset, uint32_t size)
{
	uint64_t value = UNTOUCHED;

	assert_true(touch(vm, offset, size, false, &value));
	return value;
}

static uint32_t read32(struct axvm_vm *vm, uint64_t offset)
{
	uint64_t value = read_bell(vm, offset, 4);

	assert_int_equal(value >> 32, 0);
	return (uint32_t)value;
}

static uint64_t read64(struct axvm_vm *vm, uint64_t offset)
{
	uint64_t value = read_bell(vm, offset, 8);

	assert_int_equal(value, read32(vm, offset) |
					(uint64_t)read32(vm, offset + 4) << 32);
	return value;
}

static void write_bell(struct axvm_vm *vm, uint64_t offset, uint32_t size,
		       uint64_t value)
{
	assert_true(touch(vm, offset, size, true, &value));
}

static uint32_t pending(struct axvm_vm *vm)
{
	return read32(vm, AXVM_DOORBELL_PENDING);
}

/* Lines the guest's vCPU 0 sees; it forgets them. */
static uint64_t interrupts(struct axvm_vm *vm)
{
	static const struct stub_op ops[] = {OP(IRQS, 0, 0), OP(ACK, 0, 0),
					     THE_END};

	stub_program(vm, 0, ops);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	return stub_reg(vm, 0, STUB_REG_RESULT);
}

static uint64_t join(struct axvm_vm *vm, uint64_t flags, uint64_t line)
{
	return CALL(vm, 0x103, 1, KEY, OUT_GPA, OUT_SIZE, flags, line);
}

static void connected(void)
{
	a = ivc_vm(1);
	b = ivc_vm(2);
	assert_int_equal(publish(a, KEY, PAGE + 1), 0);
	assert_int_equal(join(b, 0, 33), 0);
}

static void end_both(void)
{
	no_violation();
	end(a);
	end(b);
}

/* ---- registers ---- */

static void the_page_describes_itself(void **state)
{
	(void)state;
	connected();
	assert_int_equal(read32(a, AXVM_DOORBELL_MAGIC), 0x43564941);
	assert_int_equal(read32(a, AXVM_DOORBELL_VERSION), 1);
	assert_int_equal(read32(a, AXVM_DOORBELL_SLOTS), 32);
	assert_int_equal(read64(a, AXVM_DOORBELL_CAPABILITIES), 3);
	assert_int_equal(read64(a, AXVM_DOORBELL_MAGIC), UINT64_C(0x143564941));
	end_both();
}

static void a_slot_shows_its_connection(void **state)
{
	struct axvm_ivc_state s;

	(void)state;
	connected();
	assert_int_equal(read64(b, SLOT(0, PUBLISHER)), 1);
	assert_int_equal(read64(b, SLOT(0, KEY)), KEY);
	assert_int_equal(read64(b, SLOT(0, GPA)), FIRST);
	assert_int_equal(read64(b, SLOT(0, SIZE)), 2 * PAGE);
	assert_int_equal(read32(b, SLOT(0, STATE)),
			 AXVM_IVC_USED | AXVM_IVC_WRITABLE);
	assert_int_equal(read32(a, SLOT(0, STATE)),
			 AXVM_IVC_USED | AXVM_IVC_WRITABLE | AXVM_IVC_OWNER);
	assert_int_equal(read32(b, SLOT(0, GENERATION)), 2);
	assert_int_equal(read32(b, SLOT(0, PEERS)), 1);
	assert_int_equal(read32(b, SLOT(0, LINE)), 33);
	assert_int_equal(read32(a, SLOT(0, LINE)), POOL_LINE);
	assert_int_equal(read64(b, SLOT(0, NOTIFY)), 0);
	assert_int_equal(unpublish(a, KEY), 0);
	assert_int_equal(state_of(b, 1, KEY, &s), 0);
	assert_int_equal(read32(b, SLOT(0, STATE)), s.flags);
	assert_int_equal(read32(b, SLOT(0, GENERATION)), s.generation);
	assert_int_equal(read32(b, SLOT(0, PEERS)), 0);
	end_both();
}

static void everything_else_reads_zero(void **state)
{
	(void)state;
	connected();
	for (uint64_t off = 0x20; off < PAGE; off += 8) {
		bool first = off >= SLOT(0, PUBLISHER) && off < SLOT(1, KEY);

		if (!first)
			assert_int_equal(read64(a, off), 0);
	}
	assert_int_equal(read32(a, 0x0c), 0);
	end_both();
}

static void only_words_are_accessed(void **state)
{
	uint64_t value = 0;

	(void)state;
	connected();
	assert_false(touch(a, 0, 1, false, &value));
	assert_false(touch(a, 0, 2, false, &value));
	assert_false(touch(a, 2, 4, false, &value));
	assert_false(touch(a, 4, 8, false, &value));
	assert_false(touch(a, SLOT(0, NOTIFY), 2, true, &value));
	assert_int_equal(pending(b), 0);
	end_both();
}

static void writes_elsewhere_are_ignored(void **state)
{
	(void)state;
	connected();
	for (uint64_t off = 0; off < PAGE; off += 4) {
		bool does = off == AXVM_DOORBELL_ACK || off == SLOT(0, NOTIFY);

		if (!does)
			write_bell(a, off, 4, 0xffffffff);
	}
	assert_int_equal(pending(a) | pending(b), 0);
	assert_int_equal(read64(a, SLOT(0, KEY)), KEY);
	assert_int_equal(read32(a, SLOT(0, LINE)), POOL_LINE);
	assert_int_equal(interrupts(b), 0);
	end_both();
}

/* ---- rings ---- */

static void notify_rings_the_peer_on_its_line(void **state)
{
	(void)state;
	connected();
	write_bell(a, SLOT(0, NOTIFY), 4, 0);
	assert_int_equal(pending(b), 1);
	assert_int_equal(pending(a), 0);
	assert_int_equal(interrupts(b), BIT64(33));
	assert_int_equal(interrupts(a), 0);
	/* An edge: once. */
	assert_int_equal(interrupts(b), 0);
	write_bell(b, SLOT(0, NOTIFY), 8, 1);
	assert_int_equal(pending(a), 1);
	assert_int_equal(interrupts(a), BIT64(POOL_LINE));
	end_both();
}

static void the_hypercall_rings_as_the_register_does(void **state)
{
	(void)state;
	connected();
	assert_int_equal(notify(b, 1, KEY), 0);
	assert_int_equal(pending(a), 1);
	assert_int_equal(pending(b), 0);
	assert_int_equal(interrupts(a), BIT64(POOL_LINE));
	assert_int_equal(notify(a, 1, KEY), 0);
	assert_int_equal(interrupts(b), BIT64(33));
	end_both();
}

static void rings_stay_pending_until_acknowledged(void **state)
{
	(void)state;
	connected();
	assert_int_equal(notify(a, 1, KEY), 0);
	assert_int_equal(notify(a, 1, KEY), 0);
	write_bell(b, AXVM_DOORBELL_ACK, 4, 0xfffffffe);
	assert_int_equal(pending(b), 1);
	write_bell(b, AXVM_DOORBELL_ACK, 4, 1);
	assert_int_equal(pending(b), 0);
	assert_int_equal(notify(a, 1, KEY), 0);
	assert_int_equal(pending(b), 1);
	/* As the upper half of a 64-bit word. */
	write_bell(b, AXVM_DOORBELL_PENDING, 8, UINT64_C(1) << 32);
	assert_int_equal(pending(b), 0);
	end_both();
}

static void a_slot_has_its_own_bit(void **state)
{
	(void)state;
	connected();
	for (uint64_t key = 1; key < AXVM_IVC_SLOTS; key++) {
		assert_int_equal(publish(a, key, 1), 0);
		assert_int_equal(subscribe(b, 1, key), 0);
	}
	assert_int_equal(notify(a, 1, 31), 0);
	assert_int_equal(pending(b), 1u << 31);
	write_bell(a, SLOT(9, NOTIFY), 4, 0);
	assert_int_equal(pending(b), 1u << 31 | 1u << 9);
	assert_int_equal(interrupts(b), BIT64(POOL_LINE));
	end_both();
}

static void all_peers_are_rung(void **state)
{
	struct axvm_vm *c;

	(void)state;
	connected();
	c = ivc_vm(3);
	assert_int_equal(join(c, 1, 0), 0);
	write_bell(a, SLOT(0, NOTIFY), 4, 0);
	assert_int_equal(pending(b), 1);
	assert_int_equal(pending(c), 1);
	/* One that may only read rings as well. */
	write_bell(c, SLOT(0, NOTIFY), 4, 0);
	assert_int_equal(pending(a), 1);
	assert_int_equal(interrupts(a), BIT64(POOL_LINE));
	assert_int_equal(interrupts(b), BIT64(33));
	assert_int_equal(interrupts(c), BIT64(POOL_LINE));
	end(c);
	end_both();
}

static void a_bell_without_a_line_is_silent(void **state)
{
	(void)state;
	a = ivc_vm(1);
	ivc_config(2, POOL_PAGES);
	emus[0].irq = 0;
	b = booted();
	assert_int_equal(publish(a, KEY, 1), 0);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	assert_int_equal(notify(a, 1, KEY), 0);
	assert_int_equal(pending(b), 1);
	assert_int_equal(interrupts(b), 0);
	end_both();
}

static void a_ring_wakes_a_halted_peer(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), OP(IRQS, 0, 0),
					     OP(EXPECT, BIT64(33), 0), THE_END};
	uint64_t wakes;

	(void)state;
	connected();
	stub_program(b, 0, ops);
	assert_int_equal(run_on(1, b, 0), AXVM_EXIT_HALT);
	wakes = test_hal_wakes(stub_hal(m), 0);
	write_bell(a, SLOT(0, NOTIFY), 4, 0);
	assert_int_equal(test_hal_wakes(stub_hal(m), 0), wakes + 1);
	assert_int_equal(run_on(1, b, 0), AXVM_EXIT_IRQ);
	end_both();
}

static void guests_ring_by_the_mapped_page(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, POOL + SLOT(0, NOTIFY), 1),
		OP(READ, POOL + AXVM_DOORBELL_PENDING, 0), OP(EXPECT, 0, 0),
		THE_END};

	(void)state;
	connected();
	stub_program(a, 0, ops);
	assert_int_equal(run(a), AXVM_EXIT_IRQ);
	assert_int_equal(pending(b), 1);
	end_both();
}

static void who_left_is_not_rung(void **state)
{
	(void)state;
	connected();
	assert_int_equal(notify(a, 1, KEY), 0);
	assert_int_equal(unsubscribe(b, 1, KEY), 0);
	/* Nor does its ring wait for the next connection in the slot. */
	assert_int_equal(pending(b), 0);
	write_bell(a, SLOT(0, NOTIFY), 4, 0);
	write_bell(a, SLOT(5, NOTIFY), 4, 0);
	write_bell(b, SLOT(0, NOTIFY), 4, 0);
	assert_int_equal(pending(a) | pending(b), 0);
	assert_int_equal(join(b, 0, 0), 0);
	assert_int_equal(pending(b), 0);
	end_both();
}

static void a_closed_channel_still_connects_those_who_are_left(void **state)
{
	struct axvm_vm *c;

	(void)state;
	connected();
	c = ivc_vm(3);
	assert_int_equal(join(c, 0, 0), 0);
	assert_int_equal(unpublish(a, KEY), 0);
	write_bell(b, SLOT(0, NOTIFY), 4, 0);
	assert_int_equal(pending(c), 1);
	assert_int_equal(pending(a), 0);
	end(c);
	end_both();
}

static void reset_silences_the_page(void **state)
{
	(void)state;
	connected();
	assert_int_equal(notify(a, 1, KEY), 0);
	stop(b);
	reset(b);
	assert_int_equal(axvm_boot(b), AXVM_OK);
	assert_int_equal(pending(b), 0);
	assert_int_equal(read64(b, SLOT(0, STATE)), 0);
	assert_int_equal(interrupts(b), 0);
	end_both();
}

static void a_pool_of_one_page_has_no_doorbells(void **state)
{
	const struct axvmi_space *space;

	(void)state;
	a = ivc_vm_of(1, 1);
	b = ivc_vm_of(2, 2);
	space = axvmi_bus_find(&a->bus[AXVM_BUS_MMIO], POOL);
	assert_non_null(space);
	assert_int_equal(space->kind, AXVMI_SPACE_WINDOW);
	assert_int_equal(publish(a, KEY, 1), 0);
	assert_int_equal(subscribe(b, 1, KEY), 0);
	/* By hypercall it rings all the same. */
	assert_int_equal(notify(a, 1, KEY), 0);
	assert_int_equal(pending(b), 1);
	assert_int_equal(notify(b, 1, KEY), 0);
	assert_int_equal(interrupts(a), BIT64(POOL_LINE));
	end_both();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_page_describes_itself),
		TEST(a_slot_shows_its_connection),
		TEST(everything_else_reads_zero),
		TEST(only_words_are_accessed),
		TEST(writes_elsewhere_are_ignored),
		TEST(notify_rings_the_peer_on_its_line),
		TEST(the_hypercall_rings_as_the_register_does),
		TEST(rings_stay_pending_until_acknowledged),
		TEST(a_slot_has_its_own_bit),
		TEST(all_peers_are_rung),
		TEST(a_bell_without_a_line_is_silent),
		TEST(a_ring_wakes_a_halted_peer),
		TEST(guests_ring_by_the_mapped_page),
		TEST(who_left_is_not_rung),
		TEST(a_closed_channel_still_connects_those_who_are_left),
		TEST(reset_silences_the_page),
		TEST(a_pool_of_one_page_has_no_doorbells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
