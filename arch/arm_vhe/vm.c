/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What an ARM VM and its vCPUs are before they touch a CPU: stage 2, interrupt
 * controller, reset state. Pure; runs under vm->life.
 */
#include "vm.h"
#include "exit.h"
#include "s2_format.h"

#define FP_BYTES (66 * sizeof(uint64_t)) /* v0-v31, FPSR, FPCR */
/* "MPIDR_EL1": RES1. */
#define MPIDR_RES1 BIT64(31)

/* ---- formats ---- */

int axvmi_arm_choose_format(const struct axvm_host *host, unsigned bits,
			    struct axvm_s2_format *format)
{
	unsigned pa_bits =
		(unsigned)FIELD_GET(ARM_FEATURE_PA_BITS, host->features);

	if (bits < ARM_S2_MIN_IPA_BITS)
		bits = ARM_S2_MIN_IPA_BITS;
	return axvmi_arm_s2_format(bits, pa_bits, format) == AXVM_OK
		       ? AXVM_OK
		       : AXVM_ERANGE;
}

unsigned axvmi_arm_tag_bits(const struct axvm_host *host)
{
	return arm_has(host, ARM_FEATURE_VMID16) ? 16 : 8;
}

bool axvmi_arm_emulates(uint32_t type)
{
	/* Consoles are described by the configuration and added by the host,
	 * which has the other end of the line. */
	return type == AXVM_EMU_DUMMY || type == AXVM_EMU_CONSOLE ||
	       type == AXVM_EMU_INTERRUPT_CONTROLLER || type == AXVM_EMU_GICD ||
	       type == AXVM_EMU_GICR;
}

/* ---- the VM ---- */

const struct axvm_emu_device_config *
axvmi_arm_find_device(const struct axvm_vm *vm, uint32_t type)
{
	for (uint32_t i = 0; i < vm->config.emu_device_count; i++) {
		if (vm->config.emu_devices[i].type == type)
			return &vm->config.emu_devices[i];
	}
	return NULL;
}

const struct axvm_emu_device_config *
axvmi_arm_find_gicd(const struct axvm_vm *vm)
{
	const struct axvm_emu_device_config *gicd =
		axvmi_arm_find_device(vm, AXVM_EMU_GICD);

	return gicd != NULL ? gicd
			    : axvmi_arm_find_device(
				      vm, AXVM_EMU_INTERRUPT_CONTROLLER);
}

/* One distributor at most, and redistributors in one piece exactly if there is
 * one: what is more would be missing without a word. */
static int check_gic(const struct axvm_vm *vm)
{
	uint32_t distributors = 0;
	uint32_t redistributors = 0;

	for (uint32_t i = 0; i < vm->config.emu_device_count; i++) {
		uint32_t type = vm->config.emu_devices[i].type;

		distributors += type == AXVM_EMU_GICD ||
				type == AXVM_EMU_INTERRUPT_CONTROLLER;
		redistributors += type == AXVM_EMU_GICR;
	}
	if (distributors > 1 || redistributors > 1)
		return AXVM_EEXIST;
	return distributors == redistributors ? AXVM_OK : AXVM_EINVAL;
}

int axvmi_arm_vm_init(struct axvm_vm *vm)
{
	struct arm_vm *avm = arm_vm(vm);
	const struct axvm_emu_device_config *gicd = axvmi_arm_find_gicd(vm);
	const struct axvm_emu_device_config *gicr =
		axvmi_arm_find_device(vm, AXVM_EMU_GICR);
	int err = check_gic(vm);

	if (err != AXVM_OK)
		return err;
	avm->vtcr = axvmi_arm_vtcr(&vm->format,
				   arm_has(vm->host, ARM_FEATURE_VMID16));
	avm->vttbr =
		axvmi_arm_vttbr(axvmi_virt_to_phys(vm->host, vm->s2.root), 0);
	if (gicd != NULL) {
		err = axvmi_arm_vgic_init(avm, gicd->gpa.value, gicd->size,
					  gicr->gpa.value, gicr->size);
		if (err != AXVM_OK)
			return err;
	}
	axvmi_arm_id_init(avm);
	return AXVM_OK;
}

