/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for the SBI model: a history of calls by two harts, eight
 * arguments each. Whatever they are, registers but a0 and a1 stay, effects name
 * what backend.h defines, and exits are those a guest may cause.
 */
#include "riscv_h/sbi.h"
#include "riscv_h_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static const uint64_t extensions[] = {
	SBI_EXT_BASE,
	SBI_EXT_TIME,
	SBI_EXT_IPI,
	SBI_EXT_RFENCE,
	SBI_EXT_HSM,
	SBI_EXT_SRST,
	SBI_EXT_DBCN,
	SBI_HYPERCALL,
	0,
	1,
	2,
	3,
	4,
	5,
	6,
	7,
};

static const uint64_t values[] = {
	0,
	1,
	2,
	3,
	64,
	0x1000,
	FAKE_RAM,
	FAKE_HOLE,
	FAKE_ROM,
	FAKE_DATA,
	FAKE_DEVICE,
	FAKE_GVA,
	0x80000000,
	UINT64_MAX,
	UINT64_MAX - 1,
	UINT64_MAX - 4095,
};

/* A byte that picks an interesting value, and one that disturbs it. */
static uint64_t argument(const uint8_t *data)
{
	return values[data[0] & 15] +
	       (uint64_t)(int64_t)(int8_t)data[1] * (data[0] >> 4);
}

static void check_effects(const struct riscv_vcpu *v)
{
	require((v->effects &
		 ~(RISCV_EFFECT_HVIP | RISCV_EFFECT_TIMER |
		   RISCV_EFFECT_FENCE_I | RISCV_EFFECT_FENCE_VMA)) == 0);
	require((v->hvip_set & v->hvip_clear) == 0);
	require(((v->hvip_set | v->hvip_clear) &
		 ~(RISCV_VSSIP | RISCV_VSTIP)) == 0);
	if ((v->effects & RISCV_EFFECT_FENCE_VMA) == 0)
		return;
	require(v->fence_size == UINT64_MAX ||
		(v->fence_size <= RISCV_FENCE_PAGES * PAGE_SIZE_4K &&
		 v->fence_start + v->fence_size > v->fence_start));
	require(v->fence_asid <= 0xffff || v->fence_asid == UINT64_MAX);
}

static void call(struct riscv_vcpu *v, const uint8_t *data)
{
	struct riscv_frame before;
	int reason;

	for (unsigned i = 0; i < 6; i++)
		v->frame.x[REG_A0 + i] = argument(data + 2 + 2 * i);
	v->frame.x[REG_A6] = data[1] & 15;
	v->frame.x[REG_A7] = extensions[data[0] & 15];
	before = v->frame;
	fake.restarts = 0;
	fake.copies = 0;
	fake.irq_pending = (data[0] & 0x20) != 0;
	fake.halt_result = (data[0] & 0x40) != 0 ? AXVM_EXIT_HALT : 0;
	fake.gva_value = data[3];
	fake.in = "some input for the guest";
	fake.out_count = (size_t)data[2] * 16;
	reason = axvmi_riscv_sbi_call(v);
	require(reason == 0 || reason == AXVM_EXIT_HALT ||
		reason == AXVM_EXIT_IRQ || reason == AXVM_EXIT_HYPERCALL ||
		reason == AXVM_EXIT_CPU_ON || reason == AXVM_EXIT_SYSTEM_OFF ||
		reason == AXVM_EXIT_SYSTEM_RESET);
	require(fake.copies <= 10);
	check_effects(v);
	if (fake.restarts == 0) {
		before.x[REG_A0] = v->frame.x[REG_A0];
		if (reason == 0 && before.x[REG_A7] > 0xf)
			before.x[REG_A1] = v->frame.x[REG_A1];
		require(memcmp(&before, &v->frame, sizeof(before)) == 0);
	}
	if (reason == AXVM_EXIT_CPU_ON || reason == AXVM_EXIT_HYPERCALL)
		axvmi_riscv_sbi_complete(
			v, (uint32_t)reason,
			(enum axvm_complete_action)(data[3] & 1), 0);
	if (load_relaxed(&v->hsm) == RISCV_HSM_SUSPENDED)
		axvmi_riscv_sbi_resume(v);
	v->effects = 0;
	v->hvip_set = 0;
	v->hvip_clear = 0;
	store_relaxed(&v->core.state, AXVM_VCPU_RUNNING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fake_vm(3);
	for (; size >= 16; data += 16, size -= 16)
		call(&fake.vcpus[data[0] >> 7], data);
	return 0;
}
