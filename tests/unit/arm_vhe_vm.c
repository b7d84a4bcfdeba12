/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/arm_vhe/vm.c, vm_regs.c, vm_tables.c, reg_names.c on the real core: what
 * VMs and vCPUs are before they run, and what their host reads and writes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <libfdt.h>

#include "arm_vhe_machine.h"

#define WENT_ON AXVM_EXIT_IRQ
#define VALUE UINT64_C(0x8182838485868788)

static int setup(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return machine_delete() ? 0 : -1;
}

static void anew(uint64_t features)
{
	assert_int_equal(teardown(NULL), 0);
	machine_new(features, 1);
}

static void no_devices(void)
{
	m.config.emu_device_count = 0;
}

/* ---- formats and tags ---- */

static void the_format_is_as_wide_as_is_asked(void **state)
{
	struct axvm_host host = {.features = 40};
	struct axvm_s2_format format;

	(void)state;
	assert_int_equal(axvmi_arm_choose_format(&host, 0, &format), AXVM_OK);
	assert_int_equal(format.gpa_bits, 32);
	assert_int_equal(axvmi_arm_choose_format(&host, 36, &format), AXVM_OK);
	assert_int_equal(format.gpa_bits, 36);
	assert_int_equal(axvmi_arm_choose_format(&host, 40, &format), AXVM_OK);
	assert_int_equal(format.gpa_bits, 40);
	/* Wider than the CPU's addresses, or than 4 KiB tables go. */
	assert_int_equal(axvmi_arm_choose_format(&host, 41, &format),
			 AXVM_ERANGE);
	assert_int_equal(format.gpa_bits, 40);
	host.features = 52;
	assert_int_equal(axvmi_arm_choose_format(&host, 49, &format),
			 AXVM_ERANGE);
}

static void tags_are_as_wide_as_vmids(void **state)
{
	struct axvm_host host = {.features = 0};

	(void)state;
	assert_int_equal(axvmi_arm_tag_bits(&host), 8);
	host.features = ARM_FEATURE_VMID16;
	assert_int_equal(axvmi_arm_tag_bits(&host), 16);
}

static void stage_2_registers_are_made_at_init(void **state)
{
	struct arm_vm *avm;

	(void)state;
	machine_init();
	avm = arm_vm(m.vm);
	assert_int_equal(avm->vttbr, axvmi_virt_to_phys(m.host, m.vm->s2.root));
	assert_int_equal(avm->vtcr >> 19 & 1, 1); /* VS */
	assert_int_equal(avm->vtcr & 63, 64 - m.vm->format.gpa_bits);
	assert_int_equal(avm->midr, 0x414fd0b1);
}

/* ---- the interrupt controller ---- */

static void the_vgic_is_where_the_configuration_says(void **state)
{
	static const uint32_t names[] = {AXVM_EMU_GICD,
					 AXVM_EMU_INTERRUPT_CONTROLLER};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		anew(MACHINE_FEATURES);
		no_devices();
		machine_emu(AXVM_EMU_GICR, 0x8100000, 0x40000, 0);
		machine_emu(names[i], 0x8080000, 0x10000, 0);
		machine_init();
		assert_int_equal(m.gic[0], 0x8080000);
		assert_int_equal(m.gic[1], 0x10000);
		assert_int_equal(m.gic[2], 0x8100000);
		assert_int_equal(m.gic[3], 0x40000);
	}
}

static void a_vm_without_a_vgic_has_none(void **state)
{
	(void)state;
	no_devices();
	machine_boot();
	assert_null(arm_vm(m.vm)->vgic);
	/* Its interface to the CPU is one all the same. */
	assert_int_equal(m.gic_resets, 1);
	assert_int_equal(machine_play(), WENT_ON);
}

static int init_with(uint32_t first, uint32_t second, uint32_t third)
{
	anew(MACHINE_FEATURES);
	no_devices();
	machine_emu(first, 0x8000000, 0x10000, 0);
	if (second != 0)
		machine_emu(second, 0x8100000, 0x20000, 0);
	if (third != 0)
		machine_emu(third, 0x8200000, 0x20000, 0);
	machine_create();
	return axvm_init(m.vm);
}

