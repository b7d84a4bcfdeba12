/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Every class of exception must arrive in this S-mode as on bare hardware
 * without a hypervisor extension: virtual-instruction exceptions as illegal
 * instructions, guest page faults as access faults or as a hole's all ones.
 */
#include "insn.h"
#include "payload.h"

static uint8_t pages[2 * PAGE] __attribute__((aligned(4096)));
static uint64_t data[4] __attribute__((aligned(64)));

/* Result of one load, with the exception it gave (or BREAKPOINT). */
static const struct frame *load(uint32_t f3, uint64_t at)
{
	static struct frame f;

	frame_fill(&f);
	f.x[8] = at;
	return exec(insn_i(OP_LOAD, f3, 9, 8, 0), &f);
}

static const struct frame *store(uint32_t f3, uint64_t at)
{
	static struct frame f;

	frame_fill(&f);
	f.x[8] = at;
	return exec(insn_s(OP_STORE, f3, 8, 9, 0), &f);
}

static void fault_is(const struct frame *f, uint64_t cause, uint64_t tval,
		     const char *name)
{
	bool ok = f->cause == cause && f->tval == tval;

	check(ok, "%s", name);
	if (!ok)
		note("cause %lu expected %lu, tval 0x%lx expected 0x%lx",
		     f->cause, cause, f->tval, tval);
}

/* Illegal instruction, stval the instruction or 0, pc on it. */
static bool illegal(uint32_t insn, bool user)
{
	struct frame f;
	const struct frame *after;
	uint64_t pc = user ? TEST_VA : (uint64_t)pages;

	frame_fill(&f);
	f.x[8] = (uint64_t)data;
	after = exec_at(pages, pc, insn, &f, user);
	if (after->cause == CAUSE_ILLEGAL && after->epc == pc &&
	    (after->tval == 0 || after->tval == insn))
		return true;
	note("0x%x: cause %lu tval 0x%lx", insn, after->cause, after->tval);
	return false;
}

static void memory_faults(void)
{
	uint64_t end = machine.ram_base + machine.ram_size;
	const struct frame *f;

	f = jump_to(HOLE);
	fault_is(f, CAUSE_FETCH_ACCESS, HOLE, "fetch from a hole");
	check_eq(f->epc, HOLE, "sepc is there");
	fault_is(jump_to(HOLE + 0xffe), CAUSE_FETCH_ACCESS, HOLE + 0xffe,
		 "fetch at the end of a page of a hole");
	fault_is(jump_to(end), CAUSE_FETCH_ACCESS, end,
		 "fetch behind the end of memory");
	fault_is(jump_to(0), CAUSE_FETCH_ACCESS, 0, "fetch from 0");
	fault_is(jump_to(UART(0)), CAUSE_FETCH_ACCESS, UART(0),
		 "fetch from the UART");
	fault_is(jump_to(1ull << 50), CAUSE_FETCH_ACCESS, 1ull << 50,
		 "fetch from above every physical address");
	check_eq(load(3, HOLE)->x[9], ~0ull, "load from a hole is all ones");
	check_eq(store(3, HOLE)->cause, CAUSE_BREAKPOINT,
		 "store to a hole is dropped");
	check_eq(load(3, end)->x[9], ~0ull,
		 "load behind the end of memory is all ones");
	check_eq(store(3, end)->cause, CAUSE_BREAKPOINT,
		 "store behind the end of memory is dropped");
	check_eq(load(2, 0)->x[9], ~0ull, "load from 0 is all ones");
	for (uint32_t bit = 38; bit < 64; bit += 5) {
		f = load(3, 1ull << bit);
		check((f->cause == CAUSE_BREAKPOINT && f->x[9] == ~0ull) ||
			      (f->cause == CAUSE_LOAD_ACCESS &&
			       f->tval == 1ull << bit),
		      "load from bit %u up: all ones or access fault", bit);
	}
}

