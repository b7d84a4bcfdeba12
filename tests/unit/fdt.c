/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * src/fdt.c and src/fdt_nodes.c: what the writer writes is read back with
 * libfdt, an implementation of its own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <libfdt.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "axvm/error.h"
#include "fdt_writer.h"

#define BUFFER_SIZE 8192u
#define GUARD 0xa5

static uint64_t aligned_buffer[BUFFER_SIZE / 8];
static uint8_t *const buffer = (uint8_t *)aligned_buffer;

/* What `write` writes, in a fresh buffer, checked as a whole by libfdt. */
static uint32_t build(void (*write)(struct fdt_writer *fdt))
{
	struct fdt_writer fdt;
	uint32_t size = 0;

	memset(buffer, GUARD, BUFFER_SIZE);
	axvmi_fdt_begin(&fdt, buffer, BUFFER_SIZE);
	write(&fdt);
	assert_int_equal(axvmi_fdt_finish(&fdt, &size), 0);
	assert_int_equal(fdt_totalsize(buffer), size);
	assert_int_equal(fdt_check_full(buffer, size), 0);
	return size;
}

static int node(const char *path)
{
	int offset = fdt_path_offset(buffer, path);

	assert_true(offset >= 0);
	return offset;
}

static void assert_property(const char *path, const char *name,
			    const void *value, int size)
{
	int length = -1;
	const void *found = fdt_getprop(buffer, node(path), name, &length);

	assert_non_null(found);
	assert_int_equal(length, size);
	if (size != 0)
		assert_memory_equal(found, value, (size_t)size);
}

static void assert_no_property(const char *path, const char *name)
{
	assert_null(fdt_getprop(buffer, node(path), name, NULL));
}

static void assert_string(const char *path, const char *name, const char *value)
{
	assert_property(path, name, value, (int)strlen(value) + 1);
}

static void write_empty_tree(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node(fdt, "");
	axvmi_fdt_end_node(fdt);
}

/* One of everything, with names of every length modulo 4. */
static void write_samples(struct fdt_writer *fdt)
{
	static const uint32_t cells[] = {1, 0x89abcdef, 0xffffffff};
	static const char *const list[] = {"a", "", "ccc"};
	static const struct fdt_range ranges[] = {
		{UINT64_C(0x123456789abcdef0), UINT64_C(0x1000)},
		{0, UINT64_MAX},
	};

	axvmi_fdt_begin_node(fdt, "");
	axvmi_fdt_empty(fdt, "e");
	axvmi_fdt_u32(fdt, "p2", 0x01020304);
	axvmi_fdt_u64(fdt, "p03", UINT64_C(0x0102030405060708));
	axvmi_fdt_cells(fdt, "p004", cells, 3);
	axvmi_fdt_string(fdt, "p0005", "five");
	axvmi_fdt_string_list(fdt, "list", list, 3);
	axvmi_fdt_bytes(fdt, "b3", "xyz", 3);
	axvmi_fdt_bytes(fdt, "b0", NULL, 0);
	axvmi_fdt_reg(fdt, ranges, 2);
	axvmi_fdt_begin_node(fdt, "n");
	axvmi_fdt_u32(fdt, "p2", 5);
	axvmi_fdt_begin_node(fdt, "ab");
	axvmi_fdt_end_node(fdt);
	axvmi_fdt_begin_node(fdt, "abc");
	axvmi_fdt_end_node(fdt);
	axvmi_fdt_end_node(fdt);
	axvmi_fdt_begin_node_at(fdt, "dev", UINT64_C(0xfedcba9876543210));
	axvmi_fdt_end_node(fdt);
	axvmi_fdt_end_node(fdt);
}

static void root_alone_is_a_valid_tree(void **state)
{
	(void)state;
	build(write_empty_tree);
	assert_int_equal(fdt_first_subnode(buffer, 0), -FDT_ERR_NOTFOUND);
	assert_int_equal(fdt_num_mem_rsv(buffer), 0);
}