static void half_a_vgic_or_two_are_refused(void **state)
{
	(void)state;
	assert_int_equal(init_with(AXVM_EMU_GICD, 0, 0), AXVM_EINVAL);
	assert_int_equal(init_with(AXVM_EMU_GICR, 0, 0), AXVM_EINVAL);
	assert_int_equal(init_with(AXVM_EMU_GICD, AXVM_EMU_GICR,
				   AXVM_EMU_INTERRUPT_CONTROLLER),
			 AXVM_EEXIST);
	assert_int_equal(init_with(AXVM_EMU_GICD, AXVM_EMU_GICR, AXVM_EMU_GICR),
			 AXVM_EEXIST);
	assert_int_equal(axvm_vm_state(m.vm), AXVM_VM_LOADING);
	assert_int_equal(init_with(AXVM_EMU_GICD, AXVM_EMU_GICR, 0), AXVM_OK);
}

static void a_vgic_that_fails_fails_init(void **state)
{
	(void)state;
	m.gic_error = AXVM_ERANGE;
	machine_create();
	assert_int_equal(axvm_init(m.vm), AXVM_ERANGE);
	assert_int_equal(axvm_vm_state(m.vm), AXVM_VM_LOADING);
	assert_null(arm_vm(m.vm)->vgic);
	m.gic_error = AXVM_OK;
	assert_int_equal(axvm_init(m.vm), AXVM_OK);
}

static void devices_of_other_machines_do_not_exist_here(void **state)
{
	static const uint32_t here[] = {
		AXVM_EMU_DUMMY,
		AXVM_EMU_CONSOLE,
		AXVM_EMU_GICD,
		AXVM_EMU_GICR,
		AXVM_EMU_INTERRUPT_CONTROLLER,
	};
	unsigned count = 0;

	(void)state;
	for (uint32_t type = 0; type < 0x100; type++)
		count += axvmi_arm_emulates(type);
	assert_int_equal(count, ARRAY_SIZE(here));
	for (size_t i = 0; i < ARRAY_SIZE(here); i++)
		assert_true(axvmi_arm_emulates(here[i]));
}

/* ---- memory ---- */

static int make(void *arg)
{
	int err;

	(void)arg;
	err = axvm_create(m.host, &m.config, NULL, &m.vm);
	if (err != AXVM_OK)
		return err;
	err = axvm_init(m.vm);
	if (err != AXVM_OK) {
		assert_int_equal(axvm_vm_state(m.vm), AXVM_VM_LOADING);
		machine_destroy();
	}
	return err;
}

static void unmake(void *arg)
{
	(void)arg;
	machine_destroy();
}

static void init_short_of_memory_leaves_nothing(void **state)
{
	(void)state;
	m.config.cpu_num = 3;
	machine_host();
	assert_true(test_hal_sweep(m.hal, AXVM_ENOMEM, make, unmake, NULL) >=
		    12);
}

/* ---- vCPUs ---- */

static void the_boot_vcpu_starts_as_the_boot_protocol_says(void **state)
{
	(void)state;
	machine_boot();
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(m.v->frame.pstate, 0x3c5);
	assert_int_equal(m.v->frame.x[0], m.vm->boot_argument);
	assert_int_not_equal(m.vm->boot_argument, 0);
	for (unsigned n = 1; n < 31; n++)
		assert_int_equal(m.v->frame.x[n], 0);
	/* MMU and caches are off. */
	assert_int_equal(m.v->el1[ARM_EL1_SCTLR], 0x30d00800);
	assert_int_equal(m.v->el1[ARM_EL1_CNTV_CTL], 0);
	assert_int_equal(m.gic_resets, 1);
}

