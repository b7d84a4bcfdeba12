/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Everything at once: threads that are CPUs run vCPUs of three VMs, others do
 * at random what `actions` lists. For AXVM_STRESS_SECONDS (2), `minutes` when
 * asked. The model judges; every now and then the world stands still and each
 * vCPU is looked at: one that has something to do and sleeps was not woken.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "core_test.h"
#include "stub_internal.h"

#define CPUS 3u
#define MANAGERS 2u
#define VMS 3u
#define VCPUS 2u
#define LAZY (RAM + MIB(16))
#define OWN_PAGE(n) (RAM + KIB(16) + (n)*PAGE)
#define HOST_PAGE (RAM + KIB(32)) /* no guest touches it */
#define HOST_CALL 0x500 /* a hypercall that is the host's to answer */
#define POISON UINT64_C(0x9015009015009015)
#define AWAKE UINT64_MAX

/* Calls hold `lock` shared; who ends the VM's life holds it alone. */
struct slot {
	pthread_rwlock_t lock;
	struct axvm_vm *vm;
	struct axvm_vm_config config;
	/* Wakes of each vCPU so far; how many there were when its host went to
	 * sleep over a HALT. */
	atomic_u64 wakes[VCPUS];
	atomic_u64 slept[VCPUS];
};

static struct slot slots[VMS];
static struct axvm_region_config slot_regions[2];
static atomic_u32 over;
static atomic_u64 runs[AXVM_EXIT_REASONS];

/* ---- what the guests do ---- */

static const struct stub_op first[] = {
	OP(CPU_ON, 1, RAM), OP(WRITE, OWN_PAGE(0), 10),
	OP(READ, LAZY, 0),  OP(READ, OWN_PAGE(0), 0),
	OP(EXPECT, 10, 0),  OP(HYPERCALL, HOST_CALL, 0),
	OP(EXEC, RAM, 0),   OP(WRITE, LAZY + PAGE, 1),
	OP(SPIN, 9, 0),	    OP(WFI, 0, 0),
	OP(ACK, 0, 0),	    OP(CPU_ON, 1, RAM),
	OP(JUMP, 1, 0),	    THE_END};
static const struct stub_op second[] = {OP(WRITE, OWN_PAGE(1), 11),
					OP(READ, NOWHERE, 0),
					OP(READ, LAZY + PAGE, 0),
					OP(READ, OWN_PAGE(1), 0),
					OP(EXPECT, 11, 0),
					OP(PEEK, LAZY + 2 * PAGE, 0),
					OP(WFI, 0, 0),
					OP(SPIN, 30, 0),
					OP(READ, OWN_PAGE(1), 0),
					OP(EXPECT, 11, 0),
					OP(WRITE, LAZY, 3),
					SWITCH_OFF,
					THE_END};
/* Now and then one that ends by itself. */
static const struct stub_op mortal[] = {OP(CPU_ON, 1, RAM),
					OP(WRITE, OWN_PAGE(0), 12),
					OP(SPIN, 40, 0),
					OP(READ, OWN_PAGE(0), 0),
					OP(EXPECT, 12, 0),
					OP(HYPERCALL, HOST_CALL, 0),
					OP(WFI, 0, 0),
					OP(SYSTEM_OFF, 0, 0),
					THE_END};

/* ---- threads and chance ---- */

struct actor {
	pthread_t thread;
	unsigned cpu;
	uint64_t random;
};

static unsigned below(struct actor *a, unsigned n)
{
	a->random = a->random * UINT64_C(6364136223846793005) +
		    UINT64_C(1442695040888963407);
	return (unsigned)(a->random >> 33) % n;
}

static uint64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void must(bool good)
{
	if (!good)
		abort();
}

/* ---- the life of a slot's VM, its lock held alone ---- */

static void make_vm(struct slot *s)
{
	must(axvm_create(stub_get_host(m), &s->config, NULL, &s->vm) ==
	     AXVM_OK);
	axvm_vm_set_user(s->vm, s);
	must(axvm_init(s->vm) == AXVM_OK);
	stub_program(s->vm, 0, s == &slots[2] ? mortal : first);
	stub_program(s->vm, 1, second);
	for (unsigned i = 0; i < VCPUS; i++)
		store_seq(&s->slept[i], AWAKE);
	must(axvm_boot(s->vm) == AXVM_OK);
}

