/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * All schedules of a guest that goes to sleep and of a CPU that interrupts it.
 * The host of CPU 0 runs a vCPU and sleeps after HALT until hal.wake; when the
 * interrupt is lost it sleeps for ever, which the explorer finds.
 */
#include "explore_test.h"

#define LINE 9u
#define OWN_LINE 5u

static const char *wrong;
static bool kicked;

/* The hypercall ends what comes before the threads. */
static const struct stub_op sleeps[] = {OP(HYPERCALL, HOST_CALL, 0),
					OP(WFI, 0, 0),
					OP(IRQS, 0, 0),
					OP(EXPECT, BIT64(LINE), 0),
					OP(HYPERCALL, HOST_CALL, 0),
					THE_END};
static const struct stub_op sleeps_own[] = {OP(HYPERCALL, HOST_CALL, 0),
					    OP(WFI, 0, 0),
					    OP(IRQS, 0, 0),
					    OP(EXPECT, BIT64(32 + OWN_LINE), 0),
					    OP(HYPERCALL, HOST_CALL, 0),
					    THE_END};
static const struct stub_op sleeps_for_ever[] = {
	OP(HYPERCALL, HOST_CALL, 0), OP(WFI, 0, 0), OP(JUMP, 1, 0), THE_END};
static const struct stub_op *program;

static void host(void)
{
	struct axvm_exit exit;

	for (;;) {
		if (axvm_run_vcpu(stub_cpu(m, 0), watched, 0, &exit) !=
		    AXVM_OK) {
			wrong = "run fails";
			return;
		}
		if (exit.reason == AXVM_EXIT_HYPERCALL)
			return;
		if (exit.reason == AXVM_EXIT_KICKED) {
			kicked = true;
			return;
		}
		if (exit.reason == AXVM_EXIT_HALT ||
		    exit.reason == AXVM_EXIT_SUSPENDED)
			sleep_until_woken(0);
	}
}

static void about_to_sleep(void)
{
	power_up();
	wrong = NULL;
	kicked = false;
	watched = running(program);
	host();
	memset(woken, 0, sizeof(woken));
}

static const char *interrupted(void)
{
	if (wrong == NULL && kicked != (program == sleeps_for_ever))
		wrong = kicked ? "a kick nobody sent" : "no kick";
	/* Levels are the sources': low again before the VM goes. */
	end(watched);
	return wrong != NULL ? wrong : violation();
}

static void explore_sleep(const struct stub_op *ops, void (*thread)(void))
{
	struct explorer_case c = {
		.set_up = about_to_sleep,
		.check = interrupted,
		.threads = {host, thread},
	};

	explored_machine(14, false);
	program = ops;
	explore(&c, 5);
}

static void check(int err)
{
	if (err != AXVM_OK)
		wrong = axvm_error_name(err);
}

static void raise_line(void)
{
	check(axvm_irq_set(watched, LINE, true));
}

static void raise_own_line(void)
{
	check(axvm_vcpu_irq_set(watched, 0, OWN_LINE, true));
}

static void inject(void)
{
	check(axvm_inject(watched, 0, LINE));
}

static void inject_own(void)
{
	check(axvm_inject(watched, 0, AXVM_PRIVATE_LINE + OWN_LINE));
}

static void kick(void)
{
	check(axvm_vcpu_kick(watched, 0));
}

static void no_schedule_of_wfi_loses_a_line(void **state)
{
	(void)state;
	explore_sleep(sleeps, raise_line);
}

static void no_schedule_of_wfi_loses_an_edge(void **state)
{
	(void)state;
	explore_sleep(sleeps, inject);
}

static void no_schedule_of_wfi_loses_a_line_of_the_vcpu(void **state)
{
	(void)state;
	explore_sleep(sleeps_own, raise_own_line);
}

static void no_schedule_of_wfi_loses_an_edge_of_the_vcpu(void **state)
{
	(void)state;
	explore_sleep(sleeps_own, inject_own);
}

static void no_schedule_of_wfi_loses_a_kick(void **state)
{
	(void)state;
	explore_sleep(sleeps_for_ever, kick);
}

/* ---- an interrupt while the VM is suspended ---- */

static void about_to_sleep_suspended(void)
{
	about_to_sleep();
	check(axvm_suspend(watched));
}

static void inject_and_resume(void)
{
	check(axvm_inject(watched, 0, LINE));
	check(axvm_resume(watched));
}

static void no_schedule_of_a_resume_loses_an_edge(void **state)
{
	struct explorer_case c = {
		.set_up = about_to_sleep_suspended,
		.check = interrupted,
		.threads = {host, inject_and_resume},
	};

	(void)state;
	explored_machine(14, false);
	program = sleeps;
	explore(&c, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(no_schedule_of_wfi_loses_a_line),
		OWN(no_schedule_of_wfi_loses_an_edge),
		OWN(no_schedule_of_wfi_loses_a_line_of_the_vcpu),
		OWN(no_schedule_of_wfi_loses_an_edge_of_the_vcpu),
		OWN(no_schedule_of_wfi_loses_a_kick),
		OWN(no_schedule_of_a_resume_loses_an_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
