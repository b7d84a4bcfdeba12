/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Accesses of guests to devices and holes. One instruction may be several
 * accesses of at most 8 bytes: what they have read is kept in v->mmio until the
 * last is done. Pure; on the thread of the running vCPU.
 */
#include "mmio.h"

/* ---- registers of the guest ---- */

static bool uses_sp_el1(const struct arm_vcpu *v)
{
	return (v->frame.pstate & SPSR_MODE) == SPSR_EL1H;
}

/* Base registers: 31 is the stack pointer. */
static uint64_t read_base(const struct arm_vcpu *v, unsigned n)
{
	if (n < 31)
		return v->frame.x[n];
	return uses_sp_el1(v) ? arm_metal(v)->read_el1(ARM_EL1_SP)
			      : v->frame.sp_el0;
}

static void write_base(struct arm_vcpu *v, unsigned n, uint64_t value)
{
	if (n < 31)
		v->frame.x[n] = value;
	else if (uses_sp_el1(v))
		arm_metal(v)->write_el1(ARM_EL1_SP, value);
	else
		v->frame.sp_el0 = value;
}

/* ---- the order of bytes ---- */

/* Of data; instructions are little-endian. */
static bool is_big_endian(const struct arm_vcpu *v)
{
	uint64_t sctlr;

	if ((v->frame.pstate & SPSR_AARCH32) != 0)
		return (v->frame.pstate & SPSR32_E) != 0;
	sctlr = arm_metal(v)->read_el1(ARM_EL1_SCTLR);
	return (sctlr & (arm_is_el0(v) ? SCTLR_E0E : SCTLR_EE)) != 0;
}

static uint64_t reversed(uint64_t value, uint32_t size)
{
	uint64_t result = 0;

	for (uint32_t i = 0; i < size; i++) {
		result = result << 8 | (value & 0xff);
		value >>= 8;
	}
	return result;
}

/* Between a register and the bus, either way: `size` low bytes count. */
static uint64_t ordered(const struct arm_vcpu *v, uint64_t value, uint32_t size)
{
	return v->mmio.turned != 0 ? reversed(value, size) : value;
}

/* ---- an access and its instruction ---- */

static uint32_t part_size(const struct arm_insn *insn)
{
	return insn->width < 8 ? insn->width : 8;
}

static uint32_t part_count(const struct arm_insn *insn)
{
	return insn->count * insn->width / part_size(insn);
}

/* Of a register of 16 bytes: the one that access number `part` moves. */
static uint32_t half(const struct arm_vcpu *v, uint32_t part)
{
	return (part ^ v->mmio.turned) % 2;
}

/* What access number `part` of a store writes. */
static uint64_t part_value(struct arm_vcpu *v, const struct arm_insn *insn,
			   uint32_t part)
{
	uint32_t size = part_size(insn);
	uint32_t at = part * size;
	uint32_t reg = at < insn->width ? insn->rt : insn->rt2;
	uint64_t q[2] = {0, 0};

	if (insn->kind != ARM_INSN_STORE)
		return 0;
	if (!insn->simd)
		q[0] = arm_read_x(v, reg);
	else
		arm_metal(v)->fp_read(v, reg, q);
	return arm_insn_store_value(
		size,
		ordered(v, q[insn->width == 16 ? half(v, part) : 0], size));
}

static void load_register(struct arm_vcpu *v, const struct arm_insn *insn,
			  uint32_t reg, const uint64_t *read)
{
	uint64_t q[2] = {0, 0};

	if (!insn->simd) {
		uint64_t value = ordered(v, read[0], insn->width);

		arm_write_x(v, reg, arm_insn_load_value(insn, value));
		return;
	}
	if (insn->width == 16) {
		q[half(v, 0)] = ordered(v, read[0], 8);
		q[half(v, 1)] = ordered(v, read[1], 8);
	} else {
		q[0] = arm_insn_store_value(insn->width,
					    ordered(v, read[0], insn->width));
	}
	arm_metal(v)->fp_write(v, reg, q);
}

