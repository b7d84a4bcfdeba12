/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Calls on the machine `m` of a backend (backend_machine.h), whose memory map the
 * includer has defined: RAM, ROM, DEMAND, DEMAND_ROM, DEVICE, WORDS, ENTRY.
 */
#ifndef AXVM_TEST_BACKEND_MACHINE_CALLS_H
#define AXVM_TEST_BACKEND_MACHINE_CALLS_H

static inline void machine_require(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "machine: %s\n", what);
		abort();
	}
}

/* ---- a CPU ---- */

static uint64_t machine_interrupts_save(void)
{
	return 0;
}

static void machine_interrupts_restore(uint64_t saved)
{
	(void)saved;
}

static int machine_cpu_enable(struct axvm_cpu *cpu)
{
	cpu->host->features = m.features;
	return AXVM_OK;
}

static void machine_cpu_disable(struct axvm_cpu *cpu)
{
	(void)cpu;
}

static uint64_t machine_counter(void)
{
	return m.counter;
}

static void machine_load(struct axvm_vcpu *vcpu)
{
	(void)vcpu;
	m.loads++;
}

static void machine_ignore(struct axvm_vcpu *vcpu)
{
	(void)vcpu;
}

static void machine_flush(struct axvm_vm *vm)
{
	(void)vm;
	m.flushes++;
}

static void machine_flush_all(void)
{
	m.flushes++;
}

static bool machine_pending(struct axvm_vcpu *vcpu)
{
	(void)vcpu;
	return m.pending;
}

/* ---- devices ---- */

static enum axvm_access_result
machine_device_access(struct axvm_device *device,
		      struct axvm_device_access *access)
{
	struct test_device *d = (struct test_device *)device;

	d->accesses++;
	d->last = *access;
	if (access->write == 0) {
		access->value = d->value;
		d->value += d->step;
	}
	return d->result;
}

static const struct axvm_device_ops machine_device_ops = {
	.name = "test",
	.access = machine_device_access,
};

static void machine_add_device(struct test_device *d, enum axvm_bus bus,
			       uint64_t base, uint32_t widths)
{
	memset(d, 0, sizeof(*d));
	d->device.ops = &machine_device_ops;
	d->device.range_count = 1;
	d->device.ranges[0].bus = bus;
	d->device.ranges[0].base = base;
	d->device.ranges[0].size = bus == AXVM_BUS_MMIO ? 0x1000 : 1;
	d->device.ranges[0].widths = widths;
	machine_require(axvm_add_device(m.vm, &d->device) == AXVM_OK, "device");
}

/* ---- the VM ---- */

static inline void machine_region(uint64_t gpa, uint64_t size, uint32_t access,
				  enum axvm_region_kind kind)
{
	m.regions[m.config.region_count++] = (struct axvm_region_config){
		.gpa = {gpa},
		.size = size,
		.access = access,
		.kind = kind,
	};
}

static inline void machine_emu(uint32_t type, uint64_t gpa, uint64_t size,
			       uint32_t irq)
{
	m.emus[m.config.emu_device_count++] = (struct axvm_emu_device_config){
		.type = type,
		.gpa = {gpa},
		.size = size,
		.irq = irq,
	};
}

/* RAM of four kinds. */
static inline void machine_base(const struct axvm_arch_ops *ops,
				uint64_t features, uint32_t vcpus)
{
	memset((void *)&m, 0, sizeof(m));
	m.features = features;
	m.ops = *ops;
	m.deadline = AXVM_NO_DEADLINE;
	m.hal = test_hal_new();
	m.hal->hal.counter_hz = 10000000;
	m.config.size = sizeof(m.config);
	m.config.id = 1;
	m.config.cpu_num = vcpus;
	m.config.regions = m.regions;
	m.config.emu_devices = m.emus;
	m.config.kernel.entry.value = ENTRY;
	machine_region(RAM, RAM_SIZE, AXVM_RWX, AXVM_REGION_ALLOC);
	machine_region(ROM, 0x1000, AXVM_READ | AXVM_EXEC, AXVM_REGION_ALLOC);
	machine_region(DEMAND, DEMAND_SIZE, AXVM_RW, AXVM_REGION_DEMAND);
	machine_region(DEMAND_ROM, DEMAND_SIZE, AXVM_READ, AXVM_REGION_DEMAND);
}

static inline void machine_host(void)
{
	machine_require(axvm_host_create(&m.hal->hal, &m.ops, 1, &m.host) ==
				AXVM_OK,
			"host");
	machine_require(axvm_cpu_enable(m.host, 0, 0, &m.cpu) == AXVM_OK,
			"cpu");
}

/* Host, VM and its two devices; in LOADING. */
static inline void machine_make(void)
{
	if (m.host == NULL)
		machine_host();
	machine_require(axvm_create(m.host, &m.config, NULL, &m.vm) == AXVM_OK,
			"create");
	machine_add_device(&m.device, AXVM_BUS_MMIO, DEVICE, 1 | 2 | 4 | 8);
	machine_add_device(&m.words, AXVM_BUS_MMIO, WORDS, 4);
}

static inline void machine_finish(void)
{
	int err;

	do
		err = axvm_init(m.vm);
	while (err == AXVM_EAGAIN);
	machine_require(err == AXVM_OK, "init");
}

/* Plays what is queued; the reason run returned with. */
static inline uint32_t machine_play(void)
{
	int err = axvm_run_vcpu(m.cpu, m.vm, 0, &m.exit);

	machine_require(err == AXVM_OK, "run");
	m.count = 0;
	m.next = 0;
	return m.exit.reason;
}

static inline void machine_destroy(void)
{
	enum axvm_vm_state state = axvm_vm_state(m.vm);
	int err = AXVM_OK;

	if (state == AXVM_VM_RUNNING || state == AXVM_VM_SUSPENDED)
		err = axvm_shutdown(m.vm);
	machine_require(err == AXVM_OK, "shutdown");
	machine_require(axvm_cpu_release(m.cpu) == AXVM_OK, "release");
	do
		err = axvm_destroy(m.vm);
	while (err == AXVM_EAGAIN);
	machine_require(err == AXVM_OK, "destroy");
	m.vm = NULL;
	m.v = NULL;
}

/* True if every byte came back. */
static inline bool machine_delete(void)
{
	bool clean;

	if (m.vm != NULL)
		machine_destroy();
	if (m.host != NULL)
		machine_require(axvm_cpu_disable(m.cpu) == AXVM_OK &&
					axvm_host_destroy(m.host) == AXVM_OK,
				"host is busy");
	clean = test_hal_check_no_leaks(m.hal);
	test_hal_delete(m.hal);
	return clean;
}

#endif
