/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* vcpu.c and vcpu_table.c: residency, completion, kicks, halts, starts. */
#include "core_test.h"

#include "stub_internal.h"

static const struct stub_op nothing[] = {THE_END};

/* ---- run and residency ---- */

static void a_memory_access_is_served_without_an_exit(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, RAM + 0x8000, 42),
		OP(READ, RAM + 0x8000, 0),
		OP(EXPECT, 42, 0),
		THE_END,
	};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), 42);
	no_violation();
	end(vm);
}

static void run_refuses_bad_arguments(void **state)
{
	struct axvm_vm *vm = running(nothing);
	struct axvm_cpu *cpu = stub_cpu(m, 0);

	(void)state;
	assert_int_equal(axvm_run_vcpu(NULL, vm, 0, left), AXVM_EINVAL);
	assert_int_equal(axvm_run_vcpu(cpu, NULL, 0, left), AXVM_EINVAL);
	assert_int_equal(axvm_run_vcpu(cpu, vm, 0, NULL), AXVM_EINVAL);
	assert_int_equal(axvm_run_vcpu(cpu, vm, 1, left), AXVM_ENOENT);
	assert_int_equal(axvm_vcpu_unbind(NULL, vm, 0), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_unbind(cpu, NULL, 0), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_unbind(cpu, vm, 1), AXVM_ENOENT);
	end(vm);
}

static void a_cpu_of_another_host_is_refused(void **state)
{
	static const struct stub_config c = {.cpus = 1};
	struct axvm_vm *vm = running(nothing);
	struct stub_machine *other = stub_new(&c);

	(void)state;
	assert_int_equal(axvm_run_vcpu(stub_cpu(other, 0), vm, 0, left),
			 AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_unbind(stub_cpu(other, 0), vm, 0),
			 AXVM_EINVAL);
	assert_true(stub_delete(other));
	stub_be(m, 0);
	end(vm);
}

static void a_resident_vcpu_is_busy_elsewhere_until_unbound(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(stub_run(m, 1, vm, 0, left), AXVM_EBUSY);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_READY);
	/* Not resident on CPU 1: nothing to do there. */
	assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, 1), vm, 0), AXVM_OK);
	assert_int_equal(stub_run(m, 1, vm, 0, left), AXVM_EBUSY);
	stub_be(m, 0);
	assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, 0), vm, 0), AXVM_OK);
	assert_int_equal(run_on(1, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(stub_count(m, 0, STUB_PUTS), 1);
	no_violation();
	end(vm);
}

static void a_resident_vcpu_is_not_loaded_again(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_count(m, 0, STUB_LOADS), 1);
	end(vm);
}

static void running_another_vcpu_puts_the_resident_one(void **state)
{
	static const struct stub_op first[] = {
		OP(CSR, 0, 11), OP(CPU_ON, 1, RAM), OP(SPIN, 2, 0), THE_END};
	static const struct stub_op second[] = {OP(CSR, 0, 22), THE_END};
	struct axvm_vm *vm;

	(void)state;
	config.cpu_num = 2;
	vm = loaded();
	stub_program(vm, 0, first);
	stub_program(vm, 1, second);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(run_on(0, vm, 1), AXVM_EXIT_IRQ);
	/* vCPU 0 was put with its register, vCPU 1 has it on the CPU. */
	assert_int_equal(stub_reg(vm, 0, STUB_REG_CSR), 11);
	assert_int_equal(run_on(1, vm, 0), AXVM_EXIT_IRQ);
	stub_be(m, 0);
	assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, 0), vm, 1), AXVM_OK);
	assert_int_equal(stub_reg(vm, 1, STUB_REG_CSR), 22);
	no_violation();
	end(vm);
}

static void release_puts_whatever_is_resident(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_cpu_release(stub_cpu(m, 0)), AXVM_OK);
	assert_int_equal(axvm_cpu_release(stub_cpu(m, 0)), AXVM_OK);
	assert_int_equal(stub_count(m, 0, STUB_PUTS), 1);
	assert_int_equal(run_on(1, vm, 0), AXVM_EXIT_IRQ);
	end(vm);
}

struct reentry {
	struct axvm_vm *vm;
	int run, unbind, release, get, set, done, other_vcpu, disable;
};

