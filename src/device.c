/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Buses and devices: one sorted map per bus, filled under the life lock while
 * the VM is LOADING and read-only from then on, so that vCPUs search it without
 * a lock. The map of AXVM_BUS_MMIO is the whole guest-physical space: RAM is in
 * it too, and one search tells RAM, device and hole apart.
 */
#include "internal.h"

/* The starts of one growth step fill whole cache lines. */
#define FIRST_CAPACITY 16u
#define CACHE_LINE 64u
#define ALL_WIDTHS (1u | 2u | 4u | 8u)
/* In axvmi_space.widths: addresses count registers, not bytes. */
#define NUMBERED 0x100u
#define MESSAGE_SIZE 96u

_Static_assert(AXVM_BUS_SYSREG + 1 == AXVMI_BUSES, "a map for every bus");

/* ---- the map ---- */

/* 1 or 0, computed without a branch. */
static inline size_t is_above(uint64_t start, uint64_t addr)
{
	return (size_t)opaque64(start > addr);
}

/*
 * Index of the last entry that starts at or below addr, or 0; the bus is not
 * empty. Only `count` steers the loops, so that no pattern of guest accesses is
 * mispredicted, also on CPUs without conditional moves. Quarters are found by
 * three loads at a time, where halves would wait for one after the other.
 */
static inline size_t search(const struct axvmi_bus *bus, uint64_t addr)
{
	const uint64_t *base = bus->starts;
	size_t count = bus->count;

	while (count > 3) {
		size_t part = count / 4;

		base += part * (3 - is_above(base[part], addr) -
				is_above(base[2 * part], addr) -
				is_above(base[3 * part], addr));
		count -= 3 * part;
	}
	for (; count > 1; count--)
		base += 1 - is_above(base[1], addr);
	return (size_t)(base - bus->starts);
}

const struct axvmi_space *axvmi_bus_find(const struct axvmi_bus *bus,
					 uint64_t addr)
{
	const struct axvmi_space *entry;

	if (bus->count == 0)
		return NULL;
	entry = &bus->entries[search(bus, addr)];
	/* Below the first entry the difference wraps and is too large. */
	if (addr - entry->start > entry->last - entry->start)
		return NULL;
	/* Callers branch on the result anyway; a conditional move would only
	 * make them wait for the loads above. */
	return opaque_ptr(entry);
}

/* Where an entry that starts at `start` belongs. Not hot: one copy will do. */
__attribute__((noinline)) static size_t position(const struct axvmi_bus *bus,
						 uint64_t start)
{
	size_t i;

	if (bus->count == 0)
		return 0;
	i = search(bus, start);
	return i + (bus->starts[i] <= start);
}

struct axvmi_space axvmi_bus_hole(const struct axvmi_bus *bus, uint64_t addr)
{
	size_t i = position(bus, addr);

	return (struct axvmi_space){
		.start = i == 0 ? 0 : bus->entries[i - 1].last + 1,
		.last = i == bus->count ? UINT64_MAX : bus->starts[i] - 1,
		.kind = AXVMI_SPACE_HOLE,
	};
}

/* An entry that shares an address with [start, last], or NULL. */
static const struct axvmi_space *occupant(const struct axvmi_bus *bus,
					  uint64_t start, uint64_t last)
{
	size_t i = position(bus, last);

	/* Entries are disjoint: of those that start in time, the last one also
	 * reaches farthest. */
	if (i == 0 || bus->entries[i - 1].last < start)
		return NULL;
	return &bus->entries[i - 1];
}

static size_t table_bytes(uint32_t capacity)
{
	return capacity * (sizeof(uint64_t) + sizeof(struct axvmi_space));
}

/* One block: the starts, then the entries. *out has no table if none is due. */
static int grown_copy(struct axvm_vm *vm, const struct axvmi_bus *bus,
		      uint32_t more, struct axvmi_bus *out)
{
	uint32_t capacity = bus->capacity;

	if (more <= capacity - bus->count)
		return AXVM_OK;
	if (capacity == 0)
		capacity = FIRST_CAPACITY;
	while (more > capacity - bus->count)
		capacity *= 2;
	out->starts = axvmi_alloc(vm->host, table_bytes(capacity), CACHE_LINE);
	if (out->starts == NULL)
		return AXVM_ENOMEM;
	out->entries = (struct axvmi_space *)(void *)(out->starts + capacity);
	out->count = bus->count;
	out->capacity = capacity;
	if (bus->count != 0) {
		memcpy(out->starts, bus->starts,
		       bus->count * sizeof(*bus->starts));
		memcpy(out->entries, bus->entries,
		       bus->count * sizeof(*bus->entries));
	}
	return AXVM_OK;
}

