/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * MMIO the long way: every instruction, htinst, refusals, and what the host
 * completes. Runs on the vCPU's own thread; exit.c and mmio.h call.
 */
#include "mmio.h"

void axvmi_riscv_locate(struct riscv_vcpu *v, uint64_t gpa)
{
	const struct axvmi_bus *bus = &v->core.vm->bus[AXVM_BUS_MMIO];
	const struct axvmi_space *space = axvmi_bus_find(bus, gpa);
	uint64_t widths = 1 | 2 | 4 | 8;
	struct axvmi_space hole;

	if (space == NULL) {
		hole = axvmi_bus_hole(bus, gpa);
		space = &hole;
	} else if (space->kind == AXVMI_SPACE_DEVICE) {
		widths = axvmi_device_plain_widths(space);
	} else {
		v->last_ram = space;
		return;
	}
	v->last.start = space->start;
	v->last.span = space->last - space->start;
	v->last.widths = widths;
	v->last.device = space->device;
	v->last.range = space->range;
}

void axvmi_riscv_mmio_refuse(struct riscv_vcpu *v)
{
	axvmi_riscv_reflect(
		v, v->mmio_write != 0 ? CAUSE_STORE_ACCESS : CAUSE_LOAD_ACCESS,
		v->mmio_gva);
}

int axvmi_riscv_mmio_refused(struct riscv_vcpu *v,
			     enum axvm_access_result result)
{
	bool write = v->mmio_write != 0;
	const struct riscv_syndrome s = {
		.cause = riscv_mmio_cause(write),
		.stval = v->mmio_gva,
		.htval = v->mmio_gpa >> 2,
	};

	v->frame.pc -= v->mmio_length;
	/* A result that does not exist is no answer either. */
	if (result != AXVM_ACCESS_EXIT) {
		axvmi_riscv_mmio_refuse(v);
		return 0;
	}
	return riscv_mmio_exit(
		v, &s, v->mmio_gpa,
		riscv_mmio_value(v, v->mmio_size, v->mmio_rd, write),
		v->mmio_size, write);
}

static int emulate(struct riscv_vcpu *v, const struct riscv_insn *insn,
		   const struct riscv_syndrome *s, uint64_t gpa,
		   const struct axvmi_space *space)
{
	enum axvmi_dispatch result = AXVMI_DISPATCH_EXIT;
	bool write = insn->kind == RISCV_INSN_STORE;
	uint64_t value = riscv_mmio_value(v, insn->width, insn->reg, write);

	riscv_mmio_keep(v, s->stval, insn, write);
	if (space != NULL)
		result = axvmi_device_access(&v->core, space, gpa,
					     (uint32_t)insn->width, write,
					     &value);
	if (result == AXVMI_DISPATCH_EXIT)
		return riscv_mmio_exit(v, s, gpa, value, insn->width, write);
	if (result == AXVMI_DISPATCH_FAULT) {
		axvmi_riscv_mmio_refuse(v);
		return 0;
	}
	return riscv_mmio_done(v, value);
}

/*
 * One part of a misaligned access that crosses pages faults with the address
 * of that part, which may well be aligned. `word` is 0 if htinst decoded.
 */
static bool is_whole(const struct riscv_vcpu *v, const struct riscv_insn *insn,
		     uint32_t word, uint64_t gva, uint64_t gpa)
{
	struct riscv_insn_address from;
	uint64_t start;

	if (insn->fault_offset != 0 || (gpa & (insn->width - 1)) != 0)
		return false;
	/* Anywhere but in the first and last place of a page it is all. */
	if (insn->width == 1 ||
	    ((gva + insn->width) & (PAGE_SIZE_4K - 1)) > insn->width ||
	    !axvmi_riscv_insn_address(word, &from))
		return true;
	start = v->frame.x[from.base] + (uint64_t)(int64_t)from.offset;
	return ((start ^ gva) & (PAGE_SIZE_4K - 1)) == 0;
}

/* Only what the hart has checked the guest's rights for. */
static bool can_emulate(const struct riscv_insn *insn, uint64_t cause)
{
	return insn->kind == (cause == CAUSE_LOAD_GUEST_PAGE
				      ? RISCV_INSN_LOAD
				      : RISCV_INSN_STORE);
}

/*
 * A load or store outside RAM. The instruction is fetched while the vCPU still
 * counts as inside, since the fetch translates through the guest's tables.
 */
int axvmi_riscv_mmio(struct riscv_vcpu *v, const struct riscv_syndrome *s,
		     uint64_t gpa, const struct axvmi_space *space)
{
	struct riscv_insn insn = {.width = 0};
	uint32_t word = 0;
	enum riscv_htinst_kind kind = riscv_htinst_decode(s->htinst, &insn);
	bool fetched = kind != RISCV_HTINST_NONE ||
		       riscv_vm(v->core.vm)->metal->fetch(v, &word);

	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_MMIO);
	/* Page tables that lie in no RAM: an access fault of the original
	 * access (Privileged, "Virtual Address Translation Process"). */
	if (kind == RISCV_HTINST_TABLE_READ ||
	    kind == RISCV_HTINST_TABLE_WRITE) {
		axvmi_riscv_reflect(v, riscv_access_fault(s->cause), s->stval);
		return 0;
	}
	if (riscv_is_silent_walk(kind, s, gpa)) {
		axvmi_riscv_reflect(v,
				    axvmi_riscv_guessed_fault(s, fetched, word),
				    s->stval);
		return 0;
	}
	/* Another vCPU took the page away: the guest will fault by itself. */
	if (!fetched)
		return 0;
	if (kind == RISCV_HTINST_NONE)
		insn = riscv_insn_decode(word);
	if (!can_emulate(&insn, s->cause) ||
	    !is_whole(v, &insn, word, s->stval, gpa)) {
		axvmi_riscv_reflect(v, axvmi_riscv_insn_fault(&insn, s->cause),
				    s->stval);
		return 0;
	}
	return emulate(v, &insn, s, gpa, space);
}
