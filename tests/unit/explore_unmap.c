/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * All schedules of a CPU that runs a vCPU and one that takes a page away from
 * its guest: once axvm_unmap() or axvm_protect() has returned, the memory is the
 * caller's.
 */
#include "explore_test.h"

#define PAGE_AT (RAM + PAGE)
#define LAZY UINT64_C(0x90000000)
#define POISON UINT64_C(0x9015009015009015)
/* An exit after which the guest is entered again at once. */
#define EXIT OP(CPU_ON, 9, 0)

static const struct stub_op nothing[] = {THE_END};
static const struct stub_op at_once[] = {
	OP(READ, PAGE_AT, 0),	     OP(EXPECT, 1, 0),
	OP(READ, PAGE_AT, 0),	     OP(EXPECT, 1, 0),
	OP(HYPERCALL, HOST_CALL, 0), THE_END};
/* Up to the first hypercall before the threads begin. */
static const struct stub_op reads[] = {OP(CPU_ON, 1, RAM),
				       OP(READ, PAGE_AT, 0),
				       OP(HYPERCALL, HOST_CALL, 0),
				       OP(READ, PAGE_AT, 0),
				       OP(EXPECT, 1, 0),
				       EXIT,
				       OP(READ, PAGE_AT, 0),
				       OP(EXPECT, 1, 0),
				       OP(HYPERCALL, HOST_CALL, 0),
				       THE_END};
static const struct stub_op writes[] = {OP(WRITE, PAGE_AT, 2),
					OP(HYPERCALL, HOST_CALL, 0),
					OP(WRITE, PAGE_AT, 3),
					EXIT,
					OP(WRITE, PAGE_AT, 4),
					OP(HYPERCALL, HOST_CALL, 0),
					THE_END};
/* The library reads for the guest, who has left. */
static const struct stub_op peeks[] = {
	OP(PEEK, PAGE_AT, 0), OP(HYPERCALL, HOST_CALL, 0), OP(PEEK, PAGE_AT, 0),
	OP(PEEK, PAGE_AT, 0), OP(HYPERCALL, HOST_CALL, 0), THE_END};
static const struct stub_op lazy[] = {
	OP(READ, LAZY, 0),	     OP(HYPERCALL, HOST_CALL, 0),
	OP(READ, LAZY, 0),	     OP(EXPECT, 0, 0),
	OP(READ, LAZY, 0),	     OP(EXPECT, 0, 0),
	OP(HYPERCALL, HOST_CALL, 0), THE_END};

static uint64_t *word;
static uint64_t seen;
static struct axvm_vm *neighbour;
static const char *wrong;

static void must(bool good, const char *what)
{
	if (!good && wrong == NULL)
		wrong = what;
}

/* ---- before and after ---- */

static void vm_with(const struct stub_op *ops)
{
	power_up();
	wrong = NULL;
	watched = loaded();
	stub_program(watched, 0, ops);
	if (config.cpu_num > 1)
		stub_program(watched, 1, nothing);
	if (axvm_boot(watched) != AXVM_OK)
		abort();
	word = word_at(watched, PAGE_AT);
	*word = 1;
}

/* CPU 0: until the guest says that it is through, or has no page. */
static void run_guest(void)
{
	struct axvm_exit exit;

	do {
		must(axvm_run_vcpu(stub_cpu(m, 0), watched, 0, &exit) ==
			     AXVM_OK,
		     "run fails");
	} while (wrong == NULL && (exit.reason == AXVM_EXIT_IRQ ||
				   exit.reason == AXVM_EXIT_CPU_ON));
	must(exit.reason == AXVM_EXIT_HYPERCALL ||
		     exit.reason == AXVM_EXIT_FAULT,
	     "an exit nobody expects");
}

static void warm(const struct stub_op *ops)
{
	vm_with(ops);
	run_guest();
}

static const char *ends(void)
{
	end(watched);
	return wrong != NULL ? wrong : violation();
}

/* ---- what CPU 1 does ---- */

