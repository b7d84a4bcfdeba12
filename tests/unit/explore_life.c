/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * All schedules of the end and the beginning: shutdown, power-off and starts of
 * vCPUs against runs on the other CPU. Hosts sleep after HALT until hal.wake.
 */
#include "explore_test.h"

static const struct stub_op stays[] = {OP(HYPERCALL, HOST_CALL, 0),
				       OP(SPIN, 0, 0), OP(JUMP, 1, 0), THE_END};
static const struct stub_op sleeps[] = {OP(HYPERCALL, HOST_CALL, 0),
					OP(WFI, 0, 0), OP(JUMP, 1, 0), THE_END};
static const struct stub_op starts[] = {OP(HYPERCALL, HOST_CALL, 0),
					OP(CPU_ON, 1, RAM),
					OP(HYPERCALL, HOST_CALL, 0), THE_END};
static const struct stub_op starts_early[] = {OP(CPU_ON, 1, RAM),
					      OP(HYPERCALL, HOST_CALL, 0),
					      OP(SYSTEM_OFF, 1, 2), THE_END};
static const struct stub_op calls_once[] = {OP(HYPERCALL, HOST_CALL, 0),
					    SWITCH_OFF, THE_END};
static const struct stub_op goes_off[] = {OP(HYPERCALL, HOST_CALL, 0),
					  OP(SYSTEM_OFF, 3, 4), THE_END};
static const struct stub_op switches_off[] = {OP(HYPERCALL, HOST_CALL, 0),
					      SWITCH_OFF, THE_END};

static const struct stub_op *programs[2];
static const char *wrong;
static unsigned offs; /* runs that returned SYSTEM_OFF */
static unsigned began; /* hypercalls of vCPU 1 */

static void must(bool good, const char *what)
{
	if (!good && wrong == NULL)
		wrong = what;
}

/* Runs vCPU n on CPU n, sleeping where it is told to; the exit it ends with. */
static uint32_t host_until(unsigned n, uint32_t reason)
{
	struct axvm_exit exit = {.reason = AXVM_EXIT_NONE};
	unsigned rounds = 0;

	while (wrong == NULL && exit.reason != reason &&
	       exit.reason != AXVM_EXIT_STOPPED) {
		must(axvm_run_vcpu(stub_cpu(m, n), watched, n, &exit) ==
			     AXVM_OK,
		     "run fails");
		/* No schedule here needs more than a few. */
		must(++rounds < 1000, "runs without end");
		if (exit.reason == AXVM_EXIT_SYSTEM_OFF)
			offs++;
		if (exit.reason != reason &&
		    (exit.reason == AXVM_EXIT_HALT ||
		     exit.reason == AXVM_EXIT_SUSPENDED))
			sleep_until_woken(n);
	}
	return exit.reason;
}

static void until_stopped(unsigned n)
{
	must(host_until(n, AXVM_EXIT_STOPPED) == AXVM_EXIT_STOPPED,
	     "not stopped");
}

static void host_0(void)
{
	until_stopped(0);
}

static void host_1(void)
{
	until_stopped(1);
}

/* Up to the first hypercall of vCPU 0 on CPU 0. */
static void boot_up(void)
{
	power_up();
	wrong = NULL;
	offs = 0;
	began = 0;
	watched = loaded();
	stub_program(watched, 0, programs[0]);
	if (config.cpu_num > 1)
		stub_program(watched, 1, programs[1]);
	if (axvm_boot(watched) != AXVM_OK)
		abort();
	if (host_until(0, AXVM_EXIT_HYPERCALL) != AXVM_EXIT_HYPERCALL)
		abort();
	memset(woken, 0, sizeof(woken));
}

static void boot_both(void)
{
	boot_up();
	play(1);
	if (host_until(1, AXVM_EXIT_HYPERCALL) != AXVM_EXIT_HYPERCALL)
		abort();
	play(0);
	memset(woken, 0, sizeof(woken));
}

static const char *stopped(void)
{
	must(axvm_vm_state(watched) == AXVM_VM_STOPPED,
	     axvm_vm_state_name(axvm_vm_state(watched)));
	end(watched);
	return wrong != NULL ? wrong : violation();
}

static void life(const struct stub_op *first, const struct stub_op *second)
{
	explored_machine(14, false);
	config.cpu_num = second == NULL ? 1 : 2;
	programs[0] = first;
	programs[1] = second;
}

/* ---- shutdown ---- */

static void shut_down(void)
{
	must(axvm_shutdown(watched) == AXVM_OK, "shutdown fails");
}

