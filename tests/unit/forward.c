/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * forward.c: host interrupts as lines of a guest. The model's controller shows
 * its edges at offset 0; writing bits there is the end of these interrupts.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "core_test.h"
#include "internal.h"

#define IRQ 5u
#define OTHER_IRQ 40u
#define IRQ_BIT (UINT64_C(1) << IRQ)
#define OTHER_BIT (UINT64_C(1) << OTHER_IRQ)
#define DEVICES UINT64_C(0x20000000)

static struct axvm_passthrough_config devices[4];
static struct axvm_config_error error;

static void add_device(uint32_t irq)
{
	uint32_t n = config.passthrough_count++;

	devices[n] = (struct axvm_passthrough_config){
		.name = "device",
		.gpa = {DEVICES + n * PAGE},
		.hpa = {DEVICES + n * PAGE},
		.size = PAGE,
		.irq = irq,
		.dma = AXVM_DMA_NONE,
	};
	config.passthrough = devices;
}

/* One vCPU, a controller, devices with IRQ and OTHER_IRQ. */
static struct axvm_vm *forwarding(const struct stub_op *ops)
{
	add_pic();
	add_device(IRQ);
	add_device(OTHER_IRQ);
	return running(ops);
}

static void post(struct axvm_vm *vm, uint32_t irq)
{
	assert_int_equal(axvm_irq_forward(vm, irq), AXVM_OK);
}

static uint64_t unmasks(uint32_t irq)
{
	return test_hal_unmasks(stub_hal(m), irq);
}

static int create(void)
{
	struct axvm_vm *vm = NULL;
	int err;

	memset(&error, 0, sizeof(error));
	err = axvm_create(stub_get_host(m), &config, &error, &vm);
	if (vm != NULL)
		destroy(vm);
	return err;
}

static void refused(int code, const char *field, uint32_t index)
{
	assert_int_equal(create(), code);
	assert_string_equal(error.field, field);
	assert_int_equal(error.index, index);
	assert_non_null(error.reason);
}

/* ---- posts and ends ---- */

static void a_post_is_pending_until_its_end_unmasks_it(void **state)
{
	static const struct stub_op ops[] = {
		OP(READ, PIC, 0), OP(EXPECT, IRQ_BIT, 0),
		OP(SPIN, 1, 0),	  OP(WRITE, PIC, IRQ_BIT),
		OP(READ, PIC, 0), OP(EXPECT, 0, 0),
		THE_END};
	struct axvm_vm *vm = forwarding(ops);

	(void)state;
	post(vm, IRQ);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(unmasks(IRQ), 0);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(unmasks(IRQ), 1);
	assert_int_equal(unmasks(OTHER_IRQ), 0);
	no_violation();
	end(vm);
	assert_int_equal(unmasks(IRQ), 1);
}

static void posts_before_the_end_are_one(void **state)
{
	static const struct stub_op ops[] = {
		OP(READ, PIC, 0), OP(SPIN, 1, 0),   OP(WRITE, PIC, IRQ_BIT),
		OP(READ, PIC, 0), OP(EXPECT, 0, 0), OP(WRITE, PIC, IRQ_BIT),
		THE_END};
	struct axvm_vm *vm = forwarding(ops);

	(void)state;
	post(vm, IRQ);
	post(vm, IRQ);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	/* The guest has seen it; a host that posts without cause again. */
	post(vm, IRQ);
	assert_int_equal(load_seq(&vm->lines.edge[IRQ / 32]), 0);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(unmasks(IRQ), 1);
	no_violation();
	end(vm);
}

static void every_post_after_an_end_comes(void **state)
{
	static const struct stub_op ops[] = {OP(READ, PIC, 0),
					     OP(EXPECT, IRQ_BIT | OTHER_BIT, 0),
					     OP(WRITE, PIC, IRQ_BIT),
					     OP(READ, PIC, 0),
					     OP(EXPECT, OTHER_BIT, 0),
					     OP(WRITE, PIC, OTHER_BIT),
					     OP(SPIN, 1, 0),
					     OP(JUMP, 0, 0),
					     THE_END};
	struct axvm_vm *vm = forwarding(ops);

	(void)state;
	for (unsigned n = 1; n <= 5; n++) {
		post(vm, IRQ);
		post(vm, OTHER_IRQ);
		assert_int_equal(run(vm), AXVM_EXIT_IRQ);
		assert_int_equal(unmasks(IRQ), n);
		assert_int_equal(unmasks(OTHER_IRQ), n);
	}
	no_violation();
	end(vm);
}