static void reset_leaves_nothing_of_the_life_before(void **state)
{
	struct arm_vcpu *v;

	(void)state;
	machine_boot();
	v = m.v;
	memset(&v->frame, 0xa5, sizeof(v->frame));
	memset(v->el1, 0xa5, sizeof(v->el1));
	memset(v->fp, 0xa5, 66 * 8);
	v->effects = ARM_EFFECT_TRAP;
	v->mmio.part = 1;
	v->vtimer_held = 1;
	v->cntp_ctl = 1;
	v->cntp_cval = 1;
	v->cntp_level = 1;
	store_relaxed(&v->power, ARM_POWER_DOWN);
	axvmi_arm_vcpu_reset(&v->core, 0x1234, 77);
	assert_int_equal(v->frame.pc, 0x1234);
	assert_int_equal(v->frame.x[0], 77);
	assert_int_equal(v->frame.x[30], 0);
	assert_int_equal(v->frame.sp_el0, 0);
	assert_int_equal(v->frame.tpidr_el0, 0);
	assert_int_equal(v->frame.host_sp, 0);
	for (unsigned i = 0; i < ARM_EL1_REGS; i++)
		assert_int_equal(v->el1[i],
				 i == ARM_EL1_SCTLR ? 0x30d00800 : 0);
	for (unsigned i = 0; i < 66; i++)
		assert_int_equal(v->fp[i], 0);
	assert_int_equal(v->effects, 0);
	assert_int_equal(v->mmio.part, 0);
	assert_int_equal(v->vtimer_held, 0);
	assert_int_equal(v->cntp_ctl, 0);
	assert_int_equal(v->cntp_cval, 0);
	assert_int_equal(v->cntp_level, 0);
	assert_int_equal(load_relaxed(&v->power), ARM_POWER_ON);
	assert_true((load_relaxed(&v->core.attention) & AXVMI_ATTN_LINES) != 0);
}

static uint64_t hcr_with(uint64_t features)
{
	anew(MACHINE_FEATURES | features);
	machine_boot();
	return m.v->frame.hcr;
}

static void traps_go_by_what_the_cpu_has(void **state)
{
	(void)state;
	assert_int_equal(hcr_with(0), HCR_GUEST);
	assert_int_equal(hcr_with(ARM_FEATURE_LOR), HCR_GUEST | HCR_TLOR);
	assert_int_equal(hcr_with(ARM_FEATURE_RAS), HCR_GUEST | HCR_TERR);
	assert_int_equal(hcr_with(ARM_FEATURE_MTE2), HCR_GUEST | HCR_TID5);
	assert_int_equal(hcr_with(ARM_FEATURE_PAUTH),
			 HCR_GUEST | HCR_APK | HCR_API);
	/* TGE would make it the host's. */
	assert_int_equal(HCR_GUEST & HCR_TGE, 0);
}

/* By the numbers of "HCR_EL2, Hypervisor Configuration Register". */
static void guests_run_with_every_trap_that_is_needed(void **state)
{
	static const struct {
		unsigned bit;
		bool set;
		const char *name;
	} bits[] = {
		{0, true, "VM"},     {1, true, "SWIO"},	 {3, true, "FMO"},
		{4, true, "IMO"},    {5, true, "AMO"},	 {9, true, "FB"},
		{13, true, "TWI"},   {18, true, "TID3"}, {19, true, "TSC"},
		{20, true, "TIDCP"}, {21, true, "TACR"}, {22, true, "TSW"},
		{31, true, "RW"},    {34, true, "E2H"},	 {12, false, "DC"},
		{27, false, "TGE"},  {29, false, "HCD"}, {32, false, "CD"},
		{33, false, "ID"},   {42, false, "NV"},	 {47, false, "FIEN"},
		{56, false, "ATA"},
	};

	(void)state;
	for (uint64_t n = 0; n < 2; n++) {
		uint64_t hcr = hcr_with(n * ARM_FEATURE_PAUTH);

		for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
			if ((hcr >> bits[i].bit & 1) != bits[i].set)
				fail_msg("HCR_EL2.%s", bits[i].name);
		}
	}
}

