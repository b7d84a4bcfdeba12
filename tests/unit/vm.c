/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* vm.c: the life of a VM; every call in every state. */
#include "core_test.h"

static const struct stub_op nothing[] = {THE_END};
static const char payload[] = "\x13\0\0\0 payload";

static struct axvm_image image(void)
{
	return (struct axvm_image){.data = payload, .size = sizeof(payload)};
}

/* ---- the table of states ---- */

enum call {
	CALL_INIT,
	CALL_BOOT,
	CALL_SHUTDOWN,
	CALL_RESET,
	CALL_DESTROY,
	CALL_RUN,
	CALL_ADD_IMAGE,
	CALL_ADD_DEVICE,
	CALL_CONSOLE,
	CALL_IRQ,
	CALL_VCPU_IRQ,
	CALL_INJECT,
	CALL_GET_REG,
	CALL_READ,
	CALL_WRITE,
	CALL_QUERY,
	CALL_UNMAP,
	CALL_MAP,
	CALL_PROTECT,
	CALLS
};

/* What a call answers where it is allowed; an error of its own if the state
 * let it through. */
static const int allowed[CALLS] = {
	[CALL_DESTROY] = AXVM_OK,     [CALL_ADD_DEVICE] = AXVM_EINVAL,
	[CALL_UNMAP] = AXVM_ERANGE,   [CALL_MAP] = AXVM_ERANGE,
	[CALL_PROTECT] = AXVM_ERANGE,
};

#define S(state) (1u << AXVM_VM_##state)
#define LIVE (S(LOADED) | S(RUNNING) | S(STOPPING) | S(STOPPED))

/* In which states each is. */
static const unsigned allowed_in[CALLS] = {
	[CALL_INIT] = S(LOADING),
	[CALL_BOOT] = S(LOADED),
	[CALL_SHUTDOWN] = S(RUNNING),
	[CALL_RESET] = S(STOPPED),
	[CALL_DESTROY] = S(LOADING) | S(LOADED) | S(STOPPED),
	[CALL_RUN] = S(RUNNING) | S(STOPPING) | S(STOPPED),
	[CALL_ADD_IMAGE] = S(LOADING),
	[CALL_ADD_DEVICE] = S(LOADING),
	[CALL_CONSOLE] = S(LOADING),
	[CALL_IRQ] = LIVE,
	[CALL_VCPU_IRQ] = LIVE,
	[CALL_INJECT] = LIVE,
	[CALL_GET_REG] = LIVE,
	[CALL_READ] = LIVE,
	[CALL_WRITE] = LIVE,
	[CALL_QUERY] = LIVE,
	[CALL_UNMAP] = S(LOADED) | S(RUNNING) | S(STOPPING),
	[CALL_MAP] = S(LOADED) | S(RUNNING) | S(STOPPING),
	[CALL_PROTECT] = S(LOADED) | S(RUNNING) | S(STOPPING),
};

static int call_life(struct axvm_vm *vm, enum call call)
{
	struct axvm_image img = image();
	struct axvm_device device = {0};

	switch (call) {
	case CALL_INIT:
		return axvm_init(vm);
	case CALL_BOOT:
		return axvm_boot(vm);
	case CALL_SHUTDOWN:
		return axvm_shutdown(vm);
	case CALL_RESET:
		return axvm_reset(vm);
	case CALL_DESTROY:
		return axvm_destroy(vm);
	case CALL_RUN:
		return stub_run(m, 0, vm, 0, left);
	case CALL_ADD_IMAGE:
		return axvm_add_image(vm, AXVM_IMAGE_KERNEL, &img);
	case CALL_ADD_DEVICE:
		return axvm_add_device(vm, &device);
	default:
		return axvm_set_debug_console(vm, NULL);
	}
}

