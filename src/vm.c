/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Life of a VM: the transition table and the calls that move along it. The
 * state is changed by compare-and-swap; vm->life serialises the long calls
 * (init, reset, destroy).
 */
#include "internal.h"

static const uint32_t transitions[] = {
	/* Bit n: the state may become state n. */
	[AXVM_VM_LOADING] = BIT64(AXVM_VM_LOADED),
	[AXVM_VM_LOADED] = BIT64(AXVM_VM_RUNNING),
	[AXVM_VM_RUNNING] = BIT64(AXVM_VM_SUSPENDED) | BIT64(AXVM_VM_STOPPING),
	[AXVM_VM_SUSPENDED] = BIT64(AXVM_VM_RUNNING) | BIT64(AXVM_VM_STOPPING),
	[AXVM_VM_STOPPING] = BIT64(AXVM_VM_STOPPED),
	[AXVM_VM_STOPPED] = BIT64(AXVM_VM_LOADED),
};

int axvmi_change_state(struct axvm_vm *vm, enum axvm_vm_state next)
{
	uint32_t state = load_seq(&vm->state);

	do {
		if ((transitions[state] & BIT64(next)) == 0)
			return AXVM_ESTATE;
	} while (!atomic_compare_exchange_strong(&vm->state, &state,
						 (uint32_t)next));
	return AXVM_OK;
}

enum axvm_vm_state axvm_vm_state(const struct axvm_vm *vm)
{
	return (enum axvm_vm_state)load_acquire(&vm->state);
}

const char *axvm_vm_state_name(enum axvm_vm_state state)
{
	static const char *const names[] = {
		"Loading",   "Loaded",	 "Running",
		"Suspended", "Stopping", "Stopped",
	};

	return (unsigned)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

uint64_t axvm_vm_id(const struct axvm_vm *vm)
{
	return vm->config.id;
}

const char *axvm_vm_name(const struct axvm_vm *vm)
{
	return vm->config.name;
}

const struct axvm_vm_config *axvm_vm_get_config(const struct axvm_vm *vm)
{
	return &vm->config;
}

uint32_t axvm_vm_vcpu_count(const struct axvm_vm *vm)
{
	return vm->vcpu_count;
}

void axvm_vm_set_user(struct axvm_vm *vm, void *user)
{
	vm->user = user;
}

void *axvm_vm_user(const struct axvm_vm *vm)
{
	return vm->user;
}

/* ---- create ---- */

/* Bits of the guest-physical space that the configuration uses. */
static unsigned space_bits(const struct axvm_vm_config *config)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < config->region_count; i++) {
		const struct axvm_region_config *r = &config->regions[i];

		last |= r->gpa.value + (r->size - 1);
	}
	for (uint32_t i = 0; i < config->emu_device_count; i++) {
		const struct axvm_emu_device_config *d =
			&config->emu_devices[i];

		if (d->size != 0)
			last |= d->gpa.value + (d->size - 1);
	}
	for (uint32_t i = 0; i < axvmi_window_count(config); i++) {
		struct axvmi_window w = axvmi_window_at(config, i);

		last |= w.gpa + w.last;
	}
	return last == 0 ? 1 : highest_bit64(last) + 1;
}

static size_t per_cpu_size(const struct axvm_host *host)
{
	return host->max_cpus * (sizeof(uint64_t) + sizeof(struct axvm_vcpu *));
}

static int per_cpu_init(struct axvm_vm *vm)
{
	void *block = axvmi_alloc_zeroed(vm->host, per_cpu_size(vm->host), 64);

	if (block == NULL)
		return AXVM_ENOMEM;
	vm->tlb_seen = block;
	vm->last_vcpu = (struct axvm_vcpu **)(void *)(vm->tlb_seen +
						      vm->host->max_cpus);
	/* tlb_seen 0 never equals a generation: the first load flushes. */
	store_relaxed(&vm->tlb_generation, 1);
	return AXVM_OK;
}

