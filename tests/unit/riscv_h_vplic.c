/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The interrupt-controller model, arch/riscv_h/vplic.c, against the RISC-V
 * Platform-Level Interrupt Controller Specification 1.0.0.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "riscv_h/vplic.h"

#define CONTEXTS 3u

static struct vplic plic;

static int setup(void **state)
{
	(void)state;
	memset((void *)&plic, 0xa5, sizeof(plic));
	axvmi_vplic_init(&plic, CONTEXTS, VPLIC_ONE_PER_HART, VPLIC_WINDOW);
	return 0;
}

static uint64_t enable_at(uint32_t context, uint32_t source)
{
	return VPLIC_ENABLE + context * VPLIC_ENABLE_STRIDE + source / 32 * 4;
}

static uint64_t threshold_at(uint32_t context)
{
	return VPLIC_CONTEXT + context * VPLIC_CONTEXT_STRIDE;
}

static uint64_t claim_at(uint32_t context)
{
	return threshold_at(context) + 4;
}

static uint32_t get(uint64_t offset)
{
	return axvmi_vplic_read(&plic, offset);
}

static void put(uint64_t offset, uint32_t value)
{
	axvmi_vplic_write(&plic, offset, value);
}

static void enable(uint32_t context, uint32_t source)
{
	uint64_t at = enable_at(context, source);

	put(at, get(at) | UINT32_C(1) << source % 32);
}

/* Priority, and enabled for context 0. */
static void prepare(uint32_t source, uint32_t priority)
{
	put(source * 4, priority);
	enable(0, source);
}

static void edge(uint32_t source)
{
	axvmi_vplic_set_line(&plic, source, false, true);
}

static void level(uint32_t source, bool high)
{
	axvmi_vplic_set_line(&plic, source, high, false);
}

static bool is_pending(uint32_t source)
{
	return (get(VPLIC_PENDING + source / 32 * 4) >> source % 32 & 1) != 0;
}

static bool eip(uint32_t context)
{
	return axvmi_vplic_eip(&plic, context);
}

/* ---- registers ---- */

static void everything_is_zero_at_power_on(void **s)
{
	(void)s;
	for (uint64_t at = 0; at < VPLIC_CONTEXT + 0x5000; at += 4)
		assert_int_equal(get(at), 0);
	for (uint32_t c = 0; c < CONTEXTS; c++)
		assert_false(eip(c));
}

static void priorities_keep_three_bits(void **s)
{
	(void)s;
	for (uint32_t v = 0; v < 20; v++) {
		put(4, v);
		assert_int_equal(get(4), v & 7);
	}
	put(1023 * 4, UINT32_MAX);
	assert_int_equal(get(1023 * 4), 7);
	assert_int_equal(get(1022 * 4), 0);
}

static void thresholds_keep_three_bits_per_context(void **s)
{
	(void)s;
	put(threshold_at(1), 0xfffffffd);
	assert_int_equal(get(threshold_at(0)), 0);
	assert_int_equal(get(threshold_at(1)), 5);
	assert_int_equal(get(threshold_at(2)), 0);
}

static void source_zero_does_not_exist(void **s)
{
	(void)s;
	put(0, 7);
	put(enable_at(0, 0), UINT32_MAX);
	level(0, true);
	edge(0);
	axvmi_vplic_set_line(&plic, 1024, true, true);
	axvmi_vplic_set_line(&plic, UINT32_MAX, true, true);
	assert_int_equal(get(0), 0);
	assert_int_equal(get(enable_at(0, 0)), 0xfffffffe);
	assert_int_equal(get(VPLIC_PENDING), 0);
	assert_false(eip(0));
	assert_int_equal(get(claim_at(0)), 0);
	assert_int_equal(plic.targets[0], 0);
}

static void pending_bits_are_read_only(void **s)
{
	(void)s;
	edge(40);
	put(VPLIC_PENDING + 4, 0);
	assert_true(is_pending(40));
	put(VPLIC_PENDING + 8, UINT32_MAX);
	assert_int_equal(get(VPLIC_PENDING + 8), 0);
}

