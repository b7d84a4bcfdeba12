/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The self test of a host: it lets a good one pass, and of each of many broken
 * ones it names the clause. A broken host is the test host with a callback
 * replaced; time is a number that moves when somebody looks.
 */
#include "core_test.h"

#include "internal.h"

#define HZ 10000000u
#define NS_PER_TICK (1000000000u / HZ)
#define LOOK_NS 1000u /* that time goes on at each look at it */
#define MS UINT64_C(1000000)
#define HELD 64u
#define SHARED (UINT64_C(1) << 38)
#define FAR_BIT (UINT64_C(1) << 45)

static struct axvm_hal hal; /* what is tested */
static struct axvm_hal real; /* the test host's */
static struct axvm_selftest how;
static struct axvm_selftest_report report;
static struct axvm_arch_ops ops;

/* ---- a good host: the test host with time and interrupts ---- */

static uint64_t time_ns, deadline;
static bool kicked;

static uint64_t good_now(void *ctx)
{
	(void)ctx;
	return time_ns += LOOK_NS;
}

static uint64_t good_counter(void)
{
	return (time_ns += LOOK_NS) / NS_PER_TICK;
}

static void good_kick(void *ctx, uint32_t cpu)
{
	(void)ctx;
	kicked |= cpu == how.cpu;
}

static void good_timer(void *ctx, uint64_t ns)
{
	(void)ctx;
	deadline = ns;
}

static bool pending(void *ctx)
{
	assert_ptr_equal(ctx, &how);
	assert_true(stub_masked());
	time_ns += LOOK_NS;
	return kicked || time_ns >= deadline;
}

static void take_interrupts(void *ctx)
{
	assert_ptr_equal(ctx, &how);
	assert_true(stub_masked());
	kicked = false;
	if (time_ns >= deadline)
		deadline = UINT64_MAX;
}

static uint64_t lost; /* bytes that a broken free forgets */

static uint64_t arena_free(void *ctx)
{
	assert_ptr_equal(ctx, &how);
	return MIB(8192) - lost - test_hal_live_bytes(stub_hal(m));
}

static uint64_t phys_offset; /* physical - virtual */

static int good_host(void **state)
{
	static const struct stub_config one = {.cpus = 1, .tag_bits = 14};
	void *piece;

	(void)state;
	new_config();
	m = stub_new_bare(&one);
	real = stub_hal(m)->hal;
	piece = real.alloc(real.ctx, PAGE, PAGE);
	phys_offset =
		real.virt_to_phys(real.ctx, piece).value - (uintptr_t)piece;
	real.free(real.ctx, piece, PAGE);
	hal = real;
	hal.now = good_now;
	hal.counter_hz = HZ;
	hal.kick = good_kick;
	hal.timer = good_timer;
	ops = *stub_ops(m);
	ops.counter = good_counter;
	how = (struct axvm_selftest){
		.size = sizeof(how),
		.backend = &ops,
		.cpu = 3,
		.ctx = &how,
		.interrupt_pending = pending,
		.take_interrupts = take_interrupts,
		.free_bytes = arena_free,
	};
	memset(&report, 0xee, sizeof(report));
	time_ns = 5 * MS;
	deadline = UINT64_MAX;
	kicked = false;
	lost = 0;
	return 0;
}

static int no_trace(void **state)
{
	bool masked = stub_masked();

	return teardown(state) != 0 || masked ? -1 : 0;
}

/* ---- what the broken ones remember ---- */

static struct held {
	char *given;
	void *base; /* what to give back to the test host */
	size_t size, base_size;
} held[HELD];
static struct held *newest;
static unsigned calls;

static void *hold(void *given, size_t size, void *base, size_t base_size)
{
	for (unsigned i = 0; i < HELD; i++) {
		if (held[i].given != NULL)
			continue;
		held[i] = (struct held){given, base, size, base_size};
		newest = &held[i];
		return given;
	}
	fail_msg("more than %u pieces", HELD);
	return NULL;
}

static struct held *holder(const void *byte)
{
	for (unsigned i = 0; i < HELD; i++) {
		if (held[i].given != NULL &&
		    (uintptr_t)byte - (uintptr_t)held[i].given < held[i].size)
			return &held[i];
	}
	return NULL;
}