static void vm_free(struct axvm_vm *vm)
{
	struct axvm_host *host = vm->host;

	axvmi_bus_fini(vm);
	axvmi_free(host, vm->tlb_seen, per_cpu_size(host));
	axvmi_config_free(vm);
	axvmi_free(host, vm, vm->ops->vm_size);
}

/* What the configuration may say but this library or backend does not do. */
static int check_provided(const struct axvm_host *host,
			  const struct axvm_vm_config *config,
			  struct axvm_config_error *error)
{
	for (uint32_t i = 0; i < config->emu_device_count; i++) {
		uint32_t type = config->emu_devices[i].type;

		/* Pools are the core's, on every machine. */
		if (type != AXVM_EMU_IVC_POOL && !host->ops->emulates(type))
			return axvmi_refuse(error, AXVM_ENOTSUP, FIELD_EMU, i,
					    "this machine has no such device");
	}
	if (config->passthrough_port_count != 0)
		return axvmi_refuse(
			error, AXVM_ENOTSUP, FIELD_PORTS, 0,
			(host->ops->buses & BIT64(AXVM_BUS_PORT)) == 0
				? "this machine has no ports"
				: "ports cannot be passed through yet");
	return AXVM_OK;
}

/* What config.c cannot know: which interrupt lines this machine has. */
static int check_lines(const struct axvm_host *host,
		       const struct axvm_vm_config *config,
		       struct axvm_config_error *error)
{
	for (uint32_t i = 0; i < config->emu_device_count; i++) {
		const struct axvm_emu_device_config *d =
			&config->emu_devices[i];

		if (d->type == AXVM_EMU_IVC_POOL &&
		    !axvmi_ivc_lines_exist(host->ops, d))
			return axvmi_refuse(
				error, AXVM_EINVAL, FIELD_EMU, i,
				"the machine has no such interrupt line");
	}
	return AXVM_OK;
}

static int vm_build(struct axvm_vm *vm, const struct axvm_vm_config *config,
		    struct axvm_config_error *error)
{
	int err = axvmi_config_copy(vm, config);

	if (err != AXVM_OK)
		return err;
	vm->vcpu_count = config->cpu_num;
	err = per_cpu_init(vm);
	if (err != AXVM_OK)
		return err;
	err = vm->ops->s2_format(vm->host, space_bits(config), &vm->format);
	if (err != AXVM_OK)
		return err;
	err = axvmi_forward_init(vm, error);
	if (err != AXVM_OK)
		return err;
	err = axvmi_passthrough_claim(vm, error);
	if (err != AXVM_OK)
		return err;
	return axvmi_host_link(vm->host, vm, error);
}

int axvm_create(struct axvm_host *host, const struct axvm_vm_config *config,
		struct axvm_config_error *error, struct axvm_vm **vm)
{
	struct axvm_vm *v;
	int err;

	if (host == NULL || vm == NULL)
		return AXVM_EINVAL;
	if (load_acquire(&host->enabled_cpus) == 0)
		return AXVM_ESTATE;
	err = axvm_config_check(config, error);
	if (err == AXVM_OK)
		err = check_provided(host, config, error);
	if (err == AXVM_OK)
		err = check_lines(host, config, error);
	if (err != AXVM_OK)
		return err;
	v = axvmi_alloc_zeroed(host, host->ops->vm_size, 64);
	if (v == NULL)
		return AXVM_ENOMEM;
	v->host = host;
	v->ops = host->ops;
	err = vm_build(v, config, error);
	if (err != AXVM_OK) {
		vm_free(v);
		return err;
	}
	*vm = v;
	return AXVM_OK;
}

/* ---- init ---- */

/*
 * Takes memory, not zeroed yet, and makes what uses it. Each part undoes itself
 * on failure; the ones before it are undone here.
 */
