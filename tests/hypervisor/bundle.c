/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Reads newc archives (cpio(5), "New ASCII Format"): per file a header of text,
 * the name and the data, each padded to four bytes. Bounded by the archive's
 * size, whatever it says.
 */
#include "host.h"

#define HEADER 110u
#define FILE_SIZE_AT 54u /* eight hexadecimal digits */
#define NAME_SIZE_AT 94u

static size_t number(const char *digits)
{
	uint32_t sum = 0;

	for (int i = 0; i < 8; i++) {
		unsigned c = (unsigned char)digits[i];

		/* What is no digit gives a wrong size, never a wild one. */
		sum = sum << 4 | (((c & 0xf) + (c > '9' ? 9 : 0)) & 0xf);
	}
	return sum;
}

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

bool bundle_find(struct blob archive, const char *path, struct blob *file)
{
	const char *at = archive.data;
	size_t left = archive.size;
	size_t wanted = 1; /* with the NUL */

	while (path[wanted - 1] != '\0')
		wanted++;
	while (left > HEADER && memcmp(at, "070701", 6) == 0) {
		size_t name_size = number(at + NAME_SIZE_AT);
		size_t size = number(at + FILE_SIZE_AT);
		size_t data = padded(HEADER + name_size);

		if (data > left || size > left - data)
			return false;
		if (name_size == wanted &&
		    memcmp(at + HEADER, path, wanted) == 0) {
			*file = (struct blob){at + data, size};
			return true;
		}
		data += padded(size);
		if (data > left)
			return false;
		at += data;
		left -= data;
	}
	return false;
}
