/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Every exception that a guest can cause by itself, at EL1 and at EL0: class,
 * syndrome, address, vector, and that nothing else changes ("Exception entry",
 * "ESR_EL1"). Most never reach the hypervisor and must not; some it takes first
 * and has to give back.
 */
#include "insn.h"
#include "payload.h"

/* Load and store of x9 at x8. */
#define LDR insn_ls(3, 0, 1, 9, 8, 0)
#define STR insn_ls(3, 0, 0, 9, 8, 0)
#define FREE_VA (TEST_VA + 0x40000)

static uint8_t code[PAGE] __attribute__((aligned(4096)));
static uint8_t data[PAGE] __attribute__((aligned(4096)));

/* Where tried instructions lie: for EL0, and for EL1. */
#define USER_CODE TEST_VA
#define CODE (TEST_VA + PAGE)
#define USER_DATA (TEST_VA + 2 * PAGE)
#define DATA (TEST_VA + 3 * PAGE)

static void map(void)
{
	paging_reset();
	paging_map(USER_CODE, (uint64_t)code, PTE_NORMAL | PTE_EL0 | PTE_PXN);
	paging_map(CODE, (uint64_t)code, PTE_NORMAL | PTE_UXN);
	paging_map(USER_DATA, (uint64_t)data, PTE_NORMAL | PTE_EL0);
	paging_map(DATA, (uint64_t)data, PTE_NORMAL);
}

static const struct frame *try(uint32_t insn, struct frame *f, bool user)
{
	return exec_at(code, user ? USER_CODE : CODE, insn, f, user);
}

static bool is(const struct frame *after, const struct frame *f, bool user,
	       uint32_t ec, uint64_t iss, uint64_t pc)
{
	bool ok = esr_ec(after) == ec && (after->esr & 0x1ffffff) == iss &&
		  after->pc == pc && after->vector == (user ? 8 : 0) &&
		  unchanged(after, f, 0);

	if (!ok)
		note("ESR 0x%lx FAR 0x%lx pc 0x%lx vector %lu, expected EC "
		     "0x%x ISS 0x%lx pc 0x%lx",
		     after->esr, after->far, after->pc, after->vector, ec, iss,
		     pc);
	return ok;
}

/* An access at `va` aborts with that fault status. */
static bool aborts(uint32_t insn, uint64_t va, bool user, uint32_t fsc,
		   uint64_t wnr)
{
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	f.x[8] = va;
	after = try(insn, &f, user);
	return is(after, &f, user, user ? EC_DABORT_EL0 : EC_DABORT, wnr | fsc,
		  f.pc) &&
	       after->far == va;
}

static void both(const char *what, uint64_t va, uint32_t fsc)
{
	for (uint32_t user = 0; user < 2; user++)
		check(aborts(LDR, va, user, fsc, 0) &&
			      aborts(STR, va, user, fsc, ISS_WNR),
		      "EL%u: %s", 1 - user, what);
}

static void translation(void)
{
	both("level 0: above what TTBR0 covers", 1ull << 40, FSC_TRANSLATION);
	both("level 0: where TTBR1 is off", 0xffff000000000000ull,
	     FSC_TRANSLATION);
	both("level 1: no table", TEST_VA + (1ull << 30), FSC_TRANSLATION | 1);
	both("level 2: no table", TEST_VA + (1ull << 21), FSC_TRANSLATION | 2);
	both("level 3: no page", FREE_VA, FSC_TRANSLATION | 3);
	paging_map(FREE_VA, (uint64_t)data, (PTE_NORMAL & ~PTE_AF) | PTE_EL0);
	both("level 3: access flag", FREE_VA, FSC_ACCESS | 3);
	if ((sys_read(tcr_el1) >> 32 & 7) < 5) {
		paging_map(FREE_VA, 1ull << 47, PTE_NORMAL | PTE_EL0);
		both("level 3: no such output address", FREE_VA, 3);
	}
	*paging_entry(FREE_VA) = 0;
	tlb_flush();
}