static void privileged(void)
{
	static const struct {
		const char *name;
		uint32_t insn;
	} insns[] = {
		{"mret", INSN_MRET},
		{"hfence.vvma", INSN_HFENCE_VVMA},
		{"hfence.gvma", INSN_HFENCE_GVMA},
		{"hinval.vvma", 0x26000073},
		{"hinval.gvma", 0x66000073},
		{"hlv.b", 0x60000073 | 4 << 12 | 9 << 7 | 8 << 15},
		{"hlv.d", 0x6c000073 | 4 << 12 | 9 << 7 | 8 << 15},
		{"hlvx.hu", 0x64300073 | 4 << 12 | 9 << 7 | 8 << 15},
		{"hsv.b", 0x62000073 | 4 << 12 | 8 << 15},
		{"hsv.d", 0x6e000073 | 4 << 12 | 8 << 15},
		{"all zeroes", 0},
		{"all ones", 0xffffffff},
		{"an unused SYSTEM word", 0x8c000073},
		{"an unused LOAD width", OP_LOAD | 7 << 12 | 8 << 15},
	};
	static const uint16_t csrs[] = {
		0x600, 0x602, 0x603, 0x604, 0x605, 0x606, 0x607, 0x643, 0x644,
		0x645, 0x64a, 0x60a, 0x680, 0xe12, 0x200, 0x204, 0x205, 0x240,
		0x241, 0x242, 0x243, 0x244, 0x280, 0x300, 0x301, 0x302, 0x303,
		0x304, 0x305, 0x306, 0x340, 0x341, 0x342, 0x343, 0x344, 0x3a0,
		0x3b0, 0x7a0, 0xb00, 0xf11, 0xf14, 0x5c0, 0x9c0, 0x6c0, 0xdc0,
	};
	bool reads = true, writes = true;

	for (uint32_t i = 0; i < sizeof(insns) / sizeof(insns[0]); i++)
		check(illegal(insns[i].insn, false),
		      "%s is an illegal instruction", insns[i].name);
	for (uint32_t i = 0; i < sizeof(csrs) / 2; i++) {
		reads = illegal(insn_csr(2, 9, csrs[i], 0), false) && reads;
		writes = illegal(insn_csr(1, 0, csrs[i], 0), false) && writes;
	}
	check(reads, "reading any hypervisor or machine CSR is illegal");
	check(writes, "writing any hypervisor or machine CSR is illegal");
	check(illegal(insn_csr(1, 0, 0xc01, 8), false),
	      "writing the time CSR is illegal");
}

static void allowed(void)
{
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	f.x[8] = csr_read(satp);
	after = exec(insn_csr(1, 9, 0x180, 8), &f);
	check(retired(after, &f, INSN_ECALL), "satp is ours");
	after = exec(INSN_SFENCE_VMA, &f);
	check(retired(after, &f, INSN_SFENCE_VMA), "sfence.vma is ours");
	csr_set(sie, IRQ_SOFT);
	csr_set(sip, IRQ_SOFT);
	after = exec(INSN_WFI, &f);
	check(retired(after, &f, INSN_WFI), "wfi ends when one is pending");
	csr_clear(sip, IRQ_SOFT);
	csr_clear(sie, IRQ_SOFT);
	after = exec(insn_csr(2, 9, 0xc00, 0), &f);
	check(after->cause == CAUSE_ILLEGAL || retired(after, &f, INSN_ECALL),
	      "cycle can be read or is illegal");
	after = exec(insn_csr(2, 9, 0xc03, 0), &f);
	check(after->cause == CAUSE_ILLEGAL || retired(after, &f, INSN_ECALL),
	      "hpmcounter3 can be read or is illegal");
}

static const struct frame *user(uint32_t insn, struct frame *f)
{
	frame_fill(f);
	f->x[8] = TEST_VA + 256;
	return exec_at(pages, TEST_VA, insn, f, true);
}

