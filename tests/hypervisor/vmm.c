/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The virtual machines: made from the bundle's files, run, answered when they
 * exit, started again when they reset, and taken apart. The table is filled
 * before the scheduler starts; what changes later is atomic.
 */
#include <stdatomic.h>

#include "heap.h"
#include "host.h"

#define MAX_UARTS 4u

enum outcome {
	VM_RUNNING,
	VM_POWERED_OFF,
	VM_RESET,
	VM_FAILED
};

struct vm {
	struct axvm_vm *handle;
	struct task *tasks; /* one per vCPU */
	uint32_t number; /* as in the bundle, from 1 */
	uint32_t reboots_left;
	uint32_t uart_count;
	atomic_uint outcome; /* enum outcome */
	atomic_uint alive; /* vCPUs that have not stopped */
	struct axvm_uart16550 uarts[MAX_UARTS];
	struct axvm_config_storage config;
};

static struct blob archive;
static struct vm *vms[MAX_VMS];
static uint32_t vm_count;
static atomic_uint running;
static uint64_t booted_at;

/* ---- reading ---- */

static bool find(const struct vm *vm, const char *name, struct blob *file)
{
	char path[64];

	format_text(path, sizeof(path), "vm%u/%s", vm->number, name);
	return bundle_find(archive, path, file);
}

static void must_config(const struct vm *vm, int error,
			const struct axvm_config_error *why)
{
	if (error != AXVM_OK)
		panic("vm%u: config.toml line %u: %s: %s (%s)", vm->number,
		      why->line, why->field, why->reason,
		      axvm_error_name(error));
}

/* Frames that the configuration names do not belong to the heap meanwhile. */
static void claim_memory(const struct vm *vm, bool claim)
{
	const struct axvm_vm_config *config = &vm->config.config;

	for (uint32_t i = 0; i < config->region_count; i++) {
		const struct axvm_region_config *r = &config->regions[i];
		uint64_t start = r->kind == AXVM_REGION_HOST ? r->hpa.value
							     : r->gpa.value;

		if (r->kind == AXVM_REGION_ALLOC ||
		    r->kind == AXVM_REGION_DEMAND)
			continue;
		if (!claim)
			heap_free((void *)(uintptr_t)start, r->size);
		else if (!heap_claim(start, r->size))
			panic("vm%u: memory at 0x%lx is not free", vm->number,
			      start);
	}
}

static bool load(struct vm *vm)
{
	struct axvm_config_error why = {0};
	struct blob text;

	if (!find(vm, "config.toml", &text))
		return false;
	must_config(
		vm,
		axvm_config_from_toml(text.data, text.size, &vm->config, &why),
		&why);
	claim_memory(vm, true);
	return true;
}

uint32_t vmm_load(struct blob bundle)
{
	struct vm *vm;

	archive = bundle;
	while (vm_count < MAX_VMS) {
		vm = heap_alloc(sizeof(*vm), PAGE_SIZE);
		if (vm == NULL)
			panic("no memory for a VM");
		memset(vm, 0, sizeof(*vm));
		vm->number = vm_count + 1;
		if (!load(vm)) {
			heap_free(vm, sizeof(*vm));
			break;
		}
		vms[vm_count++] = vm;
	}
	return vm_count;
}

/* ---- creation ---- */

/* The library copies at init and at each reset: the bundle stays in place. */
static void add_images(struct vm *vm)
{
	static const struct {
		const char *name;
		enum axvm_image_kind kind;
	} files[] = {
		{"kernel", AXVM_IMAGE_KERNEL},
		{"initrd", AXVM_IMAGE_RAMDISK},
		{"dtb", AXVM_IMAGE_DTB},
	};
	struct blob file;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct axvm_image image = {0};

		if (!find(vm, files[i].name, &file))
			continue;
		image.data = file.data;
		image.size = file.size;
		must(files[i].name,
		     axvm_add_image(vm->handle, files[i].kind, &image));
	}
}

/* Who gets console input: the first VM that still runs. */
static struct vm *console_vm(void)
{
	for (uint32_t i = 0; i < vm_count; i++) {
		if (vms[i]->outcome == VM_RUNNING)
			return vms[i];
	}
	return NULL;
}

static bool debug_write(void *ctx, uint8_t byte)
{
	const struct vm *vm = ctx;

	console_write(vm->number, &(char){(char)byte}, 1);
	return true;
}

