/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * One MMIO read of a random device out of 4, 64 or 1024: as a backend's exit
 * path does it, and as a bare search and an indirect call would.
 */
#include "bench.h"
#include "stub_internal.h"

#define SIZES 3u
#define DEVICES_MAX 1024u
#define DEVICES_BASE UINT64_C(0x10000000)
#define DEVICES_SHIFT 16u

static struct bench_row rows[SIZES] = {
	{.name = "dispatch_4"},
	{.name = "dispatch_64"},
	{.name = "dispatch_1024"},
};

static struct bench_row bare_rows[SIZES] = {
	{.name = "limit_dispatch_4"},
	{.name = "limit_dispatch_64"},
	{.name = "limit_dispatch_1024"},
};

static const unsigned sizes[SIZES] = {4, 64, DEVICES_MAX};

/* What a register read is, in both. */
struct model {
	struct axvm_device device;
	uint64_t value;
};

struct bare_entry {
	uint64_t start;
	uint64_t last;
	uint64_t (*read)(void *ctx, uint64_t off, unsigned size);
	void *ctx;
};

static struct stub_machine *m;
static struct axvm_vm *vms[SIZES];
static struct model models[DEVICES_MAX];
static uint64_t bare_starts[DEVICES_MAX];
static struct bare_entry bare_entries[DEVICES_MAX];

static uint64_t address(unsigned random, unsigned devices)
{
	return DEVICES_BASE +
	       ((uint64_t)(random & (devices - 1)) << DEVICES_SHIFT) + 8;
}

static enum axvm_access_result model_access(struct axvm_device *device,
					    struct axvm_device_access *access)
{
	access->value = ((struct model *)device)->value + access->offset;
	return AXVM_ACCESS_DONE;
}

static uint64_t bare_read(void *ctx, uint64_t off, unsigned size)
{
	(void)size;
	return ((struct model *)ctx)->value + off;
}

/* The steps of riscv_h's exit.c between decoding and the register's write. */
static bool dispatch(struct axvm_vcpu *vcpu, uint64_t gpa, uint64_t *value)
{
	const struct axvmi_space *space =
		axvmi_bus_find(&vcpu->vm->bus[AXVM_BUS_MMIO], gpa);

	if (space == NULL || space->kind != AXVMI_SPACE_DEVICE)
		return false;
	return axvmi_device_access(vcpu, space, gpa, 4, false, value) ==
	       AXVMI_DISPATCH_DONE;
}

static void round_ours(unsigned n)
{
	struct axvm_vcpu vcpu = {.vm = vms[n]};
	uint64_t start = bench_now();
	bool good = true;

	for (unsigned i = 0; i < BENCH_RANDOM; i++) {
		uint64_t gpa = address(bench_random[i], sizes[n]);
		uint64_t value = 0;

		good = dispatch(&vcpu, gpa, &value) && good;
		bench_use(value);
	}
	bench_sample(&rows[n], start, BENCH_RANDOM);
	bench_must(good, "dispatch");
}

/* The same search, its table's size aside known to nobody. */
static const struct bare_entry *bare_find(uint64_t gpa, size_t count)
{
	const uint64_t *base = bare_starts;

	while (count > 1) {
		size_t half = count / 2;

		base += half & (opaque64(base[half] > gpa) - 1);
		count -= half;
	}
	return &bare_entries[base - bare_starts];
}

static void round_bare(unsigned n)
{
	uint64_t start = bench_now();
	bool good = true;

	for (unsigned i = 0; i < BENCH_RANDOM; i++) {
		uint64_t gpa = address(bench_random[i], sizes[n]);
		const struct bare_entry *entry = bare_find(gpa, sizes[n]);

		if (gpa - entry->start > entry->last - entry->start)
			good = false;
		else
			bench_use(
				entry->read(entry->ctx, gpa - entry->start, 4));
	}
	bench_sample(&bare_rows[n], start, BENCH_RANDOM);
	bench_must(good, "bare dispatch");
}

static struct axvm_vm *new_vm(unsigned devices)
{
	const struct axvm_vm_config config = {
		.size = sizeof(config),
		.id = devices,
		.name = "bench",
		.cpu_num = 1,
	};
	struct axvm_vm *vm = NULL;

	bench_must(axvm_create(stub_get_host(m), &config, NULL, &vm) == 0,
		   "create");
	for (unsigned i = 0; i < devices; i++) {
		const struct axvmi_space space = {
			.start = address(i, devices) & ~(PAGE - 1),
			.last = address(i, devices) | (PAGE - 1),
			.device = &models[i].device,
			.widths = 4,
			.kind = AXVMI_SPACE_DEVICE,
		};

		/* Straight onto the bus: a VM has 64 devices at most. */
		bench_must(axvmi_bus_add(vm, AXVM_BUS_MMIO, &space) == 0,
			   "device");
	}
	return vm;
}

static void setup(void)
{
	static const struct axvm_device_ops ops = {.name = "model",
						   .access = model_access};
	const struct stub_config config = {.cpus = 1, .no_tables = true};

	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		uint64_t base = address(i, DEVICES_MAX) & ~(PAGE - 1);

		models[i].device.ops = &ops;
		models[i].value = i;
		bare_starts[i] = base;
		bare_entries[i] = (struct bare_entry){
			.start = base,
			.last = base + (PAGE - 1),
			.read = bare_read,
			.ctx = &models[i],
		};
	}
	m = stub_new(&config);
	for (unsigned n = 0; n < SIZES; n++)
		vms[n] = new_vm(sizes[n]);
}

static void round_all(void)
{
	for (unsigned n = 0; n < SIZES; n++) {
		round_ours(n);
		round_bare(n);
	}
}

static void report(void)
{
	bench_print(rows, SIZES);
	bench_print(bare_rows, SIZES);
	for (unsigned n = 0; n < SIZES; n++)
		bench_must(axvm_destroy(vms[n]) == 0, "destroy");
	bench_must(stub_delete(m), "machine");
}

const struct bench_file dispatch_benches = {
	.setup = setup,
	.report = report,
	.steps = {round_all},
};
