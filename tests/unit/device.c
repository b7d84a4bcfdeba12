/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Buses and devices: src/device.c over the ledger of host_hal. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host_hal.h"
#include "internal.h"

#define GPA_BITS 39u
#define MMIO(start, length)                                              \
	{                                                                \
		.bus = AXVM_BUS_MMIO, .base = (start), .size = (length), \
		.widths = 1 | 2 | 4 | 8                                  \
	}

/* A VM that is being loaded, with just what device.c looks at. */
struct machine {
	struct test_hal *hal;
	struct axvm_host host;
	struct axvm_arch_ops ops;
	struct axvm_vm vm;
	struct axvm_vcpu vcpu;
};

/* A device that writes down the last access and answers as told. */
struct probe {
	struct axvm_device device;
	struct axvm_device_access last;
	enum axvm_access_result result;
	uint64_t answer;
	unsigned calls;
	bool silent; /* does not touch the value */
};

static enum axvm_access_result probe_access(struct axvm_device *device,
					    struct axvm_device_access *access)
{
	struct probe *p = CONTAINER_OF(device, struct probe, device);

	p->last = *access;
	p->calls++;
	if (access->write == 0 && !p->silent)
		access->value = p->answer;
	return p->result;
}

static const struct axvm_device_ops probe_ops = {
	.name = "probe",
	.access = probe_access,
};
static const struct axvm_device_ops other_ops = {
	.name = "other",
	.access = probe_access,
};

static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));

	m->hal = test_hal_new();
	m->host.hal = m->hal->hal;
	m->vm.format.gpa_bits = GPA_BITS;
	m->vm.host = &m->host;
	m->vm.ops = &m->ops;
	m->vcpu.vm = &m->vm;
	m->vcpu.index = 3;
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;
	bool clean;

	axvmi_bus_fini(&m->vm);
	clean = test_hal_check_no_leaks(m->hal);
	test_hal_delete(m->hal);
	free(m);
	return clean ? 0 : -1;
}

static struct probe probe(uint64_t base, uint64_t size)
{
	struct probe p = {
		.device = {.ops = &probe_ops,
			   .range_count = 1,
			   .ranges = {MMIO(base, size)}},
	};

	return p;
}

static const struct axvmi_space *find(struct machine *m, uint64_t addr)
{
	return axvmi_bus_find(&m->vm.bus[AXVM_BUS_MMIO], addr);
}

static int add_space(struct machine *m, uint64_t start, uint64_t size)
{
	struct axvmi_space space = {
		.start = start,
		.last = start + (size - 1),
		.kind = AXVMI_SPACE_RAM,
		.range = (uint32_t)(start >> 12),
	};

	return axvmi_bus_add(&m->vm, AXVM_BUS_MMIO, &space);
}

static enum axvmi_dispatch touch(struct machine *m, uint64_t addr,
				 uint32_t size, bool write, uint64_t *value)
{
	const struct axvmi_space *space = find(m, addr);

	assert_non_null(space);
	return axvmi_device_access(&m->vcpu, space, addr, size, write, value);
}

/* What a refused call must leave alone. */
struct snapshot {
	struct axvm_vm vm;
	struct axvm_device device;
	uint64_t bytes;
};

static struct snapshot *snap(struct machine *m, struct axvm_device *device)
{
	struct snapshot *s = malloc(sizeof(*s));

	memcpy(&s->vm, &m->vm, sizeof(s->vm));
	s->device = *device;
	s->bytes = test_hal_live_bytes(m->hal);
	return s;
}

static void assert_unchanged(struct machine *m, struct axvm_device *device,
			     struct snapshot *s)
{
	assert_memory_equal(&s->vm, &m->vm, sizeof(s->vm));
	assert_memory_equal(&s->device, device, sizeof(s->device));
	assert_int_equal(s->bytes, test_hal_live_bytes(m->hal));
	free(s);
}

static void assert_refused(struct machine *m, struct axvm_device *device,
			   int error)
{
	struct snapshot *s = snap(m, device);

	assert_int_equal(axvm_add_device(&m->vm, device), error);
	assert_unchanged(m, device, s);
}

/* ---- the map ---- */

static void an_empty_bus_is_one_hole(void **state)
{
	struct machine *m = *state;

	assert_null(find(m, 0));
	assert_null(find(m, UINT64_MAX));
}

static void
an_entry_holds_its_first_and_last_byte_and_no_neighbour(void **state)
{
	struct machine *m = *state;

	assert_int_equal(add_space(m, 0x1000, 0x1000), AXVM_OK);
	assert_null(find(m, 0));
	assert_null(find(m, 0xfff));
	assert_int_equal(find(m, 0x1000)->range, 1);
	assert_int_equal(find(m, 0x1fff)->range, 1);
	assert_null(find(m, 0x2000));
	assert_null(find(m, UINT64_MAX));
}

