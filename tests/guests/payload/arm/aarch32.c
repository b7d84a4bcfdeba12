/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * AArch32 code at EL0, A32 and T32: what is EL1's, what the hypervisor takes
 * first, instructions whose condition fails, and that the program goes on where
 * it should ("G1.16, Exception handling", "ISS encoding" of each class).
 */
#include "payload.h"

#define A32_CODE 0xf0000000u
#define A32_UART 0xf0001000u
#define A32_HOLE 0xf0002000u
#define A32_FREE 0xf0003000u

#define PSTATE_T (1ull << 5) /* T32 */
#define PSTATE_Z (1ull << 30)
#define PSTATE_IT (3ull << 25 | 0x3full << 10)
#define SCTLR_NTWI (1ull << 16)
#define SCTLR_NTWE (1ull << 18)

#define EC_WFX 0x01u
#define EC_CP15_32 0x03u
#define EC_CP15_64 0x04u
#define EC_SVC32 0x11u
#define EC_BKPT32 0x38u

#define A32_BKPT 0xe1200070u
#define T32_BKPT 0xbe00u
#define T32_IT_EQ 0xbf08u
/* x15 and up are not its own, and the upper halves of all may be lost. */
#define NOT_ITS 0xffff8000u
/* The condition of A32 instructions, in their upper four bits. */
#define EQ(insn) ((insn)&0x0fffffffu)

static uint8_t code[PAGE] __attribute__((aligned(4096)));
static struct frame f;
static const struct frame *after;

static void begin(void)
{
	frame_fill(&f);
	for (uint32_t i = 0; i < 15; i++)
		f.x[i] = (uint32_t)f.x[i];
	f.pc = A32_CODE;
}

/* One instruction, then BKPT. */
static void a32(uint32_t insn)
{
	volatile uint32_t *at = (uint32_t *)code;

	at[0] = insn;
	at[1] = A32_BKPT;
	code_written(code, 8);
	after = run_mode(&f, PSTATE_A32);
}

/* `count` halfwords, then BKPT. */
static void t32(uint32_t count, uint32_t a, uint32_t b, uint32_t c)
{
	volatile uint16_t *at = (uint16_t *)code;
	const uint32_t insns[] = {a, b, c};

	for (uint32_t i = 0; i < count; i++)
		at[i] = (uint16_t)insns[i];
	at[count] = T32_BKPT;
	code_written(code, 8);
	f.pstate |= PSTATE_T;
	after = run_mode(&f, PSTATE_A32);
}

/* It went on to the BKPT `bytes` on, in the state it was in. */
static bool went_on(uint32_t bytes)
{
	bool ok = esr_ec(after) == EC_BKPT32 && after->pc == A32_CODE + bytes &&
		  after->vector == 12 && (after->pstate & PSTATE_IT) == 0 &&
		  (after->pstate & (PSTATE_T | PSTATE_NZCV)) ==
			  (f.pstate & (PSTATE_T | PSTATE_NZCV));

	if (!ok)
		note("ESR 0x%lx FAR 0x%lx pc 0x%lx PSTATE 0x%lx", after->esr,
		     after->far, after->pc, after->pstate);
	return ok;
}

/* Did nothing, and traps with this class; 0 as well: undefined. */
static bool trapped(uint32_t ec)
{
	bool ok = esr_ec(after) == ec && after->pc == A32_CODE &&
		  after->vector == 12 && unchanged(after, &f, NOT_ITS);

	if (!ok)
		note("ESR 0x%lx FAR 0x%lx pc 0x%lx", after->esr, after->far,
		     after->pc);
	return ok;
}

/* ---- Exceptions of its own ---- */