static void header_states_version_17_and_blocks_in_order(void **state)
{
	uint32_t size = build(write_samples);

	(void)state;
	assert_int_equal(fdt_magic(buffer), 0xd00dfeed);
	assert_int_equal(fdt_version(buffer), 17);
	assert_int_equal(fdt_last_comp_version(buffer), 16);
	assert_int_equal(fdt_off_mem_rsvmap(buffer), 40);
	assert_int_equal(fdt_off_dt_struct(buffer), 56);
	assert_int_equal(fdt_off_dt_strings(buffer),
			 56 + fdt_size_dt_struct(buffer));
	assert_int_equal(size, fdt_off_dt_strings(buffer) +
				       fdt_size_dt_strings(buffer));
	assert_int_equal(fdt_boot_cpuid_phys(buffer), 0);
}

static void write_on_cpu_7(struct fdt_writer *fdt)
{
	fdt->boot_cpu = 7;
	write_empty_tree(fdt);
}

static void boot_cpu_is_in_the_header(void **state)
{
	(void)state;
	build(write_on_cpu_7);
	assert_int_equal(fdt_boot_cpuid_phys(buffer), 7);
}

static void numbers_are_big_endian(void **state)
{
	(void)state;
	build(write_samples);
	assert_property("/", "p2", "\1\2\3\4", 4);
	assert_property("/", "p03", "\1\2\3\4\5\6\7\10", 8);
	assert_property("/", "p004", "\0\0\0\1\x89\xab\xcd\xef\xff\xff\xff\xff",
			12);
}

static void strings_carry_their_nul(void **state)
{
	(void)state;
	build(write_samples);
	assert_property("/", "p0005", "five", 5);
	assert_property("/", "list", "a\0\0ccc", 7);
	assert_int_equal(fdt_stringlist_count(buffer, 0, "list"), 3);
}

static void bytes_and_empty_properties_keep_their_length(void **state)
{
	(void)state;
	build(write_samples);
	assert_property("/", "e", NULL, 0);
	assert_property("/", "b0", NULL, 0);
	assert_property("/", "b3", "xyz", 3);
}

static void padding_is_zero(void **state)
{
	int length;
	const uint8_t *value;

	(void)state;
	build(write_samples);
	value = fdt_getprop(buffer, 0, "b3", &length);
	assert_non_null(value);
	assert_int_equal(value[3], 0);
}

static void reg_has_two_cells_for_address_and_size(void **state)
{
	static const uint8_t expected[32] = {
		0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0,    0,    0,
		0,    0,    0,	  0x10, 0,    0,    0,	  0,	0,    0,    0,
		0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};

	(void)state;
	build(write_samples);
	assert_property("/", "reg", expected, sizeof(expected));
}

static void nodes_nest_and_keep_their_properties_apart(void **state)
{
	(void)state;
	build(write_samples);
	assert_property("/n", "p2", "\0\0\0\5", 4);
	assert_true(node("/n/ab") > node("/n"));
	assert_int_equal(fdt_node_depth(buffer, node("/n/abc")), 2);
	assert_no_property("/n/abc", "p2");
}

static void unit_address_is_hexadecimal_without_leading_zeroes(void **state)
{
	char name[FDT_WRITER_NAME_SIZE];

	(void)state;
	build(write_samples);
	node("/dev@fedcba9876543210");
	assert_int_equal(axvmi_fdt_unit_name(name, "cpu", 0), 5);
	assert_string_equal(name, "cpu@0");
	assert_int_equal(axvmi_fdt_unit_name(name, "m", 0x80000000), 10);
	assert_string_equal(name, "m@80000000");
	assert_int_equal(axvmi_fdt_unit_name(name, "m", 0x1000f), 7);
	assert_string_equal(name, "m@1000f");
}

static void longest_unit_name_fits_its_buffer(void **state)
{
	char name[FDT_WRITER_NAME_SIZE];

	(void)state;
	assert_int_equal(axvmi_fdt_unit_name(name,
					     "a234567890123456789012345678901",
					     UINT64_MAX),
			 FDT_WRITER_NAME_SIZE - 1);
	assert_int_equal(strlen(name), FDT_WRITER_NAME_SIZE - 1);
}

static void equal_property_names_are_stored_once(void **state)
{
	const char *strings;
	uint32_t found = 0;

	(void)state;
	build(write_samples);
	strings = (const char *)buffer + fdt_off_dt_strings(buffer);
	for (uint32_t at = 0; at < fdt_size_dt_strings(buffer);
	     at += (uint32_t)strlen(strings + at) + 1)
		found += strcmp(strings + at, "p2") == 0;
	assert_int_equal(found, 1);
}

