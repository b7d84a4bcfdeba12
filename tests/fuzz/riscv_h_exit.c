/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for the exit path on the real core: a history of traps with
 * any syndrome and instruction, and any answers of the host. Whatever they are,
 * run returns an exit a guest may cause, and devices see accesses of their rules.
 */
#include "axvm/arch.h"
#include "riscv_h_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t causes[] = {
	CAUSE_FETCH_GUEST_PAGE, CAUSE_LOAD_GUEST_PAGE,
	CAUSE_STORE_GUEST_PAGE, CAUSE_LOAD_GUEST_PAGE,
	CAUSE_STORE_GUEST_PAGE, CAUSE_VIRTUAL_INSTRUCTION,
	CAUSE_ILLEGAL,		CAUSE_BREAKPOINT,
};

static const uint64_t places[] = {
	RAM, ROM, DEMAND, DEMAND_ROM, DEVICE, WORDS, HOLE, UINT64_MAX << 12,
};

static uint32_t word(const uint8_t *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return value;
}

/* Half of them with a memory opcode, which random words seldom have. */
static uint32_t instruction(const uint8_t *data)
{
	static const uint32_t opcodes[] = {
		0x03, 0x23, 0x07, 0x27, 0x2f, 0x0f, 0x73, 0x03,
	};
	uint32_t insn = word(data);

	if ((data[4] & 8) != 0)
		return insn;
	return (insn & ~UINT32_C(0x7f)) | opcodes[data[4] & 7];
}

static uint64_t htinst(const uint8_t *data)
{
	static const uint64_t pseudo[] = {0x2000, 0x2020, 0x3000, 0x3020};

	switch (data[4] >> 4 & 3) {
	case 0:
		return 0;
	case 1:
		return pseudo[data[0] & 3];
	case 2:
		return instruction(data) & ~UINT64_C(0x1f8000);
	default:
		return instruction(data) | (uint64_t)(data[4] >> 7) << 32;
	}
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
		/* As the hart has checked the guest's rights. */
		machine_require(e->u.mmio.write ==
					(e->raw[0] == CAUSE_STORE_GUEST_PAGE),
				"direction");
		break;
	default:
		machine_require(false, "reason");
	}
}

static void step(const uint8_t *data)
{
	uint64_t gpa = places[data[1] & 7] + (word(data + 2) & 0x3fff);
	struct riscv_syndrome s = {
		.cause = causes[data[0] & 7],
		.stval = (data[1] & 8) != 0 ? word(data + 6) : gpa,
		.htval = gpa >> 2,
		.htinst = htinst(data + 6),
	};
	int err;

	m.insn = instruction(data + 11);
	m.unfetchable = (data[0] & 0x10) != 0;
	m.lazy = (data[0] & 0x20) != 0;
	m.pending = (data[0] & 0x40) != 0;
	m.device.result = (enum axvm_access_result)(data[1] >> 4 & 3);
	m.device.value = UINT64_C(0x8182838485868788);
	machine_queue(&s);
	machine_play();
	check_exit();
	check_device(&m.device, 15);
	check_device(&m.words, 4);
	machine_require(m.v->frame.x[0] == 0, "x0");
	if ((data[1] & 0x80) == 0)
		return;
	err = axvm_vcpu_complete(m.vm, 0, m.exit.seq,
				 (enum axvm_complete_action)(data[5] % 3),
				 s.htinst);
	machine_require(err == AXVM_OK || err == AXVM_ENOENT, "complete");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	machine_new(MACHINE_FEATURES);
	machine_boot();
	for (; size >= 16; data += 16, size -= 16)
		step(data);
	machine_require(machine_delete(), "leak");
	return 0;
}
