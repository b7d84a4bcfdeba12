/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Channels under threads: two VMs on three CPUs publish, subscribe, ring and
 * leave as fast as they can, while the host connects, disconnects and resets
 * them. For a number of rounds, not for a time. Meant for ThreadSanitizer; the
 * model's own checks and the ledger count everywhere.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "ivc_test.h"

#define KEY UINT64_C(7)
#define ROUNDS 32u
/* Two steps of publishing, which the vCPUs may share. */
#define SIZE (384 * PAGE)
#define PAGES 1024u
#define PUBLISHER UINT64_C(1)
#define NOTIFY_SLOT0 (POOL + AXVM_DOORBELL_SLOT(0) + AXVM_DOORBELL_NOTIFY)
#define STATE_SLOT0 (POOL + AXVM_DOORBELL_SLOT(0) + AXVM_DOORBELL_STATE)
/* Words of each vCPU's own; the size wanted is written before each call. */
#define GPA_AT(n) (RAM + 0x2000 + 0x100 * (n))
#define SIZE_AT(n) (GPA_AT(n) + 8)

static atomic_bool over;

struct runner {
	pthread_t thread;
	unsigned cpu;
	uint32_t vcpu;
	struct axvm_vm *vm;
	atomic_ulong turns; /* of the guest's loop */
	/* From a run to the answer of its exit: no reset comes between. */
	pthread_mutex_t busy;
};

/* Every turn ends with a hypercall of the host's. */
#define TURN_OVER 0x200u

static void die(const char *what, int err)
{
	fprintf(stderr, "# %s: %s\n", what, axvm_error_name(err));
	abort();
}

static void answer(struct runner *r, const struct axvm_exit *exit)
{
	int err = AXVM_OK;

	if (exit->reason == AXVM_EXIT_HYPERCALL)
		atomic_fetch_add(&r->turns, 1);
	/* A page of the pool without a channel: the guest goes on. */
	if (exit->reason == AXVM_EXIT_FAULT ||
	    exit->reason == AXVM_EXIT_HYPERCALL)
		err = axvm_vcpu_complete(r->vm, r->vcpu, exit->seq,
					 AXVM_COMPLETE_DONE, 0);
	if (err != AXVM_OK)
		die("complete", err);
}

static void *runner_main(void *arg)
{
	struct runner *r = arg;
	struct axvm_exit exit;

	while (!atomic_load(&over)) {
		int err;

		pthread_mutex_lock(&r->busy);
		err = stub_run(m, r->cpu, r->vm, r->vcpu, &exit);
		if (err == AXVM_OK)
			answer(r, &exit);
		else if (err != AXVM_ESTATE)
			die("run", err);
		pthread_mutex_unlock(&r->busy);
		if (err != AXVM_OK || exit.reason != AXVM_EXIT_HYPERCALL)
			sched_yield();
	}
	stub_be(m, r->cpu);
	if (axvm_cpu_release(stub_cpu(m, r->cpu)) != AXVM_OK)
		die("release", AXVM_EBUSY);
	return NULL;
}

static void start(struct runner *r, struct axvm_vm *vm, unsigned cpu,
		  uint32_t vcpu)
{
	memset((void *)r, 0, sizeof(*r));
	r->vm = vm;
	r->cpu = cpu;
	r->vcpu = vcpu;
	pthread_mutex_init(&r->busy, NULL);
	assert_int_equal(pthread_create(&r->thread, NULL, runner_main, r), 0);
}

static void wait_for_turns(struct runner *r, unsigned long more)
{
	unsigned long wanted = atomic_load(&r->turns) + more;

	while (atomic_load(&r->turns) < wanted)
		sched_yield();
}

static void wait_for_state(struct axvm_vm *vm, enum axvm_vm_state state)
{
	while (axvm_vm_state(vm) != state)
		sched_yield();
}

/* Publishes under one name from two vCPUs of one VM. */
static const struct stub_op publishers[2][20] = {
	{
		OP(CPU_ON, 1, RAM),
		OP(WRITE, SIZE_AT(0), SIZE),
		OP(SET, STUB_ARGS, GPA_AT(0)),
		OP(SET, STUB_ARGS + 1, SIZE_AT(0)),
		OP(HYPERCALL, AXVM_HYPERCALL_PUBLISH, KEY),
		OP(WRITE, FIRST + 16, 1),
		OP(READ, FIRST + PAGE, 0),
		OP(WRITE, NOTIFY_SLOT0, 1),
		OP(HYPERCALL, AXVM_HYPERCALL_UNPUBLISH, KEY),
		OP(HYPERCALL, TURN_OVER, 0),
		OP(JUMP, 1, 0),
		THE_END,
	},
	{
		OP(WRITE, SIZE_AT(1), SIZE),
		OP(SET, STUB_ARGS, GPA_AT(1)),
		OP(SET, STUB_ARGS + 1, SIZE_AT(1)),
		OP(HYPERCALL, AXVM_HYPERCALL_PUBLISH, KEY),
		OP(READ, STATE_SLOT0, 0),
		OP(SET, STUB_ARGS, KEY),
		OP(HYPERCALL, AXVM_HYPERCALL_IVC_NOTIFY, PUBLISHER),
		OP(WRITE, FIRST + 24, 1),
		OP(HYPERCALL, TURN_OVER, 0),
		OP(JUMP, 0, 0),
		THE_END,
	},
};