static void shutdown_against(const struct stub_op *ops)
{
	struct explorer_case c = {
		.set_up = boot_up,
		.check = stopped,
		.threads = {host_0, shut_down},
	};

	life(ops, NULL);
	explore(&c, 5);
}

static void no_schedule_of_shutdown_misses_a_guest_that_stays(void **state)
{
	(void)state;
	shutdown_against(stays);
}

static void no_schedule_of_shutdown_misses_a_guest_that_sleeps(void **state)
{
	(void)state;
	shutdown_against(sleeps);
}

/* Its host sleeps all the same. */
static void boot_and_leave(void)
{
	boot_up();
	if (axvm_vcpu_unbind(stub_cpu(m, 0), watched, 0) != AXVM_OK)
		abort();
}

static void no_schedule_of_shutdown_misses_a_vcpu_that_is_off(void **state)
{
	struct explorer_case c = {
		.set_up = boot_and_leave,
		.check = stopped,
		.threads = {shut_down, host_1},
	};

	(void)state;
	life(stays, stays);
	explore(&c, 5);
}

/* ---- suspend, resume ---- */

#define PAGE_AT (RAM + PAGE)
/* An exit after which the guest is entered again at once. */
#define EXIT OP(CPU_ON, 9, 0)

static const struct stub_op writes[] = {OP(HYPERCALL, HOST_CALL, 0),
					OP(WRITE, PAGE_AT, 1),
					EXIT,
					OP(WRITE, PAGE_AT, 2),
					EXIT,
					OP(WRITE, PAGE_AT, 3),
					OP(HYPERCALL, HOST_CALL, 0),
					THE_END};

static const struct stub_op through[] = {OP(HYPERCALL, HOST_CALL, 0),
					 OP(HYPERCALL, HOST_CALL, 0), THE_END};

static uint64_t *word;
static uint64_t seen;

static void run_until_suspended(void)
{
	struct axvm_exit exit;

	do {
		must(axvm_run_vcpu(stub_cpu(m, 0), watched, 0, &exit) ==
			     AXVM_OK,
		     "run fails");
	} while (exit.reason == AXVM_EXIT_IRQ);
	must(exit.reason == AXVM_EXIT_SUSPENDED ||
		     exit.reason == AXVM_EXIT_HYPERCALL,
	     "neither suspended nor through");
}

static void suspend_and_look(void)
{
	must(axvm_suspend(watched) == AXVM_OK, "suspend fails");
	seen = look(word);
}

static void boot_writer(void)
{
	boot_up();
	word = word_at(watched, PAGE_AT);
}

static void end_suspended(void)
{
	if (axvm_shutdown(watched) != AXVM_OK)
		abort();
	end(watched);
}

static const char *nothing_written_since(void)
{
	must(*word == seen, "written after axvm_suspend() had returned");
	must(axvm_vm_state(watched) == AXVM_VM_SUSPENDED, "not suspended");
	end_suspended();
	return wrong != NULL ? wrong : violation();
}

static void no_schedule_of_suspend_leaves_a_guest_running(void **state)
{
	struct explorer_case c = {
		.set_up = boot_writer,
		.check = nothing_written_since,
		.threads = {run_until_suspended, suspend_and_look},
	};

	(void)state;
	life(writes, NULL);
	explore(&c, 10);
}

static void run_to_the_end(void)
{
	must(host_until(0, AXVM_EXIT_HYPERCALL) == AXVM_EXIT_HYPERCALL,
	     "not through");
}

static void suspend_and_resume(void)
{
	must(axvm_suspend(watched) == AXVM_OK, "suspend fails");
	must(axvm_resume(watched) == AXVM_OK, "resume fails");
}

static const char *ended(void)
{
	end(watched);
	return wrong != NULL ? wrong : violation();
}

static void no_schedule_of_resume_loses_a_sleeper(void **state)
{
	struct explorer_case c = {
		.set_up = boot_up,
		.check = ended,
		.threads = {run_to_the_end, suspend_and_resume},
	};

	(void)state;
	life(through, NULL);
	explore(&c, 10);
}

/* Whichever comes first. */
static void suspend_or_be_late(void)
{
	int err = axvm_suspend(watched);

	must(err == AXVM_OK || err == AXVM_ESTATE, "suspend's answer");
}

static void no_schedule_of_suspend_and_shutdown_ends_suspended(void **state)
{
	struct explorer_case c = {
		.set_up = boot_and_leave,
		.check = stopped,
		.threads = {suspend_or_be_late, shut_down},
	};

	(void)state;
	life(stays, NULL);
	explore(&c, 5);
}

/* ---- power-off ---- */

