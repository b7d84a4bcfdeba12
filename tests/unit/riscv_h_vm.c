/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * arch/riscv_h/vm.c: what a VM and its vCPUs are made of, through the public
 * calls of the core; the tables are read out of guest memory by libfdt.
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

#include "riscv_h/s2_format.h"
#include "riscv_h_machine.h"

#define ALL_MODES \
	(RISCV_FEATURE_SV39X4 | RISCV_FEATURE_SV48X4 | RISCV_FEATURE_SV57X4)
#define PLIC_SIZE UINT64_C(0x600000)
#define CSR(number) AXVM_REG_RISCV_CSR(number)
#define SIP CSR(0x144)

static int setup(void **state)
{
	(void)state;
	machine_new(MACHINE_FEATURES);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return machine_delete() ? 0 : -1;
}

/* For tests of several machines. */
static void anew(void)
{
	assert_int_equal(teardown(NULL), 0);
	setup(NULL);
}

static uint64_t get(uint32_t reg)
{
	uint64_t value = 0;

	assert_int_equal(axvm_vcpu_get_reg(m.vm, 0, reg, &value), AXVM_OK);
	return value;
}

static void set(uint32_t reg, uint64_t value)
{
	assert_int_equal(axvm_vcpu_set_reg(m.vm, 0, reg, value), AXVM_OK);
}

/* ---- formats ---- */

static const char *choose(uint64_t features, unsigned bits)
{
	struct axvm_host host;
	struct axvm_s2_format format;
	int err;

	memset((void *)&host, 0, sizeof(host));
	memset(&format, 0x5a, sizeof(format));
	host.features = features;
	err = axvmi_riscv_choose_format(&host, bits, &format);
	if (err == AXVM_OK)
		return format.name;
	assert_int_equal(err, AXVM_ERANGE);
	for (size_t i = 0; i < sizeof(format); i++)
		assert_int_equal(((uint8_t *)&format)[i], 0x5a);
	return "none";
}

static void the_narrowest_format_that_is_wide_enough_is_chosen(void **state)
{
	(void)state;
	assert_string_equal(choose(ALL_MODES, 1), "Sv39x4");
	assert_string_equal(choose(ALL_MODES, 41), "Sv39x4");
	assert_string_equal(choose(ALL_MODES, 42), "Sv48x4");
	assert_string_equal(choose(ALL_MODES, 50), "Sv48x4");
	assert_string_equal(choose(ALL_MODES, 51), "Sv57x4");
	assert_string_equal(choose(ALL_MODES, 59), "Sv57x4");
}

static void too_wide_a_space_has_no_format(void **state)
{
	(void)state;
	assert_string_equal(choose(ALL_MODES, 60), "none");
	assert_string_equal(choose(ALL_MODES, 64), "none");
	assert_string_equal(choose(RISCV_FEATURE_SV39X4, 42), "none");
	assert_string_equal(choose(RISCV_FEATURE_SV48X4, 51), "none");
}

static void formats_the_hart_lacks_are_passed_over(void **state)
{
	(void)state;
	assert_string_equal(choose(RISCV_FEATURE_SV48X4, 1), "Sv48x4");
	assert_string_equal(choose(RISCV_FEATURE_SV57X4, 39), "Sv57x4");
	assert_string_equal(
		choose(RISCV_FEATURE_SV39X4 | RISCV_FEATURE_SV57X4, 42),
		"Sv57x4");
	assert_string_equal(choose(0, 1), "none");
	assert_string_equal(choose(~ALL_MODES, 1), "none");
}

static void device_memory_has_its_type_where_svpbmt_exists(void **state)
{
	struct axvm_host host;
	struct axvm_s2_format format;

	(void)state;
	memset((void *)&host, 0, sizeof(host));
	host.features = ALL_MODES;
	assert_int_equal(axvmi_riscv_choose_format(&host, 39, &format),
			 AXVM_OK);
	assert_int_equal(format.attr[AXVM_MEM_DEVICE][AXVM_RW] >> 61 & 3, 0);
	host.features |= RISCV_FEATURE_SVPBMT;
	assert_int_equal(axvmi_riscv_choose_format(&host, 39, &format),
			 AXVM_OK);
	assert_int_equal(format.attr[AXVM_MEM_DEVICE][AXVM_RW] >> 61 & 3, 2);
}

static void tag_bits_are_those_of_vmidlen(void **state)
{
	struct axvm_host host;

	(void)state;
	memset((void *)&host, 0, sizeof(host));
	for (unsigned bits = 0; bits <= 14; bits++) {
		host.features = ~(UINT64_C(0x1f) << RISCV_FEATURE_VMID_SHIFT) |
				(uint64_t)bits << RISCV_FEATURE_VMID_SHIFT;
		assert_int_equal(axvmi_riscv_tag_bits(&host), bits);
	}
}

static void a_wide_configuration_makes_a_wide_vm(void **state)
{
	(void)state;
	machine_region(UINT64_C(1) << 41, 0x1000, AXVM_RW, AXVM_REGION_DEMAND);
	machine_init();
	assert_string_equal(m.vm->format.name, "Sv48x4");
	assert_int_equal(riscv_vm(m.vm)->hgatp >> 60, 9);
}