static void *held_alloc(void *ctx, size_t size, size_t align)
{
	void *piece = real.alloc(ctx, size, align);

	return piece == NULL ? NULL : hold(piece, size, piece, size);
}

static void held_free(void *ctx, void *ptr, size_t size)
{
	struct held *h = holder(ptr);

	assert_non_null(h);
	assert_ptr_equal(h->given, ptr);
	assert_int_equal(h->size, size);
	h->given = NULL;
	real.free(ctx, h->base, h->base_size);
}

/* Another piece than `h` that is in use. */
static struct held *another(const struct held *h)
{
	for (unsigned i = 0; i < HELD; i++) {
		if (held[i].given != NULL && &held[i] != h)
			return &held[i];
	}
	return NULL;
}

/* ---- broken structs ---- */

static void a_size_of_another_version(void)
{
	hal.size -= 8;
}

static void no_alloc(void)
{
	hal.alloc = NULL;
}

static void no_free(void)
{
	hal.free = NULL;
}

static void no_virt_to_phys(void)
{
	hal.virt_to_phys = NULL;
}

static void no_phys_to_virt(void)
{
	hal.phys_to_virt = NULL;
}

static void a_counter_of_too_many_hz(void)
{
	hal.counter_hz = UINT64_C(1) << 32;
}

/* ---- broken alloc ---- */

static void *pages_only_alloc(void *ctx, size_t size, size_t align)
{
	char *base;

	if (align <= PAGE)
		return held_alloc(ctx, size, align);
	base = real.alloc(ctx, size + KIB(64), KIB(64));
	return hold(base + PAGE, size, base, size + KIB(64));
}

static void alloc_aligns_to_pages_only(void)
{
	hal.alloc = pages_only_alloc;
	hal.free = held_free;
}

static void *no_memory(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	return NULL;
}

static void alloc_has_nothing(void)
{
	hal.alloc = no_memory;
}

static void *fifth_again_alloc(void *ctx, size_t size, size_t align)
{
	if (++calls == 5)
		return newest->given;
	return held_alloc(ctx, size, align);
}

static void alloc_gives_a_piece_twice(void)
{
	hal.alloc = fifth_again_alloc;
	hal.free = held_free;
}

static void *overlapping_alloc(void *ctx, size_t size, size_t align)
{
	if (++calls == 8)
		return newest->given + newest->size - 1;
	return held_alloc(ctx, size, align);
}

static void alloc_gives_a_piece_whose_last_byte_is_taken(void)
{
	hal.alloc = overlapping_alloc;
	hal.free = held_free;
}

static void *scribbling_alloc(void *ctx, size_t size, size_t align)
{
	if (newest != NULL && newest->given != NULL)
		newest->given[newest->size - 1] ^= 1;
	return held_alloc(ctx, size, align);
}

static void alloc_keeps_its_list_in_memory_it_gave(void)
{
	hal.alloc = scribbling_alloc;
	hal.free = held_free;
}

static void *capped_alloc(void *ctx, size_t size, size_t align)
{
	return real.alloc(ctx, size, align > KIB(64) ? KIB(64) : align);
}

static void alloc_lowers_large_alignments_silently(void)
{
	hal.alloc = capped_alloc;
}

/* ---- broken free ---- */

static void *counted_alloc(void *ctx, size_t size, size_t align)
{
	lost += size;
	return lost > MIB(16) ? NULL : real.alloc(ctx, size, align);
}

static void free_forgets_all(void)
{
	hal.alloc = counted_alloc;
	how.free_bytes = NULL;
}

static void forgetful_free(void *ctx, void *ptr, size_t size)
{
	lost += size % PAGE;
	real.free(ctx, ptr, size);
}

static void free_forgets_the_part_of_a_page(void)
{
	hal.free = forgetful_free;
}

static void scribbling_free(void *ctx, void *ptr, size_t size)
{
	struct held *h = another(holder(ptr));

	if (h != NULL)
		h->given[0]++;
	held_free(ctx, ptr, size);
}

static void free_writes_to_another_piece(void)
{
	hal.alloc = held_alloc;
	hal.free = scribbling_free;
}

static void *after_free_alloc(void *ctx, size_t size, size_t align)
{
	if (calls != 0 && calls-- == 1)
		return another(NULL)->given;
	return held_alloc(ctx, size, align);
}