static void vcpus_have_affinities_that_sgis_reach(void **state)
{
	(void)state;
	assert_int_equal(teardown(NULL), 0);
	machine_new(MACHINE_FEATURES, 40);
	machine_init();
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(arm_vcpu(m.vm->vcpus[i])->mpidr,
				 UINT64_C(0x80000000) | i / 16 << 8 | i % 16);
}

/* ---- registers ---- */

static void set(uint32_t reg, uint64_t value)
{
	assert_int_equal(axvm_vcpu_set_reg(m.vm, 0, reg, value), AXVM_OK);
}

static uint64_t get(uint32_t reg)
{
	uint64_t value = 0;

	assert_int_equal(axvm_vcpu_get_reg(m.vm, 0, reg, &value), AXVM_OK);
	return value;
}

static bool is_special(const char *name)
{
	return strcmp(name, "pstate") == 0 || strcmp(name, "mpidr_el1") == 0 ||
	       strcmp(name, "cntp_ctl") == 0;
}

static void every_register_is_its_own(void **state)
{
	(void)state;
	machine_boot();
	for (unsigned i = 0; i < ARM_REGISTERS; i++) {
		const struct axvm_register *r = &axvmi_arm_registers[i];

		assert_non_null(r->name);
		assert_true(strlen(r->name) < 12);
		if (!is_special(r->name))
			set(r->number, VALUE + i);
	}
	for (unsigned i = 0; i < ARM_REGISTERS; i++) {
		const struct axvm_register *r = &axvmi_arm_registers[i];

		if (!is_special(r->name) && get(r->number) != VALUE + i)
			fail_msg("%s is not its own", r->name);
	}
	assert_int_equal(m.v->frame.x[30], VALUE + 32);
	assert_int_equal(get(AXVM_REG_ARM_SYSREG(3, 0, 0, 0, 5)), 0x80000000);
}

/* Each by the operands of its MRS. */
static void numbers_are_those_of_the_manual(void **state)
{
	static const struct {
		uint32_t number;
		enum arm_el1 reg;
	} cases[] = {
		{0x2c080, ARM_EL1_SCTLR}, /* S3_0_C1_C0_0 */
		{0x2c100, ARM_EL1_TTBR0}, /* S3_0_C2_C0_0 */
		{0x2c201, ARM_EL1_ELR}, /* S3_0_C4_C0_1 */
		{0x2c290, ARM_EL1_ESR}, /* S3_0_C5_C2_0 */
		{0x2c3a0, ARM_EL1_PAR}, /* S3_0_C7_C4_0 */
		{0x2c600, ARM_EL1_VBAR}, /* S3_0_C12_C0_0 */
		{0x2c684, ARM_EL1_TPIDR}, /* S3_0_C13_C0_4 */
		{0x2d000, ARM_EL1_CSSELR}, /* S3_2_C0_C0_0 */
		{0x2df1a, ARM_EL1_CNTV_CVAL}, /* S3_3_C14_C3_2 */
		{0x2e208, ARM_EL1_SP}, /* S3_4_C4_C1_0 */
		{0x2c108, ARM_EL1_APIA_LO}, /* S3_0_C2_C1_0 */
		{0x2c119, ARM_EL1_APGA_HI}, /* S3_0_C2_C3_1 */
	};

	(void)state;
	machine_boot();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set(cases[i].number, VALUE + i);
		assert_int_equal(m.v->el1[cases[i].reg], VALUE + i);
	}
	set(0x2c208, 5); /* SP_EL0: S3_0_C4_C1_0 */
	assert_int_equal(m.v->frame.sp_el0, 5);
	set(0x2de82, 6); /* TPIDR_EL0: S3_3_C13_C0_2 */
	assert_int_equal(m.v->frame.tpidr_el0, 6);
}