static void enable_bits_are_kept_per_context_and_word(void **s)
{
	(void)s;
	for (uint32_t c = 0; c < CONTEXTS; c++)
		for (uint32_t w = 0; w < VPLIC_WORDS; w++)
			put(enable_at(c, w * 32), 0x1000u * c + w * 2);
	for (uint32_t c = 0; c < CONTEXTS; c++)
		for (uint32_t w = 0; w < VPLIC_WORDS; w++)
			assert_int_equal(get(enable_at(c, w * 32)),
					 0x1000u * c + w * 2);
	/* The summary says which words a search need look at. */
	assert_int_equal(plic.context[0].enable_words, 0xfffffffe);
	put(enable_at(0, 96), 0);
	assert_int_equal(plic.context[0].enable_words, 0xfffffff6);
}

static void what_does_not_exist_reads_zero_and_ignores_writes(void **s)
{
	static const uint64_t nowhere[] = {
		VPLIC_PENDING + 0x80,
		VPLIC_ENABLE - 4,
		VPLIC_ENABLE + CONTEXTS * VPLIC_ENABLE_STRIDE,
		VPLIC_CONTEXT - 4,
		VPLIC_CONTEXT + 8,
		VPLIC_CONTEXT + 0xffc,
		VPLIC_CONTEXT + CONTEXTS * VPLIC_CONTEXT_STRIDE,
		VPLIC_CONTEXT + CONTEXTS * VPLIC_CONTEXT_STRIDE + 4,
		VPLIC_WINDOW - 4,
		UINT64_MAX - 3,
	};
	struct vplic before;

	(void)s;
	prepare(9, 3);
	edge(9);
	axvmi_vplic_update(&plic);
	memcpy((void *)&before, (void *)&plic, sizeof(plic));
	for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
		put(nowhere[i], UINT32_MAX);
		put(nowhere[i], 9);
		assert_int_equal(get(nowhere[i]), 0);
	}
	assert_memory_equal(&before, &plic, sizeof(plic));
}

static void two_contexts_per_hart_leave_machine_mode_out(void **s)
{
	(void)s;
	axvmi_vplic_init(&plic, 2, VPLIC_TWO_PER_HART, VPLIC_WINDOW);
	put(28, 1);
	put(enable_at(0, 7), 0x80);
	put(enable_at(3, 7), 0x80);
	put(enable_at(5, 7), 0x80);
	assert_int_equal(get(enable_at(0, 7)), 0);
	assert_int_equal(get(enable_at(3, 7)), 0x80);
	assert_int_equal(get(enable_at(5, 7)), 0);
	edge(7);
	assert_false(eip(0));
	assert_true(eip(1));
	assert_int_equal(get(claim_at(2)), 0);
	assert_int_equal(vplic_context_page(&plic, 1), threshold_at(3));
	assert_int_equal(get(claim_at(3)), 7);
}

static void contexts_beyond_the_window_do_not_exist(void **s)
{
	(void)s;
	axvmi_vplic_init(&plic, 64, VPLIC_ONE_PER_HART, VPLIC_CONTEXT + 0x2000);
	assert_int_equal(plic.contexts, 2);
	axvmi_vplic_init(&plic, 64, VPLIC_TWO_PER_HART, VPLIC_CONTEXT + 0x5000);
	assert_int_equal(plic.contexts, 2);
	axvmi_vplic_init(&plic, 64, VPLIC_ONE_PER_HART, VPLIC_CONTEXT);
	assert_int_equal(plic.contexts, 0);
	axvmi_vplic_init(&plic, 64, VPLIC_ONE_PER_HART, 0x1000);
	assert_int_equal(plic.contexts, 0);
	axvmi_vplic_init(&plic, 64, VPLIC_TWO_PER_HART, VPLIC_WINDOW);
	assert_int_equal(plic.contexts, 64);
}

/* ---- one source ---- */

static void level_is_pending_again_after_completion_while_it_is_high(void **s)
{
	(void)s;
	prepare(5, 1);
	level(5, true);
	assert_true(eip(0));
	assert_int_equal(get(claim_at(0)), 5);
	assert_false(is_pending(5));
	assert_false(eip(0));
	level(5, true);
	assert_false(is_pending(5));
	put(claim_at(0), 5);
	assert_true(is_pending(5));
	assert_int_equal(get(claim_at(0)), 5);
	level(5, false);
	put(claim_at(0), 5);
	assert_false(is_pending(5));
}