static void free_table(struct axvm_vm *vm, struct axvmi_bus *bus)
{
	if (bus->starts != NULL)
		axvmi_free(vm->host, bus->starts, table_bytes(bus->capacity));
}

/*
 * Makes room for more[n] entries on every bus n, or changes nothing: the first
 * pass may run out of memory, the second cannot fail.
 */
static int reserve(struct axvm_vm *vm, const uint32_t more[AXVMI_BUSES])
{
	struct axvmi_bus grown[AXVMI_BUSES];
	int err = AXVM_OK;

	memset(grown, 0, sizeof(grown));
	for (uint32_t n = 0; n < AXVMI_BUSES && err == AXVM_OK; n++)
		err = grown_copy(vm, &vm->bus[n], more[n], &grown[n]);
	for (uint32_t n = 0; n < AXVMI_BUSES; n++) {
		if (err != AXVM_OK) {
			free_table(vm, &grown[n]);
		} else if (grown[n].starts != NULL) {
			free_table(vm, &vm->bus[n]);
			vm->bus[n] = grown[n];
		}
	}
	return err;
}

/* Room and freedom from overlap have been seen to. */
static void insert(struct axvm_vm *vm, enum axvm_bus n,
		   const struct axvmi_space *space)
{
	struct axvmi_bus *bus = &vm->bus[n];
	size_t i = position(bus, space->start);
	size_t tail = bus->count - i;

	memmove(&bus->starts[i + 1], &bus->starts[i],
		tail * sizeof(*bus->starts));
	memmove(&bus->entries[i + 1], &bus->entries[i],
		tail * sizeof(*bus->entries));
	bus->starts[i] = space->start;
	bus->entries[i] = *space;
	if (n == AXVM_BUS_SYSREG)
		bus->entries[i].widths = (uint16_t)(space->widths | NUMBERED);
	bus->count++;
}

int axvmi_bus_add(struct axvm_vm *vm, enum axvm_bus bus,
		  const struct axvmi_space *space)
{
	uint32_t more[AXVMI_BUSES] = {0};
	int err;

	AXVMI_ASSERT(load_relaxed(&vm->state) == AXVM_VM_LOADING);
	AXVMI_ASSERT(space->start <= space->last);
	if (occupant(&vm->bus[bus], space->start, space->last) != NULL)
		return AXVM_EEXIST;
	more[bus] = 1;
	err = reserve(vm, more);
	if (err == AXVM_OK)
		insert(vm, bus, space);
	return err;
}

/* An entry that is not there is a bug of ours. */
void axvmi_bus_remove(struct axvm_vm *vm, enum axvm_bus n, uint64_t start)
{
	struct axvmi_bus *bus = &vm->bus[n];
	size_t i = position(bus, start);
	size_t tail = bus->count - i;

	AXVMI_ASSERT(i != 0 && bus->starts[i - 1] == start);
	memmove(&bus->starts[i - 1], &bus->starts[i],
		tail * sizeof(*bus->starts));
	memmove(&bus->entries[i - 1], &bus->entries[i],
		tail * sizeof(*bus->entries));
	bus->count--;
	/* An init that failed gives back what it took. */
	if (bus->count == 0) {
		free_table(vm, bus);
		memset(bus, 0, sizeof(*bus));
	}
}

void axvmi_bus_fini(struct axvm_vm *vm)
{
	for (uint32_t n = 0; n < AXVMI_BUSES; n++)
		free_table(vm, &vm->bus[n]);
	memset(vm->bus, 0, sizeof(vm->bus));
}

/* ---- adding devices ---- */

/* What the backend can decode: beyond it no access would ever arrive. */
static uint64_t bus_last(const struct axvm_vm *vm, enum axvm_bus bus)
{
	if (bus == AXVM_BUS_PORT)
		return UINT16_MAX;
	if (bus == AXVM_BUS_SYSREG)
		return UINT32_MAX;
	return UINT64_MAX >> (64 - vm->format.gpa_bits);
}