static void an_end_of_what_was_not_posted_unmasks_nothing(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, PIC, UINT64_MAX),
					     OP(SPIN, 1, 0),
					     OP(READ, PIC, 0),
					     OP(EXPECT, IRQ_BIT | 1 << 9, 0),
					     OP(WRITE, PIC, UINT64_MAX),
					     OP(ACK, 0, 0),
					     THE_END};
	struct axvm_vm *vm = forwarding(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	/* The host's own edge on the line, and one of another line. */
	assert_int_equal(axvm_inject(vm, 0, IRQ), AXVM_OK);
	assert_int_equal(axvm_inject(vm, 0, 9), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(unmasks(IRQ), 0);
	assert_int_equal(unmasks(9), 0);
	no_violation();
	end(vm);
}

static void a_post_wakes_a_vcpu_that_waits(void **state)
{
	static const struct stub_op ops[] = {OP(WFI, 0, 0), OP(ACK, 0, 0),
					     OP(WFI, 0, 0), THE_END};
	struct axvm_vm *vm = forwarding(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	post(vm, IRQ);
	assert_int_equal(test_hal_wakes(stub_hal(m), 0), 1);
	assert_int_equal(run(vm), AXVM_EXIT_HALT);
	assert_int_equal(unmasks(IRQ), 1);
	end(vm);
}

/* ---- the callback ---- */

static struct {
	struct axvm_vm *vm;
	void (*irq_unmask)(void *ctx, uint32_t irq); /* the record */
	bool fires; /* at once, each time */
	bool locked, open; /* as it was found */
} host;

static bool holds_a_lock(struct axvm_vm *vm)
{
	return load_seq(&vm->irqchip.held) != 0 ||
	       load_seq(&vm->mem.held) != 0 ||
	       load_seq(&vm->host->lock.held) != 0;
}

static void look_around(void *ctx, uint32_t irq)
{
	host.irq_unmask(ctx, irq);
	host.locked |= holds_a_lock(host.vm);
	host.open |= !stub_masked();
	/* What the interrupt does that comes now, here or on another CPU. */
	if (host.fires && axvm_irq_forward(host.vm, irq) != AXVM_OK)
		abort();
}

/* A machine whose host looks at how it is called. */
static void curious_machine(void)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};

	m = stub_new_bare(&c);
	memset(&host, 0, sizeof(host));
	host.irq_unmask = stub_hal(m)->hal.irq_unmask;
	stub_hal(m)->hal.irq_unmask = look_around;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
}

static void the_host_is_told_without_a_lock_on_the_vcpus_thread(void **state)
{
	static const struct stub_op ops[] = {OP(WRITE, PIC, IRQ_BIT), THE_END};

	(void)state;
	curious_machine();
	host.vm = forwarding(ops);
	post(host.vm, IRQ);
	assert_int_equal(run(host.vm), AXVM_EXIT_IRQ);
	assert_int_equal(unmasks(IRQ), 1);
	assert_false(host.locked);
	assert_false(host.open);
	end(host.vm);
}

static void an_interrupt_that_fires_when_unmasked_is_a_new_post(void **state)
{
	static const struct stub_op ops[] = {OP(READ, PIC, 0),
					     OP(EXPECT, IRQ_BIT, 0),
					     OP(WRITE, PIC, IRQ_BIT),
					     OP(READ, PIC, 0),
					     OP(EXPECT, IRQ_BIT, 0),
					     OP(WRITE, PIC, IRQ_BIT),
					     THE_END};

	(void)state;
	curious_machine();
	host.vm = forwarding(ops);
	host.fires = true;
	post(host.vm, IRQ);
	assert_int_equal(run(host.vm), AXVM_EXIT_IRQ);
	assert_int_equal(unmasks(IRQ), 2);
	no_violation();
	end(host.vm);
}

/* ---- life ---- */

static void a_reset_forgets_posts_and_unmasks_them(void **state)
{
	static const struct stub_op ops[] = {OP(READ, PIC, 0), OP(SPIN, 1, 0),
					     OP(WRITE, PIC, IRQ_BIT), THE_END};
	struct axvm_vm *vm = forwarding(ops);

	(void)state;
	/* One the guest has seen, one it never will. */
	post(vm, IRQ);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	stop(vm);
	post(vm, OTHER_IRQ);
	assert_int_equal(unmasks(IRQ) + unmasks(OTHER_IRQ), 0);
	reset(vm);
	assert_int_equal(unmasks(IRQ), 1);
	assert_int_equal(unmasks(OTHER_IRQ), 1);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), 0);
	/* And the new life has its interrupts. */
	post(vm, IRQ);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(unmasks(IRQ), 2);
	stop(vm);
	reset(vm);
	assert_int_equal(unmasks(IRQ), 2);
	no_violation();
	end(vm);
}

