/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Reads guest tables of a backend back with libfdt. The program says first what
 * `tables_config` is and `tables_write`, the function under test, and has a
 * sample(). To be included once per program.
 */
#ifndef AXVM_TEST_TABLES_TEST_H
#define AXVM_TEST_TABLES_TEST_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libfdt.h>

#include "axvm/error.h"

#define BUFFER_SIZE (64u * 1024u)
#define GUARD 0x5a

static tables_config sample(void);

static uint64_t aligned_buffer[BUFFER_SIZE / 8];
static uint8_t *const buffer = (uint8_t *)aligned_buffer;

static uint32_t build(const tables_config *config)
{
	uint32_t size = 0;

	memset(buffer, GUARD, BUFFER_SIZE);
	assert_int_equal(tables_write(config, buffer, BUFFER_SIZE, &size), 0);
	assert_int_equal(fdt_check_full(buffer, size), 0);
	return size;
}

static int node(const char *path)
{
	int offset = fdt_path_offset(buffer, path);

	if (offset < 0)
		fail_msg("no node %s", path);
	return offset;
}

static void assert_bytes(const char *path, const char *name, const void *value,
			 int size)
{
	int length = -1;
	const void *found = fdt_getprop(buffer, node(path), name, &length);

	assert_non_null(found);
	assert_int_equal(length, size);
	if (size != 0)
		assert_memory_equal(found, value, (size_t)size);
}

static void assert_string(const char *path, const char *name, const char *value)
{
	assert_bytes(path, name, value, (int)strlen(value) + 1);
}

static void assert_u32(const char *path, const char *name, uint32_t value)
{
	fdt32_t cell = cpu_to_fdt32(value);

	assert_bytes(path, name, &cell, sizeof(cell));
}

static bool has_property(const char *path, const char *name)
{
	return fdt_getprop(buffer, node(path), name, NULL) != NULL;
}

static void assert_cells(const char *path, const char *name,
			 const uint32_t *cells, unsigned count)
{
	fdt32_t big[16];

	assert_in_range(count, 0, 16);
	for (unsigned i = 0; i < count; i++)
		big[i] = cpu_to_fdt32(cells[i]);
	assert_bytes(path, name, big, (int)(4 * count));
}

static void size_does_not_depend_on_addresses(void **state)
{
	tables_config c = sample();
	uint32_t size = build(&c);

	(void)state;
	c.initrd.start = 1;
	c.initrd.size = UINT64_C(1) << 40;
	assert_int_equal(build(&c), size);
}

static void every_smaller_buffer_is_refused_and_not_overrun(void **state)
{
	tables_config c = sample();
	uint32_t needed = build(&c);

	(void)state;
	for (uint32_t capacity = 0; capacity <= needed; capacity++) {
		uint8_t *exact = malloc(capacity + 8);
		uint32_t size = 0xdead;
		int error;

		assert_non_null(exact);
		memset(exact, GUARD, capacity + 8);
		error = tables_write(&c, exact, capacity, &size);
		assert_int_equal(error, capacity < needed ? AXVM_ENOSPC : 0);
		assert_int_equal(size, capacity < needed ? 0xdead : needed);
		for (uint32_t i = 0; i < 8; i++)
			assert_int_equal(exact[capacity + i], GUARD);
		free(exact);
	}
}

/* In a child: an assertion traps. */
static bool traps(const tables_config *config)
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		uint32_t size;

		/* cmocka's handler would go on with the next test. */
		(void)signal(SIGILL, SIG_DFL);
		(void)tables_write(config, buffer, BUFFER_SIZE, &size);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status);
}

static int write_sample(const char *path)
{
	tables_config c = sample();
	FILE *file = fopen(path, "wb");
	uint32_t size;
	int error = 1;

	if (file == NULL)
		return 1;
	if (tables_write(&c, buffer, BUFFER_SIZE, &size) == 0)
		error = fwrite(buffer, 1, size, file) != size;
	return fclose(file) != 0 || error;
}

#endif