static int build(struct axvm_vm *vm)
{
	int err = axvmi_memory_init(vm);

	if (err != AXVM_OK)
		return err;
	err = axvmi_passthrough_map(vm);
	if (err != AXVM_OK)
		goto no_vcpus;
	err = axvmi_vcpus_init(vm);
	if (err != AXVM_OK)
		goto no_vcpus;
	err = vm->ops->vm_init(vm);
	if (err != AXVM_OK)
		goto no_arch;
	return AXVM_OK;
no_arch:
	axvmi_vcpus_fini(vm);
no_vcpus:
	axvmi_memory_fini(vm);
	return err;
}

static void unbuild(struct axvm_vm *vm)
{
	vm->ops->vm_fini(vm);
	axvmi_vcpus_fini(vm);
	axvmi_memory_fini(vm);
}

/* The rest at once: from the first of it on, other VMs may be concerned. */
static int load(struct axvm_vm *vm)
{
	int err = axvmi_ivc_init(vm);

	if (err != AXVM_OK)
		return err;
	axvmi_lines_reset(vm);
	err = axvmi_ivc_start(vm);
	if (err != AXVM_OK)
		goto no_channels;
	err = axvmi_boot_load(vm);
	if (err == AXVM_OK)
		return axvmi_change_state(vm, AXVM_VM_LOADED);
	while (axvmi_ivc_stop(vm) != AXVM_OK)
		;
no_channels:
	axvmi_ivc_fini(vm);
	return err;
}

static int init_step(struct axvm_vm *vm)
{
	int err = vm->built ? AXVM_OK : build(vm);

	if (err != AXVM_OK)
		return err;
	vm->built = true;
	/* Zeroes, in bounded steps. */
	err = axvmi_memory_reset(vm);
	if (err == AXVM_EAGAIN)
		return err;
	if (err == AXVM_OK)
		err = load(vm);
	if (err != AXVM_OK) {
		unbuild(vm);
		vm->built = false;
	}
	return err;
}

int axvm_init(struct axvm_vm *vm)
{
	int err = AXVM_ESTATE;

	if (vm == NULL)
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	if (load_seq(&vm->state) == AXVM_VM_LOADING &&
	    load_relaxed(&vm->destroying) == 0)
		err = init_step(vm);
	spin_unlock(&vm->life);
	return err;
}

/* ---- boot, shutdown ---- */

int axvm_boot(struct axvm_vm *vm)
{
	int err = AXVM_ESTATE;

	if (vm == NULL)
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	if (load_seq(&vm->state) == AXVM_VM_LOADED &&
	    load_relaxed(&vm->destroying) == 0) {
		/* Guest time begins now. */
		store_relaxed(&vm->time_offset, 0 - vm->ops->counter());
		axvmi_vcpus_boot(vm);
		err = axvmi_change_state(vm, AXVM_VM_RUNNING);
	}
	spin_unlock(&vm->life);
	return err;
}

void axvmi_try_stopped(struct axvm_vm *vm)
{
	if (load_seq(&vm->state) != AXVM_VM_STOPPING)
		return;
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct axvm_vcpu *vcpu = vm->vcpus[i];

		if (load_seq(&vcpu->state) == AXVM_VCPU_RUNNING ||
		    load_seq(&vcpu->resident) != 0)
			return;
	}
	/* Somebody else may have been first: then it is done as well. */
	(void)axvmi_change_state(vm, AXVM_VM_STOPPED);
}

void axvmi_call_everybody(struct axvm_vm *vm, const struct axvm_vcpu *self)
{
	const struct axvm_hal *hal = &vm->host->hal;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i] == self)
			continue;
		axvmi_notify(vm->vcpus[i], AXVMI_ATTN_LIFE);
		if (hal->wake != NULL)
			hal->wake(hal->ctx, vm, i);
	}
}