static void instructions(void)
{
	static const struct {
		const char *name;
		uint32_t insn;
	} list[] = {
		{"UDF", 0xe7f000f0},	       {"HVC", 0xe1400070},
		{"SMC", 0xe1600070},	       {"MRC of MIDR", 0xee100f10},
		{"MCR of SCTLR", 0xee010f10},  {"MCR of TLBIALL", 0xee080f17},
		{"VMRS of MVFR0", 0xeef70a10},
	};

	begin();
	a32(0xef00abcd);
	check(esr_ec(after) == EC_SVC32 && after->vector == 12 &&
		      after->pc == A32_CODE + 4,
	      "A32: SVC");
	begin();
	t32(1, 0xdf12, 0, 0);
	check(esr_ec(after) == EC_SVC32 && (after->esr & 0xffff) == 0x12 &&
		      (after->esr & ESR_IL) == 0 && after->pc == A32_CODE + 2,
	      "T32: SVC");
	begin();
	t32(1, 0xde00, 0, 0);
	check(trapped(EC_UNKNOWN), "T32: UDF");
	for (uint32_t i = 0; i < COUNT_OF(list); i++) {
		begin();
		a32(list[i].insn);
		check(trapped(EC_UNKNOWN), "A32: %s is undefined",
		      list[i].name);
		begin();
		a32(EQ(list[i].insn));
		/* UDF has no condition, nor has HVC. */
		if (i > 1)
			check(went_on(4) || trapped(EC_UNKNOWN),
			      "A32: %s whose condition fails", list[i].name);
	}
}

/* Of the debug channel and the PMU: what the hypervisor or EL1 traps. */
static void coprocessors(void)
{
	begin();
	a32(0xee100e10);
	check(trapped(EC_UNKNOWN) || went_on(4), "A32: MRC of DBGDIDR");
	begin();
	a32(EQ(0xee100e10));
	check(went_on(4) && unchanged(after, &f, NOT_ITS),
	      "A32: MRC of DBGDIDR whose condition fails");
	/* PMUSERENR_EL0 of the CPU is asked first. */
	begin();
	a32(0xee190f1d);
	check(trapped(esr_ec(after) == EC_CP15_32 ? EC_CP15_32 : EC_UNKNOWN),
	      "A32: MRC of PMCCNTR traps or is undefined");
}

/* A counter that was read a moment ago. */
static bool since(uint64_t count)
{
	return now() - count < machine.frequency;
}

/* CNTKCTL_EL1 says who may have them. */
static void counters(void)
{
	sys_write(cntkctl_el1, 0);
	begin();
	a32(0xec520f1e);
	check(trapped(EC_CP15_64), "A32: MRRC of CNTVCT traps to EL1");
	begin();
	a32(0xec520f0e);
	check(trapped(EC_CP15_64), "A32: MRRC of CNTPCT traps to EL1");
	begin();
	a32(0xee1e0f32);
	check(trapped(EC_CP15_32), "A32: MRC of CNTP_CTL traps to EL1");
	sys_write(cntkctl_el1, 3);
	begin();
	a32(0xec520f1e);
	check(went_on(4) && since(after->x[0] | after->x[2] << 32),
	      "A32: and works when EL1 gives it");
	begin();
	a32(0xec520f0e);
	check(went_on(4) && since(after->x[0] | after->x[2] << 32),
	      "A32: so does MRRC of CNTPCT");
	sys_write(cntkctl_el1, 0);
}

static void timer(void)
{
	sys_write(cntkctl_el1, 0x200);
	begin();
	f.x[0] = 0x12345678;
	f.x[2] = 0x7fffffff;
	a32(0xec420f2e);
	check(went_on(4) && sys_read(cntp_cval_el0) == 0x7fffffff12345678,
	      "A32: MCRR of CNTP_CVAL");
	begin();
	a32(0xec520f2e);
	check(went_on(4) && after->x[0] == 0x12345678 &&
		      after->x[2] == 0x7fffffff,
	      "A32: MRRC of CNTP_CVAL");
	begin();
	f.x[0] = 3;
	a32(0xee0e0f32);
	check(went_on(4) && sys_read(cntp_ctl_el0) == 3,
	      "A32: MCR of CNTP_CTL");
	begin();
	a32(EQ(0xee0e0f32));
	check(went_on(4) && sys_read(cntp_ctl_el0) == 3,
	      "A32: MCR of CNTP_CTL whose condition fails");
	begin();
	a32(0xee1e0f32);
	check(went_on(4) && after->x[0] == 3, "A32: MRC of CNTP_CTL");
	sys_write(cntp_ctl_el0, 0);
	sys_write(cntkctl_el1, 0);
}

