/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What an exit means: fields of the syndrome, and the calls between exit.c,
 * abort.c, mmio.c and inject.c. Pure; on the thread of the running vCPU.
 */
#ifndef AXVMI_ARM_EXIT_H
#define AXVMI_ARM_EXIT_H

#include "backend.h"
#include "insn.h"
#include "regs.h"

/* ESR_ELx, "Exception Syndrome Register". */
#define ESR_EC FIELD64(31, 26)
#define ESR_IL BIT64(25)
#define ESR_ISS FIELD64(24, 0)

/* "Exception classes". */
#define EC_UNKNOWN UINT64_C(0x00)
#define EC_WFX UINT64_C(0x01)
#define EC_CP15_32 UINT64_C(0x03)
#define EC_CP15_64 UINT64_C(0x04)
#define EC_CP14_32 UINT64_C(0x05)
#define EC_CP14_LS UINT64_C(0x06)
#define EC_CP10_ID UINT64_C(0x08)
#define EC_PAUTH UINT64_C(0x09)
#define EC_LS64 UINT64_C(0x0a)
#define EC_CP14_64 UINT64_C(0x0c)
#define EC_SMC32 UINT64_C(0x13)
#define EC_SYSREG128 UINT64_C(0x14)
#define EC_SMC64 UINT64_C(0x17)
#define EC_SVE UINT64_C(0x19)
#define EC_TSTART UINT64_C(0x1b)
#define EC_SME UINT64_C(0x1d)
#define EC_IABT_LOWER UINT64_C(0x20)
#define EC_IABT_SAME UINT64_C(0x21)
#define EC_PC_ALIGN UINT64_C(0x22)
#define EC_DABT_LOWER UINT64_C(0x24)
#define EC_DABT_SAME UINT64_C(0x25)
#define EC_SERROR UINT64_C(0x2f)
#define EC_WATCHPOINT_LOWER UINT64_C(0x34)
#define EC_WATCHPOINT_SAME UINT64_C(0x35)
#define EC_BRK32 UINT64_C(0x38)
#define EC_BRK64 UINT64_C(0x3c)

/* "ISS encoding for an exception from a WF* instruction". */
#define ISS_WFX_TI FIELD64(1, 0)
#define ISS_WFX_WFI UINT64_C(0)
#define ISS_WFX_WFE UINT64_C(1) /* and, with a timeout, 3 */

/* Of conditional AArch32 instructions. */
#define ISS_CV BIT64(24)
#define ISS_COND FIELD64(23, 20)

/* "ISS encoding for an exception from a Data Abort", and an Instruction Abort
 * where it has them. */
#define ISS_FSC FIELD64(5, 0)
#define ISS_WNR BIT64(6)
#define ISS_S1PTW BIT64(7)
#define ISS_CM BIT64(8)
#define ISS_FNV BIT64(10)
#define ISS_SF BIT64(15)
#define ISS_SRT FIELD64(20, 16)
#define ISS_SSE BIT64(21)
#define ISS_SAS FIELD64(23, 22)
#define ISS_ISV BIT64(24)

/* Fault status codes; the first four with the level in bits 1:0. */
#define FSC_TYPE FIELD64(5, 2)
#define FSC_ADDRESS_SIZE UINT64_C(0x00)
#define FSC_TRANSLATION UINT64_C(0x04)
#define FSC_PERMISSION UINT64_C(0x0c)
#define FSC_EXTERNAL UINT64_C(0x10)
#define FSC_EXTERNAL_WALK UINT64_C(0x14) /* level 0 */
#define FSC_ALIGNMENT UINT64_C(0x21)

/* SPSR_EL2 of AArch32: "T", the two parts of "IT"; E, loads and stores are
 * big-endian. */
#define SPSR32_T BIT64(5)
#define SPSR32_E BIT64(9)
#define SPSR32_IT_LOW FIELD64(26, 25)
#define SPSR32_IT_HIGH FIELD64(15, 10)
#define SPSR32_DIT BIT64(21)
#define SPSR32_SSBS BIT64(23)

/* PSTATE fields of AArch64 that an exception keeps or changes. */
#define SPSR_NZCV FIELD64(31, 28)
#define SPSR_DIT BIT64(24)
#define SPSR_UAO BIT64(23)
#define SPSR_SSBS BIT64(12)
#define SPSR_BTYPE FIELD64(11, 10)
#define SPSR_DAIF (SPSR_D | SPSR_A | SPSR_I | SPSR_F)

/* SCTLR_EL1 of the guest. */
#define SCTLR_SPAN BIT64(23)
#define SCTLR_DSSBS BIT64(44)
/* "SCTLR_EL1": bits that are RES1 in cores without FEAT_LSMAOC, ExS, PAN and
 * the like; what a kernel starts with. */
