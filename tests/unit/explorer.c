/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The explorer itself: random pairs of small programs, against an enumeration of
 * all their interleavings. Each order of conflicting accesses comes exactly
 * once. And what it says of threads that wait.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "explorer.h"

#define OPS 6u
#define WORDS 3u
#define PROGRAMS 300u
/* C(12, 6), and one more. */
#define MOST 925u

struct op {
	unsigned word;
	bool write;
};

static struct op programs[2][OPS];
static unsigned lengths[2];
static int words[WORDS];
static uint64_t random_state;

/* Which of two conflicting accesses came first, a bit for each pair. */
static uint64_t order;
static bool made[2][OPS];
/* The orders that there are, sorted; how often each was explored. */
static uint64_t orders[MOST];
static unsigned order_count;
static unsigned explored[MOST];
static const char *wrong;

static unsigned random_below(unsigned n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1;
	return (unsigned)(random_state >> 33) % n;
}

static void record(unsigned t, unsigned i)
{
	const struct op *mine = &programs[t][i];

	made[t][i] = true;
	for (unsigned k = 0; k < lengths[!t]; k++) {
		const struct op *other = &programs[!t][k];
		unsigned pair = t == 0 ? i * OPS + k : k * OPS + i;

		if (t == 0 && !made[1][k] && mine->word == other->word &&
		    (mine->write || other->write))
			order |= UINT64_C(1) << pair;
	}
}

static void nothing_made(void)
{
	order = 0;
	memset(made, 0, sizeof(made));
}

/* ---- the oracle ---- */

static void remember(void)
{
	for (unsigned i = 0; i < order_count; i++) {
		if (orders[i] == order)
			return;
	}
	assert_true(order_count < MOST);
	orders[order_count++] = order;
}

/* Bit k of `choices`: the k-th step is thread 1's. */
static void interleave(unsigned choices)
{
	unsigned next[2] = {0, 0};

	nothing_made();
	for (unsigned k = 0; k < lengths[0] + lengths[1]; k++) {
		unsigned t = choices >> k & 1;

		if (next[t] == lengths[t])
			return;
		record(t, next[t]++);
	}
	remember();
}

/* ---- the explorer's run of the same ---- */

static void run_program(unsigned t)
{
	for (unsigned i = 0; i < lengths[t]; i++) {
		const struct op *op = &programs[t][i];

		explorer_point(&words[op->word], sizeof(int), op->write,
			       "program", 1);
		record(t, i);
	}
}

static void run_first(void)
{
	run_program(0);
}

static void run_second(void)
{
	run_program(1);
}

static const char *seen_once(void)
{
	for (unsigned i = 0; i < order_count; i++) {
		if (orders[i] == order)
			return explored[i]++ == 0 ? NULL : "an order twice";
	}
	return "an order that cannot be";
}

static void every_order_of_conflicting_accesses_comes_once(void **state)
{
	static const struct explorer_case c = {
		.set_up = nothing_made,
		.check = seen_once,
		.threads = {run_first, run_second},
	};

	(void)state;
	random_state = 1;
	for (unsigned n = 0; n < PROGRAMS; n++) {
		struct explorer_result r;

		for (unsigned t = 0; t < 2; t++) {
			lengths[t] = 1 + random_below(OPS);
			for (unsigned i = 0; i < lengths[t]; i++) {
				programs[t][i].word = random_below(WORDS);
				programs[t][i].write = random_below(2) != 0;
			}
		}
		order_count = 0;
		memset(explored, 0, sizeof(explored));
		for (unsigned i = 0; i < 1u << (lengths[0] + lengths[1]); i++)
			interleave(i);
		r = explorer_run(&c);
		assert_null(r.wrong);
		assert_int_equal(r.schedules, order_count);
	}
}

/* ---- waiting ---- */

static int flag, data, got;

static void nothing_sent(void)
{
	flag = 0;
	data = 0;
	got = 0;
	wrong = NULL;
}

static void send(void)
{
	EXPLORER_WRITE(&data);
	data = 7;
	EXPLORER_WRITE(&flag);
	flag = 1;
}

