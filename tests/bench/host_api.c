/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The same edits and queries through the public calls, on a VM whose vCPUs have
 * never run: what the checks, the lock, the batch and the read section add. The
 * host is linear, its RAM is imaginary: nothing here reads or writes it.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "stub_internal.h"

enum {
	MAP_ONE,
	PROTECT_ALT,
	QUERY,
	ROWS
};

static struct bench_row rows[ROWS] = {
	[MAP_ONE].name = "api_map_one",
	[PROTECT_ALT].name = "api_protect_alt",
	[QUERY].name = "api_query",
};

static struct stub_machine *m;
static struct axvm_vm *vm;
static uint32_t rights = AXVM_RWX;

/* Physical addresses are virtual ones: every table frame fits an entry. */
static void *alloc(void *ctx, size_t size, size_t align)
{
	void *block = NULL;

	(void)ctx;
	if (posix_memalign(&block,
			   align < sizeof(void *) ? sizeof(void *) : align,
			   size) != 0)
		return NULL;
	return block;
}

static void release(void *ctx, void *block, size_t size)
{
	(void)ctx;
	(void)size;
	free(block);
}

static struct axvm_hpa virt_to_phys(void *ctx, const void *block)
{
	(void)ctx;
	return axvm_to_hpa((uint64_t)(uintptr_t)block);
}

static void *phys_to_virt(void *ctx, struct axvm_hpa hpa)
{
	(void)ctx;
	return (void *)(uintptr_t)hpa.value;
}

static void map(uint64_t page)
{
	bench_must(axvm_map(vm, axvm_to_gpa(GUEST + page * PAGE),
			    axvm_to_hpa(FRAMES_4K + page * PAGE), PAGE,
			    rights) == 0,
		   "axvm_map");
}

static void unmap(uint64_t page, uint64_t size)
{
	bench_must(axvm_unmap(vm, axvm_to_gpa(GUEST + page * PAGE), size) == 0,
		   "axvm_unmap");
}

static void round_map_one(void)
{
	uint64_t start;

	for (uint64_t page = 0; page < TABLE_PAGES; page += 2)
		unmap(page, PAGE);
	start = bench_now();
	for (uint64_t page = 0; page < TABLE_PAGES; page += 2)
		map(page);
	bench_sample(&rows[MAP_ONE], start, TABLE_PAGES / 2);
}

static void round_protect(void)
{
	uint64_t start = bench_now();

	rights ^= AXVM_WRITE;
	for (uint64_t page = 0; page < TABLE_PAGES; page += 2)
		bench_must(axvm_protect(vm, axvm_to_gpa(GUEST + page * PAGE),
					PAGE, rights) == 0,
			   "axvm_protect");
	bench_sample(&rows[PROTECT_ALT], start, TABLE_PAGES / 2);
}

static void round_query(void)
{
	uint64_t start = bench_now();
	struct axvm_mapping mapping;
	int errors = 0;

	for (unsigned i = 0; i < BENCH_RANDOM; i++) {
		uint64_t gpa = GUEST + bench_random[i] * PAGE;

		errors |= axvm_query(vm, axvm_to_gpa(gpa), &mapping);
		bench_use(mapping.hpa.value);
	}
	bench_sample(&rows[QUERY], start, BENCH_RANDOM);
	bench_must(errors == 0, "axvm_query");
}

static void setup(void)
{
	static struct axvm_region_config region;
	const struct stub_config machine = {
		.format = STUB_EPT, .cpus = 1, .no_tables = true};
	const struct axvm_vm_config config = {
		.size = sizeof(config),
		.id = 1,
		.name = "bench",
		.cpu_num = 1,
		.regions = &region,
		.region_count = 1,
	};
	struct axvm_hal *hal;

	m = stub_new_bare(&machine);
	hal = &stub_hal(m)->hal;
	hal->alloc = alloc;
	hal->free = release;
	hal->virt_to_phys = virt_to_phys;
	hal->phys_to_virt = phys_to_virt;
	hal->linear = true;
	hal->virt_offset = 0;
	bench_must(stub_host(m) == 0 && stub_cpu_enable(m, 0) == 0, "host");
	region.gpa.value = GUEST;
	region.size = GIB(1);
	region.access = AXVM_RWX;
	/* Frames of the host's that are not touched. */
	region.kind = AXVM_REGION_RESERVED;
	bench_must(axvm_create(stub_get_host(m), &config, NULL, &vm) == 0,
		   "axvm_create");
	bench_must(axvm_init(vm) == 0, "axvm_init");
	unmap(0, GIB(1));
	for (uint64_t page = 0; page < TABLE_PAGES; page++)
		map(page);
}

static void report(void)
{
	bench_print(rows, ROWS);
	while (axvm_destroy(vm) != 0)
		;
	bench_must(stub_delete(m), "machine");
}

const struct bench_file api_benches = {
	.setup = setup,
	.report = report,
	.steps = {round_protect, round_map_one, round_query},
};