static const char *off_once(void)
{
	must(offs == 1, "not one SYSTEM_OFF");
	return stopped();
}

static void power_off_against(const struct stub_op *ops)
{
	struct explorer_case c = {
		.set_up = boot_both,
		.check = off_once,
		.threads = {host_0, host_1},
	};

	life(starts_early, ops);
	explore(&c, 5);
}

static void no_schedule_of_power_off_misses_the_other_vcpu(void **state)
{
	(void)state;
	power_off_against(stays);
}

static void no_schedule_of_power_off_misses_one_that_sleeps(void **state)
{
	(void)state;
	power_off_against(sleeps);
}

static void no_schedule_of_two_power_offs_makes_two(void **state)
{
	(void)state;
	power_off_against(goes_off);
}

/* ---- starts ---- */

static void start_the_other(void)
{
	must(host_until(0, AXVM_EXIT_HYPERCALL) == AXVM_EXIT_HYPERCALL,
	     "the starter");
}

/* The target: its host sleeps while it is off. */
static void be_started(void)
{
	if (host_until(1, AXVM_EXIT_HYPERCALL) == AXVM_EXIT_HYPERCALL)
		began++;
	must(host_until(1, AXVM_EXIT_HALT) == AXVM_EXIT_HALT, "not off again");
}

static const char *began_once(void)
{
	must(began == 1, "not started once");
	must(axvm_vcpu_state(watched, 1) == AXVM_VCPU_OFF, "not off");
	must(stub_reg(watched, 1, STUB_REG_ENTRY) == RAM &&
		     stub_reg(watched, 1, STUB_REG_ARGUMENT) == RAM + 1,
	     "another entry");
	must(stub_reg(watched, 0, AXVM_REG_GPR(0)) == 0,
	     "the starter's answer");
	end(watched);
	return wrong != NULL ? wrong : violation();
}

static void no_schedule_of_cpu_on_starts_a_vcpu_twice_or_never(void **state)
{
	struct explorer_case c = {
		.set_up = boot_up,
		.check = began_once,
		.threads = {start_the_other, be_started},
	};

	(void)state;
	life(starts, calls_once);
	explore(&c, 3);
}

/* It is on, goes off, and is started, or refused because it was still on. */
static const struct stub_op restarts[] = {
	OP(CPU_ON, 1, RAM), OP(HYPERCALL, HOST_CALL, 0),
	OP(CPU_ON, 1, RAM + PAGE), OP(HYPERCALL, HOST_CALL, 0), THE_END};

static void go_off(void)
{
	must(host_until(1, AXVM_EXIT_HALT) == AXVM_EXIT_HALT, "not off");
}

static const char *started_or_refused(void)
{
	uint64_t answer = stub_reg(watched, 0, AXVM_REG_GPR(0));
	bool on = axvm_vcpu_state(watched, 1) == AXVM_VCPU_READY;

	must(answer == 0 ? on : !on, "the answer is another than the deed");
	must(answer == 0 || answer == (uint64_t)(int64_t)AXVM_EEXIST,
	     "another answer");
	if (wrong == NULL && on) {
		play(1);
		must(host_until(1, AXVM_EXIT_HYPERCALL) == AXVM_EXIT_HYPERCALL,
		     "the second life");
		must(stub_reg(watched, 1, STUB_REG_ENTRY) == RAM + PAGE,
		     "another entry");
		play(0);
	}
	end(watched);
	return wrong != NULL ? wrong : violation();
}

static void no_schedule_of_cpu_off_and_on_mixes_two_lives(void **state)
{
	struct explorer_case c = {
		.set_up = boot_both,
		.check = started_or_refused,
		.threads = {start_the_other, go_off},
	};

	(void)state;
	life(restarts, switches_off);
	explore(&c, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(no_schedule_of_shutdown_misses_a_guest_that_stays),
		OWN(no_schedule_of_shutdown_misses_a_guest_that_sleeps),
		OWN(no_schedule_of_shutdown_misses_a_vcpu_that_is_off),
		OWN(no_schedule_of_suspend_leaves_a_guest_running),
		OWN(no_schedule_of_resume_loses_a_sleeper),
		OWN(no_schedule_of_suspend_and_shutdown_ends_suspended),
		OWN(no_schedule_of_power_off_misses_the_other_vcpu),
		OWN(no_schedule_of_power_off_misses_one_that_sleeps),
		OWN(no_schedule_of_two_power_offs_makes_two),
		OWN(no_schedule_of_cpu_on_starts_a_vcpu_twice_or_never),
		OWN(no_schedule_of_cpu_off_and_on_mixes_two_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