static void entries_may_touch_the_ends_of_the_address_space(void **state)
{
	struct machine *m = *state;

	assert_int_equal(add_space(m, UINT64_MAX - 0xfff, 0x1000), AXVM_OK);
	assert_int_equal(add_space(m, 0, 0x1000), AXVM_OK);
	assert_int_equal(find(m, 0)->start, 0);
	assert_int_equal(find(m, 0xfff)->start, 0);
	assert_null(find(m, 0x1000));
	assert_null(find(m, UINT64_MAX - 0x1000));
	assert_int_equal(find(m, UINT64_MAX)->start, UINT64_MAX - 0xfff);
}

static void the_whole_address_space_can_be_one_entry(void **state)
{
	struct machine *m = *state;
	struct axvmi_space all = {.start = 0, .last = UINT64_MAX};

	assert_int_equal(axvmi_bus_add(&m->vm, AXVM_BUS_MMIO, &all), AXVM_OK);
	assert_non_null(find(m, 0));
	assert_non_null(find(m, UINT64_MAX));
	assert_int_equal(add_space(m, 0x1000, 1), AXVM_EEXIST);
}

static void every_kind_of_overlap_is_refused(void **state)
{
	static const struct {
		uint64_t start, size;
		int result;
	} cases[] = {
		{0x10000, 0x1000, AXVM_EEXIST}, /* the same */
		{0x0f000, 0x1001, AXVM_EEXIST}, /* into its head */
		{0x10fff, 0x1000, AXVM_EEXIST}, /* out of its tail */
		{0x10800, 0x10, AXVM_EEXIST}, /* inside */
		{0x0f000, 0x3000, AXVM_EEXIST}, /* around */
		{0x0f000, 0x3000000, AXVM_EEXIST}, /* around both */
		{0x0f000, 0x1000, AXVM_OK}, /* up to it */
		{0x11000, 0x1000, AXVM_OK}, /* from it on */
	};
	struct machine *m = *state;

	assert_int_equal(add_space(m, 0x10000, 0x1000), AXVM_OK);
	assert_int_equal(add_space(m, 0x20000, 0x1000), AXVM_OK);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(add_space(m, cases[i].start, cases[i].size),
				 cases[i].result);
	assert_int_equal(m->vm.bus[AXVM_BUS_MMIO].count, 4);
}

static void buses_do_not_see_each_other(void **state)
{
	struct machine *m = *state;
	struct axvmi_space space = {.start = 0x3f8, .last = 0x3ff};

	assert_int_equal(axvmi_bus_add(&m->vm, AXVM_BUS_PORT, &space), AXVM_OK);
	assert_null(find(m, 0x3f8));
	assert_int_equal(add_space(m, 0, 0x1000), AXVM_OK);
	assert_int_equal(axvmi_bus_find(&m->vm.bus[AXVM_BUS_PORT], 0x3f8)->last,
			 0x3ff);
	assert_null(axvmi_bus_find(&m->vm.bus[AXVM_BUS_PORT], 0x3f7));
}

/* Against a linear search, with holes of many sizes, added in any order. */
static void search_agrees_with_a_linear_one_at_every_size(void **state)
{
	struct machine *m = *state;
	static uint64_t starts[1024];
	uint64_t seed = 1;
	uint32_t count = 0;

	while (count < ARRAY_SIZE(starts)) {
		uint64_t start;

		seed = seed * UINT64_C(6364136223846793005) + 1;
		start = (seed >> 40) % 4096 * 0x1000;
		if (add_space(m, start, 0x1 + (seed >> 33) % 0x1000) != AXVM_OK)
			continue;
		starts[count++] = start;
		if (count > 70 && count < 1020)
			continue;
		for (uint64_t addr = 0x7f8; addr < 4096 * 0x1000;
		     addr += 0x800) {
			const struct axvmi_space *found = find(m, addr);
			const struct axvmi_space *want = NULL;
			struct axvmi_bus *bus = &m->vm.bus[AXVM_BUS_MMIO];

			for (uint32_t i = 0; i < count; i++)
				if (bus->entries[i].start <= addr &&
				    bus->entries[i].last >= addr)
					want = &bus->entries[i];
			assert_ptr_equal(found, want);
		}
	}
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(find(m, starts[i])->start, starts[i]);
}

