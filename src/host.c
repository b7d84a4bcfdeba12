/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The machine: CPUs, the list of VMs and the ledger of physical ranges. All of
 * it is guarded by host->lock; CPU blocks belong to their CPUs.
 */
#include "internal.h"

static bool hal_usable(const struct axvm_hal *hal)
{
	return hal->size == sizeof(*hal) && hal->alloc != NULL &&
	       hal->free != NULL && hal->virt_to_phys != NULL &&
	       hal->phys_to_virt != NULL && hal->counter_hz <= UINT32_MAX;
}

int axvm_host_create(const struct axvm_hal *hal,
		     const struct axvm_arch_ops *backend, uint32_t max_cpus,
		     struct axvm_host **host)
{
	struct axvm_host *h;

	if (hal == NULL || backend == NULL || host == NULL || !hal_usable(hal))
		return AXVM_EINVAL;
	if (max_cpus == 0 || max_cpus > AXVM_MAX_CPUS)
		return AXVM_ERANGE;
	AXVMI_ASSERT(backend->line_first + backend->line_count <=
		     AXVMI_MAX_LINES);
	h = hal->alloc(hal->ctx, sizeof(*h), _Alignof(struct axvm_host));
	if (h == NULL)
		return AXVM_ENOMEM;
	memset(h, 0, sizeof(*h));
	h->hal = *hal;
	h->ops = backend;
	h->max_cpus = max_cpus;
	h->reason = "";
	h->tag_generation = 1;
	*host = h;
	return AXVM_OK;
}

int axvm_host_destroy(struct axvm_host *host)
{
	uint64_t saved;
	bool busy;

	if (host == NULL)
		return AXVM_EINVAL;
	saved = axvmi_lock(host, &host->lock);
	busy = host->vms != NULL || host->enabled_cpus != 0 ||
	       host->ivc.channels != NULL;
	axvmi_unlock(host, &host->lock, saved);
	if (busy)
		return AXVM_EBUSY;
	axvmi_free(host, host, sizeof(*host));
	return AXVM_OK;
}

const char *axvm_host_reason(const struct axvm_host *host)
{
	return host->reason;
}

/* ---- the ledger ---- */

/* A window of `vm` shows a page of the range. */
static bool vm_shows(const struct axvm_vm *vm, uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < axvmi_window_count(&vm->config); i++) {
		struct axvmi_window w = axvmi_window_at(&vm->config, i);

		if (range_overlaps(start, size, w.hpa, w.last + 1))
			return true;
	}
	return false;
}

/* A host-supplied region or a window of `vm` has a byte of the range. */
static bool vm_claims(const struct axvm_vm *vm, uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < vm->config.region_count; i++) {
		const struct axvm_region_config *r = &vm->config.regions[i];

		if (axvmi_region_is_lent(r) &&
		    range_overlaps(start, size, axvmi_region_hpa(r), r->size))
			return true;
	}
	return vm_shows(vm, start, size);
}

static bool ledger_reserved(const struct axvm_host *host, uint64_t start,
			    uint64_t size)
{
	for (uint32_t i = 0; i < host->ledger_used; i++) {
		if (range_overlaps(start, size, host->ledger[i].start,
				   host->ledger[i].size))
			return true;
	}
	return false;
}

/* `self`, which may be NULL, is not asked. */
static bool ledger_taken(const struct axvm_host *host,
			 const struct axvm_vm *self, uint64_t start,
			 uint64_t size)
{
	if (ledger_reserved(host, start, size))
		return true;
	for (const struct axvm_vm *vm = host->vms; vm != NULL; vm = vm->next) {
		if (vm != self && vm_claims(vm, start, size))
			return true;
	}
	return false;
}

int axvm_host_reserve(struct axvm_host *host, struct axvm_hpa start,
		      uint64_t size)
{
	int err = AXVM_OK;
	uint64_t saved;

	if (host == NULL || !range_valid(start.value, size))
		return AXVM_EINVAL;
	saved = axvmi_lock(host, &host->lock);
	if (ledger_taken(host, NULL, start.value, size)) {
		err = AXVM_EEXIST;
	} else if (host->ledger_used == AXVMI_MAX_RESERVED) {
		err = AXVM_ENOSPC;
	} else {
		host->ledger[host->ledger_used].start = start.value;
		host->ledger[host->ledger_used].size = size;
		host->ledger_used++;
	}
	axvmi_unlock(host, &host->lock, saved);
	return err;
}

bool axvmi_host_forbids(const struct axvm_vm *vm, uint64_t start, uint64_t size)
{
	struct axvm_host *host = vm->host;
	uint64_t saved = axvmi_lock(host, &host->lock);
	bool forbidden = ledger_taken(host, vm, start, size) ||
			 vm_shows(vm, start, size);

	axvmi_unlock(host, &host->lock, saved);
	return forbidden;
}

/* ---- VMs ---- */

static int taken(struct axvm_config_error *error, const char *field,
		 uint32_t index, const char *reason)
{
	return axvmi_refuse(error, AXVM_EEXIST, field, index, reason);
}

/* Memory of the VM that the host or another VM has. It is not linked yet. */
static int memory_conflict(struct axvm_host *host, const struct axvm_vm *vm,
			   struct axvm_config_error *error)
{
	static const char reason[] = "the host or another VM has it";
	const struct axvm_vm_config *config = &vm->config;