static int debug_read(void *ctx)
{
	return console_vm() == ctx ? console_read() : -1;
}

/* With the UART's lock held, inside run. */
static void uart_transmit(void *ctx, uint8_t byte)
{
	debug_write(ctx, byte);
}

static void add_uart(struct vm *vm, const struct axvm_emu_device_config *device)
{
	const struct axvm_uart16550_config wiring = {
		.size = sizeof(wiring),
		.bus = axvm_emu_device_uses_ports(device) ? AXVM_BUS_PORT
							  : AXVM_BUS_MMIO,
		.base = device->gpa.value,
		.line = device->irq,
		.transmit = uart_transmit,
		.ctx = vm,
	};
	struct axvm_uart16550 *uart = &vm->uarts[vm->uart_count++];

	must("axvm_uart16550_init",
	     axvm_uart16550_init(uart, vm->handle, &wiring));
	must("axvm_add_device", axvm_add_device(vm->handle, &uart->device));
}

/* UARTs, and the firmware's console: it gets input where there is no UART. */
static void add_consoles(struct vm *vm)
{
	const struct axvm_vm_config *config = &vm->config.config;
	struct axvm_debug_console firmware = {.ctx = vm, .write = debug_write};

	for (uint32_t i = 0; i < config->emu_device_count; i++) {
		if (config->emu_devices[i].type == AXVM_EMU_CONSOLE &&
		    vm->uart_count < MAX_UARTS)
			add_uart(vm, &config->emu_devices[i]);
	}
	if (vm->uart_count == 0)
		firmware.read = debug_read;
	must("axvm_set_debug_console",
	     axvm_set_debug_console(vm->handle, &firmware));
}

static void create(struct axvm_host *host, struct vm *vm)
{
	struct axvm_vm_config *config = &vm->config.config;
	struct axvm_config_error why = {0};

	/* The bundle is the file system here: all is in memory. */
	config->kernel.image_location = AXVM_IMAGE_IN_MEMORY;
	must_config(vm, axvm_create(host, config, &why, &vm->handle), &why);
	axvm_vm_set_user(vm->handle, vm);
	add_images(vm);
	add_consoles(vm);
	must("axvm_init", axvm_init(vm->handle));
	vm->tasks = sched_add(vm, config->cpu_num);
}

/* All vCPUs go to the scheduler: those that are off say HALT and wait. */
static void boot(struct vm *vm)
{
	uint32_t vcpus = axvm_vm_vcpu_count(vm->handle);

	vm->outcome = VM_RUNNING;
	vm->alive = vcpus;
	must("axvm_boot", axvm_boot(vm->handle));
	for (uint32_t i = 0; i < vcpus; i++)
		sched_start(&vm->tasks[i]);
}

void vmm_start(struct axvm_host *host, uint32_t reboots)
{
	for (uint32_t i = 0; i < vm_count; i++) {
		vms[i]->reboots_left = reboots;
		create(host, vms[i]);
	}
	if (vm_count > 1)
		console_share();
	running = vm_count;
	booted_at = board_now();
	for (uint32_t i = 0; i < vm_count; i++)
		boot(vms[i]);
}

/* ---- running ---- */

/* May come on any CPU, inside its run. */
void vmm_wake(void *ctx, struct axvm_vm *handle, uint32_t vcpu)
{
	struct vm *vm = axvm_vm_user(handle);

	(void)ctx;
	sched_wake(&vm->tasks[vcpu]);
}

struct axvm_uart16550 *vmm_console(void)
{
	struct vm *vm = console_vm();

	return vm != NULL && vm->uart_count != 0 ? &vm->uarts[0] : NULL;
}

/* What ends a VM first is its outcome. */
static void set_outcome(struct vm *vm, enum outcome outcome)
{
	unsigned expected = VM_RUNNING;

	atomic_compare_exchange_strong(&vm->outcome, &expected, outcome);
}

/* Stops all its vCPUs, if they are not stopping already. */
static void fail(struct vm *vm)
{
	set_outcome(vm, VM_FAILED);
	if (axvm_vm_state(vm->handle) == AXVM_VM_RUNNING)
		(void)!axvm_shutdown(vm->handle);
}

