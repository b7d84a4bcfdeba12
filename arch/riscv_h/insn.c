/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The rarer half of instruction decoding; the common integer loads and stores
 * are inline in insn.h. Pure functions without state, called by the exit path
 * of the vCPU with whatever the guest's memory holds.
 */
#include "insn.h"

#include <stddef.h>

/* Major opcodes (Unprivileged, "RV32/64G Instruction Set Listings"). */
#define OPCODE_LOAD_FP 0x07u
#define OPCODE_MISC_MEM 0x0fu
#define OPCODE_STORE_FP 0x27u
#define OPCODE_AMO 0x2fu
#define OPCODE_SYSTEM 0x73u

#define FUNCT5_LR 0x02u
#define FUNCT5_SC 0x03u
#define FUNCT5_CAS 0x05u
/* Bit n: funct5 n is swap, add, cas, xor, or, and, min, max, minu or maxu. */
#define AMO_FUNCT5 0x11111133u

static uint32_t field(uint32_t insn, unsigned low, unsigned count)
{
	return insn >> low & ((1u << count) - 1);
}

/* `count` bits from `low` on, moved to bit `to`: RVC scatters immediates. */
static uint32_t moved(uint32_t insn, unsigned low, unsigned count, unsigned to)
{
	return field(insn, low, count) << to;
}

/*
 * LOAD-FP and STORE-FP: funct3 1-4 are scalars of 2-16 bytes, 0 and 5-7
 * vectors (RVV, "Vector Loads and Stores"), of which mew = 1 is reserved.
 */
static void classify_fp(uint32_t insn, struct riscv_insn *out)
{
	bool store = field(insn, 0, 7) == OPCODE_STORE_FP;
	uint32_t funct3 = field(insn, 12, 3);

	if (funct3 == 0 || funct3 > 4) {
		if (field(insn, 28, 1) == 0) {
			out->kind = RISCV_INSN_VECTOR;
			out->reg = field(insn, 7, 5);
		}
		return;
	}
	out->kind = store ? RISCV_INSN_FP_STORE : RISCV_INSN_FP_LOAD;
	out->reg = field(insn, store ? 20 : 7, 5);
	/* flq and fsq do not fit an exit record: width stays 0. */
	out->width = (1u << funct3) & 0xe;
}

static enum riscv_insn_kind amo_kind(uint32_t insn)
{
	uint32_t funct5 = field(insn, 27, 5);
	uint32_t funct3 = field(insn, 12, 3);
	bool word_or_double = funct3 == 2 || funct3 == 3;

	if (funct5 == FUNCT5_LR)
		return word_or_double && field(insn, 20, 5) == 0
			       ? RISCV_INSN_LR
			       : RISCV_INSN_OTHER;
	if (funct5 == FUNCT5_SC)
		return word_or_double ? RISCV_INSN_SC : RISCV_INSN_OTHER;
	if ((AMO_FUNCT5 >> funct5 & 1) == 0)
		return RISCV_INSN_OTHER;
	if (funct3 < 4)
		return RISCV_INSN_AMO;
	/* amocas.q works on register pairs: odd numbers are reserved. */
	if (funct3 == 4 && funct5 == FUNCT5_CAS && field(insn, 20, 1) == 0 &&
	    field(insn, 7, 1) == 0)
		return RISCV_INSN_AMO;
	return RISCV_INSN_OTHER;
}

static void classify_amo(uint32_t insn, struct riscv_insn *out)
{
	out->kind = amo_kind(insn);
	if (out->kind == RISCV_INSN_OTHER)
		return;
	out->reg = field(insn, 7, 5);
	out->width = (1u << field(insn, 12, 3)) & 0xf;
}

/* Zicbom, Zicboz: operation in bits 31:20, rd = 0. */
static bool is_cbo(uint32_t insn)
{
	uint32_t operation = field(insn, 20, 12);

	return field(insn, 7, 8) == 2u << 5 &&
	       (operation <= 2 || operation == 4);
}

/* Zcb's five loads and stores, quadrant 0, funct3 100 (Zc, "Zcb"). */
static void classify_zcb(uint32_t insn, struct riscv_insn *out)
{
	static const struct {
		uint8_t kind;
		uint8_t width;
		bool sign;
	} form[8] = {
		/* index: bits 11:10, then bit 6, an address bit of bytes */
		[0] = {RISCV_INSN_LOAD, 1, false}, /* c.lbu */
		[1] = {RISCV_INSN_LOAD, 1, false},
		[2] = {RISCV_INSN_LOAD, 2, false}, /* c.lhu */
		[3] = {RISCV_INSN_LOAD, 2, true}, /* c.lh */
		[4] = {RISCV_INSN_STORE, 1, false}, /* c.sb */
		[5] = {RISCV_INSN_STORE, 1, false},
		[6] = {RISCV_INSN_STORE, 2, false}, /* c.sh */
	};
	uint32_t index = moved(insn, 10, 2, 1) | field(insn, 6, 1);

	if (field(insn, 12, 1) != 0 || form[index].width == 0)
		return;
	out->kind = (enum riscv_insn_kind)form[index].kind;
	out->width = form[index].width;
	out->sign = form[index].sign ? 1 : 0;
	out->reg = 8 + field(insn, 2, 3);
}

