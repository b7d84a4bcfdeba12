/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Out of memory in every public call that allocates: the k-th allocation fails,
 * alone or with all that follow, for every k. The call answers ENOMEM (a run:
 * FAULT, NO_MEMORY) and everything that can be seen is as before; then the same
 * call succeeds, and in the end every byte is back. A row of `calls` per call.
 */
#include "core_test.h"
#include "internal.h"
#include "stub_internal.h"

#define DEMAND (RAM + MIB(64))
#define LENT (RAM + MIB(128))
#define LEAVES 2048u
#define SPACES 32u

/* ---- everything that can be seen ---- */

struct seen {
	size_t live;
	uint64_t bytes;
	uint32_t cpus;
	/* Of the VM, if there is one. */
	enum axvm_vm_state state;
	uint32_t vcpus[2], devices, images;
	uint64_t regs[2][STUB_REGS];
	struct axvmi_space spaces[AXVMI_BUSES][SPACES];
	uint32_t leaf_count;
	struct {
		uint64_t gpa;
		struct axvm_mapping mapping;
	} leaves[LEAVES];
	uint64_t content; /* of the frames, but for RESERVED regions */
};

static struct axvm_vm *vm;
static struct axvm_host *second_host;
static struct axvm_hpa lent;
static struct axvm_device device;

static void see_frame(struct seen *s, uint64_t hpa)
{
	const uint64_t *word =
		test_hal_virt(stub_hal(m), axvm_to_hpa(hpa & ~(PAGE - 1)));

	for (unsigned i = 0; i < PAGE / sizeof(*word); i++)
		s->content = (s->content ^ word[i]) * UINT64_C(0x100000001b3);
}

static void see_region(struct seen *s, const struct axvm_region_config *r)
{
	uint64_t gpa = r->gpa.value;

	while (gpa - r->gpa.value < r->size) {
		struct axvm_mapping mapping;
		uint64_t step = PAGE;

		memset(&mapping, 0, sizeof(mapping));
		if (axvm_query(vm, axvm_to_gpa(gpa), &mapping) == AXVM_OK) {
			assert_true(s->leaf_count < LEAVES);
			s->leaves[s->leaf_count].gpa = gpa;
			s->leaves[s->leaf_count++].mapping = mapping;
			step = mapping.leaf_size;
		}
		for (uint64_t off = 0; mapping.leaf_size != 0 && off < step &&
				       r->kind != AXVM_REGION_RESERVED;
		     off += PAGE)
			see_frame(s, mapping.hpa.value + off);
		gpa += step;
	}
}

static void see_vm(struct seen *s)
{
	s->state = axvm_vm_state(vm);
	s->devices = vm->device_count;
	s->images = vm->image_count;
	for (uint32_t n = 0; n < AXVMI_BUSES; n++) {
		assert_true(vm->bus[n].count <= SPACES);
		if (vm->bus[n].count != 0)
			memcpy(s->spaces[n], vm->bus[n].entries,
			       vm->bus[n].count * sizeof(struct axvmi_space));
	}
	if (s->state == AXVM_VM_LOADING)
		return;
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		s->vcpus[i] = axvm_vcpu_state(vm, i);
		for (uint32_t n = 0; n < STUB_REGS; n++)
			s->regs[i][n] = stub_reg(vm, i, AXVM_REG_GPR(n));
	}
	for (uint32_t i = 0; i < vm->config.region_count; i++)
		see_region(s, &vm->config.regions[i]);
}

static void see(struct seen *s)
{
	memset(s, 0, sizeof(*s));
	s->live = test_hal_live(stub_hal(m));
	s->bytes = test_hal_live_bytes(stub_hal(m));
	if (m->host != NULL)
		s->cpus = load_seq(&m->host->enabled_cpus);
	if (vm != NULL)
		see_vm(s);
}

/* ---- the calls ---- */

static void nothing_yet(void)
{
}

static int host_create(void)
{
	return axvm_host_create(&stub_hal(m)->hal, stub_ops(m), 4,
				&second_host);
}