static void first_of_many_free(void *ctx, void *ptr, size_t size)
{
	if (newest != NULL)
		calls = 3; /* the third alloc from now on */
	held_free(ctx, ptr, size);
}

static void free_takes_a_neighbour_along(void)
{
	hal.alloc = after_free_alloc;
	hal.free = first_of_many_free;
}

/* ---- broken translators ---- */

static void *linear_phys_to_virt(void *ctx, struct axvm_hpa hpa)
{
	(void)ctx;
	return (void *)(uintptr_t)(hpa.value - phys_offset);
}

static struct axvm_hpa next_page(void *ctx, const void *ptr)
{
	return axvm_to_hpa(real.virt_to_phys(ctx, ptr).value + PAGE);
}

static void *page_before(void *ctx, struct axvm_hpa hpa)
{
	return real.phys_to_virt(ctx, axvm_to_hpa(hpa.value - PAGE));
}

static void virt_to_phys_is_a_page_off(void)
{
	hal.virt_to_phys = next_page;
	hal.phys_to_virt = linear_phys_to_virt;
}

static void physical_addresses_are_not_aligned(void)
{
	hal.virt_to_phys = next_page;
	hal.phys_to_virt = page_before;
}

static struct axvm_hpa page_before_phys(void *ctx, const void *ptr)
{
	return axvm_to_hpa(real.virt_to_phys(ctx, ptr).value - PAGE);
}

static void *page_after(void *ctx, struct axvm_hpa hpa)
{
	return real.phys_to_virt(ctx, axvm_to_hpa(hpa.value + PAGE));
}

static void physical_addresses_alone_are_aligned(void)
{
	alloc_aligns_to_pages_only();
	hal.virt_to_phys = page_before_phys;
	hal.phys_to_virt = page_after;
}

static struct axvm_hpa page_of(void *ctx, const void *ptr)
{
	return axvm_to_hpa(real.virt_to_phys(ctx, ptr).value & ~(PAGE - 1));
}

static void virt_to_phys_answers_for_the_page(void)
{
	hal.virt_to_phys = page_of;
}

static struct axvm_hpa scattered(void *ctx, const void *ptr)
{
	uint64_t hpa = real.virt_to_phys(ctx, ptr).value;

	return axvm_to_hpa((hpa & PAGE) != 0 ? hpa | FAR_BIT : hpa);
}

static void *gathered(void *ctx, struct axvm_hpa hpa)
{
	return real.phys_to_virt(ctx, axvm_to_hpa(hpa.value & ~FAR_BIT));
}

static void memory_is_contiguous_in_virtual_addresses_only(void)
{
	hal.virt_to_phys = scattered;
	hal.phys_to_virt = gathered;
}

static void *start_of_page(void *ctx, struct axvm_hpa hpa)
{
	return real.phys_to_virt(ctx, axvm_to_hpa(hpa.value & ~(PAGE - 1)));
}

static void phys_to_virt_answers_for_the_page(void)
{
	hal.phys_to_virt = start_of_page;
}

static struct held *asked;

static struct axvm_hpa shared(void *ctx, const void *ptr)
{
	(void)ctx;
	asked = holder(ptr);
	assert_non_null(asked);
	return axvm_to_hpa(SHARED + ((uintptr_t)ptr - (uintptr_t)asked->given));
}

static void *of_last_asked(void *ctx, struct axvm_hpa hpa)
{
	(void)ctx;
	return asked->given + (hpa.value - SHARED);
}

static void every_piece_has_the_same_physical_address(void)
{
	hal.alloc = held_alloc;
	hal.free = held_free;
	hal.virt_to_phys = shared;
	hal.phys_to_virt = of_last_asked;
}

static void virt_offset_has_the_wrong_sign(void)
{
	hal.linear = true;
	hal.virt_offset = phys_offset;
}

/* ---- broken clocks ---- */

static uint64_t stepping_back(void *ctx)
{
	return ++calls % 50 == 0 ? time_ns - 5000 : good_now(ctx);
}

static void now_goes_back_at_times(void)
{
	hal.now = stepping_back;
}

static uint64_t third_is_back(void *ctx)
{
	return ++calls == 3 ? time_ns - 5000 : good_now(ctx);
}

static void now_goes_back_once(void)
{
	hal.now = third_is_back;
}

static uint64_t standing(void *ctx)
{
	(void)ctx;
	return 5 * MS;
}