static void fp(void)
{
	sys_write(cpacr_el1, 1ull << 20);
	begin();
	a32(0xee000a10); /* vmov s0, r0 */
	check(trapped(EC_FP), "A32: CPACR_EL1.FPEN traps VMOV");
	sys_write(cpacr_el1, 3ull << 20);
	begin();
	f.x[0] = 0x3f801234;
	a32(0xee000a10);
	check(went_on(4), "A32: VMOV to s0");
	begin();
	a32(0xee102a10); /* vmov r2, s0 */
	check(went_on(4) && after->x[2] == 0x3f801234, "A32: and back");
}

/* ---- Waiting ---- */

/* Something is pending, so that no wait is long. */
static void waits(void)
{
	uint64_t sctlr = sys_read(sctlr_el1);
	uint64_t count = self()->sgis, due;

	sys_write(sctlr_el1, sctlr & ~(SCTLR_NTWI | SCTLR_NTWE));
	begin();
	a32(0xe320f003);
	check(trapped(EC_WFX), "A32: WFI traps to EL1");
	sys_write(sctlr_el1, sctlr | SCTLR_NTWI | SCTLR_NTWE);
	gic_sgi(1, self()->affinity);
	begin();
	a32(0xe320f003);
	check(went_on(4), "A32: WFI goes on");
	begin();
	a32(0xe320f002);
	check(went_on(4), "A32: WFE goes on");
	begin();
	t32(1, 0xbf30, 0, 0);
	check(went_on(2), "T32: WFI goes on");
	begin();
	t32(1, 0xbf20, 0, 0);
	check(went_on(2), "T32: WFE goes on");
	begin();
	t32(2, 0xf3af, 0x8003, 0);
	check(went_on(4), "T32: WFI.W goes on");
	begin();
	f.pstate = PSTATE_Z;
	t32(2, T32_IT_EQ, 0xbf30, 0);
	check(went_on(4), "T32: WFI in an IT block goes on");
	irqs_on();
	irqs_off();
	check(self()->sgis == count + 1, "what was pending is taken");
	/* For ever, if they waited. */
	begin();
	a32(EQ(0xe320f003));
	check(went_on(4), "A32: WFI whose condition fails");
	begin();
	t32(2, T32_IT_EQ, 0xbf30, 0);
	check(went_on(4), "T32: WFI whose condition fails");
	due = now() + ms_to_ticks(20);
	gic_enable(self(), PPI_VIRTUAL, true);
	sys_write(cntv_cval_el0, due);
	sys_write(cntv_ctl_el0, 1);
	begin();
	a32(0xe320f003);
	check(went_on(4) && now() >= due, "A32: WFI waits for the timer");
	sys_write(cntv_ctl_el0, 0);
	gic_enable(self(), PPI_VIRTUAL, false);
	sys_write(sctlr_el1, sctlr);
}

/* ---- Memory ---- */

static void store(uint32_t value)
{
	write32(UART(UART_IBRD), value);
	begin();
	f.x[1] = A32_UART + UART_IBRD;
}

static bool loaded(uint32_t bytes, uint64_t value)
{
	return went_on(bytes) && after->x[0] == value &&
	       unchanged(after, &f, NOT_ITS | 1);
}