static void a_forwarded_request_stays_when_the_line_falls(void **s)
{
	(void)s;
	prepare(5, 1);
	level(5, true);
	level(5, false);
	assert_int_equal(get(claim_at(0)), 5);
	put(claim_at(0), 5);
	assert_int_equal(get(claim_at(0)), 0);
}

static void an_edge_while_claimed_is_pending_once_after_completion(void **s)
{
	(void)s;
	prepare(5, 1);
	edge(5);
	edge(5);
	assert_int_equal(get(claim_at(0)), 5);
	assert_int_equal(get(claim_at(0)), 0);
	edge(5);
	edge(5);
	assert_false(is_pending(5));
	put(claim_at(0), 5);
	assert_int_equal(get(claim_at(0)), 5);
	put(claim_at(0), 5);
	assert_int_equal(get(claim_at(0)), 0);
}

static void completion_needs_the_source_enabled_for_the_context(void **s)
{
	(void)s;
	prepare(5, 1);
	level(5, true);
	assert_int_equal(get(claim_at(0)), 5);
	put(claim_at(1), 5); /* not enabled there */
	assert_false(is_pending(5));
	put(enable_at(0, 5), 0);
	put(claim_at(0), 5);
	assert_false(is_pending(5));
	enable(1, 5);
	put(claim_at(1), 5); /* not who claimed, but enabled */
	assert_true(is_pending(5));
}

static void bad_completions_are_ignored(void **s)
{
	static const uint32_t bad[] = {0, 1024, 6, 5 + 1024, UINT32_MAX};

	(void)s;
	prepare(5, 1);
	prepare(6, 1);
	level(5, true);
	assert_int_equal(get(claim_at(0)), 5);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		put(claim_at(0), bad[i]);
	assert_int_equal(get(claim_at(0)), 0);
	assert_false(is_pending(6));
}

/* One source by the book. */
struct machine {
	bool enabled, pending, claimed, level, latched;
	uint32_t priority, threshold;
};

static void machine_input(struct machine *m, bool high, bool pulse)
{
	m->level = high;
	if (m->claimed)
		m->latched |= pulse;
	else if (high || pulse)
		m->pending = true;
}

/* 0 raise, 1 lower, 2 edge, 3 claim, 4 complete. */
static void step(struct machine *m, uint32_t source, uint32_t op)
{
	bool can_claim = m->enabled && m->pending && m->priority != 0;

	if (op < 2) {
		level(source, op == 0);
		machine_input(m, op == 0, false);
	} else if (op == 2) {
		axvmi_vplic_set_line(&plic, source, m->level, true);
		machine_input(m, m->level, true);
	} else if (op == 3) {
		assert_int_equal(get(claim_at(0)), can_claim ? source : 0);
		m->claimed |= can_claim;
		m->pending &= !can_claim;
	} else {
		put(claim_at(0), source);
		if (m->enabled && m->claimed) {
			m->claimed = false;
			m->pending = m->level || m->latched;
			m->latched = false;
		}
	}
	assert_int_equal(is_pending(source), m->pending);
	assert_int_equal(eip(0), m->enabled && m->pending &&
					 m->priority > m->threshold);
}

#define STEPS 4
#define SEQUENCES 625u /* 5 ** STEPS */

static void run_sequence(uint32_t source, struct machine m, uint32_t sequence)
{
	put(source * 4, m.priority);
	put(threshold_at(0), m.threshold);
	put(enable_at(0, source), 0);
	if (m.enabled)
		enable(0, source);
	for (int i = 0; i < STEPS; i++, sequence /= 5)
		step(&m, source, sequence % 5);
}

/* Each setting with each sequence of events from an idle source; a source of
 * its own each time, and a reset when they are used up. */
static void state_machine_of_one_source_is_exhaustively_right(void **s)
{
	uint32_t source = 0;

	(void)s;
	for (uint32_t i = 0; i < 2 * 8 * 8 * SEQUENCES; i++) {
		struct machine m = {.enabled = (i & 1) != 0,
				    .priority = i >> 1 & 7,
				    .threshold = i >> 4 & 7};

		source = source % 1023 + 1;
		if (source == 1)
			axvmi_vplic_reset(&plic);
		run_sequence(source, m, i >> 7);
		/* Out of the way of the next one. */
		put(source * 4, 0);
	}
}

