/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Loads and stores, jumps, calls by HVC and SMC, system registers and
 * instructions; and random words at EL0. Tables stay as they are.
 */
#include "insn.h"
#include "wild.h"

/* Each CPU's own pages at EL0: code and, writable, data. */
static uint8_t user_code[MAX_CPUS][PAGE] __attribute__((aligned(4096)));
static uint8_t user_data[MAX_CPUS][PAGE] __attribute__((aligned(4096)));

static uint64_t user_va(const struct cpu *c)
{
	return TEST_VA + (uint64_t)(c - cpus) * 0x10000;
}

/* Somewhere that is not memory: devices, holes, the far end of the world. */
static uint64_t somewhere(struct dice *d)
{
	uint64_t r = roll(d);
	uint64_t a;

	switch (r % 8) {
	case 0:
		return UART(0x50 + r / 8 % 0x1000);
	case 1:
		return machine.gicd + r / 8 % 0x10000;
	case 2:
		return machine.gicr + r / 8 % machine.gicr_size;
	case 3:
		return HOLE + r / 8 % 0x100000;
	case 4:
		return r / 8 % 0x40000000u;
	case 5:
		a = 1ull << r / 8 % 64;
		break;
	case 6:
		a = ~0ull - r / 8 % 64;
		break;
	default:
		a = roll(d);
		break;
	}
	return in_ram(a & 0xffffffffffull) ? HOLE : a;
}

/* A store that would print, or make this console unreadable; QEMU's machine has
 * more that should be left alone. */
static bool untouchable(uint64_t a)
{
	a &= 0xffffffffffffffull; /* without a tag */
	if (a - (UART(0) - 64) < 0x90 + 64)
		return true;
	return !machine.axvm && a < 0x40000000 &&
	       a - machine.gicd >= 0x2000000 && a - HOLE >= 0x1000000;
}

/* Any load or store with a base and no index: x8, and data of x9 and x10. */
static void access(struct dice *d)
{
	uint64_t r = roll(d);
	uint64_t a = somewhere(d);
	uint32_t size = r >> 8 & 3, opc = r >> 10 & 3, v = r >> 12 & 1;
	int32_t imm = (int32_t)(r >> 16 & 0x1f) - 16;
	struct frame f;
	uint32_t insn;

	frame_fill(&f);
	f.x[8] = a;
	switch (r % 6) {
	case 0:
		insn = insn_ls(size, v, opc, 9, 8, 0);
		break;
	case 1:
		insn = insn_ls9(size, v, opc, r >> 13 & 3, 9, 8, imm);
		break;
	case 2:
		insn = insn_lsp(size, v, r >> 13 & 3, opc & 1, 9, 10, 8,
				imm & 1);
		break;
	case 3:
		insn = insn_lsx(size, opc & 1, v, r >> 13 & 1, r >> 14 & 1, 11,
				10, 8, 9);
		break;
	case 4:
		insn = insn_atomic(size, r >> 13 & 1, r >> 14 & 7, 9, 8, 10);
		break;
	default:
		insn = 0x0c000000u | (uint32_t)(r >> 8 & 0x41fffc00) | 8u << 5 |
		       9u;
		f.x[r >> 24 & 31 & 15] = 8;
		f.x[8] = a;
		break;
	}
	if (!untouchable(a))
		(void)exec(insn, &f);
}

static void wild_jump(struct dice *d)
{
	uint64_t a = somewhere(d);

	/* What devices return may be code that never ends. */
	if (a < 0x40000000 && !machine.axvm)
		a = NOWHERE + (a & 0xfffffff);
	(void)jump_to(a, roll(d) % 2 != 0);
}

/* ---- Calls ---- */

static bool suicidal(uint64_t function, const uint64_t args[3])
{
	switch ((uint32_t)function & ~0x40000000u) {
	case SMC32(PSCI_CPU_OFF):
	case SMC32(PSCI_SYSTEM_OFF):
	case SMC32(PSCI_SYSTEM_RESET):
	case SMC32(PSCI_CPU_SUSPEND):
		return true;
	case SMC32(PSCI_SYSTEM_RESET2):
		return (uint32_t)args[0] == 0;
	case SMC32(PSCI_CPU_ON):
		/* In the middle of our memory it is our own fault; QEMU starts
     * a CPU anywhere. */
		return in_ram(args[1]) || in_ram((uint32_t)args[1]) ||
		       !machine.axvm;
	default:
		return false;
	}
}