static void a_device_that_still_asks_is_heard_after_a_reset(void **state)
{
	static const struct stub_op ops[] = {OP(READ, PIC, 0),
					     OP(EXPECT, IRQ_BIT, 0),
					     OP(SPIN, 1, 0), THE_END};

	(void)state;
	curious_machine();
	host.vm = forwarding(ops);
	post(host.vm, IRQ);
	assert_int_equal(run(host.vm), AXVM_EXIT_IRQ);
	stop(host.vm);
	host.fires = true;
	reset(host.vm);
	assert_int_equal(axvm_boot(host.vm), AXVM_OK);
	assert_int_equal(run(host.vm), AXVM_EXIT_IRQ);
	assert_int_equal(unmasks(IRQ), 1);
	no_violation();
	end(host.vm);
}

static void a_post_before_boot_waits_for_it(void **state)
{
	static const struct stub_op ops[] = {OP(READ, PIC, 0), THE_END};
	struct axvm_vm *vm;

	(void)state;
	add_pic();
	add_device(IRQ);
	vm = created();
	assert_int_equal(axvm_irq_forward(vm, IRQ), AXVM_ESTATE);
	assert_int_equal(axvm_init(vm), AXVM_OK);
	post(vm, IRQ);
	stub_program(vm, 0, ops);
	assert_int_equal(axvm_boot(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), IRQ_BIT);
	end(vm);
	/* What is outstanding then is the host's. */
	assert_int_equal(unmasks(IRQ), 0);
}

static void a_suspended_vm_finds_its_post_when_it_goes_on(void **state)
{
	static const struct stub_op ops[] = {OP(SPIN, 1, 0), OP(READ, PIC, 0),
					     OP(WRITE, PIC, IRQ_BIT), THE_END};
	struct axvm_vm *vm = forwarding(ops);

	(void)state;
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(axvm_suspend(vm), AXVM_OK);
	post(vm, IRQ);
	post(vm, IRQ);
	assert_int_equal(run(vm), AXVM_EXIT_SUSPENDED);
	assert_int_equal(unmasks(IRQ), 0);
	assert_int_equal(axvm_resume(vm), AXVM_OK);
	assert_int_equal(run(vm), AXVM_EXIT_IRQ);
	assert_int_equal(stub_reg(vm, 0, STUB_REG_RESULT), IRQ_BIT);
	assert_int_equal(unmasks(IRQ), 1);
	no_violation();
	end(vm);
}

/* ---- what is refused ---- */

static void only_interrupts_of_the_vms_devices_are_taken(void **state)
{
	static const uint32_t bad[] = {0, 4, 63, 64, 1023, 1024, UINT32_MAX};
	struct axvm_vm *vm;

	(void)state;
	add_device(0);
	add_device(IRQ);
	vm = loaded();
	assert_int_equal(axvm_irq_forward(NULL, IRQ), AXVM_EINVAL);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(axvm_irq_forward(vm, bad[i]), AXVM_ENOENT);
	post(vm, IRQ);
	destroy(vm);
}

static void an_interrupt_needs_a_line_of_the_controller(void **state)
{
	(void)state;
	config.interrupt_mode = AXVM_INTERRUPTS_PASSTHROUGH;
	add_device(0);
	add_device(STUB_LINES);
	assert_int_equal(create(), AXVM_OK);
	devices[1].irq = STUB_LINES + 1;
	refused(AXVM_ENOENT, "devices.passthrough_devices", 1);
	devices[1].irq = UINT32_MAX;
	refused(AXVM_ENOENT, "devices.passthrough_devices", 1);
}

static void interrupts_need_a_host_that_can_unmask_them(void **state)
{
	static const struct stub_config c = {.cpus = 1, .no_tables = true};

	(void)state;
	m = stub_new_bare(&c);
	stub_hal(m)->hal.irq_unmask = NULL;
	assert_int_equal(stub_host(m), AXVM_OK);
	assert_int_equal(stub_cpu_enable(m, 0), AXVM_OK);
	add_device(0);
	assert_int_equal(create(), AXVM_OK);
	add_device(IRQ);
	refused(AXVM_ENOTSUP, "devices.passthrough_devices", 1);
	config.passthrough_count = 0;
	config.interrupt_mode = AXVM_INTERRUPTS_PASSTHROUGH;
	refused(AXVM_ENOTSUP, "devices.interrupt_mode", 0);
	config.interrupt_mode = AXVM_INTERRUPTS_EMULATED;
	assert_int_equal(create(), AXVM_OK);
}

static void an_interrupt_is_one_vms_alone(void **state)
{
	struct axvm_vm *first;

	(void)state;
	add_device(IRQ);
	add_device(0);
	add_device(IRQ); /* its own devices share it */
	first = created();
	config.id = 2;
	config.passthrough_count = 0;
	add_device(0);
	add_device(0);
	add_device(IRQ);
	for (unsigned i = 0; i < 3; i++) {
		devices[i].gpa.value += 16 * PAGE;
		devices[i].hpa.value += 16 * PAGE;
	}
	refused(AXVM_EEXIST, "devices.passthrough_devices", 2);
	devices[2].irq = OTHER_IRQ;
	assert_int_equal(create(), AXVM_OK);
	devices[2].irq = IRQ;
	destroy(first);
	assert_int_equal(create(), AXVM_OK);
}