static int cpu_enable(void)
{
	return stub_cpu_enable(m, 2);
}

static int create(void)
{
	return axvm_create(stub_get_host(m), &config, NULL, &vm);
}

static enum axvm_access_result no_access(struct axvm_device *d,
					 struct axvm_device_access *access)
{
	(void)d;
	(void)access;
	return AXVM_ACCESS_DONE;
}

static const struct axvm_device_ops device_ops = {.name = "d",
						  .access = no_access};

static struct axvm_device plain_device(uint64_t base)
{
	return (struct axvm_device){
		.ops = &device_ops,
		.range_count = 1,
		.ranges = {{AXVM_BUS_MMIO, base, 8, 8, 0}},
	};
}

/* The first table of that bus is full. */
static void sixteen_devices(void)
{
	static struct axvm_device others[16];

	vm = created();
	for (unsigned i = 0; i < 16; i++) {
		others[i] = plain_device(NOWHERE + i * 0x100);
		assert_int_equal(axvm_add_device(vm, &others[i]), AXVM_OK);
	}
	device = plain_device(NOWHERE + 0x4000);
	device.range_count = 3;
	device.ranges[1] =
		(struct axvm_device_range){AXVM_BUS_PORT, 8, 8, 1, 0};
	device.ranges[2] =
		(struct axvm_device_range){AXVM_BUS_SYSREG, 8, 8, 8, 0};
}

static int add_device(void)
{
	return axvm_add_device(vm, &device);
}

static void created_vm(void)
{
	vm = created();
}

static int init(void)
{
	return axvm_init(vm);
}

/* Kinds of regions, images, a controller, tables in a page on demand. */
static void created_with_everything(void)
{
	static const char file[] = "a file in two pages";
	struct axvm_image image = {.data = file, .size = sizeof(file)};

	regions[0].size = KIB(256);
	add_region(DEMAND, KIB(128), AXVM_REGION_DEMAND);
	config.kernel.dtb_gpa.value = DEMAND + KIB(16);
	add_region(LENT, KIB(8), AXVM_REGION_HOST)->hpa = lent;
	add_pic();
	config.cpu_num = 2;
	config.name = "a name";
	vm = created();
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_KERNEL, &image),
			 AXVM_OK);
	image.gpa.value = DEMAND + PAGE - 4;
	assert_int_equal(axvm_add_image(vm, AXVM_IMAGE_RAW, &image), AXVM_OK);
}

/* More pieces than one list of them holds. */
static void created_of_small_pieces(void)
{
	test_hal_max_align(stub_hal(m), KIB(16)); /* a root table */
	regions[0].size = 180 * PAGE;
	regions[0].gpa.value = RAM + MIB(2) - 90 * PAGE;
	config.kernel.entry = regions[0].gpa;
	vm = created();
}

static const struct stub_op nothing[] = {THE_END};

static void stopped_with_edits(void)
{
	struct axvm_gpa gpa = axvm_to_gpa(RAM);

	created_with_everything();
	assert_int_equal(axvm_init(vm), AXVM_OK);
	stub_program(vm, 0, nothing);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(axvm_unmap(vm, gpa, KIB(256)), AXVM_OK);
	assert_int_equal(axvm_map(vm, gpa, lent, PAGE, AXVM_RW), AXVM_OK);
	stop(vm);
}

static int reset_vm(void)
{
	int err;

	do
		err = axvm_reset(vm);
	while (err == AXVM_EAGAIN);
	return err;
}

static void large_leaves(void)
{
	regions[0].size = MIB(8);
	test_hal_max_align(stub_hal(m), MIB(2));
	vm = loaded();
}

/* Both ends of the range are inside a leaf. */
static int unmap_across(void)
{
	return axvm_unmap(vm, axvm_to_gpa(RAM + MIB(1)), MIB(4));
}

static int protect_across(void)
{
	return axvm_protect(vm, axvm_to_gpa(RAM + MIB(1)), MIB(4), AXVM_READ);
}