static void write_prefixes(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node(fdt, "");
	axvmi_fdt_u32(fdt, "reg", 1);
	axvmi_fdt_u32(fdt, "reg-shift", 2);
	axvmi_fdt_u32(fdt, "re", 3);
	axvmi_fdt_u32(fdt, "rex", 4);
	axvmi_fdt_end_node(fdt);
}

static void names_that_share_a_prefix_stay_distinct(void **state)
{
	(void)state;
	build(write_prefixes);
	assert_property("/", "reg", "\0\0\0\1", 4);
	assert_property("/", "reg-shift", "\0\0\0\2", 4);
	assert_property("/", "re", "\0\0\0\3", 4);
	assert_property("/", "rex", "\0\0\0\4", 4);
}

static void write_reserved(struct fdt_writer *fdt)
{
	axvmi_fdt_reserve(fdt, UINT64_C(0x80000000), 0x1000);
	axvmi_fdt_reserve(fdt, UINT64_C(0x123456789000), UINT64_C(1) << 40);
	write_empty_tree(fdt);
}

static void reservations_are_listed_before_the_tree(void **state)
{
	uint64_t start, size;

	(void)state;
	build(write_reserved);
	assert_int_equal(fdt_num_mem_rsv(buffer), 2);
	assert_int_equal(fdt_get_mem_rsv(buffer, 1, &start, &size), 0);
	assert_true(start == UINT64_C(0x123456789000));
	assert_true(size == UINT64_C(1) << 40);
	assert_int_equal(fdt_off_dt_struct(buffer), 40 + 3 * 16);
}

/* The tree in `capacity` bytes of a heap block: ASan watches its end too. */
static int build_bounded(void (*write)(struct fdt_writer *fdt),
			 uint32_t capacity, uint32_t *size)
{
	uint8_t *exact = malloc(capacity + 16);
	struct fdt_writer fdt;
	int error;

	assert_non_null(exact);
	memset(exact, GUARD, capacity + 16);
	axvmi_fdt_begin(&fdt, exact, capacity);
	write(&fdt);
	error = axvmi_fdt_finish(&fdt, size);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(exact[capacity + i], GUARD);
	if (error == 0)
		assert_memory_equal(exact, buffer, *size);
	free(exact);
	return error;
}

static void sweep(void (*write)(struct fdt_writer *fdt))
{
	uint32_t needed = build(write);
	uint32_t size = 0xdead;

	for (uint32_t capacity = 0; capacity < needed; capacity++) {
		assert_int_equal(build_bounded(write, capacity, &size),
				 AXVM_ENOSPC);
		assert_int_equal(size, 0xdead);
	}
	assert_int_equal(build_bounded(write, needed, &size), 0);
	assert_int_equal(size, needed);
}

static void every_smaller_buffer_is_refused_and_not_overrun(void **state)
{
	(void)state;
	sweep(write_empty_tree);
	sweep(write_reserved);
	sweep(write_samples);
}

static void no_buffer_at_all_is_no_space(void **state)
{
	struct fdt_writer fdt;
	uint32_t size = 3;

	(void)state;
	axvmi_fdt_begin(&fdt, NULL, 0);
	write_samples(&fdt);
	assert_int_equal(axvmi_fdt_finish(&fdt, &size), AXVM_ENOSPC);
	assert_int_equal(size, 3);
}

static void value_longer_than_a_reader_can_hold_is_refused(void **state)
{
	struct fdt_writer fdt;
	uint32_t size;

	(void)state;
	axvmi_fdt_begin(&fdt, buffer, BUFFER_SIZE);
	axvmi_fdt_begin_node(&fdt, "");
	axvmi_fdt_bytes(&fdt, "big", buffer, SIZE_MAX);
	axvmi_fdt_cells(&fdt, "big", NULL, UINT32_MAX);
	axvmi_fdt_end_node(&fdt);
	assert_int_equal(axvmi_fdt_finish(&fdt, &size), AXVM_ENOSPC);
}

static void capacity_is_bounded_by_what_readers_count(void **state)
{
	struct fdt_writer fdt;

	(void)state;
	axvmi_fdt_begin(&fdt, buffer, SIZE_MAX);
	assert_int_equal(fdt.capacity, INT32_MAX);
}