static void call_from_inside(void *arg)
{
	struct reentry *r = arg;
	struct axvm_exit exit;
	uint64_t value;

	r->run = axvm_run_vcpu(stub_cpu(m, 0), r->vm, 0, &exit);
	r->other_vcpu = axvm_run_vcpu(stub_cpu(m, 0), r->vm, 1, &exit);
	r->unbind = axvm_vcpu_unbind(stub_cpu(m, 0), r->vm, 0);
	r->release = axvm_cpu_release(stub_cpu(m, 0));
	r->disable = axvm_cpu_disable(stub_cpu(m, 0));
	r->get = axvm_vcpu_get_reg(r->vm, 0, AXVM_REG_PC, &value);
	r->set = axvm_vcpu_set_reg(r->vm, 0, AXVM_REG_PC, 0);
	r->done = axvm_vcpu_complete(r->vm, 0, 1, AXVM_COMPLETE_DONE, 0);
}

static void a_running_vcpu_and_its_cpu_are_busy(void **state)
{
	struct reentry r = {0};

	(void)state;
	config.cpu_num = 2;
	r.vm = running(nothing);
	stub_inside(r.vm, 0, call_from_inside, &r);
	assert_int_equal(run(r.vm), AXVM_EXIT_IRQ);
	assert_int_equal(r.run, AXVM_EBUSY);
	assert_int_equal(r.other_vcpu, AXVM_EBUSY);
	assert_int_equal(r.unbind, AXVM_EBUSY);
	assert_int_equal(r.release, AXVM_EBUSY);
	assert_int_equal(r.disable, AXVM_EBUSY);
	assert_int_equal(r.get, AXVM_EBUSY);
	assert_int_equal(r.set, AXVM_EBUSY);
	assert_int_equal(r.done, AXVM_EBUSY);
	no_violation();
	end(r.vm);
}

static void host_interrupts_are_as_before_after_run(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	assert_false(stub_masked());
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_false(stub_masked());
	assert_int_equal(stub_run(m, 1, vm, 0, left), AXVM_EBUSY);
	assert_false(stub_masked());
	end(vm);
}

/* ---- exits and their completion ---- */

static void unclaimed_mmio_reads_ones_and_drops_writes_by_default(void **state)
{
	static const struct stub_op ops[] = {
		OP(WRITE, NOWHERE, 7), OP(READ, NOWHERE + 8, 0),
		OP(EXPECT, UINT64_MAX, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_int_equal(left->gpa, NOWHERE);
	assert_int_equal(left->valid, AXVM_EXIT_GPA_VALID);
	assert_int_equal(left->u.mmio.write, 1);
	assert_int_equal(left->u.mmio.value, 7);
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_int_equal(left->gpa, NOWHERE + 8);
	assert_int_equal(left->u.mmio.write, 0);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void done_gives_the_guest_the_value(void **state)
{
	static const struct stub_op ops[] = {OP(READ, NOWHERE, 0),
					     OP(EXPECT, 0x1234, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 0x1234), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void fault_gives_the_guest_a_fault(void **state)
{
	static const struct stub_op ops[] = {OP(READ, NOWHERE, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_int_equal(complete(vm, AXVM_COMPLETE_FAULT, 0), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_faults(vm, 0), 1);
	end(vm);
}

static void retry_executes_the_instruction_again(void **state)
{
	static const struct stub_op ops[] = {OP(READ, NOWHERE, 0), THE_END};
	struct axvm_vm *vm = running(ops);
	uint64_t seq;

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	seq = left->seq;
	assert_int_equal(complete(vm, AXVM_COMPLETE_RETRY, 0), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_true(left->seq > seq);
	assert_int_equal(left->pc, 0);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	end(vm);
}

static void complete_wants_the_exit_that_waits_and_once(void **state)
{
	static const struct stub_op ops[] = {OP(READ, NOWHERE, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(axvm_vcpu_complete(vm, 0, 0, AXVM_COMPLETE_DONE, 0),
			 AXVM_ENOENT);
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_int_equal(
		axvm_vcpu_complete(NULL, 0, left->seq, AXVM_COMPLETE_DONE, 0),
		AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_complete(vm, 0, left->seq,
					    (enum axvm_complete_action)3, 0),
			 AXVM_EINVAL);
	assert_int_equal(
		axvm_vcpu_complete(vm, 1, left->seq, AXVM_COMPLETE_DONE, 0),
		AXVM_ENOENT);
	assert_int_equal(
		axvm_vcpu_complete(vm, 0, left->seq + 1, AXVM_COMPLETE_DONE, 0),
		AXVM_ENOENT);
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 5), AXVM_OK);
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 6), AXVM_ENOENT);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), 5);
	/* An IRQ exit takes no completion. */
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 0), AXVM_ENOENT);
	end(vm);
}

static void other_exits_have_their_defaults(void **state)
{
	static const struct stub_op ops[] = {
		OP(SYSREG, 0x123, 0), /* a fault */
		OP(PORT, 0x60, 0), /* ones */
		OP(EXPECT, UINT64_MAX, 0),
		OP(HYPERCALL, 0x205, 6), /* -1 */
		OP(UNKNOWN, 0, 0), /* a fault */
		OP(FAIL_ENTRY, 77, 0), /* nothing to complete */
		THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_SYSREG);
	assert_int_equal(left->u.sysreg.number, 0x123);
	assert_int_equal(run(vm), AXVM_EXIT_PORT);
	assert_int_equal(stub_faults(vm, 0), 1);
	assert_int_equal(left->u.port.port, 0x60);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	assert_int_equal(left->u.hypercall.number, 0x205);
	assert_int_equal(left->u.hypercall.args[0], 6);
	assert_int_equal(run(vm), AXVM_EXIT_FAULT);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(0)), UINT64_MAX);
	assert_int_equal(left->u.fault.kind, AXVM_FAULT_UNKNOWN);
	assert_int_equal(run(vm), AXVM_EXIT_FAIL_ENTRY);
	assert_int_equal(stub_faults(vm, 0), 2);
	assert_int_equal(left->u.fail_entry.code, 77);
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 0), AXVM_ENOENT);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void hypercall_and_sysreg_take_the_hosts_answer(void **state)
{
	static const struct stub_op ops[] = {OP(HYPERCALL, 0x200, 0),
					     OP(SYSREG, 1, 0), OP(EXPECT, 9, 0),
					     THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 8), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_SYSREG);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(0)), 8);
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 9), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

