/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Every PSCI call with good and bad arguments (DEN0022, version 1.1), the calls
 * of the SMC calling convention (DEN0028), by HVC and SMC, and that nothing but
 * the results changes. What QEMU's own firmware does otherwise is skipped there.
 */
#include "insn.h"
#include "payload.h"

#define POWER_DOWN 0x10000u

static bool ours(const char *what)
{
	if (!machine.axvm)
		skip("not QEMU's", "%s", what);
	return machine.axvm;
}

static void versions(void)
{
	static const uint32_t present[] = {PSCI_VERSION,
					   PSCI_CPU_SUSPEND,
					   SMC32(PSCI_CPU_SUSPEND),
					   PSCI_CPU_OFF,
					   PSCI_CPU_ON,
					   SMC32(PSCI_CPU_ON),
					   PSCI_AFFINITY_INFO,
					   SMC32(PSCI_AFFINITY_INFO),
					   PSCI_MIGRATE_INFO_TYPE,
					   PSCI_SYSTEM_OFF,
					   PSCI_SYSTEM_RESET,
					   PSCI_FEATURES};

	check_eq((uint64_t)psci(PSCI_VERSION, 0, 0, 0), 0x10001,
		 "the version is 1.1");
	for (uint32_t i = 0; i < COUNT_OF(present); i++)
		check(psci(PSCI_FEATURES, present[i], 0, 0) == 0,
		      "0x%x is a feature", present[i]);
	check(psci(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0) == 2,
	      "there is no Trusted OS to migrate");
	if (!ours("SMCCC 1.1 and reset 2 are features"))
		return;
	check(psci(PSCI_FEATURES, SMCCC_VERSION, 0, 0) == 0,
	      "SMCCC_VERSION is a feature");
	check(psci(PSCI_FEATURES, PSCI_SYSTEM_RESET2, 0, 0) == 0 &&
		      psci(PSCI_FEATURES, SMC32(PSCI_SYSTEM_RESET2), 0, 0) == 0,
	      "SYSTEM_RESET2 is a feature");
	check(psci(SMCCC_VERSION, 0, 0, 0) >= 0x10001, "SMCCC is at least 1.1");
	check(psci(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0) == 0,
	      "SMCCC_ARCH_FEATURES knows SMCCC_VERSION");
	check(psci(SMCCC_ARCH_FEATURES, 0x8000ffff, 0, 0) == PSCI_NOT_SUPPORTED,
	      "and does not know 0x8000ffff");
}

/* MIGRATE and its kin, MEM_PROTECT, vendor calls, TRNG, other owners. */
static const uint32_t absent[] = {
	0x84000005, 0xc4000005, 0x84000007, 0x8400000b, 0x8400000c, 0xc400000c,
	0x8400000f, 0x84000010, 0x84000013, 0x84000014, 0x8400001f, 0xc400001f,
	0xc4000002, 0xc4000008, 0x84000050, 0x80008000, 0x80007fff, 0x81000000,
	0x82000000, 0x83000000, 0x85000000, 0x86000000, 0xbf00ff01, 0xc6000000};

static void missing(void)
{
	for (uint32_t i = 0; i < COUNT_OF(absent); i++)
		check(psci(absent[i], 1, 2, 3) == PSCI_NOT_SUPPORTED &&
			      psci(PSCI_FEATURES, absent[i], 0, 0) ==
				      PSCI_NOT_SUPPORTED,
		      "0x%x is not supported", absent[i]);
	check(call(absent[1], 0, 0, 0) == -1,
	      "of a 64-bit call the error is 64 bits wide");
}

static void affinity_info(void)
{
	uint64_t me = machine.affinity[0];

	check(psci(PSCI_AFFINITY_INFO, me, 0, 0) == 0, "this CPU is ON");
	check(psci(SMC32(PSCI_AFFINITY_INFO), me, 0, 0) == 0,
	      "it is by the 32-bit call, too");
	check(psci(PSCI_AFFINITY_INFO, NO_CPU, 0, 0) == PSCI_INVALID_PARAMETERS,
	      "affinity of a missing CPU");
	check(psci(PSCI_AFFINITY_INFO, me, 1, 0) == 0,
	      "so is the cluster around this CPU");
	if (machine.cpu_count > 1)
		check(psci(PSCI_AFFINITY_INFO, machine.affinity[1], 0, 0) == 1,
		      "another CPU is OFF");
	if (!ours("affinity with bad levels and stray bits"))
		return;
	check(psci(PSCI_AFFINITY_INFO, me, 3, 0) == 0,
	      "the whole machine is ON");
	check(psci(PSCI_AFFINITY_INFO, me, 4, 0) == PSCI_INVALID_PARAMETERS,
	      "affinity level 4 does not exist");
	check(psci(PSCI_AFFINITY_INFO, me, ~0ull, 0) == PSCI_INVALID_PARAMETERS,
	      "affinity level -1 does not exist");
	check(psci(PSCI_AFFINITY_INFO, me | 1ull << 32, 0, 0) ==
		      PSCI_INVALID_PARAMETERS,
	      "Aff3 counts in the 64-bit call");
	check(psci(SMC32(PSCI_AFFINITY_INFO), me | 1ull << 32, 0, 0) == 0,
	      "the 32-bit call does not see it");
}