static void devices(void)
{
	store(0x8421);
	a32(0xe5910000);
	check(loaded(4, 0x8421), "A32: LDR from a device");
	store(0x8421);
	a32(0xe1d100b0);
	check(loaded(4, 0x8421), "A32: LDRH");
	store(0x84a1);
	a32(0xe1d100d0);
	check(loaded(4, 0xffffffa1), "A32: LDRSB extends to 32 bits");
	store(0);
	f.x[0] = 0x1248;
	a32(0xe5810000);
	check(went_on(4) && read32(UART(UART_IBRD)) == 0x1248, "A32: STR");
	store(0x1248);
	f.pstate = 2ull << 28; /* carry: the condition does not hold */
	f.x[0] = 0x4321;
	a32(0x35810000);
	check(went_on(4) && read32(UART(UART_IBRD)) == 0x1248,
	      "A32: STRCC whose condition fails");
	store(0x4218);
	t32(1, 0x6808, 0, 0);
	check(loaded(2, 0x4218), "T32: LDR of 16 bits");
	store(0x4218);
	t32(2, 0xf8d1, 0x0000, 0);
	check(loaded(4, 0x4218), "T32: LDR of 32 bits");
	store(0);
	f.x[0] = 0x2184;
	t32(1, 0x6008, 0, 0);
	check(went_on(2) && read32(UART(UART_IBRD)) == 0x2184, "T32: STR");
	store(0x1842);
	f.pstate = PSTATE_Z;
	t32(2, T32_IT_EQ, 0x6808, 0);
	check(loaded(4, 0x1842), "T32: LDREQ in an IT block");
	store(0x1842);
	f.pstate = PSTATE_Z;
	t32(3, T32_IT_EQ, 0xf8d1, 0x0000);
	check(loaded(6, 0x1842), "T32: LDREQ.W in an IT block");
}

static bool aborts(uint32_t ec, uint64_t far)
{
	return esr_ec(after) == ec && after->far == far &&
	       after->pc == A32_CODE && unchanged(after, &f, NOT_ITS);
}

/* What the syndrome does not describe, and what devices do not take. */
static void refused(void)
{
	static const struct {
		const char *name;
		uint32_t insn;
	} list[] = {
		{"LDR with writeback", 0xe4910008},
		{"LDRD", 0xe1c100d0},
		{"LDM", 0xe8910005},
		{"LDREX", 0xe1910f9f},
		{"VLDR", 0xed910a00},
	};

	if (!machine.axvm) {
		skip("QEMU knows what they do", "AArch32: other forms");
		return;
	}
	for (uint32_t i = 0; i < COUNT_OF(list); i++) {
		store(0x8421);
		a32(list[i].insn);
		check(aborts(EC_DABORT_EL0, A32_UART + UART_IBRD) &&
			      (after->esr & 1ull << 24) == 0,
		      "A32: %s from a device aborts", list[i].name);
	}
	store(0x8421);
	f.x[1] = A32_HOLE;
	a32(0xe5910000);
	check(loaded(4, 0xffffffff), "A32: LDR from a hole gives ones");
}

static void faults(void)
{
	begin();
	f.x[1] = A32_FREE + 4;
	a32(0xe5910000);
	check(aborts(EC_DABORT_EL0, A32_FREE + 4) &&
		      esr_fsc(after) == (FSC_TRANSLATION | 3),
	      "A32: a load without a translation");
	begin();
	f.x[1] = A32_CODE + 2;
	a32(0xe1910f9f);
	check(aborts(EC_DABORT_EL0, A32_CODE + 2) &&
		      esr_fsc(after) == FSC_ALIGNMENT,
	      "A32: LDREX that is not aligned");
	begin();
	f.pc = A32_FREE;
	after = run_mode(&f, PSTATE_A32);
	check(esr_ec(after) == EC_IABORT_EL0 && after->far == A32_FREE &&
		      after->pc == A32_FREE,
	      "A32: a fetch without a translation");
}

void suite(void)
{
	if ((sys_read(id_aa64pfr0_el1) & 15) != 2) {
		skip("no AArch32 on this CPU", "AArch32 at EL0");
		return;
	}
	*paging_upper_entry(A32_CODE, 1) = 0;
	paging_map(A32_CODE, (uint64_t)code, PTE_NORMAL | PTE_EL0 | PTE_PXN);
	paging_map(A32_UART, UART(0), PTE_DEVICE | PTE_EL0);
	paging_map(A32_HOLE, HOLE, PTE_DEVICE | PTE_EL0);
	instructions();
	coprocessors();
	counters();
	timer();
	fp();
	waits();
	devices();
	refused();
	faults();
}