static void an_exit_record_says_who_and_where(void **state)
{
	static const struct stub_op ops[] = {OP(SET, 4, 1),
					     OP(READ, NOWHERE, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	memset(left, 0xa5, sizeof(*left));
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_int_equal(left->vcpu, 0);
	assert_int_equal(left->seq, 1);
	assert_int_equal(left->pc, 1);
	assert_int_equal(left->valid, AXVM_EXIT_GPA_VALID);
	assert_int_equal(left->reserved, 0);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(left->seq, 2);
	end(vm);
}

static void what_a_reason_does_not_name_is_left_alone(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), THE_END};
	struct axvm_vm *vm = running(ops);
	struct axvm_exit before;

	(void)state;
	memset(left, 0xa5, sizeof(*left));
	before = *left;
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(left->valid, 0);
	assert_int_equal(left->reserved, 0);
	assert_int_equal(left->u.halt.deadline, AXVM_NO_DEADLINE);
	assert_int_equal(left->gpa, before.gpa);
	assert_int_equal(left->gva, before.gva);
	assert_int_equal(left->u.hypercall.args[0], before.u.hypercall.args[0]);
	assert_memory_equal(left->raw, before.raw, sizeof(before.raw));
	end(vm);
}

/* Off: HALT names its deadline, SUSPENDED and STOPPED name nothing. */
static void a_vcpu_that_is_off_leaves_the_rest_alone_too(void **state)
{
	struct axvm_exit before;
	struct axvm_vm *vm;

	(void)state;
	config.cpu_num = 2;
	vm = running(nothing);
	memset(left, 0xa5, sizeof(*left));
	before = *left;
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 1), AXVM_EXIT_SUSPENDED);
	assert_memory_equal(&left->u, &before.u, sizeof(before.u));
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 1), AXVM_EXIT_HALT);
	assert_int_equal(left->u.halt.deadline, AXVM_NO_DEADLINE);
	*left = before;
	assert_int_equal(axvm_shutdown(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 1), AXVM_EXIT_STOPPED);
	assert_memory_equal(&left->u, &before.u, sizeof(before.u));
	end(vm);
}

static void an_error_of_the_backend_leaves_the_vcpu_runnable(void **state)
{
	static const struct stub_op ops[] = {
		OP(ERROR, (uint64_t)(int64_t)AXVM_ENOTSUP, 0), OP(SET, 4, 1),
		THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(stub_run(m, 0, vm, 0, left), AXVM_ENOTSUP);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_READY);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(4)), 1);
	no_violation();
	end(vm);
}

/* ---- kicks ---- */

static void a_kick_before_run_returns_at_once(void **state)
{
	static const struct stub_op ops[] = {OP(SET, 4, 1), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(axvm_vcpu_kick(vm, 0), AXVM_OK);
	assert_int_equal(axvm_vcpu_kick(vm, 0), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_KICKED);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(4)), 0);
	/* However often: one return. */
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(4)), 1);
	assert_int_equal(test_hal_kicks(stub_hal(m), 0), 0);
	end(vm);
}

static void kick_vcpu_0(void *vm)
{
	assert_int_equal(axvm_vcpu_kick(vm, 0), AXVM_OK);
}