static void report_job(struct cpu *c)
{
	c->result = c->job_arg + 1;
}

static void as_promised(const struct cpu *c)
{
	check_eq(c->result, 42, "its work was done");
	check_eq(c->entry_x0, (uint64_t)c, "x0 was the context");
	check_eq(c->entry_sctlr & (SCTLR_M | SCTLR_C | SCTLR_I), 0,
		 "MMU and caches were off");
	check_eq(c->entry_el >> 2, 1, "it was at EL1");
	check_eq(c->entry_spsel & 1, 1, "with SP_EL1");
	check_eq(c->entry_daif, PSTATE_DAIF, "all interrupts were masked");
}

static void cpu_on(void)
{
	uint64_t entry = (uint64_t)secondary_entry;

	check(psci(PSCI_CPU_ON, machine.affinity[0], entry, 0) ==
		      PSCI_ALREADY_ON,
	      "CPU_ON of this CPU");
	check(psci(PSCI_CPU_ON, NO_CPU, entry, 0) == PSCI_INVALID_PARAMETERS,
	      "CPU_ON of a missing CPU");
	check(psci(PSCI_CPU_ON, ~0ull, entry, 0) == PSCI_INVALID_PARAMETERS,
	      "CPU_ON of CPU -1");
	if (machine.cpu_count < 2) {
		skip("one CPU", "another CPU starts and stops");
		return;
	}
	check(cpu_start(1, report_job, 41), "another CPU starts");
	check(cpu_join(1, 2000), "it runs and stops");
	as_promised(&cpus[1]);
	cpu_prepare(1, report_job, 41);
	check(psci(SMC32(PSCI_CPU_ON), machine.affinity[1], entry,
		   (uint64_t)&cpus[1]) == PSCI_OK,
	      "it starts again by the 32-bit call");
	check(cpu_join(1, 2000), "it runs and stops");
	as_promised(&cpus[1]);
}

static volatile bool release_it;

static void wait_job(struct cpu *c)
{
	c->result = 1;
	while (!release_it)
		;
}

static void double_on(void)
{
	uint64_t entry = (uint64_t)secondary_entry;

	if (machine.cpu_count < 2)
		return;
	check(cpu_start(1, wait_job, 0), "another CPU starts");
	check(wait_for(cpus[1].result == 1, 2000), "it runs");
	check(psci(PSCI_AFFINITY_INFO, machine.affinity[1], 0, 0) == 0,
	      "it is ON");
	check(psci(PSCI_CPU_ON, machine.affinity[1], entry, 0) ==
		      PSCI_ALREADY_ON,
	      "it is not started twice");
	release_it = true;
	check(cpu_join(1, 2000), "it stops");
	if (!ours("CPU_ON at bad addresses"))
		return;
	check(psci(PSCI_CPU_ON, machine.affinity[1], entry | 2, 0) ==
		      PSCI_INVALID_ADDRESS,
	      "CPU_ON at an odd address");
	check(psci(PSCI_CPU_ON, machine.affinity[1], HOLE, 0) ==
		      PSCI_INVALID_ADDRESS,
	      "CPU_ON in a hole");
	check(psci(PSCI_CPU_ON, machine.affinity[1], UART(0), 0) ==
		      PSCI_INVALID_ADDRESS,
	      "CPU_ON in a device");
	check(psci(PSCI_CPU_ON, machine.affinity[1], ~3ull, 0) ==
		      PSCI_INVALID_ADDRESS,
	      "CPU_ON at the end of the world");
	check(psci(PSCI_AFFINITY_INFO, machine.affinity[1], 0, 0) == 1,
	      "it is still OFF");
}

static void arm_timer(uint64_t ms)
{
	sys_write(cntv_cval_el0, now() + ms_to_ticks(ms));
	sys_write(cntv_ctl_el0, 1);
}