static void a_configuration_too_wide_for_the_harts_is_refused(void **state)
{
	struct axvm_vm *vm = NULL;

	(void)state;
	machine_region(UINT64_C(1) << 50, 0x1000, AXVM_RW, AXVM_REGION_DEMAND);
	machine_host();
	assert_int_equal(axvm_create(m.host, &m.config, NULL, &vm),
			 AXVM_ERANGE);
	assert_null(vm);
}

/* ---- the VM ---- */

static void hgatp_names_mode_and_root_without_a_tag(void **state)
{
	uint64_t root;

	(void)state;
	machine_init();
	root = test_hal_phys(m.hal, m.vm->s2.root).value;
	assert_int_equal(root % 0x4000, 0);
	assert_int_equal(riscv_vm(m.vm)->hgatp, UINT64_C(8) << 60 | root >> 12);
	store_relaxed(&m.vm->tag, 0x2a);
	assert_int_equal(axvmi_riscv_vm_hgatp(m.vm),
			 UINT64_C(8) << 60 | UINT64_C(0x2a) << 44 | root >> 12);
	store_relaxed(&m.vm->tag, 0);
}

static void a_vm_without_a_plic_has_none(void **state)
{
	(void)state;
	machine_emu(AXVM_EMU_CONSOLE, UART, 0x100, 10);
	machine_init();
	assert_int_equal(m.vm->device_count, 2); /* the test's own */
	assert_null(axvmi_bus_find(&m.vm->bus[AXVM_BUS_MMIO], PLIC));
	assert_int_equal(axvmi_riscv_line_targets(m.vm, 1), 0);
}

/* lw and sw of a2 at gpa, by the guest. */
static uint64_t guest_word(uint64_t gpa, bool write, uint64_t value)
{
	struct riscv_syndrome s = {
		.cause = write ? CAUSE_STORE_GUEST_PAGE : CAUSE_LOAD_GUEST_PAGE,
		.stval = gpa,
		.htval = gpa >> 2,
		.htinst = write ? 0x00c02023 : 0x00002603,
	};

	m.v->frame.x[12] = value;
	machine_queue(&s);
	assert_int_equal(machine_play(), AXVM_EXIT_IRQ);
	return m.v->frame.x[12];
}

static void plic_works_where_the_configuration_says(uint32_t type)
{
	machine_emu(AXVM_EMU_DUMMY, 0x1000, 0x100, 0);
	machine_emu(type, PLIC, PLIC_SIZE, 0);
	machine_boot();
	assert_int_equal(m.vm->device_count, 3);
	guest_word(PLIC + 4 * 10, true, 5);
	assert_int_equal(guest_word(PLIC + 4 * 10, false, 0), 5);
	/* Two contexts per hart: context 1 is S-mode of hart 0. */
	guest_word(PLIC + 0x2000, true, 0x400);
	assert_int_equal(guest_word(PLIC + 0x2000, false, 0), 0);
	guest_word(PLIC + 0x2080, true, 0x400);
	assert_int_equal(guest_word(PLIC + 0x2080, false, 0), 0x400);
	assert_int_equal(axvmi_riscv_line_targets(m.vm, 10), 1);
	assert_int_equal(axvmi_riscv_line_targets(m.vm, 11), 0);
}

static void an_interrupt_controller_is_a_plic(void **state)
{
	(void)state;
	plic_works_where_the_configuration_says(AXVM_EMU_INTERRUPT_CONTROLLER);
}

static void a_plic_is_a_plic(void **state)
{
	(void)state;
	plic_works_where_the_configuration_says(AXVM_EMU_PLIC);
}

static void a_second_interrupt_controller_is_refused(void **state)
{
	(void)state;
	machine_emu(AXVM_EMU_PLIC, PLIC, PLIC_SIZE, 0);
	machine_emu(AXVM_EMU_INTERRUPT_CONTROLLER, PLIC + PLIC_SIZE, PLIC_SIZE,
		    0);
	machine_create();
	assert_int_equal(axvm_init(m.vm), AXVM_EEXIST);
	assert_int_equal(m.vm->device_count, 2);
}

static void devices_of_other_machines_do_not_exist_here(void **state)
{
	(void)state;
	for (uint32_t type = 0; type < 0x200; type++)
		assert_int_equal(axvmi_riscv_emulates(type),
				 type == AXVM_EMU_DUMMY ||
					 type == AXVM_EMU_CONSOLE ||
					 type == AXVM_EMU_PLIC ||
					 type == AXVM_EMU_INTERRUPT_CONTROLLER);
}

static void contexts_beyond_the_plic_window_do_not_exist(void **state)
{
	(void)state;
	m.config.cpu_num = 3;
	machine_emu(AXVM_EMU_PLIC, PLIC, 0x204000, 0);
	machine_init();
	assert_int_equal(riscv_vm(m.vm)->plic.contexts, 2);
}

