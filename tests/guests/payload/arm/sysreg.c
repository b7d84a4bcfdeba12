/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * System registers (DDI 0487, "AArch64 System register descriptions"): every
 * number read, what can be read written back; that identification is complete,
 * the same everywhere, and true: what it claims works, what it denies does not.
 */
#include "insn.h"
#include "sysreg.h"

static uint8_t code[PAGE] __attribute__((aligned(4096)));

static const struct frame *at_el0(uint32_t insn, struct frame *f)
{
	return exec_at(code, TEST_VA, insn, f, true);
}

/* An instruction that the guest has not got. */
static bool undefined(const struct frame *after, const struct frame *f)
{
	return esr_ec(after) == EC_UNKNOWN && after->pc == f->pc &&
	       unchanged(after, f, 0);
}

/* False when the CPU does not have the register. */
static bool read_reg(uint32_t reg, uint64_t *value)
{
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	after = exec(insn_mrs(reg, 9), &f);
	*value = after->x[9];
	return retired(after, &f);
}

/* ---- Identification ---- */

#define ID(crm, op2) SYSREG(3, 0, 0, crm, op2)

uint64_t id_register(uint32_t crm, uint32_t op2)
{
	uint64_t v = 0;

	(void)read_reg(ID(crm, op2), &v);
	return v;
}

static uint32_t field(uint64_t v, uint32_t low)
{
	return (uint32_t)(v >> low) & 15;
}

static void id_space(void)
{
	struct frame f;
	const struct frame *after;
	bool all = true, constant = true, private = true;
	uint64_t v;

	for (uint32_t n = 8; n < 64; n++) {
		uint32_t reg = ID(n / 8, n % 8);

		all = all && read_reg(reg, &v);
		frame_fill(&f);
		constant =
			constant && undefined(exec(insn_msr(reg, 9), &f), &f);
		frame_fill(&f);
		after = at_el0(insn_mrs(reg, 9), &f);
		/* "FEAT_IDST" traps instead. */
		private = private &&
			  (esr_ec(after) == EC_UNKNOWN ||
			   esr_ec(after) == EC_SYSREG) &&
			  after->x[9] == f.x[9];
	}
	check(all, "all of the identification space can be read");
	check(constant, "nothing of it can be written");
	check(private, "nothing of it can be read at EL0");
	check(sys_read(midr_el1) != 0, "MIDR_EL1 names the CPU");
	check_eq(sys_read(mpidr_el1) & 0xff00ffffffull, machine.affinity[0],
		 "MPIDR_EL1 is what the device tree says");
	check((sys_read(mpidr_el1) & 1ull << 31) != 0 &&
		      (machine.cpu_count == 1 ||
		       (sys_read(mpidr_el1) & 1ull << 30) == 0),
	      "and not that of a uniprocessor");
}

static void denied(void)
{
	uint64_t pfr0 = id_register(4, 0), v;
	struct frame f;

	check(field(pfr0, 4) >= 1, "EL1 is AArch64's");
	check_eq(field(pfr0, 8), 0, "there is no EL2");
	check_eq(field(pfr0, 12), 0, "there is no EL3");
	check_eq(field(pfr0, 24), 1, "there is a GIC by system registers");
	if (!machine.axvm) {
		skip("QEMU has them", "no PMU, RAS, SVE, MTE, VHE, statistics");
		return;
	}
	check(field(pfr0, 28) == 0 && field(pfr0, 32) == 0 &&
		      field(pfr0, 40) == 0 && field(pfr0, 44) == 0,
	      "no RAS, SVE, MPAM, AMU");
	check(field(id_register(4, 1), 8) == 0 &&
		      field(id_register(4, 1), 24) == 0,
	      "no MTE, SME");
	check(field(id_register(5, 0), 8) == 0 &&
		      field(id_register(5, 0), 32) == 0 &&
		      field(id_register(5, 0), 4) == 0,
	      "no PMU, statistics, trace");
	check(field(id_register(7, 1), 8) == 0, "no VHE");
	check_eq(field(pfr0, 4), 1, "EL1 is not AArch32's");
	/* Else CPACR_EL1.ZEN of a CPU that has SVE would trap it to EL1. */
	sys_write(cpacr_el1, CPACR_ALL);
	frame_fill(&f);
	check(undefined(exec(0x0420e3e9, &f), &f), "CNTB of SVE is undefined");
	frame_fill(&f);
	check(undefined(exec(0xd53b9c09, &f), &f), "PMCR_EL0 is undefined");
	check(!read_reg(SYSREG(3, 0, 5, 3, 0), &v), "ERRIDR_EL1 is undefined");
	check(!read_reg(SYSREG(3, 0, 1, 2, 0), &v), "ZCR_EL1 is undefined");
	check(!read_reg(SYSREG(3, 0, 1, 2, 6), &v), "SMCR_EL1 is undefined");
	check(!read_reg(SYSREG(3, 0, 9, 9, 0), &v), "PMSCR_EL1 is undefined");
	check(!read_reg(SYSREG(3, 4, 1, 1, 0), &v), "HCR_EL2 is undefined");
	check(!read_reg(SYSREG(3, 5, 1, 0, 0), &v), "SCTLR_EL12 is undefined");
	check(!read_reg(SYSREG(3, 0, 1, 0, 6), &v), "GCR_EL1 is undefined");
	check(field(pfr0, 56) <= 1 && !read_reg(SYSREG(3, 0, 13, 0, 7), &v) &&
		      !read_reg(SYSREG(3, 3, 13, 0, 7), &v),
	      "SCXTNUM_EL1 and _EL0 are neither claimed nor there");
	sys_write(cpacr_el1, CPACR_FP);
}

