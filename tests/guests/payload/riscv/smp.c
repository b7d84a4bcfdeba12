/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * State across vCPU switches and migration, and what harts do to each other.
 * Meant to run with more vCPUs than harts below, where every busy loop is
 * interrupted many times. With one hart the first half still runs.
 */
#include "insn.h"
#include "payload.h"

#define ROUNDS 8u
#define SPIN_MS 40u
#define SHARED_VA (TEST_VA + 0x1000)

/* switch.S: load the state, spin until `end` by rdtime, store it. */
void spin_float(const uint64_t in[33], uint64_t out[33], uint64_t end);
void spin_vector(const uint8_t *in, uint8_t *out, uint64_t end, uint64_t *csrs);

static uint64_t pattern(const struct cpu *h, uint32_t i)
{
	return (h->id + 1) * 0x0123456789abcdefull ^ i * 0x9e3779b97f4a7c15ull;
}

/* ---- State of one hart ---- */

static bool float_survives(struct cpu *h, uint64_t end)
{
	uint64_t in[33], out[33];

	for (uint32_t i = 0; i < 32; i++)
		in[i] = pattern(h, i);
	in[32] = h->id % 5 << 5 | (h->id + 3) % 32; /* fcsr: frm, fflags */
	spin_float(in, out, end);
	return memcmp(in, out, sizeof(in)) == 0;
}

/* Every integer register, in a loop that touches but one of them. */
static bool integer_survives(struct cpu *h)
{
	struct frame f;
	const struct frame *after;
	bool ok;

	for (uint32_t i = 1; i < 32; i++)
		f.x[i] = pattern(h, i + 64);
	f.x[5] = 3000000;
	h->code[0] = 0xfff28293; /* addi t0, t0, -1 */
	h->code[1] = 0xfe029ee3; /* bnez t0, -4 */
	h->code[2] = INSN_EBREAK;
	fence_i();
	f.epc = (uint64_t)h->code;
	after = run(&f, false);
	ok = after->cause == CAUSE_BREAKPOINT &&
	     after->epc == (uint64_t)&h->code[2] && after->x[5] == 0;
	for (uint32_t i = 1; i < 32; i++)
		ok = ok && (i == 5 || after->x[i] == f.x[i]);
	return ok;
}

static bool csrs_survive(struct cpu *h, uint64_t end)
{
	uint64_t epc = pattern(h, 100) & ~1ull;
	uint64_t tval = pattern(h, 101);
	uint64_t cause = h->id + 2;
	uint64_t counters = h->id % 8;
	bool ok;

	csr_write(sepc, epc);
	csr_write(stval, tval);
	csr_write(scause, cause);
	csr_write(scounteren, counters);
	csr_write(sie, h->id % 2 != 0 ? IRQ_SOFT : IRQ_EXT);
	while (now() < end)
		;
	ok = csr_read(sepc) == epc && csr_read(stval) == tval &&
	     csr_read(scause) == cause && csr_read(scounteren) == counters &&
	     csr_read(sscratch) == (uint64_t)h &&
	     csr_read(sie) == (h->id % 2 != 0 ? IRQ_SOFT : IRQ_EXT);
	csr_write(sie, 0);
	csr_write(scounteren, 7);
	return ok;
}

static uint8_t vectors[MAX_CPUS][2][32 * 256] __attribute__((aligned(16)));

static bool vector_survives(struct cpu *h, uint64_t end)
{
	uint8_t *in = vectors[h - cpus][0];
	uint8_t *out = vectors[h - cpus][1];
	uint64_t csrs[5]; /* vlenb, vl and vtype before, the same after */
	bool ok;

	for (uint32_t i = 0; i < 32 * 256; i++)
		in[i] = (uint8_t)(pattern(h, i / 8) >> i % 8 * 8);
	csr_set(sstatus, SSTATUS_VS);
	spin_vector(in, out, end, csrs);
	csr_clear(sstatus, SSTATUS_VS);
	ok = csrs[0] != 0 && csrs[1] == csrs[3] && csrs[2] == csrs[4];
	for (uint64_t i = 0; i < 32 * csrs[0] && i < 32 * 256; i++)
		ok = ok && in[i] == out[i];
	return ok;
}

