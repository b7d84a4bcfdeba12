/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Self-hosted debug (DDI 0487, "AArch64 Self-hosted Debug"): the guest steps and
 * stops its own code, at EL0 and at EL1, also where the hypervisor does an
 * instruction's work; and each CPU has its own breakpoints.
 */
#include "insn.h"
#include "payload.h"

#define MDSCR_SS 1ull
#define MDSCR_TDCC (1ull << 12)
#define MDSCR_KDE (1ull << 13)
#define MDSCR_MDE (1ull << 15)
#define PSTATE_D (1ull << 9)

/* DBGBCR<n>_EL1: E, PMC, BAS; DBGWCR<n>_EL1: E, PAC, LSC, BAS. */
#define BCR(pmc) (1ull | (uint64_t)(pmc) << 1 | 0xfull << 5)
#define WCR(pac, lsc, bas)                                    \
	(1ull | (uint64_t)(pac) << 1 | (uint64_t)(lsc) << 3 | \
	 (uint64_t)(bas) << 5)
#define IN_EL1 1u
#define IN_EL0 2u

#define EC_BREAKPOINT_EL0 0x30u
#define EC_STEP_EL0 0x32u
#define EC_WATCHPOINT_EL0 0x34u
/* The ISS of all debug exceptions; and of a step ISV, which is 0 if an exception
 * return came in between, so also after an instruction that was emulated. */
#define ISS_DEBUG 0x22u
#define ISS_ISV (1ull << 24)

#define REG(n, op2) SYSREG(2, 0, 0, n, op2)
#define OSLAR SYSREG(2, 0, 1, 0, 4)
#define DATA_VA (TEST_VA + PAGE)
#define UART_VA (TEST_VA + 2 * PAGE)

static uint8_t code[MAX_CPUS][PAGE] __attribute__((aligned(4096)));
static uint8_t data[PAGE] __attribute__((aligned(4096)));

/* ---- Registers by number ---- */

static void write_reg(uint32_t reg, uint64_t value)
{
	struct frame f;

	frame_fill(&f);
	f.x[9] = value;
	(void)exec(insn_msr(reg, 9), &f);
}

static uint64_t read_reg(uint32_t reg)
{
	struct frame f;

	frame_fill(&f);
	return exec(insn_mrs(reg, 9), &f)->x[9];
}

static void set_breakpoint(uint32_t n, uint64_t at, uint64_t control)
{
	write_reg(REG(n, 4), at);
	write_reg(REG(n, 5), control);
}

static void set_watchpoint(uint32_t n, uint64_t at, uint64_t control)
{
	write_reg(REG(n, 6), at);
	write_reg(REG(n, 7), control);
}

/* ---- Code that is stopped ---- */

/* Enters with debug exceptions unmasked, which run() does not. */
static const struct frame *go(uint64_t pc, uint64_t pstate, bool user)
{
	struct cpu *c = self();
	uint64_t daif = sys_read(daif);
	struct frame f;

	frame_fill(&f);
	f.x[0] = PSCI_VERSION;
	f.x[8] = user ? UART_VA + UART_IBRD : UART(UART_IBRD);
	f.x[10] = user ? DATA_VA : (uint64_t)data;
	f.pc = pc;
	f.pstate = pstate | (PSTATE_DAIF & ~PSTATE_D) |
		   (user ? PSTATE_EL0 : PSTATE_EL1T);
	irqs_off();
	c->running = true;
	run_frame(&f);
	c->running = false;
	sys_write(daif, daif);
	return &c->frame;
}

static void place(uint32_t slot, const uint32_t *insns, uint32_t count)
{
	volatile uint32_t *at = (volatile uint32_t *)code[slot];

	for (uint32_t i = 0; i < count; i++)
		at[i] = insns[i];
	at[count] = INSN_BRK(0);
	code_written(code[slot], 4 * (count + 1));
}

static bool stopped(const struct frame *after, bool user, uint32_t ec,
		    uint64_t iss, uint64_t pc)
{
	uint32_t class = ec + (user ? 0u : 1u);
	bool ok = esr_ec(after) == class &&
		  (after->esr & 0x1ffffff & ~ISS_ISV) == iss &&
		  after->pc == pc && after->vector == (user ? 8 : 0);

	if (!ok)
		note("ESR 0x%lx pc 0x%lx vector %lu, expected EC 0x%x ISS "
		     "0x%lx "
		     "pc 0x%lx",
		     after->esr, after->pc, after->vector, class, iss, pc);
	return ok;
}

static uint64_t code_at(bool user)
{
	return user ? TEST_VA : (uint64_t)code[0];
}

/* ---- Software step ---- */