static void a_kick_during_run_calls_the_vcpu_out(void **state)
{
	static const struct stub_op ops[] = {OP(SPIN, 10, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	stub_inside(vm, 0, kick_vcpu_0, vm);
	assert_int_equal(run(vm), AXVM_EXIT_KICKED);
	assert_int_equal(test_hal_kicks(stub_hal(m), 0), 1);
	/* Once, and no more. */
	stub_program(vm, 0, nothing);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	end(vm);
}

static void kick_refuses_what_does_not_exist(void **state)
{
	struct axvm_vm *vm = created();

	(void)state;
	assert_int_equal(axvm_vcpu_kick(NULL, 0), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_kick(vm, 0), AXVM_ENOENT);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(axvm_vcpu_kick(vm, 1), AXVM_ENOENT);
	destroy(vm);
}

static void a_kick_keeps_the_exit_that_waits(void **state)
{
	static const struct stub_op ops[] = {OP(READ, NOWHERE, 0),
					     OP(EXPECT, 3, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_int_equal(complete(vm, AXVM_COMPLETE_DONE, 3), AXVM_OK);
	kick_vcpu_0(vm);
	assert_int_equal(run(vm), AXVM_EXIT_KICKED);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	no_violation();
	end(vm);
}

/* ---- halt and wake ---- */

static void wfi_returns_halt_with_its_deadline(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 12345, 0), OP(WFI, 0, 0),
					     THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(left->u.halt.deadline, 12345);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_BLOCKED);
	/* Run without a wake, as at a deadline: the wait is over. */
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_true(left->u.halt.deadline == AXVM_NO_DEADLINE);
	end(vm);
}

static void an_interrupt_wakes_a_blocked_vcpu(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), OP(IRQS, 0, 0),
					     THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(test_hal_wakes(stub_hal(m), 0), 0);
	assert_int_equal(axvm_irq_set(vm, 7, true), AXVM_OK);
	assert_int_equal(test_hal_wakes(stub_hal(m), 0), 1);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_READY);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), 1u << 7);
	no_violation();
	end(vm);
}

static void a_kick_wakes_a_blocked_vcpu(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	kick_vcpu_0(vm);
	assert_int_equal(test_hal_wakes(stub_hal(m), 0), 1);
	assert_int_equal(run(vm), AXVM_EXIT_KICKED);
	end(vm);
}

static void raise_line_5(void *vm)
{
	assert_int_equal(axvm_vcpu_irq_set(vm, 0, 5, true), AXVM_OK);
}

static void an_interrupt_just_before_the_halt_is_not_lost(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), OP(IRQS, 0, 0),
					     THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	stub_outside(vm, 0, raise_line_5, vm);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), (UINT64_C(1) << 5)
								   << 32);
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_READY);
	no_violation();
	end(vm);
}

static void a_kick_just_before_the_halt_is_not_lost(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	stub_outside(vm, 0, kick_vcpu_0, vm);
	assert_int_equal(run(vm), AXVM_EXIT_KICKED);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	end(vm);
}

static void a_pending_interrupt_makes_wfi_go_on(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), OP(ACK, 0, 0),
					     OP(WFI, 0, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(axvm_inject(vm, 0, AXVM_PRIVATE_LINE + 9), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(left->pc, 2);
	no_violation();
	end(vm);
}

static void a_host_without_wake_polls(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};
	static const struct stub_op ops[] = {OP(WFI, 0, 0), OP(IRQS, 0, 0),
					     THE_END};
	struct axvm_vm *vm;

	(void)state;
	m = stub_new_bare(&c);
	stub_hal(m)->hal.wake = NULL;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	vm = running(ops);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(axvm_irq_set(vm, 3, true), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), 8);
	end(vm);
}

/* ---- lines ---- */

static void lines_stay_with_the_vcpu_when_it_moves(void **state)
{
	static const struct stub_op ops[] = {OP(SPIN, 1, 0), OP(IRQS, 0, 0),
					     THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	assert_int_equal(axvm_irq_set(vm, 1, true), AXVM_OK);
	assert_int_equal(axvm_vcpu_irq_set(vm, 0, 9, true), AXVM_OK);
	assert_int_equal(axvm_inject(vm, 0, 33), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_cpu_release(stub_cpu(m, 0)), AXVM_OK);
	assert_int_equal(run_on(1, vm, 0), AXVM_EXIT_IRQ);
	assert_true(stub_reg(vm, 0, STUB_REG_RESULT) ==
		    ((UINT64_C(1) << 9) << 32 | UINT64_C(1) << 33 | 2));
	no_violation();
	end(vm);
}

static void a_line_is_seen_by_a_running_guest(void **state)
{
	static const struct stub_op ops[] = {OP(SPIN, 0, 0), THE_END};
	static const struct stub_op after[] = {OP(IRQS, 0, 0), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	stub_inside(vm, 0, raise_line_5, vm);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(test_hal_kicks(stub_hal(m), 0), 1);
	stub_program(vm, 0, after);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), (UINT64_C(1) << 5)
								   << 32);
	no_violation();
	end(vm);
}

