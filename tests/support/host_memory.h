/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* What host_memory.c gives to host_hal.c. */
#ifndef TEST_HOST_MEMORY_H
#define TEST_HOST_MEMORY_H

#include <stddef.h>

#include "axvm/types.h"

struct test_memory;

struct test_memory *test_memory_new(void);
void test_memory_delete(struct test_memory *m);

/* The mandatory callbacks of struct axvm_hal; ctx is a struct test_hal. */
void *test_memory_alloc(void *ctx, size_t size, size_t align);
void test_memory_free(void *ctx, void *ptr, size_t size);
struct axvm_hpa test_memory_virt_to_phys(void *ctx, const void *ptr);
void *test_memory_phys_to_virt(void *ctx, struct axvm_hpa hpa);

/* Prints and aborts. */
__attribute__((format(printf, 1, 2), noreturn)) void
test_misuse(const char *format, ...);

#endif