static void user_mode(void)
{
	static const struct {
		const char *name;
		uint32_t insn;
	} insns[] = {
		{"wfi", INSN_WFI},
		{"sret", INSN_SRET},
		{"mret", INSN_MRET},
		{"sfence.vma", INSN_SFENCE_VMA},
		{"hfence.gvma", INSN_HFENCE_GVMA},
		{"hlv.w", 0x68000073 | 4 << 12 | 9 << 7 | 8 << 15},
		{"csrr sstatus", OP_SYSTEM | 2 << 12 | 9 << 7 | 0x100u << 20},
		{"csrw satp", OP_SYSTEM | 1 << 12 | 0x180u << 20},
		{"csrr vsatp", OP_SYSTEM | 2 << 12 | 9 << 7 | 0x280u << 20},
		{"csrr stimecmp", OP_SYSTEM | 2 << 12 | 9 << 7 | 0x14du << 20},
	};
	const struct frame *after;
	struct frame f;

	paging_reset();
	paging_map(TEST_VA, (uint64_t)pages, PTE_RWX | PTE_U);
	paging_on();
	after = user(INSN_ECALL, &f);
	fault_is(after, CAUSE_USER_ECALL, 0, "user: ecall arrives here");
	check_eq(after->epc, TEST_VA, "user: sepc is on the ecall");
	check_eq(after->status & SSTATUS_SPP, 0, "user: SPP says so");
	for (uint32_t i = 0; i < sizeof(insns) / sizeof(insns[0]); i++)
		check(illegal(insns[i].insn, true),
		      "user: %s is an illegal instruction", insns[i].name);
	csr_write(scounteren, 0);
	after = user(insn_csr(2, 9, 0xc01, 0), &f);
	/* QEMU 7.2 does not look at scounteren for time. */
	check(after->cause == CAUSE_ILLEGAL || retired(after, &f, INSN_ECALL),
	      "user: time without scounteren.TM is at most illegal");
	csr_write(scounteren, 7);
	after = user(insn_csr(2, 9, 0xc01, 0), &f);
	check(retired(after, &f, INSN_ECALL), "user: time with it can be read");
	f.x[8] = (uint64_t)data;
	after = exec_at(pages, TEST_VA, insn_i(OP_LOAD, 3, 9, 8, 0), &f, true);
	fault_is(after, CAUSE_LOAD_PAGE, (uint64_t)data,
		 "user: load from our page");
	f.epc = (uint64_t)pages;
	after = run(&f, true);
	fault_is(after, CAUSE_FETCH_PAGE, (uint64_t)pages,
		 "user: fetch from our page");
	paging_off();
}

static void breakpoint_and_alignment(void)
{
	struct frame f;
	const struct frame *after;
	uint64_t odd = (uint64_t)data + 3;

	frame_fill(&f);
	after = exec(INSN_EBREAK, &f);
	check(after->cause == CAUSE_BREAKPOINT && after->epc == f.epc &&
		      (after->tval == 0 || after->tval == f.epc),
	      "ebreak arrives here");
	data[0] = 0x1122334455667788ull;
	data[1] = 0x99aabbccddeeff00ull;
	after = load(3, odd);
	check((after->cause == CAUSE_BREAKPOINT &&
	       after->x[9] == 0xeeff001122334455ull) ||
		      (after->cause == CAUSE_LOAD_MISALIGNED &&
		       after->tval == odd),
	      "misaligned load: the data or the exception");
	after = store(3, odd);
	check(after->cause == CAUSE_BREAKPOINT ||
		      (after->cause == CAUSE_STORE_MISALIGNED &&
		       after->tval == odd),
	      "misaligned store: done or the exception");
	frame_fill(&f);
	f.x[8] = odd;
	after = exec(insn_amo(0, 3, 9, 8, 10), &f);
	/* QEMU with one CPU splits it, and its load half faults first. */
	check(after->cause >= CAUSE_LOAD_MISALIGNED &&
		      after->cause <= CAUSE_STORE_ACCESS && after->tval == odd,
	      "misaligned amoadd.d is an exception with its address");
	after = exec(insn_amo(2, 3, 9, 8, 0), &f);
	check((after->cause == CAUSE_LOAD_MISALIGNED ||
	       after->cause == CAUSE_LOAD_ACCESS) &&
		      after->tval == odd,
	      "misaligned lr.d is an exception with its address");
}

