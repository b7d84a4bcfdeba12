/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* The sample hypervisor's cpio reader, on good and on broken archives. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../hypervisor/bundle.c"

struct archive {
	char bytes[4096];
	size_t size;
};

static void pad(struct archive *a)
{
	while (a->size % 4 != 0)
		a->bytes[a->size++] = '\0';
}

static void add_file(struct archive *a, const char *name, const char *data)
{
	a->size += (size_t)sprintf(
		a->bytes + a->size,
		"070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1,
		0100644, 0, 0, 1, 0, (unsigned)strlen(data), 0, 0, 0, 0,
		(unsigned)strlen(name) + 1, 0);
	strcpy(a->bytes + a->size, name);
	a->size += strlen(name) + 1;
	pad(a);
	memcpy(a->bytes + a->size, data, strlen(data));
	a->size += strlen(data);
	pad(a);
}

static struct archive good(void)
{
	struct archive a = {.size = 0};

	add_file(&a, "vm1/config.toml", "id = 1");
	add_file(&a, "vm1/kernel", "0123456789");
	add_file(&a, "empty", "");
	add_file(&a, "options", "stats");
	add_file(&a, "TRAILER!!!", "");
	return a;
}

/* Searches an exact copy, so that a sanitizer sees one byte too many. */
static bool find_in(const struct archive *a, const char *path, char *text)
{
	char *copy = malloc(a->size + 1);
	struct blob file;
	bool found;

	memmove(copy + 1, a->bytes, a->size);
	found = bundle_find((struct blob){copy + 1, a->size}, path, &file);
	if (found) {
		memcpy(text, file.data, file.size);
		text[file.size] = '\0';
	}
	free(copy);
	return found;
}

static void files_are_found_by_their_whole_path(void **state)
{
	struct archive a = good();
	char text[64];

	(void)state;
	assert_true(find_in(&a, "vm1/config.toml", text));
	assert_string_equal(text, "id = 1");
	assert_true(find_in(&a, "vm1/kernel", text));
	assert_string_equal(text, "0123456789");
	assert_true(find_in(&a, "empty", text));
	assert_string_equal(text, "");
	assert_true(find_in(&a, "options", text));
	assert_string_equal(text, "stats");
}

static void other_names_are_not_found(void **state)
{
	static const char *const names[] = {
		"vm1", "vm1/kerne", "vm1/kernels", "vm2/kernel", "", "kernel",
	};
	struct archive a = good();
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(find_in(&a, names[i], text));
}

static void capital_digits_are_digits(void **state)
{
	struct archive a = {.size = 0};
	char text[64];

	(void)state;
	add_file(&a, "x", "0123456789");
	assert_int_equal(a.bytes[FILE_SIZE_AT + 7], 'a');
	a.bytes[FILE_SIZE_AT + 7] = 'A';
	assert_true(find_in(&a, "x", text));
	assert_string_equal(text, "0123456789");
}

static void every_cut_is_survived(void **state)
{
	struct archive a = good();
	size_t whole = a.size;
	char text[4096];

	(void)state;
	for (a.size = 0; a.size < whole; a.size++) {
		find_in(&a, "options", text);
		assert_false(find_in(&a, "missing", text));
	}
}

static void sizes_beyond_the_archive_are_refused(void **state)
{
	static const char *const sizes[] = {
		"ffffffff", "fffffffc", "00001000", "80000000", "zzzzzzzz",
	};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct archive a = good();

		memcpy(a.bytes + FILE_SIZE_AT, sizes[i], 8);
		assert_false(find_in(&a, "vm1/config.toml", text));
		assert_false(find_in(&a, "options", text));
		a = good();
		memcpy(a.bytes + NAME_SIZE_AT, sizes[i], 8);
		assert_false(find_in(&a, "vm1/config.toml", text));
		assert_false(find_in(&a, "options", text));
	}
}

static void a_wrong_magic_ends_the_search(void **state)
{
	struct archive a = good();
	char text[64];

	(void)state;
	a.bytes[5] = '2';
	assert_false(find_in(&a, "vm1/config.toml", text));
}

static void wild_bytes_are_survived(void **state)
{
	char text[4096];
	uint32_t random = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct archive a = good();

		for (int n = 0; n < 3; n++) {
			random = random * 1664525u + 1013904223u;
			a.bytes[(random >> 8) % a.size] = (char)random;
		}
		find_in(&a, "options", text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_found_by_their_whole_path),
		cmocka_unit_test(other_names_are_not_found),
		cmocka_unit_test(capital_digits_are_digits),
		cmocka_unit_test(every_cut_is_survived),
		cmocka_unit_test(sizes_beyond_the_archive_are_refused),
		cmocka_unit_test(a_wrong_magic_ends_the_search),
		cmocka_unit_test(wild_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
