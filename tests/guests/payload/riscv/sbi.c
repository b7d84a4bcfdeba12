/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Every SBI call with good and bad arguments (SBI Specification 2.0), the
 * legacy ones with their own conventions, and that nothing but a0 and a1
 * changes. Legacy shutdown ends the run.
 */
#include "insn.h"
#include "payload.h"

uint64_t suspend_away(uint64_t type, uint64_t address, uint64_t opaque);

static uint8_t text[3 * PAGE] __attribute__((aligned(4096)));

static uint64_t self_mask(void)
{
	return 1ull << (machine.hart_id[0] & 63);
}

static void base(void)
{
	static const uint64_t present[] = {SBI_BASE,   SBI_TIME, SBI_IPI,
					   SBI_RFENCE, SBI_HSM,	 SBI_SRST,
					   SBI_DBCN};
	/* PMU, SUSP, NACL, STA, CPPC, FWFT and nonsense. */
	static const uint64_t absent[] = {
		SBI_PMU,    0x53555350, 0x4e41434c, 0x535441, 0x43505043,
		0x46574654, 0xdeadbeef, ~0ull,	    9,	      0x10000010};

	check_eq(sbi(SBI_BASE, 0).value, 0x02000000, "spec version is 2.0");
	for (uint64_t fid = 0; fid < 7; fid++)
		check_eq(sbi(SBI_BASE, fid).error, SBI_OK,
			 "base function %lu succeeds", fid);
	check_eq(sbi(SBI_BASE, 7).error, SBI_NOT_SUPPORTED,
		 "base function 7 does not exist");
	check_eq(sbi(SBI_BASE, ~0ull).error, SBI_NOT_SUPPORTED,
		 "base function -1 does not exist");
	for (uint32_t i = 0; i < sizeof(present) / 8; i++)
		check(sbi(SBI_BASE, 3, present[i]).value != 0,
		      "extension 0x%lx is present", present[i]);
	for (uint64_t ext = 0; ext <= 8; ext++)
		check(sbi(SBI_BASE, 3, ext).value != 0,
		      "legacy extension %lu is present", ext);
	for (uint32_t i = 0; i < sizeof(absent) / 8; i++)
		check_eq(sbi(SBI_BASE, 3, absent[i]).value, 0,
			 "extension 0x%lx is absent", absent[i]);
	for (uint32_t i = 0; i < sizeof(absent) / 8; i++)
		check_eq(sbi(absent[i], 0).error, SBI_NOT_SUPPORTED,
			 "calling extension 0x%lx is refused", absent[i]);
}

static void timer(void)
{
	check_eq(set_timer(0), SBI_OK, "set_timer(0) succeeds");
	check(raised(IRQ_TIMER), "and is pending at once");
	check_eq(set_timer(~0ull), SBI_OK, "set_timer(-1) succeeds");
	check(!raised(IRQ_TIMER), "and clears the pending bit");
	check_eq(sbi(SBI_TIME, 1).error, SBI_NOT_SUPPORTED,
		 "time function 1 does not exist");
}

/* Sends and tells whether the bit came up here. */
static bool ipi_arrives(uint64_t mask, uint64_t from)
{
	bool came;

	csr_clear(sip, IRQ_SOFT);
	if (sbi(SBI_IPI, 0, mask, from).error != SBI_OK)
		return false;
	came = wait_for((csr_read(sip) & IRQ_SOFT) != 0, 100);
	csr_clear(sip, IRQ_SOFT);
	return came && (csr_read(sip) & IRQ_SOFT) == 0;
}