static void huge_leaf(void)
{
	uint64_t gpa =
		test_hal_host_memory(stub_hal(m), MIB(1024), MIB(1024)).value;

	config.region_count = 0;
	config.kernel.entry.value = 0;
	add_region(gpa, MIB(1024), AXVM_REGION_RESERVED);
	vm = loaded();
}

static int unmap_in_huge(void)
{
	uint64_t gpa = regions[0].gpa.value;

	return axvm_unmap(vm, axvm_to_gpa(gpa + MIB(3)), PAGE);
}

/* Two leaf tables and one above them are gone. */
static void hole(void)
{
	add_region(LENT, MIB(4), AXVM_REGION_ALLOC);
	vm = loaded();
	assert_int_equal(axvm_unmap(vm, axvm_to_gpa(LENT), MIB(4)), AXVM_OK);
}

static int map_two_tables(void)
{
	return axvm_map(vm, axvm_to_gpa(LENT + MIB(2) - PAGE), lent, 2 * PAGE,
			AXVM_RW);
}

static void demand_page(void)
{
	add_region(DEMAND, MIB(1), AXVM_REGION_DEMAND);
	vm = loaded();
}

static int read_demand(void)
{
	uint64_t word = 1;
	int err = axvm_read_guest(vm, axvm_to_gpa(DEMAND), &word, sizeof(word));

	assert_int_equal(word, err == AXVM_OK ? 0 : 1);
	return err;
}

static int write_demand(void)
{
	return axvm_write_guest(vm, axvm_to_gpa(DEMAND + PAGE), "word", 4);
}

static void demand_guest(void)
{
	static const struct stub_op ops[] = {OP(WRITE, DEMAND + 8, 5), THE_END};

	demand_page();
	stub_program(vm, 0, ops);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
}

static int run_demand(void)
{
	if (run(vm) == AXVM_EXIT_IRQ)
		return AXVM_OK;
	assert_int_equal(left->reason, AXVM_EXIT_FAULT);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_NO_MEMORY);
	assert_int_equal(left->gpa, DEMAND + 8);
	return AXVM_ENOMEM;
}

struct call {
	const char *name;
	void (*prepare)(void);
	int (*make)(void);
	unsigned least; /* allocations there are, at least */
	bool goes_on; /* a failed one is continued: only the state stays */
};

static const struct call calls[] = {
	{"axvm_host_create", nothing_yet, host_create, 1, false},
	{"axvm_cpu_enable", nothing_yet, cpu_enable, 1, false},
	{"axvm_create", nothing_yet, create, 3, false},
	{"axvm_add_device", sixteen_devices, add_device, 3, false},
	{"axvm_init", created_vm, init, 20, false},
	{"axvm_init of everything", created_with_everything, init, 20, false},
	{"axvm_init of small pieces", created_of_small_pieces, init, 180,
	 false},
	{"axvm_reset after edits", stopped_with_edits, reset_vm, 4, true},
	{"axvm_unmap in 2 MiB leaves", large_leaves, unmap_across, 2, false},
	{"axvm_protect in 2 MiB leaves", large_leaves, protect_across, 2,
	 false},
	{"axvm_unmap in a 1 GiB leaf", huge_leaf, unmap_in_huge, 2, false},
	{"axvm_map", hole, map_two_tables, 2, false},
	{"axvm_read_guest", demand_page, read_demand, 2, false},
	{"axvm_write_guest", demand_page, write_demand, 2, false},
	{"axvm_run_vcpu", demand_guest, run_demand, 2, false},
};

/* ---- the sweep ---- */

static void begin_call(const struct call *call, enum stub_format format)
{
	struct stub_config c = {
		.format = format,
		.cpus = 2,
		.tag_bits = 8,
		.no_tables = call->prepare != created_with_everything &&
			     call->prepare != stopped_with_edits,
	};

	new_config();
	vm = NULL;
	second_host = NULL;
	m = stub_new(&c);
	lent = test_hal_host_memory(stub_hal(m), KIB(8), PAGE);
	call->prepare();
}

