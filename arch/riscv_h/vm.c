/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What a RISC-V VM and its vCPUs are before they touch a hart: interrupt
 * controller, reset state, registers, guest tables. Pure; runs under vm->life.
 */
#include "vm.h"
#include "axvm/arch.h"
#include "exit.h"
#include "guest_tables.h"
#include "regs.h"
#include "s2_format.h"

#define VECTOR_HEADER 32u /* vstart, vcsr, vl, vtype */
#define FP_BYTES (33 * sizeof(uint64_t))
#define VTYPE_ILL BIT64(63)

/* ---- formats ---- */

int axvmi_riscv_choose_format(const struct axvm_host *host, unsigned bits,
			      struct axvm_s2_format *format)
{
	static const struct {
		uint64_t feature;
		unsigned mode;
	} modes[] = {
		{RISCV_FEATURE_SV39X4, RISCV_HGATP_SV39X4},
		{RISCV_FEATURE_SV48X4, RISCV_HGATP_SV48X4},
		{RISCV_FEATURE_SV57X4, RISCV_HGATP_SV57X4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct axvm_s2_format candidate;
		bool pbmt = riscv_has(host, RISCV_FEATURE_SVPBMT);

		if (!riscv_has(host, modes[i].feature) ||
		    axvmi_riscv_s2_format(modes[i].mode, pbmt, &candidate) !=
			    AXVM_OK ||
		    candidate.gpa_bits < bits)
			continue;
		*format = candidate;
		return AXVM_OK;
	}
	return AXVM_ERANGE;
}

unsigned axvmi_riscv_tag_bits(const struct axvm_host *host)
{
	return host->features >> RISCV_FEATURE_VMID_SHIFT & 0x1f;
}

bool axvmi_riscv_emulates(uint32_t type)
{
	/* Consoles are described by the configuration and added by the host,
	 * which has the other end of the line. */
	return type == AXVM_EMU_DUMMY || type == AXVM_EMU_CONSOLE ||
	       type == AXVM_EMU_INTERRUPT_CONTROLLER || type == AXVM_EMU_PLIC;
}

/* ---- the VM ---- */

static bool is_plic(const struct axvm_emu_device_config *d)
{
	return d->type == AXVM_EMU_INTERRUPT_CONTROLLER ||
	       d->type == AXVM_EMU_PLIC;
}

static const struct axvm_emu_device_config *find_plic(const struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->config.emu_device_count; i++) {
		if (is_plic(&vm->config.emu_devices[i]))
			return &vm->config.emu_devices[i];
	}
	return NULL;
}

static uint32_t count_plics(const struct axvm_vm *vm)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < vm->config.emu_device_count; i++)
		count += is_plic(&vm->config.emu_devices[i]);
	return count;
}

int axvmi_riscv_vm_init(struct axvm_vm *vm)
{
	struct riscv_vm *rvm = riscv_vm(vm);
	const struct axvm_emu_device_config *plic = find_plic(vm);

	/* A second one would be missing without a word. */
	if (count_plics(vm) > 1)
		return AXVM_EEXIST;
	rvm->hgatp = axvmi_riscv_hgatp(
		&vm->format, axvmi_virt_to_phys(vm->host, vm->s2.root), 0);
	if (plic == NULL)
		return AXVM_OK;
	/* As on QEMU's virt machine, whose images have it compiled in. */
	axvmi_riscv_plic_init(rvm, VPLIC_TWO_PER_HART, plic->gpa.value,
			      plic->size);
	return axvmi_device_add(vm, &rvm->plic_device);
}

void axvmi_riscv_vm_reset(struct axvm_vm *vm)
{
	/* The PLIC is reset as the device it is. */
	(void)vm;
}

void axvmi_riscv_vm_fini(struct axvm_vm *vm)
{
	if (find_plic(vm) != NULL)
		axvmi_device_remove(vm, &riscv_vm(vm)->plic_device);
}

/* ---- vCPUs ---- */