static void on_wake(void *arg, struct axvm_vm *vm, uint32_t vcpu)
{
	struct slot *s = axvm_vm_user(vm);

	(void)arg;
	if (s != NULL)
		atomic_fetch_add(&s->wakes[vcpu], 1);
}

static bool asleep(struct slot *s, uint32_t vcpu)
{
	return load_seq(&s->wakes[vcpu]) == load_seq(&s->slept[vcpu]);
}

/* ---- CPUs ---- */

static void answer(struct actor *a, struct slot *s, const struct axvm_exit *e)
{
	enum axvm_complete_action action = AXVM_COMPLETE_DONE;
	int err;

	if (e->reason == AXVM_EXIT_FAULT)
		action = AXVM_COMPLETE_RETRY;
	else if (e->reason != AXVM_EXIT_MMIO &&
		 e->reason != AXVM_EXIT_HYPERCALL)
		return;
	/* Another CPU may run it already, with the answer by default. */
	if (below(a, 4) == 0 && action == AXVM_COMPLETE_DONE)
		return;
	err = axvm_vcpu_complete(s->vm, e->vcpu, e->seq, action, 1);
	must(err == AXVM_OK);
}

static void run_some(struct actor *a, struct slot *s, uint32_t vcpu)
{
	struct axvm_exit exit;

	for (unsigned n = 1 + below(a, 8); n != 0 && !asleep(s, vcpu); n--) {
		uint64_t wakes = load_seq(&s->wakes[vcpu]);
		int err =
			axvm_run_vcpu(stub_cpu(m, a->cpu), s->vm, vcpu, &exit);

		if (err != AXVM_OK) {
			must(err == AXVM_EBUSY);
			return;
		}
		atomic_fetch_add(&runs[exit.reason], 1);
		answer(a, s, &exit);
		store_seq(&s->slept[vcpu],
			  exit.reason == AXVM_EXIT_HALT ||
					  exit.reason == AXVM_EXIT_SUSPENDED
				  ? wakes
				  : AWAKE);
		if (exit.reason == AXVM_EXIT_STOPPED)
			return;
	}
}

/* One host thread at a time has a vCPU, as a scheduler would see to. */
static pthread_mutex_t turns[VMS][VCPUS];

static void *cpu_main(void *arg)
{
	struct actor *a = arg;

	stub_be(m, a->cpu);
	while (load_seq(&over) == 0) {
		unsigned n = below(a, VMS);
		uint32_t vcpu = below(a, VCPUS);
		struct slot *s = &slots[n];

		pthread_rwlock_rdlock(&s->lock);
		if (pthread_mutex_trylock(&turns[n][vcpu]) == 0) {
			run_some(a, s, vcpu);
			if (below(a, 2) == 0)
				must(axvm_vcpu_unbind(stub_cpu(m, a->cpu),
						      s->vm, vcpu) == AXVM_OK);
			pthread_mutex_unlock(&turns[n][vcpu]);
		}
		pthread_rwlock_unlock(&s->lock);
		if (below(a, 64) == 0)
			must(axvm_cpu_release(stub_cpu(m, a->cpu)) == AXVM_OK);
		if (below(a, 4) == 0)
			sched_yield();
	}
	must(axvm_cpu_release(stub_cpu(m, a->cpu)) == AXVM_OK);
	return NULL;
}

/* ---- what managers do; each is true when it did something ---- */

static bool do_kick(struct actor *a, struct axvm_vm *vm)
{
	return axvm_vcpu_kick(vm, below(a, VCPUS)) == AXVM_OK;
}

static bool do_line(struct actor *a, struct axvm_vm *vm)
{
	return axvm_irq_set(vm, 1 + below(a, STUB_LINES), below(a, 3) == 0) ==
	       AXVM_OK;
}

static bool do_own_line(struct actor *a, struct axvm_vm *vm)
{
	return axvm_vcpu_irq_set(vm, below(a, VCPUS), 9, below(a, 3) == 0) ==
	       AXVM_OK;
}

