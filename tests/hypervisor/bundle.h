/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The bundle: a cpio archive (format "newc") with the files of all VMs, handed
 * to this kernel where a boot loader hands Linux its initial RAM disk.
 */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob {
	const void *data;
	size_t size;
};

/* A file of the archive by its path, e.g. "vm1/kernel". */
bool bundle_find(struct blob archive, const char *path, struct blob *file);

#endif