static int call(struct axvm_vm *vm, enum call call)
{
	struct axvm_gpa gpa = axvm_to_gpa(RAM);
	struct axvm_gpa hole = axvm_to_gpa(NOWHERE);
	struct axvm_mapping mapping;
	uint64_t value = 0;

	switch (call) {
	case CALL_IRQ:
		return axvm_irq_set(vm, 1, true);
	case CALL_VCPU_IRQ:
		return axvm_vcpu_irq_set(vm, 0, 1, true);
	case CALL_INJECT:
		return axvm_inject(vm, 0, 1);
	case CALL_GET_REG:
		return axvm_vcpu_get_reg(vm, 0, AXVM_REG_PC, &value);
	case CALL_READ:
		return axvm_read_guest(vm, gpa, &value, sizeof(value));
	case CALL_WRITE:
		return axvm_write_guest(vm, gpa, &value, sizeof(value));
	case CALL_QUERY:
		return axvm_query(vm, gpa, &mapping);
	case CALL_UNMAP:
		return axvm_unmap(vm, hole, PAGE);
	case CALL_MAP:
		return axvm_map(vm, hole, axvm_to_hpa(0), PAGE, AXVM_READ);
	case CALL_PROTECT:
		return axvm_protect(vm, hole, PAGE, AXVM_READ);
	default:
		return call_life(vm, call);
	}
}

/* A VM in a state; STOPPING is held by a resident vCPU. */
static struct axvm_vm *vm_in(enum axvm_vm_state state)
{
	struct axvm_vm *vm = created();

	if (state == AXVM_VM_LOADING)
		return vm;
	assert_int_equal(axvm_init(vm), AXVM_OK);
	if (state == AXVM_VM_LOADED)
		return vm;
	stub_program(vm, 0, nothing);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	if (state == AXVM_VM_RUNNING)
		return vm;
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	if (state == AXVM_VM_STOPPED)
		assert_int_equal(run(vm), AXVM_EXIT_STOPPED);
	return vm;
}

static void check_call(enum axvm_vm_state state, enum call c)
{
	struct axvm_vm *vm = vm_in(state);
	int expected = allowed[c];
	int err;

	assert_int_equal(axvm_vm_state(vm), state);
	if ((allowed_in[c] & 1u << state) == 0)
		expected = c == CALL_DESTROY ? AXVM_EBUSY : AXVM_ESTATE;
	err = call(vm, c);
	if (err != expected)
		fail_msg("call %d in %s: %s, not %s", (int)c,
			 axvm_vm_state_name(state), axvm_error_name(err),
			 axvm_error_name(expected));
	if (expected == AXVM_ESTATE || expected == AXVM_EBUSY)
		assert_int_equal(axvm_vm_state(vm), state);
	if (c != CALL_DESTROY || expected != AXVM_OK)
		end(vm);
}

static void every_call_in_every_state_follows_the_table(void **state)
{
	static const enum axvm_vm_state states[] = {
		AXVM_VM_LOADING, AXVM_VM_LOADED, AXVM_VM_RUNNING,
		AXVM_VM_STOPPING, AXVM_VM_STOPPED};

	(void)state;
	regions[0].size = KIB(64);
	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		for (int c = 0; c < CALLS; c++)
			check_call(states[i], (enum call)c);
	}
	no_violation();
}

static void null_is_refused_by_every_call(void **state)
{
	(void)state;
	assert_int_equal(axvm_init(NULL), AXVM_EINVAL);
	assert_int_equal(axvm_boot(NULL), AXVM_EINVAL);
	assert_int_equal(axvm_shutdown(NULL), AXVM_EINVAL);
	assert_int_equal(axvm_reset(NULL), AXVM_EINVAL);
	assert_int_equal(axvm_destroy(NULL), AXVM_EINVAL);
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(axvm_vm_state_name(AXVM_VM_LOADING), "Loading");
	assert_string_equal(axvm_vm_state_name(AXVM_VM_SUSPENDED), "Suspended");
	assert_string_equal(axvm_vm_state_name(AXVM_VM_STOPPED), "Stopped");
	assert_string_equal(axvm_vm_state_name((enum axvm_vm_state)6),
			    "unknown");
}