/* ---- starts ---- */

static struct axvm_vm *pair(const struct stub_op *first,
			    const struct stub_op *second)
{
	struct axvm_vm *vm;

	config.cpu_num = 2;
	vm = loaded();
	stub_program(vm, 0, first);
	stub_program(vm, 1, second);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	return vm;
}

static const struct stub_op start_one[] = {OP(CPU_ON, 1, RAM + 0x100), THE_END};

static void the_guest_starts_a_vcpu(void **state)
{
	struct axvm_vm *vm = pair(start_one, nothing);

	(void)state;
	assert_int_equal(axvm_vcpu_state(vm, 0), AXVM_VCPU_READY);
	assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_OFF);
	assert_int_equal(axvm_vcpu_state(vm, 2), AXVM_VCPU_OFF);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_HALT);
	assert_true(left->u.halt.deadline == AXVM_NO_DEADLINE);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(left->u.cpu_on.vcpu, 1);
	assert_int_equal(left->u.cpu_on.entry, RAM + 0x100);
	/* Not before the exit is completed. */
	assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_OFF);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(0)), 0);
	assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_READY);
	assert_int_equal(test_hal_wakes(stub_hal(m), 1), 1);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 1, STUB_REG_ENTRY), RAM + 0x100);
	assert_int_equal(stub_reg(vm, 1, STUB_REG_ARGUMENT), RAM + 0x101);
	no_violation();
	end(vm);
}

static void the_host_may_refuse_a_start(void **state)
{
	struct axvm_vm *vm = pair(start_one, nothing);

	(void)state;
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(complete(vm, AXVM_COMPLETE_RETRY, 0), AXVM_EINVAL);
	assert_int_equal(complete(vm, AXVM_COMPLETE_FAULT, 0), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_OFF);
	/* And another attempt is possible. */
	stub_program(vm, 0, start_one);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_READY);
	end(vm);
}

static void starting_twice_or_nobody_is_an_error_of_the_guest(void **state)
{
	static const struct stub_op ops[] = {
		OP(CPU_ON, 1, RAM), OP(CPU_ON, 1, RAM), OP(CPU_ON, 9, RAM),
		OP(CPU_ON, 0, RAM), THE_END};
	static const struct stub_op poll[] = {OP(SPIN, 1, 0), THE_END};
	struct axvm_vm *vm = pair(ops, poll);

	(void)state;
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_true(stub_reg(vm, 0, AXVM_REG_GPR(0)) ==
		    (uint64_t)(int64_t)AXVM_EEXIST);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_PC), 4);
	no_violation();
	end(vm);
}

static void a_start_on_its_way_is_not_started_again(void **state)
{
	static const struct stub_op third[] = {OP(CPU_ON, 1, RAM), THE_END};
	static const struct stub_op ops[] = {OP(CPU_ON, 2, RAM),
					     OP(CPU_ON, 1, RAM), THE_END};
	struct axvm_vm *vm;

	(void)state;
	config.cpu_num = 3;
	vm = loaded();
	stub_program(vm, 0, ops);
	stub_program(vm, 1, nothing);
	stub_program(vm, 2, third);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	/* vCPU 0's start of 1 waits; 2 tries the same. */
	assert_int_equal(run_on(1, vm, 2), AXVM_EXIT_IRQ);
	assert_true(stub_reg(vm, 2, AXVM_REG_GPR(0)) ==
		    (uint64_t)(int64_t)AXVM_EBUSY);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_READY);
	end(vm);
}

static void a_vcpu_that_switches_off_leaves_its_cpu(void **state)
{
	static const struct stub_op off[] = {OP(CSR, 0, 5), SWITCH_OFF,
					     THE_END};
	struct axvm_vm *vm = pair(start_one, off);

	(void)state;
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_HALT);
		assert_true(left->u.halt.deadline == AXVM_NO_DEADLINE);
		assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_OFF);
		assert_int_equal(stub_count(m, 1, STUB_PUTS), i + 1);
		/* Started again: with registers as at power-on. */
		stub_program(vm, 0, start_one);
		assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
		assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	}
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_HALT);
	no_violation();
	end(vm);
}

/* On CPU 0, while vCPU 1 is still on its way out on CPU 1. */
static void start_it_again(void *vm)
{
	stub_program(vm, 0, start_one);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	stub_be(m, 1);
}