static void reset_brings_the_plic_to_power_on(void **state)
{
	int err;

	(void)state;
	machine_emu(AXVM_EMU_PLIC, PLIC, PLIC_SIZE, 0);
	machine_boot();
	guest_word(PLIC + 4 * 10, true, 5);
	assert_int_equal(axvm_shutdown(m.vm), AXVM_OK);
	assert_int_equal(axvm_cpu_release(m.cpu), AXVM_OK);
	do
		err = axvm_reset(m.vm);
	while (err == AXVM_EAGAIN);
	assert_int_equal(err, AXVM_OK);
	assert_int_equal(axvm_boot(m.vm), AXVM_OK);
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(guest_word(PLIC + 4 * 10, false, 1), 0);
}

static void a_device_in_the_way_of_the_plic_fails_init(void **state)
{
	size_t live;

	(void)state;
	machine_emu(AXVM_EMU_PLIC, DEVICE + 0x800, PLIC_SIZE, 0);
	machine_create();
	live = test_hal_live(m.hal);
	assert_int_equal(axvm_init(m.vm), AXVM_EEXIST);
	assert_int_equal(test_hal_live(m.hal), live);
	assert_int_equal(m.vm->device_count, 2);
	assert_int_equal(axvm_vm_state(m.vm), AXVM_VM_LOADING);
}

/* An image in no RAM: placing it is the last step of init. */
static void an_init_that_fails_late_takes_the_plic_out_again(void **state)
{
	static const char kernel[16];
	struct axvm_image image = {kernel, sizeof(kernel), {HOLE}};
	size_t live;

	(void)state;
	machine_emu(AXVM_EMU_PLIC, PLIC, PLIC_SIZE, 0);
	machine_create();
	assert_int_equal(axvm_add_image(m.vm, AXVM_IMAGE_RAW, &image), AXVM_OK);
	live = test_hal_live(m.hal);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(axvm_init(m.vm), AXVM_ERANGE);
		assert_int_equal(test_hal_live(m.hal), live);
		assert_int_equal(m.vm->device_count, 2);
		assert_null(axvmi_bus_find(&m.vm->bus[AXVM_BUS_MMIO], PLIC));
	}
}

static void a_late_failure_without_a_plic_is_undone_too(void **state)
{
	static const char kernel[16];
	struct axvm_image image = {kernel, sizeof(kernel), {HOLE}};

	(void)state;
	machine_create();
	assert_int_equal(axvm_add_image(m.vm, AXVM_IMAGE_RAW, &image), AXVM_OK);
	assert_int_equal(axvm_init(m.vm), AXVM_ERANGE);
	assert_int_equal(m.vm->device_count, 2);
}

/* ---- out of memory ---- */

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

static void sweep(uint64_t features, unsigned at_least)
{
	m.features = features;
	m.config.cpu_num = 3;
	machine_emu(AXVM_EMU_PLIC, PLIC, PLIC_SIZE, 0);
	machine_host();
	assert_true(test_hal_sweep(m.hal, AXVM_ENOMEM, make, unmake, NULL) >=
		    at_least);
}

static void init_short_of_memory_leaves_nothing(void **state)
{
	(void)state;
	/* Three vCPUs with two areas each, tables, regions, config... */
	sweep(MACHINE_FEATURES, 15);
}

static void init_short_of_memory_without_fp_leaves_nothing(void **state)
{
	(void)state;
	sweep(MACHINE_FEATURES & ~RISCV_FEATURE_FP, 12);
}

static void init_short_of_memory_without_vectors_leaves_nothing(void **state)
{
	(void)state;
	sweep(MACHINE_FEATURES & ~RISCV_FEATURE_VECTOR, 12);
}

static void init_works_after_it_ran_out_of_memory(void **state)
{
	uint64_t failures = 0;
	size_t live;
	int err;

	(void)state;
	m.config.cpu_num = 2;
	machine_emu(AXVM_EMU_PLIC, PLIC, PLIC_SIZE, 0);
	for (uint64_t k = 1; failures + 1 == k; k++) {
		machine_create();
		live = test_hal_live(m.hal);
		test_hal_fail_at(m.hal, k);
		err = axvm_init(m.vm);
		failures += test_hal_failed(m.hal);
		if (err != AXVM_OK) {
			assert_int_equal(err, AXVM_ENOMEM);
			assert_int_equal(test_hal_live(m.hal), live);
			assert_int_equal(m.vm->device_count, 2);
			assert_int_equal(axvm_init(m.vm), AXVM_OK);
		}
		m.v = riscv_vcpu(m.vm->vcpus[0]);
		assert_int_equal(axvm_boot(m.vm), AXVM_OK);
		assert_int_equal(guest_word(PLIC + 4, false, 1), 0);
		machine_destroy();
	}
	assert_true(failures > 10);
}

/* ---- vCPUs ---- */