static void registers_that_do_not_exist_are_refused(void **state)
{
	static const uint32_t numbers[] = {
		2,
		0xff,
		AXVM_REG_GPR(31),
		0x1ff,
		0x201,
		0x10180,
		0x1ffff,
		0x20000,
		AXVM_REG_ARM_SYSREG(3, 0, 0, 4, 0),
		AXVM_REG_ARM_SYSREG(3, 4, 1, 1, 0),
		0x30000,
		UINT32_MAX,
	};
	uint64_t value = 3;

	(void)state;
	machine_boot();
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_int_equal(axvm_vcpu_get_reg(m.vm, 0, numbers[i], &value),
				 AXVM_ENOENT);
		assert_int_equal(axvm_vcpu_set_reg(m.vm, 0, numbers[i], 1),
				 AXVM_ENOENT);
	}
	assert_int_equal(value, 3);
	assert_int_equal(axvm_vcpu_set_reg(m.vm, 0,
					   AXVM_REG_ARM_SYSREG(3, 0, 0, 0, 5),
					   1),
			 AXVM_ENOENT);
}

static void the_stack_pointer_is_that_in_use(void **state)
{
	(void)state;
	machine_boot();
	set(AXVM_REG_SP, 1);
	assert_int_equal(m.v->el1[ARM_EL1_SP], 1);
	set(AXVM_REG_ARM_PSTATE, 0x3c4);
	set(AXVM_REG_SP, 2);
	assert_int_equal(m.v->frame.sp_el0, 2);
	set(AXVM_REG_ARM_PSTATE, 0);
	assert_int_equal(get(AXVM_REG_SP), 2);
	assert_int_equal(m.v->el1[ARM_EL1_SP], 1);
}

static int pstate(uint64_t value)
{
	return axvm_vcpu_set_reg(m.vm, 0, AXVM_REG_ARM_PSTATE, value);
}

/* Anything else would be an illegal exception return of the host. */
static void only_states_of_guests_are_accepted(void **state)
{
	(void)state;
	machine_boot();
	for (uint64_t mode = 0; mode < 16; mode++)
		assert_int_equal(pstate(0x3c0 | mode),
				 mode == 0 || mode == 4 || mode == 5
					 ? AXVM_OK
					 : AXVM_EINVAL);
	for (uint64_t mode = 0; mode < 16; mode++)
		assert_int_equal(pstate(0x10 | mode),
				 mode == 0 ? AXVM_OK : AXVM_EINVAL);
	assert_int_equal(pstate(UINT64_C(0xf1e01fc5)), AXVM_OK);
	assert_int_equal(pstate(BIT64(20) | 5), AXVM_EINVAL); /* IL */
	assert_int_equal(pstate(BIT64(25) | 5), AXVM_EINVAL); /* TCO */
	assert_int_equal(pstate(BIT64(32) | 5), AXVM_EINVAL);
	assert_int_equal(pstate(UINT64_C(0xfeeffff0)), AXVM_OK);
	assert_int_equal(pstate(BIT64(24) | 0x10), AXVM_EINVAL); /* J */
	assert_int_equal(get(AXVM_REG_ARM_PSTATE), UINT64_C(0xfeeffff0));
	anew(MACHINE_FEATURES);
	m.ids[4][0] = 0x11;
	machine_boot();
	assert_int_equal(pstate(0x10), AXVM_EINVAL);
}

static void registers_of_a_resident_vcpu_are_busy(void **state)
{
	uint64_t value;

	(void)state;
	machine_boot();
	assert_int_equal(machine_play(), WENT_ON);
	assert_int_equal(axvm_vcpu_get_reg(m.vm, 0, 0x2c080, &value),
			 AXVM_EBUSY);
	assert_int_equal(axvm_vcpu_set_reg(m.vm, 0, 0x2c080, 1), AXVM_EBUSY);
	assert_int_equal(axvm_vcpu_set_reg(m.vm, 0, AXVM_REG_SP, 1),
			 AXVM_EBUSY);
	/* Not those that are in the frame. */
	set(AXVM_REG_PC, RAM);
	set(AXVM_REG_GPR(30), 1);
	set(0x2c208, 5);
	set(AXVM_REG_ARM_PSTATE, 0);
	set(AXVM_REG_SP, 7);
	assert_int_equal(m.v->frame.sp_el0, 7);
	assert_int_equal(axvm_vcpu_unbind(m.cpu, m.vm, 0), AXVM_OK);
	set(0x2c080, 1);
}

