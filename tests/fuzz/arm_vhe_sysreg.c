/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for trapped system registers: any sequence of accesses, time
 * that passes, and any answers of the host. Whatever comes, an access moves pc
 * by one instruction or is undefined, a write changes no register, and PPI 30 is
 * what the timer's registers say.
 */
#include "arm_vhe_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t numbers[16] = {
	SYSREG(3, 3, 14, 0, 1), SYSREG(3, 3, 14, 2, 0),
	SYSREG(3, 3, 14, 2, 1), SYSREG(3, 3, 14, 2, 2),
	SYSREG(3, 3, 14, 2, 0), SYSREG(3, 3, 14, 2, 1),
	SYSREG(3, 3, 14, 2, 2), SYSREG(3, 0, 12, 11, 5),
	SYSREG(3, 0, 0, 4, 0),	SYSREG(3, 0, 0, 7, 7),
	SYSREG(2, 0, 0, 15, 7), SYSREG(2, 0, 1, 1, 4),
	SYSREG(1, 0, 7, 14, 2), SYSREG(3, 0, 12, 12, 5),
	SYSREG(3, 3, 9, 12, 0), HOST_SYSREG,
};

static void check_timer(void)
{
	bool due = (m.v->cntp_ctl & 3) == 1 && m.counter >= m.v->cntp_cval;

	machine_require(m.v->cntp_ctl <= 3, "CNTP_CTL");
	machine_require(m.ppi_level == due, "PPI 30");
	machine_require((m.v->cntp_level != 0) == due, "level");
	if (due)
		machine_require(axvmi_arm_cntp_due(m.v) == UINT64_MAX, "due");
}

static void check_registers(const struct arm_frame *before, uint32_t rt,
			    bool read)
{
	for (uint32_t n = 0; n < 31; n++)
		machine_require(m.v->frame.x[n] == before->x[n] ||
					(read && n == rt),
				"another register");
	machine_require(m.v->frame.sp_el0 == before->sp_el0, "SP");
	machine_require(m.v->frame.pc == ENTRY || m.v->frame.pc == ENTRY + 4 ||
				m.v->frame.pc == VECTORS + 0x200 ||
				m.v->frame.pc == VECTORS + 0x400,
			"pc");
}

static void step(const uint8_t *data)
{
	uint32_t number = numbers[data[0] & 15];
	uint32_t rt = data[1] & 31;
	bool read = (data[1] & 32) != 0;
	struct arm_frame before;
	uint64_t value;

	memcpy(&value, data + 4, sizeof(value));
	if ((data[0] & 0x10) != 0)
		number = (uint32_t)(data[2] | data[3] << 8);
	if ((data[0] & 0x20) != 0)
		value = m.counter + data[4];
	if (rt < 31)
		m.v->frame.x[rt] = value;
	m.counter += data[2];
	m.registers.result = (enum axvm_access_result)(data[0] >> 6);
	m.v->frame.pstate = (data[1] & 64) != 0 ? SPSR_EL0T : SPSR_EL1H;
	before = m.v->frame;
	machine_step(esr_make(EC_SYSREG, machine_iss(number, rt, read)), 0, 0);
	if (m.exit.reason == AXVM_EXIT_SYSREG) {
		machine_require(m.exit.u.sysreg.number == HOST_SYSREG,
				"number");
		machine_require(axvm_vcpu_complete(m.vm, 0, m.exit.seq,
						   (enum axvm_complete_action)(
							   data[3] % 3),
						   value) == AXVM_OK,
				"complete");
		machine_play();
	}
	machine_require(m.exit.reason == AXVM_EXIT_IRQ, "reason");
	check_registers(&before, rt, read);
	check_timer();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	machine_new(MACHINE_FEATURES, 1);
	/* As many breakpoints and watchpoints as there can be. */
	m.ids[5][0] = UINT64_C(0xf0f000) | 6;
	machine_boot();
	for (; size >= 12; data += 12, size -= 12)
		step(data);
	machine_require(machine_delete(), "leak");
	return 0;
}