/* result: one bit per kind of state that was lost. */
static void keep_state(struct cpu *h)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t end = now() + ms_to_ticks(SPIN_MS);

		if (!float_survives(h, end))
			h->result |= 1;
		if (!integer_survives(h))
			h->result |= 2;
		end = now() + ms_to_ticks(SPIN_MS);
		if (!csrs_survive(h, end))
			h->result |= 4;
		end = now() + ms_to_ticks(SPIN_MS);
		if (isa_has("v") && !vector_survives(h, end))
			h->result |= 8;
	}
}

static void state(void)
{
	uint64_t lost = 0;

	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, keep_state, 0);
	self()->result = 0;
	keep_state(self());
	lost = self()->result;
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		check(cpu_join(slot, 20000), "hart %lu kept its registers busy",
		      machine.hart_id[slot]);
		lost |= cpus[slot].result;
	}
	check((lost & 1) == 0, "floating point survives on every hart");
	check((lost & 2) == 0, "integer registers survive on every hart");
	check((lost & 4) == 0, "supervisor CSRs survive on every hart");
	if (isa_has("v"))
		check((lost & 8) == 0, "vector state survives on every hart");
	else
		skip("no V on this CPU", "vector state survives");
}

/* ---- Between harts ---- */

static uint32_t total;
static uint64_t total64;
static uint32_t by_reservation;

#define ADDS 20000u

static void add(struct cpu *h)
{
	for (uint32_t i = 0; i < ADDS; i++) {
		uint32_t old;

		__atomic_fetch_add(&total, 1u, __ATOMIC_RELAXED);
		__atomic_fetch_add(&total64, 1ull << 33, __ATOMIC_RELAXED);
		do {
			old = __atomic_load_n(&by_reservation,
					      __ATOMIC_RELAXED);
		} while (!__atomic_compare_exchange_n(
			&by_reservation, &old, old + 1, true, __ATOMIC_RELAXED,
			__ATOMIC_RELAXED));
	}
	h->result = 1;
}

static void atomics(void)
{
	uint64_t n = machine.cpu_count;

	for (uint32_t slot = 1; slot < n; slot++)
		(void)cpu_start(slot, add, 0);
	add(self());
	for (uint32_t slot = 1; slot < n; slot++)
		(void)cpu_join(slot, 20000);
	check_eq(total, n * ADDS, "amoadd.w loses nothing");
	check_eq(total64, n * ADDS << 33, "amoadd.d loses nothing");
	check_eq(by_reservation, n * ADDS, "lr/sc loses nothing");
}

static volatile bool stop_all;
static volatile uint64_t ping, pong;

static void answer_ipis(struct cpu *h)
{
	h->soft_irqs = 0;
	csr_set(sie, IRQ_SOFT);
	csr_set(sstatus, SSTATUS_SIE);
	h->result = 1;
	while (!stop_all) {
		uint64_t seen = pong;

		/* Awake or asleep by turns. */
		if (seen % 2 == 0 && h->soft_irqs == h->job_arg)
			__asm__ volatile("wfi");
		if (h->soft_irqs != h->job_arg) {
			h->job_arg = h->soft_irqs;
			pong = seen + 1;
			(void)sbi(SBI_IPI, 0, 1, machine.hart_id[0]);
		}
	}
	csr_clear(sstatus, SSTATUS_SIE);
}

static void ping_pong(uint32_t slot)
{
	struct cpu *me = self();
	uint64_t start;
	uint32_t i;

	stop_all = false;
	pong = 0;
	(void)cpu_start(slot, answer_ipis, 0);
	(void)wait_for(cpus[slot].result == 1, 2000);
	csr_set(sie, IRQ_SOFT);
	csr_set(sstatus, SSTATUS_SIE);
	start = now();
	for (i = 0; i < 100; i++) {
		uint64_t mine = me->soft_irqs;

		(void)sbi(SBI_IPI, 0, 1, machine.hart_id[slot]);
		if (!wait_for(pong == i + 1 && me->soft_irqs != mine, 3000))
			break;
	}
	note("%lu ticks a round trip", (now() - start) / 100);
	stop_all = true;
	(void)sbi(SBI_IPI, 0, 1, machine.hart_id[slot]);
	check_eq(i, 100, "hart %lu answers 100 IPIs", machine.hart_id[slot]);
	check(cpu_join(slot, 5000), "and stops");
	csr_clear(sstatus, SSTATUS_SIE);
	csr_clear(sie, IRQ_SOFT);
}