static void permission(void)
{
	struct frame f;
	const struct frame *after;

	check(aborts(LDR, DATA, true, FSC_PERMISSION | 3, 0) &&
		      aborts(STR, DATA, true, FSC_PERMISSION | 3, ISS_WNR),
	      "EL0: EL1's page");
	paging_map(FREE_VA, (uint64_t)data, PTE_NORMAL | PTE_RO | PTE_EL0);
	for (uint32_t user = 0; user < 2; user++)
		check(aborts(STR, FREE_VA, user, FSC_PERMISSION | 3, ISS_WNR),
		      "EL%u: store to a read-only page", 1 - user);
	frame_fill(&f);
	f.x[8] = FREE_VA;
	*(volatile uint64_t *)data = 0x1234;
	after = try(LDR, &f, true);
	check(retired(after, &f) && after->x[9] == 0x1234,
	      "EL0: load from it works");
	frame_fill(&f);
	f.pstate = PSTATE_PAN;
	f.x[8] = USER_DATA;
	after = try(LDR, &f, false);
	check(is(after, &f, false, EC_DABORT, FSC_PERMISSION | 3, f.pc),
	      "EL1 with PAN: EL0's page");
}

/* FSC 0x14 to 0x17 (one level more or less, as it is known). */
static void external(void)
{
	struct frame f;
	const struct frame *after;

	*paging_upper_entry(TEST_VA + (5ull << 21), 2) = NOWHERE | PTE_TABLE;
	tlb_flush();
	frame_fill(&f);
	f.x[8] = TEST_VA + (5ull << 21);
	after = try(LDR, &f, false);
	check(esr_ec(after) == EC_DABORT &&
		      (esr_fsc(after) & ~3u) == FSC_WALK &&
		      after->far == f.x[8] && after->pc == f.pc &&
		      unchanged(after, &f, 0),
	      "a table where nothing is: external abort of the walk");
	after = jump_to(TEST_VA + (5ull << 21), false);
	check(esr_ec(after) == EC_IABORT && (esr_fsc(after) & ~3u) == FSC_WALK,
	      "so it is of a fetch");
	*paging_upper_entry(TEST_VA + (5ull << 21), 2) = 0;
	tlb_flush();
	after = jump_to(NOWHERE, false);
	check(esr_ec(after) == EC_IABORT && esr_fsc(after) == FSC_EXTERNAL &&
		      after->far == NOWHERE && after->pc == NOWHERE,
	      "fetch where nothing is: external abort");
	if (!machine.axvm) {
		skip("QEMU runs the contents of registers",
		     "fetch from a device: external abort");
		return;
	}
	paging_map(FREE_VA, UART(0), PTE_AF);
	after = jump_to(FREE_VA, false);
	check(esr_ec(after) == EC_IABORT && esr_fsc(after) == FSC_EXTERNAL,
	      "fetch from a device: external abort");
}

static bool fetch(uint64_t va, bool user, uint32_t fsc)
{
	const struct frame *after = jump_to(va, user);
	bool ok = esr_ec(after) == (user ? EC_IABORT_EL0 : EC_IABORT) &&
		  (after->esr & 0x1ffffff) == fsc && after->far == va &&
		  after->pc == va;

	if (!ok)
		note("ESR 0x%lx FAR 0x%lx pc 0x%lx", after->esr, after->far,
		     after->pc);
	return ok;
}

static void fetches(void)
{
	for (uint32_t user = 0; user < 2; user++) {
		uint32_t el = 1 - user;

		*paging_entry(FREE_VA) = 0;
		tlb_flush();
		check(fetch(1ull << 40, user, FSC_TRANSLATION) &&
			      fetch(TEST_VA + (1ull << 30), user,
				    FSC_TRANSLATION | 1) &&
			      fetch(TEST_VA + (1ull << 21), user,
				    FSC_TRANSLATION | 2) &&
			      fetch(FREE_VA, user, FSC_TRANSLATION | 3),
		      "EL%u: fetch without a translation", el);
		paging_map(FREE_VA, (uint64_t)data,
			   (PTE_NORMAL & ~PTE_AF) | PTE_EL0 | PTE_RO);
		check(fetch(FREE_VA, user, FSC_ACCESS | 3),
		      "EL%u: fetch and the access flag", el);
		check(fetch(USER_DATA, false, FSC_PERMISSION | 3),
		      "EL1: fetch from a page EL0 can write");
	}
	check(fetch(USER_CODE, false, FSC_PERMISSION | 3),
	      "EL1: fetch from a PXN page");
	check(fetch(CODE, true, FSC_PERMISSION | 3),
	      "EL0: fetch from a UXN page");
}

