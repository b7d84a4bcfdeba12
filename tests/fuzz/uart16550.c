/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * libFuzzer entry for the 16550A: the input is a script of register accesses of
 * any width and of bytes from the host. Whatever they are, IIR and the line
 * agree, status bits are those that exist, and no byte appears from nowhere.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "axvm/devices/uart16550.h"
#include "internal.h"

#define LINE 10u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct axvm_vm vm;
static struct axvm_vcpu vcpu;
static struct axvm_uart16550 uart;
static size_t sent;
static size_t taken;
static size_t looped;
static size_t read;

/* The core's; there is no vCPU to tell. */
void axvmi_notify(struct axvm_vcpu *target, uint32_t bits)
{
	(void)target;
	(void)bits;
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* None come here. */
static uint64_t interrupts_save(void)
{
	return 0;
}

static void interrupts_restore(uint64_t saved)
{
	(void)saved;
}

static uint64_t line_targets(struct axvm_vm *unused, uint32_t line)
{
	(void)unused;
	require(line == LINE);
	return 1;
}

static void transmit(void *ctx, uint8_t byte)
{
	(void)ctx;
	(void)byte;
	sent++;
}

static void check_state(void)
{
	require(uart.serial.lock == 0);
	require(uart.serial.count <= ((uart.fcr & 1) != 0 ? 16 : 1));
	require((uart.ier & 0xf0) == 0 && (uart.mcr & 0xe0) == 0);
	require((uart.errors & ~0x12u) == 0);
	require(axvmi_line_level(&vm, LINE) == (uart.serial.irq_wanted != 0));
	require(axvmi_line_level(&vm, LINE) == (uart.serial.irq.level != 0));
	require(load_seq(&vm.lines.asserted[LINE]) <= 1);
	require(read <= taken + looped);
}

/* What a read may show, and what it counts for. */
static void check_read(uint32_t reg, uint64_t value, bool dlab, uint32_t before)
{
	bool high = axvmi_line_level(&vm, LINE);

	require(value <= 0xff);
	if (reg == 0 && !dlab)
		read += before - uart.serial.count;
	if (reg == 2) {
		require((value & 0x30) == 0);
		/* A transmit interrupt is over when it is reported, and may
		 * uncover a modem one. */
		require((value & 0x0f) == 0x02 || high == ((value & 1) == 0));
	}
	if (reg == 5) {
		require((value & 0x60) == 0x60 && (value & 0x0c) == 0);
		require(((value & 1) != 0) == (uart.serial.count != 0));
	}
}

static void access_register(const uint8_t *step)
{
	static struct axvmi_space space;
	const struct axvm_device_range *range = &uart.device.ranges[0];
	uint32_t size = UINT32_C(1) << (step[0] >> 2 & 3);
	uint64_t offset = step[1] % range->size;
	uint32_t shift = uart.config.reg_shift;
	uint32_t before = uart.serial.count;
	bool dlab = (uart.lcr & 0x80) != 0;
	bool write = (step[0] & 1) != 0;
	uint64_t value = step[2];
	bool fits = size <= UINT32_C(1) << shift && offset % size == 0;
	enum axvmi_dispatch result;

	space.last = range->size - 1;
	space.device = &uart.device;
	space.widths = (uint16_t)range->widths;
	space.kind = AXVMI_SPACE_DEVICE;
	if (write && offset == 0 && fits && !dlab && (uart.mcr & 0x10) != 0)
		looped++;
	if (write && offset == UINT64_C(3) << shift && (uart.mcr & 0x10) != 0)
		looped++; /* perhaps a break */
	result =
		axvmi_device_access(&vcpu, &space, offset, size, write, &value);
	require(result == (fits ? AXVMI_DISPATCH_DONE : AXVMI_DISPATCH_FAULT));
	if (fits && !write && offset % (UINT64_C(1) << shift) == 0)
		check_read((uint32_t)(offset >> shift), value, dlab, before);
}

static void receive(const uint8_t *step)
{
	static const uint8_t bytes[32] = "some bytes of the host's";
	size_t room = axvm_uart16550_receive_room(&uart);
	size_t count = step[1] % sizeof(bytes);
	size_t got = axvm_uart16550_receive(&uart, bytes, count);

	require(room <= AXVM_UART16550_FIFO);
	require(got == (count < room ? count : room));
	taken += got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct axvm_arch_ops ops = {
		.line_first = 1,
		.line_count = 1023,
		.line_targets = line_targets,
		.interrupts_save = interrupts_save,
		.interrupts_restore = interrupts_restore,
	};
	struct axvm_uart16550_config config = {
		.size = sizeof(config),
		.line = LINE,
		.transmit = transmit,
	};

	if (size == 0)
		return 0;
	memset(&vm, 0, sizeof(vm));
	vm.ops = &ops;
	vm.vcpu_count = 1;
	vm.vcpus[0] = &vcpu;
	vcpu.vm = &vm;
	store_relaxed(&vm.vcpus_ready, 1);
	store_relaxed(&vm.state, AXVM_VM_RUNNING);
	sent = taken = looped = read = 0;
	config.reg_shift = data[0] & 3;
	require(axvm_uart16550_init(&uart, &vm, &config) == AXVM_OK);
	for (size_t i = 1; i + 3 <= size; i += 3) {
		if ((data[i] & 0x10) != 0)
			receive(data + i);
		else
			access_register(data + i);
		check_state();
	}
	uart.device.ops->reset(&uart.device);
	require(!axvmi_line_level(&vm, LINE));
	return 0;
}