static void steps(bool user)
{
	/* The second to the fourth are done by the hypervisor. */
	static const uint32_t insns[] = {
		INSN_NOP,    0x79400109, /* ldrh w9, [x8] */
		0x7800250a, /* strh w10, [x8], #2 */
		0xd53be02b, /* mrs x11, cntpct_el0 */
		0x9100056b, /* add x11, x11, #1 */
		INSN_HVC(0), INSN_NOP,
	};
	uint32_t count = user ? 5 : COUNT_OF(insns);
	uint64_t pc = code_at(user);
	const struct frame *after;
	bool ok = true;

	place(0, insns, count);
	write_reg(REG(2, 2), MDSCR_SS | MDSCR_KDE);
	after = go(pc, 0, user);
	check(stopped(after, user, EC_STEP_EL0, ISS_DEBUG, pc),
	      "EL%u: without PSTATE.SS nothing is executed", 1 - user);
	for (uint32_t i = 0; i < count && ok; i++) {
		after = go(pc + 4 * i, PSTATE_SS, user);
		ok = stopped(after, user, EC_STEP_EL0, ISS_DEBUG,
			     pc + 4 * (i + 1));
	}
	check(ok, "EL%u: each instruction is one step", 1 - user);
	after = go(pc + 4 * count, PSTATE_SS, user);
	check(esr_ec(after) == EC_BRK && after->pc == pc + 4 * count,
	      "EL%u: BRK comes before the step", 1 - user);
	write_reg(REG(2, 2), MDSCR_KDE);
	after = go(pc, PSTATE_SS, user);
	check(esr_ec(after) == EC_BRK && after->pc == pc + 4 * count,
	      "EL%u: without MDSCR_EL1.SS there is no step", 1 - user);
	write_reg(REG(2, 2), MDSCR_SS | MDSCR_KDE);
	write_reg(OSLAR, 1);
	if (machine.axvm)
		check(esr_ec(go(pc, 0, user)) == EC_BRK,
		      "EL%u: nor with the OS lock", 1 - user);
	else
		skip("QEMU steps", "EL%u: nor with the OS lock", 1 - user);
	write_reg(OSLAR, 0);
	write_reg(REG(2, 2), 0);
}

static void kernel_is_left_alone(void)
{
	const struct frame *after;

	place(0, (const uint32_t[]){INSN_NOP, INSN_NOP}, 2);
	write_reg(REG(2, 2), MDSCR_SS);
	after = go(code_at(false), PSTATE_SS, false);
	check(esr_ec(after) == EC_BRK, "without KDE EL1 is not stepped");
	after = go(code_at(true), PSTATE_SS, true);
	check(stopped(after, true, EC_STEP_EL0, ISS_DEBUG, TEST_VA + 4),
	      "and EL0 is");
	write_reg(REG(2, 2), 0);
}

/* ---- Breakpoints and watchpoints ---- */

static void breakpoints(bool user)
{
	static const uint32_t insns[] = {INSN_NOP, INSN_NOP, INSN_NOP,
					 INSN_NOP};
	uint64_t dfr0 = sys_read(id_aa64dfr0_el1);
	uint32_t count = (uint32_t)(dfr0 >> 12 & 15) + 1;
	uint64_t pc = code_at(user);
	bool all = true, other = true;

	place(0, insns, COUNT_OF(insns));
	write_reg(REG(2, 2), MDSCR_MDE | MDSCR_KDE);
	for (uint32_t n = 0; n < count; n++) {
		set_breakpoint(n, pc + 8, BCR(user ? IN_EL0 : IN_EL1));
		all = all && stopped(go(pc, 0, user), user, EC_BREAKPOINT_EL0,
				     ISS_DEBUG, pc + 8);
		set_breakpoint(n, pc + 8, BCR(user ? IN_EL1 : IN_EL0));
		other = other && esr_ec(go(pc, 0, user)) == EC_BRK;
		set_breakpoint(n, 0, 0);
	}
	check(all, "EL%u: each of %u breakpoints stops", 1 - user, count);
	check(other, "EL%u: none of another level does", 1 - user);
	set_breakpoint(0, pc + 8, BCR(user ? IN_EL0 : IN_EL1));
	write_reg(REG(2, 2), 0);
	check(esr_ec(go(pc, 0, user)) == EC_BRK, "EL%u: without MDE none stops",
	      1 - user);
	set_breakpoint(0, 0, 0);
}