static void a_start_before_the_vcpu_has_left_is_a_start(void **state)
{
	static const struct stub_op off[] = {OP(CSR, 0, 5), SWITCH_OFF,
					     THE_END};
	struct axvm_vm *vm = pair(start_one, off);
	struct axvm_exit exit;

	(void)state;
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	stub_outside(vm, 1, start_it_again, vm);
	assert_int_equal(stub_run(m, 1, vm, 1, &exit), AXVM_OK);
	assert_int_equal(exit.reason, AXVM_EXIT_HALT);
	assert_int_equal(axvm_vcpu_state(vm, 1), AXVM_VCPU_READY);
	assert_int_equal(stub_count(m, 1, STUB_PUTS), 1);
	stub_program(vm, 1, nothing);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_IRQ);
	stub_be(m, 1);
	assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, 1), vm, 1), AXVM_OK);
	assert_int_equal(stub_reg(vm, 1, STUB_REG_CSR), 0);
	assert_int_equal(stub_reg(vm, 1, STUB_REG_ENTRY), RAM + 0x100);
	no_violation();
	end(vm);
}

static void interrupts_of_a_vcpu_that_is_off_wait_for_its_start(void **state)
{
	static const struct stub_op look[] = {OP(IRQS, 0, 0), THE_END};
	struct axvm_vm *vm = pair(start_one, look);

	(void)state;
	assert_int_equal(axvm_irq_set(vm, 3, true), AXVM_OK);
	assert_int_equal(axvm_vcpu_irq_set(vm, 1, 1, true), AXVM_OK);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_CPU_ON);
	assert_int_equal(run_on(0, vm, 0), AXVM_EXIT_IRQ);
	assert_int_equal(run_on(1, vm, 1), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 1, STUB_REG_RESULT),
			 (UINT64_C(1) << 1) << 32 | 1u << 3);
	no_violation();
	end(vm);
}

/* ---- attention ---- */

static void bits_of_the_backend_are_its_to_attend(void **state)
{
	struct axvm_vm *vm = running(nothing);

	(void)state;
	axvmi_notify(vm->vcpus[0], AXVMI_ATTN_ARCH);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_vcpu(vm->vcpus[0])->attended, 1);
	end(vm);
}

static void endless_notifications_give_the_host_its_turn(void **state)
{
	static const struct stub_op ops[] = {OP(SET, 4, 1), THE_END};
	struct axvm_vm *vm = running(ops);

	(void)state;
	axvmi_notify(vm->vcpus[0], AXVMI_ATTN_ARCH << 1);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(4)), 0);
	no_violation();
	end(vm);
}

static void notify_and_wait_reaches_those_in_the_mask(void **state)
{
	struct axvm_vm *vm;

	(void)state;
	config.cpu_num = 3;
	vm = loaded();
	axvmi_notify_and_wait(vm, 6, AXVMI_ATTN_ARCH, vm->vcpus[1]);
	assert_int_equal(load_seq(&vm->vcpus[0]->attention) & AXVMI_ATTN_ARCH,
			 0);
	assert_int_equal(load_seq(&vm->vcpus[1]->attention) & AXVMI_ATTN_ARCH,
			 0);
	assert_int_equal(load_seq(&vm->vcpus[2]->attention) & AXVMI_ATTN_ARCH,
			 AXVMI_ATTN_ARCH);
	destroy(vm);
}

/* ---- registers, counters, names ---- */

static void registers_are_read_and_written_outside(void **state)
{
	struct axvm_vm *vm = created();
	uint64_t value = 99;

	(void)state;
	assert_int_equal(axvm_vcpu_get_reg(vm, 0, AXVM_REG_PC, &value),
			 AXVM_ESTATE);
	assert_int_equal(axvm_vcpu_set_reg(vm, 0, AXVM_REG_PC, 0), AXVM_ESTATE);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(axvm_vcpu_get_reg(NULL, 0, 0, &value), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_get_reg(vm, 0, 0, NULL), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_set_reg(NULL, 0, 0, 0), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_get_reg(vm, 1, 0, &value), AXVM_ENOENT);
	assert_int_equal(axvm_vcpu_get_reg(vm, 0, 0xffff, &value), AXVM_ENOENT);
	assert_int_equal(axvm_vcpu_set_reg(vm, 0, 0xffff, 0), AXVM_ENOENT);
	assert_int_equal(value, 99);
	assert_int_equal(axvm_vcpu_set_reg(vm, 0, AXVM_REG_GPR(4), 4), AXVM_OK);
	assert_int_equal(axvm_vcpu_set_reg(vm, 0, STUB_REG_CSR, 8), AXVM_OK);
	stub_program(vm, 0, nothing);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, AXVM_REG_GPR(4)), 4);
	/* On the CPU: unbind first. */
	assert_int_equal(axvm_vcpu_get_reg(vm, 0, STUB_REG_CSR, &value),
			 AXVM_EBUSY);
	assert_int_equal(axvm_vcpu_set_reg(vm, 0, STUB_REG_CSR, 1), AXVM_EBUSY);
	assert_int_equal(axvm_vcpu_unbind(stub_cpu(m, 0), vm, 0), AXVM_OK);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_CSR), 8);
	end(vm);
}