static void print_exit(const struct vm *vm, const struct axvm_exit *exit)
{
	const uint64_t *raw = exit->raw;

	print("host: vm%u vcpu%u: %s pc %lx gpa %lx kind %lx "
	      "raw %lx %lx %lx %lx\n",
	      vm->number, exit->vcpu, axvm_exit_name(exit->reason), exit->pc,
	      exit->gpa, exit->u.fail_entry.code, raw[0], raw[1], raw[2],
	      raw[3]);
}

/*
 * After SYSTEM_OFF and SYSTEM_RESET the VM is stopping: every vCPU gets STOPPED
 * from its next run, also the one that asked.
 */
enum verdict vmm_run(struct axvm_cpu *cpu, struct vm *vm, uint32_t vcpu,
		     uint64_t *deadline)
{
	struct axvm_exit exit;
	int error = axvm_run_vcpu(cpu, vm->handle, vcpu, &exit);

	must("axvm_run_vcpu", error);
	switch (exit.reason) {
	case AXVM_EXIT_HALT:
		*deadline = exit.u.halt.deadline;
		return VCPU_WAITS;
	case AXVM_EXIT_STOPPED:
		return VCPU_STOPPED;
	case AXVM_EXIT_SYSTEM_OFF:
		/* A guest may say that it does so because it has failed. */
		if (exit.u.system.code != 0)
			print("host: vm%u failed\n", vm->number);
		set_outcome(vm, exit.u.system.code == 0 ? VM_POWERED_OFF
							: VM_FAILED);
		break;
	case AXVM_EXIT_SYSTEM_RESET:
		set_outcome(vm, VM_RESET);
		break;
	case AXVM_EXIT_FAULT:
	case AXVM_EXIT_FAIL_ENTRY:
		print_exit(vm, &exit);
		fail(vm);
		break;
	default:
		/* The library has a default for each, and a count. */
		break;
	}
	return VCPU_RUNS;
}

void vmm_unbind(struct axvm_cpu *cpu, struct vm *vm, uint32_t vcpu)
{
	must("axvm_vcpu_unbind", axvm_vcpu_unbind(cpu, vm->handle, vcpu));
}

/* In steps, so that this CPU's interrupts are not kept waiting. */
static void reset(struct vm *vm)
{
	int error;

	while ((error = axvm_reset(vm->handle)) == AXVM_EAGAIN)
		board_take_irqs();
	must("axvm_reset", error);
	boot(vm);
}

/* The last one out decides: no vCPU is inside or resident now. */
void vmm_stopped(struct vm *vm)
{
	if (atomic_fetch_sub(&vm->alive, 1) != 1)
		return;
	if (vm->outcome == VM_RESET && vm->reboots_left-- != 0)
		reset(vm);
	else if (atomic_fetch_sub(&running, 1) == 1)
		sched_stop();
}

/* ---- the end ---- */

static void print_counters(const struct vm *vm, uint32_t vcpu)
{
	struct axvm_vcpu_stats stats;

	must("axvm_vcpu_get_stats",
	     axvm_vcpu_get_stats(vm->handle, vcpu, &stats));
	for (uint32_t i = 0; i < AXVM_STATS; i++) {
		if (stats.exits[i] != 0)
			print("stats: vm%u vcpu%u exit %s %lu\n", vm->number,
			      vcpu, axvm_stat_name((enum axvm_stat)i),
			      stats.exits[i]);
	}
	for (uint32_t i = 0; i < AXVM_EXIT_REASONS; i++) {
		if (stats.returns[i] != 0)
			print("stats: vm%u vcpu%u return %s %lu\n", vm->number,
			      vcpu, axvm_exit_name(i), stats.returns[i]);
	}
}

void vmm_print_stats(void)
{
	uint64_t ran = board_now() - booted_at;

	for (uint32_t i = 0; i < vm_count; i++) {
		uint32_t vcpus = axvm_vm_vcpu_count(vms[i]->handle);

		for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++)
			print_counters(vms[i], vcpu);
	}
	print("stats: guests ran %lu ms\n", ran / 1000000);
}

bool vmm_finish(void)
{
	bool ok = true;

	for (uint32_t i = 0; i < vm_count; i++) {
		struct vm *vm = vms[i];
		int error;

		ok = ok && vm->outcome != VM_FAILED;
		while ((error = axvm_destroy(vm->handle)) == AXVM_EAGAIN)
			;
		must("axvm_destroy", error);
		claim_memory(vm, false);
		heap_free(vm, sizeof(*vm));
	}
	return ok;
}