static void now_stands_still(void)
{
	hal.now = standing;
}

static void now_began_when_this_cpu_did(void)
{
	how.not_before = 1000 * MS;
}

static uint64_t in_microseconds(void *ctx)
{
	return good_now(ctx) / 1000;
}

static void now_is_in_microseconds(void)
{
	hal.now = in_microseconds;
}

static void counter_hz_is_twice_as_much(void)
{
	hal.counter_hz *= 2;
}

static void counter_hz_is_three_percent_too_low(void)
{
	hal.counter_hz -= hal.counter_hz * 3 / 100;
}

static uint64_t no_counter(void)
{
	return 12345;
}

static void the_counter_stands_still(void)
{
	ops.counter = no_counter;
}

static uint64_t in_milliseconds(void *ctx)
{
	(void)ctx;
	return UINT64_C(1764000000) * 1000;
}

static void wallclock_is_in_milliseconds(void)
{
	hal.wallclock = in_milliseconds;
}

static uint64_t falling(void *ctx)
{
	(void)ctx;
	return 1764000000u - calls++;
}

static void wallclock_runs_backwards(void)
{
	hal.wallclock = falling;
}

/* ---- callbacks that do not leave interrupts alone ---- */

static void opening_log(void *ctx, enum axvm_log_level level, const char *text)
{
	uint64_t saved = ops.interrupts_save();

	real.log(ctx, level, text);
	(void)saved;
	ops.interrupts_restore(0);
}

static void log_opens_interrupts(void)
{
	hal.log = opening_log;
}

static void masking_timer(void *ctx, uint64_t ns)
{
	good_timer(ctx, ns);
	(void)ops.interrupts_save();
}

static void timer_leaves_interrupts_masked(void)
{
	hal.timer = masking_timer;
}

static void *opening_alloc(void *ctx, size_t size, size_t align)
{
	(void)ops.interrupts_save();
	ops.interrupts_restore(0);
	return real.alloc(ctx, size, align);
}

static void alloc_opens_interrupts(void)
{
	hal.alloc = opening_alloc;
}

static void opening_free(void *ctx, void *ptr, size_t size)
{
	(void)ops.interrupts_save();
	ops.interrupts_restore(0);
	real.free(ctx, ptr, size);
}

static void free_opens_interrupts(void)
{
	hal.free = opening_free;
}

/* ---- interrupts that do not come ---- */

static void lost_kick(void *ctx, uint32_t cpu)
{
	good_kick(ctx, cpu + 1);
}

static void kick_goes_to_another_cpu(void)
{
	hal.kick = lost_kick;
}

static void no_timer(void *ctx, uint64_t ns)
{
	(void)ctx;
	(void)ns;
}

static void timer_does_nothing(void)
{
	hal.timer = no_timer;
}

static void future_timer(void *ctx, uint64_t ns)
{
	(void)ctx;
	deadline = ns <= time_ns ? UINT64_MAX : ns;
}

static void timer_drops_what_is_past(void)
{
	hal.timer = future_timer;
}

static void first_timer(void *ctx, uint64_t ns)
{
	(void)ctx;
	if (deadline == UINT64_MAX || ns == UINT64_MAX)
		deadline = ns;
}

static void timer_keeps_the_first_deadline(void)
{
	hal.timer = first_timer;
}

static void late_timer(void *ctx, uint64_t ns)
{
	(void)ctx;
	deadline = ns == UINT64_MAX ? ns : ns + 150 * MS;
}

static void timer_comes_much_too_late(void)
{
	hal.timer = late_timer;
}

/* ---- all of them ---- */

#define BROKEN(how, clause)        \
	{                          \
		how, clause, #how, \
	}