static void counters_say_what_the_guest_left_for(void **state)
{
	static const struct stub_op ops[] = {
		OP(READ, NOWHERE, 0), OP(HYPERCALL, 0x200, 0), OP(WFI, 0, 0),
		OP(READ, RAM + MIB(16), 0), THE_END};
	struct axvm_vcpu_stats stats;
	struct axvm_vm *vm;

	(void)state;
	add_region(RAM + MIB(16), PAGE, AXVM_REGION_DEMAND);
	vm = running(ops);
	assert_int_equal(axvm_vcpu_get_stats(NULL, 0, &stats), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_get_stats(vm, 0, NULL), AXVM_EINVAL);
	assert_int_equal(axvm_vcpu_get_stats(vm, 1, &stats), AXVM_ENOENT);
	assert_int_equal(run(vm), AXVM_EXIT_MMIO);
	assert_int_equal(run(vm), AXVM_EXIT_HYPERCALL);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_vcpu_get_stats(vm, 0, &stats), AXVM_OK);
	assert_int_equal(stats.exits[AXVM_STAT_MMIO], 1);
	assert_int_equal(stats.exits[AXVM_STAT_HYPERCALL], 1);
	assert_int_equal(stats.exits[AXVM_STAT_HALT], 1);
	assert_int_equal(stats.exits[AXVM_STAT_STAGE2_FAULT], 1);
	assert_int_equal(stats.exits[AXVM_STAT_INTERRUPT], 2);
	assert_int_equal(stats.returns[AXVM_EXIT_IRQ], 2);
	assert_int_equal(stats.returns[AXVM_EXIT_MMIO], 1);
	assert_int_equal(stats.returns[AXVM_EXIT_HALT], 1);
	assert_int_equal(stats.returns[AXVM_EXIT_KICKED], 0);
	end(vm);
}

static void every_reason_and_counter_has_a_name(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < AXVM_EXIT_REASONS; i++) {
		assert_string_not_equal(axvm_exit_name(i), "unknown");
		for (uint32_t k = 0; k < i; k++)
			assert_string_not_equal(axvm_exit_name(i),
						axvm_exit_name(k));
	}
	for (unsigned i = 0; i < AXVM_STATS; i++)
		assert_string_not_equal(axvm_stat_name((enum axvm_stat)i),
					"unknown");
	assert_string_equal(axvm_exit_name(AXVM_EXIT_REASONS), "unknown");
	assert_string_equal(axvm_stat_name(AXVM_STATS), "unknown");
	assert_string_equal(axvm_exit_name(AXVM_EXIT_MMIO), "MMIO");
	assert_string_equal(axvm_stat_name(AXVM_STAT_MMIO), "mmio");
}

/* ---- any vCPU, from anywhere ---- */

struct edge {
	struct axvm_vm *vm;
	uint32_t vcpu;
	unsigned from; /* the CPU that sends it */
};

static void send_edge(void *arg)
{
	const struct edge *e = arg;

	stub_be(m, e->from);
	assert_int_equal(axvm_inject(e->vm, e->vcpu, AXVM_PRIVATE_LINE + 5),
			 AXVM_OK);
	stub_be(m, e->vcpu);
}

/* Sends to a vCPU that waits, is ready, or is in the guest on its CPU. */
static void edge_arrives(struct edge *e, enum axvm_vcpu_state to)
{
	assert_int_equal(axvm_vcpu_set_reg(e->vm, e->vcpu, STUB_REG_RESULT, 0),
			 AXVM_OK);
	if (to == AXVM_VCPU_READY) {
		assert_int_equal(axvm_vcpu_kick(e->vm, e->vcpu), AXVM_OK);
		assert_int_equal(run_on(e->vcpu, e->vm, e->vcpu),
				 AXVM_EXIT_KICKED);
	}
	if (to == AXVM_VCPU_RUNNING) {
		stub_inside(e->vm, e->vcpu, send_edge, e);
		assert_int_equal(run_on(e->vcpu, e->vm, e->vcpu),
				 AXVM_EXIT_IRQ);
	} else {
		assert_int_equal(axvm_vcpu_state(e->vm, e->vcpu), to);
		send_edge(e);
	}
	assert_int_equal(axvm_vcpu_state(e->vm, e->vcpu), AXVM_VCPU_READY);
	assert_int_equal(run_on(e->vcpu, e->vm, e->vcpu), AXVM_EXIT_HALT);
	assert_int_equal(stub_reg(e->vm, e->vcpu, STUB_REG_RESULT),
			 UINT64_C(1) << (32 + 5));
}

