/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Hypercalls of axvm/ivc.h: numbers, arguments in guest memory, results on the
 * wire. Runs on the vCPU's own thread after it has left the guest; no lock is
 * held. Backends call before they build a HYPERCALL exit.
 */
#include "ivc.h"

#define FAMILY_LAST UINT64_C(6)
#define OWN_FIRST UINT64_C(0x100)
#define OWN_COUNT UINT64_C(0x100)

/* ---- results ---- */

/* Spelled out: numbers of AXVM_E* may change, those on the wire never. */
static uint64_t wire_result(int err)
{
	static const struct {
		int error;
		enum axvm_hypercall_result result;
	} results[] = {
		{AXVM_OK, AXVM_HYPERCALL_OK},
		{AXVM_ENOTSUP, AXVM_HYPERCALL_NOT_SUPPORTED},
		{AXVM_EINVAL, AXVM_HYPERCALL_INVALID},
		{AXVM_EPERM, AXVM_HYPERCALL_DENIED},
		{AXVM_EFAULT, AXVM_HYPERCALL_BAD_ADDRESS},
		{AXVM_ENOENT, AXVM_HYPERCALL_NOT_FOUND},
		{AXVM_EEXIST, AXVM_HYPERCALL_EXISTS},
		{AXVM_ENOSPC, AXVM_HYPERCALL_NO_SPACE},
		{AXVM_ENOMEM, AXVM_HYPERCALL_NO_MEMORY},
	};

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		if (results[i].error == err)
			return (uint64_t)(int64_t)results[i].result;
	}
	return (uint64_t)(int64_t)AXVM_HYPERCALL_FAILED;
}

/* ---- words of the guest ---- */

/*
 * Reads a word and makes sure it can be written later: a demand page is filled,
 * rights are looked at. Only the host can change that in between.
 */
static int read_word(struct axvm_vm *vm, uint64_t gpa, uint64_t *value)
{
	struct axvm_mapping mapping;
	int err;

	if (!is_aligned(gpa, sizeof(*value)))
		return AXVM_EINVAL;
	err = axvm_read_guest(vm, axvm_to_gpa(gpa), value, sizeof(*value));
	if (err != AXVM_OK)
		return err;
	if (axvm_query(vm, axvm_to_gpa(gpa), &mapping) != AXVM_OK ||
	    (mapping.access & AXVM_WRITE) == 0)
		return AXVM_EFAULT;
	return AXVM_OK;
}

/* Where a call puts what it maps. */
struct place {
	uint64_t gpa_at;
	uint64_t size_at;
	uint64_t size; /* read there */
};

static int read_place(struct axvm_vm *vm, uint64_t gpa_at, uint64_t size_at,
		      struct place *place)
{
	uint64_t unused;
	int err = read_word(vm, gpa_at, &unused);

	if (err != AXVM_OK)
		return err;
	place->gpa_at = gpa_at;
	place->size_at = size_at;
	return read_word(vm, size_at, &place->size);
}

static int write_place(struct axvm_vm *vm, const struct place *place,
		       uint64_t gpa, uint64_t size)
{
	int err = axvm_write_guest(vm, axvm_to_gpa(place->gpa_at), &gpa,
				   sizeof(gpa));

	if (err != AXVM_OK)
		return err;
	return axvm_write_guest(vm, axvm_to_gpa(place->size_at), &size,
				sizeof(size));
}

/* ---- channels ---- */

/* Flags and line of our own calls; both 0 in the family's. */
static int read_options(uint64_t flags, uint64_t line,
			struct axvmi_ivc_request *request)
{
	if ((flags & ~(uint64_t)AXVM_HYPERCALL_READ_ONLY) != 0 ||
	    line > UINT32_MAX)
		return AXVM_EINVAL;
	request->access = flags == 0 ? AXVM_RW : AXVM_READ;
	request->line = (uint32_t)line;
	return AXVM_OK;
}

static int publish(struct axvm_vm *vm, const uint64_t args[3], uint64_t flags,
		   uint64_t line)
{
	struct axvmi_ivc_request request = {
		.publisher = vm->config.id,
		.key = args[0],
		.kind = AXVMI_IVC_GUEST,
	};
	struct axvm_ivc_state state;
	struct place place;
	int err = read_options(flags, line, &request);

	if (err == AXVM_OK)
		err = read_place(vm, args[1], args[2], &place);
	if (err != AXVM_OK)
		return err;
	request.size = place.size;
	err = axvmi_ivc_publish(vm, &request, &state);
	if (err != AXVM_OK)
		return err;
	err = write_place(vm, &place, state.gpa, state.size);
	/* It may have left already, by another vCPU. */
	if (err != AXVM_OK &&
	    axvmi_ivc_leave(vm, request.publisher, request.key,
			    AXVMI_IVC_BY_OWNER) != AXVM_OK)
		return AXVM_EFAULT;
	return err;
}