static void assert_hole(struct machine *m, uint64_t addr, uint64_t start,
			uint64_t last)
{
	struct axvmi_space hole =
		axvmi_bus_hole(&m->vm.bus[AXVM_BUS_MMIO], addr);

	assert_null(find(m, addr));
	assert_int_equal(hole.kind, AXVMI_SPACE_HOLE);
	assert_int_equal(hole.start, start);
	assert_int_equal(hole.last, last);
	assert_null(hole.device);
}

static void a_hole_reaches_from_one_entry_to_the_next(void **state)
{
	struct machine *m = *state;

	assert_hole(m, 0x5000, 0, UINT64_MAX);
	assert_int_equal(add_space(m, 0x10000, 0x1000), AXVM_OK);
	assert_int_equal(add_space(m, 0x20000, 0x1000), AXVM_OK);
	assert_int_equal(add_space(m, 0x21000, 0x1000), AXVM_OK);
	assert_hole(m, 0, 0, 0xffff);
	assert_hole(m, 0xffff, 0, 0xffff);
	assert_hole(m, 0x11000, 0x11000, 0x1ffff);
	assert_hole(m, 0x1ffff, 0x11000, 0x1ffff);
	assert_hole(m, 0x22000, 0x22000, UINT64_MAX);
	assert_hole(m, UINT64_MAX, 0x22000, UINT64_MAX);
}

static void removing_an_entry_leaves_a_hole_that_can_be_filled(void **state)
{
	struct machine *m = *state;

	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(add_space(m, i * 0x1000, 0x1000), AXVM_OK);
	axvmi_bus_remove(&m->vm, AXVM_BUS_MMIO, 0);
	axvmi_bus_remove(&m->vm, AXVM_BUS_MMIO, 0x7000);
	axvmi_bus_remove(&m->vm, AXVM_BUS_MMIO, 39 * 0x1000);
	assert_null(find(m, 0));
	assert_null(find(m, 0x7abc));
	assert_null(find(m, 39 * 0x1000));
	assert_int_equal(find(m, 0x6fff)->range, 6);
	assert_int_equal(find(m, 0x8000)->range, 8);
	assert_int_equal(add_space(m, 0x7000, 0x1000), AXVM_OK);
	assert_int_equal(find(m, 0x7abc)->range, 7);
}

static void out_of_memory_leaves_a_growing_bus_as_it_was(void **state)
{
	struct machine *m = *state;
	struct axvmi_bus before;
	uint64_t bytes;

	for (uint64_t i = 0; i < 16; i++)
		assert_int_equal(add_space(m, i * 0x1000, 0x1000), AXVM_OK);
	before = m->vm.bus[AXVM_BUS_MMIO];
	bytes = test_hal_live_bytes(m->hal);
	test_hal_fail_at(m->hal, 1);
	assert_int_equal(add_space(m, 0x100000, 0x1000), AXVM_ENOMEM);
	assert_true(test_hal_failed(m->hal));
	assert_memory_equal(&before, &m->vm.bus[AXVM_BUS_MMIO], sizeof(before));
	assert_int_equal(test_hal_live_bytes(m->hal), bytes);
	assert_int_equal(find(m, 0xf000)->range, 15);
	assert_int_equal(add_space(m, 0x100000, 0x1000), AXVM_OK);
	assert_int_equal(find(m, 0xf000)->range, 15);
}

/* ---- adding devices ---- */

static void a_device_is_found_by_address_with_its_range_index(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x10000000, 0x100);

	p.device.range_count = 2;
	p.device.ranges[1] = (struct axvm_device_range)MMIO(0x9000000, 0x1000);
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	assert_ptr_equal(p.device.vm, &m->vm);
	assert_int_equal(m->vm.device_count, 1);
	assert_int_equal(find(m, 0x10000000)->kind, AXVMI_SPACE_DEVICE);
	assert_ptr_equal(find(m, 0x100000ff)->device, &p.device);
	assert_int_equal(find(m, 0x100000ff)->range, 0);
	assert_int_equal(find(m, 0x9000000)->range, 1);
	assert_null(find(m, 0x10000100));
}

static void null_arguments_are_refused(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);

	assert_int_equal(axvm_add_device(NULL, &p.device), AXVM_EINVAL);
	assert_int_equal(axvm_add_device(&m->vm, NULL), AXVM_EINVAL);
}

