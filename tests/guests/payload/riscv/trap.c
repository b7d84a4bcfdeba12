/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Traps in C, the single-instruction executor on top of them, secondary harts,
 * the SBI call itself, the polled 16550. Each hart touches its own struct; `done` and the
 * counters are read by others.
 */
#include "payload.h"

#define C_EBREAK 0x9002u

struct cpu cpus[MAX_CPUS] __attribute__((aligned(16)));

struct sbiret sbi_call(uint64_t ext, uint64_t fid, const uint64_t args[6])
{
	register uint64_t a0 __asm__("a0") = args[0];
	register uint64_t a1 __asm__("a1") = args[1];
	register uint64_t a2 __asm__("a2") = args[2];
	register uint64_t a3 __asm__("a3") = args[3];
	register uint64_t a4 __asm__("a4") = args[4];
	register uint64_t a5 __asm__("a5") = args[5];
	register uint64_t a6 __asm__("a6") = fid;
	register uint64_t a7 __asm__("a7") = ext;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbiret){a0, a1};
}

static void interrupt(struct cpu *h, uint64_t code)
{
	if (code == 1) {
		csr_clear(sip, IRQ_SOFT);
		h->soft_irqs++;
	} else if (code == 5) {
		/* Masked too: a payload may have used stimecmp directly. */
		csr_clear(sie, IRQ_TIMER);
		h->timer_at = now();
		h->timer_irqs++;
	} else if (code == 9) {
		h->ext_irqs++;
		if (h->on_ext != NULL)
			h->on_ext(h);
		else
			csr_clear(sie, IRQ_EXT);
	} else {
		bail_out("interrupt %lu", code);
	}
}

bool raised(uint64_t bit)
{
	struct cpu *h = self();
	void (*on_ext)(struct cpu * self) = h->on_ext;
	uint64_t timer = h->timer_irqs;
	uint64_t ext = h->ext_irqs;
	uint64_t status = csr_read(sstatus);
	uint64_t enabled = csr_read(sie);
	bool came;

	h->on_ext = NULL;
	csr_write(sie, bit);
	csr_set(sstatus, SSTATUS_SIE);
	__asm__ volatile("nop; nop; nop; nop");
	csr_clear(sstatus, SSTATUS_SIE);
	came = h->timer_irqs != timer || h->ext_irqs != ext;
	h->timer_irqs = timer;
	h->ext_irqs = ext;
	h->on_ext = on_ext;
	csr_write(sie, enabled);
	csr_set(sstatus, status & SSTATUS_SIE);
	return came;
}

/* 0: resume the frame; 1: leave run(). */
uint64_t trap_c(struct cpu *h)
{
	const struct frame *f = &h->frame;

	if ((f->cause & CAUSE_INTERRUPT) != 0) {
		interrupt(h, f->cause & 0xff);
		/* The frame's sie is not part of it: nothing to patch. */
		return 0;
	}
	if (h->running)
		return 1;
	bail_out("hart %lu: cause %lu tval 0x%lx pc 0x%lx ra 0x%lx", h->id,
		 f->cause, f->tval, f->epc, f->x[1]);
}

const struct frame *run(const struct frame *in, bool user)
{
	struct cpu *h = self();
	uint64_t status = csr_read(sstatus);

	csr_clear(sstatus, SSTATUS_SIE);
	h->frame = *in;
	h->frame.status = (status | SSTATUS_SPP | SSTATUS_FS) &
			  ~(SSTATUS_SIE | SSTATUS_SPIE);
	if (user)
		h->frame.status &= ~SSTATUS_SPP;
	h->running = true;
	run_frame();
	h->running = false;
	csr_write(sstatus, status);
	return &h->frame;
}

void frame_fill(struct frame *f)
{
	for (uint32_t i = 0; i < 32; i++)
		f->x[i] = 0x5a01020304050600ull * 2u + i * 0x0101010101010101u;
}

uint32_t insn_length(uint32_t insn)
{
	return (insn & 3) == 3 ? 4 : 2;
}

const struct frame *exec_at(void *where, uint64_t pc, uint32_t insn,
			    struct frame *f, bool user)
{
	volatile uint16_t *code = where;
	uint32_t n = 0;

	code[n++] = (uint16_t)insn;
	if (insn_length(insn) == 4)
		code[n++] = (uint16_t)(insn >> 16);
	code[n] = C_EBREAK;
	fence_i();
	f->epc = pc;
	return run(f, user);
}

const struct frame *exec(uint32_t insn, struct frame *f)
{
	uint32_t *code = self()->code;

	return exec_at(code, (uint64_t)code, insn, f, false);
}

bool retired(const struct frame *f, const struct frame *in, uint32_t insn)
{
	return f->cause == CAUSE_BREAKPOINT &&
	       f->epc == in->epc + insn_length(insn);
}

const struct frame *jump_to(uint64_t pc)
{
	struct frame f;

	frame_fill(&f);
	f.epc = pc;
	return run(&f, false);
}

bool cpu_start(uint32_t slot, void (*job)(struct cpu *self), uint64_t arg)
{
	struct cpu *h = &cpus[slot];

	h->id = machine.hart_id[slot];
	h->main_sp = (uint64_t)(h->main_stack + sizeof(h->main_stack));
	h->trap_sp = (uint64_t)(h->trap_stack + sizeof(h->trap_stack));
	h->job = job;
	h->job_arg = arg;
	h->result = 0;
	h->done = false;
	h->on_ext = NULL;
	__asm__ volatile("fence" ::: "memory");
	return sbi(SBI_HSM, 0, h->id, (uint64_t)secondary_entry, (uint64_t)h)
		       .error == SBI_OK;
}

void secondary_main(struct cpu *h)
{
	csr_write(sie, 0);
	csr_set(sstatus, SSTATUS_FS);
	csr_write(scounteren, 7);
	h->job(h);
	csr_write(sie, 0);
	csr_clear(sstatus, SSTATUS_SIE);
	__asm__ volatile("fence" ::: "memory");
	h->done = true;
	(void)sbi(SBI_HSM, 1);
	bail_out("hart %lu: stop returned", h->id);
}

bool cpu_join(uint32_t slot, uint64_t ms)
{
	if (!wait_for(cpus[slot].done, ms))
		return false;
	return wait_for(sbi(SBI_HSM, 2, machine.hart_id[slot]).value == 1, ms);
}

void console_put(char c)
{
	while ((read8(UART(UART_LSR)) & 0x20) == 0)
		;
	write8(UART(UART_DATA), (uint8_t)c);
}

void power_off(void)
{
	(void)sbi(SBI_SRST, 0, 0, 0);
	print("Bail out! the machine does not power off\n");
	for (;;)
		__asm__ volatile("wfi");
}

void boot_main(struct cpu *h, uint64_t id, const void *dtb)
{
	h->id = id;
	h->trap_sp = (uint64_t)(h->trap_stack + sizeof(h->trap_stack));
	csr_write(sie, 0);
	csr_write(satp, 0);
	csr_set(sstatus, SSTATUS_FS);
	csr_write(scounteren, 7);
	machine_read(dtb, id);
	suite();
	plan();
	power_off();
}
