/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Part of the suite sysreg: registers of features that no guest has, whatever the
 * CPU has (DDI 0487, "AArch64 System register descriptions"): their field of
 * identification is zero, and all of them are undefined to read and to write.
 */
#include "insn.h"
#include "sysreg.h"

/* A field of ID register `crm`, `op2`, and registers: ranges of CRm and op2. */
struct feature {
	const char *name;
	uint8_t id_crm, id_op2, id_low;
	uint8_t op0, op1, crn, crm, crm_last, op2, op2_last;
};

static const struct feature features[] = {
	{"RAS: ERRIDR, ERRSELR", 4, 0, 28, 3, 0, 5, 3, 3, 0, 1},
	{"RAS: error records", 4, 0, 28, 3, 0, 5, 4, 4, 0, 7},
	{"SVE: ZCR_EL1", 4, 0, 32, 3, 0, 1, 2, 2, 0, 0},
	{"SME: SMCR_EL1", 4, 1, 24, 3, 0, 1, 2, 2, 6, 6},
	{"SME: SVCR", 4, 1, 24, 3, 3, 4, 2, 2, 2, 2},
	{"MTE: RGSR_EL1, GCR_EL1", 4, 1, 8, 3, 0, 1, 0, 0, 5, 6},
	{"MTE: TFSR_EL1, TFSRE0_EL1", 4, 1, 8, 3, 0, 5, 6, 6, 0, 1},
	{"MTE: GMID_EL1", 4, 1, 8, 3, 1, 0, 0, 0, 4, 4},
	{"PMU: controls", 5, 0, 8, 3, 3, 9, 12, 12, 0, 7},
	{"PMU: counts", 5, 0, 8, 3, 3, 9, 13, 13, 0, 2},
	{"PMU: PMUSERENR, PMOVSSET", 5, 0, 8, 3, 3, 9, 14, 14, 0, 3},
	{"PMU: PMINTENSET, CLR, PMMIR", 5, 0, 8, 3, 0, 9, 14, 14, 1, 6},
	{"PMU: counters and types", 5, 0, 8, 3, 3, 14, 8, 15, 0, 7},
	{"statistical profiling", 5, 0, 32, 3, 0, 9, 9, 10, 0, 7},
	{"trace buffers", 5, 0, 44, 3, 0, 9, 11, 11, 0, 7},
	{"activity monitors", 4, 0, 44, 3, 3, 13, 2, 15, 0, 7},
	{"MPAM", 4, 0, 40, 3, 0, 10, 5, 5, 0, 1},
	{"MPAMIDR_EL1", 4, 0, 40, 3, 0, 10, 4, 4, 4, 4},
	{"limited ordering regions", 7, 1, 16, 3, 0, 10, 4, 4, 0, 3},
	{"LORID_EL1", 7, 1, 16, 3, 0, 10, 4, 4, 7, 7},
	{"self-synchronised counters", 7, 0, 60, 3, 3, 14, 0, 0, 5, 6},
	{"TCR2_EL1", 7, 3, 0, 3, 0, 2, 0, 0, 3, 3},
	{"PIRE0_EL1, PIR_EL1", 7, 3, 8, 3, 0, 10, 2, 2, 2, 3},
	{"NMI: ICC_NMIAR1_EL1", 4, 1, 36, 3, 0, 12, 9, 9, 5, 5},
};

static bool undefined(uint32_t insn, bool traps)
{
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	after = exec(insn, &f);
	return (esr_ec(after) == EC_UNKNOWN ||
		(traps && esr_ec(after) == EC_SYSREG)) &&
	       after->pc == f.pc && unchanged(after, &f, 0);
}

/* What is not there among identification may trap instead ("FEAT_IDST"). */
static bool one_hidden(uint32_t reg)
{
	bool ok = undefined(insn_mrs(reg, 9), (reg >> 7 & 15) == 0) &&
		  undefined(insn_msr(reg, 9), false);

	if (!ok)
		note("op0 %u op1 %u CRn %u CRm %u op2 %u is there: ESR 0x%lx",
		     reg >> 14 & 3, reg >> 11 & 7, reg >> 7 & 15, reg >> 3 & 15,
		     reg & 7, self()->frame.esr);
	return ok;
}

static bool all_hidden(const struct feature *f)
{
	bool ok = true;

	for (uint32_t crm = f->crm; crm <= f->crm_last; crm++) {
		for (uint32_t op2 = f->op2; op2 <= f->op2_last; op2++)
			ok = one_hidden(SYSREG(f->op0, f->op1, f->crn, crm,
					       op2)) &&
			     ok;
	}
	return ok;
}

/* Of the trace unit: op1 is 1, CRn up to 7, and 8 to 15 for branch records. */
static bool trace_hidden(void)
{
	bool ok = true;

	for (uint32_t reg = SYSREG(2, 1, 0, 0, 0);
	     reg <= SYSREG(2, 1, 9, 15, 7); reg++)
		ok = one_hidden(reg) && ok;
	return ok;
}

void hidden(void)
{
	if (!machine.axvm) {
		skip("QEMU has some", "what guests do not have");
		return;
	}
	/* Else CPACR_EL1 would trap to EL1 what is of SVE and SME. */
	sys_write(cpacr_el1, CPACR_ALL);
	for (uint32_t i = 0; i < COUNT_OF(features); i++) {
		const struct feature *f = &features[i];
		uint64_t id = id_register(f->id_crm, f->id_op2);

		check((id >> f->id_low & 15) == 0 && all_hidden(f),
		      "not there: %s", f->name);
	}
	check(trace_hidden(), "not there: the trace unit");
	sys_write(cpacr_el1, CPACR_FP);
}