/* What is claimed; the field has at least `least`. */
static void claimed(void)
{
	static const struct {
		const char *name;
		uint8_t crm, op2, low, least;
		uint32_t insn;
	} list[] = {
		{"AESE", 6, 0, 4, 1, 0x4e284820},
		{"SHA1H", 6, 0, 8, 1, 0x5e280820},
		{"SHA256SU0", 6, 0, 12, 1, 0x5e282820},
		{"CRC32X", 6, 0, 16, 1, 0x9ac84d29},
		{"LDADD", 6, 0, 20, 2, 0xb8290109},
		{"SQRDMLAH", 6, 0, 28, 1, 0x6e828420},
		{"SDOT", 6, 0, 44, 1, 0x4e829420},
		{"FCADD", 6, 1, 16, 1, 0x6e82e420},
		{"FJCVTZS", 6, 1, 12, 1, 0x1e7e0029},
		{"LDAPR", 6, 1, 20, 1, 0xb8bfc109},
		{"DC CVAP", 6, 1, 0, 1, 0xd50b7c28},
		{"FADD h", 4, 0, 16, 1, 0x1ee22820},
		{"MSR PAN", 7, 1, 20, 1, 0xd500409f},
		{"MSR UAO", 7, 2, 4, 1, 0xd500407f},
		{"SB", 6, 1, 36, 1, 0xd50330ff},
	};
	static uint64_t data[2] __attribute__((aligned(16)));
	struct frame f;
	const struct frame *after;

	for (uint32_t i = 0; i < COUNT_OF(list); i++) {
		uint32_t v = field(id_register(list[i].crm, list[i].op2),
				   list[i].low);

		/* 15 of a signed field: absent. */
		if (v < list[i].least || v == 15) {
			skip("not claimed", "%s works", list[i].name);
			continue;
		}
		frame_fill(&f);
		f.x[8] = (uint64_t)data;
		after = exec(list[i].insn, &f);
		check(retired(after, &f), "%s works", list[i].name);
	}
}

static volatile uint64_t ids_of[MAX_CPUS][64];

static void read_ids(struct cpu *c)
{
	for (uint32_t n = 8; n < 64; n++)
		ids_of[c - cpus][n] = id_register(n / 8, n % 8);
	ids_of[c - cpus][0] = sys_read(midr_el1);
	ids_of[c - cpus][1] = sys_read(ctr_el0);
	ids_of[c - cpus][2] = sys_read(dczid_el0);
	ids_of[c - cpus][3] = sys_read(cntfrq_el0);
	c->result = sys_read(mpidr_el1) & 0xff00ffffffull;
}

static void same_everywhere(void)
{
	read_ids(self());
	for (uint32_t slot = 1; slot < machine.cpu_count; slot++) {
		bool equal;

		(void)cpu_start(slot, read_ids, 0);
		equal = cpu_join(slot, 5000);
		for (uint32_t n = 0; n < 64; n++)
			equal = equal && ids_of[slot][n] == ids_of[0][n];
		check(equal, "CPU 0x%lx is like the boot CPU",
		      machine.affinity[slot]);
		check_eq(cpus[slot].result, machine.affinity[slot],
			 "but has its own MPIDR_EL1");
	}
}