static int subscribe(struct axvm_vm *vm, const uint64_t args[4], uint64_t flags,
		     uint64_t line)
{
	struct axvmi_ivc_request request = {
		.publisher = args[0],
		.key = args[1],
	};
	struct axvm_ivc_state state;
	struct place place;
	int err = read_options(flags, line, &request);

	if (err == AXVM_OK)
		err = read_place(vm, args[2], args[3], &place);
	if (err == AXVM_OK)
		err = axvmi_ivc_subscribe(vm, &request, &state);
	if (err != AXVM_OK)
		return err;
	err = write_place(vm, &place, state.gpa, state.size);
	if (err != AXVM_OK &&
	    axvmi_ivc_leave(vm, request.publisher, request.key,
			    AXVMI_IVC_BY_SUBSCRIBER) != AXVM_OK)
		return AXVM_EFAULT;
	return err;
}

static int get_pool(struct axvm_vm *vm, const uint64_t args[2])
{
	struct place place;
	int err;

	if (vm->ivc == NULL)
		return AXVM_ENOTSUP;
	err = read_place(vm, args[0], args[1], &place);
	if (err != AXVM_OK)
		return err;
	return write_place(vm, &place, vm->ivc->config_gpa,
			   vm->ivc->config_size);
}

static int get_state(struct axvm_vm *vm, const uint64_t args[3])
{
	struct axvm_ivc_state state;
	int err;

	_Static_assert(sizeof(state) == 32, "never crosses a page");
	if (!is_aligned(args[2], sizeof(state)))
		return AXVM_EINVAL;
	err = axvmi_ivc_get_state(vm, args[0], args[1], &state);
	if (err != AXVM_OK)
		return err;
	return axvm_write_guest(vm, axvm_to_gpa(args[2]), &state,
				sizeof(state));
}

/* ---- memory ---- */

/* How many pages were given back, or an error. */
static int balloon(struct axvm_vm *vm, uint64_t gpa, uint64_t pages)
{
	const struct axvmi_region *region;
	uint64_t size;
	int err;

	if (pages == 0 || pages > UINT64_MAX >> PAGE_SHIFT_4K ||
	    !is_aligned(gpa, PAGE_SIZE_4K))
		return AXVM_EINVAL;
	size = pages << PAGE_SHIFT_4K;
	region = axvmi_region_find(vm, gpa);
	if (region == NULL || region->config.kind != AXVM_REGION_DEMAND ||
	    !range_contains(region->config.gpa.value, region->config.size, gpa,
			    size))
		return AXVM_EFAULT;
	if (pages > AXVM_HYPERCALL_BALLOON_PAGES)
		pages = AXVM_HYPERCALL_BALLOON_PAGES;
	err = axvm_unmap(vm, axvm_to_gpa(gpa), pages << PAGE_SHIFT_4K);
	return err != AXVM_OK ? err : (int)pages;
}

/* ---- dispatch ---- */

static int family_call(struct axvm_vm *vm, uint64_t number,
		       const uint64_t args[6])
{
	switch (number) {
	case AXVM_HYPERCALL_PUBLISH:
		return publish(vm, args, 0, 0);
	case AXVM_HYPERCALL_SUBSCRIBE:
		return subscribe(vm, args, 0, 0);
	case AXVM_HYPERCALL_UNPUBLISH:
		return axvmi_ivc_leave(vm, vm->config.id, args[0],
				       AXVMI_IVC_BY_OWNER);
	case AXVM_HYPERCALL_UNSUBSCRIBE:
		return axvmi_ivc_leave(vm, args[0], args[1],
				       AXVMI_IVC_BY_SUBSCRIBER);
	default:
		return AXVM_ENOTSUP;
	}
}

/* An error or, positive, a result. */
static int own_call(struct axvm_vm *vm, uint64_t number, const uint64_t args[6])
{
	switch (number) {
	case AXVM_HYPERCALL_CAPABILITIES:
		return (int)axvmi_hypercall_capabilities(vm);
	case AXVM_HYPERCALL_IVC_POOL:
		return get_pool(vm, args);
	case AXVM_HYPERCALL_IVC_PUBLISH:
		return publish(vm, args, args[3], args[4]);
	case AXVM_HYPERCALL_IVC_SUBSCRIBE:
		return subscribe(vm, args, args[4], args[5]);
	case AXVM_HYPERCALL_IVC_NOTIFY:
		return axvmi_ivc_notify(vm, args[0], args[1]);
	case AXVM_HYPERCALL_IVC_STATE:
		return get_state(vm, args);
	case AXVM_HYPERCALL_BALLOON:
		return balloon(vm, args[0], args[1]);
	default:
		return AXVM_ENOTSUP;
	}
}

enum axvmi_hypercall_answer axvmi_hypercall(struct axvm_vcpu *vcpu,
					    uint64_t number,
					    const uint64_t args[6],
					    uint64_t *result)
{
	bool family = number <= FAMILY_LAST;
	int err;

	if (!family && number - OWN_FIRST >= OWN_COUNT)
		return AXVMI_HYPERCALL_HOST;
	err = family ? family_call(vcpu->vm, number, args)
		     : own_call(vcpu->vm, number, args);
	if (err == AXVM_EAGAIN)
		return AXVMI_HYPERCALL_AGAIN;
	if (family)
		*result = err == AXVM_OK ? 0 : UINT64_MAX;
	else
		*result = err > 0 ? (uint64_t)err : wire_result(err);
	return AXVMI_HYPERCALL_DONE;
}