static void ipi(void)
{
	uint64_t id = machine.hart_id[0];

	check(ipi_arrives(self_mask(), 0), "IPI to this hart by mask");
	check(ipi_arrives(1, id), "IPI to this hart by base");
	check(ipi_arrives(0, ~0ull), "IPI to all harts: base -1, mask 0");
	check(ipi_arrives(0x8000000000000001ull, ~0ull),
	      "IPI to all harts ignores the mask");
	check_eq(sbi(SBI_IPI, 0, 0, 0).error, SBI_OK, "IPI to nobody succeeds");
	check((csr_read(sip) & IRQ_SOFT) == 0, "and reaches nobody");
	check_eq(sbi(SBI_IPI, 0, 1, NO_HART).error, SBI_INVALID_PARAM,
		 "IPI to a missing hart by base");
	check_eq(sbi(SBI_IPI, 0, 1ull << 63, 0).error, SBI_INVALID_PARAM,
		 "IPI to a missing hart by mask");
	check_eq(sbi(SBI_IPI, 0, 1, ~0ull - 1).error, SBI_INVALID_PARAM,
		 "IPI with base -2");
	check_eq(sbi(SBI_IPI, 0, self_mask() | 1ull << 63, 0).error,
		 SBI_INVALID_PARAM, "IPI to one good and one missing hart");
	check((csr_read(sip) & IRQ_SOFT) == 0,
	      "a refused IPI reaches not even the good hart");
	check_eq(sbi(SBI_IPI, 1, 1, 0).error, SBI_NOT_SUPPORTED,
		 "IPI function 1 does not exist");
}

static void rfence(void)
{
	static const uint64_t ranges[][2] = {
		{0, 0},
		{0, ~0ull},
		{0x1000, 0x1000},
		{0x123, 0x7},
		{~0ull, 1},
		{~0xfffull, ~0ull},
		{1ull << 38, 1ull << 38},
		{0, 1ull << 63},
	};
	uint64_t mask = self_mask();

	check_eq(sbi(SBI_RFENCE, 0, mask, 0).error, SBI_OK, "remote fence.i");
	check_eq(sbi(SBI_RFENCE, 0, 0, ~0ull).error, SBI_OK,
		 "remote fence.i on all harts");
	for (uint32_t i = 0; i < sizeof(ranges) / 16; i++) {
		uint64_t from = ranges[i][0];
		uint64_t size = ranges[i][1];
		uint64_t e = sbi(SBI_RFENCE, 1, mask, 0, from, size).error;

		check(e == SBI_OK || e == SBI_INVALID_ADDRESS,
		      "remote sfence.vma 0x%lx+0x%lx", from, size);
		e = sbi(SBI_RFENCE, 2, mask, 0, from, size, 1).error;
		check(e == SBI_OK || e == SBI_INVALID_ADDRESS,
		      "remote sfence.vma with ASID 0x%lx+0x%lx", from, size);
	}
	check_eq(sbi(SBI_RFENCE, 1, 0, ~0ull, 0, ~0ull).error, SBI_OK,
		 "remote sfence.vma on all harts");
	for (uint64_t fid = 0; fid < 3; fid++) {
		check_eq(sbi(SBI_RFENCE, fid, 1, NO_HART, 0, PAGE, 0).error,
			 SBI_INVALID_PARAM, "fence %lu on a missing hart", fid);
		check_eq(sbi(SBI_RFENCE, fid, 1ull << 63, 0, 0, PAGE, 0).error,
			 SBI_INVALID_PARAM, "fence %lu on a missing mask bit",
			 fid);
	}
	/* hfence.*: this guest has no hypervisor extension. */
	for (uint64_t fid = 3; fid < 9; fid++)
		check_eq(sbi(SBI_RFENCE, fid, mask, 0, 0, PAGE, 0).error,
			 SBI_NOT_SUPPORTED, "fence function %lu is refused",
			 fid);
}

static void hsm_bad(void)
{
	uint64_t id = machine.hart_id[0];
	uint64_t entry = (uint64_t)secondary_entry;

	check_eq(sbi(SBI_HSM, 0, NO_HART, entry, 0).error, SBI_INVALID_PARAM,
		 "start of a missing hart");
	check_eq(sbi(SBI_HSM, 0, ~0ull, entry, 0).error, SBI_INVALID_PARAM,
		 "start of hart -1");
	check_eq(sbi(SBI_HSM, 0, id, entry, 0).error, SBI_ALREADY_AVAILABLE,
		 "start of a running hart");
	check_eq(sbi(SBI_HSM, 2, id).error, SBI_OK, "status of this hart");
	check_eq(sbi(SBI_HSM, 2, id).value, 0, "it is STARTED");
	check_eq(sbi(SBI_HSM, 2, NO_HART).error, SBI_INVALID_PARAM,
		 "status of a missing hart");
	check_eq(sbi(SBI_HSM, 2, 1ull << 32 | id).error, SBI_INVALID_PARAM,
		 "a hart id is 64 bits wide");
	check_eq(sbi(SBI_HSM, 4).error, SBI_NOT_SUPPORTED,
		 "HSM function 4 does not exist");
}