static void caches(void)
{
	uint64_t clidr = sys_read(clidr_el1);
	bool ok = true;

	for (uint32_t level = 0; level < 7; level++) {
		uint32_t type = (uint32_t)(clidr >> 3 * level) & 7;

		if (type == 0)
			break;
		for (uint32_t insn = 0; insn < 2; insn++) {
			if (insn != 0 ? (type & 1) == 0 : type == 1)
				continue;
			sys_write(csselr_el1, level << 1 | insn);
			delay_ms(1);
			ok = ok &&
			     sys_read(csselr_el1) == (level << 1 | insn) &&
			     (sys_read(ccsidr_el1) & 7) <= 4;
		}
	}
	check(ok, "CSSELR_EL1 selects the caches of CLIDR_EL1");
	check((sys_read(ctr_el0) >> 16 & 15) >= 2 &&
		      (sys_read(ctr_el0) & 15) >= 2,
	      "CTR_EL0 has lines");
}

/* ---- Every number ---- */

/* Reads that change something: acknowledges, and the console of a debugger. */
static bool has_effect(uint32_t reg)
{
	return reg == SYSREG(3, 0, 12, 12, 0) ||
	       reg == SYSREG(3, 0, 12, 8, 0) || reg == SYSREG(2, 3, 0, 5, 0);
}

/* Retired with one register changed, or undefined; at EL0 also trapped, and of
 * identification everywhere ("FEAT_IDST"). */
static bool fair(const struct frame *after, const struct frame *f,
		 uint32_t changed, bool user)
{
	uint32_t insn =
		*(volatile uint32_t *)(user ? code : (uint8_t *)self()->code);
	bool traps = user || ((insn >> 19 & 3) == 3 && (insn >> 12 & 15) == 0);

	if (retired(after, f))
		return unchanged(after, f, changed);
	return (esr_ec(after) == EC_UNKNOWN ||
		(traps && esr_ec(after) == EC_SYSREG)) &&
	       after->pc == f->pc && unchanged(after, f, 0);
}

static bool sweep_one(uint32_t reg, uint32_t *present)
{
	struct frame f;
	const struct frame *after;
	uint64_t v;
	bool ok;

	frame_fill(&f);
	after = exec(insn_mrs(reg, 9), &f);
	ok = fair(after, &f, 1u << 9, false);
	if (ok && retired(after, &f)) {
		v = after->x[9];
		*present += 1;
		frame_fill(&f);
		f.x[9] = v;
		ok = fair(exec(insn_msr(reg, 9), &f), &f, 0, false);
	}
	if (!ok)
		note("op0 %u op1 %u CRn %u CRm %u op2 %u: ESR 0x%lx pc 0x%lx",
		     reg >> 14 & 3, reg >> 11 & 7, reg >> 7 & 15, reg >> 3 & 15,
		     reg & 7, self()->frame.esr, self()->frame.pc);
	return ok;
}

static void sweep(void)
{
	uint32_t present = 0, bad = 0;

	sys_write(cpacr_el1, CPACR_ALL);
	for (uint32_t reg = 2u << 14; reg < 4u << 14; reg++) {
		/* EL2's and EL3's are all one case. */
		if (!has_effect(reg) && (reg >> 11 & 7) < 4)
			bad += !sweep_one(reg, &present);
	}
	for (uint32_t reg = SYSREG(2, 4, 0, 0, 0); reg < 4u << 14; reg += 11) {
		if ((reg >> 11 & 7) >= 4)
			bad += !sweep_one(reg, &present);
	}
	check_eq(bad, 0, "every number is a register or undefined");
	check(present > 80, "and many are registers (%u)", present);
	sys_write(cpacr_el1, CPACR_FP);
	gic_cpu_start(self());
}

static void sweep_el0(void)
{
	uint32_t bad = 0;
	struct frame f;
	const struct frame *after;

	sys_write(cpacr_el1, CPACR_ALL);
	for (uint32_t reg = 2u << 14; reg < 4u << 14; reg++) {
		if ((reg >> 11 & 7) != 3 && reg % 7 != 0)
			continue;
		frame_fill(&f);
		after = at_el0(insn_mrs(reg, 9), &f);
		if (!fair(after, &f, 1u << 9, true) || after->vector != 8)
			bad++;
	}
	sys_write(cpacr_el1, CPACR_FP);
	check_eq(bad, 0, "at EL0 every number reads, traps or is undefined");
}

/* ---- Traps to EL1 have the syndrome of the guest's instruction ---- */

