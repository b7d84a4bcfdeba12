/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * devices/serial.c: the receiver and the interrupt of UARTs, with a model that
 * keeps what it gets and asks for its interrupt while it has any.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "devices/serial.h"

#define LINE 10u

struct machine {
	struct axvm_arch_ops ops;
	struct axvm_vm vm;
	struct axvm_vcpu vcpu;
	struct axvm_serial serial;
	unsigned resets;
	uint32_t depth;
	unsigned notices;
	/* What another CPU does while the line is being changed. */
	void (*meanwhile)(struct machine *m);
};

static bool masked;

static uint64_t interrupts_save(void)
{
	bool before = masked;

	masked = true;
	return before;
}

static void interrupts_restore(uint64_t saved)
{
	masked = saved != 0;
}

/* The core's: what it does to a vCPU is not at stake here. */
void axvmi_notify(struct axvm_vcpu *vcpu, uint32_t bits)
{
	struct machine *m = CONTAINER_OF(vcpu, struct machine, vcpu);
	void (*work)(struct machine *) = m->meanwhile;

	(void)bits;
	m->meanwhile = NULL;
	m->notices++;
	if (work != NULL)
		work(m);
}

static uint64_t line_targets(struct axvm_vm *vm, uint32_t line)
{
	(void)vm;
	(void)line;
	return 1;
}

static struct machine *machine_of(struct axvm_serial *s)
{
	struct machine *m = CONTAINER_OF(s, struct machine, serial);

	assert_int_equal(s->lock, 1);
	return m;
}

static uint32_t room(struct axvm_serial *s)
{
	return machine_of(s)->depth - s->count;
}

static void receive(struct axvm_serial *s, uint8_t byte)
{
	(void)machine_of(s);
	axvmi_serial_put(s, byte | 0x100);
}

static bool wants_irq(struct axvm_serial *s)
{
	(void)machine_of(s);
	return s->count != 0;
}

static void power_on(struct axvm_serial *s)
{
	struct machine *m = machine_of(s);

	/* A handler of the host's that receives would wait for ever. */
	assert_true(masked);
	axvmi_serial_clear(s);
	m->resets++;
}

static const struct axvmi_serial_ops ops = {
	.room = room,
	.receive = receive,
	.wants_irq = wants_irq,
	.power_on = power_on,
};

static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));

	m->ops.line_first = 1;
	m->ops.line_count = 1023;
	m->ops.line_targets = line_targets;
	m->ops.interrupts_save = interrupts_save;
	m->ops.interrupts_restore = interrupts_restore;
	m->vm.ops = &m->ops;
	m->vm.vcpu_count = 1;
	m->vm.vcpus[0] = &m->vcpu;
	m->vcpu.vm = &m->vm;
	store_relaxed(&m->vm.vcpus_ready, 1);
	store_relaxed(&m->vm.state, AXVM_VM_RUNNING);
	m->depth = AXVM_SERIAL_SLOTS;
	memset(&m->serial, 0xa5, sizeof(m->serial));
	axvmi_serial_init(&m->serial, &ops, &m->vm, LINE);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static bool level(struct machine *m)
{
	return axvmi_line_level(&m->vm, LINE);
}

/* As a guest's read does. */
static uint16_t take(struct machine *m)
{
	uint16_t character;

	axvmi_serial_lock(&m->serial);
	character = axvmi_serial_get(&m->serial);
	axvmi_serial_unlock(&m->serial);
	axvmi_serial_update_line(&m->serial);
	return character;
}

static void characters_come_out_in_their_order_however_often(void **state)
{
	struct machine *m = *state;
	uint8_t next = 0;

	/* Fills of every length, so that each slot is the first once. */
	for (uint32_t n = 1; n <= AXVM_SERIAL_SLOTS; n++) {
		uint8_t bytes[AXVM_SERIAL_SLOTS];

		for (uint32_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)(next + i);
		assert_int_equal(axvmi_serial_receive(&m->serial, bytes, n), n);
		for (uint32_t i = 0; i < n; i++) {
			assert_int_equal(*axvmi_serial_first(&m->serial),
					 next | 0x100);
			assert_int_equal(take(m), next | 0x100);
			next++;
		}
		assert_int_equal(m->serial.count, 0);
	}
}