static size_t vector_size(const struct axvm_host *host)
{
	uint64_t vlenb = host->features >> RISCV_FEATURE_VLENB_SHIFT & 0xffff;

	return VECTOR_HEADER + 32 * (size_t)vlenb;
}

int axvmi_riscv_vcpu_init(struct axvm_vcpu *vcpu)
{
	struct riscv_vcpu *v = riscv_vcpu(vcpu);
	struct axvm_host *host = vcpu->vm->host;

	v->hart_id = vcpu->index;
	v->timer = UINT64_MAX;
	if (riscv_has(host, RISCV_FEATURE_FP)) {
		v->fp = axvmi_alloc_zeroed(host, FP_BYTES, 64);
		if (v->fp == NULL)
			return AXVM_ENOMEM;
	}
	if (riscv_has(host, RISCV_FEATURE_VECTOR)) {
		v->vector = axvmi_alloc_zeroed(host, vector_size(host), 64);
		if (v->vector == NULL) {
			axvmi_free(host, v->fp, FP_BYTES);
			return AXVM_ENOMEM;
		}
	}
	return AXVM_OK;
}

void axvmi_riscv_vcpu_fini(struct axvm_vcpu *vcpu)
{
	struct riscv_vcpu *v = riscv_vcpu(vcpu);
	struct axvm_host *host = vcpu->vm->host;

	axvmi_free(host, v->fp, FP_BYTES);
	axvmi_free(host, v->vector, vector_size(host));
}

/* SBI HSM, "Start Register State"; also how firmware starts the boot hart. */
void axvmi_riscv_vcpu_reset(struct axvm_vcpu *vcpu, uint64_t entry,
			    uint64_t argument)
{
	struct riscv_vcpu *v = riscv_vcpu(vcpu);
	struct axvm_host *host = vcpu->vm->host;

	memset(&v->frame, 0, sizeof(v->frame));
	memset(&v->vs, 0, sizeof(v->vs));
	v->frame.x[REG_A0] = v->hart_id;
	v->frame.x[REG_A1] = argument;
	v->frame.pc = entry;
	v->frame.hstatus = FIELD_PUT(HSTATUS_VSXL, XLEN_64) | HSTATUS_VTW |
			   HSTATUS_SPV | HSTATUS_SPVP;
	v->frame.sstatus = FIELD_PUT(SSTATUS_UXL, XLEN_64) | SSTATUS_SPP;
	v->vs.vsstatus = FIELD_PUT(SSTATUS_UXL, XLEN_64);
	v->vs.vstimecmp = UINT64_MAX;
	v->timer = UINT64_MAX;
	v->effects = 0;
	v->hvip_set = 0;
	v->hvip_clear = 0;
	v->lines = 0;
	v->hsm_resume = 0;
	v->before_run =
		riscv_has(host, RISCV_FEATURE_SSTC) ? 0 : RISCV_BEFORE_TIMER;
	v->last = (struct riscv_last_device){.start = UINT64_MAX};
	v->last_ram = NULL;
	store_relaxed(&v->hsm, RISCV_HSM_RUNNING);
	if (v->fp != NULL)
		memset(v->fp, 0, FP_BYTES);
	if (v->vector != NULL) {
		memset(v->vector, 0, vector_size(host));
		((uint64_t *)v->vector)[3] = VTYPE_ILL;
	}
	axvmi_notify(vcpu, AXVMI_ATTN_LINES);
}

/* ---- registers ---- */

static uint64_t *csr_slot(struct riscv_vcpu *v, uint32_t csr)
{
	switch (csr) {
	case CSR_SSTATUS:
		return &v->vs.vsstatus;
	case 0x104: /* sie */
		return &v->vs.vsie;
	case CSR_STVEC:
		return &v->vs.vstvec;
	case CSR_SCOUNTEREN:
		return &v->vs.scounteren;
	case CSR_SENVCFG:
		return &v->vs.senvcfg;
	case CSR_SSCRATCH:
		return &v->vs.vsscratch;
	case CSR_SEPC:
		return &v->vs.vsepc;
	case CSR_SCAUSE:
		return &v->vs.vscause;
	case CSR_STVAL:
		return &v->vs.vstval;
	case CSR_STIMECMP:
		return &v->vs.vstimecmp;
	case 0x180: /* satp */
		return &v->vs.vsatp;
	default:
		return NULL;
	}
}