/* ---- create ---- */

static void create_keeps_what_the_configuration_says(void **state)
{
	struct axvm_vm *vm;
	int mine;

	(void)state;
	config.id = 77;
	config.name = "seventy-seven";
	config.cpu_num = 3;
	vm = created();
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADING);
	assert_int_equal(axvm_vm_id(vm), 77);
	assert_ptr_not_equal(axvm_vm_get_config(vm), &config);
	assert_ptr_not_equal(axvm_vm_get_config(vm)->regions, regions);
	assert_memory_equal(axvm_vm_get_config(vm)->regions, regions,
			    sizeof(regions[0]));
	assert_string_equal(axvm_vm_name(vm), "seventy-seven");
	assert_int_equal(axvm_vm_vcpu_count(vm), 3);
	assert_null(axvm_vm_user(vm));
	axvm_vm_set_user(vm, &mine);
	assert_ptr_equal(axvm_vm_user(vm), &mine);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_OFF);
	destroy(vm);
}

static void create_refuses_bad_arguments(void **state)
{
	struct axvm_config_error error;
	struct axvm_vm *vm = NULL;
	struct axvm_host *host = stub_get_host(m);

	(void)state;
	assert_int_equal(axvm_create(NULL, &config, NULL, &vm), AXVM_EINVAL);
	assert_int_equal(axvm_create(host, NULL, NULL, &vm), AXVM_EINVAL);
	assert_int_equal(axvm_create(host, &config, NULL, NULL), AXVM_EINVAL);
	config.cpu_num = 0;
	assert_int_equal(axvm_create(host, &config, &error, &vm), AXVM_ERANGE);
	assert_string_equal(error.field, "base.cpu_num");
	assert_null(vm);
}

static void a_device_the_machine_lacks_is_refused_by_name(void **state)
{
	struct axvm_config_error error;
	struct axvm_vm *vm = NULL;

	(void)state;
	add_pic();
	emus[1] = emus[0];
	emus[1].gpa.value += 0x10000;
	emus[1].type = AXVM_EMU_GITS;
	config.emu_device_count = 2;
	assert_int_equal(axvm_create(stub_get_host(m), &config, &error, &vm),
			 AXVM_ENOTSUP);
	assert_string_equal(error.field, "devices.emu_devices");
	assert_int_equal(error.index, 1);
	assert_int_equal(axvm_create(stub_get_host(m), &config, NULL, &vm),
			 AXVM_ENOTSUP);
	assert_null(vm);
}

static void create_wants_a_cpu(void **state)
{
	static const struct stub_config c = {.cpus = 1};
	struct axvm_vm *vm;

	(void)state;
	m = stub_new_bare(&c);
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(axvm_create(stub_get_host(m), &config, NULL, &vm),
			 AXVM_ESTATE);
}

static void a_space_wider_than_the_cpu_translates_is_refused(void **state)
{
	static const struct stub_config narrow = {.format = STUB_SV39X4};
	static const struct stub_config wide = {.format = STUB_SV48X4};
	struct axvm_vm *vm;

	(void)state;
	/* Sv39x4 has 41 bits. */
	add_region((UINT64_C(1) << 41) - PAGE, PAGE, AXVM_REGION_ALLOC);
	m = stub_new(&narrow);
	end(loaded());
	regions[1].size = 2 * PAGE;
	assert_int_equal(axvm_create(stub_get_host(m), &config, NULL, &vm),
			 AXVM_ERANGE);
	assert_true(stub_delete(m));
	m = stub_new(&wide);
	end(loaded());
}

static void a_device_beyond_the_space_is_refused(void **state)
{
	static const struct stub_config narrow = {.format = STUB_SV39X4};
	struct axvm_vm *vm;

	(void)state;
	add_pic();
	emus[0].gpa.value = UINT64_C(1) << 41;
	m = stub_new(&narrow);
	assert_int_equal(axvm_create(stub_get_host(m), &config, NULL, &vm),
			 AXVM_ERANGE);
}

