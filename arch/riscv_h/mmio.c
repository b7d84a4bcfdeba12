/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * MMIO the long way: every instruction, htinst, refusals, and what the host
 * completes. Runs on the vCPU's own thread; exit.c and mmio.h call.
 */
#include "mmio.h"

struct riscv_access {
	uint64_t gpa;
	uint64_t gva;
	uint64_t cause; /* access fault the guest gets if it is refused */
};

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

/* Leaves the access to the host; axvmi_riscv_complete() ends it. */
static int exit_mmio(struct riscv_vcpu *v, const struct riscv_access *access,
		     uint64_t value)
{
	struct axvm_exit *exit = v->core.exit;

	v->fault_cause = access->cause;
	v->fault_value = access->gva;
	exit->gpa = access->gpa;
	exit->gva = access->gva;
	exit->valid = AXVM_EXIT_GPA_VALID | AXVM_EXIT_GVA_VALID;
	exit->u.mmio.value = value;
	exit->u.mmio.size = (uint32_t)v->mmio_size;
	exit->u.mmio.write = (uint32_t)v->mmio_write;
	return AXVM_EXIT_MMIO;
}

static uint64_t value_written(const struct riscv_vcpu *v)
{
	return v->mmio_write == 0
		       ? 0
		       : riscv_insn_store_value(v->mmio_size,
						v->frame.x[v->mmio_rd]);
}

int axvmi_riscv_mmio_refused(struct riscv_vcpu *v,
			     enum axvm_access_result result)
{
	const struct riscv_syndrome s = {
		.cause = v->mmio_write == 0 ? CAUSE_LOAD_GUEST_PAGE
					    : CAUSE_STORE_GUEST_PAGE,
		.stval = v->mmio_gva,
		.htval = v->mmio_gpa >> 2,
	};
	const struct riscv_access access = {
		.gpa = v->mmio_gpa,
		.gva = v->mmio_gva,
		.cause = riscv_access_fault(s.cause),
	};

	v->frame.pc -= v->mmio_length;
	/* A result that does not exist is no answer either. */
	if (result != AXVM_ACCESS_EXIT) {
		axvmi_riscv_reflect(v, access.cause, access.gva);
		return 0;
	}
	riscv_fill_exit(v, &s);
	return exit_mmio(v, &access, value_written(v));
}

static int emulate(struct riscv_vcpu *v, const struct riscv_insn *insn,
		   const struct riscv_access *access,
		   const struct axvmi_space *space)
{
	enum axvmi_dispatch result = AXVMI_DISPATCH_EXIT;
	uint64_t value;

	v->mmio_rd = insn->reg;
	v->mmio_size = insn->width;
	v->mmio_signed = insn->sign;
	v->mmio_length = insn->length;
	v->mmio_write = insn->kind == RISCV_INSN_STORE;
	value = value_written(v);
	if (space != NULL)
		result = axvmi_device_access(&v->core, space, access->gpa,
					     (uint32_t)insn->width,
					     v->mmio_write != 0, &value);
	if (result == AXVMI_DISPATCH_EXIT)
		return exit_mmio(v, access, value);
	if (result == AXVMI_DISPATCH_FAULT) {
		axvmi_riscv_reflect(v, access->cause, access->gva);
		return 0;
	}
	v->frame.pc += insn->length;
	return v->mmio_write == 0 ? riscv_finish_load(v, value) : 0;
}

/*
 * One part of a misaligned access that crosses pages faults with the address
 * of that part, which may well be aligned. `word` is 0 if htinst decoded.
 */
static bool is_whole(const struct riscv_vcpu *v, const struct riscv_insn *insn,
		     uint32_t word, const struct riscv_access *access)
{
	struct riscv_insn_address from;
	uint64_t gva = access->gva;
	uint64_t start;

	if (insn->fault_offset != 0 || (access->gpa & (insn->width - 1)) != 0)
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
	struct riscv_access access = {.gpa = gpa, .gva = s->stval};
	struct riscv_insn insn = {.width = 0};
	uint32_t word = 0;
	enum riscv_htinst_kind kind = riscv_htinst_decode(s->htinst, &insn);
	bool fetched = kind != RISCV_HTINST_NONE ||
		       riscv_vm(v->core.vm)->metal->fetch(v, &word);
	int reason;

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
	access.cause = axvmi_riscv_insn_fault(&insn, s->cause);
	if (!can_emulate(&insn, s->cause) ||
	    !is_whole(v, &insn, word, &access)) {
		axvmi_riscv_reflect(v, access.cause, s->stval);
		return 0;
	}
	reason = emulate(v, &insn, &access, space);
	if (reason > 0)
		riscv_fill_exit(v, s);
	return reason;
}