/* Interrupts stay masked: that they wait is enough to wake. */
static void suspend(void)
{
	struct cpu *c = self();
	uint64_t began = now();

	gic_enable(c, PPI_VIRTUAL, true);
	arm_timer(10);
	check(psci(PSCI_CPU_SUSPEND, 0, 0, 0) == PSCI_OK, "standby returns");
	check(now() - began >= ms_to_ticks(10) && irq_waits(),
	      "when the timer is due");
	check(psci(PSCI_CPU_SUSPEND, 0, 0, 0) == PSCI_OK,
	      "and at once when an interrupt waits");
	check(psci(SMC32(PSCI_CPU_SUSPEND), 0, 0, 0) == PSCI_OK,
	      "so does the 32-bit call");
	check(psci(PSCI_CPU_SUSPEND, 0xfffe0000, 0, 0) ==
		      PSCI_INVALID_PARAMETERS,
	      "a reserved power state");
	sys_write(cntv_ctl_el0, 0);
	arm_timer(10);
	c->entry_x0 = 0;
	check(suspend_away(PSCI_CPU_SUSPEND, POWER_DOWN, (uint64_t)resume_entry,
			   c) == 0,
	      "power down until the timer");
	if (c->entry_x0 != 0) {
		check_eq(c->entry_x0, (uint64_t)c, "x0 is the context");
		check_eq(c->entry_sctlr & SCTLR_M, 0, "the MMU is off");
		paging_on();
		check_eq(sys_read(cntv_ctl_el0) & 5, 5,
			 "the timer has gone on, and is due");
		gic_cpu_start(c);
	} else {
		skip("it was only a standby", "back at the entry point");
	}
	sys_write(cntv_ctl_el0, 0);
	gic_enable(c, PPI_VIRTUAL, false);
	if (!ours("suspend to bad addresses"))
		return;
	check((int32_t)suspend_away(PSCI_CPU_SUSPEND, POWER_DOWN, HOLE, c) ==
		      PSCI_INVALID_ADDRESS,
	      "power down with the entry in a hole");
	check((int32_t)suspend_away(PSCI_CPU_SUSPEND, POWER_DOWN,
				    (uint64_t)resume_entry | 1,
				    c) == PSCI_INVALID_ADDRESS,
	      "power down with an odd entry");
}

/* Only the results: x0, and of other firmware x1 to x3. */
static void registers(void)
{
	static const uint32_t functions[] = {
		PSCI_VERSION,	    PSCI_FEATURES, PSCI_AFFINITY_INFO,
		PSCI_CPU_ON,	    0x84000005,	   PSCI_MIGRATE_INFO_TYPE,
		PSCI_SYSTEM_RESET2, 0xbf00ff01};
	struct frame f;
	const struct frame *after;

	for (uint32_t i = 0; i < COUNT_OF(functions); i++) {
		frame_fill(&f);
		f.x[0] = functions[i];
		after = exec(INSN_HVC(i % 2), &f);
		check(retired(after, &f) &&
			      unchanged(after, &f, machine.axvm ? 1 : 0xf),
		      "0x%x changes only results", functions[i]);
	}
	frame_fill(&f);
	f.pstate = PSTATE_NZCV;
	f.x[0] = PSCI_VERSION;
	after = exec(INSN_HVC(0), &f);
	check_eq(after->pstate & PSTATE_NZCV, PSTATE_NZCV, "flags survive");
}

static void upper_half(void)
{
	if (!ours("the upper half of x0 does not count"))
		return;
	check(psci(1ull << 32 | PSCI_VERSION, 0, 0, 0) == 0x10001,
	      "the upper half of x0 does not count");
}

/* SMC: the same calls, or as where there is no EL3. */
static void by_smc(void)
{
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	f.x[0] = PSCI_VERSION;
	after = exec(INSN_SMC(0), &f);
	if (!machine.axvm) {
		check(esr_ec(after) == EC_UNKNOWN && after->pc == f.pc,
		      "SMC is undefined without EL3");
		return;
	}
	check(retired(after, &f) && after->x[0] == 0x10001 &&
		      unchanged(after, &f, 1),
	      "SMC answers as HVC does");
	for (uint32_t i = 0; i < COUNT_OF(absent); i++) {
		frame_fill(&f);
		f.x[0] = absent[i];
		after = exec(INSN_SMC(i), &f);
		check(retired(after, &f) &&
			      (int32_t)after->x[0] == PSCI_NOT_SUPPORTED,
		      "SMC 0x%x is not supported", absent[i]);
	}
}

static uint8_t page[PAGE] __attribute__((aligned(4096)));

static void from_el0(void)
{
	static const uint32_t insns[] = {INSN_HVC(0), INSN_SMC(0)};

	paging_map(TEST_VA, (uint64_t)page, PTE_NORMAL | PTE_EL0 | PTE_PXN);
	for (uint32_t i = 0; i < COUNT_OF(insns); i++) {
		struct frame f;
		const struct frame *after;

		frame_fill(&f);
		f.x[0] = PSCI_SYSTEM_OFF;
		after = exec_at(page, TEST_VA, insns[i], &f, true);
		check(esr_ec(after) == EC_UNKNOWN && after->vector == 8 &&
			      after->pc == TEST_VA,
		      "%s is undefined at EL0", i == 0 ? "HVC" : "SMC");
	}
}

static void reset_bad(void)
{
	if (!ours("SYSTEM_RESET2 with bad arguments"))
		return;
	check(psci(PSCI_SYSTEM_RESET2, 1, 0, 0) == PSCI_INVALID_PARAMETERS,
	      "reset type 1 is reserved");
	check(psci(PSCI_SYSTEM_RESET2, 0x80000000, 0, 0) ==
		      PSCI_INVALID_PARAMETERS,
	      "no reset of a vendor's");
}

void suite(void)
{
	versions();
	missing();
	affinity_info();
	cpu_on();
	double_on();
	suspend();
	registers();
	upper_half();
	by_smc();
	from_el0();
	reset_bad();
}