static void unmap_and_use(void)
{
	must(axvm_unmap(watched, axvm_to_gpa(PAGE_AT), PAGE) == AXVM_OK,
	     "unmap fails");
	put(word, POISON);
}

/* ---- a vCPU that loads, one that runs ---- */

static void cold(void)
{
	vm_with(at_once);
}

static void warm_reader(void)
{
	warm(reads);
}

static void warm_peeker(void)
{
	warm(peeks);
}

static void unmap_against(void (*set_up)(void), bool broadcast)
{
	struct explorer_case c = {
		.set_up = set_up,
		.check = ends,
		.threads = {run_guest, unmap_and_use},
	};

	explored_machine(14, broadcast);
	config.cpu_num = 2;
	explore(&c, 20);
}

static void no_schedule_of_unmap_and_first_entry_reads_the_frame(void **state)
{
	(void)state;
	unmap_against(cold, false);
}

static void no_schedule_of_unmap_and_entry_reads_the_frame(void **state)
{
	(void)state;
	unmap_against(warm_reader, false);
}

static void no_schedule_of_a_broadcast_and_first_entry_reads_it(void **state)
{
	(void)state;
	unmap_against(cold, true);
}

static void no_schedule_of_a_broadcast_and_entry_reads_it(void **state)
{
	(void)state;
	unmap_against(warm_reader, true);
}

/* ---- a guest that does not leave by itself ---- */

static const struct stub_op spins[] = {OP(READ, PAGE_AT, 0),
				       OP(HYPERCALL, HOST_CALL, 0), EXIT,
				       OP(SPIN, 0, 0), THE_END};

static void warm_spinner(void)
{
	warm(spins);
}

static void run_until_kicked(void)
{
	struct axvm_exit exit;

	do {
		must(axvm_run_vcpu(stub_cpu(m, 0), watched, 0, &exit) ==
			     AXVM_OK,
		     "run fails");
	} while (wrong == NULL && exit.reason == AXVM_EXIT_IRQ);
	must(exit.reason == AXVM_EXIT_KICKED, "not kicked");
}

static void unmap_and_kick(void)
{
	unmap_and_use();
	must(axvm_vcpu_kick(watched, 0) == AXVM_OK, "kick fails");
}

static void no_schedule_of_unmap_waits_for_a_guest_that_stays(void **state)
{
	struct explorer_case c = {
		.set_up = warm_spinner,
		.check = ends,
		.threads = {run_until_kicked, unmap_and_kick},
	};

	(void)state;
	explored_machine(14, false);
	explore(&c, 20);
}

/* ---- reads on the guest's behalf ---- */

static const char *peeked_no_poison(void)
{
	const char *text = NULL;

	if (stub_reg(watched, 0, STUB_REG_RESULT) == POISON)
		text = "the poison was read";
	end(watched);
	return text != NULL ? text : wrong != NULL ? wrong : violation();
}

static void no_schedule_of_unmap_and_a_fetch_reads_the_frame(void **state)
{
	struct explorer_case c = {
		.set_up = warm_peeker,
		.check = peeked_no_poison,
		.threads = {run_guest, unmap_and_use},
	};

	(void)state;
	explored_machine(14, false);
	explore(&c, 20);
}

/* ---- protect ---- */

static void warm_writer(void)
{
	warm(writes);
}

static void protect_and_read(void)
{
	must(axvm_protect(watched, axvm_to_gpa(PAGE_AT), PAGE, AXVM_READ) ==
		     AXVM_OK,
	     "protect fails");
	seen = look(word);
}

static const char *unchanged(void)
{
	must(*word == seen, "written after axvm_protect() had returned");
	return ends();
}

static void protect_against_entry(bool broadcast)
{
	struct explorer_case c = {
		.set_up = warm_writer,
		.check = unchanged,
		.threads = {run_guest, protect_and_read},
	};

	explored_machine(14, broadcast);
	explore(&c, 20);
}

static void no_schedule_of_protect_and_entry_writes_afterwards(void **state)
{
	(void)state;
	protect_against_entry(false);
}

static void no_schedule_of_protect_by_broadcast_writes_afterwards(void **state)
{
	(void)state;
	protect_against_entry(true);
}

