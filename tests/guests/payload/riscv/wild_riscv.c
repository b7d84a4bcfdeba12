/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Loads and stores, jumps, SBI calls, CSRs and hypervisor instructions. */
#include "insn.h"
#include "wild.h"

/* Somewhere that is not memory: devices, holes, the far end of the world. */
static uint64_t somewhere(struct dice *d)
{
	uint64_t r = roll(d);
	uint64_t a;

	switch (r % 8) {
	case 0:
		return UART(1 + r / 8 % 0x2000);
	case 1:
		return machine.plic_base + r / 8 % 0x600000;
	case 2:
		return HOLE + r / 8 % 0x100000;
	case 3:
		a = machine.ram_base + machine.ram_size + PAGE + r / 8 % PAGE;
		return a;
	case 4:
		return r / 8 % 0x80000000u;
	case 5:
		a = 1ull << r / 8 % 64;
		break;
	case 6:
		a = ~0ull - r / 8 % 64;
		break;
	default:
		a = roll(d);
		break;
	}
	return in_ram(a) ? HOLE : a;
}

/* A store that would make this console unreadable, or print. */
static bool touches_uart(uint64_t a)
{
	return a - (UART(0) - 8) < 16;
}

static void access(struct dice *d)
{
	static const uint8_t store_f3[] = {0, 1, 2, 3};
	struct frame f;
	uint64_t r = roll(d);
	uint64_t a = somewhere(d);
	uint32_t rd = (uint32_t)(r >> 8) % 32;

	frame_fill(&f);
	f.x[8] = a;
	switch (r % 5) {
	case 0:
	case 1:
		(void)exec(insn_i(OP_LOAD, r >> 16 & 7, rd, 8, 0), &f);
		return;
	case 2:
		if (!touches_uart(a))
			(void)exec(insn_s(OP_STORE, store_f3[r >> 16 & 3], 8,
					  rd, 0),
				   &f);
		return;
	case 3:
		if (!touches_uart(a))
			(void)exec(insn_amo((uint32_t)(r >> 16) % 32,
					    2 + (r >> 24 & 1), rd, 8, 10),
				   &f);
		return;
	default:
		(void)exec(OP_LOAD_FP | (2 + (r >> 24 & 1)) << 12 | 8 << 15,
			   &f);
		return;
	}
}

static void wild_jump(struct dice *d)
{
	uint64_t a = somewhere(d) & ~1ull;

	/* Registers of devices are not code; what they return may run. */
	if (a - machine.plic_base < 0x4000000 || a - UART(0) < PAGE)
		a = HOLE + (a & 0xffe);
	(void)jump_to(a);
}

static const uint64_t extensions[] = {SBI_BASE, SBI_TIME, SBI_IPI,  SBI_RFENCE,
				      SBI_HSM,	SBI_SRST, SBI_DBCN, SBI_PMU,
				      0,	3,	  9,	    15};

static bool suicidal(uint64_t ext, uint64_t fid, const uint64_t args[6])
{
	if (ext == SBI_SRST)
		return fid == 0 && (uint32_t)args[0] <= 2;
	if (ext == SBI_HSM && (fid == 1 || fid == 3))
		return true;
	/* Starting a hart in the middle of our memory is our own fault. */
	if (ext == SBI_HSM && fid == 0)
		return in_ram(args[1]);
	/* Output of random memory, and input into it. */
	if (ext == SBI_DBCN)
		return fid == 2 || in_ram(args[1]);
	return false;
}

static void wild_call(struct dice *d)
{
	uint64_t ext = extensions[roll(d) % (sizeof(extensions) / 8)];
	uint64_t fid = roll(d) % 16 == 0 ? roll(d) : roll(d) % 8;
	uint64_t args[6];

	for (uint32_t i = 0; i < 6; i++) {
		uint64_t r = roll(d);

		args[i] = r % 4 == 0   ? r / 4 % 8
			  : r % 4 == 1 ? ~(r / 4 % 8)
			  : r % 4 == 2 ? somewhere(d)
				       : roll(d);
	}
	if (roll(d) % 32 == 0)
		ext = roll(d) | 0x10000000000ull;
	if (!suicidal(ext, fid, args))
		(void)sbi_call(ext, fid, args);
}

/* Reads of any CSR; reads have no effect, writes might be ours to regret. */
static void wild_system(struct dice *d)
{
	struct frame f;
	uint64_t r = roll(d);

	frame_fill(&f);
	f.x[8] = somewhere(d);
	if (r % 3 == 0)
		(void)exec(insn_csr(2, 9, (uint32_t)(r >> 8) & 0xfff, 0), &f);
	else if (r % 3 == 1)
		(void)exec(insn_hlv(0x30 + ((r >> 8) & 7), 9, 8, r >> 16 & 3),
			   &f);
	else
		(void)exec(r >> 8 & 1 ? INSN_HFENCE_GVMA : INSN_HFENCE_VVMA,
			   &f);
}

void (*const wild_acts[])(struct dice *d) = {
	access,
	wild_jump,
	wild_call,
	wild_system,
};
const uint32_t wild_act_count = sizeof(wild_acts) / sizeof(wild_acts[0]);

void wild_prepare(void)
{
}

bool wild_timer_works(void)
{
	struct cpu *c = self();
	uint64_t count = c->timer_irqs;

	csr_write(sie, IRQ_TIMER);
	set_timer(now() + ms_to_ticks(5));
	csr_set(sstatus, SSTATUS_SIE);
	(void)wait_for(c->timer_irqs != count, 2000);
	csr_clear(sstatus, SSTATUS_SIE);
	csr_write(sie, 0);
	set_timer(~0ull);
	return c->timer_irqs == count + 1;
}

bool wild_firmware_answers(void)
{
	return sbi(SBI_HSM, 2, self()->id).value == 0;
}