static void areas_exist_for_what_the_harts_have(void **state)
{
	static const struct {
		uint64_t features;
		bool fp, vector;
	} cases[] = {
		{0, false, false},
		{RISCV_FEATURE_FP, true, false},
		{RISCV_FEATURE_VECTOR, false, true},
		{RISCV_FEATURE_FP | RISCV_FEATURE_VECTOR, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		anew();
		m.features = RISCV_FEATURE_SV39X4 | cases[i].features |
			     UINT64_C(16) << RISCV_FEATURE_VLENB_SHIFT;
		machine_boot();
		assert_int_equal(m.v->fp != NULL, cases[i].fp);
		assert_int_equal(m.v->vector != NULL, cases[i].vector);
		assert_int_equal((uintptr_t)m.v->fp % 64, 0);
		assert_int_equal((uintptr_t)m.v->vector % 64, 0);
		assert_int_equal(machine_play(), AXVM_EXIT_IRQ);
	}
}

static uint64_t bytes_with_vlenb(uint64_t vlenb)
{
	uint64_t bytes;

	m.features = (MACHINE_FEATURES &
		      ~(UINT64_C(0xffff) << RISCV_FEATURE_VLENB_SHIFT)) |
		     vlenb << RISCV_FEATURE_VLENB_SHIFT;
	machine_init();
	bytes = test_hal_live_bytes(m.hal);
	assert_true(machine_delete());
	machine_new(MACHINE_FEATURES);
	return bytes;
}

static void the_vector_area_grows_with_vlenb(void **state)
{
	uint64_t least = bytes_with_vlenb(16);

	(void)state;
	assert_int_equal(bytes_with_vlenb(32) - least, UINT64_C(32) * 16);
	/* VLEN is at most 65536 bits. */
	assert_int_equal(bytes_with_vlenb(8192) - least,
			 UINT64_C(32) * (8192 - 16));
}

static void the_boot_vcpu_starts_as_firmware_would_start_it(void **state)
{
	(void)state;
	machine_boot();
	assert_int_equal(get(AXVM_REG_PC), ENTRY);
	assert_int_equal(get(AXVM_REG_GPR(REG_A0)), 0);
	assert_int_equal(get(AXVM_REG_GPR(REG_A1)), m.vm->boot_argument);
	assert_int_not_equal(m.vm->boot_argument, 0);
	for (uint32_t i = 0; i < 32; i++) {
		if (i != REG_A0 && i != REG_A1)
			assert_int_equal(get(AXVM_REG_GPR(i)), 0);
	}
	assert_int_equal(get(CSR(0x180)), 0);
	assert_int_equal(get(CSR(CSR_SSTATUS)), UINT64_C(2) << 32);
}

static void spoil(struct riscv_vcpu *v)
{
	memset(&v->frame, 0xa5, sizeof(v->frame));
	memset(&v->vs, 0xa5, sizeof(v->vs));
	memset(v->fp, 0xa5, 33 * 8);
	memset(v->vector, 0xa5, 32 + 32 * 16);
	v->effects = UINT32_MAX;
	v->hvip_set = UINT64_MAX;
	v->hvip_clear = UINT64_MAX;
	v->timer = 5;
	v->lines = 7;
	v->hsm_resume = 1;
	store_relaxed(&v->hsm, RISCV_HSM_SUSPENDED);
	store_relaxed(&v->core.attention, 0);
}

static void assert_start_state(const struct riscv_vcpu *v)
{
	struct riscv_vs_state vs = {
		.vsstatus = UINT64_C(2) << 32,
		.vstimecmp = UINT64_MAX,
	};
	struct riscv_frame frame = {
		.pc = RAM + 0x4000,
		/* VSXL 64, VTW, SPVP, SPV */
		.hstatus = UINT64_C(2) << 32 | 1u << 21 | 1u << 8 | 1u << 7,
		/* UXL 64, SPP; interrupts and FS, VS off */
		.sstatus = UINT64_C(2) << 32 | 1u << 8,
	};

	frame.x[10] = 1;
	frame.x[11] = 0xabcdef;
	assert_memory_equal(&v->frame, &frame, sizeof(frame));
	assert_memory_equal(&v->vs, &vs, sizeof(vs));
	assert_int_equal(v->effects, 0);
	assert_int_equal(v->hvip_set, 0);
	assert_int_equal(v->hvip_clear, 0);
	assert_int_equal(v->timer, UINT64_MAX);
	assert_int_equal(v->lines, 0);
	assert_int_equal(v->hsm_resume, 0);
	assert_int_equal(load_relaxed(&v->hsm), RISCV_HSM_RUNNING);
}

static void reset_leaves_nothing_of_the_life_before(void **state)
{
	struct riscv_vcpu *v;

	(void)state;
	m.config.cpu_num = 2;
	machine_boot();
	v = riscv_vcpu(m.vm->vcpus[1]);
	spoil(v);
	axvmi_riscv_vcpu_reset(&v->core, RAM + 0x4000, 0xabcdef);
	assert_start_state(v);
	/* Interrupt inputs are looked at before it runs. */
	assert_int_equal(load_relaxed(&v->core.attention) & AXVMI_ATTN_LINES,
			 AXVMI_ATTN_LINES);
}

static void reset_clears_fp_and_makes_vtype_invalid(void **state)
{
	static const uint64_t zero[33];
	uint64_t vector[4 + 32 * 2] = {[3] = BIT64(63)};

	(void)state;
	machine_boot();
	spoil(m.v);
	axvmi_riscv_vcpu_reset(&m.v->core, ENTRY, 0);
	assert_memory_equal(m.v->fp, zero, sizeof(zero));
	assert_memory_equal(m.v->vector, vector, sizeof(vector));
}

static void hart_ids_are_vcpu_indices(void **state)
{
	(void)state;
	m.config.cpu_num = AXVM_MAX_VCPUS;
	machine_init();
	for (uint32_t i = 0; i < AXVM_MAX_VCPUS; i++)
		assert_int_equal(riscv_vcpu(m.vm->vcpus[i])->hart_id, i);
}

/* ---- registers ---- */

static const uint32_t csrs[] = {
	0x100, 0x104, 0x105, 0x106, 0x10a, 0x140,
	0x141, 0x142, 0x143, 0x14d, 0x180,
};

static void every_register_is_its_own(void **state)
{
	(void)state;
	machine_init();
	set(AXVM_REG_PC, 1000);
	for (uint32_t i = 1; i < 32; i++)
		set(AXVM_REG_GPR(i), 2000 + i);
	for (uint32_t i = 0; i < ARRAY_SIZE(csrs); i++)
		set(CSR(csrs[i]), 3000 + i);
	assert_int_equal(get(AXVM_REG_PC), 1000);
	for (uint32_t i = 1; i < 32; i++)
		assert_int_equal(get(AXVM_REG_GPR(i)), 2000 + i);
	for (uint32_t i = 0; i < ARRAY_SIZE(csrs); i++)
		assert_int_equal(get(CSR(csrs[i])), 3000 + i);
}

static void csrs_are_those_of_vs_mode(void **state)
{
	const struct riscv_vs_state *vs;

	(void)state;
	machine_init();
	for (uint32_t i = 0; i < ARRAY_SIZE(csrs); i++)
		set(CSR(csrs[i]), csrs[i]);
	vs = &m.v->vs;
	assert_int_equal(vs->vsstatus, 0x100);
	assert_int_equal(vs->vsie, 0x104);
	assert_int_equal(vs->vstvec, 0x105);
	assert_int_equal(vs->scounteren, 0x106);
	assert_int_equal(vs->senvcfg, 0x10a);
	assert_int_equal(vs->vsscratch, 0x140);
	assert_int_equal(vs->vsepc, 0x141);
	assert_int_equal(vs->vscause, 0x142);
	assert_int_equal(vs->vstval, 0x143);
	assert_int_equal(vs->vstimecmp, 0x14d);
	assert_int_equal(vs->vsatp, 0x180);
	assert_int_equal(vs->hvip, 0);
}

static void the_stack_pointer_is_x2(void **state)
{
	(void)state;
	machine_init();
	set(AXVM_REG_SP, 77);
	assert_int_equal(get(AXVM_REG_GPR(2)), 77);
	set(AXVM_REG_GPR(2), 78);
	assert_int_equal(get(AXVM_REG_SP), 78);
}

static void x0_cannot_be_written(void **state)
{
	(void)state;
	machine_init();
	set(AXVM_REG_GPR(0), 77);
	assert_int_equal(get(AXVM_REG_GPR(0)), 0);
	assert_int_equal(m.v->frame.x[0], 0);
}

static void registers_that_do_not_exist_are_refused(void **state)
{
	static const uint32_t regs[] = {
		2,	    0xff,	AXVM_REG_GPR(32), 0xffff,
		CSR(0),	    CSR(0x101), CSR(0x200),	  CSR(0x300),
		CSR(0x600), CSR(0xfff), CSR(0x1000),	  UINT32_MAX,
	};
	uint64_t value;

	(void)state;
	machine_init();
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		value = 55;
		assert_int_equal(axvm_vcpu_get_reg(m.vm, 0, regs[i], &value),
				 AXVM_ENOENT);
		assert_int_equal(value, 55);
		assert_int_equal(axvm_vcpu_set_reg(m.vm, 0, regs[i], 1),
				 AXVM_ENOENT);
	}
}