#define SCTLR_RES1 UINT64_C(0x30d00800)

static inline uint64_t esr_make(uint64_t ec, uint64_t iss)
{
	return FIELD_PUT(ESR_EC, ec) | ESR_IL | iss;
}

static inline uint64_t esr_ec(uint64_t esr)
{
	return FIELD_GET(ESR_EC, esr);
}

static inline bool arm_is_el0(const struct arm_vcpu *v)
{
	/* AArch32 is at EL0 or nowhere. */
	return (v->frame.pstate & SPSR_MODE) == 0 ||
	       (v->frame.pstate & SPSR_AARCH32) != 0;
}

/* x31 is the zero register. */
static inline uint64_t arm_read_x(const struct arm_vcpu *v, unsigned n)
{
	return n < 31 ? v->frame.x[n] : 0;
}

static inline void arm_write_x(struct arm_vcpu *v, unsigned n, uint64_t value)
{
	if (n < 31)
		v->frame.x[n] = value;
}

/* ISV 1: the syndrome says all of the instruction. */
static inline struct arm_insn arm_insn_from_esr(uint64_t esr)
{
	struct arm_insn insn = {
		.kind = (esr & ISS_WNR) != 0 ? ARM_INSN_STORE : ARM_INSN_LOAD,
		.count = 1,
		.width = 1u << FIELD_GET(ISS_SAS, esr),
		.rt = (uint32_t)FIELD_GET(ISS_SRT, esr),
		.sign = (esr & ISS_SSE) != 0,
		.wide = (esr & ISS_SF) != 0,
	};

	return insn;
}

/* pc and the syndrome into the exit. */
static inline void arm_fill_exit(struct arm_vcpu *v,
				 const struct arm_syndrome *s)
{
	struct axvm_exit *exit = v->core.exit;

	exit->pc = v->frame.pc;
	exit->valid |= AXVM_EXIT_RAW_VALID;
	exit->raw[0] = s->esr;
	exit->raw[1] = s->far;
	exit->raw[2] = s->hpfar;
	exit->raw[3] = 0;
}

/* ---- abort.c ---- */

/* Data and Instruction Aborts of stage 2; as axvmi_arm_exit(). */
int axvmi_arm_abort(struct arm_vcpu *v, const struct arm_syndrome *s);

/*
 * The syndrome with which the guest itself would get the abort `esr`, as an
 * exception to EL1 from where it is now, the fault status being `fsc`.
 */
uint64_t axvmi_arm_abort_esr(const struct arm_vcpu *v, uint64_t esr,
			     uint64_t fsc);

/* ---- mmio.c ---- */

/* An access outside RAM; `space` is a device or NULL. The vCPU has not been left
 * yet: the instruction may have to be read. As axvmi_arm_exit(). */
int axvmi_arm_mmio(struct arm_vcpu *v, const struct arm_syndrome *s,
		   uint64_t gpa, const struct axvmi_space *space);

/* The host's answer to an MMIO exit. */
void axvmi_arm_mmio_complete(struct arm_vcpu *v,
			     enum axvm_complete_action action, uint64_t value);

/* ---- inject.c ---- */

/* An AArch64 instruction is done, or not executed: pc moves on. */
static inline void arm_skip64(struct arm_vcpu *v)
{
	v->frame.pc += 4;
	v->frame.pstate &= ~(SPSR_BTYPE | SPSR_SS);
}

/* An AArch32 one, which `esr`'s IL says the length of. */
void axvmi_arm_skip32(struct arm_vcpu *v, uint64_t esr);

/* Either, by the state the vCPU is in. */
static inline void arm_skip(struct arm_vcpu *v, uint64_t esr)
{
	if ((v->frame.pstate & SPSR_AARCH32) == 0)
		arm_skip64(v);
	else
		axvmi_arm_skip32(v, esr);
}

/* Does the AArch32 instruction that trapped with `esr` pass its condition? True
 * of every one that has none. */
bool axvmi_arm_condition(const struct arm_vcpu *v, uint64_t esr);

/* An instruction that does not exist: "Unknown reason". */
void axvmi_arm_undefined(struct arm_vcpu *v);

/* ---- cp15.c ---- */

/* MCR, MRC, MCRR, MRRC of AArch32 code; as axvmi_arm_exit(). */
int axvmi_arm_cp15(struct arm_vcpu *v, const struct arm_syndrome *s);

/* ---- sysreg.c ---- */

/* The host's answer to a SYSREG exit. */
void axvmi_arm_sysreg_complete(struct arm_vcpu *v,
			       enum axvm_complete_action action,
			       uint64_t value);

#endif