static void malformed_devices_are_refused(void **state)
{
	static const struct axvm_device_ops nameless = {.access = probe_access};
	static const struct axvm_device_ops deaf = {.name = "deaf"};
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	const struct axvm_device good = p.device;

	p.device.ops = NULL;
	assert_refused(m, &p.device, AXVM_EINVAL);
	p.device.ops = &nameless;
	assert_refused(m, &p.device, AXVM_EINVAL);
	p.device.ops = &deaf;
	assert_refused(m, &p.device, AXVM_EINVAL);
	p.device = good;
	p.device.flags = AXVM_DEVICE_SERIAL | 2;
	assert_refused(m, &p.device, AXVM_EINVAL);
	p.device = good;
	p.device.range_count = 0;
	assert_refused(m, &p.device, AXVM_EINVAL);
	p.device.range_count = AXVM_DEVICE_MAX_RANGES + 1;
	assert_refused(m, &p.device, AXVM_EINVAL);
}

static void malformed_ranges_are_refused(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	const struct axvm_device_range good = p.device.ranges[0];
	struct axvm_device_range *range = &p.device.ranges[1];

	/* The second one: a look at the first alone would pass. */
	p.device.range_count = 2;
	*range = good;
	range->bus = (enum axvm_bus)3;
	assert_refused(m, &p.device, AXVM_EINVAL);
	*range = good;
	range->size = 0;
	assert_refused(m, &p.device, AXVM_EINVAL);
	*range = good;
	range->base = UINT64_MAX - 0xffe;
	assert_refused(m, &p.device, AXVM_EINVAL);
	*range = good;
	range->widths = 0;
	assert_refused(m, &p.device, AXVM_EINVAL);
	range->widths = 16 | 4;
	assert_refused(m, &p.device, AXVM_EINVAL);
}

static void
ranges_beyond_the_address_space_of_the_guest_are_refused(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(BIT64(GPA_BITS) - 0x1000, 0x1001);

	assert_refused(m, &p.device, AXVM_ERANGE);
	p.device.ranges[0].size = 0x1000;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);

	m->ops.buses = BIT64(AXVM_BUS_PORT) | BIT64(AXVM_BUS_SYSREG);
	p = probe(0xfff8, 9);
	p.device.ranges[0].bus = AXVM_BUS_PORT;
	assert_refused(m, &p.device, AXVM_ERANGE);
	p.device.ranges[0].size = 8;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);

	p = probe(UINT32_MAX, 2);
	p.device.ranges[0].bus = AXVM_BUS_SYSREG;
	assert_refused(m, &p.device, AXVM_ERANGE);
	p.device.ranges[0].size = 1;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
}

static void a_bus_that_the_architecture_lacks_is_refused(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x3f8, 8);

	p.device.ranges[0].bus = AXVM_BUS_PORT;
	assert_refused(m, &p.device, AXVM_ENOTSUP);
	p.device.ranges[0].bus = AXVM_BUS_SYSREG;
	assert_refused(m, &p.device, AXVM_ENOTSUP);
	m->ops.buses = BIT64(AXVM_BUS_PORT);
	assert_refused(m, &p.device, AXVM_ENOTSUP);
}

static void devices_are_added_while_the_vm_is_loading_only(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);

	for (uint32_t s = AXVM_VM_LOADED; s <= AXVM_VM_STOPPED; s++) {
		store_relaxed(&m->vm.state, s);
		assert_refused(m, &p.device, AXVM_ESTATE);
	}
	store_relaxed(&m->vm.state, AXVM_VM_LOADING);
	m->vm.destroying = true;
	assert_refused(m, &p.device, AXVM_ESTATE);
	m->vm.destroying = false;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
}

static void overlapping_devices_are_refused_with_both_owners_named(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	struct probe q = probe(0x1fff, 0x10);

	q.device.ops = &other_ops;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	assert_refused(m, &q.device, AXVM_EEXIST);
	assert_true(test_hal_logged(m->hal, "other overlaps probe"));
}

static void a_device_over_ram_is_refused(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x80000ff8, 0x10);

	assert_int_equal(add_space(m, 0x80001000, 0x1000), AXVM_OK);
	assert_refused(m, &p.device, AXVM_EEXIST);
	assert_true(test_hal_logged(m->hal, "probe overlaps RAM"));
}

static void a_device_over_a_window_is_refused(void **state)
{
	static const struct axvmi_space window = {
		.start = 0x5000, .last = 0x5fff, .kind = AXVMI_SPACE_WINDOW};
	struct machine *m = *state;
	struct probe p = probe(0x5ff8, 0x10);

	assert_int_equal(axvmi_bus_add(&m->vm, AXVM_BUS_MMIO, &window),
			 AXVM_OK);
	assert_refused(m, &p.device, AXVM_EEXIST);
	assert_true(test_hal_logged(m->hal, "probe overlaps a window"));
}

