/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for PSCI, SMCCC and hypercalls on the real core: any sequence
 * of calls with hostile arguments, and any answers of the host. Whatever comes,
 * only x0 changes, unless the vCPU restarts where the guest said.
 */
#include "arm_vhe_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t values[16] = {
	0,
	1,
	2,
	3,
	0x101,
	0x102,
	0x10000,
	BIT64(16),
	BIT64(30),
	RAM,
	RAM + RAM_SIZE - 4,
	DEMAND,
	DEVICE,
	BIT64(32),
	UINT64_MAX,
	UINT64_MAX - 7,
};

/* A byte that picks an interesting value, and one that disturbs it. */
static uint64_t argument(const uint8_t *data)
{
	return values[data[0] & 15] +
	       (uint64_t)(int64_t)(int8_t)data[1] * (data[0] >> 4);
}

static uint64_t function(const uint8_t *data)
{
	static const uint32_t owners[] = {
		PSCI_VERSION,  PSCI_VERSION | SMCCC_64,
		SMCCC_VERSION, 0x86000000,
		0x100,	       0,
	};

	return (uint64_t)(data[2] & 1) << 40 |
	       (owners[data[0] % ARRAY_SIZE(owners)] + (data[1] & 0x1fu));
}

static void check_exit(const struct arm_frame *before)
{
	const struct axvm_exit *e = &m.exit;

	switch (e->reason) {
	case AXVM_EXIT_IRQ:
		break;
	case AXVM_EXIT_CPU_ON:
		machine_require(e->u.cpu_on.vcpu != 0 &&
					e->u.cpu_on.vcpu < m.config.cpu_num,
				"target");
		machine_require((e->u.cpu_on.entry & 3) == 0, "entry");
		break;
	case AXVM_EXIT_HALT:
	case AXVM_EXIT_HYPERCALL:
	case AXVM_EXIT_SYSTEM_OFF:
	case AXVM_EXIT_SYSTEM_RESET:
		break;
	default:
		machine_require(false, "reason");
	}
	if (m.reloads == 0)
		machine_require(memcmp(&before->x[1], &m.v->frame.x[1],
				       30 * sizeof(before->x[0])) == 0,
				"registers");
	machine_require(e->reason == AXVM_EXIT_IRQ || e->pc == ENTRY, "pc");
}

/* False: the VM or its vCPU is off. */
static bool step(const uint8_t *data)
{
	struct arm_frame before;

	m.reloads = 0;
	m.pending = (data[3] & 1) != 0;
	m.v->frame.pc = ENTRY;
	m.v->frame.x[0] = function(data);
	for (unsigned i = 1; i < 7; i++)
		m.v->frame.x[i] = argument(data + 2 * i + 2);
	before = m.v->frame;
	machine_queue(esr_make((data[3] & 2) != 0 ? EC_SMC64 : EC_HVC64, 0), 0,
		      0);
	machine_play();
	check_exit(&before);
	if (m.exit.reason == AXVM_EXIT_SYSTEM_OFF ||
	    m.exit.reason == AXVM_EXIT_SYSTEM_RESET ||
	    axvm_vcpu_state(m.vm, 0) == AXVM_VCPU_OFF)
		return false;
	if ((data[3] & 4) != 0) {
		int err = axvm_vcpu_complete(
			m.vm, 0, m.exit.seq,
			(enum axvm_complete_action)(data[3] >> 4 & 1), data[4]);

		machine_require(err == AXVM_OK || err == AXVM_ENOENT,
				"complete");
	}
	/* Ends what waits; a suspended one wakes. */
	m.pending = true;
	machine_play();
	machine_require(load_relaxed(&m.v->power) == ARM_POWER_ON, "asleep");
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	machine_new(MACHINE_FEATURES, 18);
	machine_boot();
	for (; size >= 16; data += 16, size -= 16) {
		if (!step(data))
			break;
	}
	machine_require(machine_delete(), "leak");
	return 0;
}
