/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The virtual machines: made from the bundle's files, answered when they exit,
 * started again when they reset, and taken apart. The table is filled before
 * the scheduler starts; what changes later is atomic.
 */
#include "host.h"

struct vm {
	struct axvm_vm *handle;
	uint32_t number; /* as in the bundle, from 1 */
	uint32_t reboots;
	_Atomic enum outcome {
		VM_RUNNING,
		VM_OFF,
		VM_RESET,
		VM_FAILED
	} outcome;
	atomic_uint alive; /* vCPUs that have not stopped */
	struct uart uart;
	struct axvm_config_storage config;
};

static struct vm vms[MAX_VMS];
static uint32_t vm_count;
static atomic_uint running;

/* ---- consoles ---- */

static bool debug_write(void *ctx, uint8_t byte)
{
	console_write(((const struct vm *)ctx)->number, (char)byte);
	return true;
}

/* Not locked: a guest that reads on two CPUs at once spoils its own input. */
static int debug_read(void *ctx)
{
	return ctx == vms && console_input == NULL ? board_getc() : -1;
}

/* One UART, if it is configured, and the firmware's console. */
static void add_consoles(struct vm *vm)
{
	const struct axvm_debug_console firmware = {vm, debug_write,
						    debug_read};
	const struct axvm_emu_device_config *device =
		vm->config.config.emu_devices;

	MUST(axvm_set_debug_console(vm->handle, &firmware));
	for (uint32_t i = vm->config.config.emu_device_count; i != 0; i--) {
		if (device->type == AXVM_EMU_CONSOLE) {
			uart_add(&vm->uart, vm->number, vm->handle, device);
			if (vm == vms)
				console_input = &vm->uart;
			break;
		}
		device++;
	}
}

/* ---- creation ---- */

static bool find(const struct vm *vm, const char *name, struct blob *file)
{
	char path[16] = {'v', 'm', (char)('0' + vm->number), '/'};

	for (size_t i = 0; name[i] != '\0'; i++)
		path[4 + i] = name[i];
	return bundle_find(board.bundle, path, file);
}

/* The library copies at init and at each reset: the bundle stays in place. */
static void add_image(struct vm *vm, const char *name,
		      enum axvm_image_kind kind)
{
	struct blob file;

	if (find(vm, name, &file)) {
		const struct axvm_image image = {.data = file.data,
						 .size = file.size};

		MUST(axvm_add_image(vm->handle, kind, &image));
	}
}

/* The heap's frames are registers of no device. */
static void refuse_ram(const struct vm *vm, const char *what, uint32_t index,
		       uint64_t start, uint64_t size)
{
	for (const struct range *r = board.ram; r->size != 0; r++) {
		if (start - r->start < r->size || r->start - start < size)
			panic("vm%u: %s[%u] is RAM", vm->number, what, index);
	}
}

static void refuse_ram_behind_windows(const struct vm *vm)
{
	const struct axvm_vm_config *c = &vm->config.config;

	for (uint32_t i = 0; i < c->passthrough_count; i++)
		refuse_ram(vm, "passthrough_devices", i,
			   c->passthrough[i].hpa.value, c->passthrough[i].size);
	for (uint32_t i = 0; i < c->passthrough_address_count; i++)
		refuse_ram(vm, "passthrough_addresses", i,
			   c->passthrough_addresses[i].base,
			   c->passthrough_addresses[i].size);
}

/* Reads the configuration and creates the VM by it. The frames that HOST,
 * IDENTICAL and RESERVED regions name are the heap's: no such regions here. */