static void wait_for_ipi(struct cpu *h)
{
	h->soft_irqs = 0;
	csr_set(sie, IRQ_SOFT);
	csr_set(sstatus, SSTATUS_SIE);
	__atomic_fetch_add(&ping, 1ull, __ATOMIC_SEQ_CST);
	(void)wait_for(h->soft_irqs != 0, 5000);
	csr_clear(sstatus, SSTATUS_SIE);
	h->result = h->soft_irqs;
}

static void broadcast(void)
{
	uint32_t n = machine.cpu_count;

	ping = 1;
	csr_clear(sip, IRQ_SOFT);
	for (uint32_t slot = 1; slot < n; slot++)
		(void)cpu_start(slot, wait_for_ipi, 0);
	(void)wait_for(ping == n, 3000);
	check_eq(sbi(SBI_IPI, 0, 0, ~0ull).error, SBI_OK, "IPI to all harts");
	for (uint32_t slot = 1; slot < n; slot++) {
		(void)cpu_join(slot, 10000);
		check_eq(cpus[slot].result, 1, "hart %lu got it once",
			 machine.hart_id[slot]);
	}
	check((csr_read(sip) & IRQ_SOFT) != 0, "so did the sender");
	csr_clear(sip, IRQ_SOFT);
}

/* ---- Remote fences ---- */

static uint8_t frames[2][PAGE] __attribute__((aligned(4096)));
static uint32_t routine[2] __attribute__((aligned(64)));
static volatile uint64_t go, stale;
static volatile uint64_t arrived;

/* Reads the shared page all the time; after each `go` it must be new. */
static void watch_page(struct cpu *h)
{
	uint64_t last = 0;

	paging_on();
	while (last != ROUNDS * 8) {
		uint64_t turn = go;
		uint64_t seen = *(volatile uint64_t *)SHARED_VA;

		if (turn == last)
			continue;
		if (seen != turn % 2)
			__atomic_fetch_add(&stale, 1ull, __ATOMIC_RELAXED);
		last = turn;
		__atomic_fetch_add(&arrived, 1ull, __ATOMIC_SEQ_CST);
	}
	paging_off();
	h->result = 1;
}

static void remote_sfence(void)
{
	uint32_t n = machine.cpu_count;
	bool all = true;

	*(volatile uint64_t *)frames[0] = 0;
	*(volatile uint64_t *)frames[1] = 1;
	go = stale = 0;
	paging_reset();
	paging_map(SHARED_VA, (uint64_t)frames[0], PTE_RW);
	for (uint32_t slot = 1; slot < n; slot++)
		(void)cpu_start(slot, watch_page, 0);
	for (uint64_t turn = 1; turn <= ROUNDS * 8; turn++) {
		uint64_t size = turn % 3 == 0 ? ~0ull : PAGE;

		arrived = 0;
		delay_ms(1);
		*paging_entry(SHARED_VA) =
			make_pte((uint64_t)frames[turn % 2], PTE_RW);
		__asm__ volatile("fence" ::: "memory");
		if (turn % 2 != 0)
			(void)sbi(SBI_RFENCE, 1, 0, ~0ull, SHARED_VA, size);
		else
			(void)sbi(SBI_RFENCE, 2, 0, ~0ull, SHARED_VA, size, 0);
		go = turn;
		all = wait_for(arrived == n - 1, 20000) && all;
	}
	for (uint32_t slot = 1; slot < n; slot++)
		all = cpu_join(slot, 20000) && all;
	check(all, "every hart followed every remap");
	check_eq(stale, 0, "no stale translation after remote sfence.vma");
}

/*
 * Calls a routine whose code changes; after each `go` it must be new. Not
 * while it changes: that is a race by itself (QEMU 7.2 loses it).
 */