static void output_is_enable_and_pending_and_priority_over_threshold(void **s)
{
	(void)s;
	for (uint32_t i = 0; i < 2 * 2 * 8 * 8; i++) {
		struct machine m = {.enabled = (i & 1) != 0,
				    .priority = i >> 2 & 7,
				    .threshold = i >> 5 & 7};

		axvmi_vplic_reset(&plic);
		put(64 * 4, m.priority);
		put(threshold_at(0), m.threshold);
		if (m.enabled)
			enable(0, 64);
		step(&m, 64, (i & 2) != 0 ? 0 : 1);
		/* The threshold masks the output, not the claim. */
		step(&m, 64, 3);
		step(&m, 64, 4);
	}
}

/* ---- several sources and contexts ---- */

static void highest_priority_then_lowest_number_is_claimed_first(void **s)
{
	static const uint32_t order[] = {500, 3, 70, 1023, 1, 2};
	static const uint32_t priority[] = {7, 5, 5, 5, 1, 1};

	(void)s;
	for (size_t i = 0; i < 6; i++) {
		prepare(order[i], priority[i]);
		level(order[i], true);
	}
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(get(claim_at(0)), order[i]);
	assert_int_equal(get(claim_at(0)), 0);
}

static void priority_of_a_pending_source_can_change(void **s)
{
	(void)s;
	prepare(8, 1);
	prepare(9, 2);
	edge(8);
	edge(9);
	put(threshold_at(0), 2);
	assert_false(eip(0));
	put(8 * 4, 3);
	assert_true(eip(0));
	assert_int_equal(get(claim_at(0)), 8);
	put(9 * 4, 0);
	assert_int_equal(get(claim_at(0)), 0);
	assert_true(is_pending(9));
	put(9 * 4, 7);
	assert_int_equal(get(claim_at(0)), 9);
}

static void one_context_claims_and_the_other_finds_nothing(void **s)
{
	(void)s;
	prepare(8, 1);
	enable(1, 8);
	edge(8);
	assert_true(eip(0));
	assert_true(eip(1));
	assert_false(eip(2));
	assert_int_equal(get(claim_at(2)), 0);
	assert_int_equal(get(claim_at(1)), 8);
	assert_false(eip(0));
	assert_int_equal(get(claim_at(0)), 0);
}

static void contexts_have_their_own_thresholds(void **s)
{
	(void)s;
	prepare(8, 3);
	enable(1, 8);
	put(threshold_at(0), 3);
	put(threshold_at(1), 2);
	edge(8);
	assert_false(eip(0));
	assert_true(eip(1));
}

static void targets_follow_the_enable_bits(void **s)
{
	(void)s;
	put(enable_at(0, 32), 0x5);
	put(enable_at(2, 32), 0x4);
	assert_int_equal(plic.targets[32], 1);
	assert_int_equal(plic.targets[33], 0);
	assert_int_equal(plic.targets[34], 5);
	put(enable_at(0, 32), 0x2);
	assert_int_equal(plic.targets[32], 0);
	assert_int_equal(plic.targets[33], 1);
	assert_int_equal(plic.targets[34], 4);
	axvmi_vplic_reset(&plic);
	assert_int_equal(plic.targets[34], 0);
}

static void update_names_the_outputs_that_changed(void **s)
{
	(void)s;
	prepare(8, 1);
	enable(2, 8);
	assert_int_equal(axvmi_vplic_update(&plic), 0);
	edge(8);
	assert_int_equal(axvmi_vplic_update(&plic), 5);
	assert_int_equal(plic.eip, 5);
	assert_int_equal(axvmi_vplic_update(&plic), 0);
	put(threshold_at(2), 1);
	assert_int_equal(axvmi_vplic_update(&plic), 4);
	assert_int_equal(plic.eip, 1);
	get(claim_at(0));
	assert_int_equal(axvmi_vplic_update(&plic), 1);
	assert_int_equal(plic.eip, 0);
	assert_int_equal(plic.dirty, 0);
}