static int finish_with_name(const char *name, bool unit)
{
	struct fdt_writer fdt;
	uint32_t size;

	axvmi_fdt_begin(&fdt, buffer, BUFFER_SIZE);
	axvmi_fdt_begin_node(&fdt, "");
	if (unit)
		axvmi_fdt_begin_node_at(&fdt, name, 1);
	else
		axvmi_fdt_begin_node(&fdt, name);
	axvmi_fdt_end_node(&fdt);
	axvmi_fdt_end_node(&fdt);
	return axvmi_fdt_finish(&fdt, &size);
}

static void names_that_are_no_node_names_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"1a",
		"-a",
		"a b",
		"a/b",
		"a@b",
		"a#b",
		"a\n",
		"_a",
		"{a",
		"a2345678901234567890123456789012",
	};
	static const char *const good[] = {
		"a",   "Z9,",	"a.b",
		"a_b", "a+b-c", "a234567890123456789012345678901",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(finish_with_name(bad[i], false), AXVM_EINVAL);
		assert_int_equal(finish_with_name(bad[i], true), AXVM_EINVAL);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(finish_with_name(good[i], false), 0);
		assert_int_equal(finish_with_name(good[i], true), 0);
	}
}

static void first_error_sticks(void **state)
{
	struct fdt_writer fdt;
	uint32_t size;

	(void)state;
	axvmi_fdt_begin(&fdt, buffer, 100);
	axvmi_fdt_begin_node(&fdt, "");
	axvmi_fdt_begin_node(&fdt, "not a name");
	axvmi_fdt_bytes(&fdt, "much", aligned_buffer, 1000);
	axvmi_fdt_end_node(&fdt);
	axvmi_fdt_end_node(&fdt);
	assert_int_equal(axvmi_fdt_finish(&fdt, &size), AXVM_EINVAL);
	axvmi_fdt_begin(&fdt, buffer, 100);
	axvmi_fdt_begin_node(&fdt, "");
	axvmi_fdt_bytes(&fdt, "much", aligned_buffer, 1000);
	axvmi_fdt_begin_node(&fdt, "not a name");
	axvmi_fdt_end_node(&fdt);
	axvmi_fdt_end_node(&fdt);
	assert_int_equal(axvmi_fdt_finish(&fdt, &size), AXVM_ENOSPC);
}

static void root_again(struct fdt_writer *fdt)
{
	write_empty_tree(fdt);
	write_empty_tree(fdt);
}

static void property_outside_a_node(struct fdt_writer *fdt)
{
	axvmi_fdt_empty(fdt, "x");
}

static void property_after_a_subnode(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node(fdt, "");
	axvmi_fdt_begin_node(fdt, "a");
	axvmi_fdt_end_node(fdt);
	axvmi_fdt_empty(fdt, "x");
}

static void property_after_the_root(struct fdt_writer *fdt)
{
	write_empty_tree(fdt);
	axvmi_fdt_empty(fdt, "x");
}

static void reserve_after_a_node(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node(fdt, "");
	axvmi_fdt_reserve(fdt, 0, 1);
}

static void reserve_nothing(struct fdt_writer *fdt)
{
	axvmi_fdt_reserve(fdt, 0, 0);
}

static void first_node_with_a_name(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node(fdt, "a");
}

static void first_node_with_a_unit(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node_at(fdt, "a", 1);
}

static void end_without_begin(struct fdt_writer *fdt)
{
	axvmi_fdt_end_node(fdt);
}

static void finish_inside_a_node(struct fdt_writer *fdt)
{
	uint32_t size;

	axvmi_fdt_begin_node(fdt, "");
	(void)axvmi_fdt_finish(fdt, &size);
}

static void too_deep(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node(fdt, "");
	for (uint32_t i = 0; i < FDT_WRITER_DEPTH; i++)
		axvmi_fdt_begin_node(fdt, "a");
}

static void property_name_too_long(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node(fdt, "");
	axvmi_fdt_empty(fdt, "a2345678901234567890123456789012");
}

static void property_name_empty(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node(fdt, "");
	axvmi_fdt_empty(fdt, "");
}

/* In a child: an assertion traps. */
static bool traps(void (*write)(struct fdt_writer *fdt))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct fdt_writer fdt;

		/* cmocka's handler would go on with the next test. */
		(void)signal(SIGILL, SIG_DFL);
		axvmi_fdt_begin(&fdt, buffer, BUFFER_SIZE);
		write(&fdt);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status);
}

