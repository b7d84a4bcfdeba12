/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Basic types of the public interface: address types that cannot be mixed up,
 * the attributes the headers use, and the opaque objects.
 */
#ifndef AXVM_TYPES_H
#define AXVM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define AXVM_MUST_USE __attribute__((warn_unused_result))
#else
#define AXVM_MUST_USE
#endif

/* Guest-physical address, in bytes. */
struct axvm_gpa {
	uint64_t value;
};

/* Host-physical address, in bytes. */
struct axvm_hpa {
	uint64_t value;
};

static inline struct axvm_gpa axvm_to_gpa(uint64_t value)
{
	struct axvm_gpa gpa;

	gpa.value = value;
	return gpa;
}

static inline struct axvm_hpa axvm_to_hpa(uint64_t value)
{
	struct axvm_hpa hpa;

	hpa.value = value;
	return hpa;
}

/* Access rights of guest memory and of guest accesses; a bit set. */
#define AXVM_READ 0x1u
#define AXVM_WRITE 0x2u
#define AXVM_EXEC 0x4u
#define AXVM_RW (AXVM_READ | AXVM_WRITE)
#define AXVM_RWX (AXVM_READ | AXVM_WRITE | AXVM_EXEC)

/* How guest memory behaves towards caches and ordering. */
enum axvm_mem_type {
	AXVM_MEM_NORMAL = 0, /* write-back cacheable RAM */
	AXVM_MEM_DEVICE = 1, /* strongly ordered, never cached or executed */
};

/* A virtual machine monitor instance of the machine; one owner of all CPUs. */
struct axvm_host;
/* A physical CPU on which the library is enabled. */
struct axvm_cpu;
/* A virtual machine. Its vCPUs are named by (vm, index). */
struct axvm_vm;
/* A backend; see arch.h. */
struct axvm_arch_ops;

#endif