static void a_device_cannot_overlap_itself(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);

	p.device.range_count = 2;
	p.device.ranges[1] = (struct axvm_device_range)MMIO(0x1800, 0x10);
	assert_refused(m, &p.device, AXVM_EEXIST);
	assert_true(test_hal_logged(m->hal, "probe overlaps probe"));
	/* The same numbers on another bus are another place. */
	m->ops.buses = BIT64(AXVM_BUS_PORT);
	p.device.ranges[1].bus = AXVM_BUS_PORT;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
}

static void a_very_long_name_is_cut_in_the_message(void **state)
{
	static const struct axvm_device_ops ops = {
		.name = "a-name-longer-than-any-message-that-the-library-has-"
			"room-for-on-its-stack-while-it-refuses-a-device",
		.access = probe_access,
	};
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	struct probe q = probe(0x1000, 0x1000);

	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	q.device.ops = &ops;
	assert_refused(m, &q.device, AXVM_EEXIST);
	assert_true(test_hal_logged(m->hal, "a-name-longer"));
}

static void when_one_range_is_taken_none_is_added(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	struct probe q = probe(0x5000, 0x1000);

	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	q.device.range_count = 3;
	q.device.ranges[1] = (struct axvm_device_range)MMIO(0x7000, 0x1000);
	q.device.ranges[2] = (struct axvm_device_range)MMIO(0x1ff0, 0x1000);
	assert_refused(m, &q.device, AXVM_EEXIST);
	assert_null(find(m, 0x5000));
	assert_null(find(m, 0x7000));
}

static void the_first_range_counts_as_much_as_the_last(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x5000, 0x1000);

	p.device.range_count = 2;
	p.device.ranges[1] = (struct axvm_device_range)MMIO(0x7000, 0x1000);
	p.device.ranges[0].widths = 0;
	assert_refused(m, &p.device, AXVM_EINVAL);
	assert_null(find(m, 0x7000));
}

static void the_sixty_fifth_device_is_refused(void **state)
{
	struct machine *m = *state;
	static struct probe p[AXVMI_MAX_DEVICES + 1];

	for (uint32_t i = 0; i < AXVMI_MAX_DEVICES; i++) {
		p[i] = probe(0x10000 - i * 0x100, 0x100);
		assert_int_equal(axvm_add_device(&m->vm, &p[i].device),
				 AXVM_OK);
	}
	p[AXVMI_MAX_DEVICES] = probe(0x100000, 0x100);
	assert_refused(m, &p[AXVMI_MAX_DEVICES].device, AXVM_ENOSPC);
	for (uint32_t i = 0; i < AXVMI_MAX_DEVICES; i++)
		assert_ptr_equal(find(m, 0x10000 - i * 0x100)->device,
				 &p[i].device);
}

struct attempt {
	struct machine *m;
	struct probe *p;
	struct snapshot *before;
};

static int attempt_add(void *arg)
{
	struct attempt *a = arg;
	int err;

	a->before = snap(a->m, &a->p->device);
	err = axvm_add_device(&a->m->vm, &a->p->device);
	if (err != AXVM_OK)
		assert_unchanged(a->m, &a->p->device, a->before);
	else
		free(a->before);
	return err;
}

static void attempt_remove(void *arg)
{
	struct attempt *a = arg;

	axvmi_device_remove(&a->m->vm, &a->p->device);
}

/* Three empty buses: three allocations, each of which fails once. */
static void out_of_memory_adds_no_range_on_any_bus(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	struct attempt a = {.m = m, .p = &p};

	m->ops.buses = BIT64(AXVM_BUS_PORT) | BIT64(AXVM_BUS_SYSREG);
	p.device.range_count = 3;
	p.device.ranges[1] = p.device.ranges[2] = p.device.ranges[0];
	p.device.ranges[1].bus = AXVM_BUS_PORT;
	p.device.ranges[2].bus = AXVM_BUS_SYSREG;
	assert_int_equal(test_hal_sweep(m->hal, AXVM_ENOMEM, attempt_add,
					attempt_remove, &a),
			 3);
}

static void a_device_taken_out_again_leaves_the_others(void **state)
{
	struct machine *m = *state;
	struct probe p[3] = {probe(0x1000, 0x1000), probe(0x2000, 0x1000),
			     probe(0x3000, 0x1000)};

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(axvmi_device_add(&m->vm, &p[i].device),
				 AXVM_OK);
	axvmi_device_remove(&m->vm, &p[1].device);
	assert_int_equal(m->vm.device_count, 2);
	assert_ptr_equal(m->vm.devices[0], &p[0].device);
	assert_ptr_equal(m->vm.devices[1], &p[2].device);
	assert_null(p[1].device.vm);
	assert_null(find(m, 0x2000));
	assert_ptr_equal(find(m, 0x3000)->device, &p[2].device);
	assert_int_equal(axvmi_device_add(&m->vm, &p[1].device), AXVM_OK);
	assert_ptr_equal(find(m, 0x2000)->device, &p[1].device);
}