static int try_create(void *arg)
{
	return axvm_create(stub_get_host(m), &config, NULL, arg);
}

static void undo_create(void *arg)
{
	destroy(*(struct axvm_vm **)arg);
}

static void create_without_memory_changes_nothing(void **state)
{
	struct axvm_vm *vm = NULL;

	(void)state;
	assert_true(test_hal_sweep(stub_hal(m), AXVM_ENOMEM, try_create,
				   undo_create, &vm) >= 3);
	destroy(vm);
}

/* ---- init ---- */

static int try_init(void *arg)
{
	struct axvm_vm *vm = arg;
	int err = axvm_init(vm);

	if (err != AXVM_OK)
		assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADING);
	return err;
}

/* Everything init does: kinds of regions, devices, images, tables. */
static void init_without_memory_stays_in_loading(void **state)
{
	static const struct stub_config c = {.cpus = 1, .tag_bits = 14};
	struct axvm_image img = image();
	struct axvm_vm *vm;

	(void)state;
	m = stub_new(&c);
	regions[0].size = KIB(256);
	add_region(RAM + MIB(4), KIB(16), AXVM_REGION_DEMAND);
	add_region(RAM + MIB(8), KIB(8), AXVM_REGION_HOST)->hpa =
		test_hal_host_memory(stub_hal(m), KIB(8), PAGE);
	add_pic();
	config.cpu_num = 2;
	vm = created();
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_KERNEL, &img), AXVM_OK);
	img.gpa.value = RAM + MIB(4) + 0xff0;
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_RAW, &img), AXVM_OK);
	assert_true(sweep(try_init, vm) >= 15);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADED);
	stub_program(vm, 0, nothing);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	end(vm);
}

static enum axvm_access_result no_access(struct axvm_device *device,
					 struct axvm_device_access *access)
{
	(void)device;
	(void)access;
	return AXVM_ACCESS_DONE;
}

static const struct axvm_device_ops plain_ops = {.name = "plain",
						 .access = no_access};

static struct axvm_device plain_device(uint64_t base)
{
	return (struct axvm_device){
		.ops = &plain_ops,
		.range_count = 1,
		.ranges = {{.bus = AXVM_BUS_MMIO,
			    .base = base,
			    .size = 0x100,
			    .widths = 8}},
	};
}

static void init_finds_a_device_in_the_way_and_can_be_tried_again(void **state)
{
	struct axvm_device device = plain_device(PIC + 0x10);
	struct axvm_vm *vm;

	(void)state;
	add_pic();
	vm = created();
	assert_int_equal(axvm_add_device(vm, &device), AXVM_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(axvm_init(vm), AXVM_EEXIST);
		assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADING);
	}
	destroy(vm);
	/* The same with one in RAM. */
	device = plain_device(RAM + 0x1000);
	vm = created();
	(void)!axvm_add_device(vm, &device);
	if (device.vm != NULL)
		assert_int_equal(axvm_init(vm), AXVM_EEXIST);
	destroy(vm);
}

static void after_a_failed_init_images_can_still_be_added(void **state)
{
	struct axvm_image img = image();
	struct axvm_vm *vm = created();

	(void)state;
	test_hal_fail_at(stub_hal(m), 6);
	assert_int_equal(axvm_init(vm), AXVM_ENOMEM);
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_KERNEL, &img), AXVM_OK);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	destroy(vm);
}

static void a_vm_without_memory_regions_works(void **state)
{
	static const struct stub_op ops[] = {OP(READ, RAM, 0), THE_END};
	struct axvm_vm *vm;

	(void)state;
	empty_config();
	vm = running(ops);
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	stop(vm);
	reset(vm);
	end(vm);
}

/* ---- boot, shutdown, guest power ---- */