static void alignment(void)
{
	const struct frame *after = jump_to(CODE + 2, false);
	struct frame f;

	check(esr_ec(after) == EC_PC_ALIGN && after->far == CODE + 2 &&
		      after->pc == CODE + 2,
	      "EL1: a jump to an odd address");
	after = jump_to(USER_CODE + 1, true);
	check(esr_ec(after) == EC_PC_ALIGN && after->far == USER_CODE + 1 &&
		      after->vector == 8,
	      "EL0: a jump to an odd address");
	for (uint32_t user = 0; user < 2; user++) {
		uint64_t va = (user ? USER_DATA : DATA) + 1;

		/* ldxr x9, [x8]; ldar x9, [x8] */
		check(aborts(insn_lsx(3, 0, 1, 0, 0, 31, 31, 8, 9), va, user,
			     FSC_ALIGNMENT, 0) &&
			      aborts(insn_lsx(3, 1, 1, 0, 1, 31, 31, 8, 9), va,
				     user, FSC_ALIGNMENT, 0),
		      "EL%u: unaligned LDXR and LDAR", 1 - user);
		frame_fill(&f);
		f.x[8] = va;
		after = try(LDR, &f, user);
		check(retired(after, &f) && unchanged(after, &f, 1u << 9),
		      "EL%u: unaligned LDR works", 1 - user);
	}
	sys_write(sctlr_el1, sys_read(sctlr_el1) | SCTLR_A);
	check(aborts(LDR, DATA + 4, false, FSC_ALIGNMENT, 0) &&
		      aborts(STR, DATA + 1, false, FSC_ALIGNMENT, ISS_WNR) &&
		      aborts(LDR, USER_DATA + 4, true, FSC_ALIGNMENT, 0),
	      "with SCTLR_EL1.A it does not");
	sys_write(sctlr_el1, sys_read(sctlr_el1) & ~SCTLR_A);
}

/* Exceptions of instructions: `after` 4 where the preferred return is behind. */
static void instructions(void)
{
	static const struct {
		const char *name;
		uint32_t insn;
		uint32_t ec;
		uint32_t iss;
		uint32_t after;
	} list[] = {
		{"SVC 0", INSN_SVC(0), EC_SVC, 0, 4},
		{"SVC 0xffff", INSN_SVC(0xffff), EC_SVC, 0xffff, 4},
		{"BRK 0x1234", INSN_BRK(0x1234), EC_BRK, 0x1234, 0},
		{"UDF", 0, EC_UNKNOWN, 0, 0},
		{"an unallocated instruction", 0x0000ffff, EC_UNKNOWN, 0, 0},
		{"HLT", 0xd4400000, EC_UNKNOWN, 0, 0},
		{"MRS of HCR_EL2", 0xd53c1109, EC_UNKNOWN, 0, 0},
		{"MRS of SCTLR_EL3", 0xd53e1009, EC_UNKNOWN, 0, 0},
		{"TLBI ALLE2", 0xd50c871f, EC_UNKNOWN, 0, 0},
		{"AT S12E1R", 0xd50c7888, EC_UNKNOWN, 0, 0},
		{"an unallocated system register", 0xd53bf009, EC_UNKNOWN, 0,
		 0},
	};
	struct frame f;
	const struct frame *after;

	for (uint32_t i = 0; i < COUNT_OF(list) * 2; i++) {
		uint32_t user = i % 2;

		frame_fill(&f);
		f.pstate = (uint64_t)(i % 16) << 28;
		after = try(list[i / 2].insn, &f, user);
		check(is(after, &f, user, list[i / 2].ec, list[i / 2].iss,
			 f.pc + list[i / 2].after) &&
			      (after->pstate & PSTATE_NZCV) == f.pstate,
		      "EL%u: %s", 1 - user, list[i / 2].name);
	}
	for (uint32_t user = 0; user < 2; user++) {
		frame_fill(&f);
		f.pstate = PSTATE_IL;
		after = try(INSN_NOP, &f, user);
		check(is(after, &f, user, EC_ILLEGAL_STATE, 0, f.pc),
		      "EL%u: illegal execution state", 1 - user);
	}
}