void axvmi_arm_vm_reset(struct axvm_vm *vm)
{
	/* Of starts that were not done. The vGIC is reset as the devices it
	 * is. */
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		arm_vcpu(vm->vcpus[i])->start_ee = 0;
}

void axvmi_arm_vm_fini(struct axvm_vm *vm)
{
	axvmi_arm_vgic_fini(arm_vm(vm));
}

/* ---- vCPUs ---- */

int axvmi_arm_vcpu_init(struct axvm_vcpu *vcpu)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);
	struct axvm_host *host = vcpu->vm->host;

	v->mpidr = MPIDR_RES1 | arm_affinity(vcpu->index);
	v->gic.lr_count = (uint32_t)FIELD_GET(ARM_FEATURE_LRS, host->features);
	v->fp = axvmi_alloc_zeroed(host, FP_BYTES, 64);
	return v->fp == NULL ? AXVM_ENOMEM : AXVM_OK;
}

void axvmi_arm_vcpu_fini(struct axvm_vcpu *vcpu)
{
	axvmi_free(vcpu->vm->host, arm_vcpu(vcpu)->fp, FP_BYTES);
}

/* The host's part of the frame is in use while the vCPU runs. */
void axvmi_arm_power_on_state(struct arm_vcpu *v, uint64_t entry,
			      uint64_t argument)
{
	memset(v->frame.x, 0, sizeof(v->frame.x));
	v->frame.x[0] = argument;
	v->frame.sp_el0 = 0;
	v->frame.tpidr_el0 = 0;
	v->frame.pc = entry;
	v->frame.pstate = SPSR_DAIF | SPSR_EL1H;
	v->frame.hcr &= ~HCR_VSE;
	memset(v->el1, 0, sizeof(v->el1));
	v->el1[ARM_EL1_SCTLR] = SCTLR_RES1 | v->start_ee;
	v->start_ee = 0;
	v->cntp_ctl = 0;
	v->cntp_cval = 0;
	axvmi_arm_debug_reset(v);
}

static uint64_t guest_hcr(const struct axvm_host *host)
{
	uint64_t hcr = HCR_GUEST;

	if (arm_has(host, ARM_FEATURE_LOR))
		hcr |= HCR_TLOR;
	if (arm_has(host, ARM_FEATURE_RAS))
		hcr |= HCR_TERR;
	if (arm_has(host, ARM_FEATURE_PAUTH))
		hcr |= HCR_APK | HCR_API;
	if (arm_has(host, ARM_FEATURE_MTE2))
		hcr |= HCR_TID5;
	return hcr;
}

/* The frame's HCR_EL2 is loaded at each entry. */
void axvmi_arm_spin_yield(struct axvm_vcpu *vcpu)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);

	v->frame.hcr &= ~HCR_TWE;
	if (vcpu->spin_yields)
		v->frame.hcr |= HCR_TWE;
}

void axvmi_arm_vcpu_reset(struct axvm_vcpu *vcpu, uint64_t entry,
			  uint64_t argument)
{
	struct arm_vcpu *v = arm_vcpu(vcpu);

	memset(&v->frame, 0, sizeof(v->frame));
	axvmi_arm_power_on_state(v, entry, argument);
	v->frame.hcr = guest_hcr(vcpu->vm->host);
	axvmi_arm_spin_yield(vcpu);
	v->effects = 0;
	v->mmio.part = 0;
	v->vtimer_held = 0;
	v->vtimer_taken = 0;
	v->vtimer_rounds = 0;
	v->vtimer_cval = 0;
	v->cntp_level = 0;
	v->cntp_armed = 0;
	store_relaxed(&v->power, ARM_POWER_ON);
	memset(v->fp, 0, FP_BYTES);
	/* After the timers, whose lines it looks at. */
	axvmi_arm_vgic_vcpu_reset(v);
	axvmi_notify(vcpu, AXVMI_ATTN_LINES);
}
