/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * What a host calls now and then: suspending, batches of edits, compaction,
 * reserves, bounds of runs, what a vCPU is about.
 */
#include "api_model.h"

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t errors_of_state(const struct model_vm *v, uint32_t allowed)
{
	if (v->vm == NULL)
		return E(AXVM_EINVAL);
	return (allowed >> v->state & 1) != 0 ? 0 : E(AXVM_ESTATE);
}

#define STATE(name) (UINT32_C(1) << AXVM_VM_##name)

/* ---- the clock stops ---- */

static void call_suspend(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);

	if (waits_for_us(f, v, true))
		return;
	if (CALL(f, errors_of_state(v, STATE(RUNNING)), axvm_suspend(v->vm)))
		v->state = AXVM_VM_SUSPENDED;
}

static void call_resume(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);

	if (!CALL(f, errors_of_state(v, STATE(SUSPENDED)), axvm_resume(v->vm)))
		return;
	v->state = AXVM_VM_RUNNING;
	for (uint32_t i = 0; i < v->vcpu_count; i++)
		model_notify(f, v, i);
}

/* ---- memory ---- */

#define EDITABLE \
	(STATE(LOADED) | STATE(RUNNING) | STATE(SUSPENDED) | STATE(STOPPING))

static void call_batch_begin(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t errors = errors_of_state(v, EDITABLE);

	if (v->batch)
		errors |= E(AXVM_EBUSY);
	if (CALL(f, errors, axvm_mem_begin(v->vm)))
		v->batch = true;
}

static void call_batch_commit(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t errors = v->vm == NULL ? E(AXVM_EINVAL) : 0;

	if (waits_for_us(f, v, false))
		return;
	if (v->vm != NULL && !v->batch)
		errors |= E(AXVM_ESTATE);
	if (CALL(f, errors, axvm_mem_commit(v->vm))) {
		v->batch = false;
		v->batch_dirty = false;
	}
}

/* Nothing that can be seen changes: check_all() looks. */
static void call_compact(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t which = take8(f);
	const struct axvm_region_config *r;
	uint64_t done = 0;
	uint32_t errors = errors_of_state(v, EDITABLE);
	int err;

	if (v->vm == NULL || v->region_count == 0 || waits_for_us(f, v, false))
		return;
	r = &v->regions[which % v->region_count].config;
	if (r->kind == AXVM_REGION_DEMAND)
		errors |= E(AXVM_ERANGE);
	do {
		struct ledger l = begin(f, "axvm_compact");

		err = axvm_compact(v->vm, r->gpa, r->size, &done);
		judge(f, err, err == AXVM_EAGAIN ? E(AXVM_EAGAIN) : errors, &l);
	} while (err == AXVM_EAGAIN);
}

static void call_reserve_frames(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t how = take8(f);
	uint64_t pages = (how & 3) == 0 ? 0 : how;
	uint32_t errors = v->vm == NULL ? E(AXVM_EINVAL) : 0;
	int err;

	do {
		struct ledger l = begin(f, "axvm_vm_reserve");

		err = axvm_vm_reserve(v->vm, pages);
		/* The steps before one that failed stay. */
		l.live = test_hal_live(f->t);
		l.bytes = test_hal_live_bytes(f->t);
		judge(f, err, err == AXVM_EAGAIN ? E(AXVM_EAGAIN) : errors, &l);
	} while (err == AXVM_EAGAIN);
	if (err == AXVM_OK)
		require(f, axvm_vm_reserved(v->vm) <= pages);
}

/* ---- vCPUs ---- */

static void call_pending(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	bool pending;

	if (CALL(f, errors_of_vcpu(v, vcpu),
		 axvm_vcpu_pending(v->vm, vcpu, &pending)))
		require(f,
			pending == (v->vcpus[vcpu].state == AXVM_VCPU_READY ||
				    v->vcpus[vcpu].state == AXVM_VCPU_RUNNING));
}

static uint32_t errors_of_idle(const struct model_vm *v, uint32_t vcpu)
{
	uint32_t errors = errors_of_vcpu(v, vcpu);

	if (v->vm != NULL && v->state == AXVM_VM_LOADING)
		errors |= E(AXVM_ESTATE);
	if (errors == 0 && v->vcpus[vcpu].state == AXVM_VCPU_RUNNING)
		errors |= E(AXVM_EBUSY);
	return errors;
}

static void call_exit_limit(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	uint32_t limit = take8(f) % 4;

	if (CALL(f, errors_of_idle(v, vcpu),
		 axvm_vcpu_set_exit_limit(v->vm, vcpu, limit)))
		v->vcpus[vcpu].limit = limit;
}

/* The stub's vCPUs do not spin. */
static void call_spin_yield(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	uint32_t errors = errors_of_idle(v, vcpu);

	CALL(f, errors != 0 ? errors : E(AXVM_ENOTSUP),
	     axvm_vcpu_set_spin_yield(v->vm, vcpu, take8(f) % 2 != 0));
}

static void call_dump(struct fuzz *f)
{
	static char buffer[2048];
	struct model_vm *v = pick_vm(f);
	uint32_t vcpu = pick_vcpu(f, v);
	size_t size = take8(f) * 8u;
	size_t length = 1;

	memset(buffer, 'x', sizeof(buffer));
	if (CALL(f, errors_of_idle(v, vcpu),
		 axvm_dump_vcpu(v->vm, vcpu, buffer, size, &length))) {
		require(f, length != 0);
		if (size != 0)
			require(f, strlen(buffer) ==
					   (length < size ? length : size - 1));
		require(f, buffer[size] == 'x');
	} else {
		require(f, length == 1 && buffer[0] == 'x');
	}
}

const struct api_call service_calls[] = {
	{"suspend", call_suspend, true},
	{"resume", call_resume, true},
	{"mem_begin", call_batch_begin, true},
	{"mem_commit", call_batch_commit, true},
	{"compact", call_compact, true},
	{"vm_reserve", call_reserve_frames, true},
	{"vcpu_pending", call_pending, true},
	{"set_exit_limit", call_exit_limit, true},
	{"dump_vcpu", call_dump, true},
	{"set_spin_yield", call_spin_yield, true},
	{"resume", call_resume, true},
	{"ivc", call_ivc, true},
	{"ivc", call_ivc, true},
	{"mem_commit", call_batch_commit, true},
};
const size_t service_call_count = ELEMENTS(service_calls);
