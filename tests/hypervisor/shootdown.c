/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Option "shootdown N": takes a page of a running guest away N times and looks
 * whether the guest still gets at it. CPU 0 does so and runs no guest meanwhile.
 * The guest is the payload `shoot`, which knows the page and its words.
 */
#include "host.h"

/* Where the page is in the first region, and what its words mean. */
#define PAGE_OFFSET (32ull << 20)
#define WORD_GENERATION 0 /* the host's: goes up with every frame */
#define WORD_READY 1 /* the guest's: begin */
#define WORD_COUNTER 2 /* and up: the guest's, one per hart */
#define COUNTERS 4
#define READY 0x72656164790a0000ull
#define OVER UINT64_MAX
#define POISON 0xdeadf4a3e0000000ull

#define PEEK_NS 50000ull /* how long a frame is watched */
#define PATIENCE_NS 20000000000ull

static struct axvm_vm *victim;
static struct axvm_gpa page;
static volatile uint64_t *frames[2]; /* the guest's own, and ours */
static uint32_t mapped; /* which of the two */
static uint32_t round, rounds;
static uint64_t generation;

void shootdown_add(struct axvm_vm *vm)
{
	rounds = option("shootdown", 0);
	if (rounds == 0 || victim != NULL)
		return;
	victim = vm;
	page = axvm_to_gpa(axvm_vm_get_config(vm)->regions[0].gpa.value +
			   PAGE_OFFSET);
}

/* The guest finds its page gone, or read-only, for the moment. */
bool shootdown_fault(struct axvm_vm *vm, const struct axvm_exit *exit)
{
	if (vm != victim || exit->reason != AXVM_EXIT_FAULT ||
	    exit->gpa - page.value >= PAGE_SIZE)
		return false;
	MUST(axvm_vcpu_complete(vm, exit->vcpu, exit->seq, AXVM_COMPLETE_RETRY,
				0));
	return true;
}

static void watch(uint64_t ns)
{
	for (uint64_t end = board_now() + ns; board_now() < end;)
		;
}

static void *virt(struct axvm_hpa hpa)
{
	return (void *)(uintptr_t)hpa.value; /* mapped one to one */
}

static struct axvm_hpa phys(volatile uint64_t *frame)
{
	return axvm_to_hpa((uintptr_t)frame);
}

/* A frame as the guest is to find it next. */
static volatile uint64_t *prepare(uint64_t stamp)
{
	volatile uint64_t *next = frames[!mapped];

	for (uint32_t i = 0; i < COUNTERS; i++)
		next[WORD_COUNTER + i] = 0;
	next[WORD_READY] = READY;
	next[WORD_GENERATION] = stamp;
	return next;
}

/* The frame is ours: nothing the guest does can show in it. */
static void check_untouched(volatile uint64_t *frame)
{
	for (uint32_t i = 0; i < WORD_COUNTER + COUNTERS; i++)
		frame[i] = POISON;
	watch(PEEK_NS);
	for (uint32_t i = 0; i < WORD_COUNTER + COUNTERS; i++) {
		if (frame[i] != POISON)
			panic("shootdown: round %u: the guest wrote to a frame "
			      "that was taken away",
			      round);
	}
}

/* Every frame is seen by the guest before it goes. */
static void wait_until_used(volatile uint64_t *frame)
{
	uint64_t end = board_now() + PATIENCE_NS;
	uint64_t sum;

	do {
		sum = 0;
		for (uint32_t i = 0; i < COUNTERS; i++)
			sum |= frame[WORD_COUNTER + i];
		board_take_irqs();
	} while (sum == 0 && board_now() < end);
	if (sum == 0)
		panic("shootdown: round %u: the guest does not get on", round);
}

/* Unmap and map; the frame is looked at while the page is gone. */
static void swap_apart(uint64_t stamp)
{
	MUST(axvm_unmap(victim, page, PAGE_SIZE));
	check_untouched(frames[mapped]);
	MUST(axvm_map(victim, page, phys(prepare(stamp)), PAGE_SIZE, AXVM_RW));
}

/* The same in a batch of two edits, which owes one flush, at its end. The map is
 * none of it: its sync of instruction caches would flush as well. */
static void swap_in_batch(uint64_t stamp)
{
	MUST(axvm_mem_begin(victim));
	MUST(axvm_protect(victim, page, PAGE_SIZE, AXVM_READ));
	MUST(axvm_unmap(victim, page, PAGE_SIZE));
	MUST(axvm_mem_commit(victim));
	check_untouched(frames[mapped]);
	MUST(axvm_map(victim, page, phys(prepare(stamp)), PAGE_SIZE, AXVM_RW));
}

static void swap(void (*how)(uint64_t stamp))
{
	how(++generation);
	mapped = !mapped;
	wait_until_used(frames[mapped]);
}

/* The page can be read, but what is in it stays. */
static void protect(void)
{
	volatile uint64_t *frame = frames[mapped];
	uint64_t before[COUNTERS];

	MUST(axvm_protect(victim, page, PAGE_SIZE, AXVM_READ));
	for (uint32_t i = 0; i < COUNTERS; i++)
		before[i] = frame[WORD_COUNTER + i];
	watch(PEEK_NS);
	for (uint32_t i = 0; i < COUNTERS; i++) {
		if (frame[WORD_COUNTER + i] != before[i])
			panic("shootdown: round %u: the guest wrote to a page "
			      "that is read-only",
			      round);
	}
	MUST(axvm_protect(victim, page, PAGE_SIZE, AXVM_RW));
}

/* True when the guest has said so and the frames are known. */
static bool begin(void)
{
	struct axvm_mapping mapping;
	uint64_t word = 0;

	if (axvm_read_guest(victim,
			    axvm_to_gpa(page.value + WORD_READY * sizeof(word)),
			    &word, sizeof(word)) != AXVM_OK ||
	    word != READY)
		return false;
	MUST(axvm_query(victim, page, &mapping));
	frames[0] = virt(mapping.hpa);
	frames[1] = heap_alloc(NULL, PAGE_SIZE, PAGE_SIZE);
	if (frames[1] == NULL)
		panic("shootdown: no page left");
	return true;
}

static void end(void)
{
	if (mapped != 0)
		swap(swap_apart);
	frames[0][WORD_GENERATION] = OVER;
	heap_free(NULL, (void *)(uintptr_t)frames[1], PAGE_SIZE);
	print("host: a page was taken away %u times\n", rounds);
	victim = NULL;
}

bool shootdown_round(void)
{
	if (victim == NULL || (frames[0] == NULL && !begin()))
		return false;
	if (round == rounds) {
		end();
		return false;
	}
	switch (round++ % 3) {
	case 0:
		swap(swap_apart);
		break;
	case 1:
		swap(swap_in_batch);
		break;
	default:
		protect();
		break;
	}
	return true;
}
