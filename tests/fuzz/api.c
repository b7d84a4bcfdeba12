/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry: the input is a sequence of calls of the public interface on
 * the modelled machine, right and wrong ones, some made while a guest is
 * inside, some with an allocation that fails. Each must answer as the reference
 * of api_model.h says, and at the end every byte is back. To add a call, write
 * a function and a row in one of the tables api_*_calls.c.
 */
#include <stdio.h>

#include "api_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size,
				 const uint8_t *b, size_t b_size, uint8_t *out,
				 size_t max_size, unsigned seed);

/* One call is one record: which, and its arguments. */
#define RECORD 16u
#define MAX_CALLS 128u

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 29;
	return x;
}

/* The next byte of the record; behind its end it repeats itself, stirred. */
uint8_t take8(struct fuzz *f)
{
	uint32_t at = f->at++;

	if (f->data == NULL)
		return 0;
	if (at < RECORD)
		return f->data[at];
	f->stir = mix(f->stir + f->data[at % RECORD] + at);
	return (uint8_t)(f->stir >> 20);
}

static bool next_record(struct fuzz *f)
{
	if (f->left < RECORD)
		return false;
	f->data = f->next;
	f->next += RECORD;
	f->left -= RECORD;
	f->at = 0;
	f->stir = 0;
	return true;
}

uint32_t take16(struct fuzz *f)
{
	uint32_t low = take8(f);

	return low | (uint32_t)take8(f) << 8;
}

_Noreturn void broken(struct fuzz *f, const char *what)
{
	fprintf(stderr, "# api: after %s: %s\n",
		f->call == NULL ? "nothing" : f->call, what);
	abort();
}

/* ---- one call ---- */

/* For whoever looks at an input that failed. */
void trace(const char *what)
{
	if (getenv("AXVM_FUZZ_TRACE") != NULL)
		fprintf(stderr, "# api: %s\n", what);
}

struct ledger begin(struct fuzz *f, const char *call)
{
	struct ledger l = {test_hal_live(f->t), test_hal_live_bytes(f->t)};

	f->call = call;
	trace(call);
	for (uint32_t i = 0; i < VCPUS; i++)
		f->wakes[i] = test_hal_wakes(f->t, i);
	f->starved = false;
	if (f->starve != 0 && f->starve_on)
		test_hal_fail_from(f->t, f->starve);
	else if (f->starve != 0)
		test_hal_fail_at(f->t, f->starve);
	return l;
}

bool judge(struct fuzz *f, int err, uint32_t errors, const struct ledger *l)
{
	f->starved = f->starve != 0 && test_hal_failed(f->t);
	f->starve = 0;
	trace(axvm_error_name(err));
	if (err == AXVM_OK) {
		require(f, errors == 0);
		return true;
	}
	if (f->starved)
		errors |= E(AXVM_ENOMEM);
	if (err > 0 || err < -31 || (errors & E(err)) == 0) {
		fprintf(stderr, "# api: %s\n", axvm_error_name(err));
		broken(f, "an error that must not be");
	}
	if (err != AXVM_EAGAIN && f->depth == 0) {
		require(f, test_hal_live(f->t) == l->live);
		require(f, test_hal_live_bytes(f->t) == l->bytes);
	}
	return false;
}

/* ---- picking ---- */

struct model_vm *pick_vm(struct fuzz *f)
{
	static struct model_vm none;
	uint32_t which = take8(f);
	struct model_vm *v = &f->vms[which % VMS];

	/* Mostly one that is there. */
	for (uint32_t i = 0; i < VMS && v->vm == NULL && which < 240; i++)
		v = &f->vms[(which + i) % VMS];
	return v->destroying || v->resetting ? &none : v;
}

uint32_t pick_vcpu(struct fuzz *f, const struct model_vm *v)
{
	uint32_t which = take8(f);

	if (v->vcpu_count == 0 || which >= 248)
		return v->vcpu_count;
	return which % v->vcpu_count;
}

uint32_t pick_cpu(struct fuzz *f)
{
	return take8(f) % CPUS;
}

static const uint64_t landmarks[] = {
	0,
	UINT64_C(0x0c000000), /* the interrupt controller */
	UINT64_C(0x0c000008),
	UINT64_C(0x10000000), /* devices of the host */
	UINT64_C(0x10000008),
	UINT64_C(0x10000010),
	UINT64_C(0x10000018),
	UINT64_C(0x10001000),
	UINT64_C(0x10001018),
	UINT64_C(0x7ffffff8),
	UINT64_C(0x200000000000),
	UINT64_C(0xfffffffffffff000),
};

uint64_t pick_gpa(struct fuzz *f, const struct model_vm *v)
{
	static const uint16_t offsets[] = {0, 8, 16, 4088};
	uint32_t n = take8(f);
	uint32_t where = take8(f);
	uint64_t page = where >> 2;

	if (v->region_count == 0 || n < 32)
		return landmarks[where % (sizeof(landmarks) / 8)];
	/* Mostly the same few pages, so that calls and guests meet. */
	if ((n & 0x80) != 0)
		page &= 3;
	/* Where a large leaf ends. */
	if (v->big && (n & 0x40) != 0)
		page += 496;
	return v->regions[n % v->region_count].config.gpa.value + page * PAGE +
	       offsets[where & 3];
}

/* ---- the machine ---- */

/* The host's memory is one arena; so the library may add instead of asking. */
static void make_linear(struct fuzz *f)
{
	struct axvm_hpa hpa = test_hal_host_memory(f->t, PAGE, PAGE);

	f->t->hal.linear = true;
	f->t->hal.virt_offset = (uintptr_t)test_hal_virt(f->t, hpa) - hpa.value;
}