static void configure(struct axvm_host *host, struct vm *vm, struct blob text)
{
	struct axvm_vm_config *config = &vm->config.config;
	struct axvm_config_error why = {0};
	int error =
		axvm_config_from_toml(text.data, text.size, &vm->config, &why);

	/* The bundle is the file system here: all is in memory. */
	config->kernel.image_location = AXVM_IMAGE_IN_MEMORY;
	for (uint32_t i = 0; error == AXVM_OK && i < config->region_count;
	     i++) {
		if (config->regions[i].kind != AXVM_REGION_ALLOC &&
		    config->regions[i].kind != AXVM_REGION_DEMAND)
			panic("vm%u: memory_regions[%u] names memory of the "
			      "host",
			      vm->number, i);
	}
	if (error == AXVM_OK) {
		refuse_ram_behind_windows(vm);
		error = axvm_create(host, config, &why, &vm->handle);
	}
	if (error != AXVM_OK)
		panic("vm%u: config.toml line %u: %s: %s (%s)", vm->number,
		      why.line, why.field, why.reason, axvm_error_name(error));
}

/* Devices passed through may interrupt from now on. */
static void yield_spinning(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < axvm_vm_vcpu_count(vm); i++)
		MUST(axvm_vcpu_set_spin_yield(vm, i, true));
}

static void enable_irqs(const struct vm *vm)
{
	const struct axvm_vm_config *c = &vm->config.config;

	for (uint32_t i = 0; i < c->passthrough_count; i++) {
		uint32_t irq = c->passthrough[i].irq;

		if (irq != 0 && !board_enable_irq(irq))
			panic("vm%u: no interrupt %u", vm->number, irq);
	}
}

/* To the VM that has the device. One that none has any more stays masked. */
void host_irq(uint32_t irq)
{
	for (uint32_t i = 0; i < vm_count; i++) {
		if (axvm_irq_forward(vms[i].handle, irq) == AXVM_OK)
			return;
	}
}

/* Frames for its tables and demand pages, so that its faults allocate nothing. */
static void reserve(struct vm *vm)
{
	int error;

	while ((error = axvm_vm_reserve(vm->handle, option("reserve", 0))) ==
	       AXVM_EAGAIN)
		;
	must("axvm_vm_reserve", error);
}

/* All vCPUs go to the scheduler: those that are off say HALT and wait. */
static void boot(struct vm *vm)
{
	vm->outcome = VM_RUNNING;
	vm->alive = axvm_vm_vcpu_count(vm->handle);
	MUST(axvm_boot(vm->handle));
	sched_start(vm->handle);
}

void vm_start_all(struct axvm_host *host)
{
	struct blob text;
	int error;

	for (struct vm *vm = vms; vm < &vms[MAX_VMS]; vm++) {
		vm->number = vm_count + 1;
		if (!find(vm, "config.toml", &text))
			break;
		configure(host, vm, text);
		add_image(vm, "kernel", AXVM_IMAGE_KERNEL);
		add_image(vm, "initrd", AXVM_IMAGE_RAMDISK);
		add_image(vm, "dtb", AXVM_IMAGE_DTB);
		add_consoles(vm);
		while ((error = axvm_init(vm->handle)) == AXVM_EAGAIN)
			;
		must("axvm_init", error);
		reserve(vm);
		enable_irqs(vm);
		if (option("histograms", 0) != 0)
			stats_watch(vm->handle);
		if (option("spin-yield", 0) != 0)
			yield_spinning(vm->handle);
		sched_add(vm, vm->handle);
		shootdown_add(vm->handle);
		vm_count++;
	}
	if (vm_count == 0)
		panic("no vm1/config.toml in the bundle");
	console_shared = vm_count > 1;
	running = vm_count;
	for (uint32_t i = 0; i < vm_count; i++)
		boot(&vms[i]);
}

/* ---- running ---- */

#ifdef AXVM_BENCH_COUNT
extern uint64_t axvmi_bench_counts[2];

/* The guest of tests/bench asks what its exits have cost. */
static void tell_count(struct vm *vm, const struct axvm_exit *exit)
{
	uint64_t n = exit->u.hypercall.number - BENCH_COUNTS;

	if (n < 2)
		MUST(axvm_vcpu_complete(vm->handle, exit->vcpu, exit->seq,
					AXVM_COMPLETE_DONE,
					axvmi_bench_counts[n]));
}
#endif

/*
 * After SYSTEM_OFF and SYSTEM_RESET the VM is stopping: every vCPU gets STOPPED
 * from its next run, also the one that asked. For other exits the library has a
 * default, and a count.
 */
