/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Programs of guests, made up from the input: straight lines of stub ops. */
#include "api_model.h"

static struct stub_op make_op(struct fuzz *f, const struct model_vm *v)
{
	static const enum stub_op_kind kinds[] = {
		STUB_READ,	 STUB_WRITE,	 STUB_EXEC,   STUB_READ,
		STUB_WRITE,	 STUB_PEEK,	 STUB_WFI,    STUB_READ,
		STUB_WFI,	 STUB_HYPERCALL, STUB_CPU_ON, STUB_CPU_ON,
		STUB_SYSTEM_OFF, STUB_SYSREG,	 STUB_PORT,   STUB_UNKNOWN,
		STUB_FAIL_ENTRY, STUB_ERROR,	 STUB_SPIN,   STUB_IRQS,
		STUB_ACK,	 STUB_SET,	 STUB_CSR,    STUB_END,
		STUB_CPU_OFF,	 STUB_READ,	 STUB_WRITE,  STUB_SPIN,
	};
	struct stub_op op = {.b = take8(f)};

	op.kind = kinds[take8(f) % (sizeof(kinds) / sizeof(kinds[0]))];
	switch (op.kind) {
	case STUB_READ:
	case STUB_WRITE:
	case STUB_PEEK:
		op.a = pick_gpa(f, v);
		break;
	case STUB_EXEC:
		/* Words that guests do not write: no code changes under an
		 * instruction cache that only the guest could flush. */
		op.a = (pick_gpa(f, v) & ~UINT64_C(0xff)) | 16;
		break;
	case STUB_SYSTEM_OFF:
		op.a = take8(f);
		op.kind = (op.a & 1) != 0 ? STUB_SYSTEM_RESET : STUB_SYSTEM_OFF;
		break;
	case STUB_ERROR:
		op.a = (uint64_t)(int64_t)AXVM_ENOTSUP;
		break;
	case STUB_HYPERCALL:
		op.a = 0x10000u + take8(f);
		break;
	default:
		op.a = 1u + take8(f) % 3u;
		break;
	}
	return op;
}

void guest_program(struct fuzz *f, struct model_vm *v, uint32_t vcpu)
{
	struct model_vcpu *c = &v->vcpus[vcpu];
	unsigned count = take8(f) % (PROGRAM + 1);

	memset(c->program, 0, sizeof(c->program));
	for (unsigned i = 0; i < count; i++)
		c->program[i] = make_op(f, v);
	stub_program(v->vm, vcpu, c->program);
	c->pc = 0;
}