/* ---- threads ---- */

#define POSTS 2000u

/* A host interrupt that is always due: it fires whenever it is not masked, on
 * whichever CPU is first. */
static struct {
	struct axvm_vm *vm;
	atomic_uint masked;
	atomic_uint posts, unmasks;
	atomic_uint errors;
	struct timespec start;
} race;

static bool is_late(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - race.start.tv_sec > 60;
}

static bool is_over(void)
{
	return atomic_load(&race.unmasks) >= POSTS || is_late();
}

static void race_unmask(void *ctx, uint32_t irq)
{
	(void)ctx;
	atomic_fetch_add(&race.unmasks, 1);
	/* Once per post: it is masked now. */
	if (irq != IRQ || atomic_exchange(&race.masked, 0) == 0)
		atomic_fetch_add(&race.errors, 1);
}

static void *handler(void *arg)
{
	(void)arg;
	while (!is_over()) {
		unsigned unmasked = 0;

		if (atomic_load(&race.posts) == POSTS ||
		    !atomic_compare_exchange_strong(&race.masked, &unmasked,
						    1)) {
			sched_yield();
			continue;
		}
		atomic_fetch_add(&race.posts, 1);
		if (axvm_irq_forward(race.vm, IRQ) != AXVM_OK)
			atomic_fetch_add(&race.errors, 1);
	}
	return NULL;
}

static void *guest(void *arg)
{
	unsigned cpu = (unsigned)(uintptr_t)arg;
	struct axvm_exit exit;

	while (!is_over()) {
		if (stub_run(m, cpu, race.vm, cpu, &exit) != AXVM_OK)
			atomic_fetch_add(&race.errors, 1);
		sched_yield();
	}
	if (axvm_cpu_release(stub_cpu(m, cpu)) != AXVM_OK)
		atomic_fetch_add(&race.errors, 1);
	return NULL;
}

static void start_race(void)
{
	/* Both end whatever there is; one of them is told. */
	static const struct stub_op first[] = {
		OP(CPU_ON, 1, RAM), OP(WRITE, PIC, IRQ_BIT), OP(SPIN, 1, 0),
		OP(JUMP, 1, 0), THE_END};
	static const struct stub_op second[] = {OP(WRITE, PIC, IRQ_BIT),
						OP(SPIN, 1, 0), OP(JUMP, 0, 0),
						THE_END};
	static const struct stub_config c = {.no_tables = true,
					     .threads = true};

	m = stub_new_bare(&c);
	stub_hal(m)->hal.irq_unmask = race_unmask;
	assert_int_equal(stub_host(m), AXVM_OK);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(stub_cpu_enable(m, i), AXVM_OK);
	add_pic();
	add_device(IRQ);
	config.cpu_num = 2;
	memset(&race, 0, sizeof(race));
	clock_gettime(CLOCK_MONOTONIC, &race.start);
	race.vm = loaded();
	stub_program(race.vm, 0, first);
	stub_program(race.vm, 1, second);
	assert_int_equal(axvm_boot(race.vm), AXVM_OK);
}

/* A post that is lost, or whose unmask is, stops everything. */
static void every_post_of_two_cpus_is_unmasked_once(void **state)
{
	pthread_t threads[4];

	(void)state;
	start_race();
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i < 2 ? guest : handler,
						(void *)i),
				 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&race.errors), 0);
	assert_int_equal(atomic_load(&race.posts), POSTS);
	assert_int_equal(atomic_load(&race.unmasks), POSTS);
	no_violation();
	stub_be(m, 0);
	end(race.vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_post_is_pending_until_its_end_unmasks_it),
		TEST(posts_before_the_end_are_one),
		TEST(every_post_after_an_end_comes),
		TEST(an_end_of_what_was_not_posted_unmasks_nothing),
		TEST(a_post_wakes_a_vcpu_that_waits),
		OWN(the_host_is_told_without_a_lock_on_the_vcpus_thread),
		OWN(an_interrupt_that_fires_when_unmasked_is_a_new_post),
		TEST(a_reset_forgets_posts_and_unmasks_them),
		OWN(a_device_that_still_asks_is_heard_after_a_reset),
		TEST(a_post_before_boot_waits_for_it),
		TEST(a_suspended_vm_finds_its_post_when_it_goes_on),
		TEST(only_interrupts_of_the_vms_devices_are_taken),
		TEST(an_interrupt_needs_a_line_of_the_controller),
		OWN(interrupts_need_a_host_that_can_unmask_them),
		TEST(an_interrupt_is_one_vms_alone),
		OWN(every_post_of_two_cpus_is_unmasked_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