static void csrs_of_a_resident_vcpu_are_busy(void **state)
{
	uint64_t value = 55;

	(void)state;
	machine_boot();
	assert_int_equal(machine_play(), AXVM_EXIT_IRQ);
	for (size_t i = 0; i < ARRAY_SIZE(csrs); i++) {
		assert_int_equal(
			axvm_vcpu_get_reg(m.vm, 0, CSR(csrs[i]), &value),
			AXVM_EBUSY);
		assert_int_equal(axvm_vcpu_set_reg(m.vm, 0, CSR(csrs[i]), 1),
				 AXVM_EBUSY);
	}
	assert_int_equal(axvm_vcpu_get_reg(m.vm, 0, SIP, &value), AXVM_EBUSY);
	assert_int_equal(axvm_vcpu_set_reg(m.vm, 0, SIP, 2), AXVM_EBUSY);
	assert_int_equal(m.v->effects, 0);
	assert_int_equal(value, 55);
	assert_int_equal(axvm_vcpu_get_reg(m.vm, 0, CSR(0x101), &value),
			 AXVM_ENOENT);
	assert_int_equal(axvm_cpu_release(m.cpu), AXVM_OK);
	set(CSR(CSR_STVEC), 0x4000);
	assert_int_equal(get(CSR(CSR_STVEC)), 0x4000);
}

