/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Exceptions in C, the single-instruction executor on top of them, secondary
 * CPUs and the PSCI call itself. Each CPU touches its own struct; `done` and the
 * counters are read by others.
 */
#include "payload.h"

#define INSN_BRK 0xd4200000u

struct cpu cpus[MAX_CPUS];

int64_t call(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;

	__asm__ volatile("hvc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"x4", "x5",
			   "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
			   "x14", "x15", "x16", "x17", "memory");
	return (int64_t)x0;
}

/* ---- Interrupts ---- */

static void serve(struct cpu *c, uint32_t intid)
{
	c->last_intid = intid;
	if (c->on_irq != NULL) {
		c->on_irq(c, intid);
	} else if (intid < 16) {
		c->sgis++;
	} else if (intid == PPI_VIRTUAL || intid == PPI_PHYSICAL) {
		c->timer_at = now();
		c->timer_irqs++;
		if (intid == PPI_VIRTUAL)
			sys_write(cntv_ctl_el0, 3);
		else
			sys_write(cntp_ctl_el0, 3);
	} else {
		bail_out("interrupt %u", intid);
	}
}

static void interrupt(struct cpu *c)
{
	uint32_t intid = (uint32_t)icc_read(ICC_IAR1_EL1);

	if (intid >= 1020) {
		c->spurious++;
		return;
	}
	serve(c, intid);
	icc_write(ICC_EOIR1_EL1, intid);
}

static void fast_interrupt(struct cpu *c)
{
	uint32_t intid = (uint32_t)icc_read(ICC_IAR0_EL1);

	if (intid >= 1020) {
		c->spurious++;
		return;
	}
	serve(c, intid);
	icc_write(ICC_EOIR0_EL1, intid);
}

/* 0: resume the frame; 1: leave run(). */
uint64_t trap_c(struct frame *f)
{
	struct cpu *c = self();

	if (f->vector % 4 == 1) {
		interrupt(c);
		return 0;
	}
	if (f->vector % 4 == 2) {
		fast_interrupt(c);
		return 0;
	}
	/* What is wrong with C itself comes from EL1h. */
	if (c->running && f->vector / 4 != 1) {
		c->frame = *f;
		return 1;
	}
	bail_out("CPU 0x%lx: vector %lu ESR 0x%lx FAR 0x%lx pc 0x%lx lr 0x%lx",
		 c->affinity, f->vector, f->esr, f->far, f->pc, f->x[30]);
}

/* ---- One instruction ---- */

const struct frame *run_mode(const struct frame *in, uint64_t mode)
{
	struct cpu *c = self();
	uint64_t daif = sys_read(daif);
	struct frame f = *in;

	/* Bit 9 is D, but of AArch32 E: big-endian. */
	f.pstate = (in->pstate & ~(PSTATE_DAIF | 0x1full)) | mode |
		   (mode == PSTATE_A32 ? PSTATE_AIF : PSTATE_DAIF);
	irqs_off();
	c->running = true;
	run_frame(&f);
	c->running = false;
	sys_write(daif, daif);
	return &c->frame;
}

const struct frame *run(const struct frame *in, bool user)
{
	return run_mode(in, user ? PSTATE_EL0 : PSTATE_EL1T);
}

void frame_fill(struct frame *f)
{
	memset(f, 0, sizeof(*f));
	for (uint32_t i = 0; i < 31; i++)
		f->x[i] = 0x5a01020304050600ull * 2u + i * 0x0101010101010101u;
	f->sp = 0x5a5a5a5a5a5a5a50ull;
}

const struct frame *exec_at(void *where, uint64_t pc, uint32_t insn,
			    struct frame *f, bool user)
{
	volatile uint32_t *code = where;

	code[0] = insn;
	code[1] = INSN_BRK;
	code_written(where, 8);
	f->pc = pc;
	return run(f, user);
}

const struct frame *exec(uint32_t insn, struct frame *f)
{
	uint32_t *code = self()->code;

	return exec_at(code, (uint64_t)code, insn, f, false);
}

bool retired(const struct frame *f, const struct frame *in)
{
	return esr_ec(f) == EC_BRK && f->pc == in->pc + 4;
}

bool unchanged(const struct frame *f, const struct frame *in, uint32_t changed)
{
	for (uint32_t i = 0; i < 31; i++) {
		if ((changed >> i & 1) == 0 && f->x[i] != in->x[i])
			return false;
	}
	return changed >> 31 != 0 || f->sp == in->sp;
}

const struct frame *jump_to(uint64_t pc, bool user)
{
	struct frame f;

	frame_fill(&f);
	f.pc = pc;
	return run(&f, user);
}

/* ---- CPUs ---- */

void cpu_prepare(uint32_t slot, void (*job)(struct cpu *self), uint64_t arg)
{
	struct cpu *c = &cpus[slot];

	c->affinity = machine.affinity[slot];
	c->main_sp = (uint64_t)(c->main_stack + sizeof(c->main_stack));
	c->job = job;
	c->job_arg = arg;
	c->result = 0;
	c->done = false;
	c->on_irq = NULL;
	clean(c, sizeof(*c));
}

bool cpu_start(uint32_t slot, void (*job)(struct cpu *self), uint64_t arg)
{
	cpu_prepare(slot, job, arg);
	return psci(PSCI_CPU_ON, machine.affinity[slot],
		    (uint64_t)secondary_entry,
		    (uint64_t)&cpus[slot]) == PSCI_OK;
}

void secondary_main(struct cpu *c)
{
	paging_on();
	gic_cpu_start(c);
	c->job(c);
	irqs_off();
	__asm__ volatile("dmb sy" ::: "memory");
	c->done = true;
	(void)psci(PSCI_CPU_OFF, 0, 0, 0);
	bail_out("CPU 0x%lx: CPU_OFF returned", c->affinity);
}

bool cpu_join(uint32_t slot, uint64_t ms)
{
	if (!wait_for(cpus[slot].done, ms))
		return false;
	return wait_for(
		psci(PSCI_AFFINITY_INFO, machine.affinity[slot], 0, 0) == 1,
		ms);
}

void boot_main(struct cpu *c, const void *dtb)
{
	machine_read(dtb);
	c->affinity = machine.affinity[0];
	paging_reset();
	paging_on();
	gic_start();
	gic_cpu_start(c);
	suite();
	plan();
	power_off();
}