static bool do_inject(struct actor *a, struct axvm_vm *vm)
{
	uint32_t line = below(a, 2) == 0 ? 1 + below(a, STUB_LINES)
					 : AXVM_PRIVATE_LINE + 5;

	return axvm_inject(vm, below(a, VCPUS), line) == AXVM_OK;
}

/* A page of the guest is the host's for a while. */
static bool do_borrow(struct actor *a, struct axvm_vm *vm)
{
	struct axvm_gpa page = axvm_to_gpa(OWN_PAGE(below(a, VCPUS)));
	struct axvm_mapping mapping;
	uint64_t *word;
	uint64_t value;

	if (axvm_query(vm, page, &mapping) != AXVM_OK ||
	    axvm_unmap(vm, page, PAGE) != AXVM_OK)
		return false;
	word = test_hal_virt(stub_hal(m), mapping.hpa);
	value = __atomic_exchange_n(word, POISON, __ATOMIC_SEQ_CST);
	if (below(a, 2) == 0)
		sched_yield();
	must(__atomic_exchange_n(word, value, __ATOMIC_SEQ_CST) == POISON);
	return axvm_map(vm, page, mapping.hpa, PAGE, AXVM_RWX) == AXVM_OK;
}

static bool do_protect(struct actor *a, struct axvm_vm *vm)
{
	struct axvm_gpa page = axvm_to_gpa(OWN_PAGE(below(a, VCPUS)));
	int err = axvm_protect(vm, page, PAGE, AXVM_READ);

	if (below(a, 2) == 0)
		sched_yield();
	(void)!axvm_protect(vm, page, PAGE, AXVM_RWX);
	return err == AXVM_OK;
}

static bool do_protect_all(struct actor *a, struct axvm_vm *vm)
{
	(void)a;
	return axvm_protect(vm, axvm_to_gpa(RAM), KIB(64), AXVM_RWX) == AXVM_OK;
}

static bool do_drop(struct actor *a, struct axvm_vm *vm)
{
	uint64_t page = below(a, 4);

	return axvm_unmap(vm, axvm_to_gpa(LAZY + page * PAGE),
			  (1 + below(a, 4)) * PAGE) == AXVM_OK;
}

static bool do_copy(struct actor *a, struct axvm_vm *vm)
{
	uint64_t word = below(a, 1000);

	/* Words nobody else touches: their accesses are not ordered with ours. */
	return axvm_write_guest(vm, axvm_to_gpa(HOST_PAGE + 64 * a->cpu), &word,
				8) == AXVM_OK &&
	       axvm_read_guest(vm, axvm_to_gpa(LAZY + 8 * PAGE), &word, 8) ==
		       AXVM_OK;
}

static bool do_look(struct actor *a, struct axvm_vm *vm)
{
	struct axvm_vcpu_stats stats;
	struct axvm_mapping mapping;

	(void)axvm_vcpu_state(vm, below(a, VCPUS));
	(void)!axvm_query(vm, axvm_to_gpa(LAZY + below(a, 8) * PAGE), &mapping);
	return axvm_vcpu_get_stats(vm, below(a, VCPUS), &stats) == AXVM_OK;
}

static bool do_suspend(struct actor *a, struct axvm_vm *vm)
{
	(void)a;
	return axvm_suspend(vm) == AXVM_OK;
}

static bool do_resume(struct actor *a, struct axvm_vm *vm)
{
	(void)a;
	return axvm_resume(vm) == AXVM_OK;
}

static bool do_shutdown(struct actor *a, struct axvm_vm *vm)
{
	(void)a;
	return axvm_shutdown(vm) == AXVM_OK;
}

/* The lock held alone. */
static bool do_restart(struct actor *a, struct axvm_vm *vm)
{
	int err;

	(void)a;
	do
		err = axvm_reset(vm);
	while (err == AXVM_EAGAIN);
	if (err != AXVM_OK)
		return false;
	must(axvm_boot(vm) == AXVM_OK);
	return true;
}

static bool do_destroy(struct actor *a, struct axvm_vm *vm)
{
	struct slot *s = axvm_vm_user(vm);
	int err = axvm_destroy(vm);

	(void)a;
	if (err == AXVM_EBUSY)
		return false;
	while (err == AXVM_EAGAIN)
		err = axvm_destroy(vm);
	must(err == AXVM_OK);
	make_vm(s);
	return true;
}

