/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Channels to another VM that runs the same suite: the family's calls, data
 * both ways, doorbells by hypercall and by register, closing and publishing
 * again. Each VM publishes one channel and subscribes to the other's; which of
 * the two it is, it reads at the start of its own.
 */
#include "ivc.h"

#define PUBLISH 3u
#define SUBSCRIBE 4u
#define UNPUBLISH 5u
#define UNSUBSCRIBE 6u
#define CAPABILITIES 0x100u
#define POOL 0x101u
#define NOTIFY 0x104u
#define STATE 0x105u
#define BALLOON 0x110u
#define HAS_IVC 1u
#define HAS_DOORBELLS 2u
#define HAS_BALLOON 4u
#define CLOSED 2u
#define FAILED ~0ull
#define NOT_SUPPORTED ((uint64_t)-2)

#define KEY 0x6b6579ull
#define SIZE 6000u /* two pages when rounded */
#define ROUNDS 200u
#define PATIENCE 30000u /* ms; the other VM may start late */

/* Registers of the doorbell page. */
#define BELL_MAGIC 0x000u
#define BELL_PENDING 0x010u
#define BELL_ACK 0x014u
#define BELL_SLOT(n) (0x800u + 0x40u * (n))
#define BELL_PUBLISHER 0x00u
#define BELL_STATE 0x20u
#define BELL_NOTIFY 0x30u

struct channel {
	uint64_t publisher;
	uint64_t key;
	uint64_t stage; /* how far its owner has come */
	uint64_t ping;
	uint64_t data[(2 * PAGE - 32) / 8];
};

struct state {
	uint64_t gpa, size;
	uint32_t flags, generation, peers, line;
} __attribute__((aligned(32)));

#define LARGE (5u << 20)

static uint64_t out_gpa, out_size;
static uint64_t pool_size;
static struct state state;
static volatile struct channel *mine, *theirs;
static uint64_t me, peer;
static volatile uint64_t rings;
static volatile uint32_t last_claim, last_pending;

/* Missing arguments are 0. */
#define ivc(number, ...) ivc_call(number, (const uint64_t[6]){__VA_ARGS__})

static uint64_t publish(uint64_t size)
{
	out_gpa = 1;
	out_size = size;
	return ivc(PUBLISH, KEY, (uint64_t)&out_gpa, (uint64_t)&out_size);
}

static uint64_t subscribe(void)
{
	out_gpa = 1;
	out_size = 1;
	return ivc(SUBSCRIBE, peer, KEY, (uint64_t)&out_gpa,
		   (uint64_t)&out_size);
}

/* As soon as the other one has published. */
static bool subscribe_soon(void)
{
	bool done = false;

	(void)wait_for(done || (done = subscribe() == 0), PATIENCE);
	return done;
}

static uint64_t read_state(uint64_t publisher)
{
	return ivc(STATE, publisher, KEY, (uint64_t)&state);
}

/* ---- the calls ---- */

static void capabilities(void)
{
	uint64_t has = ivc(CAPABILITIES, 0);

	check_eq(has & 3, HAS_IVC | HAS_DOORBELLS, "there is a pool");
	check_eq(ivc(POOL, (uint64_t)&out_gpa, (uint64_t)&out_size), 0,
		 "its place is told");
	check_eq(out_gpa, machine.ivc_base, "as in the device tree");
	pool_size = out_size;
	check_eq(ivc(0x1ff, 0), NOT_SUPPORTED, "unknown calls are told apart");
	check_eq(ivc(0, 0), FAILED, "call 0 fails");
	check_eq(ivc(0x200, 0), FAILED, "a call for the host fails");
}

