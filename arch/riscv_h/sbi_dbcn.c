/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * SBI DBCN: the debug console, between guest memory and the host's callbacks of
 * axvm_set_debug_console(). A call moves a bounded number of bytes; both
 * functions may do less than asked ("Console Write", "Console Read").
 */
#include "sbi.h"

#define CALL_MAX 1024u /* bytes per call */
#define PIECE_MAX 128u /* bytes copied at a time, on the stack */

/* Where a call's bytes are. */
struct span {
	uint64_t gpa;
	uint64_t size;
};

/*
 * "Shared memory physical address range parameter": the upper half of an RV64
 * address is 0. Longer spans than a call serves are cut.
 */
static bool get_span(const struct riscv_vcpu *v, struct span *span)
{
	span->size = sbi_arg(v, 0);
	span->gpa = sbi_arg(v, 1);
	if (sbi_arg(v, 2) != 0 ||
	    (span->size != 0 && !range_valid(span->gpa, span->size)))
		return false;
	if (span->size > CALL_MAX)
		span->size = CALL_MAX;
	return true;
}

/* Bytes from `done` on that lie in one page and fit the buffer. */
static size_t piece_size(const struct span *span, uint64_t done)
{
	uint64_t size = span->size - done;
	uint64_t page =
		PAGE_SIZE_4K - ((span->gpa + done) & (PAGE_SIZE_4K - 1));

	if (size > page)
		size = page;
	return (size_t)(size > PIECE_MAX ? PIECE_MAX : size);
}

/* A page that cannot be used ends the call; it fails if it was the first. */
static int end_transfer(struct riscv_vcpu *v, uint64_t done, int err)
{
	if (err == AXVM_OK || done != 0)
		return sbi_return(v, SBI_SUCCESS, done);
	return sbi_return(
		v, err == AXVM_EFAULT ? SBI_ERR_INVALID_PARAM : SBI_ERR_FAILED,
		0);
}

/* How many the host took: "it may do partial/no writes". */
static size_t put_bytes(const struct axvm_debug_console *console,
			const uint8_t *bytes, size_t size)
{
	size_t n = 0;

	while (n < size && console->write(console->ctx, bytes[n]))
		n++;
	return n;
}

static int console_write(struct riscv_vcpu *v)
{
	struct axvm_vm *vm = v->core.vm;
	uint8_t bytes[PIECE_MAX];
	struct span span;
	uint64_t done = 0;
	int err = AXVM_OK;

	if (!get_span(v, &span))
		return sbi_return(v, SBI_ERR_INVALID_PARAM, 0);
	while (done < span.size) {
		size_t size = piece_size(&span, done);
		size_t sent;

		err = axvm_read_guest(vm, axvm_to_gpa(span.gpa + done), bytes,
				      size);
		if (err != AXVM_OK)
			break;
		sent = put_bytes(&vm->console, bytes, size);
		done += sent;
		if (sent < size)
			break;
	}
	return end_transfer(v, done, err);
}

static size_t get_bytes(const struct axvm_debug_console *console,
			uint8_t *bytes, size_t size)
{
	size_t n = 0;

	while (n < size && console->read != NULL) {
		int byte = console->read(console->ctx);

		if (byte < 0)
			break;
		bytes[n++] = (uint8_t)byte;
	}
	return n;
}

static int console_read(struct riscv_vcpu *v)
{
	struct axvm_vm *vm = v->core.vm;
	uint8_t bytes[PIECE_MAX];
	struct span span;
	uint64_t done = 0;
	int err = AXVM_OK;

	if (!get_span(v, &span))
		return sbi_return(v, SBI_ERR_INVALID_PARAM, 0);
	while (done < span.size && err == AXVM_OK) {
		struct axvm_gpa gpa = axvm_to_gpa(span.gpa + done);
		size_t size = piece_size(&span, done);
		size_t got;

		/* Bytes taken from the host have nowhere else to go. */
		err = AXVM_EFAULT;
		if (!axvmi_riscv_sbi_is_ram(vm, gpa.value, AXVM_WRITE))
			break;
		err = AXVM_OK;
		got = get_bytes(&vm->console, bytes, size);
		if (got == 0)
			break;
		err = axvm_write_guest(vm, gpa, bytes, got);
		if (err == AXVM_OK)
			done += got;
		if (got < size)
			break;
	}
	return end_transfer(v, done, err);
}

int axvmi_riscv_sbi_dbcn(struct riscv_vcpu *v)
{
	const struct axvm_debug_console *console = &v->core.vm->console;

	if (!sbi_has_console(v))
		return sbi_return(v, SBI_ERR_NOT_SUPPORTED, 0);
	switch (v->frame.x[REG_A6]) {
	case SBI_DBCN_WRITE:
		return console_write(v);
	case SBI_DBCN_READ:
		return console_read(v);
	case SBI_DBCN_WRITE_BYTE:
		/* Waiting is not ours to do: a full console is an I/O error. */
		if (!console->write(console->ctx, (uint8_t)sbi_arg(v, 0)))
			return sbi_return(v, SBI_ERR_FAILED, 0);
		return sbi_return(v, SBI_SUCCESS, 0);
	default:
		return sbi_return(v, SBI_ERR_NOT_SUPPORTED, 0);
	}
}