static int check_range(const struct axvm_vm *vm,
		       const struct axvm_device_range *range)
{
	if ((unsigned)range->bus >= AXVMI_BUSES || range->widths == 0 ||
	    (range->widths & ~ALL_WIDTHS) != 0 ||
	    !range_valid(range->base, range->size))
		return AXVM_EINVAL;
	if (range->bus != AXVM_BUS_MMIO &&
	    (vm->ops->buses & BIT64(range->bus)) == 0)
		return AXVM_ENOTSUP;
	if (range->base + (range->size - 1) > bus_last(vm, range->bus))
		return AXVM_ERANGE;
	return AXVM_OK;
}

static int check_device(const struct axvm_vm *vm,
			const struct axvm_device *device)
{
	int err = AXVM_OK;

	if (device->ops == NULL || device->ops->access == NULL ||
	    device->ops->name == NULL ||
	    (device->flags & ~AXVM_DEVICE_SERIAL) != 0 ||
	    device->range_count == 0 ||
	    device->range_count > AXVM_DEVICE_MAX_RANGES)
		return AXVM_EINVAL;
	for (uint32_t i = 0; i < device->range_count && err == AXVM_OK; i++)
		err = check_range(vm, &device->ranges[i]);
	return err;
}

static const char *space_name(const struct axvmi_space *space)
{
	if (space->kind == AXVMI_SPACE_DEVICE)
		return space->device->ops->name;
	return space->kind == AXVMI_SPACE_RAM ? "RAM" : "a window";
}

/*
 * Who is in the way of a device that has been checked: a name, or NULL. Its own
 * ranges may not share an address either.
 */
static const char *rival(const struct axvm_vm *vm,
			 const struct axvm_device *device)
{
	for (uint32_t i = 0; i < device->range_count; i++) {
		const struct axvm_device_range *a = &device->ranges[i];
		const struct axvmi_space *other = occupant(
			&vm->bus[a->bus], a->base, a->base + (a->size - 1));

		if (other != NULL)
			return space_name(other);
		for (uint32_t k = 0; k < i; k++) {
			const struct axvm_device_range *b = &device->ranges[k];

			if (a->bus == b->bus &&
			    range_overlaps(a->base, a->size, b->base, b->size))
				return device->ops->name;
		}
	}
	return NULL;
}

/*
 * Life lock held. All checks and the allocation come first; what follows cannot
 * fail. *other is set when the result is EEXIST.
 */
static int add(struct axvm_vm *vm, struct axvm_device *device,
	       const char **other)
{
	uint32_t more[AXVMI_BUSES] = {0};
	int err = check_device(vm, device);

	if (err != AXVM_OK)
		return err;
	if (vm->device_count == AXVMI_MAX_DEVICES)
		return AXVM_ENOSPC;
	*other = rival(vm, device);
	if (*other != NULL)
		return AXVM_EEXIST;
	for (uint32_t i = 0; i < device->range_count; i++)
		more[device->ranges[i].bus]++;
	err = reserve(vm, more);
	if (err != AXVM_OK)
		return err;
	device->vm = vm;
	device->lock = 0;
	vm->devices[vm->device_count++] = device;
	for (uint32_t i = 0; i < device->range_count; i++) {
		const struct axvm_device_range *range = &device->ranges[i];
		struct axvmi_space space = {
			.start = range->base,
			.last = range->base + (range->size - 1),
			.device = device,
			.range = i,
			.widths = (uint16_t)range->widths,
			.kind = AXVMI_SPACE_DEVICE,
		};

		insert(vm, range->bus, &space);
	}
	return AXVM_OK;
}

int axvmi_device_add(struct axvm_vm *vm, struct axvm_device *device)
{
	const char *other;

	return add(vm, device, &other);
}

/* Rollback of an axvm_init() that failed later on. */
void axvmi_device_remove(struct axvm_vm *vm, struct axvm_device *device)
{
	uint32_t slot = 0;

	while (slot < vm->device_count && vm->devices[slot] != device)
		slot++;
	AXVMI_ASSERT(slot < vm->device_count);
	vm->device_count--;
	for (; slot < vm->device_count; slot++)
		vm->devices[slot] = vm->devices[slot + 1];
	for (uint32_t i = 0; i < device->range_count; i++)
		axvmi_bus_remove(vm, device->ranges[i].bus,
				 device->ranges[i].base);
	device->vm = NULL;
}