static void calls_out_of_order_assert(void **state)
{
	static void (*const wrong[])(struct fdt_writer *) = {
		root_again,
		property_outside_a_node,
		property_after_a_subnode,
		property_after_the_root,
		reserve_after_a_node,
		reserve_nothing,
		first_node_with_a_name,
		first_node_with_a_unit,
		end_without_begin,
		finish_inside_a_node,
		too_deep,
		property_name_too_long,
		property_name_empty,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (!traps(wrong[i]))
			fail_msg("misuse %zu went through", i);
	}
	assert_false(traps(write_samples));
}

static void write_deepest(struct fdt_writer *fdt)
{
	axvmi_fdt_begin_node(fdt, "");
	for (uint32_t i = 1; i < FDT_WRITER_DEPTH; i++)
		axvmi_fdt_begin_node(fdt, "a");
	for (uint32_t i = 0; i < FDT_WRITER_DEPTH; i++)
		axvmi_fdt_end_node(fdt);
}

static void deepest_nesting_works(void **state)
{
	(void)state;
	build(write_deepest);
	assert_int_equal(fdt_node_depth(buffer, node("/a/a/a/a/a/a/a")),
			 FDT_WRITER_DEPTH - 1);
}

static void write_generic(struct fdt_writer *fdt)
{
	static const char *const compatible[] = {"v,one", "v,two"};
	static const struct axvm_region_config regions[] = {
		{{0x80000000}, 0x10000000, AXVM_RWX, 0, {0}},
		{{0x1000}, 0x1000, AXVM_READ | AXVM_EXEC, 0, {0}},
		{{UINT64_C(0x100000000)}, 0x1000, AXVM_RW, 0, {0}},
	};
	static const struct fdt_chosen chosen = {
		.bootargs = "console=ttyS0 quiet",
		.initrd_start = UINT64_C(0x188000000),
		.initrd_size = 0x1234,
		.stdout_path = "/dev@1000",
	};

	axvmi_fdt_begin_root(fdt, "v,model", compatible, 2);
	axvmi_fdt_chosen(fdt, &chosen);
	axvmi_fdt_memory(fdt, regions, 3);
	axvmi_fdt_end_node(fdt);
}

static void root_states_cells_model_and_compatible(void **state)
{
	(void)state;
	build(write_generic);
	assert_int_equal(fdt_address_cells(buffer, 0), 2);
	assert_int_equal(fdt_size_cells(buffer, 0), 2);
	assert_string("/", "model", "v,model");
	assert_property("/", "compatible", "v,one\0v,two", 12);
}

static void chosen_gives_arguments_console_and_initrd(void **state)
{
	(void)state;
	build(write_generic);
	assert_string("/chosen", "bootargs", "console=ttyS0 quiet");
	assert_string("/chosen", "stdout-path", "/dev@1000");
	assert_property("/chosen", "linux,initrd-start", "\0\0\0\1\x88\0\0\0",
			8);
	assert_property("/chosen", "linux,initrd-end", "\0\0\0\1\x88\0\x12\x34",
			8);
}

static void write_bare_chosen(struct fdt_writer *fdt)
{
	static const struct fdt_chosen none = {0};

	axvmi_fdt_begin_node(fdt, "");
	axvmi_fdt_chosen(fdt, &none);
	axvmi_fdt_end_node(fdt);
}

static void chosen_leaves_out_what_there_is_not(void **state)
{
	(void)state;
	build(write_bare_chosen);
	assert_int_equal(fdt_first_property_offset(buffer, node("/chosen")),
			 -FDT_ERR_NOTFOUND);
}

static void memory_nodes_cover_writable_regions_only(void **state)
{
	static const uint8_t high[] = {0, 0, 0, 1, 0, 0, 0,    0,
				       0, 0, 0, 0, 0, 0, 0x10, 0};

	(void)state;
	build(write_generic);
	assert_string("/memory@80000000", "device_type", "memory");
	assert_property("/memory@100000000", "reg", high, 16);
	assert_int_equal(fdt_path_offset(buffer, "/memory@1000"),
			 -FDT_ERR_NOTFOUND);
}