int axvm_shutdown(struct axvm_vm *vm)
{
	int err;

	if (vm == NULL)
		return AXVM_EINVAL;
	err = axvmi_change_state(vm, AXVM_VM_STOPPING);
	if (err != AXVM_OK)
		return err;
	axvmi_call_everybody(vm, NULL);
	axvmi_try_stopped(vm);
	return AXVM_OK;
}

int axvmi_system_event(struct axvm_vcpu *vcpu, enum axvm_exit_reason reason,
		       uint64_t type, uint64_t code)
{
	/* Two vCPUs may ask at once: the second finds the VM stopping. */
	if (axvmi_change_state(vcpu->vm, AXVM_VM_STOPPING) != AXVM_OK)
		return AXVM_EXIT_STOPPED;
	vcpu->exit->u.system.type = type;
	vcpu->exit->u.system.code = code;
	axvmi_call_everybody(vcpu->vm, vcpu);
	return (int)reason;
}

/* ---- reset, destroy ---- */

static void devices_reset(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->device_count; i++) {
		struct axvm_device *device = vm->devices[i];

		if (device->ops->reset != NULL)
			device->ops->reset(device);
	}
}

static int reset_step(struct axvm_vm *vm)
{
	/* First of all: others must not reach into a VM that is being reset. */
	int err = axvmi_ivc_stop(vm);

	if (err == AXVM_OK)
		err = axvmi_memory_reset(vm);
	if (err != AXVM_OK)
		return err;
	axvmi_vcpus_reset(vm);
	axvmi_lines_reset(vm);
	vm->ops->vm_reset(vm);
	devices_reset(vm);
	axvmi_forward_reset(vm);
	err = axvmi_ivc_start(vm);
	if (err == AXVM_OK)
		err = axvmi_boot_load(vm);
	if (err != AXVM_OK)
		return err;
	return axvmi_change_state(vm, AXVM_VM_LOADED);
}

int axvm_reset(struct axvm_vm *vm)
{
	int err = AXVM_ESTATE;

	if (vm == NULL)
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	if (load_seq(&vm->state) == AXVM_VM_STOPPED &&
	    load_relaxed(&vm->destroying) == 0)
		err = reset_step(vm);
	spin_unlock(&vm->life);
	return err;
}

static void devices_destroy(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->device_count; i++) {
		struct axvm_device *device = vm->devices[i];

		if (device->ops->destroy != NULL)
			device->ops->destroy(device);
	}
	vm->device_count = 0;
}

/* Not built: only what axvm_create() made is there, and perhaps a reserve. */
static int destroy_step(struct axvm_vm *vm)
{
	/* First, so that nothing is kept any more. */
	if (axvmi_reserve_release(vm) != AXVM_OK)
		return AXVM_EAGAIN;
	if (vm->built) {
		if (axvmi_ivc_stop(vm) != AXVM_OK ||
		    axvmi_memory_release(vm) != AXVM_OK)
			return AXVM_EAGAIN;
		axvmi_ivc_fini(vm);
		vm->ops->vm_fini(vm);
		axvmi_vcpus_fini(vm);
	}
	devices_destroy(vm);
	return AXVM_OK;
}

int axvm_destroy(struct axvm_vm *vm)
{
	uint64_t saved;
	uint32_t state;
	int err;

	if (vm == NULL)
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	state = load_seq(&vm->state);
	if (state == AXVM_VM_RUNNING || state == AXVM_VM_SUSPENDED ||
	    state == AXVM_VM_STOPPING) {
		spin_unlock(&vm->life);
		return AXVM_EBUSY;
	}
	store_seq(&vm->destroying, 1);
	/* Who has just put the last vCPU may still look at the others: see
	 * axvmi_vcpu_put(). */
	saved = axvmi_lock(vm->host, &vm->host->lock);
	axvmi_unlock(vm->host, &vm->host->lock, saved);
	err = destroy_step(vm);
	spin_unlock(&vm->life);
	if (err != AXVM_OK)
		return err;
	axvmi_host_unlink(vm->host, vm);
	vm_free(vm);
	return AXVM_OK;
}