/* Appends what fits, leaving room for the NUL. */
static size_t append(char message[MESSAGE_SIZE], size_t used, const char *text)
{
	while (*text != '\0' && used < MESSAGE_SIZE - 1)
		message[used++] = *text++;
	return used;
}

static void log_overlap(struct axvm_vm *vm, const char *name, const char *other)
{
	char message[MESSAGE_SIZE];
	size_t used = append(message, 0, "device range refused: ");

	used = append(message, used, name);
	used = append(message, used, " overlaps ");
	used = append(message, used, other);
	message[used] = '\0';
	axvmi_log(vm->host, AXVM_LOG_ERROR, message);
}

int axvm_add_device(struct axvm_vm *vm, struct axvm_device *device)
{
	const char *other = NULL;
	int err = AXVM_ESTATE;

	if (vm == NULL || device == NULL)
		return AXVM_EINVAL;
	spin_lock(&vm->life);
	if (axvmi_may_add(vm))
		err = add(vm, device, &other);
	spin_unlock(&vm->life);
	/* Not under the lock: the log is the host's. */
	if (other != NULL)
		log_overlap(vm, device->ops->name, other);
	return err;
}

/* ---- access ---- */

/*
 * Width allowed, naturally aligned to the range's start, inside the range. A
 * size that is no power of two fails the alignment, 0 fails the width.
 */
static inline bool fits(const struct axvmi_space *space, uint64_t offset,
			uint32_t size)
{
	return (space->widths & size) != 0 &&
	       ((offset | size) & (size - 1)) == 0 &&
	       size - 1 <= space->last - space->start - offset;
}

/* Numbered registers have neither alignment nor extent. */
static bool fits_number(const struct axvmi_space *space, uint32_t size)
{
	return (space->widths & NUMBERED) != 0 &&
	       (space->widths & ALL_WIDTHS & size) != 0 &&
	       (size & (size - 1)) == 0;
}

uint32_t axvmi_device_plain_widths(const struct axvmi_space *space)
{
	/* Aligned ends leave no access that reaches over one. */
	uint64_t ends = space->start | (space->last + 1) | 8;

	if ((space->device->flags & AXVM_DEVICE_SERIAL) != 0)
		return 0;
	return space->widths & (uint32_t)((ends & -ends) * 2 - 1);
}

/* The one lock that is held while a device works: it is the device's own. */
static enum axvm_access_result serial_access(struct axvm_device *device,
					     struct axvm_device_access *access)
{
	enum axvm_access_result result;

	word_lock(&device->lock);
	result = device->ops->access(device, access);
	word_unlock(&device->lock);
	return result;
}

enum axvmi_dispatch axvmi_device_access(struct axvm_vcpu *vcpu,
					const struct axvmi_space *space,
					uint64_t addr, uint32_t size,
					bool write, uint64_t *value)
{
	struct axvm_device *device = space->device;
	struct axvm_device_access access;
	enum axvm_access_result result;

	access.offset = addr - space->start;
	if (!fits(space, access.offset, size) && !fits_number(space, size))
		return AXVMI_DISPATCH_FAULT;
	access.vm = vcpu->vm;
	/* A device that forgets to answer a read must not leak a register. */
	access.value = 0;
	if (write)
		access.value = *value & (UINT64_MAX >> (64 - 8 * size));
	access.vcpu = vcpu->index;
	access.range = space->range;
	access.size = size;
	access.write = write;
	if ((device->flags & AXVM_DEVICE_SERIAL) != 0)
		result = serial_access(device, &access);
	else
		result = device->ops->access(device, &access);
	if (result == AXVM_ACCESS_DONE) {
		if (!write)
			*value = access.value;
		return AXVMI_DISPATCH_DONE;
	}
	/* A result that does not exist is no answer either. */
	return result == AXVM_ACCESS_EXIT ? AXVMI_DISPATCH_EXIT
					  : AXVMI_DISPATCH_FAULT;
}