/* All accesses are done. The base first: a loaded register wins over it. */
static void retire(struct arm_vcpu *v, const struct arm_insn *insn)
{
	struct arm_mmio *m = &v->mmio;
	uint32_t parts = insn->width == 16 ? 2 : 1;

	if (arm_insn_writes_back(insn))
		write_base(v, insn->rn, m->base_value);
	if (insn->kind == ARM_INSN_LOAD) {
		load_register(v, insn, insn->rt, m->partial);
		if (insn->count == 2)
			load_register(v, insn, insn->rt2, &m->partial[parts]);
	}
	m->part = 0;
	arm_skip(v, m->esr);
}

/* ---- refusals ---- */

static __attribute__((noinline)) int
reflect(struct arm_vcpu *v, const struct arm_syndrome *s, uint64_t fsc)
{
	axvmi_arm_inject(v, axvmi_arm_abort_esr(v, s->esr, fsc), s->far);
	return 0;
}

/* ---- accesses ---- */

/* Leaves an access to the host: of `size` bytes at s->far and gpa. */
static int leave(struct arm_vcpu *v, const struct arm_syndrome *s, uint64_t gpa,
		 uint64_t value, uint32_t size)
{
	struct axvm_exit *exit = v->core.exit;

	arm_fill_exit(v, s);
	exit->valid =
		AXVM_EXIT_GPA_VALID | AXVM_EXIT_GVA_VALID | AXVM_EXIT_RAW_VALID;
	exit->gpa = gpa;
	exit->gva = s->far;
	exit->u.mmio.value = value;
	exit->u.mmio.size = size;
	exit->u.mmio.write = (s->esr & ISS_WNR) != 0;
	return AXVM_EXIT_MMIO;
}

/* Leaves access number m->part to the host. */
static int exit_mmio(struct arm_vcpu *v, const struct arm_insn *insn,
		     uint64_t value)
{
	struct arm_mmio *m = &v->mmio;
	uint64_t offset = (uint64_t)m->part * part_size(insn);
	const struct arm_syndrome s = {
		.esr = m->esr,
		.far = m->gva + offset,
		.hpfar = FIELD_PUT(HPFAR_FIPA, m->gpa >> PAGE_SHIFT_4K),
	};
	int reason = leave(v, &s, m->gpa + offset, value, part_size(insn));

	v->core.exit->raw[3] = m->insn;
	return reason;
}

/* An access that the library itself may answer. */
static enum axvmi_dispatch
access_part(struct arm_vcpu *v, const struct arm_insn *insn, uint64_t *value)
{
	struct arm_mmio *m = &v->mmio;
	uint32_t size = part_size(insn);
	uint64_t gpa = m->gpa + (uint64_t)m->part * size;
	const struct axvmi_space *space =
		axvmi_bus_find(&v->core.vm->bus[AXVM_BUS_MMIO], gpa);

	/* RAM and windows begin and end with pages: it is a device's. */
	if (space == NULL)
		return AXVMI_DISPATCH_EXIT;
	return axvmi_device_access(&v->core, space, gpa, size,
				   insn->kind == ARM_INSN_STORE, value);
}

/* From access number m->part on. */
static int access_rest(struct arm_vcpu *v, const struct arm_insn *insn)
{
	struct arm_mmio *m = &v->mmio;

	while (m->part < part_count(insn)) {
		uint64_t value = part_value(v, insn, m->part);
		enum axvmi_dispatch result = access_part(v, insn, &value);

		if (result == AXVMI_DISPATCH_EXIT)
			return exit_mmio(v, insn, value);
		if (result == AXVMI_DISPATCH_FAULT) {
			const struct arm_syndrome s = {
				.esr = m->esr,
				.far = m->gva +
				       (uint64_t)m->part * part_size(insn),
			};

			m->part = 0;
			return reflect(v, &s, FSC_EXTERNAL);
		}
		m->partial[m->part++] = value;
	}
	retire(v, insn);
	return 0;
}

int axvmi_arm_mmio_more(struct arm_vcpu *v)
{
	struct arm_insn insn = axvmi_arm_insn_decode(v->mmio.insn);

	return access_rest(v, &insn);
}

/* ---- ISV 0 ---- */