	for (uint32_t i = 0; i < config->region_count; i++) {
		const struct axvm_region_config *r = &config->regions[i];

		if (axvmi_region_is_lent(r) &&
		    ledger_taken(host, vm, axvmi_region_hpa(r), r->size))
			return taken(error, FIELD_REGIONS, i, reason);
	}
	for (uint32_t i = 0; i < axvmi_window_count(config); i++) {
		struct axvmi_window w = axvmi_window_at(config, i);

		if (ledger_taken(host, vm, w.hpa, w.last + 1))
			return taken(error, w.field, w.index, reason);
	}
	return AXVM_OK;
}

static int irq_conflict(const struct axvm_host *host, const struct axvm_vm *vm,
			struct axvm_config_error *error)
{
	const struct axvm_vm_config *config = &vm->config;

	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		uint32_t irq = config->passthrough[i].irq;

		for (struct axvm_vm *v = host->vms; v != NULL; v = v->next) {
			if (irq != 0 && axvmi_forwards(v, irq))
				return taken(error, FIELD_PASSTHROUGH, i,
					     "another VM has this interrupt");
		}
	}
	return AXVM_OK;
}

static int vm_conflict(struct axvm_host *host, const struct axvm_vm *vm,
		       struct axvm_config_error *error)
{
	int err;

	for (struct axvm_vm *v = host->vms; v != NULL; v = v->next) {
		if (v->config.id == vm->config.id)
			return taken(error, "base.id", 0,
				     "another VM of the host has this id");
	}
	err = memory_conflict(host, vm, error);
	return err != AXVM_OK ? err : irq_conflict(host, vm, error);
}

int axvmi_host_link(struct axvm_host *host, struct axvm_vm *vm,
		    struct axvm_config_error *error)
{
	uint64_t saved = axvmi_lock(host, &host->lock);
	int err = vm_conflict(host, vm, error);

	if (err == AXVM_OK) {
		vm->serial = ++host->next_serial;
		vm->next = host->vms;
		host->vms = vm;
	}
	axvmi_unlock(host, &host->lock, saved);
	return err;
}

void axvmi_host_unlink(struct axvm_host *host, struct axvm_vm *vm)
{
	uint64_t saved = axvmi_lock(host, &host->lock);
	struct axvm_vm **link = &host->vms;

	while (*link != vm)
		link = &(*link)->next;
	*link = vm->next;
	axvmi_unlock(host, &host->lock, saved);
}

/* ---- CPUs ---- */

/* Lock held: the first CPU's features are what the others are held against. */
static int cpu_register(struct axvm_host *host, struct axvm_cpu *cpu)
{
	int err = AXVM_OK;

	for (uint32_t i = 0; i < host->max_cpus; i++) {
		if (host->cpus[i] != NULL &&
		    (i == cpu->index || host->cpus[i]->hw_id == cpu->hw_id))
			err = AXVM_EEXIST;
	}
	if (err == AXVM_OK && host->enabled_cpus != 0 &&
	    host->hal.kick == NULL) {
		host->reason = "a second CPU needs hal.kick";
		err = AXVM_ENOTSUP;
	}
	if (err == AXVM_OK)
		err = host->ops->cpu_enable(cpu);
	if (err == AXVM_OK) {
		if (host->next_tag == 0)
			axvmi_tags_init(host);
		/* Another hart may have had this index. */
		for (struct axvm_vm *vm = host->vms; vm != NULL; vm = vm->next)
			vm->last_vcpu[cpu->index] = NULL;
		host->cpus[cpu->index] = cpu;
		host->enabled_cpus++;
		host->reason = "";
	}
	return err;
}

int axvm_cpu_enable(struct axvm_host *host, uint32_t index, uint64_t hw_id,
		    struct axvm_cpu **cpu)
{
	struct axvm_cpu *c;
	uint64_t saved;
	int err;

	if (host == NULL || cpu == NULL)
		return AXVM_EINVAL;
	if (index >= host->max_cpus)
		return AXVM_ERANGE;
	c = axvmi_alloc_zeroed(host, host->ops->cpu_size, 64);
	if (c == NULL)
		return AXVM_ENOMEM;
	c->host = host;
	c->ops = host->ops;
	c->index = index;
	c->hw_id = hw_id;
	saved = axvmi_lock(host, &host->lock);
	err = cpu_register(host, c);
	axvmi_unlock(host, &host->lock, saved);
	if (err != AXVM_OK) {
		axvmi_free(host, c, host->ops->cpu_size);
		return err;
	}
	*cpu = c;
	return AXVM_OK;
}

int axvm_cpu_disable(struct axvm_cpu *cpu)
{
	struct axvm_host *host;
	uint64_t saved;
	int err;

	if (cpu == NULL)
		return AXVM_EINVAL;
	host = cpu->host;
	err = axvm_cpu_release(cpu);
	if (err != AXVM_OK)
		return err;
	saved = axvmi_lock(host, &host->lock);
	host->ops->cpu_disable(cpu);
	host->cpus[cpu->index] = NULL;
	host->enabled_cpus--;
	axvmi_unlock(host, &host->lock, saved);
	axvmi_free(host, cpu, host->ops->cpu_size);
	return AXVM_OK;
}

int axvm_cpu_release(struct axvm_cpu *cpu)
{
	uint64_t saved;

	if (cpu == NULL)
		return AXVM_EINVAL;
	if (cpu->running != 0)
		return AXVM_EBUSY;
	saved = cpu->host->ops->interrupts_save();
	if (cpu->resident != NULL)
		axvmi_vcpu_put(cpu->resident);
	cpu->host->ops->interrupts_restore(saved);
	return AXVM_OK;
}

uint32_t axvm_cpu_index(const struct axvm_cpu *cpu)
{
	return cpu->index;
}