static void write_devices(struct fdt_writer *fdt)
{
	static const char *const compatible = "v,dev";
	static const struct fdt_range reg = {0x1000, 0x100};
	static const uint32_t interrupts[] = {3, 4};
	static const struct fdt_cells more[] = {
		{"reg-shift", &interrupts[0], 1},
		{"dma-coherent", NULL, 0},
	};
	static const struct fdt_device full = {
		.name = "dev",
		.compatible = &compatible,
		.compatible_count = 1,
		.reg = &reg,
		.reg_count = 1,
		.interrupts = interrupts,
		.interrupt_cells = 2,
		.interrupt_parent = 9,
		.phandle = 5,
		.properties = more,
		.property_count = 2,
	};
	static const struct fdt_device bare = {.name = "bare"};
	static const struct fdt_device inherits = {
		.name = "inherits",
		.interrupts = interrupts,
		.interrupt_cells = 1,
	};

	axvmi_fdt_begin_node(fdt, "");
	axvmi_fdt_device(fdt, &full);
	axvmi_fdt_device(fdt, &bare);
	axvmi_fdt_begin_device(fdt, &inherits);
	axvmi_fdt_u32(fdt, "extra", 1);
	axvmi_fdt_end_node(fdt);
	axvmi_fdt_end_node(fdt);
}

static void device_node_has_all_that_was_asked_for(void **state)
{
	(void)state;
	build(write_devices);
	assert_string("/dev@1000", "compatible", "v,dev");
	assert_property("/dev@1000", "reg",
			"\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\1\0", 16);
	assert_property("/dev@1000", "interrupts", "\0\0\0\3\0\0\0\4", 8);
	assert_property("/dev@1000", "interrupt-parent", "\0\0\0\x9", 4);
	assert_int_equal(fdt_node_offset_by_phandle(buffer, 5),
			 node("/dev@1000"));
	assert_property("/dev@1000", "reg-shift", "\0\0\0\3", 4);
	assert_property("/dev@1000", "dma-coherent", NULL, 0);
}

static void device_node_has_nothing_else(void **state)
{
	(void)state;
	build(write_devices);
	assert_int_equal(fdt_first_property_offset(buffer, node("/bare")),
			 -FDT_ERR_NOTFOUND);
	assert_property("/inherits", "interrupts", "\0\0\0\3", 4);
	assert_no_property("/inherits", "interrupt-parent");
	assert_property("/inherits", "extra", "\0\0\0\1", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_alone_is_a_valid_tree),
		cmocka_unit_test(header_states_version_17_and_blocks_in_order),
		cmocka_unit_test(boot_cpu_is_in_the_header),
		cmocka_unit_test(numbers_are_big_endian),
		cmocka_unit_test(strings_carry_their_nul),
		cmocka_unit_test(bytes_and_empty_properties_keep_their_length),
		cmocka_unit_test(padding_is_zero),
		cmocka_unit_test(reg_has_two_cells_for_address_and_size),
		cmocka_unit_test(nodes_nest_and_keep_their_properties_apart),
		cmocka_unit_test(
			unit_address_is_hexadecimal_without_leading_zeroes),
		cmocka_unit_test(longest_unit_name_fits_its_buffer),
		cmocka_unit_test(equal_property_names_are_stored_once),
		cmocka_unit_test(names_that_share_a_prefix_stay_distinct),
		cmocka_unit_test(reservations_are_listed_before_the_tree),
		cmocka_unit_test(
			every_smaller_buffer_is_refused_and_not_overrun),
		cmocka_unit_test(no_buffer_at_all_is_no_space),
		cmocka_unit_test(
			value_longer_than_a_reader_can_hold_is_refused),
		cmocka_unit_test(capacity_is_bounded_by_what_readers_count),
		cmocka_unit_test(names_that_are_no_node_names_are_refused),
		cmocka_unit_test(first_error_sticks),
		cmocka_unit_test(calls_out_of_order_assert),
		cmocka_unit_test(deepest_nesting_works),
		cmocka_unit_test(root_states_cells_model_and_compatible),
		cmocka_unit_test(chosen_gives_arguments_console_and_initrd),
		cmocka_unit_test(chosen_leaves_out_what_there_is_not),
		cmocka_unit_test(memory_nodes_cover_writable_regions_only),
		cmocka_unit_test(device_node_has_all_that_was_asked_for),
		cmocka_unit_test(device_node_has_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
