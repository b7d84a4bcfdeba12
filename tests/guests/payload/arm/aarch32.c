/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * AArch32 code at EL0: what is EL1's, what the hypervisor takes first, and that
 * one goes on where it should.
 */
#include "payload.h"

static uint8_t code[PAGE] __attribute__((aligned(4096)));

#define A32_CODE 0xf0000000u
#define A32_UART 0xf0001000u

static const struct frame *try32(uint32_t insn, struct frame *f)
{
	volatile uint32_t *at = (uint32_t *)code;

	for (uint32_t i = 0; i < 15; i++)
		f->x[i] = (uint32_t)f->x[i];
	at[0] = insn;
	at[1] = 0xe1200070; /* bkpt */
	code_written(code, 8);
	f->pc = A32_CODE;
	return run_mode(f, PSTATE_A32);
}

#define EC_SVC32 0x11u
#define EC_BKPT32 0x38u

static bool retired32(const struct frame *after)
{
	bool ok = esr_ec(after) == EC_BKPT32 && after->pc == A32_CODE + 4;

	if (!ok)
		note("ESR 0x%lx FAR 0x%lx pc 0x%lx", after->esr, after->far,
		     after->pc);
	return ok;
}

void suite(void)
{
	struct frame f;
	const struct frame *after;

	if ((sys_read(id_aa64pfr0_el1) & 15) != 2) {
		skip("no AArch32 on this CPU", "AArch32 at EL0");
		return;
	}
	*paging_upper_entry(A32_CODE, 1) = 0;
	paging_map(A32_CODE, (uint64_t)code, PTE_NORMAL | PTE_EL0 | PTE_PXN);
	paging_map(A32_UART, UART(0), PTE_DEVICE | PTE_EL0);
	frame_fill(&f);
	after = try32(0xef00abcd, &f);
	check(esr_ec(after) == EC_SVC32 && after->vector == 12 &&
		      after->pc == A32_CODE + 4,
	      "AArch32: SVC");
	frame_fill(&f);
	after = try32(0xe7f000f0, &f);
	check(esr_ec(after) == EC_UNKNOWN && after->pc == A32_CODE,
	      "AArch32: UDF");
	after = try32(0xe1400070, &f);
	check(esr_ec(after) == EC_UNKNOWN && after->pc == A32_CODE,
	      "AArch32: HVC is undefined");
	after = try32(0xee100f10, &f); /* mrc p15, 0, r0, c0, c0, 0 */
	check((esr_ec(after) == EC_UNKNOWN || esr_ec(after) == 3) &&
		      after->pc == A32_CODE,
	      "AArch32: MIDR is EL1's");
	frame_fill(&f);
	f.x[1] = A32_UART + UART_IBRD;
	write32(UART(UART_IBRD), 0x8421);
	after = try32(0xe5910000, &f); /* ldr r0, [r1] */
	check(retired32(after) && after->x[0] == 0x8421,
	      "AArch32: LDR from a device");
	frame_fill(&f);
	f.x[0] = 0x1248;
	f.x[1] = A32_UART + UART_IBRD;
	after = try32(0xe5810000, &f); /* str r0, [r1] */
	check(retired32(after) && read32(UART(UART_IBRD)) == 0x1248,
	      "AArch32: STR to a device");
	frame_fill(&f);
	f.pstate = 2ull << 28; /* carry: the condition does not hold */
	f.x[0] = 0x4321;
	f.x[1] = A32_UART + UART_IBRD;
	after = try32(0x35810000, &f); /* strcc */
	check(retired32(after) && read32(UART(UART_IBRD)) == 0x1248,
	      "AArch32: a store whose condition fails");
	frame_fill(&f);
	f.x[0] = A32_UART + 0xffc;
	after = try32(0xe4900008, &f); /* ldr r0, [r0], #8 */
	check(retired32(after) || (esr_ec(after) == EC_DABORT_EL0 &&
				   after->far == A32_UART + 0xffc),
	      "AArch32: a form the syndrome does not describe");
}