/* c.lwsp, c.ldsp, c.swsp, c.sdsp. */
static void classify_stack(uint32_t insn, struct riscv_insn *out)
{
	bool store = field(insn, 15, 1) != 0;
	uint32_t reg = field(insn, store ? 2 : 7, 5);

	/* Loads with rd = x0 are reserved. */
	if (!store && reg == 0)
		return;
	*out = riscv_insn_integer(store, field(insn, 13, 2), reg,
				  !store && field(insn, 13, 1) == 0);
	out->length = 2;
}

/* The stack-pointer forms, c.fld, c.fsd and Zcb; RV64 has no c.flw. */
static void classify_compressed(uint32_t insn, struct riscv_insn *out)
{
	bool store = field(insn, 15, 1) != 0;
	bool stack = field(insn, 0, 2) == 2;

	if (field(insn, 0, 1) != 0)
		return;
	if (field(insn, 13, 3) == 4 && !stack)
		classify_zcb(insn, out);
	if (field(insn, 14, 1) != 0 && stack)
		classify_stack(insn, out);
	if (field(insn, 13, 2) != 1)
		return;
	out->kind = store ? RISCV_INSN_FP_STORE : RISCV_INSN_FP_LOAD;
	out->width = 8;
	if (stack)
		out->reg = field(insn, store ? 2 : 7, 5);
	else
		out->reg = 8 + field(insn, 2, 3);
}

struct riscv_insn axvmi_riscv_insn_classify(uint32_t insn)
{
	struct riscv_insn out = {.kind = RISCV_INSN_OTHER};

	out.length = riscv_insn_length(insn);
	if (out.length == 2) {
		classify_compressed(insn, &out);
		return out;
	}
	switch (field(insn, 0, 7)) {
	case OPCODE_LOAD_FP:
	case OPCODE_STORE_FP:
		classify_fp(insn, &out);
		break;
	case OPCODE_AMO:
		classify_amo(insn, &out);
		break;
	case OPCODE_MISC_MEM:
		if (is_cbo(insn))
			out.kind = RISCV_INSN_CBO;
		break;
	default:
		break;
	}
	return out;
}

/* Immediates of the stack-pointer forms, CI and CSS. */
static uint32_t stack_offset(uint32_t insn, bool store, uint64_t width)
{
	if (store && width == 4)
		return moved(insn, 9, 4, 2) | moved(insn, 7, 2, 6);
	if (store)
		return moved(insn, 10, 3, 3) | moved(insn, 7, 3, 6);
	if (width == 4)
		return moved(insn, 12, 1, 5) | moved(insn, 4, 3, 2) |
		       moved(insn, 2, 2, 6);
	return moved(insn, 12, 1, 5) | moved(insn, 5, 2, 3) |
	       moved(insn, 2, 3, 6);
}

/* Immediates of the register forms, CL and CS, and of Zcb. */
static uint32_t register_offset(uint32_t insn, uint64_t width)
{
	switch (width) {
	case 1:
		return moved(insn, 5, 1, 1) | field(insn, 6, 1);
	case 2:
		return moved(insn, 5, 1, 1);
	case 4:
		return moved(insn, 10, 3, 3) | moved(insn, 6, 1, 2) |
		       moved(insn, 5, 1, 6);
	default:
		return moved(insn, 10, 3, 3) | moved(insn, 5, 2, 6);
	}
}

static void compressed_address(uint32_t insn, struct riscv_insn decoded,
			       struct riscv_insn_address *out)
{
	bool store = decoded.kind == RISCV_INSN_STORE ||
		     decoded.kind == RISCV_INSN_FP_STORE;

	if (field(insn, 0, 2) == 2) {
		out->base = 2;
		out->offset = (int32_t)stack_offset(insn, store, decoded.width);
	} else {
		out->base = (uint8_t)(8 + field(insn, 7, 3));
		out->offset = (int32_t)register_offset(insn, decoded.width);
	}
}

bool axvmi_riscv_insn_address(uint32_t insn, struct riscv_insn_address *out)
{
	struct riscv_insn decoded = riscv_insn_decode(insn);
	uint32_t offset = 0;

	if (decoded.kind == RISCV_INSN_OTHER ||
	    decoded.kind == RISCV_INSN_VECTOR)
		return false;
	if (decoded.length == 2) {
		compressed_address(insn, decoded, out);
		return true;
	}
	if (decoded.kind == RISCV_INSN_LOAD ||
	    decoded.kind == RISCV_INSN_FP_LOAD)
		offset = field(insn, 20, 12);
	else if (decoded.kind == RISCV_INSN_STORE ||
		 decoded.kind == RISCV_INSN_FP_STORE)
		offset = moved(insn, 25, 7, 5) | field(insn, 7, 5);
	out->base = (uint8_t)field(insn, 15, 5);
	out->offset = (int32_t)(int64_t)sign_extend64(offset, 12);
	return true;
}