static void reset_clears_all_and_lets_outputs_fall(void **s)
{
	(void)s;
	for (uint32_t i = 1; i < 1024; i++) {
		prepare(i, i);
		level(i, true);
	}
	get(claim_at(0));
	put(threshold_at(1), 4);
	axvmi_vplic_update(&plic);
	assert_int_equal(plic.eip, 1);
	axvmi_vplic_reset(&plic);
	assert_int_equal(axvmi_vplic_update(&plic), 1);
	for (uint64_t at = 0; at < VPLIC_CONTEXT + 0x3000; at += 4)
		assert_int_equal(get(at), 0);
}

static void peek_gives_what_read_gives_and_refuses_the_rest(void **s)
{
	(void)s;
	for (uint32_t i = 1; i < 1024; i++) {
		prepare(i, i);
		edge(i);
	}
	put(threshold_at(1), 4);
	for (uint64_t at = 0; at < VPLIC_CONTEXT + 0x5000; at += 4) {
		uint64_t value = UINT64_MAX;
		bool claim = at >= VPLIC_CONTEXT && at % 0x1000 != 0;

		if (vplic_peek(&plic, at, &value)) {
			assert_false(claim);
			assert_int_equal(value, get(at));
		} else {
			assert_true(claim || (at >= 0x1000 && at < 0x2000));
			assert_int_equal(value, UINT64_MAX);
		}
	}
}

static void poke_writes_priorities_of_idle_sources_alone(void **s)
{
	(void)s;
	assert_true(vplic_poke(&plic, 5 * 4, 0xfffe));
	assert_int_equal(get(5 * 4), 6);
	edge(5);
	assert_false(vplic_poke(&plic, 5 * 4, 1));
	assert_int_equal(get(5 * 4), 6);
	assert_true(vplic_poke(&plic, 1023 * 4, 1));
	assert_false(vplic_poke(&plic, 0, 1));
	assert_false(vplic_poke(&plic, 1024 * 4, 1));
	assert_false(vplic_poke(&plic, threshold_at(0), 1));
	assert_false(vplic_poke(&plic, UINT64_MAX - 3, 1));
}

/* ---- a naive model beside it ---- */

struct naive {
	bool pending[1024], claimed[1024], high[1024], latched[1024];
	uint32_t priority[1024];
	bool enabled[CONTEXTS][1024];
	uint32_t threshold[CONTEXTS];
};

static struct naive naive;

static uint32_t naive_best(uint32_t context)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < 1024; i++) {
		if (naive.enabled[context][i] && naive.pending[i] &&
		    naive.priority[i] > naive.priority[best])
			best = i;
	}
	return best;
}

static uint32_t naive_claim(uint32_t context)
{
	uint32_t best = naive_best(context);

	naive.pending[best] = false;
	naive.claimed[best] = best != 0;
	return best;
}

static void naive_complete(uint32_t context, uint32_t source)
{
	if (source == 0 || source > 1023 || !naive.enabled[context][source] ||
	    !naive.claimed[source])
		return;
	naive.claimed[source] = false;
	naive.pending[source] = naive.high[source] || naive.latched[source];
	naive.latched[source] = false;
}

static void naive_input(uint32_t source, bool high, bool pulse)
{
	if (source == 0)
		return;
	naive.high[source] = high;
	if (naive.claimed[source])
		naive.latched[source] |= pulse;
	else if (high || pulse)
		naive.pending[source] = true;
}

static void compare(void)
{
	for (uint32_t c = 0; c < CONTEXTS; c++) {
		uint32_t best = naive_best(c);

		assert_int_equal(eip(c),
				 best != 0 && naive.priority[best] >
						      naive.threshold[c]);
	}
	for (uint32_t i = 0; i < 1024; i += 1)
		assert_int_equal(is_pending(i), naive.pending[i]);
}

/* Updates must agree with an evaluation of every context. */
static void check_update(uint64_t *outputs)
{
	uint64_t changed = axvmi_vplic_update(&plic);

	*outputs ^= changed;
	for (uint32_t c = 0; c < CONTEXTS; c++)
		assert_int_equal(*outputs >> c & 1, eip(c));
}