static void end_call(void)
{
	stub_be(m, 0);
	no_violation();
	if (vm != NULL)
		end(vm);
	if (second_host != NULL)
		assert_int_equal(axvm_host_destroy(second_host), AXVM_OK);
	assert_true(stub_delete(m));
	m = NULL;
}

static void same(const struct call *call, const struct seen *a,
		 const struct seen *b, unsigned k)
{
	if (call->goes_on ? a->state == b->state && a->cpus == b->cpus
			  : memcmp(a, b, sizeof(*a)) == 0)
		return;
	fail_msg("%s: allocation %u failed: %zu and %zu live, %u and %u leaves",
		 call->name, k, a->live, b->live, a->leaf_count, b->leaf_count);
}

/* True: there was an allocation to fail. */
static bool attempt(const struct call *call, enum stub_format format,
		    unsigned k, bool all_after)
{
	static struct seen before, after;
	bool failed;
	int err;

	begin_call(call, format);
	see(&before);
	if (all_after)
		test_hal_fail_from(stub_hal(m), k);
	else
		test_hal_fail_at(stub_hal(m), k);
	err = call->make();
	failed = test_hal_failed(stub_hal(m));
	/* It may have found another way, as with smaller pieces. */
	if (err == AXVM_OK) {
		assert_true(!failed || !all_after);
		end_call();
		return failed;
	}
	assert_true(failed);
	assert_int_equal(err, AXVM_ENOMEM);
	see(&after);
	same(call, &before, &after, k);
	assert_int_equal(call->make(), AXVM_OK);
	end_call();
	return true;
}

static void sweep_call(const struct call *call, enum stub_format format)
{
	for (unsigned all_after = 0; all_after < 2; all_after++) {
		unsigned k = 1;

		while (attempt(call, format, k, all_after != 0))
			k++;
		if (k <= call->least)
			fail_msg("%s: %u allocations, not %u", call->name,
				 k - 1, call->least);
	}
}

static void every_call_without_memory_changes_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		sweep_call(&calls[i], STUB_SV39X4);
}

/* Splitting a leaf is another thing where it breaks before it makes. */
static void edits_without_memory_change_nothing_in_other_formats(void **state)
{
	static const enum stub_format formats[] = {STUB_ARM, STUB_EPT,
						   STUB_SV48X4};

	(void)state;
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].prepare != large_leaves &&
		    calls[i].prepare != huge_leaf && calls[i].prepare != hole)
			continue;
		for (unsigned n = 0; n < 3; n++)
			sweep_call(&calls[i], formats[n]);
	}
}

/* A copy of many pages keeps what it has copied, as memory.h says. */
static void a_copy_without_memory_has_filled_the_pages_before(void **state)
{
	static const char bytes[3 * 4096] = "bytes";
	static const struct call copy = {.prepare = demand_page};

	(void)state;
	for (unsigned k = 1; k <= 4; k++) {
		uint64_t count = 0;

		begin_call(&copy, STUB_SV39X4);
		test_hal_fail_from(stub_hal(m), k);
		assert_int_equal(axvm_write_guest(vm, axvm_to_gpa(DEMAND),
						  bytes, sizeof(bytes)),
				 AXVM_ENOMEM);
		assert_true(test_hal_failed(stub_hal(m)));
		for (uint64_t off = 0; off < MIB(1); off += PAGE) {
			struct axvm_mapping mapping;

			if (axvm_query(vm, axvm_to_gpa(DEMAND + off),
				       &mapping) != AXVM_OK)
				continue;
			assert_int_equal(off, count * PAGE);
			count++;
		}
		/* The first two allocations are a frame and its table. */
		assert_int_equal(count, k < 3 ? 0 : k - 2);
		assert_int_equal(axvm_write_guest(vm, axvm_to_gpa(DEMAND),
						  bytes, sizeof(bytes)),
				 AXVM_OK);
		end_call();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(every_call_without_memory_changes_nothing),
		OWN(edits_without_memory_change_nothing_in_other_formats),
		OWN(a_copy_without_memory_has_filled_the_pages_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