static void general_registers_of_a_resident_vcpu_are_there(void **state)
{
	(void)state;
	machine_boot();
	assert_int_equal(machine_play(), AXVM_EXIT_IRQ);
	set(AXVM_REG_PC, RAM);
	set(AXVM_REG_GPR(31), 31);
	assert_int_equal(get(AXVM_REG_PC), RAM);
	assert_int_equal(get(AXVM_REG_GPR(31)), 31);
}

static void sip_shows_what_is_pending(void **state)
{
	(void)state;
	machine_boot();
	assert_int_equal(get(SIP), 0);
	m.v->vs.hvip = UINT64_MAX;
	assert_int_equal(get(SIP), 0x222);
	m.v->vs.hvip = RISCV_VSEIP;
	assert_int_equal(get(SIP), 0x200);
	/* What the models have changed and the hart has not heard of. */
	riscv_lower(m.v, RISCV_VSEIP);
	riscv_raise(m.v, RISCV_VSTIP);
	assert_int_equal(get(SIP), 0x20);
}

static void only_ssip_of_sip_can_be_written(void **state)
{
	(void)state;
	machine_boot();
	set(SIP, UINT64_MAX);
	assert_int_equal(get(SIP), 2);
	set(SIP, ~UINT64_C(2));
	assert_int_equal(get(SIP), 0);
	assert_int_equal(m.v->effects & RISCV_EFFECT_TRAP, 0);
}

static void a_written_ssip_reaches_the_hart(void **state)
{
	(void)state;
	machine_boot();
	set(SIP, 2);
	assert_int_equal(machine_play(), AXVM_EXIT_IRQ);
	assert_int_equal(m.v->vs.hvip & RISCV_VSSIP, RISCV_VSSIP);
	assert_int_equal(axvm_cpu_release(m.cpu), AXVM_OK);
	assert_int_equal(get(SIP), 2);
	set(SIP, 0);
	assert_int_equal(machine_play(), AXVM_EXIT_IRQ);
	assert_int_equal(m.v->vs.hvip & RISCV_VSSIP, 0);
}

static void the_timer_bit_of_sip_follows_stimecmp(void **state)
{
	(void)state;
	m.counter = 1000;
	machine_boot(); /* guest time is 0 now */
	set(CSR(CSR_STIMECMP), 50);
	m.v->timer = 0; /* not used with Sstc */
	m.counter = 1049;
	assert_int_equal(get(SIP), 0);
	m.counter = 1050;
	assert_int_equal(get(SIP), 0x20);
}

static void the_timer_bit_of_sip_follows_the_sbi_without_sstc(void **state)
{
	(void)state;
	m.features &= ~RISCV_FEATURE_SSTC;
	machine_boot();
	set(CSR(CSR_STIMECMP), 0);
	assert_int_equal(get(SIP), 0);
	m.v->timer = 50;
	assert_int_equal(get(SIP), 0);
	m.counter = 51;
	assert_int_equal(get(SIP), 0x20);
}

/* ---- tables ---- */

static uint64_t tree_[8192]; /* 64 KiB, aligned as libfdt wants it */
static char *const tree = (char *)tree_;

static void read_tree(void)
{
	assert_int_equal(axvm_read_guest(m.vm, axvm_to_gpa(m.vm->boot_argument),
					 tree, sizeof(tree_)),
			 AXVM_OK);
	assert_int_equal(fdt_check_full(tree, fdt_totalsize(tree)), 0);
}

static int node(const char *path)
{
	return fdt_path_offset(tree, path);
}

static const char *text(const char *path, const char *name)
{
	const char *value = fdt_getprop(tree, node(path), name, NULL);

	assert_non_null(value);
	return value;
}

static uint32_t cell(int at, const char *name, int index)
{
	int size;
	const fdt32_t *value = fdt_getprop(tree, at, name, &size);

	assert_non_null(value);
	assert_true(size >= 4 * (index + 1));
	return fdt32_to_cpu(value[index]);
}

static void tables_describe_harts_and_memory(void **state)
{
	(void)state;
	m.config.cpu_num = 3;
	m.config.kernel.cmdline = "console=ttyS0 quiet";
	machine_boot();
	read_tree();
	for (int i = 0; i < 3; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/cpus/cpu@%d", i);
		assert_int_equal(cell(node(path), "reg", 0), i);
		assert_string_equal(text(path, "mmu-type"), "riscv,sv48");
	}
	assert_true(node("/cpus/cpu@3") < 0);
	assert_int_equal(cell(node("/cpus"), "timebase-frequency", 0),
			 10000000);
	assert_string_equal(text("/chosen", "bootargs"), "console=ttyS0 quiet");
	assert_int_equal(cell(node("/memory@80000000"), "reg", 1), RAM);
	assert_int_equal(cell(node("/memory@80000000"), "reg", 3), RAM_SIZE);
	assert_null(
		fdt_getprop(tree, node("/chosen"), "linux,initrd-start", NULL));
}