static void report_job(struct cpu *h)
{
	h->result = h->job_arg + 1;
}

static void hsm_other(void)
{
	uint64_t id = machine.hart_id[1];

	if (machine.cpu_count < 2) {
		skip("one hart", "a stopped hart is started and stops");
		return;
	}
	check_eq(sbi(SBI_HSM, 2, id).value, 1, "another hart is STOPPED");
	check(cpu_start(1, report_job, 41), "it starts");
	check(cpu_join(1, 1000), "it runs and stops");
	check_eq(cpus[1].result, 42, "its opaque argument arrived");
	check_eq(cpus[1].entry_a0, id, "a0 was its hart id");
	check_eq(cpus[1].entry_satp, 0, "satp was 0");
	check_eq(cpus[1].entry_status & SSTATUS_SIE, 0, "sstatus.SIE was 0");
}

static void suspend(void)
{
	static const uint64_t bad[] = {1,	   0x0fffffff, 0x10000000,
				       0x7fffffff, 0x80000001, 0x8fffffff,
				       0x90000000, 0xffffffff};
	struct cpu *h = self();

	csr_set(sie, IRQ_SOFT | IRQ_TIMER);
	(void)sbi(SBI_IPI, 0, self_mask(), 0);
	check_eq(sbi(SBI_HSM, 3, 0).error, SBI_OK,
		 "retentive suspend with an IPI pending returns");
	check((csr_read(sip) & IRQ_SOFT) != 0, "and leaves the IPI pending");
	csr_clear(sip, IRQ_SOFT);
	set_timer(now() + ms_to_ticks(5));
	check_eq(sbi(SBI_HSM, 3, 0).error, SBI_OK,
		 "retentive suspend until the timer");
	check(raised(IRQ_TIMER), "the timer woke it");
	set_timer(now() + ms_to_ticks(5));
	h->entry_a0 = ~0ull;
	check_eq(suspend_away(0x80000000, (uint64_t)resume_entry, (uint64_t)h),
		 0, "non-retentive suspend until the timer");
	check_eq(h->entry_a0, h->id, "resumes with a0 = hart id");
	check_eq(csr_read(satp), 0, "resumes with satp = 0");
	check_eq(csr_read(sstatus) & SSTATUS_SIE, 0, "resumes with SIE = 0");
	csr_set(sstatus, SSTATUS_FS);
	csr_set(sie, IRQ_TIMER);
	set_timer(0);
	for (uint32_t i = 0; i < sizeof(bad) / 8; i++)
		check_eq(sbi(SBI_HSM, 3, bad[i], (uint64_t)resume_entry).error,
			 SBI_INVALID_PARAM, "suspend type 0x%lx", bad[i]);
	set_timer(~0ull);
	csr_write(sie, 0);
}

/* Last: firmware that takes these leaves a hart at a wild address. */
static void hsm_wild(void)
{
	static const uint64_t bad[] = {HOLE, 0, ~1ull, 1ull << 50};
	uint64_t id = machine.hart_id[1];

	for (uint32_t i = 0; i < 4 && machine.cpu_count > 1; i++)
		check_eq(sbi(SBI_HSM, 0, id, bad[i], 0).error,
			 SBI_INVALID_ADDRESS, "start at 0x%lx", bad[i]);
	if (machine.cpu_count > 1)
		check_eq(sbi(SBI_HSM, 2, id).value, 1, "it is still STOPPED");
	for (uint32_t i = 0; i < 4; i++)
		check_eq(suspend_away(0x80000000, bad[i], 0),
			 SBI_INVALID_ADDRESS, "non-retentive suspend to 0x%lx",
			 bad[i]);
}