static const struct broken {
	void (*make)(void);
	const char *clause;
	const char *name;
} brokens[] = {
	BROKEN(a_size_of_another_version, "struct"),
	BROKEN(no_alloc, "struct"),
	BROKEN(no_free, "struct"),
	BROKEN(no_virt_to_phys, "struct"),
	BROKEN(no_phys_to_virt, "struct"),
	BROKEN(a_counter_of_too_many_hz, "struct"),
	BROKEN(alloc_has_nothing, "alloc"),
	BROKEN(alloc_aligns_to_pages_only, "alloc-align"),
	BROKEN(physical_addresses_are_not_aligned, "alloc-align"),
	BROKEN(physical_addresses_alone_are_aligned, "alloc-align"),
	BROKEN(alloc_gives_a_piece_twice, "alloc-distinct"),
	BROKEN(alloc_gives_a_piece_whose_last_byte_is_taken, "alloc-distinct"),
	BROKEN(virt_to_phys_answers_for_the_page, "page-offset"),
	BROKEN(memory_is_contiguous_in_virtual_addresses_only, "contiguous"),
	BROKEN(virt_to_phys_is_a_page_off, "translate"),
	BROKEN(phys_to_virt_answers_for_the_page, "page-linear"),
	BROKEN(virt_offset_has_the_wrong_sign, "linear"),
	BROKEN(every_piece_has_the_same_physical_address, "phys-distinct"),
	BROKEN(alloc_keeps_its_list_in_memory_it_gave, "alloc-memory"),
	BROKEN(alloc_lowers_large_alignments_silently, "alloc-large"),
	BROKEN(free_forgets_all, "free"),
	BROKEN(free_forgets_the_part_of_a_page, "free"),
	BROKEN(free_writes_to_another_piece, "free"),
	BROKEN(free_takes_a_neighbour_along, "free"),
	BROKEN(now_goes_back_at_times, "now"),
	BROKEN(now_goes_back_once, "now"),
	BROKEN(now_stands_still, "now"),
	BROKEN(now_began_when_this_cpu_did, "now"),
	BROKEN(now_is_in_microseconds, "rate"),
	BROKEN(counter_hz_is_twice_as_much, "rate"),
	BROKEN(counter_hz_is_three_percent_too_low, "rate"),
	BROKEN(the_counter_stands_still, "rate"),
	BROKEN(wallclock_is_in_milliseconds, "wallclock"),
	BROKEN(wallclock_runs_backwards, "wallclock"),
	BROKEN(log_opens_interrupts, "interrupts"),
	BROKEN(alloc_opens_interrupts, "interrupts"),
	BROKEN(free_opens_interrupts, "interrupts"),
	BROKEN(timer_leaves_interrupts_masked, "interrupts"),
	BROKEN(kick_goes_to_another_cpu, "kick"),
	BROKEN(timer_does_nothing, "timer"),
	BROKEN(timer_drops_what_is_past, "timer"),
	BROKEN(timer_keeps_the_first_deadline, "timer"),
	BROKEN(timer_comes_much_too_late, "timer"),
};

/* Clauses before the broken one hold, that one and later ones do not. */
static void assert_checked_up_to(const char *clause)
{
	bool seen = false;

	for (unsigned c = 0; c < AXVM_CLAUSES; c++) {
		seen |= strcmp(axvm_selftest_clause_name(c), clause) == 0;
		if (seen)
			assert_int_equal(report.checked >> c & 1, 0);
	}
	assert_true(seen);
}

/* One cmocka test each, by the name of what is broken. */
static void is_caught(void **state)
{
	const struct broken *b = *state;
	int err;

	b->make();
	err = axvm_hal_selftest(&hal, &how, &report);
	assert_string_equal(report.clause, b->clause);
	assert_true(strlen(report.detail) != 0);
	assert_true(err == AXVM_EHAL ||
		    (err == AXVM_ENOMEM &&
		     (hal.alloc == no_memory || hal.alloc == counted_alloc)));
	assert_checked_up_to(b->clause);
	assert_int_equal(test_hal_live(stub_hal(m)), 0);
}

static int broken_host(void **state)
{
	memset(held, 0, sizeof(held));
	newest = NULL;
	asked = NULL;
	calls = 0;
	return good_host(state);
}

/* ---- the good one ---- */

#define ALL_CLAUSES ((UINT64_C(1) << AXVM_CLAUSES) - 1)
#define CLAUSE(name) (UINT64_C(1) << AXVM_CLAUSE_##name)

static void a_good_host_passes_every_clause(void **state)
{
	(void)state;
	hal.linear = true;
	hal.virt_offset = -phys_offset;
	test_hal_max_align(stub_hal(m), (size_t)1 << 30);
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_OK);
	assert_string_equal(report.clause, "");
	assert_string_equal(report.detail, "");
	assert_int_equal(report.checked, ALL_CLAUSES);
	assert_int_equal(test_hal_live(stub_hal(m)), 0);
	assert_int_equal(test_hal_logs(stub_hal(m), AXVM_LOG_INFO), 2);
	assert_int_equal(deadline, UINT64_MAX);
	assert_false(kicked);
}

