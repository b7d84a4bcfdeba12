/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * A vCPU as text for a log or a debugger's screen, without printf. Names of
 * registers come from the backend. No state; reads a vCPU that does not run.
 */
#include "internal.h"

/* Text that may be longer than its buffer: counts on, and stores what fits. */
struct text {
	char *buffer;
	size_t size;
	size_t length;
};

static void put_char(struct text *t, char c)
{
	if (t->length + 1 < t->size)
		t->buffer[t->length] = c;
	t->length++;
}

static void put_string(struct text *t, const char *string)
{
	while (*string != '\0')
		put_char(t, *string++);
}

/* Fills up to a column of the line that began at `start`. */
static void put_column(struct text *t, size_t start, size_t column)
{
	do
		put_char(t, ' ');
	while (t->length < start + column);
}

static void put_hex(struct text *t, uint64_t value)
{
	for (unsigned shift = 64; shift != 0; shift -= 4)
		put_char(t, "0123456789abcdef"[value >> (shift - 4) & 15]);
}

static void put_decimal(struct text *t, uint64_t value)
{
	char digits[20];
	unsigned count = 0;

	do
		digits[count++] = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	while (count != 0)
		put_char(t, digits[--count]);
}

static void put_number(struct text *t, const char *name, uint64_t value)
{
	put_string(t, name);
	put_decimal(t, value);
}

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {"off", "ready", "running",
					    "blocked"};

	return names[state & 3];
}

static void put_head(struct text *t, struct axvm_vcpu *vcpu)
{
	uint32_t resident = load_acquire(&vcpu->resident);

	put_number(t, "vcpu ", vcpu->index);
	put_number(t, " of vm ", vcpu->vm->config.id);
	put_string(t, ": ");
	put_string(t, state_name(load_acquire(&vcpu->state)));
	if (resident != 0)
		put_number(t, ", loaded on cpu ", resident - 1);
	if (vcpu->wait != 0) {
		put_string(t, ", completes ");
		put_string(t, axvm_exit_name(vcpu->wait));
	}
	put_char(t, '\n');
}

/* A register that is on a CPU has no value here. */
static void put_register(struct text *t, struct axvm_vcpu *vcpu,
			 const struct axvm_register *reg)
{
	size_t start = t->length;
	uint64_t value;
	int err = vcpu->vm->ops->get_reg(vcpu, reg->number, &value);

	put_string(t, reg->name);
	put_column(t, start, 12);
	if (err == AXVM_OK)
		put_hex(t, value);
	else
		put_string(t, "on the cpu");
	put_char(t, '\n');
}

static void put_counters(struct text *t, const struct axvm_vcpu *vcpu)
{
	put_string(t, "exits");
	for (uint32_t i = 0; i < AXVM_STATS; i++) {
		uint64_t count = load_relaxed(&vcpu->exits[i]);

		if (count == 0)
			continue;
		put_char(t, ' ');
		put_string(t, axvm_stat_name((enum axvm_stat)i));
		put_number(t, "=", count);
	}
	put_char(t, '\n');
}

static void put_vcpu(struct text *t, struct axvm_vcpu *vcpu)
{
	const struct axvm_arch_ops *ops = vcpu->vm->ops;

	put_head(t, vcpu);
	for (size_t i = 0; i < ops->register_count; i++)
		put_register(t, vcpu, &ops->registers[i]);
	put_counters(t, vcpu);
	if (t->size != 0)
		t->buffer[t->length < t->size ? t->length : t->size - 1] = '\0';
}

int axvm_dump_vcpu(struct axvm_vm *vm, uint32_t index, char *buffer,
		   size_t size, size_t *length)
{
	struct text t = {buffer, size, 0};
	struct axvm_vcpu *vcpu;

	if (vm == NULL || length == NULL || (buffer == NULL && size != 0))
		return AXVM_EINVAL;
	if (load_acquire(&vm->state) == AXVM_VM_LOADING)
		return AXVM_ESTATE;
	if (index >= load_acquire(&vm->vcpus_ready))
		return AXVM_ENOENT;
	vcpu = vm->vcpus[index];
	if (load_acquire(&vcpu->state) == AXVM_VCPU_RUNNING)
		return AXVM_EBUSY;
	put_vcpu(&t, vcpu);
	*length = t.length;
	return AXVM_OK;
}