static const struct stub_op subscriber[] = {
	OP(SET, STUB_ARGS, KEY),
	OP(SET, STUB_ARGS + 1, GPA_AT(0)),
	OP(SET, STUB_ARGS + 2, SIZE_AT(0)),
	OP(HYPERCALL, AXVM_HYPERCALL_SUBSCRIBE, PUBLISHER),
	OP(WRITE, FIRST + 32, 2),
	OP(READ, FIRST + 16, 0),
	OP(READ, STATE_SLOT0, 0),
	OP(WRITE, NOTIFY_SLOT0, 1),
	OP(ACK, 0, 0),
	OP(HYPERCALL, AXVM_HYPERCALL_IVC_NOTIFY, PUBLISHER),
	OP(HYPERCALL, AXVM_HYPERCALL_UNSUBSCRIBE, PUBLISHER),
	OP(HYPERCALL, TURN_OVER, 0),
	OP(JUMP, 0, 0),
	THE_END,
};

/* What a management thread does; what it finds depends on the others. */
static void manage(struct axvm_vm *vm)
{
	struct axvm_host *host = stub_get_host(m);
	struct axvm_ivc_info info;
	int err = axvm_ivc_connect(vm, PUBLISHER, KEY, AXVM_READ, 9, NULL);

	assert_true(err == AXVM_OK || err == AXVM_ENOENT || err == AXVM_EEXIST);
	err = axvm_ivc_query(host, PUBLISHER, KEY, &info);
	assert_true(err == AXVM_OK || err == AXVM_ENOENT);
	err = axvm_ivc_notify(host, PUBLISHER, KEY);
	assert_true(err == AXVM_OK || err == AXVM_ENOENT);
	err = axvm_ivc_disconnect(vm, PUBLISHER, KEY);
	assert_true(err == AXVM_OK || err == AXVM_ENOENT);
}

/* Stops the VM of these runners and starts it anew. */
static void restart(struct runner *r, unsigned count)
{
	assert_int_equal(axvm_shutdown(r->vm), AXVM_OK);
	wait_for_state(r->vm, AXVM_VM_STOPPED);
	for (unsigned i = 0; i < count; i++)
		pthread_mutex_lock(&r[i].busy);
	reset(r->vm);
	assert_int_equal(axvm_boot(r->vm), AXVM_OK);
	for (unsigned i = 0; i < count; i++)
		pthread_mutex_unlock(&r[i].busy);
}

static void vms_share_and_leave_on_three_cpus(enum stub_format format)
{
	struct stub_config c = {
		.format = format,
		.cpus = 4,
		.tag_bits = 14,
		.no_tables = true,
		.broadcast = format == STUB_ARM,
		.threads = true,
	};
	struct runner r[3];
	struct axvm_vm *a, *b;

	m = stub_new(&c);
	atomic_store(&over, false);
	ivc_config(PUBLISHER, PAGES);
	config.cpu_num = 2;
	a = loaded();
	stub_program(a, 0, publishers[0]);
	stub_program(a, 1, publishers[1]);
	ivc_config(2, PAGES);
	b = loaded();
	stub_program(b, 0, subscriber);
	assert_int_equal(axvm_boot(a), AXVM_OK);
	assert_int_equal(axvm_boot(b), AXVM_OK);
	start(&r[0], a, 0, 0);
	start(&r[1], a, 1, 1);
	start(&r[2], b, 2, 0);
	stub_be(m, 3);
	for (unsigned n = 0; n < ROUNDS; n++) {
		wait_for_turns(&r[n % 3], 3);
		manage(b);
		if (n % 16 == 7)
			restart(&r[0], 2);
		if (n % 16 == 15)
			restart(&r[2], 1);
	}
	atomic_store(&over, true);
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(r[i].thread, NULL);
		pthread_mutex_destroy(&r[i].busy);
	}
	no_violation();
	stub_be(m, 0);
	end(a);
	end(b);
}

static void vms_share_and_leave_with_kicks(void **state)
{
	(void)state;
	vms_share_and_leave_on_three_cpus(STUB_SV39X4);
}

static void vms_share_and_leave_with_broadcasts(void **state)
{
	(void)state;
	vms_share_and_leave_on_three_cpus(STUB_ARM);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		OWN(vms_share_and_leave_with_kicks),
		OWN(vms_share_and_leave_with_broadcasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