static void it_says_how_late_interrupts_were(void **state)
{
	(void)state;
	how.patience = 200 * MS;
	hal.timer = late_timer;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_OK);
	assert_in_range(report.timer_late_ns, 149 * MS, 151 * MS);
	assert_in_range(report.kick_ns, 1, MS);
}

static void without_help_it_checks_what_it_can(void **state)
{
	const uint64_t unseen = CLAUSE(LINEAR) | CLAUSE(RATE) |
				CLAUSE(INTERRUPTS) | CLAUSE(KICK) |
				CLAUSE(TIMER);

	(void)state;
	assert_int_equal(axvm_hal_selftest(&hal, NULL, &report), AXVM_OK);
	assert_int_equal(report.checked, ALL_CLAUSES & ~unseen);
}

static void of_the_backend_alone_it_makes_what_use_it_can(void **state)
{
	const uint64_t unseen =
		CLAUSE(LINEAR) | CLAUSE(RATE) | CLAUSE(KICK) | CLAUSE(TIMER);

	(void)state;
	how = (struct axvm_selftest){.size = sizeof(how), .backend = &ops};
	hal.counter_hz = 0;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_OK);
	assert_int_equal(report.checked, ALL_CLAUSES & ~unseen);
}

static void withdrawn_callbacks_are_no_fault(void **state)
{
	const uint64_t unseen = CLAUSE(LINEAR) | CLAUSE(NOW) | CLAUSE(RATE) |
				CLAUSE(WALLCLOCK) | CLAUSE(KICK) |
				CLAUSE(TIMER);

	(void)state;
	hal.kick = NULL;
	hal.wake = NULL;
	hal.now = NULL;
	hal.timer = NULL;
	hal.wallclock = NULL;
	hal.irq_unmask = NULL;
	hal.log = NULL;
	hal.counter_hz = 0;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_OK);
	assert_int_equal(report.checked, ALL_CLAUSES & ~unseen);
}

static void a_kick_is_seen_without_a_clock(void **state)
{
	(void)state;
	hal.now = NULL;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_OK);
	assert_true((report.checked & CLAUSE(KICK)) != 0);
	hal.kick = lost_kick;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_EHAL);
	assert_string_equal(report.clause, "kick");
}

static bool always(void *ctx)
{
	(void)ctx;
	return true;
}

/* A line that stays high would make any kick look good. */
static void an_interrupt_that_stays_pending_proves_nothing(void **state)
{
	(void)state;
	how.interrupt_pending = always;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_OK);
	assert_int_equal(report.checked & (CLAUSE(KICK) | CLAUSE(TIMER)), 0);
}

static void it_runs_with_interrupts_masked_too(void **state)
{
	uint64_t saved = ops.interrupts_save();

	(void)state;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_OK);
	assert_true(stub_masked());
	assert_int_equal(report.checked, ALL_CLAUSES & ~CLAUSE(LINEAR));
	assert_int_equal(test_hal_logs(stub_hal(m), AXVM_LOG_INFO), 1);
	ops.interrupts_restore(saved);
}

static void wake_and_irq_unmask_are_called_for_what_the_host_names(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	how.free_bytes = NULL;
	vm = created();
	how.vm = vm;
	how.irq = 7;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_OK);
	assert_int_equal(test_hal_wakes(stub_hal(m), 0), 2);
	assert_int_equal(test_hal_unmasks(stub_hal(m), 7), 2);
	destroy(vm);
}

static void misuse_is_refused_and_writes_no_report(void **state)
{
	static const struct axvm_selftest_report untouched = {.found = 99};

	(void)state;
	report = untouched;
	assert_int_equal(axvm_hal_selftest(NULL, &how, &report), AXVM_EINVAL);
	assert_int_equal(axvm_hal_selftest(&hal, &how, NULL), AXVM_EINVAL);
	how.size--;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_EINVAL);
	how.size++;
	how.take_interrupts = NULL;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_EINVAL);
	how.take_interrupts = take_interrupts;
	how.interrupt_pending = NULL;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_EINVAL);
	assert_memory_equal(&report, &untouched, sizeof(report));
	assert_int_equal(test_hal_allocs(stub_hal(m)), 1); /* the fixture's */
}