/* 0 with *slot, ENOENT, or EBUSY for a CSR that is on a hart now. */
static int find_register(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t **slot)
{
	struct riscv_vcpu *v = riscv_vcpu(vcpu);

	if (reg == AXVM_REG_PC) {
		*slot = &v->frame.pc;
	} else if (reg == AXVM_REG_SP) {
		*slot = &v->frame.x[REG_SP];
	} else if (reg >= AXVM_REG_GPR(0) && reg < AXVM_REG_GPR(32)) {
		*slot = &v->frame.x[reg - AXVM_REG_GPR(0)];
	} else {
		if (reg < AXVM_REG_RISCV_CSR(0))
			return AXVM_ENOENT;
		*slot = csr_slot(v, reg - AXVM_REG_RISCV_CSR(0));
		if (*slot == NULL)
			return AXVM_ENOENT;
		if (load_acquire(&vcpu->resident) != 0)
			return AXVM_EBUSY;
	}
	return AXVM_OK;
}

/* ---- sip, which is no register of its own ---- */

#define SIP AXVM_REG_RISCV_CSR(0x144)

static bool timer_is_due(const struct riscv_vcpu *v)
{
	struct axvm_vm *vm = v->core.vm;
	uint64_t due = riscv_has(vm->host, RISCV_FEATURE_SSTC) ? v->vs.vstimecmp
							       : v->timer;

	return due != UINT64_MAX && axvmi_guest_counter(vm) >= due;
}

static uint64_t read_sip(const struct riscv_vcpu *v)
{
	uint64_t hvip = (v->vs.hvip & ~v->hvip_clear) | v->hvip_set;

	if (timer_is_due(v))
		hvip |= RISCV_VSTIP;
	return (hvip & (RISCV_VSSIP | RISCV_VSTIP | RISCV_VSEIP)) >> 1;
}

/* Of sip software writes SSIP alone ("Supervisor Interrupt Registers"). */
static void write_sip(struct riscv_vcpu *v, uint64_t value)
{
	if ((value & RISCV_VSSIP >> 1) != 0)
		riscv_raise(v, RISCV_VSSIP);
	else
		riscv_lower(v, RISCV_VSSIP);
}

int axvmi_riscv_get_reg(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t *value)
{
	uint64_t *slot;
	int err;

	if (reg == SIP) {
		if (load_acquire(&vcpu->resident) != 0)
			return AXVM_EBUSY;
		*value = read_sip(riscv_vcpu(vcpu));
		return AXVM_OK;
	}
	err = find_register(vcpu, reg, &slot);
	if (err == AXVM_OK)
		*value = *slot;
	return err;
}

int axvmi_riscv_set_reg(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t value)
{
	uint64_t *slot;
	int err;

	if (reg == SIP) {
		if (load_acquire(&vcpu->resident) != 0)
			return AXVM_EBUSY;
		write_sip(riscv_vcpu(vcpu), value);
		return AXVM_OK;
	}
	err = find_register(vcpu, reg, &slot);
	if (err == AXVM_OK && reg != AXVM_REG_GPR(0))
		*slot = value;
	return err;
}

/* ---- guest tables ---- */

static uint64_t guest_isa(const struct axvm_host *host)
{
	uint64_t isa = BIT64(RISCV_ISA_M) | BIT64(RISCV_ISA_A) |
		       BIT64(RISCV_ISA_C) | BIT64(RISCV_ISA_ZICNTR) |
		       BIT64(RISCV_ISA_ZICSR) | BIT64(RISCV_ISA_ZIFENCEI);

	if (riscv_has(host, RISCV_FEATURE_FP))
		isa |= BIT64(RISCV_ISA_F) | BIT64(RISCV_ISA_D);
	if (riscv_has(host, RISCV_FEATURE_VECTOR))
		isa |= BIT64(RISCV_ISA_V);
	if (riscv_has(host, RISCV_FEATURE_SSTC))
		isa |= BIT64(RISCV_ISA_SSTC);
	return isa;
}