enum task_state vm_exit(struct vm *vm, const struct axvm_exit *exit)
{
	enum outcome before = VM_RUNNING, outcome = VM_RUNNING;

	switch (exit->reason) {
	case AXVM_EXIT_HALT:
	case AXVM_EXIT_SUSPENDED:
		return TASK_WAITING;
	case AXVM_EXIT_STOPPED:
		return TASK_STOPPED;
	case AXVM_EXIT_SYSTEM_OFF:
		/* A guest may say that it does so because it has failed. */
		outcome = exit->u.system.code == 0 ? VM_OFF : VM_FAILED;
		break;
	case AXVM_EXIT_SYSTEM_RESET:
		outcome = VM_RESET;
		break;
#ifdef AXVM_BENCH_COUNT
	case AXVM_EXIT_HYPERCALL:
		tell_count(vm, exit);
		break;
#endif
	case AXVM_EXIT_FAULT:
	case AXVM_EXIT_FAIL_ENTRY:
		if (shootdown_fault(vm->handle, exit))
			return TASK_RUNNING;
		print("host: vm%u vcpu%u: %s pc %lx gpa %lx raw %lx %lx\n",
		      vm->number, exit->vcpu, axvm_exit_name(exit->reason),
		      exit->pc, exit->gpa, exit->raw[0], exit->raw[1]);
		stats_dump(vm->number, vm->handle, exit->vcpu);
		outcome = VM_FAILED;
		/* It may be stopping already. */
		(void)!axvm_shutdown(vm->handle);
		break;
	}
	/* What ends a VM first is its outcome. */
	atomic_compare_exchange_strong(&vm->outcome, &before, outcome);
	return TASK_RUNNING;
}

/* The last one out decides: no vCPU is inside or resident now. */
void vm_vcpu_stopped(struct vm *vm)
{
	int error;

	if (atomic_fetch_sub(&vm->alive, 1) != 1)
		return;
	if (vm->outcome == VM_RESET && vm->reboots++ < option("reboots", 16)) {
		/* In steps, so that this CPU's interrupts do not wait long. */
		while ((error = axvm_reset(vm->handle)) == AXVM_EAGAIN)
			board_take_irqs();
		must("axvm_reset", error);
		boot(vm);
	} else if (atomic_fetch_sub(&running, 1) == 1) {
		sched_stop();
	}
}

/* ---- suspending ---- */

#define PAUSE_NS 1000000000u
#define BETWEEN_NS 40000000u

/* It may have stopped by itself: then this was the last time. */
static bool pause_or_go_on(bool paused)
{
	struct axvm_vm *vm = vms[0].handle;

	return (paused ? axvm_resume(vm) : axvm_suspend(vm)) == AXVM_OK;
}

uint64_t vm_pauses(uint64_t now)
{
	static uint64_t next;
	static uint32_t done;
	static bool paused;

	if (done == option("suspend", 0) || now < next)
		return next > now ? next : UINT64_MAX;
	if (!pause_or_go_on(paused)) {
		done = option("suspend", 0);
		return UINT64_MAX;
	}
	if (paused && ++done == option("suspend", 0))
		print("host: vm1 stood still %u times\n", done);
	paused = !paused;
	next = now + (paused ? PAUSE_NS : BETWEEN_NS);
	return next;
}

/* ---- the end ---- */

void vm_print_stats(void)
{
	for (struct vm *vm = vms; vm < &vms[vm_count]; vm++)
		stats_print(vm->number, vm->handle);
	print("stats: %lu ms since the start\n", board_now() / 1000000);
}

bool vm_destroy_all(void)
{
	bool ok = true;
	int error;

	for (struct vm *vm = vms; vm < &vms[vm_count]; vm++) {
		ok = ok && vm->outcome != VM_FAILED;
		while ((error = axvm_destroy(vm->handle)) == AXVM_EAGAIN)
			;
		must("axvm_destroy", error);
	}
	return ok;
}
