/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Reads newc archives (cpio(5), "New ASCII Format"): per file a header of text,
 * the name and the data, each padded to four bytes. Bounded by the archive's
 * size, whatever it says.
 */
#include "bundle.h"

#define HEADER 110u
#define FILE_SIZE_AT 54u /* eight hexadecimal digits */
#define NAME_SIZE_AT 94u

static size_t number(const char *digits)
{
	size_t sum = 0;

	for (int i = 0; i < 8; i++) {
		unsigned c = (unsigned char)digits[i];

		/* What is no digit gives a wrong size, never a wild one. */
		sum = sum << 4 | ((c & 0xf) + (c > '9' ? 9 : 0));
	}
	return sum & UINT32_MAX;
}

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

static bool starts_with(const char *text, const char *start)
{
	while (*start != '\0' && *text == *start) {
		text++;
		start++;
	}
	return *start == '\0';
}

bool bundle_find(struct blob archive, const char *path, struct blob *file)
{
	const char *at = archive.data;
	size_t left = archive.size;
	size_t wanted = 1; /* with the NUL */

	while (path[wanted - 1] != '\0')
		wanted++;
	while (left > HEADER && starts_with(at, "070701")) {
		size_t name_size = number(at + NAME_SIZE_AT);
		size_t size = number(at + FILE_SIZE_AT);
		size_t data = padded(HEADER + name_size);

		if (data > left || size > left - data)
			return false;
		if (name_size == wanted && starts_with(at + HEADER, path)) {
			*file = (struct blob){at + data, size};
			return true;
		}
		size = padded(size);
		if (size > left - data)
			return false;
		at += data + size;
		left -= data + size;
	}
	return false;
}
