/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Out of memory in what an ARM machine allocates for: VM and vCPUs, vGIC,
 * devices, guest tables, pages that the guest touches. The k-th allocation fails,
 * alone or with all that follow, for every k; then nothing has changed, the same
 * call succeeds, and in the end every byte is back. The real vGIC and timers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MACHINE_REAL_VGIC
#include "arm_vhe_machine.h"

#define FEATURES                                \
	(MACHINE_FEATURES | ARM_FEATURE_PAUTH | \
	 FIELD_PUT(ARM_FEATURE_PREEMPTION_BITS, UINT64_C(5)))
#define CODE UINT64_C(0x80000000) /* DEMAND, RWX */
#define CODE_SIZE UINT64_C(0x20000) /* room for tables */
#define POOL UINT64_C(0x20000000)
#define VCPUS 3u
#define HOST_IRQ 77u
#define SPI 45u

#define DABT(iss) esr_make(EC_DABT_LOWER, iss)
#define TRANSLATION UINT64_C(0x07)

static struct axvm_passthrough_config passthrough;
static const char kernel[6000] = "as large as two pages";

static void unmask(void *ctx, uint32_t irq)
{
	(void)ctx;
	(void)irq;
}

/* Everything that a configuration can ask this backend for. */
static void configure(void)
{
	machine_new(FEATURES, VCPUS);
	machine_region(CODE, CODE_SIZE, AXVM_RWX, AXVM_REGION_DEMAND);
	machine_emu(AXVM_EMU_CONSOLE, UART, 0x1000, 33);
	machine_emu(AXVM_EMU_IVC_POOL, POOL, 0x10000, 40);
	m.config.name = "a machine";
	m.config.kernel.cmdline = "console=ttyAMA0";
	m.config.kernel.dtb_gpa.value = CODE;
	passthrough = (struct axvm_passthrough_config){
		.gpa = {HOLE},
		.hpa = {0x9000000},
		.size = 0x1000,
		.irq = HOST_IRQ,
		.dma = AXVM_DMA_TRUSTED,
	};
	m.config.passthrough = &passthrough;
	m.config.passthrough_count = 1;
	m.hal->hal.irq_unmask = unmask;
}

/* ---- what can be seen ---- */

struct seen {
	size_t live;
	uint64_t bytes;
	enum axvm_vm_state state;
	uint32_t devices, images;
	uint32_t ranges[AXVMI_BUSES];
	struct axvmi_space spaces[AXVMI_BUSES][16];
	bool vgic;
};

static void see(struct seen *s)
{
	memset(s, 0, sizeof(*s));
	s->live = test_hal_live(m.hal);
	s->bytes = test_hal_live_bytes(m.hal);
	if (m.vm == NULL)
		return;
	s->state = axvm_vm_state(m.vm);
	s->devices = m.vm->device_count;
	s->images = m.vm->image_count;
	s->vgic = arm_vm(m.vm)->vgic != NULL;
	for (uint32_t n = 0; n < AXVMI_BUSES; n++) {
		s->ranges[n] = m.vm->bus[n].count;
		machine_require(s->ranges[n] <= 16, "room for spaces");
		if (s->ranges[n] != 0)
			memcpy(s->spaces[n], m.vm->bus[n].entries,
			       s->ranges[n] * sizeof(s->spaces[n][0]));
	}
}

/* ---- calls ---- */

static int make(void)
{
	return axvm_create(m.host, &m.config, NULL, &m.vm);
}

static int init(void)
{
	int err;

	do
		err = axvm_init(m.vm);
	while (err == AXVM_EAGAIN);
	return err;
}

static int reset(void)
{
	int err;

	do
		err = axvm_reset(m.vm);
	while (err == AXVM_EAGAIN);
	return err;
}

static void with_host(void)
{
	machine_host();
}

static void created(void)
{
	const struct axvm_image image = {
		.data = kernel,
		.size = sizeof(kernel),
		.gpa = {DEMAND + 0x800},
	};

	machine_create();
	machine_require(axvm_add_image(m.vm, AXVM_IMAGE_RAW, &image) == AXVM_OK,
			"image");
}

static void stopped(void)
{
	created();
	machine_require(init() == AXVM_OK, "init");
	machine_require(axvm_boot(m.vm) == AXVM_OK, "boot");
	machine_require(axvm_shutdown(m.vm) == AXVM_OK, "shutdown");
	machine_require(axvm_vm_state(m.vm) == AXVM_VM_STOPPED, "stopped");
}

struct call {
	const char *name;
	void (*prepare)(void);
	int (*make)(void);
	unsigned least; /* allocations there are, at least */
	bool goes_on; /* a failed one is continued: only the state stays */
};

static const struct call calls[] = {
	{"axvm_create", with_host, make, 3, false},
	{"axvm_init", created, init, 25, false},
	{"axvm_reset", stopped, reset, 1, true},
};