static void boot_starts_vcpu_0_at_the_entry(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	config.cpu_num = 2;
	config.kernel.entry.value = RAM + 0x4000;
	vm = running(nothing);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_RUNNING);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_READY);
	assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_OFF);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_ENTRY), RAM + 0x4000);
	end(vm);
}

static void shutdown_of_an_idle_vm_stops_at_once(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	assert_int_equal(run(vm), AXVM_EXIT_STOPPED);
	destroy(vm);
}

static void shutdown_waits_for_resident_vcpus(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPING);
	assert_int_equal(axvm_destroy(vm), AXVM_EBUSY);
	assert_true(test_hal_wakes(stub_hal(m), 0) >= 1);
	assert_int_equal(run(vm), AXVM_EXIT_STOPPED);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	assert_int_equal(stub_count(m, 0, STUB_PUTS), 1);
	no_violation();
	destroy(vm);
}

static void shutdown_from_inside(void *vm)
{
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPING);
}

static void shutdown_calls_a_running_vcpu_out(void **state)
{
	static const struct stub_op ops[] = {OP(SPIN, 0, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	stub_inside(vm, 0, shutdown_from_inside, vm);
	assert_int_equal(run(vm), AXVM_EXIT_STOPPED);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	assert_int_equal(run(vm), AXVM_EXIT_STOPPED);
	no_violation();
	destroy(vm);
}

static void the_guest_powers_off(void **state)
{
	static const struct stub_op ops[] = {OP(SYSTEM_OFF, 1, 2), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_SYSTEM_OFF);
	assert_int_equal(left->u.system.type, 1);
	assert_int_equal(left->u.system.code, 2);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	destroy(vm);
}

static void powering_off_a_vm_that_stops_already_is_a_stop(void **state)
{
	static const struct stub_op ops[] = {OP(SYSTEM_OFF, 1, 2), THE_END};
	/* No kick, so that the guest wins the race. */
	static const struct stub_config c = {.cpus = 1, .no_kick = true};
	struct axvm_vm *vm;

	(void)state;
	m = stub_new(&c);
	vm = running(ops);
	stub_inside(vm, 0, shutdown_from_inside, vm);
	assert_int_equal(run(vm), AXVM_EXIT_STOPPED);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	destroy(vm);
}

static void others_stop_when_one_vcpu_powers_off(void **state)
{
	static const struct stub_op first[] = {OP(CPU_ON, 1, RAM),
					       OP(SPIN, 1, 0),
					       OP(SYSTEM_RESET, 0, 0), THE_END};
	static const struct stub_op second[] = {OP(WFI, 0, 0), THE_END};
	struct axvm_vm *vm;

	(void)state;
	config.cpu_num = 2;
	vm = loaded();
	stub_program(vm, 0, first);
	stub_program(vm, 1, second);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_HALT);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_SYSTEM_RESET);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPING);
	assert_true(test_hal_wakes(stub_hal(m), 1) >= 2);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_STOPPED);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	no_violation();
	destroy(vm);
}

static void a_guest_that_only_does_mmio_can_be_stopped(void **state)
{
	static const struct stub_op ops[] = {OP(READ, NOWHERE, 0),
					     OP(JUMP, 0, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_STOPPED);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	destroy(vm);
}

/* ---- reset ---- */

static void a_vm_is_reset_and_booted_any_number_of_times(void **state)
{
	static const struct stub_op ops[] = {OP(READ, RAM + KIB(32), 0),
					     OP(EXPECT, 0, 0),
					     OP(WRITE, RAM + KIB(32), 7),
					     OP(CSR, 0, 3),
					     OP(WFI, 0, 0),
					     THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(run_on(i % 2, vm, 0), AXVM_EXIT_HALT);
		stop(vm);
		assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
		reset(vm);
		assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADED);
		assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_OFF);
		assert_int_equal(axvm_boot(vm), AXVM_OK);
		assert_int_equal(stub_reg(vm, 0, STUB_REG_CSR), 0);
	}
	no_violation();
	end(vm);
}