static void refused(void)
{
	out_size = SIZE;
	check_eq(ivc(PUBLISH, KEY, (uint64_t)&out_gpa + 4, (uint64_t)&out_size),
		 FAILED, "an unaligned pointer is refused");
	check_eq(ivc(PUBLISH, KEY, HOLE, (uint64_t)&out_size), FAILED,
		 "a pointer into nothing is refused");
	check_eq(ivc(PUBLISH, KEY, (uint64_t)&out_gpa, ~7ull), FAILED,
		 "a pointer at the end of everything is refused");
	check_eq(publish(0), FAILED, "size 0 is refused");
	check_eq(publish(1ull << 40), FAILED, "too much is refused");
	check_eq(out_gpa, 1, "nothing is written then");
	check_eq(ivc(UNPUBLISH, KEY), FAILED, "nothing was published");
}

static void published(void)
{
	bool zero = true;

	check_eq(publish(SIZE), 0, "publish");
	check_eq(out_size, 2 * PAGE, "the size is rounded up");
	mine = (volatile struct channel *)out_gpa;
	me = mine->publisher;
	peer = 3 - me;
	check(me == 1 || me == 2, "the channel tells who we are");
	check_eq(mine->key, KEY, "and the key");
	for (uint32_t i = 0; i < sizeof(mine->data) / 8; i++)
		zero = zero && mine->data[i] == 0;
	check(zero && mine->stage == 0, "the memory is zero");
	check_eq(publish(SIZE), FAILED, "the name is taken now");
	check_eq(read32(machine.ivc_base + BELL_MAGIC), 0x43564941,
		 "the doorbell page is there");
	check_eq(read32(machine.ivc_base + BELL_SLOT(0) + BELL_PUBLISHER), me,
		 "and shows the channel");
}

/* Both have come to `stage`. */
static bool meet(uint64_t stage)
{
	mine->stage = stage;
	return wait_for(theirs->stage >= stage, PATIENCE);
}

static uint64_t pattern(uint64_t id, uint32_t i)
{
	return id * 0x0123456789abcdefull ^ i * 0x9e3779b97f4a7c15ull;
}

static bool subscribed(void)
{
	bool same = true;

	for (uint32_t i = 0; i < sizeof(mine->data) / 8; i++)
		mine->data[i] = pattern(me, i);
	if (!check(subscribe_soon(), "subscribe"))
		return false;
	check_eq(out_size, 2 * PAGE, "the size is the publisher's");
	theirs = (volatile struct channel *)out_gpa;
	check_eq(theirs->publisher, peer, "the channel is the other's");
	check_eq(subscribe(), FAILED, "a second time is refused");
	if (!check(meet(1), "the other one came too"))
		return false;
	for (uint32_t i = 0; i < sizeof(mine->data) / 8; i++)
		same = same && theirs->data[i] == pattern(peer, i);
	check(same, "its data are here");
	check_eq(read_state(me), 0, "the state is told");
	check_eq(state.peers, 1, "one peer");
	check_eq(state.gpa, (uint64_t)mine, "the place");
	return true;
}

/* ---- doorbells ---- */

static void on_ring(uint32_t source)
{
	uint32_t pending = read32(machine.ivc_base + BELL_PENDING);

	write32(machine.ivc_base + BELL_ACK, pending);
	last_claim = source;
	last_pending = pending;
	rings++;
}

/* Asleep until the bell rang more often than `before`. */
static bool wait_for_ring(uint64_t before)
{
	uint64_t end = now() + ms_to_ticks(PATIENCE);

	while (rings == before && now() < end)
		ivc_sleep(end);
	return rings != before;
}

/* One's own channel is in slot 0, the other's in slot 1. */
static void ring(uint32_t round)
{
	if (round % 2 == 0)
		write32(machine.ivc_base + BELL_SLOT(round / 2 % 2) +
				BELL_NOTIFY,
			1);
	else
		(void)ivc(NOTIFY, round / 2 % 2 == 0 ? me : peer, KEY);
}