/* ---- tags run out ---- */

static void warm_with_the_last_tag(void)
{
	warm(reads);
	stub_get_host(m)->next_tag = stub_get_host(m)->tag_count;
	config.id = 2;
	neighbour = running(at_once);
	config.id = 1;
	*word_at(neighbour, PAGE_AT) = 1;
}

static const char *both_end(void)
{
	end(neighbour);
	return ends();
}

/* CPU 1: a new generation begins, whose first tag CPU 0 may still be using. */
static void run_neighbour(void)
{
	struct axvm_exit exit;

	must(axvm_run_vcpu(stub_cpu(m, 1), neighbour, 0, &exit) == AXVM_OK &&
		     exit.reason == AXVM_EXIT_HYPERCALL,
	     "the neighbour's run");
}

static void no_schedule_of_a_rollover_mixes_two_vms(void **state)
{
	struct explorer_case c = {
		.set_up = warm_with_the_last_tag,
		.check = both_end,
		.threads = {run_guest, run_neighbour},
	};

	(void)state;
	explored_machine(2, false);
	config.cpu_num = 2;
	explore(&c, 20);
}

static uint64_t inside;

/* While vCPU 0 is in the guest: new tags for the neighbour and for the VM. */
static void take_new_tags(void *arg)
{
	struct axvm_exit exit;

	(void)arg;
	explorer_hide();
	play(1);
	run_neighbour();
	must(axvm_run_vcpu(stub_cpu(m, 1), watched, 1, &exit) == AXVM_OK &&
		     exit.reason == AXVM_EXIT_IRQ,
	     "the other vCPU's run");
	/* The interrupt of the kick is still on its way. */
	store_seq(&m->pcpu[0].kicked, 0);
	play(0);
	explorer_show();
	put(&inside, 1);
}

static void is_inside(void *arg)
{
	(void)arg;
	put(&inside, 1);
}

static void warm_and_retagged_inside(void)
{
	warm_with_the_last_tag();
	inside = 0;
	stub_inside(watched, 0, take_new_tags, NULL);
}

static void unmap_when_inside(void)
{
	while (look(&inside) == 0)
		explorer_relax();
	unmap_and_use();
}

static void unmap_after_rollover(bool broadcast)
{
	struct explorer_case c = {
		.set_up = warm_and_retagged_inside,
		.check = both_end,
		.threads = {run_guest, unmap_when_inside},
	};

	explored_machine(2, broadcast);
	config.cpu_num = 2;
	explore(&c, 20);
}

static void no_schedule_of_unmap_reads_under_an_old_tag(void **state)
{
	(void)state;
	unmap_after_rollover(false);
}

static void no_schedule_of_a_broadcast_reads_under_an_old_tag(void **state)
{
	(void)state;
	unmap_after_rollover(true);
}

/* ---- while the VM is suspended ---- */

static const struct stub_op leaves_and_reads[] = {OP(READ, PAGE_AT, 0),
						  OP(HYPERCALL, HOST_CALL, 0),
						  EXIT,
						  OP(READ, PAGE_AT, 0),
						  OP(EXPECT, 1, 0),
						  OP(HYPERCALL, HOST_CALL, 0),
						  THE_END};

static void warm_inside(void)
{
	warm(leaves_and_reads);
	inside = 0;
	stub_inside(watched, 0, is_inside, NULL);
}

static uint32_t last_reason;

static void run_until_suspended(void)
{
	struct axvm_exit exit;

	do
		must(axvm_run_vcpu(stub_cpu(m, 0), watched, 0, &exit) ==
			     AXVM_OK,
		     "run fails");
	while (wrong == NULL && exit.reason == AXVM_EXIT_IRQ);
	last_reason = exit.reason;
}

static void unmap_suspended(void)
{
	while (look(&inside) == 0)
		explorer_relax();
	must(axvm_suspend(watched) == AXVM_OK, "suspend fails");
	unmap_and_use();
}

static const char *goes_on(void)
{
	must(axvm_resume(watched) == AXVM_OK, "resume fails");
	play(0);
	if (last_reason == AXVM_EXIT_SUSPENDED)
		run_until_suspended();
	return ends();
}