static void watchpoints(bool user)
{
	static const uint32_t insns[] = {
		INSN_NOP, 0xf9400549, /* ldr x9, [x10, #8] */
		0xf9000d49, /* str x9, [x10, #24] */
	};
	uint64_t dfr0 = sys_read(id_aa64dfr0_el1);
	uint32_t count = (uint32_t)(dfr0 >> 20 & 15) + 1;
	uint64_t pc = code_at(user);
	uint64_t at = user ? DATA_VA : (uint64_t)data;
	uint32_t level = user ? IN_EL0 : IN_EL1;
	const struct frame *after;
	bool reads = true, writes = true;

	place(0, insns, COUNT_OF(insns));
	write_reg(REG(2, 2), MDSCR_MDE | MDSCR_KDE);
	for (uint32_t n = 0; n < count; n++) {
		set_watchpoint(n, at + 8, WCR(level, 1, 0xff));
		after = go(pc, 0, user);
		reads = reads &&
			stopped(after, user, EC_WATCHPOINT_EL0, ISS_DEBUG,
				pc + 4) &&
			after->far == at + 8;
		set_watchpoint(n, at + 24, WCR(level, 2, 0xff));
		after = go(pc, 0, user);
		writes = writes &&
			 stopped(after, user, EC_WATCHPOINT_EL0,
				 ISS_DEBUG | ISS_WNR, pc + 8) &&
			 after->far == at + 24;
		set_watchpoint(n, 0, 0);
	}
	check(reads, "EL%u: each of %u watchpoints stops a load", 1 - user,
	      count);
	check(writes, "EL%u: and a store", 1 - user);
	set_watchpoint(0, at + 8, WCR(level, 2, 0xff));
	check(esr_ec(go(pc, 0, user)) == EC_BRK, "EL%u: a load is no store",
	      1 - user);
	set_watchpoint(0, 0, 0);
	write_reg(REG(2, 2), 0);
}

/* ---- Each CPU's own ---- */

#define ROUNDS 200u

/* A breakpoint at an instruction of its own, hit again and again while CPUs are
 * switched. */
static void hit(struct cpu *c)
{
	static const uint32_t insns[] = {INSN_NOP, INSN_NOP, INSN_NOP,
					 INSN_NOP, INSN_NOP, INSN_NOP};
	uint32_t slot = (uint32_t)(c - cpus);
	uint64_t pc = (uint64_t)code[slot];
	uint64_t hits = 0;

	place(slot, insns, COUNT_OF(insns));
	write_reg(OSLAR, 0);
	set_breakpoint(slot % 2, pc + 4 * (slot % 5 + 1), BCR(IN_EL1));
	write_reg(REG(2, 2), MDSCR_MDE | MDSCR_KDE);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const struct frame *after = go(pc, 0, false);

		hits += esr_ec(after) == EC_BREAKPOINT_EL0 + 1 &&
			after->pc == pc + 4 * (slot % 5 + 1);
		(void)psci(PSCI_VERSION, 0, 0, 0);
		if (i % 50 == 0)
			delay_ms(3);
	}
	write_reg(REG(2, 2), 0);
	c->result = hits;
}

static void on_all_cpus(void)
{
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++)
		(void)cpu_start(slot, hit, 0);
	hit(self());
	check_eq(cpus[0].result, ROUNDS, "the boot CPU hits its breakpoint");
	set_breakpoint(0, 0, 0);
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		bool ended = cpu_join(slot, 10000);

		check(ended && cpus[slot].result == ROUNDS,
		      "CPU %u hits its own (%lu)", slot, cpus[slot].result);
	}
}

/* ---- What is held ---- */

static void held(void)
{
	check((read_reg(SYSREG(2, 0, 1, 1, 4)) & 2) != 0,
	      "the OS lock is locked at first");
	write_reg(OSLAR, 0);
	check((read_reg(SYSREG(2, 0, 1, 1, 4)) & 2) == 0, "and can be opened");
	write_reg(REG(2, 2), MDSCR_TDCC);
	check_eq(read_reg(REG(2, 2)), MDSCR_TDCC, "MDSCR_EL1 is kept");
	write_reg(REG(2, 2), 0);
	set_breakpoint(1, 0xffff800012345678ull, BCR(IN_EL1) & ~1ull);
	set_watchpoint(1, 0xffff800087654320ull, WCR(IN_EL1, 3, 0xff) & ~1ull);
	delay_ms(5);
	check(read_reg(REG(1, 4)) == 0xffff800012345678ull &&
		      read_reg(REG(1, 5)) == (BCR(IN_EL1) & ~1ull),
	      "so are breakpoints");
	check(read_reg(REG(1, 6)) == 0xffff800087654320ull &&
		      read_reg(REG(1, 7)) == (WCR(IN_EL1, 3, 0xff) & ~1ull),
	      "and watchpoints");
	set_breakpoint(1, 0, 0);
	set_watchpoint(1, 0, 0);
}

void suite(void)
{
	paging_map(TEST_VA, (uint64_t)code[0], PTE_NORMAL | PTE_EL0 | PTE_PXN);
	paging_map(DATA_VA, (uint64_t)data, PTE_NORMAL | PTE_EL0);
	paging_map(UART_VA, machine.uart, PTE_DEVICE | PTE_EL0);
	sys_write(cntkctl_el1, 1);
	held();
	for (uint32_t user = 0; user < 2; user++) {
		steps(user != 0);
		breakpoints(user != 0);
		watchpoints(user != 0);
	}
	kernel_is_left_alone();
	on_all_cpus();
}