/* Of the first byte, by the registers that the instruction names. */
static uint64_t address_of(const struct arm_vcpu *v,
			   const struct arm_insn *insn)
{
	return axvmi_arm_insn_address(insn, read_base(v, insn->rn),
				      arm_read_x(v, insn->rm), v->frame.pc);
}

/*
 * The abort belongs to the first byte of this instruction, which may have been
 * changed meanwhile, and all its bytes are in one page. A tag may be anything.
 *
 * A pair may have its halves in two pages. What the other page is, if it is any,
 * only the guest's tables know: nothing here does that, so it is an access that
 * no device supports.
 */
static bool is_whole(const struct arm_insn *insn, const struct arm_syndrome *s,
		     uint64_t address)
{
	uint64_t last = insn->count * insn->width - 1;

	return ((address ^ s->far) & FIELD64(55, 0)) == 0 &&
	       (s->far & (PAGE_SIZE_4K - 1)) + last < PAGE_SIZE_4K;
}

/* The instruction is fetched while the vCPU still counts as inside, since that
 * translates through the guest's tables. */
static __attribute__((noinline)) int
decoded(struct arm_vcpu *v, const struct arm_syndrome *s, uint64_t gpa)
{
	bool aarch32 = (v->frame.pstate & SPSR_AARCH32) != 0;
	struct arm_insn insn;
	uint64_t address;
	uint32_t word = 0;
	bool fetched = aarch32 || arm_metal(v)->fetch(v, &word);

	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_MMIO);
	/* Another vCPU took the page away: the guest will fault by itself. */
	if (!fetched)
		return 0;
	insn = axvmi_arm_insn_decode(word);
	if (insn.kind == ARM_INSN_OTHER ||
	    (insn.kind == ARM_INSN_STORE) != ((s->esr & ISS_WNR) != 0))
		return reflect(v, s, FSC_EXTERNAL);
	/* As Device memory does, wherever the bytes are. */
	address = address_of(v, &insn);
	if (!is_aligned(address, insn.width))
		return reflect(v, s, FSC_ALIGNMENT);
	if (!is_whole(&insn, s, address))
		return reflect(v, s, FSC_EXTERNAL);
	v->mmio.gpa = gpa;
	v->mmio.gva = s->far;
	v->mmio.esr = s->esr;
	v->mmio.insn = word;
	v->mmio.part = 0;
	v->mmio.turned = is_big_endian(v);
	v->mmio.base_value = read_base(v, insn.rn) + (uint64_t)insn.offset;
	return access_rest(v, &insn);
}

/* ---- ISV 1 ---- */

/* The next access is likely to go where this one goes. */
static void take_device(struct arm_vcpu *v, const struct axvmi_space *space,
			uint64_t gpa)
{
	struct axvmi_space hole;
	uint64_t widths = 1 | 2 | 4 | 8;

	if (space == NULL) {
		hole = axvmi_bus_hole(&v->core.vm->bus[AXVM_BUS_MMIO], gpa);
		space = &hole;
	} else {
		widths = axvmi_device_plain_widths(space);
	}
	v->last.start = space->start;
	v->last.span = space->last - space->start;
	v->last.widths = widths;
	v->last.device = space->device;
	v->last.range = space->range;
}

/* Leaves the access to the host that v->mmio and its syndrome describe. */
static int exit_described(struct arm_vcpu *v)
{
	struct arm_insn insn = arm_insn_from_esr(v->mmio.esr);

	v->mmio.insn = 0;
	v->mmio.part = 0;
	return exit_mmio(v, &insn, part_value(v, &insn, 0));
}

int axvmi_arm_mmio_leave(struct arm_vcpu *v)
{
	struct arm_mmio *m = &v->mmio;
	struct arm_insn insn = arm_insn_from_esr(m->esr);
	const struct arm_syndrome s = {
		.esr = m->esr,
		.far = m->gva,
		.hpfar = FIELD_PUT(HPFAR_FIPA, m->gpa >> PAGE_SHIFT_4K),
	};
	uint64_t value = 0;

	if (insn.kind == ARM_INSN_STORE)
		value = arm_insn_store_value(insn.width,
					     arm_read_x(v, insn.rt));
	m->insn = 0;
	m->part = 0;
	m->turned = 0;
	return leave(v, &s, m->gpa, value, insn.width);
}