static void an_edge_finds_any_vcpu_of_any_vm_in_any_state(void **state)
{
	static const struct stub_op first[] = {OP(CPU_ON, 1, RAM),
					       OP(WFI, 0, 0), OP(IRQS, 0, 0),
					       OP(ACK, 0, 0), OP(JUMP, 1, 0)};
	static const struct stub_op other[] = {OP(WFI, 0, 0), OP(IRQS, 0, 0),
					       OP(ACK, 0, 0), OP(JUMP, 0, 0)};
	static const enum axvm_vcpu_state states[] = {
		AXVM_VCPU_BLOCKED, AXVM_VCPU_READY, AXVM_VCPU_RUNNING};
	struct axvm_vm *vms[2];

	(void)state;
	config.cpu_num = 2;
	for (unsigned n = 0; n < 2; n++) {
		config.id = 1 + n;
		vms[n] = running(first);
		stub_program(vms[n], 1, other);
		assert_int_equal(run_on(0, vms[n], 0), AXVM_EXIT_CPU_ON);
		assert_int_equal(run_on(0, vms[n], 0), AXVM_EXIT_HALT);
		assert_int_equal(run_on(1, vms[n], 1), AXVM_EXIT_HALT);
	}
	for (unsigned i = 0; i < 24; i++) {
		struct edge e = {vms[i & 1], i >> 1 & 1, i >> 2 & 1};

		edge_arrives(&e, states[i >> 3]);
	}
	no_violation();
	for (unsigned n = 0; n < 2; n++)
		end(vms[n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_memory_access_is_served_without_an_exit),
		TEST(run_refuses_bad_arguments),
		TEST(a_cpu_of_another_host_is_refused),
		TEST(a_resident_vcpu_is_busy_elsewhere_until_unbound),
		TEST(a_resident_vcpu_is_not_loaded_again),
		TEST(running_another_vcpu_puts_the_resident_one),
		TEST(release_puts_whatever_is_resident),
		TEST(a_running_vcpu_and_its_cpu_are_busy),
		TEST(host_interrupts_are_as_before_after_run),
		TEST(unclaimed_mmio_reads_ones_and_drops_writes_by_default),
		TEST(done_gives_the_guest_the_value),
		TEST(fault_gives_the_guest_a_fault),
		TEST(retry_executes_the_instruction_again),
		TEST(complete_wants_the_exit_that_waits_and_once),
		TEST(other_exits_have_their_defaults),
		TEST(hypercall_and_sysreg_take_the_hosts_answer),
		TEST(an_exit_record_says_who_and_where),
		TEST(what_a_reason_does_not_name_is_left_alone),
		TEST(a_vcpu_that_is_off_leaves_the_rest_alone_too),
		TEST(an_error_of_the_backend_leaves_the_vcpu_runnable),
		TEST(a_kick_before_run_returns_at_once),
		TEST(a_kick_during_run_calls_the_vcpu_out),
		TEST(kick_refuses_what_does_not_exist),
		TEST(a_kick_keeps_the_exit_that_waits),
		TEST(wfi_returns_halt_with_its_deadline),
		TEST(an_interrupt_wakes_a_blocked_vcpu),
		TEST(a_kick_wakes_a_blocked_vcpu),
		TEST(an_interrupt_just_before_the_halt_is_not_lost),
		TEST(a_kick_just_before_the_halt_is_not_lost),
		TEST(a_pending_interrupt_makes_wfi_go_on),
		OWN(a_host_without_wake_polls),
		TEST(lines_stay_with_the_vcpu_when_it_moves),
		TEST(a_line_is_seen_by_a_running_guest),
		TEST(the_guest_starts_a_vcpu),
		TEST(the_host_may_refuse_a_start),
		TEST(starting_twice_or_nobody_is_an_error_of_the_guest),
		TEST(a_start_on_its_way_is_not_started_again),
		TEST(a_vcpu_that_switches_off_leaves_its_cpu),
		TEST(a_start_before_the_vcpu_has_left_is_a_start),
		TEST(an_edge_finds_any_vcpu_of_any_vm_in_any_state),
		TEST(interrupts_of_a_vcpu_that_is_off_wait_for_its_start),
		TEST(bits_of_the_backend_are_its_to_attend),
		TEST(endless_notifications_give_the_host_its_turn),
		TEST(notify_and_wait_reaches_those_in_the_mask),
		TEST(registers_are_read_and_written_outside),
		TEST(counters_say_what_the_guest_left_for),
		TEST(every_reason_and_counter_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