static void no_schedule_of_unmap_while_suspended_reads_the_frame(void **state)
{
	struct explorer_case c = {
		.set_up = warm_inside,
		.check = goes_on,
		.threads = {run_until_suspended, unmap_suspended},
	};

	(void)state;
	explored_machine(14, false);
	explore(&c, 20);
}

/* ---- demand pages ---- */

static void warm_lazily(void)
{
	warm(lazy);
}

/* Its frame goes back to the host, who fills it with something else. */
static void give_back(void)
{
	must(axvm_unmap(watched, axvm_to_gpa(LAZY), PAGE) == AXVM_OK,
	     "unmap fails");
}

static void no_schedule_of_a_demand_page_reads_a_freed_frame(void **state)
{
	struct explorer_case c = {
		.set_up = warm_lazily,
		.check = ends,
		.threads = {run_guest, give_back},
	};

	(void)state;
	explored_machine(14, false);
	add_region(LAZY, 2 * PAGE, AXVM_REGION_DEMAND);
	explore(&c, 20);
}

/* ---- tables walked without a lock ---- */

/* Two pages with tables of their own. */
#define NEAR_PAGE (LAZY + MIB(2) - PAGE)
#define FAR_PAGE (LAZY + MIB(2))

static uint64_t far_hpa;

static void filled(void)
{
	struct axvm_mapping mapping;
	uint64_t one = 1;

	vm_with(at_once);
	if (axvm_write_guest(watched, axvm_to_gpa(NEAR_PAGE), &one, 8) !=
		    AXVM_OK ||
	    axvm_write_guest(watched, axvm_to_gpa(FAR_PAGE), &one, 8) !=
		    AXVM_OK ||
	    axvm_query(watched, axvm_to_gpa(FAR_PAGE), &mapping) != AXVM_OK)
		abort();
	far_hpa = mapping.hpa.value;
}

static void query_far_page(void)
{
	struct axvm_mapping mapping;
	int err = axvm_query(watched, axvm_to_gpa(FAR_PAGE), &mapping);

	must(err == AXVM_ENOENT ||
		     (err == AXVM_OK && mapping.hpa.value == far_hpa),
	     "neither the page nor none");
}

static void unmap_both(void)
{
	must(axvm_unmap(watched, axvm_to_gpa(NEAR_PAGE), PAGE) == AXVM_OK &&
		     axvm_unmap(watched, axvm_to_gpa(FAR_PAGE), PAGE) ==
			     AXVM_OK,
	     "unmap fails");
}

static void no_schedule_of_two_unmaps_frees_a_table_that_is_walked(void **state)
{
	struct explorer_case c = {
		.set_up = filled,
		.check = ends,
		.threads = {query_far_page, unmap_both},
	};

	(void)state;
	explored_machine(14, false);
	add_region(LAZY, MIB(4), AXVM_REGION_DEMAND);
	explore(&c, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OWN(no_schedule_of_unmap_and_first_entry_reads_the_frame),
		OWN(no_schedule_of_unmap_and_entry_reads_the_frame),
		OWN(no_schedule_of_a_broadcast_and_first_entry_reads_it),
		OWN(no_schedule_of_a_broadcast_and_entry_reads_it),
		OWN(no_schedule_of_unmap_waits_for_a_guest_that_stays),
		OWN(no_schedule_of_unmap_and_a_fetch_reads_the_frame),
		OWN(no_schedule_of_protect_and_entry_writes_afterwards),
		OWN(no_schedule_of_protect_by_broadcast_writes_afterwards),
		OWN(no_schedule_of_a_rollover_mixes_two_vms),
		OWN(no_schedule_of_unmap_reads_under_an_old_tag),
		OWN(no_schedule_of_a_broadcast_reads_under_an_old_tag),
		OWN(no_schedule_of_unmap_while_suspended_reads_the_frame),
		OWN(no_schedule_of_a_demand_page_reads_a_freed_frame),
		OWN(no_schedule_of_two_unmaps_frees_a_table_that_is_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