/* The k-th allocation fails: one of the pieces, one that may fail, or one that
 * was to be had before. */
static unsigned fails_at(uint64_t k, const char *clause)
{
	struct test_hal *t = stub_hal(m);
	int err;

	test_hal_fail_at(t, k);
	err = axvm_hal_selftest(&hal, &how, &report);
	assert_true(test_hal_failed(t));
	assert_int_equal(test_hal_live(t), 0);
	assert_true(err == AXVM_OK || err == AXVM_ENOMEM);
	assert_int_equal(err == AXVM_OK, report.clause[0] == '\0');
	return strcmp(report.clause, clause) == 0;
}

static void running_out_of_memory_is_named_and_leaks_nothing(void **state)
{
	struct test_hal *t = stub_hal(m);
	uint64_t all = test_hal_allocs(t);
	unsigned at_alloc = 0, at_free = 0, survived = 0;

	(void)state;
	assert_int_equal(axvm_hal_selftest(&hal, &how, &report), AXVM_OK);
	all = test_hal_allocs(t) - all;
	for (uint64_t k = 1; k <= 40; k++) {
		at_alloc += fails_at(k, "alloc");
		at_free += report.clause[0] == 'f';
		survived += report.clause[0] == '\0';
		if (k <= 20)
			assert_int_equal(at_alloc, k);
	}
	assert_int_equal(at_alloc + at_free + survived, 40);
	assert_int_equal(at_alloc, 20);
	assert_int_equal(survived, 2); /* the large alignments */
	assert_true(fails_at(all - 2, "free"));
	assert_true(fails_at(all - 1, "")); /* of the masking clause */
	assert_true(fails_at(all, ""));
}

static void every_clause_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned c = 0; c < AXVM_CLAUSES; c++) {
		const char *name = axvm_selftest_clause_name(c);

		assert_non_null(name);
		for (unsigned i = 0; i < c; i++)
			assert_string_not_equal(name,
						axvm_selftest_clause_name(i));
	}
	assert_string_equal(axvm_selftest_clause_name(AXVM_CLAUSES), "unknown");
	assert_string_equal(
		axvm_selftest_clause_name((enum axvm_selftest_clause) - 1),
		"unknown");
}

/* A clause that no broken host shows could as well not be there. */
static void every_clause_has_a_host_that_breaks_it(void **state)
{
	(void)state;
	for (unsigned c = 0; c < AXVM_CLAUSES; c++) {
		const char *name = axvm_selftest_clause_name(c);
		unsigned shown = 0;

		for (size_t i = 0; i < ARRAY_SIZE(brokens); i++)
			shown += strcmp(brokens[i].clause, name) == 0;
		if (shown == 0)
			fail_msg("no host breaks %s", name);
	}
}

#define GOOD(name) cmocka_unit_test_setup_teardown(name, good_host, no_trace)

int main(void)
{
	static const struct CMUnitTest goods[] = {
		GOOD(a_good_host_passes_every_clause),
		GOOD(it_says_how_late_interrupts_were),
		GOOD(without_help_it_checks_what_it_can),
		GOOD(of_the_backend_alone_it_makes_what_use_it_can),
		GOOD(withdrawn_callbacks_are_no_fault),
		GOOD(a_kick_is_seen_without_a_clock),
		GOOD(an_interrupt_that_stays_pending_proves_nothing),
		GOOD(it_runs_with_interrupts_masked_too),
		GOOD(wake_and_irq_unmask_are_called_for_what_the_host_names),
		GOOD(misuse_is_refused_and_writes_no_report),
		GOOD(running_out_of_memory_is_named_and_leaks_nothing),
		cmocka_unit_test(every_clause_has_a_name_of_its_own),
		cmocka_unit_test(every_clause_has_a_host_that_breaks_it),
	};
	static struct CMUnitTest tests[ARRAY_SIZE(goods) + ARRAY_SIZE(brokens)];

	memcpy(tests, goods, sizeof(goods));
	for (size_t i = 0; i < ARRAY_SIZE(brokens); i++) {
		tests[ARRAY_SIZE(goods) + i] = (struct CMUnitTest){
			.name = brokens[i].name,
			.test_func = is_caught,
			.setup_func = broken_host,
			.teardown_func = no_trace,
			.initial_state = (void *)(uintptr_t)&brokens[i],
		};
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