/* An index that only grows would pass the end of a number some day. */
static void the_order_holds_over_the_end_of_the_index(void **state)
{
	struct machine *m = *state;

	m->serial.head = UINT32_MAX - 1;
	for (uint8_t i = 0; i < 4; i++)
		assert_int_equal(axvmi_serial_receive(&m->serial, &i, 1), 1);
	for (uint8_t i = 0; i < 4; i++)
		assert_int_equal(take(m), i | 0x100);
}

static void no_more_is_taken_than_there_is_room_for(void **state)
{
	struct machine *m = *state;
	static const uint8_t bytes[8] = "abcdefg";

	m->depth = 5;
	assert_int_equal(axvmi_serial_room(&m->serial), 5);
	assert_int_equal(axvmi_serial_receive(&m->serial, bytes, 3), 3);
	assert_int_equal(axvmi_serial_room(&m->serial), 2);
	assert_int_equal(axvmi_serial_receive(&m->serial, bytes + 3, 4), 2);
	assert_int_equal(axvmi_serial_receive(&m->serial, bytes + 5, 2), 0);
	assert_int_equal(axvmi_serial_room(&m->serial), 0);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(take(m), bytes[i] | 0x100);
	assert_int_equal(m->serial.lock, 0);
}

static void what_is_cleared_is_gone(void **state)
{
	struct machine *m = *state;

	axvmi_serial_receive(&m->serial, (const uint8_t *)"abc", 3);
	(void)take(m);
	axvmi_serial_lock(&m->serial);
	axvmi_serial_clear(&m->serial);
	axvmi_serial_unlock(&m->serial);
	axvmi_serial_update_line(&m->serial);
	assert_false(level(m));
	assert_int_equal(axvmi_serial_room(&m->serial), AXVM_SERIAL_SLOTS);
	axvmi_serial_receive(&m->serial, (const uint8_t *)"x", 1);
	assert_int_equal(take(m), 'x' | 0x100);
}

static void no_interrupt_of_the_host_comes_into_a_reset(void **state)
{
	struct machine *m = *state;

	axvmi_serial_receive(&m->serial, (const uint8_t *)"abc", 3);
	for (unsigned before = 0; before < 2; before++) {
		masked = before != 0;
		axvmi_serial_reset(&m->serial);
		assert_int_equal(masked, before != 0);
		assert_int_equal(m->resets, before + 1);
	}
	masked = false;
	assert_int_equal(m->serial.lock, 0);
	assert_int_equal(m->serial.count, 0);
	assert_false(level(m));
}

static void the_line_follows_what_the_model_asks_for(void **state)
{
	struct machine *m = *state;

	assert_false(level(m));
	axvmi_serial_receive(&m->serial, (const uint8_t *)"ab", 2);
	assert_true(level(m));
	assert_int_equal(m->notices, 1);
	(void)take(m);
	assert_true(level(m));
	(void)take(m);
	assert_false(level(m));
	/* Nothing taken, nothing changed. */
	m->notices = 0;
	axvmi_serial_receive(&m->serial, (const uint8_t *)"ab", 0);
	assert_int_equal(m->notices, 0);
}

/* The other CPU has seen the line at its old level and leaves it alone. */
static void read_meanwhile(struct machine *m)
{
	axvmi_serial_lock(&m->serial);
	(void)axvmi_serial_get(&m->serial);
	axvmi_serial_unlock(&m->serial);
}

static void whoever_sets_the_line_looks_again(void **state)
{
	struct machine *m = *state;

	m->meanwhile = read_meanwhile;
	axvmi_serial_receive(&m->serial, (const uint8_t *)"a", 1);
	assert_null(m->meanwhile);
	assert_false(level(m));
}

static void a_line_that_cannot_be_set_is_given_up(void **state)
{
	struct machine *m = *state;

	store_relaxed(&m->vm.vcpus_ready, 0);
	m->serial.irq.line = 0;
	assert_int_equal(
		axvmi_serial_receive(&m->serial, (const uint8_t *)"a", 1), 1);
	assert_int_equal(m->serial.irq_wanted, 1);
	assert_int_equal(m->notices, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(characters_come_out_in_their_order_however_often),
		TEST(the_order_holds_over_the_end_of_the_index),
		TEST(no_more_is_taken_than_there_is_room_for),
		TEST(what_is_cleared_is_gone),
		TEST(no_interrupt_of_the_host_comes_into_a_reset),
		TEST(the_line_follows_what_the_model_asks_for),
		TEST(whoever_sets_the_line_looks_again),
		TEST(a_line_that_cannot_be_set_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