static void page_faults(void)
{
	uint64_t va = TEST_VA + 0x3000;
	uint64_t pa = (uint64_t)pages;

	paging_reset();
	paging_on();
	fault_is(load(3, va), CAUSE_LOAD_PAGE, va, "load from no page");
	fault_is(store(3, va), CAUSE_STORE_PAGE, va, "store to no page");
	fault_is(jump_to(va), CAUSE_FETCH_PAGE, va, "fetch from no page");
	fault_is(load(3, 1ull << 38), CAUSE_LOAD_PAGE, 1ull << 38,
		 "load from an address that is not canonical");
	fault_is(jump_to(1ull << 40), CAUSE_FETCH_PAGE, 1ull << 40,
		 "fetch from one");
	paging_map(va, pa, PTE_V | PTE_R | PTE_AD);
	fault_is(store(3, va), CAUSE_STORE_PAGE, va,
		 "store to a read-only page");
	fault_is(jump_to(va), CAUSE_FETCH_PAGE, va, "fetch from a data page");
	paging_map(va, pa, PTE_V | PTE_X | PTE_AD);
	fault_is(load(3, va), CAUSE_LOAD_PAGE, va,
		 "load from an execute-only page");
	csr_set(sstatus, SSTATUS_MXR);
	check_eq(load(3, va)->cause, CAUSE_BREAKPOINT, "and with MXR it works");
	csr_clear(sstatus, SSTATUS_MXR);
	paging_map(va, pa, PTE_V | PTE_W | PTE_AD);
	fault_is(store(3, va), CAUSE_STORE_PAGE, va, "W without R is reserved");
	paging_map(va, pa, PTE_RW | PTE_U);
	fault_is(load(3, va), CAUSE_LOAD_PAGE, va, "a user's page without SUM");
	*paging_root_entry(va) = make_pte(0x80200000, PTE_RW);
	sfence();
	fault_is(load(3, va), CAUSE_LOAD_PAGE, va, "a misaligned gigapage");
	paging_off();
}

/* QEMU 7.2 says "load" for every walk that leads out of memory. */
static void walk_fault_is(const struct frame *f, uint64_t cause, uint64_t tval,
			  const char *name)
{
	fault_is(f, f->cause == CAUSE_LOAD_ACCESS ? f->cause : cause, tval,
		 name);
}

/* Tables and leaves that lead where there is no memory. */
static void wild_tables(void)
{
	static const uint64_t where[] = {HOLE, 0, 0x10000000, 0x0c000000,
					 1ull << 45};
	uint64_t va = TEST_VA + (3ull << 30);
	const struct frame *f;

	for (uint32_t i = 0; i < sizeof(where) / 8; i++) {
		paging_reset();
		*paging_root_entry(va) = make_pte(where[i], PTE_V);
		paging_on();
		fault_is(load(3, va), CAUSE_LOAD_ACCESS, va,
			 "load by a page table that is not in memory");
		walk_fault_is(store(3, va), CAUSE_STORE_ACCESS, va,
			      "store by such a table");
		walk_fault_is(jump_to(va), CAUSE_FETCH_ACCESS, va,
			      "fetch by such a table");
		paging_off();
	}
	paging_reset();
	paging_map(va, HOLE, PTE_RWX);
	paging_on();
	check_eq(load(3, va)->x[9], ~0ull, "a leaf to a hole is a hole");
	fault_is(jump_to(va), CAUSE_FETCH_ACCESS, va, "fetch by such a leaf");
	paging_map(va, 1ull << 45, PTE_RWX);
	f = load(3, va);
	check((f->cause == CAUSE_BREAKPOINT && f->x[9] == ~0ull) ||
		      (f->cause == CAUSE_LOAD_ACCESS && f->tval == va),
	      "a leaf above every guest address");
	paging_off();
}

void suite(void)
{
	memory_faults();
	privileged();
	allowed();
	user_mode();
	breakpoint_and_alignment();
	page_faults();
	wild_tables();
}