/* "Traps of EL0 accesses": what EL1 has not given. */
static void el0_traps(void)
{
	static const struct {
		const char *name;
		uint32_t insn;
	} list[] = {
		{"MSR DAIFSet", 0xd50340df},
		{"MRS CTR_EL0 without UCT", 0xd53b0029},
		{"DC CIVAC without UCI", 0xd50b7e28},
		{"IC IVAU without UCI", 0xd50b7528},
		{"MRS CNTVCT_EL0 without EL0VCTEN", 0xd53be049},
		{"MRS CNTPCT_EL0 without EL0PCTEN", 0xd53be029},
		{"MRS CNTV_CTL_EL0 without EL0VTEN", 0xd53be329},
		{"MRS CNTP_CTL_EL0 without EL0PTEN", 0xd53be229},
	};
	uint64_t sctlr = sys_read(sctlr_el1);
	struct frame f;
	const struct frame *after;

	sys_write(cntkctl_el1, 0);
	sys_write(sctlr_el1,
		  sctlr & ~(SCTLR_UMA | SCTLR_UCT | SCTLR_UCI | 5ull << 16));
	for (uint32_t i = 0; i < COUNT_OF(list); i++) {
		frame_fill(&f);
		f.x[8] = USER_DATA;
		after = try(list[i].insn, &f, true);
		check(esr_ec(after) == EC_SYSREG && after->pc == f.pc &&
			      after->vector == 8 && unchanged(after, &f, 0),
		      "EL0: %s traps to EL1", list[i].name);
	}
	for (uint32_t i = 0; i < 2; i++) {
		frame_fill(&f);
		/* WFE may find the event register set, and retire. */
		(void)try(0xd50320bf, &f, true); /* SEVL */
		after = try(i == 0 ? INSN_WFI : INSN_WFE, &f, true);
		check((esr_ec(after) == 1 && after->pc == f.pc) ||
			      (i == 1 && retired(after, &f)),
		      "EL0: %s traps to EL1", i == 0 ? "WFI" : "WFE");
	}
	/* Registers of EL1 are not trapped but undefined. */
	frame_fill(&f);
	after = try(0xd5381009, &f, true);
	check(is(after, &f, true, EC_UNKNOWN, 0, f.pc),
	      "EL0: MRS SCTLR_EL1 is undefined");
	sys_write(sctlr_el1, sctlr | SCTLR_UCT | SCTLR_UCI);
	sys_write(cntkctl_el1, 3);
	for (uint32_t i = 1; i < 6; i++) {
		frame_fill(&f);
		f.x[8] = USER_DATA;
		after = try(list[i].insn, &f, true);
		check(retired(after, &f), "EL0: and works with it: %s",
		      list[i].name);
	}
	sys_write(cntkctl_el1, 0);
	sys_write(sctlr_el1, sctlr);
}

/* "CPACR_EL1": whatever the hypervisor does with the FP registers. */
static void fp_traps(void)
{
	static const uint32_t fp[] = {
		0x1e604108, /* fmov d8, d8 */
		0x4e284908, /* aese v8.16b, v8.16b */
		0xfd400109, /* ldr d9, [x8] */
		0xd53b4409, /* mrs x9, fpcr */
	};
	struct frame f;
	const struct frame *after;

	for (uint32_t fpen = 0; fpen < 4; fpen++) {
		bool el1 = fpen % 2 != 0;
		bool ok = true;

		sys_write(cpacr_el1, (uint64_t)fpen << 20);
		for (uint32_t i = 0; i < COUNT_OF(fp) * 2; i++) {
			uint32_t user = i % 2;

			frame_fill(&f);
			f.x[8] = user ? USER_DATA : DATA;
			after = try(fp[i / 2], &f, user);
			if (user ? fpen == 3 : el1)
				ok = ok && retired(after, &f);
			else
				ok = ok && esr_ec(after) == EC_FP &&
				     after->pc == f.pc &&
				     unchanged(after, &f, 0);
		}
		check(ok, "CPACR_EL1.FPEN %u traps whom it says", fpen);
	}
}