/* One system instruction: which bits are fixed, and to what. */
struct sys_form {
	uint32_t mask;
	uint32_t match;
	enum riscv_sys_kind kind;
};

#define EXACT 0xffffffffu
#define RS1_RS2 0xfe007fffu /* free: both sources */
#define RD_RS1 0xfff0707fu /* free: destination and address */
#define HSV_ANY 0xf2007fffu /* as RS1_RS2, and the size in 27:26 */

/*
 * Privileged, "RISC-V Privileged Instruction Set Listings"; Zawrs. The likely
 * ones come first.
 */
static const struct sys_form sys_forms[] = {
	{EXACT, 0x10500073, RISCV_SYS_WFI},
	{RS1_RS2, 0x12000073, RISCV_SYS_SFENCE_VMA},
	{RS1_RS2, 0x16000073, RISCV_SYS_SFENCE_VMA}, /* sinval.vma */
	{EXACT, 0x10200073, RISCV_SYS_SRET},
	{EXACT, 0x00000073, RISCV_SYS_ECALL},
	{EXACT, 0x00100073, RISCV_SYS_EBREAK},
	{EXACT, 0x00d00073, RISCV_SYS_WRS}, /* wrs.nto */
	{EXACT, 0x01d00073, RISCV_SYS_WRS}, /* wrs.sto */
	{EXACT, 0x30200073, RISCV_SYS_MRET},
	{EXACT, 0x18000073, RISCV_SYS_SFENCE_ORDER}, /* sfence.w.inval */
	{EXACT, 0x18100073, RISCV_SYS_SFENCE_ORDER}, /* sfence.inval.ir */
	{RS1_RS2, 0x22000073, RISCV_SYS_HFENCE_VVMA},
	{RS1_RS2, 0x26000073, RISCV_SYS_HFENCE_VVMA}, /* hinval.vvma */
	{RS1_RS2, 0x62000073, RISCV_SYS_HFENCE_GVMA},
	{RS1_RS2, 0x66000073, RISCV_SYS_HFENCE_GVMA}, /* hinval.gvma */
	{RD_RS1, 0x60004073, RISCV_SYS_HLV}, /* hlv.b */
	{RD_RS1, 0x60104073, RISCV_SYS_HLV}, /* hlv.bu */
	{RD_RS1, 0x64004073, RISCV_SYS_HLV}, /* hlv.h */
	{RD_RS1, 0x64104073, RISCV_SYS_HLV}, /* hlv.hu */
	{RD_RS1, 0x64304073, RISCV_SYS_HLV}, /* hlvx.hu */
	{RD_RS1, 0x68004073, RISCV_SYS_HLV}, /* hlv.w */
	{RD_RS1, 0x68104073, RISCV_SYS_HLV}, /* hlv.wu */
	{RD_RS1, 0x68304073, RISCV_SYS_HLV}, /* hlvx.wu */
	{RD_RS1, 0x6c004073, RISCV_SYS_HLV}, /* hlv.d */
	{HSV_ANY, 0x62004073, RISCV_SYS_HSV},
};

static enum riscv_sys_kind sys_kind(uint32_t insn)
{
	for (size_t i = 0; i < ARRAY_SIZE(sys_forms); i++) {
		if ((insn & sys_forms[i].mask) == sys_forms[i].match)
			return sys_forms[i].kind;
	}
	return RISCV_SYS_OTHER;
}

struct riscv_sys_insn axvmi_riscv_sys_decode(uint32_t insn)
{
	struct riscv_sys_insn out = {.kind = RISCV_SYS_OTHER};

	out.length = riscv_insn_length(insn);
	if (out.length == 2) {
		if (field(insn, 0, 16) == 0x9002)
			out.kind = RISCV_SYS_EBREAK;
		return out;
	}
	if (field(insn, 0, 7) != OPCODE_SYSTEM)
		return out;
	out.rd = (uint8_t)field(insn, 7, 5);
	out.rs1 = (uint8_t)field(insn, 15, 5);
	out.rs2 = (uint8_t)field(insn, 20, 5);
	out.op = (enum riscv_csr_op)field(insn, 12, 2);
	if (out.op == RISCV_CSR_NONE) {
		out.kind = sys_kind(insn);
		return out;
	}
	out.kind = RISCV_SYS_CSR;
	out.csr = (uint16_t)field(insn, 20, 12);
	out.immediate = field(insn, 14, 1) != 0;
	/* csrrw to x0 does not read; csrrs and csrrc of x0 or 0 do not write */
	out.reads = out.op != RISCV_CSR_WRITE || out.rd != 0;
	out.writes = out.op == RISCV_CSR_WRITE || out.rs1 != 0;
	return out;
}