static bool same(const struct call *call, const struct seen *a,
		 const struct seen *b)
{
	if (call->goes_on)
		return a->state == b->state;
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The machine works: its vGIC, its tables, its memory. */
static void use(void)
{
	machine_require(axvm_boot(m.vm) == AXVM_OK, "boot");
	m.v = arm_vcpu(m.vm->vcpus[0]);
	assert_int_equal(m.v->frame.x[0], CODE);
	m.v->el1[ARM_EL1_VBAR] = VECTORS;
	m.v->frame.x[0] = 0;
	machine_step(DABT(ISS_ISV | ISS_SF | FIELD_PUT(ISS_SAS, UINT64_C(2)) |
			  TRANSLATION),
		     GVA + GICD, GICD);
	assert_int_equal(m.exit.reason, AXVM_EXIT_IRQ);
	assert_int_equal(m.v->frame.x[0], 0x50); /* ARE, DS */
	assert_int_equal(axvm_irq_set(m.vm, SPI, true), AXVM_OK);
}

/* True: there was an allocation to fail. */
static bool attempt(const struct call *call, unsigned k, bool all_after)
{
	struct seen before, after;
	bool failed;
	int err;

	configure();
	call->prepare();
	see(&before);
	if (all_after)
		test_hal_fail_from(m.hal, k);
	else
		test_hal_fail_at(m.hal, k);
	err = call->make();
	failed = test_hal_failed(m.hal);
	if (err != AXVM_OK) {
		assert_true(failed);
		assert_int_equal(err, AXVM_ENOMEM);
		see(&after);
		if (!same(call, &before, &after))
			fail_msg("%s: allocation %u failed: %zu and %zu live",
				 call->name, k, before.live, after.live);
		assert_int_equal(call->make(), AXVM_OK);
	}
	if (axvm_vm_state(m.vm) == AXVM_VM_LOADED)
		use();
	assert_true(machine_delete());
	return failed;
}

static void every_call_without_memory_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		for (unsigned all_after = 0; all_after < 2; all_after++) {
			unsigned k = 1;

			while (attempt(&calls[i], k, all_after != 0))
				k++;
			if (k <= calls[i].least)
				fail_msg("%s: %u allocations", calls[i].name,
					 k - 1);
		}
	}
}

/* ---- the guest touches pages ---- */

/* What a guest can do to a page that is not there. */
static const struct touch {
	uint64_t ec;
	uint64_t iss;
	uint64_t gpa;
	uint32_t access;
} touches[] = {
	{EC_DABT_LOWER, ISS_ISV, DEMAND + 0x2010, AXVM_READ},
	{EC_DABT_LOWER, ISS_WNR, DEMAND + 0x2010, AXVM_WRITE},
	{EC_DABT_LOWER, ISS_CM | ISS_WNR, DEMAND + 0x2010, AXVM_READ},
	{EC_IABT_LOWER, 0, CODE + 0x2010, AXVM_EXEC},
	/* A walk: HPFAR alone says where, in whole pages. */
	{EC_DABT_LOWER, ISS_S1PTW, DEMAND + 0x2000, AXVM_READ},
	{EC_IABT_LOWER, ISS_S1PTW, CODE + 0x2000, AXVM_READ},
};

static bool touch_without_memory(const struct touch *t, unsigned k)
{
	uint64_t esr = esr_make(t->ec, t->iss | TRANSLATION);
	struct axvm_mapping mapping;
	struct seen before, after;
	struct arm_frame frame;
	bool failed;

	configure();
	m.emus[m.config.emu_device_count - 1].type = AXVM_EMU_DUMMY;
	m.config.kernel.dtb_gpa.value = 0;
	machine_boot();
	see(&before);
	m.v->frame.pc = ENTRY;
	frame = m.v->frame;
	test_hal_fail_from(m.hal, k);
	machine_step(esr, GVA + t->gpa, t->gpa);
	failed = test_hal_failed(m.hal);
	if (m.exit.reason == AXVM_EXIT_FAULT) {
		assert_true(failed);
		assert_int_equal(m.exit.u.fault.kind, AXVM_FAULT_NO_MEMORY);
		assert_int_equal(m.exit.u.fault.access, t->access);
		assert_int_equal(m.exit.gpa, t->gpa);
		see(&after);
		assert_memory_equal(&before, &after, sizeof(before));
		assert_memory_equal(&frame, &m.v->frame, sizeof(frame));
		assert_int_equal(
			axvm_query(m.vm, axvm_to_gpa(t->gpa), &mapping),
			AXVM_ENOENT);
		assert_int_equal(axvm_vcpu_complete(m.vm, 0, m.exit.seq,
						    AXVM_COMPLETE_RETRY, 0),
				 AXVM_OK);
		machine_step(esr, GVA + t->gpa, t->gpa);
	}
	assert_int_equal(m.exit.reason, AXVM_EXIT_IRQ);
	assert_int_equal(m.v->frame.pc, ENTRY);
	assert_int_equal(axvm_query(m.vm, axvm_to_gpa(t->gpa), &mapping),
			 AXVM_OK);
	assert_true(machine_delete());
	return failed;
}

static void a_page_without_memory_is_an_exit_and_comes_later(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(touches); i++) {
		unsigned k = 1;

		while (touch_without_memory(&touches[i], k))
			k++;
		/* A frame and a table at least. */
		assert_true(k > 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_without_memory_changes_nothing),
		cmocka_unit_test(
			a_page_without_memory_is_an_exit_and_comes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