int axvmi_arm_mmio_refused(struct arm_vcpu *v, enum axvm_access_result result)
{
	const struct arm_syndrome s = {.esr = v->mmio.esr, .far = v->mmio.gva};

	/* A result that does not exist is no answer either. */
	if (result != AXVM_ACCESS_EXIT)
		return reflect(v, &s, FSC_EXTERNAL);
	return axvmi_arm_mmio_leave(v);
}

/* The end of an access that the syndrome describes; `value` is what a load has
 * read. */
static void finish(struct arm_vcpu *v, uint64_t esr, uint64_t value)
{
	struct arm_insn insn = arm_insn_from_esr(esr);

	value = ordered(v, value, insn.width);
	if (insn.kind == ARM_INSN_LOAD)
		arm_write_x(v, insn.rt, arm_insn_load_value(&insn, value));
	arm_skip(v, esr);
}

/* What the short way does not do: widths that need a closer look, devices that
 * are serial, big-endian data, AArch32. */
static int described_access(struct arm_vcpu *v, const struct arm_syndrome *s,
			    uint64_t gpa, const struct axvmi_space *space)
{
	struct arm_insn insn = arm_insn_from_esr(s->esr);
	enum axvmi_dispatch result = AXVMI_DISPATCH_EXIT;
	uint64_t value;

	v->mmio.turned = is_big_endian(v);
	value = part_value(v, &insn, 0);
	if (space != NULL)
		result = axvmi_device_access(&v->core, space, gpa, insn.width,
					     insn.kind == ARM_INSN_STORE,
					     &value);
	if (result == AXVMI_DISPATCH_FAULT)
		return reflect(v, s, FSC_EXTERNAL);
	if (result == AXVMI_DISPATCH_DONE) {
		finish(v, s->esr, value);
		return 0;
	}
	v->mmio.esr = s->esr;
	v->mmio.gpa = gpa;
	v->mmio.gva = s->far;
	return exit_described(v);
}

int axvmi_arm_mmio(struct arm_vcpu *v, const struct arm_syndrome *s,
		   uint64_t gpa, const struct axvmi_space *space)
{
	if ((s->esr & ISS_ISV) == 0)
		return decoded(v, s, gpa);
	take_device(v, space, gpa);
	if (arm_is_last_device(v, s->esr, gpa) &&
	    arm_is_plain_state(v, arm_metal(v)->read_el1(ARM_EL1_SCTLR)))
		return arm_mmio(v, s->esr, s->far, gpa);
	axvmi_leave(&v->core);
	axvmi_count(&v->core, AXVM_STAT_MMIO);
	/* As Device memory does; and it never crosses the end of a page. */
	if (!is_aligned(gpa, BIT64(FIELD_GET(ISS_SAS, s->esr))))
		return reflect(v, s, FSC_ALIGNMENT);
	return described_access(v, s, gpa, space);
}

/* ---- completion ---- */

/* The host refuses access number m->part. */
static void refuse(struct arm_vcpu *v)
{
	struct arm_mmio *m = &v->mmio;
	struct arm_syndrome s = {.esr = m->esr, .far = m->gva};
	struct arm_insn insn;

	if (m->part != 0) {
		insn = axvmi_arm_insn_decode(m->insn);
		s.far += (uint64_t)m->part * part_size(&insn);
	}
	(void)reflect(v, &s, FSC_EXTERNAL);
}

void axvmi_arm_mmio_complete(struct arm_vcpu *v,
			     enum axvm_complete_action action, uint64_t value)
{
	struct arm_mmio *m = &v->mmio;
	struct arm_insn insn;

	if (action == AXVM_COMPLETE_FAULT)
		refuse(v);
	if (action != AXVM_COMPLETE_DONE) {
		m->part = 0;
		return;
	}
	if (m->insn == 0) {
		finish(v, m->esr, value);
		return;
	}
	insn = axvmi_arm_insn_decode(m->insn);
	m->partial[m->part++] = value;
	/* Otherwise the run that begins goes on with it. */
	if (m->part == part_count(&insn))
		retire(v, &insn);
}