static void console(void)
{
	uint64_t at = (uint64_t)text;
	uint64_t end = machine.ram_base + machine.ram_size;
	struct sbiret r;

	for (uint32_t i = 0; i < sizeof(text); i++)
		text[i] = i % 64 == 63 ? '\n' : i % 64 == 0 ? '#' : '.';
	check_eq(sbi(SBI_DBCN, 0, 64, at, 0).value, 64, "console write");
	check_eq(sbi(SBI_DBCN, 0, 64, at + 2 * PAGE, 0).error, SBI_OK,
		 "console write from another page");
	memcpy(text + PAGE - 32,
	       "# across a page, byte for byte.\n"
	       "# second half is on another pag\n",
	       64);
	check_eq(sbi(SBI_DBCN, 0, 64, at + PAGE - 32, 0).value, 64,
		 "console write across a page");
	r = sbi(SBI_DBCN, 0, PAGE + 128, at + 2 * 64, 0);
	check(r.error == SBI_OK && r.value > 0 && r.value <= PAGE + 128,
	      "long console write: some of it, and says how much");
	r = sbi(SBI_DBCN, 0, 0, at, 0);
	check(r.error == SBI_OK && r.value == 0, "console write of nothing");
	check_eq(sbi(SBI_DBCN, 0, 8, HOLE, 0).error, SBI_INVALID_PARAM,
		 "console write from a hole");
	check_eq(sbi(SBI_DBCN, 0, 8, UART(0), 0).error, SBI_INVALID_PARAM,
		 "console write from a device");
	check_eq(sbi(SBI_DBCN, 0, 8, at, 1).error, SBI_INVALID_PARAM,
		 "console write from above 2^64");
	check_eq(sbi(SBI_DBCN, 0, 16, ~7ull, 0).error, SBI_INVALID_PARAM,
		 "console write that wraps");
	r = sbi(SBI_DBCN, 0, 1ull << 63, end - 64, 0);
	check(r.error == SBI_INVALID_PARAM || r.value <= 64,
	      "console write past the end of memory");
	r = sbi(SBI_DBCN, 1, sizeof(text), at, 0);
	check(r.error == SBI_OK && r.value == 0, "console read with no input");
	check_eq(sbi(SBI_DBCN, 1, 8, HOLE, 0).error, SBI_INVALID_PARAM,
		 "console read into a hole");
	check_eq(sbi(SBI_DBCN, 1, 8, at, 7).error, SBI_INVALID_PARAM,
		 "console read to above 2^64");
	r = sbi(SBI_DBCN, 2, '#');
	check(r.error == SBI_OK && r.value == 0, "console write of one byte");
	(void)sbi(SBI_DBCN, 2, '\n');
	check_eq(sbi(SBI_DBCN, 3).error, SBI_NOT_SUPPORTED,
		 "console function 3 does not exist");
}

/* Registers that differ after the call, as a bit mask without a7. */
static uint32_t changed_by(uint64_t ext, uint64_t fid, uint64_t a0, uint64_t a1)
{
	struct frame f;
	const struct frame *after;
	uint32_t changed = 0;

	frame_fill(&f);
	f.x[10] = a0;
	f.x[11] = a1;
	f.x[12] = 0;
	f.x[13] = 0;
	f.x[16] = fid;
	f.x[17] = ext;
	after = exec(INSN_ECALL, &f);
	if (!retired(after, &f, INSN_ECALL))
		return ~0u;
	for (uint32_t i = 1; i < 32; i++)
		changed |= (uint32_t)(after->x[i] != f.x[i]) << i;
	return changed;
}

static void registers(void)
{
	static const uint64_t calls[][4] = {
		{SBI_BASE, 0, 1, 2},	  {SBI_BASE, 3, SBI_HSM, 2},
		{SBI_TIME, 0, ~0ull, 2},  {SBI_IPI, 0, 0, 0},
		{SBI_RFENCE, 0, 0, 0},	  {SBI_RFENCE, 1, 0, 0},
		{SBI_RFENCE, 3, 0, 0},	  {SBI_HSM, 2, 0, 5},
		{SBI_HSM, 0, NO_HART, 0}, {SBI_DBCN, 0, 0, 0},
		{SBI_PMU, 0, 1, 2},	  {0xabcdef, 9, 1, 2},
	};

	for (uint32_t i = 0; i < sizeof(calls) / 32; i++)
		check_eq(changed_by(calls[i][0], calls[i][1], calls[i][2],
				    calls[i][3]) &
				 ~0xc00u,
			 0, "0x%lx/%lu changes only a0 and a1", calls[i][0],
			 calls[i][1]);
	/* Legacy: a1 is preserved as well. */
	check_eq(changed_by(0, 7, ~0ull, 0x77) & ~0x400u, 0,
		 "legacy set_timer changes only a0");
	check_eq(changed_by(2, 7, 0x55, 0x77) & ~0x400u, 0,
		 "legacy getchar changes only a0");
	check_eq(changed_by(3, 7, 0x55, 0x77) & ~0x400u, 0,
		 "legacy clear_ipi changes only a0");
}