static uint64_t translate(uint64_t va, bool user)
{
	if (user)
		__asm__ volatile("at s1e0r, %0" ::"r"(va));
	else
		__asm__ volatile("at s1e1w, %0" ::"r"(va));
	__asm__ volatile("isb");
	return sys_read(par_el1);
}

static void address_translation(void)
{
	uint64_t par = translate(DATA + 0x123, false);

	check((par & 1) == 0 && (par & 0xfffffffff000ull) == (uint64_t)data,
	      "AT S1E1W gives the address");
	par = translate(DATA, true);
	check((par & 1) == 1 && (par >> 1 & 0x3f) == (FSC_PERMISSION | 3),
	      "AT S1E0R gives the permission fault");
	par = translate(TEST_VA + (1ull << 30), false);
	check((par & 1) == 1 && (par >> 1 & 0x3f) == (FSC_TRANSLATION | 1),
	      "AT S1E1W gives the translation fault");
}

/* Maintenance by address, of RAM, devices and nothing: no effect to be seen. */
static void maintenance(void)
{
	static const uint32_t ops[] = {
		0xd5087628, /* dc ivac, x8 */
		0xd50b7a28, /* dc cvac, x8 */
		0xd50b7b28, /* dc cvau, x8 */
		0xd50b7e28, /* dc civac, x8 */
		0xd50b7528, /* ic ivau, x8 */
		0xf9800100, /* prfm pldl1keep, [x8] */
		0xf9800110, /* prfm pstl1keep, [x8] */
	};
	uint64_t at[] = {(uint64_t)data, UART(0x100), HOLE,
			 GICD(GICD_IPRIORITYR)};
	struct frame f;
	const struct frame *after;

	for (uint32_t i = 0; i < COUNT_OF(ops) * COUNT_OF(at); i++) {
		frame_fill(&f);
		f.x[8] = at[i % COUNT_OF(at)];
		after = try(ops[i / COUNT_OF(at)], &f, false);
		check(retired(after, &f) && unchanged(after, &f, 0),
		      "0x%x at 0x%lx", ops[i / COUNT_OF(at)], f.x[8]);
	}
	/* Set and way, of what CSSELR_EL1 says or not. */
	for (uint32_t i = 0; i < 3; i++) {
		static const uint32_t ways[] = {0xd5087648, 0xd5087a48,
						0xd5087e48};

		frame_fill(&f);
		f.x[8] = 0x40;
		after = try(ways[i], &f, false);
		check(retired(after, &f) && unchanged(after, &f, 0),
		      "0x%x, by set and way", ways[i]);
	}
	frame_fill(&f);
	f.x[8] = FREE_VA + 0x10000;
	after = try(0xd50b7428, &f, false); /* dc zva, x8 */
	check(esr_ec(after) == EC_DABORT &&
		      esr_fsc(after) == (FSC_TRANSLATION | 3),
	      "DC ZVA without a translation aborts");
	memset(data, 0xa5, PAGE);
	f.x[8] = DATA;
	after = try(0xd50b7428, &f, false);
	check(retired(after, &f) && data[0] == 0 && data[PAGE - 1] == 0xa5,
	      "DC ZVA zeroes memory");
	if (!machine.axvm) {
		skip("QEMU stores there", "DC ZVA on a device aborts");
		return;
	}
	f.x[8] = HOLE;
	after = try(0xd50b7428, &f, false);
	check(esr_ec(after) == EC_DABORT && after->pc == f.pc &&
		      after->far == HOLE,
	      "DC ZVA on a hole aborts");
}

void suite(void)
{
	map();
	translation();
	permission();
	fetches();
	external();
	map();
	alignment();
	instructions();
	el0_traps();
	fp_traps();
	address_translation();
	maintenance();
}