static void watch_code(struct cpu *h)
{
	uint64_t (*call)(void) = (uint64_t(*)(void))(uint64_t)routine;
	uint64_t last = 0;

	while (last != ROUNDS * 8) {
		uint64_t turn = go;

		if (turn == last)
			continue;
		if (call() != turn)
			__atomic_fetch_add(&stale, 1ull, __ATOMIC_RELAXED);
		last = turn;
		__atomic_fetch_add(&arrived, 1ull, __ATOMIC_SEQ_CST);
	}
	h->result = 1;
}

static void remote_fence_i(void)
{
	volatile uint32_t *code = routine;
	uint32_t n = machine.cpu_count;
	bool all = true;

	code[0] = insn_i(0x13, 0, 10, 0, 0); /* li a0, 0 */
	code[1] = INSN_RET;
	fence_i();
	go = stale = 0;
	for (uint32_t slot = 1; slot < n; slot++)
		(void)cpu_start(slot, watch_code, 0);
	for (uint64_t turn = 1; turn <= ROUNDS * 8; turn++) {
		arrived = 0;
		delay_ms(1);
		code[0] = insn_i(0x13, 0, 10, 0, (int32_t)turn);
		__asm__ volatile("fence" ::: "memory");
		(void)sbi(SBI_RFENCE, 0, 0, ~0ull);
		go = turn;
		all = wait_for(arrived == n - 1, 20000) && all;
	}
	for (uint32_t slot = 1; slot < n; slot++)
		all = cpu_join(slot, 20000) && all;
	check(all, "every hart followed every code change");
	check_eq(stale, 0, "no stale code after remote fence.i");
}

/* ---- Stop, start, suspend ---- */

static void add_one(struct cpu *h)
{
	h->result = h->job_arg + 1;
}

static void restart(void)
{
	uint32_t good = 0;

	for (uint32_t i = 0; i < 20; i++) {
		uint32_t slot = 1 + i % (machine.cpu_count - 1);

		if (cpu_start(slot, add_one, i * 7) && cpu_join(slot, 3000) &&
		    cpus[slot].result == i * 7 + 1 &&
		    cpus[slot].entry_a0 == machine.hart_id[slot] &&
		    cpus[slot].entry_satp == 0)
			good++;
	}
	check_eq(good, 20, "stop and start again, twenty times");
}

static void sleep_until_ipi(struct cpu *h)
{
	csr_set(sie, IRQ_SOFT);
	h->result = 1;
	(void)sbi(SBI_HSM, 3, 0);
	h->result = (csr_read(sip) & IRQ_SOFT) != 0 ? 2 : 3;
	csr_clear(sip, IRQ_SOFT);
}

static void suspend(uint32_t slot)
{
	uint64_t id = machine.hart_id[slot];
	bool asleep;

	(void)cpu_start(slot, sleep_until_ipi, 0);
	(void)wait_for(cpus[slot].result == 1, 2000);
	asleep = wait_for(sbi(SBI_HSM, 2, id).value == 4, 2000);
	check(asleep, "hart %lu is SUSPENDED", id);
	delay_ms(5);
	check_eq(cpus[slot].result, 1, "and stays so");
	check(sbi(SBI_HSM, 0, id, (uint64_t)secondary_entry, 0).error != SBI_OK,
	      "it cannot be started");
	(void)sbi(SBI_IPI, 0, 1, id);
	check(cpu_join(slot, 3000), "an IPI wakes it");
	check_eq(cpus[slot].result, 2, "with the IPI pending");
}

/* One that never yields must not starve the others, nor be starved. */
static volatile uint64_t turns[MAX_CPUS];

static void count_turns(struct cpu *h)
{
	while (!stop_all)
		turns[h - cpus]++;
}

static void fairness(void)
{
	uint64_t low = ~0ull, high = 0;

	stop_all = false;
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, count_turns, 0);
	delay_ms(1000);
	stop_all = true;
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		(void)cpu_join(slot, 5000);
		low = turns[slot] < low ? turns[slot] : low;
		high = turns[slot] > high ? turns[slot] : high;
	}
	note("turns from %lu to %lu", low, high);
	check(low > 0 && low * 20 >= high, "no hart starves");
}

void suite(void)
{
	state();
	if (machine.cpu_count < 2) {
		skip("one hart", "what harts do to each other");
		return;
	}
	atomics();
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		ping_pong(slot);
	broadcast();
	remote_sfence();
	remote_fence_i();
	restart();
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		suspend(slot);
	fairness();
}
