/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A VM's pool of channels from axvm_init() to axvm_destroy(): its windows of
 * the guest-physical space, the channels its configuration names, and their end
 * at reset. Runs under vm->life; which slots are taken is the registry's.
 */
#include "ivc.h"

/* What a reset or destroy unmaps in one bounded step, about. */
#define STEP_PAGES 1024u

/* ---- the configuration ---- */

static const struct axvm_emu_device_config *
find_config(const struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->config.emu_device_count; i++) {
		if (vm->config.emu_devices[i].type == AXVM_EMU_IVC_POOL)
			return &vm->config.emu_devices[i];
	}
	return NULL;
}

static bool line_exists(const struct axvm_arch_ops *ops, uint64_t line)
{
	return line == 0 || (line >= ops->line_first &&
			     line - ops->line_first < ops->line_count);
}

/* config.c has checked what does not depend on the machine. */
bool axvmi_ivc_lines_exist(const struct axvm_arch_ops *ops,
			   const struct axvm_emu_device_config *pool)
{
	bool good = line_exists(ops, pool->irq);

	for (uint32_t i = 0; i + AXVM_IVC_ARGS <= pool->arg_count;
	     i += AXVM_IVC_ARGS)
		good = good &&
		       line_exists(ops, pool->args[i + AXVM_IVC_ARG_LINE]);
	return good;
}

/* ---- channels of the configuration ---- */

/* Whoever of its VMs comes first makes the channel, the others find it. */
static int join_static(struct axvm_vm *vm, const uint64_t *args)
{
	struct axvmi_ivc_request request = {
		.publisher = args[AXVM_IVC_ARG_PUBLISHER],
		.key = args[AXVM_IVC_ARG_KEY],
		.size = args[AXVM_IVC_ARG_SIZE],
		.access = AXVM_RW,
		.line = (uint32_t)args[AXVM_IVC_ARG_LINE],
		.kind = AXVMI_IVC_STATIC,
		.fixed = true,
	};
	struct axvm_ivc_state state;
	int err = axvmi_ivc_subscribe(vm, &request, &state);

	if (err != AXVM_ENOENT)
		return err;
	do
		err = axvmi_ivc_publish(vm, &request, &state);
	while (err == AXVM_EAGAIN);
	/* Another VM was faster. */
	return err == AXVM_EEXIST ? axvmi_ivc_subscribe(vm, &request, &state)
				  : err;
}

int axvmi_ivc_start(struct axvm_vm *vm)
{
	const struct axvm_emu_device_config *config = find_config(vm);
	int err = AXVM_OK;

	if (config == NULL)
		return AXVM_OK;
	for (uint32_t i = 0;
	     err == AXVM_OK && i + AXVM_IVC_ARGS <= config->arg_count;
	     i += AXVM_IVC_ARGS)
		err = join_static(vm, &config->args[i]);
	if (err != AXVM_OK) {
		while (axvmi_ivc_stop(vm) != AXVM_OK)
			;
	}
	return err;
}

int axvmi_ivc_stop(struct axvm_vm *vm)
{
	struct axvmi_ivc_pool *pool = vm->ivc;
	uint64_t done = 0;

	for (uint32_t i = 0; pool != NULL && i < AXVM_IVC_SLOTS; i++) {
		uint64_t pages = pool->ends[i].pages;

		if (done >= STEP_PAGES)
			return AXVM_EAGAIN;
		if (axvmi_ivc_evict(&pool->ends[i]))
			done += pages;
	}
	return AXVM_OK;
}

/* ---- the pool ---- */

static int window_add(struct axvm_vm *vm, const struct axvmi_ivc_pool *pool)
{
	const struct axvmi_space window = {
		.start = pool->gpa,
		.last = pool->gpa + ((pool->pages << PAGE_SHIFT_4K) - 1),
		.kind = AXVMI_SPACE_WINDOW,
	};

	return axvmi_bus_add(vm, AXVM_BUS_MMIO, &window);
}

static struct axvmi_ivc_pool *
pool_new(struct axvm_vm *vm, const struct axvm_emu_device_config *config)
{
	struct axvmi_ivc_pool *pool =
		axvmi_alloc_zeroed(vm->host, sizeof(*pool), 64);

	if (pool == NULL)
		return NULL;
	pool->vm = vm;
	pool->line = config->irq;
	pool->config_gpa = config->gpa.value;
	pool->config_size = config->size;
	pool->gpa = config->gpa.value;
	pool->pages = config->size >> PAGE_SHIFT_4K;
	for (uint32_t i = 0; i < AXVM_IVC_SLOTS; i++)
		pool->ends[i].pool = pool;
	if (pool->pages > 1) {
		pool->has_doorbells = true;
		axvmi_ivc_doorbells_init(pool, pool->gpa);
		pool->gpa += PAGE_SIZE_4K;
		pool->pages--;
	}
	return pool;
}

int axvmi_ivc_init(struct axvm_vm *vm)
{
	const struct axvm_emu_device_config *config = find_config(vm);
	struct axvmi_ivc_pool *pool;
	int err;

	if (config == NULL)
		return AXVM_OK;
	pool = pool_new(vm, config);
	if (pool == NULL)
		return AXVM_ENOMEM;
	err = window_add(vm, pool);
	if (err == AXVM_OK && pool->has_doorbells) {
		err = axvmi_device_add(vm, &pool->doorbells);
		if (err != AXVM_OK)
			axvmi_bus_remove(vm, AXVM_BUS_MMIO, pool->gpa);
	}
	if (err != AXVM_OK) {
		axvmi_free(vm->host, pool, sizeof(*pool));
		return err;
	}
	vm->ivc = pool;
	return AXVM_OK;
}

void axvmi_ivc_fini(struct axvm_vm *vm)
{
	struct axvmi_ivc_pool *pool = vm->ivc;

	if (pool == NULL)
		return;
	vm->ivc = NULL;
	if (pool->has_doorbells)
		axvmi_device_remove(vm, &pool->doorbells);
	axvmi_bus_remove(vm, AXVM_BUS_MMIO, pool->gpa);
	axvmi_free(vm->host, pool, sizeof(*pool));
}

uint64_t axvmi_hypercall_capabilities(const struct axvm_vm *vm)
{
	uint64_t has = 0;

	if (vm->ivc != NULL)
		has |= AXVM_HYPERCALL_HAS_IVC;
	if (vm->ivc != NULL && vm->ivc->has_doorbells)
		has |= AXVM_HYPERCALL_HAS_DOORBELLS;
	for (uint32_t i = 0; i < vm->config.region_count; i++) {
		if (vm->config.regions[i].kind == AXVM_REGION_DEMAND)
			has |= AXVM_HYPERCALL_HAS_BALLOON;
	}
	return has;
}