static void doorbells(void)
{
	uint32_t good = 0;

	ivc_listen(on_ring);
	check(meet(2), "both listen");
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		uint64_t before = rings;

		/* VM 1 begins; the other one answers. */
		if (me == 1) {
			mine->ping = i;
			ring(i);
		}
		if (!wait_for_ring(before))
			break;
		good += theirs->ping == i && last_pending != 0 &&
			last_claim == machine.ivc_irq;
		if (me == 2) {
			mine->ping = i;
			ring(i);
		}
	}
	ivc_listen(NULL);
	check_eq(good, ROUNDS, "every ring came, with its data");
	note("%lu rings", rings);
	check(read32(machine.ivc_base + BELL_PENDING) == 0, "none is left");
}

/* ---- the end of a channel ---- */

static void leave_and_return(void)
{
	check_eq(ivc(UNPUBLISH, KEY), 0, "unpublish");
	check_eq(ivc(UNPUBLISH, KEY), FAILED, "a second time is refused");
	check_eq(publish(PAGE), 0, "publish again");
	mine = (volatile struct channel *)out_gpa;
	check_eq(mine->data[0], 0, "with new memory");
	mine->data[0] = 77;
	mine->stage = 5;
}

static void watch_it_go(void)
{
	bool same = true;

	check(wait_for(read_state(peer) == 0 && (state.flags & CLOSED) != 0,
		       PATIENCE),
	      "the channel is closed");
	for (uint32_t i = 0; i < sizeof(mine->data) / 8; i++)
		same = same && theirs->data[i] == pattern(peer, i);
	check(same, "its memory is still here");
	check_eq(subscribe(), FAILED, "the old one must be left first");
	check_eq(ivc(UNSUBSCRIBE, peer, KEY), 0, "unsubscribe");
	check_eq(ivc(UNSUBSCRIBE, peer, KEY), FAILED,
		 "a second time is refused");
	check(subscribe_soon(), "there is a new one");
	check_eq(out_size, PAGE, "of another size");
	theirs = (volatile struct channel *)out_gpa;
	check(wait_for(theirs->stage == 5, PATIENCE), "its owner is there");
	check_eq(theirs->data[0], 77, "and its data");
}

static void balloon(void)
{
	volatile uint64_t *word =
		(volatile uint64_t *)(machine.ram_base + machine.ram_size / 2);

	if ((ivc(CAPABILITIES, 0) & HAS_BALLOON) == 0) {
		check((int64_t)ivc(BALLOON, (uint64_t)word, 1) < 0,
		      "there is no balloon");
		return;
	}
	word[0] = 1;
	word[600 * PAGE / 8] = 2;
	check_eq(ivc(BALLOON, (uint64_t)word, 601), 512,
		 "the balloon takes its bound");
	check_eq(word[0], 0, "what was given back is zero");
	check_eq(word[600 * PAGE / 8], 2, "what is behind is not");
	check_eq(ivc(BALLOON, (uint64_t)word + 512 * PAGE, 89), 89,
		 "then the rest");
	check_eq(word[600 * PAGE / 8], 0, "which is zero as well");
}

/* Made in steps, of which a guest sees nothing. */
static void large_channel(void)
{
	volatile uint64_t *word;
	bool zero = true;

	if (pool_size < 2 * LARGE) {
		skip("the pool is small", "a large channel");
		return;
	}
	out_size = LARGE;
	check_eq(ivc(PUBLISH, KEY + 1, (uint64_t)&out_gpa, (uint64_t)&out_size),
		 0, "a large channel");
	check_eq(out_size, LARGE, "has its size");
	word = (volatile uint64_t *)out_gpa;
	for (uint32_t i = 2; i < LARGE / 8; i++)
		zero = zero && word[i] == 0;
	check(zero, "and is zero");
	word[LARGE / 8 - 1] = 1;
	check_eq(ivc(UNPUBLISH, KEY + 1), 0, "and can be taken back");
}

void suite(void)
{
	if (!check(machine.ivc_base != 0 && machine.ivc_irq != 0,
		   "the device tree has a pool"))
		return;
	capabilities();
	refused();
	published();
	if (!subscribed())
		return;
	doorbells();
	check(meet(3), "both are through");
	if (me == 2)
		leave_and_return();
	else
		watch_it_go();
	balloon();
	large_channel();
}