/* The first stage is as wide as the second, which is built from the same. */
static enum riscv_mmu guest_mmu(const struct axvm_host *host)
{
	if (riscv_has(host, RISCV_FEATURE_SV57X4))
		return RISCV_MMU_SV57;
	return riscv_has(host, RISCV_FEATURE_SV48X4) ? RISCV_MMU_SV48
						     : RISCV_MMU_SV39;
}

static const struct axvm_emu_device_config *find_pool(const struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->config.emu_device_count; i++) {
		if (vm->config.emu_devices[i].type == AXVM_EMU_IVC_POOL)
			return &vm->config.emu_devices[i];
	}
	return NULL;
}

struct riscv_ivc_node {
	struct fdt_device device;
	struct fdt_range reg[2];
	uint32_t irq;
};

static uint32_t list_uarts(const struct axvm_vm *vm,
			   struct riscv_uart_config *uarts)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < vm->config.emu_device_count; i++) {
		const struct axvm_emu_device_config *d =
			&vm->config.emu_devices[i];

		if (d->type != AXVM_EMU_CONSOLE)
			continue;
		uarts[count].gpa = d->gpa.value;
		uarts[count].size = d->size;
		uarts[count].irq = d->irq;
		count++;
	}
	return count;
}

/* The node of axvm/ivc.h. Returns how many devices it is. */
static uint32_t describe_ivc(const struct axvm_vm *vm,
			     struct riscv_ivc_node *node)
{
	static const char *const compatible = "axvm,ivc";
	const struct axvm_emu_device_config *pool = find_pool(vm);
	bool has_doorbells;

	if (pool == NULL)
		return 0;
	has_doorbells = pool->size > PAGE_SIZE_4K;
	node->irq = pool->irq;
	node->reg[0] = (struct fdt_range){pool->gpa.value, PAGE_SIZE_4K};
	node->reg[1] = (struct fdt_range){pool->gpa.value + PAGE_SIZE_4K,
					  pool->size - PAGE_SIZE_4K};
	node->device = (struct fdt_device){
		.name = "ivc",
		.compatible = &compatible,
		.compatible_count = 1,
		.reg = node->reg,
		.reg_count = has_doorbells ? 2 : 1,
		.interrupts = &node->irq,
		.interrupt_cells = node->irq != 0,
	};
	return 1;
}

int axvmi_riscv_write_tables(struct axvm_vm *vm, void *buffer, size_t size,
			     size_t *used)
{
	struct riscv_ivc_node ivc;
	struct riscv_uart_config uarts[AXVM_CONFIG_MAX_DEVICES];
	uint32_t hart_ids[AXVM_MAX_VCPUS];
	const struct axvm_emu_device_config *plic = find_plic(vm);
	struct riscv_tables_config config = {
		.vcpu_count = vm->vcpu_count,
		.hart_ids = hart_ids,
		.timebase = (uint32_t)vm->host->hal.counter_hz,
		.isa = guest_isa(vm->host),
		.mmu = guest_mmu(vm->host),
		.plic_sources = VPLIC_SOURCES - 1,
		.uarts = uarts,
		.uart_count = list_uarts(vm, uarts),
		.regions = vm->config.regions,
		.region_count = vm->config.region_count,
		.bootargs = vm->config.kernel.cmdline,
		.devices = &ivc.device,
		.device_count = describe_ivc(vm, &ivc),
	};
	uint32_t written;
	int err;

	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		hart_ids[i] = i;
	if (plic != NULL) {
		config.plic_gpa = plic->gpa.value;
		config.plic_size = plic->size;
	}
	config.initrd.start = vm->ramdisk_gpa;
	config.initrd.size = vm->ramdisk_size;
	err = axvmi_riscv_guest_tables(&config, buffer, size, &written);
	if (err == AXVM_OK)
		*used = written;
	return err;
}