/* ---- access ---- */

static void a_read_reaches_the_device_relative_to_its_range(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x10000000, 0x100);
	uint64_t value = 0x5555;

	p.answer = 0x1234;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	assert_int_equal(touch(m, 0x10000044, 4, false, &value),
			 AXVMI_DISPATCH_DONE);
	assert_int_equal(value, 0x1234);
	assert_ptr_equal(p.last.vm, &m->vm);
	assert_int_equal(p.last.offset, 0x44);
	assert_int_equal(p.last.vcpu, 3);
	assert_int_equal(p.last.range, 0);
	assert_int_equal(p.last.size, 4);
	assert_int_equal(p.last.write, 0);
	/* What the register held before is none of the device's business. */
	assert_int_equal(p.last.value, 0);
}

static void a_written_value_is_cut_to_the_width_of_the_access(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x10000000, 0x100);
	static const struct {
		uint32_t size;
		uint64_t want;
	} cases[] = {{1, 0xef},
		     {2, 0xcdef},
		     {4, 0x89abcdef},
		     {8, UINT64_C(0x0123456789abcdef)}};

	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = UINT64_C(0x0123456789abcdef);

		p.answer = 7;
		assert_int_equal(
			touch(m, 0x10000008, cases[i].size, true, &value),
			AXVMI_DISPATCH_DONE);
		assert_int_equal(p.last.value, cases[i].want);
		assert_int_equal(p.last.write, 1);
		assert_int_equal(value, UINT64_C(0x0123456789abcdef));
	}
}

static void a_device_that_forgets_to_answer_reads_as_zero(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	uint64_t value = 0xdead;

	p.silent = true;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	assert_int_equal(touch(m, 0x1000, 8, false, &value),
			 AXVMI_DISPATCH_DONE);
	assert_int_equal(value, 0);
}

static void widths_the_range_does_not_allow_fault(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	static const uint32_t sizes[] = {1, 2, 4, 8};

	p.device.ranges[0].widths = 1 | 4;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t value = 77;
		bool allowed = sizes[i] == 1 || sizes[i] == 4;

		p.answer = 5;
		assert_int_equal(touch(m, 0x1008, sizes[i], false, &value),
				 allowed ? AXVMI_DISPATCH_DONE
					 : AXVMI_DISPATCH_FAULT);
		assert_int_equal(value, allowed ? 5 : 77);
	}
	assert_int_equal(p.calls, 2);
}

static void sizes_that_no_cpu_has_fault(void **state)
{
	static const uint32_t sizes[] = {0,  3,	 5,	6,	    7,
					 12, 16, 0x100, 0x80000001, UINT32_MAX};
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	struct probe q = probe(0x10, 0x10);
	uint64_t value = 0;

	m->ops.buses = BIT64(AXVM_BUS_SYSREG);
	q.device.ranges[0].bus = AXVM_BUS_SYSREG;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	assert_int_equal(axvm_add_device(&m->vm, &q.device), AXVM_OK);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(touch(m, 0x1000, sizes[i], true, &value),
				 AXVMI_DISPATCH_FAULT);
		assert_int_equal(
			axvmi_device_access(
				&m->vcpu,
				axvmi_bus_find(&m->vm.bus[AXVM_BUS_SYSREG],
					       0x10),
				0x10, sizes[i], true, &value),
			AXVMI_DISPATCH_FAULT);
	}
	assert_int_equal(p.calls + q.calls, 0);
}

static void unaligned_accesses_fault(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	uint64_t value = 0;

	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	for (uint32_t size = 1; size <= 8; size *= 2)
		for (uint32_t at = 0; at < 16; at++)
			assert_int_equal(
				touch(m, 0x1000 + at, size, false, &value),
				at % size == 0 ? AXVMI_DISPATCH_DONE
					       : AXVMI_DISPATCH_FAULT);
}

