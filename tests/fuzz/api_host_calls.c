/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Calls of host.h, and the ledger of physical memory. */
#include "api_model.h"

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* ---- who has which memory ---- */

bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a - b < b_size || b - a < a_size;
}

bool is_foreign(const struct axvm_region_config *r)
{
	return r->kind == AXVM_REGION_HOST ||
	       r->kind == AXVM_REGION_IDENTICAL ||
	       r->kind == AXVM_REGION_RESERVED;
}

uint64_t region_hpa(const struct axvm_region_config *r)
{
	return r->kind == AXVM_REGION_HOST ? r->hpa.value : r->gpa.value;
}

static bool vm_claims(const struct model_vm *v, uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; v->vm != NULL && i < v->region_count; i++) {
		const struct axvm_region_config *r = &v->regions[i].config;

		if (is_foreign(r) &&
		    overlap(region_hpa(r), r->size, start, size))
			return true;
	}
	return false;
}

bool is_reserved(const struct fuzz *f, uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < f->reserved_count; i++) {
		if (overlap(f->reserved[i].start, f->reserved[i].size, start,
			    size))
			return true;
	}
	return false;
}

bool is_forbidden(const struct fuzz *f, const struct model_vm *v,
		  uint64_t start, uint64_t size)
{
	bool claimed = is_reserved(f, start, size);

	for (uint32_t i = 0; i < VMS; i++)
		claimed |=
			&f->vms[i] != v && vm_claims(&f->vms[i], start, size);
	return claimed;
}

bool is_claimed(const struct fuzz *f, uint64_t start, uint64_t size)
{
	bool claimed = is_reserved(f, start, size);

	for (uint32_t i = 0; i < VMS; i++)
		claimed |= vm_claims(&f->vms[i], start, size);
	return claimed;
}

/* ---- the calls ---- */

static void call_enable(struct fuzz *f)
{
	uint32_t index = take8(f) % (CPUS + 3);
	uint32_t hw_id = 100 + take8(f) % (CPUS + 1);
	struct axvm_cpu *cpu = NULL;
	uint32_t errors = index > CPUS ? E(AXVM_ERANGE) : 0;

	if (index < CPUS && f->cpus[index].enabled)
		errors |= E(AXVM_EEXIST);
	if (index < CPUS && !f->cpus[index].enabled) {
		stub_be(f->m, index);
		if (CALL(f, 0, stub_cpu_enable(f->m, index)))
			f->cpus[index].enabled = true;
		return;
	}
	/* Index CPUS exists, but its hart may not. */
	if (index == CPUS &&
	    (hw_id == 100 + CPUS || !f->cpus[hw_id - 100].enabled))
		return;
	if (index == CPUS)
		errors |= E(AXVM_EEXIST);
	CALL(f, errors, axvm_cpu_enable(f->host, index, hw_id, &cpu));
	require(f, cpu == NULL);
}

static void call_disable(struct fuzz *f)
{
	uint32_t cpu = pick_cpu(f);
	uint32_t errors = f->cpus[cpu].enabled ? 0 : E(AXVM_EINVAL);

	if (f->cpus[cpu].running)
		errors |= E(AXVM_EBUSY);
	if (f->cpus[cpu].enabled) {
		if (CALL(f, errors, stub_cpu_disable(f->m, cpu))) {
			f->cpus[cpu].enabled = false;
			model_put(f, cpu);
		}
	} else {
		CALL(f, errors, axvm_cpu_disable(NULL));
	}
}

static void call_release(struct fuzz *f)
{
	uint32_t cpu = pick_cpu(f);
	uint32_t errors = f->cpus[cpu].enabled ? 0 : E(AXVM_EINVAL);

	if (f->cpus[cpu].running)
		errors |= E(AXVM_EBUSY);
	stub_be(f->m, cpu);
	if (CALL(f, errors, axvm_cpu_release(stub_cpu(f->m, cpu))))
		model_put(f, cpu);
}

static void call_reserve(struct fuzz *f)
{
	uint64_t start = f->blocks[take8(f) % BLOCKS].value;
	uint64_t size = take8(f) * UINT64_C(64);
	uint32_t errors = size == 0 ? E(AXVM_EINVAL) : 0;

	start += take8(f) * UINT64_C(256);
	if (f->reserved_count >= 8)
		return;
	if (size != 0 && is_claimed(f, start, size))
		errors |= E(AXVM_EEXIST);
	if (CALL(f, errors,
		 axvm_host_reserve(f->host, axvm_to_hpa(start), size)))
		f->reserved[f->reserved_count++] =
			(struct model_range){start, size};
}

static void call_host_destroy(struct fuzz *f)
{
	bool busy = false;

	for (uint32_t i = 0; i < CPUS; i++)
		busy |= f->cpus[i].enabled;
	for (uint32_t i = 0; i < VMS; i++)
		busy |= f->vms[i].vm != NULL;
	for (uint32_t i = 0; i < CHANNELS; i++)
		busy |= f->channels[i].open;
	if (busy)
		CALL(f, E(AXVM_EBUSY), axvm_host_destroy(f->host));
}

/* An allocation of the next call will fail. */
static void call_starve(struct fuzz *f)
{
	uint32_t how = take8(f);

	f->starve = 1 + (how >> 1) % 24;
	f->starve_on = (how & 1) != 0;
}

const struct api_call host_calls[] = {
	{"starve", call_starve, false},
	{"release", call_release, true},
	{"disable", call_disable, true},
	{"enable", call_enable, true},
	{"reserve", call_reserve, true},
	{"starve", call_starve, false},
	{"host_destroy", call_host_destroy, true},
};
const size_t host_call_count = ELEMENTS(host_calls);