static const struct action {
	const char *name;
	bool (*act)(struct actor *a, struct axvm_vm *vm);
	unsigned weight; /* chances among the sum of all */
	bool alone; /* nobody else uses the VM meanwhile */
} actions[] = {
	{"kick", do_kick, 10, false},
	{"line", do_line, 10, false},
	{"line of a vCPU", do_own_line, 10, false},
	{"inject", do_inject, 20, false},
	{"borrow a page", do_borrow, 10, false},
	{"protect", do_protect, 10, false},
	{"protect all", do_protect_all, 4, false},
	{"drop demand pages", do_drop, 6, false},
	{"copy", do_copy, 6, false},
	{"look", do_look, 6, false},
	{"suspend", do_suspend, 2, false},
	{"resume", do_resume, 10, false},
	{"shutdown", do_shutdown, 1, false},
	{"restart", do_restart, 4, true},
	{"destroy and create", do_destroy, 2, true},
};

static atomic_u64 done[ARRAY_SIZE(actions)];

static unsigned choose(struct actor *a)
{
	unsigned sum = 0;
	unsigned ticket;
	unsigned i = 0;

	for (unsigned k = 0; k < ARRAY_SIZE(actions); k++)
		sum += actions[k].weight;
	ticket = below(a, sum);
	while (ticket >= actions[i].weight)
		ticket -= actions[i++].weight;
	return i;
}

static void *manager_main(void *arg)
{
	struct actor *a = arg;

	stub_be(m, a->cpu); /* a call from another thread of that CPU */
	while (load_seq(&over) == 0) {
		struct slot *s = &slots[below(a, VMS)];
		unsigned i = choose(a);

		if (actions[i].alone)
			pthread_rwlock_wrlock(&s->lock);
		else
			pthread_rwlock_rdlock(&s->lock);
		if (actions[i].act(a, s->vm))
			atomic_fetch_add(&done[i], 1);
		pthread_rwlock_unlock(&s->lock);
		if (below(a, 8) == 0)
			sched_yield();
	}
	return NULL;
}

/* ---- the world stands still ---- */

/* All that has to reach a vCPU; flushes wait for its next entry. */
#define CALLS (AXVMI_ATTN_KICK | AXVMI_ATTN_LIFE | AXVMI_ATTN_LINES)

static char wrong[128]; /* what was seen; "" so far nothing */

static void check_vcpu(struct slot *s, uint32_t i)
{
	struct axvm_vcpu *vcpu = s->vm->vcpus[i];
	uint32_t state = load_seq(&vcpu->state);
	uint32_t bits = load_seq(&vcpu->attention);
	const char *what = NULL;

	/* A suspend need not wake it, the resume does. */
	if (axvm_vm_state(s->vm) == AXVM_VM_SUSPENDED)
		bits &= ~AXVMI_ATTN_LIFE;
	if (state == AXVM_VCPU_BLOCKED && (bits & CALLS) != 0)
		what = "is blocked with something to do";
	if (state == AXVM_VCPU_READY && asleep(s, i) &&
	    axvm_vm_state(s->vm) == AXVM_VM_RUNNING)
		what = "is ready and was not woken";
	if (state == AXVM_VCPU_RUNNING || load_seq(&vcpu->where) != 0)
		what = "runs by itself";
	if (what != NULL)
		snprintf(wrong, sizeof(wrong), "VM %zu vCPU %u %s (%#x)",
			 (size_t)(s - slots), i, what, bits);
}

/* True if all is well; threads go on in between. */
static bool look_at_the_world(void)
{
	for (unsigned n = 0; n < VMS; n++)
		pthread_rwlock_wrlock(&slots[n].lock);
	for (unsigned n = 0; n < VMS; n++) {
		for (uint32_t i = 0; i < VCPUS; i++)
			check_vcpu(&slots[n], i);
	}
	for (unsigned n = 0; n < VMS; n++)
		pthread_rwlock_unlock(&slots[n].lock);
	return wrong[0] == '\0' && stub_violations(m) == 0;
}