static void a_large_reset_goes_in_steps(void **state)
{
	struct axvm_vm *vm;
	unsigned steps = 0;

	(void)state;
	regions[0].size = MIB(16);
	vm = running(nothing);
	stop(vm);
	while (axvm_reset(vm) == AXVM_EAGAIN) {
		steps++;
		assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
		assert_int_equal(axvm_boot(vm), AXVM_ESTATE);
	}
	assert_in_range(steps, 3, 5);
	assert_int_equal(axvm_vm_state(vm), AXVM_VM_LOADED);
	end(vm);
}

static void a_reset_half_done_can_be_given_up(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	regions[0].size = MIB(16);
	add_region(RAM + MIB(32), MIB(4), AXVM_REGION_DEMAND);
	vm = running(nothing);
	stop(vm);
	assert_int_equal(axvm_reset(vm), AXVM_EAGAIN);
	destroy(vm);
}

static void reset_forgets_exits_kicks_and_starts(void **state)
{
	static const struct stub_op ops[] = {OP(CPU_ON, 1, RAM), THE_END};
	struct axvm_vm *vm;

	(void)state;
	config.cpu_num = 2;
	vm = running(ops);
	stub_program(vm, 1, nothing);
	assert_int_equal(run(vm), AXVM_EXIT_CPU_ON);
	assert_int_equal(axvm_vcpu_kick(vm, 0), AXVM_OK);
	assert_int_equal(axvm_vcpu_kick(vm, 1), AXVM_OK);
	stop(vm);
	reset(vm);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	/* Neither KICKED nor a start still on its way. */
	assert_int_equal(run(vm), AXVM_EXIT_CPU_ON);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(0)), 0);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void reset_keeps_levels_and_forgets_edges(void **state)
{
	static const struct stub_op ops[] = {OP(IRQS, 0, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(axvm_irq_set(vm, 2, true), AXVM_OK);
	assert_int_equal(axvm_inject(vm, 0, 3), AXVM_OK);
	stop(vm);
	reset(vm);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), 4);
	no_violation();
	end(vm);
}

static int try_reset(void *arg)
{
	struct axvm_vm *vm = arg;
	int err;

	do
		err = axvm_reset(vm);
	while (err == AXVM_EAGAIN);
	if (err != AXVM_OK)
		assert_int_equal(axvm_vm_state(vm), AXVM_VM_STOPPED);
	return err;
}

static void reset_without_memory_stays_stopped(void **state)
{
	static const struct stub_config c = {.cpus = 1, .tag_bits = 14};
	struct axvm_image img = image();
	struct axvm_vm *vm;

	(void)state;
	m = stub_new(&c);
	vm = created();
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_KERNEL, &img), AXVM_OK);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	stub_program(vm, 0, nothing);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	stop(vm);
	assert_true(sweep(try_reset, vm) >= 1);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	end(vm);
}

struct counting_device {
	struct axvm_device device;
	int resets, destroys;
};

static void count_reset(struct axvm_device *device)
{
	((struct counting_device *)device)->resets++;
}

static void count_destroy(struct axvm_device *device)
{
	((struct counting_device *)device)->destroys++;
}

static void devices_are_reset_and_destroyed_with_the_vm(void **state)
{
	static const struct axvm_device_ops ops = {
		.name = "counting",
		.access = no_access,
		.reset = count_reset,
		.destroy = count_destroy,
	};
	struct counting_device d = {.device = plain_device(NOWHERE)};
	struct axvm_vm *vm = created();

	(void)state;
	d.device.ops = &ops;
	assert_int_equal(axvm_add_device(vm, &d.device), AXVM_OK);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	stub_program(vm, 0, nothing);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	stop(vm);
	assert_int_equal(d.resets, 0);
	reset(vm);
	assert_int_equal(d.resets, 1);
	assert_int_equal(d.destroys, 0);
	destroy(vm);
	assert_int_equal(d.destroys, 1);
}