/* Either an error, or the fault that reading the mask gives the caller. */
static bool mask_refused(uint64_t at)
{
	struct frame f;
	const struct frame *after;

	frame_fill(&f);
	f.x[10] = at;
	f.x[17] = 4;
	after = exec(INSN_ECALL, &f);
	return retired(after, &f, INSN_ECALL) ||
	       ((after->cause == CAUSE_LOAD_PAGE ||
		 after->cause == CAUSE_LOAD_ACCESS) &&
		after->tval == at);
}

static void legacy_fences(void)
{
	static uint64_t mask;
	uint64_t at = (uint64_t)&mask;

	mask = self_mask();
	__asm__ volatile("fence" ::: "memory");
	check_eq(sbi(5, 0, at).error, 0, "legacy remote fence.i");
	check_eq(sbi(6, 0, at, 0, ~0ull).error, 0, "legacy remote sfence.vma");
	check_eq(sbi(7, 0, at, 0, PAGE, 1).error, 0,
		 "legacy remote sfence.vma with ASID");
	csr_clear(sip, IRQ_SOFT);
	check_eq(sbi(4, 0, at).error, 0, "legacy send_ipi");
	check(wait_for((csr_read(sip) & IRQ_SOFT) != 0, 100), "and it arrives");
	/* The mask is at a virtual address of the caller. */
	paging_reset();
	paging_map(TEST_VA, at & ~0xfffull, PTE_RW);
	paging_on();
	csr_clear(sip, IRQ_SOFT);
	check_eq(sbi(4, 0, TEST_VA + (at & 0xfff)).error, 0,
		 "legacy send_ipi with paging on");
	check(wait_for((csr_read(sip) & IRQ_SOFT) != 0, 100), "and it arrives");
	check(mask_refused(TEST_VA + PAGE),
	      "legacy send_ipi with an unmapped mask");
	paging_off();
	check(mask_refused(HOLE), "legacy send_ipi with a mask in a hole");
}

static void legacy(void)
{
	check_eq(sbi(0, 0, 0).error, 0, "legacy set_timer");
	check(raised(IRQ_TIMER), "is pending at once");
	check_eq(sbi(0, 0, ~0ull).error, 0, "legacy set_timer(-1)");
	check(!raised(IRQ_TIMER), "is not pending");
	(void)sbi(1, 0, '#');
	check_eq(sbi(1, 0, '\n').error, 0, "legacy putchar");
	check_eq(sbi(2, 0).error, ~0ull, "legacy getchar with no input is -1");
	legacy_fences();
	check(sbi(3, 0).error <= 1, "legacy clear_ipi");
	check((csr_read(sip) & IRQ_SOFT) == 0, "clears the pending bit");
	check_eq(sbi(9, 0).error, SBI_NOT_SUPPORTED, "legacy 9 does not exist");
	check_eq(sbi(15, 0).error, SBI_NOT_SUPPORTED,
		 "legacy 15 does not exist");
}

static void reset_bad(void)
{
	check_eq(sbi(SBI_SRST, 0, 3, 0).error, SBI_INVALID_PARAM,
		 "reset type 3 is reserved");
	check_eq(sbi(SBI_SRST, 0, 0xefffffff, 0).error, SBI_INVALID_PARAM,
		 "reset type 0xefffffff is reserved");
	check_eq(sbi(SBI_SRST, 0, 0xf0000000, 0).error, SBI_INVALID_PARAM,
		 "reset type 0xf0000000 is nobody's");
	check_eq(sbi(SBI_SRST, 0, 0, 2).error, SBI_INVALID_PARAM,
		 "reset reason 2 is reserved");
	check_eq(sbi(SBI_SRST, 0, 1, 0xffffffff).error, SBI_INVALID_PARAM,
		 "reset reason 0xffffffff is nobody's");
	check_eq(sbi(SBI_SRST, 1).error, SBI_NOT_SUPPORTED,
		 "reset function 1 does not exist");
}

void suite(void)
{
	base();
	timer();
	ipi();
	rfence();
	hsm_bad();
	hsm_other();
	suspend();
	console();
	registers();
	legacy();
	reset_bad();
	hsm_wild();
	plan();
	(void)sbi(8, 0);
	bail_out("legacy shutdown returned");
}