static void send_too_early(void)
{
	EXPLORER_WRITE(&flag);
	flag = 1;
	EXPLORER_WRITE(&data);
	data = 7;
}

static void receive(void)
{
	EXPLORER_READ(&flag);
	while (flag == 0) {
		explorer_relax();
		EXPLORER_READ(&flag);
	}
	EXPLORER_READ(&data);
	got = data;
}

static const char *received(void)
{
	return got == 7 ? NULL : "not received";
}

static struct explorer_result explore(void (*first)(void), void (*second)(void))
{
	const struct explorer_case c = {
		.set_up = nothing_sent,
		.check = received,
		.threads = {first, second},
	};

	return explorer_run(&c);
}

static void a_thread_that_spins_sees_what_it_waits_for(void **state)
{
	struct explorer_result r = explore(send, receive);

	(void)state;
	assert_null(r.wrong);
	assert_int_equal(r.schedules, 2);
	r = explore(receive, send);
	assert_null(r.wrong);
	assert_int_equal(r.schedules, 2);
}

static void a_schedule_that_fails_the_check_is_found(void **state)
{
	struct explorer_result r = explore(receive, send_too_early);

	(void)state;
	assert_string_equal(r.wrong, "not received");
	assert_false(r.stuck);
}

static void threads_that_wait_for_ever_are_found(void **state)
{
	struct explorer_result r = explore(receive, receive);

	(void)state;
	assert_string_equal(r.wrong, "both threads wait for ever");
	assert_true(r.stuck);
}

static void free_data(void)
{
	explorer_free(&data, sizeof(data), "program", 1);
}

static void use_data(void)
{
	EXPLORER_READ(&data);
	got = 7;
}

static void memory_that_is_used_after_its_end_is_found(void **state)
{
	struct explorer_result r = explore(use_data, free_data);

	(void)state;
	assert_string_equal(r.wrong, "memory is used that was freed");
	assert_int_equal(r.schedules, 2);
}

/* A deadlock in some schedules only: each takes both, in another order. */
static int locks[2];

static void nothing_locked(void)
{
	locks[0] = 0;
	locks[1] = 0;
}

static void take(int *lock)
{
	EXPLORER_WRITE(lock);
	while (*lock != 0) {
		explorer_relax();
		EXPLORER_READ(lock);
		if (*lock == 0)
			EXPLORER_WRITE(lock);
	}
	*lock = 1;
}

static void take_both(unsigned first)
{
	take(&locks[first]);
	take(&locks[!first]);
	EXPLORER_WRITE(&locks[first]);
	locks[first] = 0;
	EXPLORER_WRITE(&locks[!first]);
	locks[!first] = 0;
}

static void up(void)
{
	take_both(0);
}

static void down(void)
{
	take_both(1);
}

static const char *never_wrong(void)
{
	return NULL;
}

static void a_deadlock_in_one_schedule_is_found(void **state)
{
	const struct explorer_case good = {
		.set_up = nothing_locked,
		.check = never_wrong,
		.threads = {up, up},
	};
	const struct explorer_case bad = {
		.set_up = nothing_locked,
		.check = never_wrong,
		.threads = {up, down},
	};
	struct explorer_result r = explorer_run(&good);

	(void)state;
	assert_null(r.wrong);
	assert_true(r.schedules > 1);
	r = explorer_run(&bad);
	assert_string_equal(r.wrong, "both threads wait for ever");
}

static void write_for_ever(void)
{
	for (;;)
		EXPLORER_WRITE(&flag);
}

static void a_schedule_without_end_is_found(void **state)
{
	struct explorer_result r = explore(write_for_ever, send);

	(void)state;
	assert_string_equal(r.wrong, "a schedule without end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_order_of_conflicting_accesses_comes_once),
		cmocka_unit_test(a_thread_that_spins_sees_what_it_waits_for),
		cmocka_unit_test(a_schedule_that_fails_the_check_is_found),
		cmocka_unit_test(threads_that_wait_for_ever_are_found),
		cmocka_unit_test(memory_that_is_used_after_its_end_is_found),
		cmocka_unit_test(a_deadlock_in_one_schedule_is_found),
		cmocka_unit_test(a_schedule_without_end_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