static void wild_call(struct dice *d)
{
	uint64_t r = roll(d);
	uint64_t function = 0x84000000u | (r & 0x1f) | (r >> 8 & 1) << 30;
	uint64_t args[3];
	struct frame f;

	if ((r >> 9) % 8 == 0)
		function = 0x80000000u | (uint32_t)roll(d);
	else if ((r >> 12) % 8 == 0 && machine.axvm)
		function = roll(d) & 0x7fffffff;
	frame_fill(&f);
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t arg = roll(d);

		args[i] = arg % 4 == 0	 ? arg / 4 % 8
			  : arg % 4 == 1 ? ~(arg / 4 % 8)
			  : arg % 4 == 2 ? somewhere(d)
					 : arg;
		f.x[1 + i] = args[i];
	}
	f.x[0] = function | ((r >> 20) % 4 == 0 ? roll(d) << 32 : 0);
	if (!suicidal(function, args))
		(void)exec(r >> 16 & 1 ? INSN_HVC(r >> 32 & 0xffff)
				       : INSN_SMC(r >> 32 & 0xffff),
			   &f);
}

/* ---- System ---- */

/* Writes that are ours to regret are left out: translation, vectors, traps. */
static bool may_write(uint32_t reg)
{
	uint32_t op1 = reg >> 11 & 7, crn = reg >> 7 & 15, crm = reg >> 3 & 15;

	if (reg >> 14 == 2)
		return true;
	if (op1 >= 4)
		return true; /* of EL2 and EL3 */
	if (op1 == 3)
		return crn != 4; /* timers, counters; not DAIF and the like */
	if (crn == 12 && crm >= 8)
		return true; /* the GIC's */
	return crn == 0 || crn == 5 || crn == 6 || crn == 9 || crn == 15;
}

static void wild_register(struct dice *d)
{
	uint64_t r = roll(d);
	uint32_t reg = (2u << 14) | (r & 0x7fff);
	struct frame f;

	frame_fill(&f);
	f.x[9] = r >> 20 & 1 ? somewhere(d) : roll(d);
	if ((r >> 16 & 3) != 0 || !may_write(reg))
		(void)exec(insn_mrs(reg, 9), &f);
	else
		(void)exec(insn_msr(reg, 9), &f);
}

/* SYS: TLBI, AT, DC, IC, and what is none. Memory is not to be zeroed. */
static void wild_sys(struct dice *d)
{
	uint64_t r = roll(d);
	uint32_t sys = (1u << 14) | (r & 0x3fff);
	struct frame f;

	frame_fill(&f);
	f.x[9] = somewhere(d);
	(void)exec(insn_msr(sys, r >> 16 & 1 ? 9 : 31), &f);
}

/* ---- EL0 ---- */

/* Branches might not come back; all else is one instruction. */
static bool is_branch(uint32_t insn)
{
	return (insn >> 26 & 7) == 5;
}

static void wild_word(struct dice *d)
{
	struct cpu *c = self();
	uint64_t va = user_va(c);
	uint32_t insn = (uint32_t)roll(d);
	struct frame f;

	if (is_branch(insn))
		insn = 0x38000000u | (insn & 0xc7ffffffu);
	frame_fill(&f);
	for (uint32_t i = 0; i < 31; i++)
		f.x[i] = i % 3 == 0 ? va + PAGE + (roll(d) & 0xff8) : roll(d);
	f.sp = va + PAGE + 0x800;
	(void)exec_at(user_code[c - cpus], va, insn, &f, true);
}

void (*const wild_acts[])(struct dice *d) = {
	access, wild_jump, wild_call, wild_register, wild_sys, wild_word,
};
const uint32_t wild_act_count = COUNT_OF(wild_acts);

void wild_prepare(void)
{
	for (uint32_t i = 0; i < machine.cpu_count; i++) {
		uint64_t va = user_va(&cpus[i]);

		paging_map(va, (uint64_t)user_code[i],
			   PTE_NORMAL | PTE_EL0 | PTE_RO | PTE_PXN);
		paging_map(va + PAGE, (uint64_t)user_data[i],
			   PTE_NORMAL | PTE_EL0 | PTE_PXN | PTE_UXN);
	}
}

/* ---- Afterwards ---- */

bool wild_timer_works(void)
{
	struct cpu *c = self();
	uint64_t count = c->timer_irqs;

	gic_start();
	gic_cpu_start(c);
	/* No priority runs that nobody could end. */
	icc_write(ICC_AP0R0_EL1, 0);
	icc_write(ICC_AP1R0_EL1, 0);
	sys_write(cntp_ctl_el0, 0);
	sys_write(cntv_ctl_el0, 0);
	gic_enable(c, PPI_VIRTUAL, true);
	sys_write(cntv_cval_el0, now() + ms_to_ticks(5));
	sys_write(cntv_ctl_el0, 1);
	irqs_on();
	(void)wait_for(c->timer_irqs != count, 2000);
	irqs_off();
	return c->timer_irqs != count;
}

bool wild_firmware_answers(void)
{
	return psci(PSCI_AFFINITY_INFO, cpu_id(0), 0, 0) == 0;
}