static void tables_list_the_extensions_the_guest_may_use(void **state)
{
	static const struct {
		uint64_t features;
		const char *isa;
	} cases[] = {
		{0, "rv64imac_zicntr_zicsr_zifencei"},
		{RISCV_FEATURE_FP, "rv64imafdc_zicntr_zicsr_zifencei"},
		{RISCV_FEATURE_VECTOR, "rv64imacv_zicntr_zicsr_zifencei"},
		{RISCV_FEATURE_SSTC, "rv64imac_zicntr_zicsr_zifencei_sstc"},
		{RISCV_FEATURE_FP | RISCV_FEATURE_VECTOR | RISCV_FEATURE_SSTC,
		 "rv64imafdcv_zicntr_zicsr_zifencei_sstc"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		anew();
		m.features = cases[i].features | RISCV_FEATURE_SV39X4;
		machine_boot();
		read_tree();
		assert_string_equal(text("/cpus/cpu@0", "riscv,isa"),
				    cases[i].isa);
	}
}

static void tables_name_the_widest_translation(void **state)
{
	static const struct {
		uint64_t features;
		const char *mmu;
	} cases[] = {
		{RISCV_FEATURE_SV39X4, "riscv,sv39"},
		{RISCV_FEATURE_SV39X4 | RISCV_FEATURE_SV48X4, "riscv,sv48"},
		{ALL_MODES, "riscv,sv57"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		anew();
		m.features = cases[i].features;
		machine_boot();
		read_tree();
		assert_string_equal(text("/cpus/cpu@0", "mmu-type"),
				    cases[i].mmu);
	}
}

static void tables_describe_plic_and_uarts(void **state)
{
	int plic, uart;

	(void)state;
	machine_emu(AXVM_EMU_CONSOLE, UART, 0x100, 10);
	machine_emu(AXVM_EMU_PLIC, PLIC, PLIC_SIZE, 0);
	machine_emu(AXVM_EMU_CONSOLE, UART + 0x1000, 0x100, 11);
	machine_boot();
	read_tree();
	plic = fdt_node_offset_by_compatible(tree, -1, "sifive,plic-1.0.0");
	assert_true(plic > 0);
	assert_int_equal(cell(plic, "reg", 1), PLIC);
	assert_int_equal(cell(plic, "reg", 3), PLIC_SIZE);
	assert_int_equal(cell(plic, "riscv,ndev", 0), 1023);
	uart = fdt_node_offset_by_compatible(tree, -1, "ns16550a");
	assert_true(uart > 0);
	assert_int_equal(cell(uart, "reg", 1), UART);
	assert_int_equal(cell(uart, "interrupts", 0), 10);
	uart = fdt_node_offset_by_compatible(tree, uart, "ns16550a");
	assert_true(uart > 0);
	assert_int_equal(cell(uart, "reg", 1), UART + 0x1000);
	assert_int_equal(cell(uart, "interrupts", 0), 11);
	assert_true(fdt_node_offset_by_compatible(tree, uart, "ns16550a") < 0);
}

static void tables_without_a_plic_have_no_interrupts(void **state)
{
	int uart;

	(void)state;
	machine_emu(AXVM_EMU_CONSOLE, UART, 0x100, 10);
	machine_boot();
	read_tree();
	assert_true(fdt_node_offset_by_compatible(tree, -1,
						  "sifive,plic-1.0.0") < 0);
	uart = fdt_node_offset_by_compatible(tree, -1, "ns16550a");
	assert_true(uart > 0);
	assert_null(fdt_getprop(tree, uart, "interrupts", NULL));
}

static void tables_describe_the_pool_of_channels(void **state)
{
	int pool;

	(void)state;
	machine_emu(AXVM_EMU_PLIC, PLIC, PLIC_SIZE, 0);
	machine_emu(AXVM_EMU_IVC_POOL, 0x60000000, 0x10000, 20);
	machine_boot();
	read_tree();
	pool = fdt_node_offset_by_compatible(tree, -1, "axvm,ivc");
	assert_int_equal(pool, node("/soc/ivc@60000000"));
	assert_int_equal(cell(pool, "reg", 1), 0x60000000);
	assert_int_equal(cell(pool, "reg", 3), 0x1000);
	assert_int_equal(cell(pool, "reg", 5), 0x60001000);
	assert_int_equal(cell(pool, "reg", 7), 0xf000);
	assert_int_equal(cell(pool, "interrupts", 0), 20);
}

static void tables_describe_a_pool_of_one_page(void **state)
{
	int pool, size;

	(void)state;
	machine_emu(AXVM_EMU_PLIC, PLIC, PLIC_SIZE, 0);
	machine_emu(AXVM_EMU_IVC_POOL, 0x60000000, 0x1000, 0);
	machine_boot();
	read_tree();
	pool = node("/soc/ivc@60000000");
	assert_int_equal(cell(pool, "reg", 3), 0x1000);
	assert_non_null(fdt_getprop(tree, pool, "reg", &size));
	assert_int_equal(size, 16);
	assert_null(fdt_getprop(tree, pool, "interrupts", NULL));
}

static void tables_say_where_the_initrd_is(void **state)
{
	static const char data[5000];
	struct axvm_image image = {data, sizeof(data), {RAM + 0x8000}};
	int chosen;

	(void)state;
	machine_create();
	assert_int_equal(axvm_add_image(m.vm, AXVM_IMAGE_RAMDISK, &image),
			 AXVM_OK);
	assert_int_equal(axvm_init(m.vm), AXVM_OK);
	assert_int_equal(axvm_boot(m.vm), AXVM_OK);
	read_tree();
	chosen = node("/chosen");
	assert_int_equal(cell(chosen, "linux,initrd-start", 1), RAM + 0x8000);
	assert_int_equal(cell(chosen, "linux,initrd-end", 1),
			 RAM + 0x8000 + sizeof(data));
}

static void tables_of_the_largest_vm_fit(void **state)
{
	(void)state;
	m.config.cpu_num = AXVM_MAX_VCPUS;
	machine_emu(AXVM_EMU_PLIC, PLIC, PLIC_SIZE, 0);
	for (uint64_t i = 0; i < 7; i++)
		machine_emu(AXVM_EMU_CONSOLE, UART + i * 0x1000, 0x100, 10);
	machine_boot();
	read_tree();
	assert_true(node("/cpus/cpu@3f") > 0);
}

static void tables_that_do_not_fit_are_refused(void **state)
{
	size_t used = 55;

	(void)state;
	machine_init();
	assert_int_equal(axvmi_riscv_write_tables(m.vm, tree, 256, &used),
			 AXVM_ENOSPC);
	assert_int_equal(used, 55);
	assert_int_equal(
		axvmi_riscv_write_tables(m.vm, tree, sizeof(tree_), &used),
		AXVM_OK);
	assert_int_equal(used, fdt_totalsize(tree));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_narrowest_format_that_is_wide_enough_is_chosen),
		T(too_wide_a_space_has_no_format),
		T(formats_the_hart_lacks_are_passed_over),
		T(device_memory_has_its_type_where_svpbmt_exists),
		T(tag_bits_are_those_of_vmidlen),
		T(a_wide_configuration_makes_a_wide_vm),
		T(a_configuration_too_wide_for_the_harts_is_refused),
		T(hgatp_names_mode_and_root_without_a_tag),
		T(a_vm_without_a_plic_has_none),
		T(an_interrupt_controller_is_a_plic),
		T(a_plic_is_a_plic),
		T(a_second_interrupt_controller_is_refused),
		T(devices_of_other_machines_do_not_exist_here),
		T(contexts_beyond_the_plic_window_do_not_exist),
		T(reset_brings_the_plic_to_power_on),
		T(a_device_in_the_way_of_the_plic_fails_init),
		T(an_init_that_fails_late_takes_the_plic_out_again),
		T(a_late_failure_without_a_plic_is_undone_too),
		T(init_short_of_memory_leaves_nothing),
		T(init_short_of_memory_without_fp_leaves_nothing),
		T(init_short_of_memory_without_vectors_leaves_nothing),
		T(init_works_after_it_ran_out_of_memory),
		T(areas_exist_for_what_the_harts_have),
		T(the_vector_area_grows_with_vlenb),
		T(the_boot_vcpu_starts_as_firmware_would_start_it),
		T(reset_leaves_nothing_of_the_life_before),
		T(reset_clears_fp_and_makes_vtype_invalid),
		T(hart_ids_are_vcpu_indices),
		T(every_register_is_its_own),
		T(csrs_are_those_of_vs_mode),
		T(the_stack_pointer_is_x2),
		T(x0_cannot_be_written),
		T(registers_that_do_not_exist_are_refused),
		T(csrs_of_a_resident_vcpu_are_busy),
		T(general_registers_of_a_resident_vcpu_are_there),
		T(sip_shows_what_is_pending),
		T(only_ssip_of_sip_can_be_written),
		T(a_written_ssip_reaches_the_hart),
		T(the_timer_bit_of_sip_follows_stimecmp),
		T(the_timer_bit_of_sip_follows_the_sbi_without_sstc),
		T(tables_describe_harts_and_memory),
		T(tables_list_the_extensions_the_guest_may_use),
		T(tables_name_the_widest_translation),
		T(tables_describe_plic_and_uarts),
		T(tables_without_a_plic_have_no_interrupts),
		T(tables_describe_the_pool_of_channels),
		T(tables_describe_a_pool_of_one_page),
		T(tables_say_where_the_initrd_is),
		T(tables_of_the_largest_vm_fit),
		T(tables_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
