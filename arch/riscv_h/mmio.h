/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Accesses of guests to devices and holes. Pure. The short way is inline in the
 * metal half's fault handler; whatever is not found there goes the long way.
 */
#ifndef AXVMI_RISCV_MMIO_H
#define AXVMI_RISCV_MMIO_H

#include "exit.h"

/*
 * A load or store outside RAM, as axvmi_riscv_exit(). The instruction is fetched
 * while the vCPU still counts as inside, since the fetch translates through the
 * guest's tables.
 */
int axvmi_riscv_mmio(struct riscv_vcpu *v, const struct riscv_syndrome *s,
		     uint64_t gpa, const struct axvmi_space *space);

/*
 * ---- the short way of MMIO ----
 *
 * The commonest exit after SBI calls, hence inline and without what refusals
 * need; whatever is not found here goes the long way, axvmi_riscv_exit().
 */

/* A load or store of which the hart says no more than its address. */
static inline bool riscv_is_plain_access(uint64_t cause, uint64_t htinst)
{
	return (cause == CAUSE_LOAD_GUEST_PAGE ||
		cause == CAUSE_STORE_GUEST_PAGE) &&
	       htinst == 0;
}

/* `offset` is gpa - v->last.start. */
static inline bool riscv_is_last_device(const struct riscv_vcpu *v,
					uint64_t offset)
{
	return offset <= v->last.span;
}

static inline bool riscv_is_last_ram(const struct riscv_vcpu *v, uint64_t gpa)
{
	const struct axvmi_space *space = v->last_ram;

	return space != NULL &&
	       gpa - space->start <= space->last - space->start;
}

/* Makes what the map has at gpa, device, hole or RAM, the last one. */
void axvmi_riscv_locate(struct riscv_vcpu *v, uint64_t gpa);

/*
 * The page offsets agree, so that it is no access to the guest's page tables;
 * and the access is all in one page for sure: not in the first or last place of
 * one, where it may be a part of a misaligned one.
 */
static inline bool riscv_is_whole_access(uint64_t gva, uint64_t gpa,
					 uint64_t width)
{
	const unsigned page = 64 - PAGE_SHIFT_4K; /* shifts the rest out */

	return (gva ^ gpa) << page == 0 && (gpa & (width - 1)) == 0 &&
	       ((gva + width) << page > width << page || width == 1);
}

/* Decodes a plain access to the last device. False: the long way. `word` is 0
 * if there was nothing to fetch. */
IN_LINE bool riscv_mmio_decode(const struct riscv_vcpu *v, uint64_t gpa,
			       uint64_t gva, uint64_t word, bool write,
			       struct riscv_insn *insn)
{
	return riscv_insn_try(word, write, insn) &&
	       riscv_is_whole_access(gva, gpa, insn->width) &&
	       (v->last.widths & insn->width) != 0;
}

/* Into the destination register. 0, or RISCV_RELOAD: not one of a0-a7, the
 * likely ones, so that it may be one of s0-s11. */
static inline int riscv_finish_load(struct riscv_vcpu *v, uint64_t value)
{
	uint64_t reg = v->mmio_rd;

	if (reg == 0)
		return 0;
	v->frame.x[reg] =
		riscv_insn_load_value(v->mmio_size, v->mmio_signed, value);
	return (int)(reg - REG_A0 < 8) - 1;
}

/* Ends an access whose value is known. */
static inline int riscv_mmio_done(struct riscv_vcpu *v, uint64_t value)
{
	v->frame.pc += v->mmio_length;
	return v->mmio_write == 0 ? riscv_finish_load(v, value) : 0;
}

/* The exit that waits, if one does, at the start of a run. */
static inline void riscv_end_wait(struct riscv_vcpu *v)
{
	if (v->core.wait == AXVM_EXIT_MMIO &&
	    v->core.action == AXVM_COMPLETE_DONE) {
		(void)riscv_mmio_done(v, v->core.answer);
		axvmi_completed(&v->core);
	} else if (v->core.wait != 0) {
		axvmi_complete(&v->core);
	}
}

/* What the completion of an access needs, once it has been decoded. */
static inline void riscv_mmio_keep(struct riscv_vcpu *v, uint64_t gva,
				   const struct riscv_insn *insn, bool write)
{
	v->mmio_rd = insn->reg;
	v->mmio_size = insn->width;
	v->mmio_signed = insn->sign;
	v->mmio_length = insn->length;
	v->mmio_write = write;
	v->mmio_gva = gva;
}

/* The bytes that a store writes. */
static inline uint64_t riscv_mmio_value(const struct riscv_vcpu *v,
					uint64_t width, uint64_t reg,
					bool write)
{
	return write ? riscv_insn_store_value(width, v->frame.x[reg]) : 0;
}

static inline uint64_t riscv_mmio_cause(bool write)
{
	return write ? CAUSE_STORE_GUEST_PAGE : CAUSE_LOAD_GUEST_PAGE;
}

/* Leaves an access to the host that has been kept; riscv_end_wait() or
 * axvmi_riscv_complete() ends it. */
static inline int riscv_mmio_exit(struct riscv_vcpu *v,
				  const struct riscv_syndrome *s, uint64_t gpa,
				  uint64_t value, uint64_t width, bool write)
{
	struct axvm_exit *exit = v->core.exit;

	riscv_fill_exit(v, s);
	exit->valid =
		AXVM_EXIT_GPA_VALID | AXVM_EXIT_GVA_VALID | AXVM_EXIT_RAW_VALID;
	exit->gpa = gpa;
	exit->gva = s->stval;
	exit->u.mmio.value = value;
	exit->u.mmio.size = (uint32_t)width;
	exit->u.mmio.write = write;
	return AXVM_EXIT_MMIO;
}

/* The guest gets the access fault of the access that was kept. */
void axvmi_riscv_mmio_refuse(struct riscv_vcpu *v);

/* What to do when a device does not say DONE, of an access that has been kept; pc
 * stands behind it. As axvmi_riscv_exit(). */
int axvmi_riscv_mmio_refused(struct riscv_vcpu *v,
			     enum axvm_access_result result);

/*
 * Performs what was decoded, a plain access at `offset` of the last device or
 * hole. 0, RISCV_RELOAD, or an exit reason.
 */
IN_LINE int riscv_mmio(struct riscv_vcpu *v, const struct riscv_syndrome *s,
		       uint64_t gpa, uint64_t offset,
		       const struct riscv_insn *insn, bool write)
{
	struct axvm_device *device = v->last.device;
	struct axvm_device_access access;
	enum axvm_access_result result;
	uint64_t value;

	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_MMIO);
	/* The device may be the host's: nothing is kept in registers. */
	riscv_mmio_keep(v, s->stval, insn, write);
	value = riscv_mmio_value(v, insn->width, insn->reg, write);
	if (device == NULL)
		return riscv_mmio_exit(v, s, gpa, value, insn->width, write);
	v->mmio_gpa = gpa;
	v->frame.pc += insn->length;
	access.vm = v->core.vm;
	access.offset = offset;
	access.value = value;
	access.vcpu = v->core.index;
	access.range = v->last.range;
	access.size = (uint32_t)insn->width;
	access.write = write;
	result = device->ops->access(device, &access);
	if (result != AXVM_ACCESS_DONE)
		return axvmi_riscv_mmio_refused(v, result);
	return write ? 0 : riscv_finish_load(v, access.value);
}

#endif