/* A 16-bit register at an odd port is what VBE has at 0x1cf. */
static void alignment_counts_from_the_start_of_the_range(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1cf, 2);
	const struct axvmi_space *space;
	uint64_t value = 0;

	m->ops.buses = BIT64(AXVM_BUS_PORT);
	p.device.ranges[0].bus = AXVM_BUS_PORT;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	space = axvmi_bus_find(&m->vm.bus[AXVM_BUS_PORT], 0x1cf);
	assert_int_equal(
		axvmi_device_access(&m->vcpu, space, 0x1cf, 2, true, &value),
		AXVMI_DISPATCH_DONE);
	assert_int_equal(
		axvmi_device_access(&m->vcpu, space, 0x1d0, 2, true, &value),
		AXVMI_DISPATCH_FAULT);
}

static void accesses_over_the_end_of_a_range_fault(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0xd);
	struct probe q = probe(0x100d, 0x10);
	uint64_t value = 0;

	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	assert_int_equal(axvm_add_device(&m->vm, &q.device), AXVM_OK);
	assert_int_equal(touch(m, 0x100c, 1, false, &value),
			 AXVMI_DISPATCH_DONE);
	assert_int_equal(touch(m, 0x100c, 2, false, &value),
			 AXVMI_DISPATCH_FAULT);
	assert_int_equal(touch(m, 0x100c, 4, false, &value),
			 AXVMI_DISPATCH_FAULT);
	assert_int_equal(touch(m, 0x1008, 8, false, &value),
			 AXVMI_DISPATCH_FAULT);
	assert_int_equal(touch(m, 0x1008, 4, false, &value),
			 AXVMI_DISPATCH_DONE);
	assert_int_equal(q.calls, 0);
}

/* Every aligned access of a plain width is also allowed the long way. */
static void plain_widths_are_those_that_cannot_reach_over_an_end(void **state)
{
	static const struct {
		uint64_t start, size;
		uint32_t widths, flags, plain;
	} cases[] = {
		{0x1000, 0x1000, 15, 0, 15},
		{0x1000, 0x1000, 4, 0, 4},
		{0x1000, 0x1000, 15, AXVM_DEVICE_SERIAL, 0},
		{0x1004, 0x1000, 15, 0, 7}, /* both ends */
		{0x1000, 0x0ffc, 15, 0, 7}, /* the end */
		{0x1002, 0x1006, 15, 0, 3}, /* the start */
		{0x1000, 0x0fff, 15, 0, 1},
		{0x1001, 0x0fff, 14, 0, 0},
		{0xfffffffffffff000, 0x1000, 15, 0, 15},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct axvm_device device = {.flags = cases[i].flags};
		struct axvmi_space space = {
			.start = cases[i].start,
			.last = cases[i].start + (cases[i].size - 1),
			.device = &device,
			.widths = (uint16_t)cases[i].widths,
			.kind = AXVMI_SPACE_DEVICE,
		};

		assert_int_equal(axvmi_device_plain_widths(&space),
				 cases[i].plain);
	}
}

static void a_system_register_is_reached_by_any_allowed_width(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0xc0000081, 3);
	uint64_t value = 0;

	m->ops.buses = BIT64(AXVM_BUS_SYSREG);
	p.device.ranges[0].bus = AXVM_BUS_SYSREG;
	p.device.ranges[0].widths = 4 | 8;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	for (uint64_t number = 0xc0000081; number < 0xc0000084; number++) {
		const struct axvmi_space *space =
			axvmi_bus_find(&m->vm.bus[AXVM_BUS_SYSREG], number);

		assert_non_null(space);
		assert_int_equal(axvmi_device_access(&m->vcpu, space, number, 8,
						     false, &value),
				 AXVMI_DISPATCH_DONE);
		assert_int_equal(p.last.offset, number - 0xc0000081);
		assert_int_equal(axvmi_device_access(&m->vcpu, space, number, 2,
						     false, &value),
				 AXVMI_DISPATCH_FAULT);
	}
	assert_null(axvmi_bus_find(&m->vm.bus[AXVM_BUS_SYSREG], 0xc0000084));
}

static void the_device_decides_how_the_access_ends(void **state)
{
	struct machine *m = *state;
	struct probe p = probe(0x1000, 0x1000);
	uint64_t value = 0xabc;

	p.answer = 1;
	assert_int_equal(axvm_add_device(&m->vm, &p.device), AXVM_OK);
	p.result = AXVM_ACCESS_FAULT;
	assert_int_equal(touch(m, 0x1000, 4, false, &value),
			 AXVMI_DISPATCH_FAULT);
	p.result = AXVM_ACCESS_EXIT;
	assert_int_equal(touch(m, 0x1000, 4, false, &value),
			 AXVMI_DISPATCH_EXIT);
	/* A result that does not exist is the host's bug, not a way out. */
	p.result = (enum axvm_access_result)3;
	assert_int_equal(touch(m, 0x1000, 4, false, &value),
			 AXVMI_DISPATCH_FAULT);
	assert_int_equal(value, 0xabc);
}

