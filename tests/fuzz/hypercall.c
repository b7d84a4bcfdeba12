/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for hypercalls: two guests call with any number and hostile
 * arguments, touch their doorbell pages, are reset, and the host connects and
 * disconnects them. Whatever comes: no assertion of the library, results that
 * axvm/ivc.h knows, memory within the pools, and nothing left at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "stub_arch.h"

#define RAM UINT64_C(0x80000000)
#define DEMAND UINT64_C(0x90000000)
#define ROM UINT64_C(0xa0000000)
#define POOL UINT64_C(0x40000000)
#define POOL_PAGES 1024u
#define KEYS 3u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct stub_machine *m;
static struct axvm_vm *vms[2];

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* ---- two VMs ---- */

static struct axvm_vm *new_vm(uint64_t id)
{
	const struct axvm_region_config regions[] = {
		{.gpa = {RAM}, .size = 0x4000, .access = AXVM_RWX},
		{.gpa = {DEMAND},
		 .size = 0x10000,
		 .access = AXVM_RW,
		 .kind = AXVM_REGION_DEMAND},
		{.gpa = {ROM}, .size = 0x1000, .access = AXVM_READ},
	};
	const struct axvm_emu_device_config pool = {
		.gpa = {POOL},
		.size = POOL_PAGES * PAGE_SIZE_4K,
		.irq = 40,
		.type = AXVM_EMU_IVC_POOL,
		.arg_count = 4,
		.args = {9, 9, 1, 0}, /* both have it */
	};
	const struct axvm_vm_config config = {
		.size = sizeof(config),
		.id = id,
		.cpu_num = 1,
		.regions = regions,
		.region_count = ARRAY_SIZE(regions),
		.emu_devices = &pool,
		.emu_device_count = 1,
	};
	struct axvm_vm *vm;

	require(axvm_create(stub_get_host(m), &config, NULL, &vm) == AXVM_OK);
	require(axvm_init(vm) == AXVM_OK);
	require(axvm_boot(vm) == AXVM_OK);
	return vm;
}

static void stop(struct axvm_vm *vm)
{
	require(axvm_shutdown(vm) == AXVM_OK);
	require(axvm_vm_state(vm) == AXVM_VM_STOPPED);
}

static void destroy(struct axvm_vm *vm)
{
	int err;

	stop(vm);
	do
		err = axvm_destroy(vm);
	while (err == AXVM_EAGAIN);
	require(err == AXVM_OK);
}

static void restart(struct axvm_vm *vm)
{
	int err;

	stop(vm);
	do
		err = axvm_reset(vm);
	while (err == AXVM_EAGAIN);
	require(err == AXVM_OK && axvm_boot(vm) == AXVM_OK);
}

/* ---- what guests do ---- */

static const uint64_t values[] = {
	0,
	1,
	2,
	9,
	RAM + 0x1000,
	RAM + 0x1ff8,
	RAM + 0x2000,
	DEMAND,
	DEMAND + 0xf000,
	ROM,
	POOL,
	POOL + 0x1000,
	0x1001,
	UINT64_MAX - 7,
	UINT64_MAX,
	UINT64_C(1) << 52,
};

/* A byte that picks an interesting value, and one that disturbs it. */
static uint64_t argument(const uint8_t *data)
{
	return values[data[0] & 15] +
	       (uint64_t)(int64_t)(int8_t)data[1] * (data[0] >> 4);
}

static bool known_result(uint64_t number, uint64_t result)
{
	if (number <= 6)
		return result == 0 || result == UINT64_MAX;
	return result <= AXVM_HYPERCALL_BALLOON_PAGES ||
	       result >= (uint64_t)(int64_t)AXVM_HYPERCALL_NO_MEMORY;
}