static void the_virtual_timers_mask_is_the_guests(void **state)
{
	const uint32_t ctl = AXVM_REG_ARM_SYSREG(3, 3, 14, 3, 1);

	(void)state;
	machine_boot();
	m.v->el1[ARM_EL1_CNTV_CTL] = 3;
	assert_int_equal(get(ctl), 3);
	m.v->vtimer_held = 1;
	assert_int_equal(get(ctl), 1);
}

static bool take_vtimer(void *ctx)
{
	(void)ctx;
	return true;
}

static void a_timer_that_the_host_takes_has_no_other_mask(void **state)
{
	(void)state;
	m.hal->hal.take_vtimer = take_vtimer;
	m.hal->hal.vtimer_irq = 27;
	machine_boot();
	m.v->el1[ARM_EL1_CNTV_CTL] = 3;
	m.v->vtimer_held = 1;
	assert_int_equal(get(AXVM_REG_ARM_SYSREG(3, 3, 14, 3, 1)), 3);
}

static void the_physical_timer_is_the_emulated_one(void **state)
{
	const uint32_t ctl = AXVM_REG_ARM_SYSREG(3, 3, 14, 2, 1);
	const uint32_t cval = AXVM_REG_ARM_SYSREG(3, 3, 14, 2, 2);

	(void)state;
	machine_boot();
	m.counter = 100;
	set(cval, 50);
	set(ctl, 0xff);
	assert_int_equal(m.v->cntp_ctl, 3);
	assert_int_equal(get(ctl), 7);
	assert_int_equal(get(cval), 50);
	set(ctl, 1);
	machine_play();
	assert_int_equal(m.ppi_level, 1);
}

/* ---- guest tables ---- */

static uint8_t tree[65536];

static void read_tree(void)
{
	assert_int_equal(axvm_read_guest(m.vm, axvm_to_gpa(m.vm->boot_argument),
					 tree, sizeof(struct fdt_header)),
			 AXVM_OK);
	assert_true(fdt_totalsize(tree) <= sizeof(tree));
	assert_int_equal(axvm_read_guest(m.vm, axvm_to_gpa(m.vm->boot_argument),
					 tree, fdt_totalsize(tree)),
			 AXVM_OK);
	assert_int_equal(fdt_check_full(tree, fdt_totalsize(tree)), 0);
}

static int find(const char *compatible)
{
	return fdt_node_offset_by_compatible(tree, -1, compatible);
}

static uint32_t cell(int at, const char *name, int index)
{
	int size = 0;
	const fdt32_t *value = fdt_getprop(tree, at, name, &size);

	assert_non_null(value);
	assert_true(size >= (index + 1) * 4);
	return fdt32_to_cpu(value[index]);
}

static void tables_describe_the_machine(void **state)
{
	int cpu;

	(void)state;
	assert_int_equal(teardown(NULL), 0);
	machine_new(MACHINE_FEATURES, 18);
	machine_emu(AXVM_EMU_CONSOLE, UART, 0x1000, 33);
	m.config.kernel.cmdline = "console=ttyAMA0";
	machine_boot();
	read_tree();
	assert_int_equal(cell(find("arm,gic-v3"), "reg", 1), GICD);
	assert_int_equal(cell(find("arm,gic-v3"), "reg", 5), GICR);
	assert_int_equal(cell(find("arm,gic-v3"), "reg", 7), 18 * 0x20000);
	assert_int_equal(cell(find("arm,pl011"), "reg", 1), UART);
	assert_int_equal(cell(find("arm,pl011"), "interrupts", 1), 1);
	assert_string_equal(fdt_getprop(tree, fdt_path_offset(tree, "/chosen"),
					"bootargs", NULL),
			    "console=ttyAMA0");
	cpu = fdt_path_offset(tree, "/cpus/cpu@101");
	assert_true(cpu > 0);
}

