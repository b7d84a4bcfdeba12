/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for the RISC-V decoders: eight bytes are htinst, the lower
 * four of them also a guest instruction. Whatever they are, results stay in
 * the ranges that the exit path indexes and shifts with.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "riscv_h/insn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool has_fixed_width(struct riscv_insn insn)
{
	return insn.width == 1 || insn.width == 2 || insn.width == 4 ||
	       insn.width == 8;
}

static void check_insn(struct riscv_insn insn)
{
	bool emulated =
		insn.kind == RISCV_INSN_LOAD || insn.kind == RISCV_INSN_STORE;

	require(insn.kind <= RISCV_INSN_CBO);
	require(insn.reg < 32);
	require(insn.length == 2 || insn.length == 4);
	require(has_fixed_width(insn) || (insn.width == 0 && !emulated));
	require(insn.fault_offset < 32);
	require(!insn.sign || (insn.kind == RISCV_INSN_LOAD && insn.width < 8));
}

static void check_values(struct riscv_insn insn, uint64_t raw)
{
	uint64_t loaded = riscv_insn_load_value(insn.width, insn.sign, raw);

	/* What was loaded, stored again, is what was read. */
	require(riscv_insn_store_value(insn.width, loaded) ==
		riscv_insn_store_value(insn.width, raw));
	if (insn.width < 8 && !insn.sign)
		require(loaded >> (8 * insn.width) == 0);
}

static void check_system(uint32_t word)
{
	struct riscv_sys_insn sys = axvmi_riscv_sys_decode(word);

	require(sys.kind <= RISCV_SYS_HSV);
	require(sys.csr < 4096);
	require(sys.rd < 32 && sys.rs1 < 32 && sys.rs2 < 32);
	require(sys.length == riscv_insn_length(word));
	require((sys.kind == RISCV_SYS_CSR) == (sys.op != RISCV_CSR_NONE));
	/* Nothing is both an access and a system instruction. */
	require(sys.kind == RISCV_SYS_OTHER ||
		riscv_insn_decode(word).kind == RISCV_INSN_OTHER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct riscv_insn_address address;
	struct riscv_insn insn;
	uint64_t word;

	if (size < sizeof(word))
		return 0;
	memcpy(&word, data, sizeof(word));
	insn = riscv_insn_decode((uint32_t)word);
	check_insn(insn);
	if (has_fixed_width(insn))
		check_values(insn, word);
	check_system((uint32_t)word);
	if (axvmi_riscv_insn_address((uint32_t)word, &address)) {
		require(address.base < 32);
		require(address.offset >= -2048 && address.offset < 2048);
	}
	if (riscv_htinst_decode(word, &insn) == RISCV_HTINST_INSN) {
		check_insn(insn);
		require(insn.kind != RISCV_INSN_OTHER);
	}
	return 0;
}