static void call(struct axvm_vm *vm, const uint8_t *data)
{
	static const uint16_t numbers[16] = {
		0,     3,     4,     5,	    6,	   0x100, 0x101, 0x102,
		0x103, 0x104, 0x105, 0x110, 0x102, 0x103, 3,	 0x1ff,
	};
	uint64_t number = numbers[data[1] & 15];
	enum axvmi_hypercall_answer answer;
	uint64_t args[6];
	uint64_t result = 0;

	for (unsigned i = 0; i < 6; i++)
		args[i] = argument(data + 2 + 2 * i);
	answer = axvmi_hypercall(vm->vcpus[0], number, args, &result);
	/* One that is not done may be abandoned. */
	if (answer == AXVMI_HYPERCALL_AGAIN)
		return;
	require(answer == AXVMI_HYPERCALL_DONE && known_result(number, result));
}

static void put(struct axvm_vm *vm, const uint8_t *data)
{
	uint64_t value = argument(data + 4);

	if (axvm_write_guest(vm, axvm_to_gpa(argument(data + 2) & ~7ull),
			     &value, sizeof(value)) == AXVM_EINVAL)
		abort();
}

static void touch_doorbell(struct axvm_vm *vm, const uint8_t *data)
{
	uint64_t offset = (data[2] | (uint64_t)data[3] << 8) % PAGE_SIZE_4K;
	uint64_t value = argument(data + 4);
	const struct axvmi_space *space =
		axvmi_bus_find(&vm->bus[AXVM_BUS_MMIO], POOL + offset);

	require(space != NULL && space->kind == AXVMI_SPACE_DEVICE);
	require(axvmi_device_access(vm->vcpus[0], space, POOL + offset,
				    1u << (data[1] & 3), (data[1] & 4) != 0,
				    &value) != AXVMI_DISPATCH_EXIT);
}

/* ---- what the host does ---- */

static void manage(struct axvm_vm *vm, const uint8_t *data)
{
	struct axvm_host *host = stub_get_host(m);
	uint64_t publisher = data[2] % 4;
	uint64_t key = data[3] % KEYS;
	const struct axvm_ivc_config config = {
		.size = sizeof(config),
		.publisher = publisher,
		.key = key,
		.bytes = argument(data + 4) & 0xffff,
		.access = (data[6] & 1) != 0 ? AXVM_READ : AXVM_RW,
	};
	int err = AXVM_OK;

	switch (data[1] % 5) {
	case 0:
		err = axvm_ivc_create(host, &config);
		break;
	case 1:
		err = axvm_ivc_close(host, publisher, key);
		break;
	case 2:
		err = axvm_ivc_connect(vm, publisher, key, config.access,
				       data[7], NULL);
		break;
	case 3:
		err = axvm_ivc_disconnect(vm, publisher, key);
		break;
	default:
		err = axvm_ivc_notify(host, publisher, key);
		break;
	}
	require(err != AXVM_ESTATE && err != AXVM_ENOTSUP);
}

static void close_all(void)
{
	for (uint64_t publisher = 0; publisher < 4; publisher++) {
		for (uint64_t key = 0; key < KEYS; key++) {
			int err = axvm_ivc_close(stub_get_host(m), publisher,
						 key);

			require(err == AXVM_OK || err == AXVM_ENOENT);
		}
	}
}

static void act(const uint8_t *data)
{
	struct axvm_vm *vm = vms[data[0] >> 7];

	switch (data[0] & 15) {
	case 0:
		restart(vm);
		break;
	case 1:
		destroy(vm);
		vms[data[0] >> 7] = new_vm((data[0] >> 7) + 1);
		break;
	case 2:
	case 3:
		manage(vm, data);
		break;
	case 4:
	case 5:
		touch_doorbell(vm, data);
		break;
	case 6:
	case 7:
		put(vm, data);
		break;
	default:
		call(vm, data);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct stub_config c = {
		.cpus = 1,
		.tag_bits = 4,
		.no_tables = true,
	};

	m = stub_new(&c);
	vms[0] = new_vm(1);
	vms[1] = new_vm(2);
	for (; size >= 14; data += 14, size -= 14)
		act(data);
	destroy(vms[0]);
	destroy(vms[1]);
	close_all();
	require(stub_delete(m));
	return 0;
}
