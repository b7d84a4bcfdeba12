/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for the exit path on the real core: a history of exceptions
 * with any syndrome, instruction and state, and any answers of the host. Whatever
 * they are, run returns an exit a guest may cause, devices see accesses of their
 * rules, and the guest's state stays one that an ERET may enter.
 */
#include "arm_vhe_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t classes[16] = {
	EC_DABT_LOWER, EC_DABT_LOWER, EC_DABT_LOWER, EC_DABT_LOWER,
	EC_DABT_LOWER, EC_DABT_LOWER, EC_IABT_LOWER, EC_IABT_LOWER,
	EC_WFX,	       EC_FP,	      EC_CP15_32,    EC_SVE,
	EC_SERROR,     EC_UNKNOWN,    EC_BRK64,	     0x3f,
};

static const uint64_t places[8] = {
	RAM, ROM, DEMAND, DEMAND_ROM, DEVICE, WORDS, HOLE, UINT64_MAX << 12,
};

static const uint64_t states[4] = {
	SPSR_EL1H,
	SPSR_EL1T,
	SPSR_EL0T,
	SPSR_AARCH32 | BIT64(5) | UINT64_C(0x60000000),
};

/* Of loads and stores; random words are seldom any. */
static const uint32_t opcodes[8] = {
	0xf8400400, 0xb8000c00, 0xa9400000, 0xacc00000,
	0x3dc00000, 0x69400000, 0x38606800, 0xc85f7c00,
};

static uint64_t word(const uint8_t *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

static void check_device(const struct test_device *d, uint32_t widths)
{
	const struct axvm_device_access *a = &d->last;

	if (d->accesses == 0)
		return;
	machine_require((a->size & widths) != 0, "width");
	machine_require((a->offset & (a->size - 1)) == 0, "alignment");
	machine_require(a->offset + a->size <= 0x1000, "extent");
	machine_require(a->write <= 1, "direction");
}

static void check_state(void)
{
	uint64_t mode = m.v->frame.pstate & (SPSR_AARCH32 | SPSR_MODE);

	machine_require(mode == SPSR_EL1H || mode == SPSR_EL1T ||
				mode == SPSR_EL0T || mode == SPSR_AARCH32,
			"mode");
	machine_require((m.v->frame.pstate & SPSR_IL) == 0, "IL");
	machine_require(m.v->effects == 0 || m.exit.reason != AXVM_EXIT_IRQ,
			"effects");
	machine_require(m.v->mmio.part < 4, "parts");
}

static void check_exit(void)
{
	const struct axvm_exit *e = &m.exit;

	switch (e->reason) {
	case AXVM_EXIT_IRQ:
	case AXVM_EXIT_HALT:
		break;
	case AXVM_EXIT_FAULT:
		machine_require(e->u.fault.kind <= AXVM_FAULT_UNKNOWN, "kind");
		break;
	case AXVM_EXIT_MMIO:
		machine_require(e->valid == (AXVM_EXIT_GPA_VALID |
					     AXVM_EXIT_GVA_VALID |
					     AXVM_EXIT_RAW_VALID),
				"valid");
		machine_require(e->u.mmio.size == 1 || e->u.mmio.size == 2 ||
					e->u.mmio.size == 4 ||
					e->u.mmio.size == 8,
				"size");
		machine_require((e->gpa & (e->u.mmio.size - 1)) == 0, "gpa");
		/* As the CPU has checked the guest's rights. */
		machine_require(e->u.mmio.write == ((e->raw[0] & ISS_WNR) != 0),
				"direction");
		break;
	default:
		machine_require(false, "reason");
	}
}

static void step(const uint8_t *data)
{
	uint64_t gpa = places[data[1] & 7] + (word(data + 2) & 0x3fff);
	uint64_t iss = word(data + 6) & ESR_ISS;
	int err;

	/* Mostly faults of stage 2. */
	if ((data[0] & 0x10) != 0)
		iss = (iss & ~ISS_FSC) | ((data[0] & 0x20) != 0 ? 0xf : 7);
	m.insn = opcodes[data[10] & 7] | (uint32_t)word(data + 10) >> 11;
	if ((data[0] & 0x40) != 0)
		m.insn = (uint32_t)word(data + 10);
	m.unfetchable = (data[1] & 0x10) != 0;
	m.untranslatable = (data[1] & 0x20) != 0;
	m.pending = (data[1] & 0x40) != 0;
	m.device.result = (enum axvm_access_result)(data[14] & 3);
	m.v->frame.pstate = states[data[14] >> 2 & 3];
	/* The base register, so that the address is often right. */
	m.v->frame.x[(m.insn >> 5 & 31) % 31] = GVA + gpa;
	m.v->frame.pc = ENTRY;
	machine_queue(FIELD_PUT(ESR_EC, classes[data[0] & 15]) |
			      ((data[14] & 0x10) != 0 ? ESR_IL : 0) | iss,
		      GVA + gpa, gpa);
	machine_play();
	check_exit();
	check_state();
	check_device(&m.device, 15);
	check_device(&m.words, 4);
	if ((data[14] & 0x20) != 0)
		return;
	err = axvm_vcpu_complete(m.vm, 0, m.exit.seq,
				 (enum axvm_complete_action)(data[15] % 3),
				 word(data + 2));
	machine_require(err == AXVM_OK || err == AXVM_ENOENT, "complete");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	machine_new(MACHINE_FEATURES, 1);
	machine_boot();
	for (; size >= 16; data += 16, size -= 16)
		step(data);
	machine_require(machine_delete(), "leak");
	return 0;
}
