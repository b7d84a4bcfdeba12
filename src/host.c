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
	busy = host->vms != NULL || host->enabled_cpus != 0;
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

static bool region_is_foreign(const struct axvm_region_config *region)
{
	return region->kind == AXVM_REGION_HOST ||
	       region->kind == AXVM_REGION_IDENTICAL ||
	       region->kind == AXVM_REGION_RESERVED;
}

/* A host-supplied region or passthrough window of `vm` that overlaps. */
static bool vm_claims(const struct axvm_vm *vm, uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < vm->config.region_count; i++) {
		const struct axvm_region_config *r = &vm->config.regions[i];

		if (region_is_foreign(r) &&
		    range_overlaps(start, size, axvmi_region_hpa(r), r->size))
			return true;
	}
	for (uint32_t i = 0; i < vm->config.passthrough_count; i++) {
		const struct axvm_passthrough_config *p =
			&vm->config.passthrough[i];

		if (p->size != 0 &&
		    range_overlaps(start, size, p->hpa.value, p->size))
			return true;
	}
	return false;
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

static bool ledger_taken(const struct axvm_host *host, uint64_t start,
			 uint64_t size)
{
	if (ledger_reserved(host, start, size))
		return true;
	for (const struct axvm_vm *vm = host->vms; vm != NULL; vm = vm->next) {
		if (vm_claims(vm, start, size))
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
	if (ledger_taken(host, start.value, size)) {
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

bool axvmi_host_reserved(struct axvm_host *host, uint64_t start, uint64_t size)
{
	uint64_t saved = axvmi_lock(host, &host->lock);
	bool taken = ledger_reserved(host, start, size);

	axvmi_unlock(host, &host->lock, saved);
	return taken;
}

/* ---- VMs ---- */

static int refuse(struct axvm_config_error *error, const char *field,
		  uint32_t index, const char *reason)
{
	if (error != NULL) {
		memset(error, 0, sizeof(*error));
		error->field = field;
		error->index = index;
		error->reason = reason;
	}
	return AXVM_EEXIST;
}

static int vm_conflict(struct axvm_host *host, const struct axvm_vm *vm,
		       struct axvm_config_error *error)
{
	const struct axvm_vm_config *config = &vm->config;

	for (struct axvm_vm *v = host->vms; v != NULL; v = v->next) {
		if (v->config.id == config->id)
			return refuse(error, "id", 0,
				      "another VM of the host has this id");
	}
	for (uint32_t i = 0; i < config->region_count; i++) {
		const struct axvm_region_config *r = &config->regions[i];

		if (region_is_foreign(r) &&
		    ledger_taken(host, axvmi_region_hpa(r), r->size))
			return refuse(error, "memory_regions", i,
				      "memory of the host or of another VM");
	}
	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		const struct axvm_passthrough_config *p =
			&config->passthrough[i];

		if (p->size != 0 && ledger_taken(host, p->hpa.value, p->size))
			return refuse(error, "passthrough_devices", i,
				      "memory of the host or of another VM");
	}
	return AXVM_OK;
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
	if (load_relaxed(&cpu->running) != 0)
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