static void tables_without_a_vgic_have_none(void **state)
{
	(void)state;
	no_devices();
	machine_boot();
	read_tree();
	assert_true(find("arm,gic-v3") < 0);
	assert_true(find("axvm,ivc") < 0);
}

static void tables_describe_the_pool_of_channels(void **state)
{
	int pool;

	(void)state;
	machine_emu(AXVM_EMU_IVC_POOL, 0x20000000, 0x10000, 40);
	machine_boot();
	read_tree();
	pool = find("axvm,ivc");
	assert_int_equal(cell(pool, "reg", 1), 0x20000000);
	assert_int_equal(cell(pool, "reg", 3), 0x1000);
	assert_int_equal(cell(pool, "reg", 5), 0x20001000);
	assert_int_equal(cell(pool, "reg", 7), 0xf000);
	/* SPI 8, rising edge */
	assert_int_equal(cell(pool, "interrupts", 0), 0);
	assert_int_equal(cell(pool, "interrupts", 1), 8);
	assert_int_equal(cell(pool, "interrupts", 2), 1);
}

static void tables_describe_a_pool_of_one_page(void **state)
{
	int pool, size;

	(void)state;
	machine_emu(AXVM_EMU_IVC_POOL, 0x20000000, 0x1000, 0);
	machine_boot();
	read_tree();
	pool = find("axvm,ivc");
	assert_non_null(fdt_getprop(tree, pool, "reg", &size));
	assert_int_equal(size, 16);
	assert_null(fdt_getprop(tree, pool, "interrupts", NULL));
}

static void tables_that_do_not_fit_are_refused(void **state)
{
	size_t used = 77;

	(void)state;
	machine_boot();
	assert_int_equal(axvmi_arm_write_tables(m.vm, tree, 256, &used),
			 AXVM_ENOSPC);
	assert_int_equal(used, 77);
	assert_int_equal(
		axvmi_arm_write_tables(m.vm, tree, sizeof(tree), &used),
		AXVM_OK);
	assert_int_equal(used, fdt_totalsize(tree));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_format_is_as_wide_as_is_asked),
		TEST(tags_are_as_wide_as_vmids),
		TEST(stage_2_registers_are_made_at_init),
		TEST(the_vgic_is_where_the_configuration_says),
		TEST(a_vm_without_a_vgic_has_none),
		TEST(half_a_vgic_or_two_are_refused),
		TEST(a_vgic_that_fails_fails_init),
		TEST(devices_of_other_machines_do_not_exist_here),
		TEST(init_short_of_memory_leaves_nothing),
		TEST(the_boot_vcpu_starts_as_the_boot_protocol_says),
		TEST(reset_leaves_nothing_of_the_life_before),
		TEST(traps_go_by_what_the_cpu_has),
		TEST(guests_run_with_every_trap_that_is_needed),
		TEST(vcpus_have_affinities_that_sgis_reach),
		TEST(every_register_is_its_own),
		TEST(numbers_are_those_of_the_manual),
		TEST(registers_that_do_not_exist_are_refused),
		TEST(the_stack_pointer_is_that_in_use),
		TEST(only_states_of_guests_are_accepted),
		TEST(registers_of_a_resident_vcpu_are_busy),
		TEST(the_virtual_timers_mask_is_the_guests),
		TEST(a_timer_that_the_host_takes_has_no_other_mask),
		TEST(the_physical_timer_is_the_emulated_one),
		TEST(tables_describe_the_machine),
		TEST(tables_without_a_vgic_have_none),
		TEST(tables_describe_the_pool_of_channels),
		TEST(tables_describe_a_pool_of_one_page),
		TEST(tables_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