/* ---- destroy ---- */

static void destroy_gives_every_byte_back_from_every_state(void **state)
{
	size_t live = test_hal_live(stub_hal(m));
	uint64_t bytes = test_hal_live_bytes(stub_hal(m));
	static const enum axvm_vm_state states[] = {
		AXVM_VM_LOADING, AXVM_VM_LOADED, AXVM_VM_STOPPED};

	(void)state;
	add_region(RAM + MIB(64), MIB(4), AXVM_REGION_DEMAND);
	add_pic();
	config.cpu_num = 4;
	for (unsigned i = 0; i < 3; i++) {
		struct axvm_vm *vm = vm_in(states[i]);

		if (i != 0)
			for (uint64_t off = 0; off < MIB(4); off += PAGE * 8)
				assert_int_equal(
					axvm_write_guest(vm,
							 axvm_to_gpa(RAM +
								     MIB(64) +
								     off),
							 "x", 1),
					AXVM_OK);
		destroy(vm);
		assert_int_equal(test_hal_live(stub_hal(m)), live);
		assert_int_equal(test_hal_live_bytes(stub_hal(m)), bytes);
	}
}

static void destroy_goes_in_steps_and_nothing_else_is_allowed(void **state)
{
	struct axvm_image img = image();
	struct axvm_vm *vm;
	unsigned steps = 0;

	(void)state;
	add_region(RAM + MIB(64), MIB(16), AXVM_REGION_DEMAND);
	vm = loaded();
	for (uint64_t off = 0; off < MIB(8); off += PAGE)
		assert_int_equal(
			axvm_write_guest(vm, axvm_to_gpa(RAM + MIB(64) + off),
					 "x", 1),
			AXVM_OK);
	while (axvm_destroy(vm) == AXVM_EAGAIN) {
		steps++;
		assert_int_equal(axvm_boot(vm), AXVM_ESTATE);
		assert_int_equal(axvm_init(vm), AXVM_ESTATE);
		assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_KERNEL, &img),
				 AXVM_ESTATE);
	}
	assert_true(steps >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_call_in_every_state_follows_the_table),
		TEST(null_is_refused_by_every_call),
		TEST(states_have_names),
		TEST(create_keeps_what_the_configuration_says),
		TEST(create_refuses_bad_arguments),
		TEST(a_device_the_machine_lacks_is_refused_by_name),
		OWN(create_wants_a_cpu),
		OWN(a_space_wider_than_the_cpu_translates_is_refused),
		OWN(a_device_beyond_the_space_is_refused),
		TEST(create_without_memory_changes_nothing),
		OWN(init_without_memory_stays_in_loading),
		TEST(init_finds_a_device_in_the_way_and_can_be_tried_again),
		TEST(after_a_failed_init_images_can_still_be_added),
		TEST(a_vm_without_memory_regions_works),
		TEST(boot_starts_vcpu_0_at_the_entry),
		TEST(shutdown_of_an_idle_vm_stops_at_once),
		TEST(shutdown_waits_for_resident_vcpus),
		TEST(shutdown_calls_a_running_vcpu_out),
		TEST(the_guest_powers_off),
		OWN(powering_off_a_vm_that_stops_already_is_a_stop),
		TEST(others_stop_when_one_vcpu_powers_off),
		TEST(a_guest_that_only_does_mmio_can_be_stopped),
		TEST(a_vm_is_reset_and_booted_any_number_of_times),
		TEST(a_large_reset_goes_in_steps),
		TEST(a_reset_half_done_can_be_given_up),
		TEST(reset_forgets_exits_kicks_and_starts),
		TEST(reset_keeps_levels_and_forgets_edges),
		OWN(reset_without_memory_stays_stopped),
		TEST(devices_are_reset_and_destroyed_with_the_vm),
		TEST(destroy_gives_every_byte_back_from_every_state),
		TEST(destroy_goes_in_steps_and_nothing_else_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