static void new_machine(struct fuzz *f)
{
	uint32_t how = take16(f);

	f->config = (struct stub_config){
		.format = (enum stub_format)(how & 3),
		.cpus = CPUS,
		.max_cpus = CPUS + 1,
		.tag_bits = how >> 2 & 7,
		.broadcast = (how & 0x20) != 0,
		.poc_sync = (how & 0x40) != 0,
		.sync_each_cpu = (how & 0x80) != 0,
		.no_tables = (how & 0xf00) != 0,
	};
	f->m = stub_new_bare(&f->config);
	f->t = stub_hal(f->m);
	if ((how & 0x1000) != 0)
		test_hal_max_align(f->t, 2u << 20);
	if ((how & 0x2000) != 0)
		make_linear(f);
	require(f, stub_host(f->m) == AXVM_OK);
	f->host = stub_get_host(f->m);
	for (uint32_t i = 0; i < CPUS; i++) {
		require(f, stub_cpu_enable(f->m, i) == AXVM_OK);
		f->cpus[i].enabled = true;
	}
	for (uint32_t i = 0; i < BLOCKS; i++) {
		f->blocks[i] =
			test_hal_host_memory(f->t, BLOCK_PAGES * PAGE, PAGE);
		memset(test_hal_virt(f->t, f->blocks[i]), 0x5a,
		       BLOCK_PAGES * PAGE);
		stub_host_synced(f->m, f->blocks[i], BLOCK_PAGES * PAGE);
	}
}

static void delete_machine(struct fuzz *f)
{
	f->call = "the end";
	for (uint32_t i = 0; i < CPUS; i++) {
		stub_be(f->m, i);
		if (f->cpus[i].enabled)
			require(f,
				axvm_cpu_release(stub_cpu(f->m, i)) == AXVM_OK);
		model_put(f, i);
	}
	for (uint32_t i = 0; i < VMS; i++) {
		struct model_vm *v = &f->vms[i];
		int err;

		if (v->vm == NULL)
			continue;
		if (v->state == AXVM_VM_RUNNING ||
		    v->state == AXVM_VM_SUSPENDED)
			require(f, axvm_shutdown(v->vm) == AXVM_OK);
		do
			err = axvm_destroy(v->vm);
		while (err == AXVM_EAGAIN);
		require(f, err == AXVM_OK);
		model_destroyed(f, v);
	}
	ivc_close_all(f);
	require(f, stub_delete(f->m));
}

/* ---- the sequence ---- */

static const struct {
	const struct api_call *calls;
	const size_t *count;
} tables[] = {
	{vcpu_calls, &vcpu_call_count},
	{life_calls, &life_call_count},
	{memory_calls, &memory_call_count},
	{irq_calls, &irq_call_count},
	{host_calls, &host_call_count},
	{vcpu_calls, &vcpu_call_count},
	{service_calls, &service_call_count},
	{memory_calls, &memory_call_count},
};

void call_one(struct fuzz *f)
{
	uint32_t which, table, row;
	const struct api_call *call;

	if (!next_record(f))
		return;
	which = take8(f);
	table = which % 8;
	row = (which >> 3) % (uint32_t)*tables[table].count;
	call = &tables[table].calls[row];
	if (f->depth != 0 && !call->inside)
		return;
	f->call = call->name;
	call->make(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz fuzz;
	struct fuzz *f = &fuzz;

	memset(f, 0, sizeof(*f));
	f->next = data;
	f->left = size;
	(void)next_record(f);
	new_machine(f);
	if (next_record(f))
		life_calls[0].make(f);
	for (unsigned i = 0; i < MAX_CALLS && f->left >= RECORD; i++) {
		stub_be(f->m, f->cpu);
		call_one(f);
		check_all(f);
	}
	delete_machine(f);
	return 0;
}

/* ---- whole calls come and go ---- */

static void random_record(uint8_t *record, uint64_t seed)
{
	for (unsigned i = 0; i < RECORD; i++) {
		seed = mix(seed + UINT64_C(0x9e3779b97f4a7c15));
		record[i] = (uint8_t)(seed >> 24);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned seed)
{
	size_t count = size / RECORD;
	uint64_t random = mix(seed + UINT64_C(0x9e3779b97f4a7c15));
	size_t at = count == 0 ? 0 : random % count;
	uint8_t *record = data + at * RECORD;
	size_t tail = (count - at) * RECORD;
	uint8_t fresh[RECORD];

	random_record(fresh, random);
	if (count >= 2 && (random >> 32) % 8 == 0) {
		memmove(record, record + RECORD, tail - RECORD);
		return (count - 1) * RECORD;
	}
	if (count != 0 && (random >> 32) % 8 < 4) {
		LLVMFuzzerMutate(record, RECORD, RECORD);
		return count * RECORD;
	}
	if ((count + 1) * RECORD > max_size)
		return count * RECORD;
	/* A new one, or another once more. */
	if (count != 0 && (random >> 32) % 8 == 4)
		memcpy(fresh, data + (random >> 40) % count * RECORD, RECORD);
	memmove(record + RECORD, record, tail);
	memcpy(record, fresh, RECORD);
	return (count + 1) * RECORD;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size,
				 const uint8_t *b, size_t b_size, uint8_t *out,
				 size_t max_size, unsigned seed)
{
	uint64_t random = mix(seed + UINT64_C(0x9e3779b97f4a7c15));
	size_t head = random % (a_size / RECORD + 1) * RECORD;
	size_t skip = (random >> 32) % (b_size / RECORD + 1) * RECORD;
	size_t tail = b_size - skip;

	if (head > max_size)
		head = max_size / RECORD * RECORD;
	if (tail > max_size - head)
		tail = (max_size - head) / RECORD * RECORD;
	memcpy(out, a, head);
	memcpy(out + head, b + skip, tail);
	return head + tail;
}