static void syndrome(void)
{
	uint64_t sctlr = sys_read(sctlr_el1);
	struct frame f;
	const struct frame *after;
	uint64_t iss;

	sys_write(sctlr_el1, sctlr & ~(1ull << 15));
	frame_fill(&f);
	after = at_el0(insn_mrs(SYSREG(3, 3, 0, 0, 1), 17), &f);
	/* "ISS encoding for an exception from MSR, MRS": op0 op2 op1 CRn Rt CRm
	 * direction. */
	iss = 3u << 20 | 1u << 17 | 3u << 14 | 17u << 5 | 1u;
	check(esr_ec(after) == EC_SYSREG && (after->esr & 0x1ffffff) == iss,
	      "CTR_EL0 at EL0 traps with its syndrome");
	sys_write(cntkctl_el1, 0);
	after = at_el0(insn_msr(SYSREG(3, 3, 14, 2, 1), 5), &f);
	iss = 3u << 20 | 1u << 17 | 3u << 14 | 14u << 10 | 5u << 5 | 2u << 1;
	check(esr_ec(after) == EC_SYSREG && (after->esr & 0x1ffffff) == iss,
	      "CNTP_CTL_EL0 at EL0 traps with its syndrome");
	sys_write(sctlr_el1, sctlr);
}

/* ---- Debug: there, and quiet ---- */

static void debug(void)
{
	struct frame f;
	const struct frame *after;
	uint64_t v;

	check(read_reg(SYSREG(2, 0, 0, 2, 2), &v), "MDSCR_EL1 is there");
	check(read_reg(SYSREG(2, 0, 0, 0, 4), &v) &&
		      read_reg(SYSREG(2, 0, 0, 1, 7), &v),
	      "so are two breakpoints and watchpoints");
	frame_fill(&f);
	f.x[9] = 0;
	check(retired(exec(insn_msr(SYSREG(2, 0, 1, 0, 4), 9), &f), &f),
	      "OSLAR_EL1 can be written");
	check(read_reg(SYSREG(2, 0, 1, 1, 4), &v) && (v & 2) == 0,
	      "the OS lock is not locked then");
	/* Without MDSCR_EL1.SS this bit means nothing. */
	frame_fill(&f);
	f.pstate = PSTATE_SS;
	after = exec(INSN_NOP, &f);
	check(retired(after, &f), "PSTATE.SS alone steps nothing");
}

/* ---- Registers keep what is written ---- */

#define KEEPS(reg, value, mask)                                            \
	do {                                                               \
		uint64_t old_ = sys_read(reg);                             \
		uint64_t got_;                                             \
		sys_write(reg, value);                                     \
		(void)psci(PSCI_VERSION, 0, 0, 0);                         \
		(void)read32(GICD(GICD_TYPER));                            \
		got_ = sys_read(reg);                                      \
		sys_write(reg, old_);                                      \
		check_eq(got_ &(mask), (value) & (mask), #reg " is kept"); \
	} while (0)

static void kept(void)
{
	uint64_t v = 0x123456789abcdef0ull;

	KEEPS(tpidr_el0, v, ~0ull);
	KEEPS(tpidrro_el0, ~v, ~0ull);
	KEEPS(contextidr_el1, v, 0xffffffff);
	KEEPS(par_el1, 1 | 0x55 << 1, 0x7f);
	KEEPS(elr_el1, v & ~3ull, ~0ull);
	KEEPS(spsr_el1, PSTATE_NZCV | PSTATE_EL1H, 0xf000000f);
	KEEPS(esr_el1, 0xf2000123, 0xffffffff);
	KEEPS(far_el1, v, ~0ull);
	KEEPS(sp_el0, v & ~15ull, ~0ull);
	KEEPS(ttbr1_el1, 0x45678000ull, 0xfffffffff000ull);
	KEEPS(mair_el1, 0x1100ff000044ff00ull, ~0ull);
	KEEPS(cntkctl_el1, 0x303, 0x3ff);
	KEEPS(csselr_el1, 2, 0xf);
	/* DISR_EL1, if the CPU has FEAT_RAS, which it does not say. */
	if (read_reg(SYSREG(3, 0, 12, 1, 1), &v))
		KEEPS(S3_0_C12_C1_1, 1ull << 31 | 0x42, 1ull << 31 | 0xffffff);
}

void suite(void)
{
	paging_map(TEST_VA, (uint64_t)code, PTE_NORMAL | PTE_EL0 | PTE_PXN);
	id_space();
	denied();
	hidden();
	claimed();
	same_everywhere();
	caches();
	syndrome();
	debug();
	kept();
	sweep();
	sweep_el0();
}