/* ---- serial devices ---- */

struct counter {
	struct axvm_device device;
	unsigned inside;
	unsigned most;
	uint64_t sum; /* plain: only the lock keeps it right */
};

static enum axvm_access_result count_access(struct axvm_device *device,
					    struct axvm_device_access *access)
{
	struct counter *c = CONTAINER_OF(device, struct counter, device);

	c->inside++;
	if (c->inside > c->most)
		c->most = c->inside;
	if (c->sum % 64 == 0)
		sched_yield(); /* the others come now, if they can */
	c->sum += access->value;
	c->inside--;
	return AXVM_ACCESS_DONE;
}

#define SERIAL_THREADS 4
#define SERIAL_ROUNDS 5000u

static void *hammer(void *arg)
{
	struct machine *m = arg;

	for (unsigned i = 0; i < SERIAL_ROUNDS; i++) {
		uint64_t one = 1;

		if (axvmi_device_access(&m->vcpu, find(m, 0x1000), 0x1000, 4,
					true, &one) != AXVMI_DISPATCH_DONE)
			abort();
	}
	return NULL;
}

static void accesses_of_a_serial_device_never_meet(void **state)
{
	static const struct axvm_device_ops ops = {.name = "counter",
						   .access = count_access};
	struct machine *m = *state;
	struct counter c = {.device = {.ops = &ops,
				       .flags = AXVM_DEVICE_SERIAL,
				       .range_count = 1,
				       .ranges = {MMIO(0x1000, 4)},
				       .lock = 99}};
	pthread_t threads[SERIAL_THREADS];

	c.device.ranges[0].widths = 4;
	assert_int_equal(axvm_add_device(&m->vm, &c.device), AXVM_OK);
	for (unsigned i = 0; i < SERIAL_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, m),
				 0);
	for (unsigned i = 0; i < SERIAL_THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(c.most, 1);
	assert_int_equal(c.sum, SERIAL_THREADS * SERIAL_ROUNDS);
	assert_int_equal(c.device.lock, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_bus_is_one_hole),
		TEST(an_entry_holds_its_first_and_last_byte_and_no_neighbour),
		TEST(entries_may_touch_the_ends_of_the_address_space),
		TEST(the_whole_address_space_can_be_one_entry),
		TEST(every_kind_of_overlap_is_refused),
		TEST(buses_do_not_see_each_other),
		TEST(search_agrees_with_a_linear_one_at_every_size),
		TEST(a_hole_reaches_from_one_entry_to_the_next),
		TEST(a_hole_reaches_from_one_entry_to_the_next),
		TEST(removing_an_entry_leaves_a_hole_that_can_be_filled),
		TEST(out_of_memory_leaves_a_growing_bus_as_it_was),
		TEST(a_device_is_found_by_address_with_its_range_index),
		TEST(null_arguments_are_refused),
		TEST(malformed_devices_are_refused),
		TEST(malformed_ranges_are_refused),
		TEST(ranges_beyond_the_address_space_of_the_guest_are_refused),
		TEST(a_bus_that_the_architecture_lacks_is_refused),
		TEST(devices_are_added_while_the_vm_is_loading_only),
		TEST(overlapping_devices_are_refused_with_both_owners_named),
		TEST(a_device_over_ram_is_refused),
		TEST(a_device_over_a_window_is_refused),
		TEST(a_device_cannot_overlap_itself),
		TEST(a_very_long_name_is_cut_in_the_message),
		TEST(when_one_range_is_taken_none_is_added),
		TEST(the_first_range_counts_as_much_as_the_last),
		TEST(the_sixty_fifth_device_is_refused),
		TEST(out_of_memory_adds_no_range_on_any_bus),
		TEST(a_device_taken_out_again_leaves_the_others),
		TEST(a_read_reaches_the_device_relative_to_its_range),
		TEST(a_written_value_is_cut_to_the_width_of_the_access),
		TEST(a_device_that_forgets_to_answer_reads_as_zero),
		TEST(widths_the_range_does_not_allow_fault),
		TEST(sizes_that_no_cpu_has_fault),
		TEST(unaligned_accesses_fault),
		TEST(alignment_counts_from_the_start_of_the_range),
		TEST(accesses_over_the_end_of_a_range_fault),
		TEST(plain_widths_are_those_that_cannot_reach_over_an_end),
		TEST(a_system_register_is_reached_by_any_allowed_width),
		TEST(the_device_decides_how_the_access_ends),
		TEST(accesses_of_a_serial_device_never_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