static void random_step(uint32_t r, uint32_t source)
{
	uint32_t context = (r >> 4) % CONTEXTS;
	bool on = (r >> 8 & 1) != 0;

	switch (r & 7) {
	case 0:
		put(source * 4, r >> 9);
		naive.priority[source] = source == 0 ? 0 : r >> 9 & 7;
		break;
	case 1:
		put(threshold_at(context), r >> 9);
		naive.threshold[context] = r >> 9 & 7;
		break;
	case 2:
		put(enable_at(context, source),
		    on ? get(enable_at(context, source)) |
				    UINT32_C(1) << source % 32
		       : get(enable_at(context, source)) &
				    ~(UINT32_C(1) << source % 32));
		naive.enabled[context][source] = on && source != 0;
		break;
	case 3:
		assert_int_equal(get(claim_at(context)), naive_claim(context));
		break;
	case 4:
		put(claim_at(context), source);
		naive_complete(context, source);
		break;
	default:
		axvmi_vplic_set_line(&plic, source, on, (r >> 9 & 3) == 0);
		naive_input(source, on, (r >> 9 & 3) == 0);
		break;
	}
}

static void random_histories_agree_with_a_naive_model(void **s)
{
	uint64_t seed = 88172645463325252ull;
	uint64_t outputs = 0;

	(void)s;
	memset(&naive, 0, sizeof(naive));
	for (int i = 0; i < 60000; i++) {
		uint32_t source;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		/* Few sources, at the corners, so that things meet. */
		source = (uint32_t)(seed >> 40) % 10;
		source = source < 5 ? source : 1018 + (source - 5);
		if ((seed >> 60) == 0)
			source = (uint32_t)(seed >> 20) % 1024;
		random_step((uint32_t)seed, source);
		if (i % 16 == 0)
			compare();
		if (i % 3 == 0)
			check_update(&outputs);
	}
}

static void any_access_leaves_contexts_consistent(void **s)
{
	uint32_t seed = 7;

	(void)s;
	for (int i = 0; i < 100000; i++) {
		uint64_t at;

		seed = seed * 1664525 + 1013904223;
		at = (seed >> 4) % 0x210000 & ~3u;
		if ((seed & 1) != 0)
			at = (at & 0x1000) + VPLIC_CONTEXT + (at & 4);
		if ((seed & 2) != 0)
			put(at, seed);
		else
			get(at);
		level(seed >> 22, (seed & 8) != 0);
	}
	for (uint32_t i = 0; i < 1024; i++) {
		uint64_t targets = 0;

		for (uint32_t c = 0; c < CONTEXTS; c++)
			targets |=
				(uint64_t)(get(enable_at(c, i)) >> i % 32 & 1)
				<< c;
		assert_int_equal(plic.targets[i], targets);
	}
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(everything_is_zero_at_power_on),
		T(priorities_keep_three_bits),
		T(thresholds_keep_three_bits_per_context),
		T(source_zero_does_not_exist),
		T(pending_bits_are_read_only),
		T(enable_bits_are_kept_per_context_and_word),
		T(what_does_not_exist_reads_zero_and_ignores_writes),
		T(two_contexts_per_hart_leave_machine_mode_out),
		T(contexts_beyond_the_window_do_not_exist),
		T(level_is_pending_again_after_completion_while_it_is_high),
		T(a_forwarded_request_stays_when_the_line_falls),
		T(an_edge_while_claimed_is_pending_once_after_completion),
		T(completion_needs_the_source_enabled_for_the_context),
		T(bad_completions_are_ignored),
		T(state_machine_of_one_source_is_exhaustively_right),
		T(output_is_enable_and_pending_and_priority_over_threshold),
		T(highest_priority_then_lowest_number_is_claimed_first),
		T(priority_of_a_pending_source_can_change),
		T(one_context_claims_and_the_other_finds_nothing),
		T(contexts_have_their_own_thresholds),
		T(targets_follow_the_enable_bits),
		T(update_names_the_outputs_that_changed),
		T(reset_clears_all_and_lets_outputs_fall),
		T(peek_gives_what_read_gives_and_refuses_the_rest),
		T(poke_writes_priorities_of_idle_sources_alone),
		T(random_histories_agree_with_a_naive_model),
		T(any_access_leaves_contexts_consistent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