/* ---- the test ---- */

static void make_world(bool broadcast)
{
	struct stub_config c = {
		.format = broadcast ? STUB_ARM : STUB_SV39X4,
		.cpus = CPUS,
		.max_cpus = CPUS,
		.tag_bits = 2, /* three: each new VM takes one */
		.no_tables = true,
		.broadcast = broadcast,
		.sync_each_cpu = true,
		.threads = true,
	};
	pthread_rwlockattr_t fair;

	machine(&c);
	stub_hal(m)->on_wake = on_wake;
	config.cpu_num = VCPUS;
	regions[0].size = KIB(64);
	add_region(LAZY, MIB(1), AXVM_REGION_DEMAND);
	memcpy(slot_regions, regions, sizeof(slot_regions));
	pthread_rwlockattr_init(&fair);
	pthread_rwlockattr_setkind_np(
		&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	for (unsigned n = 0; n < VMS; n++) {
		pthread_rwlock_init(&slots[n].lock, &fair);
		for (unsigned i = 0; i < VCPUS; i++)
			pthread_mutex_init(&turns[n][i], NULL);
		slots[n].config = config;
		slots[n].config.id = n + 1;
		slots[n].config.regions = slot_regions;
		make_vm(&slots[n]);
	}
	memset((void *)done, 0, sizeof(done));
	memset((void *)runs, 0, sizeof(runs));
	store_seq(&over, 0);
	wrong[0] = '\0';
}

static uint64_t seconds(void)
{
	const char *text = getenv("AXVM_STRESS_SECONDS");
	char *rest = NULL;
	unsigned long value = text == NULL ? 2 : strtoul(text, &rest, 10);

	if (rest != NULL && *rest != '\0')
		fail_msg("AXVM_STRESS_SECONDS=%s is no number", text);
	return value;
}

static void report(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < AXVM_EXIT_REASONS; i++)
		sum += load_seq(&runs[i]);
	print_message("# %llu runs", (unsigned long long)sum);
	for (unsigned i = 0; i < ARRAY_SIZE(actions); i++)
		print_message(", %s %llu", actions[i].name,
			      (unsigned long long)load_seq(&done[i]));
	print_message("\n");
	for (unsigned i = 0; i < ARRAY_SIZE(actions); i++) {
		if (load_seq(&done[i]) == 0)
			fail_msg("never done: %s", actions[i].name);
	}
	assert_true(load_seq(&runs[AXVM_EXIT_HALT]) != 0);
	assert_true(load_seq(&runs[AXVM_EXIT_STOPPED]) != 0);
	assert_true(load_seq(&runs[AXVM_EXIT_SUSPENDED]) != 0);
	assert_true(load_seq(&runs[AXVM_EXIT_HYPERCALL]) != 0);
}

static void stress(bool broadcast)
{
	struct actor actors[CPUS + MANAGERS];
	const struct timespec pause = {.tv_nsec = 100000000};
	uint64_t end_time;

	make_world(broadcast);
	end_time = milliseconds() + seconds() * 1000 / 2;
	for (unsigned i = 0; i < ARRAY_SIZE(actors); i++) {
		actors[i].cpu = i % CPUS;
		actors[i].random = i * 12345u + 1;
		must(pthread_create(&actors[i].thread, NULL,
				    i < CPUS ? cpu_main : manager_main,
				    &actors[i]) == 0);
	}
	while (milliseconds() < end_time && look_at_the_world())
		nanosleep(&pause, NULL);
	store_seq(&over, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(actors); i++)
		pthread_join(actors[i].thread, NULL);
	(void)look_at_the_world();
	if (wrong[0] != '\0')
		fail_msg("%s", wrong);
	no_violation();
	for (unsigned n = 0; n < VMS; n++) {
		(void)!axvm_resume(slots[n].vm);
		end(slots[n].vm);
	}
	report();
}

static void everything_at_random_with_kicks(void **state)
{
	(void)state;
	stress(false);
}

static void everything_at_random_with_broadcasts(void **state)
{
	(void)state;
	stress(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(everything_at_random_with_kicks),
		OWN(everything_at_random_with_broadcasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
