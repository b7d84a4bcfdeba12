/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Bit and range arithmetic. No compiler builtin here expands to a libgcc call
 * (__clzdi2, __popcountdi2, ...): the library links with memcpy and its three
 * siblings alone.
 */
#ifndef AXVMI_BITS_H
#define AXVMI_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT64(n) (UINT64_C(1) << (n))
/* Mask of bits hi..lo inclusive, as manuals write fields. */
#define FIELD64(hi, lo) ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))
/* Value of a field: the mask's lowest set bit is the field's unit. */
#define FIELD_GET(mask, word) (((word) & (mask)) / ((mask) & -(mask)))
#define FIELD_PUT(mask, value) (((value) * ((mask) & -(mask))) & (mask))
#define FIELD_SET(mask, word, value) \
	(((word) & ~(mask)) | FIELD_PUT(mask, value))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define PAGE_SHIFT_4K 12u
#define PAGE_SIZE_4K UINT64_C(4096)

static inline bool is_aligned(uint64_t value, uint64_t power_of_two)
{
	return (value & (power_of_two - 1)) == 0;
}

static inline uint64_t align_down(uint64_t value, uint64_t power_of_two)
{
	return value & ~(power_of_two - 1);
}

static inline bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* (start, size) is non-empty and its last byte does not wrap. */
static inline bool range_valid(uint64_t start, uint64_t size)
{
	return size != 0 && size - 1 <= UINT64_MAX - start;
}

/* [addr, addr + len) lies in [start, start + size); no sum is formed. */
static inline bool range_contains(uint64_t start, uint64_t size, uint64_t addr,
				  uint64_t len)
{
	uint64_t off = addr - start;

	return addr >= start && off < size && len <= size - off;
}

/* Both ranges valid. They share at least one byte. */
static inline bool range_overlaps(uint64_t a, uint64_t a_size, uint64_t b,
				  uint64_t b_size)
{
	return a < b ? b - a < a_size : a - b < b_size;
}

/* Index of the lowest set bit; undefined for 0. De Bruijn multiplication. */
static inline unsigned lowest_bit64(uint64_t word)
{
	static const uint8_t position[64] = {
		0,  1,	2,  53, 3,  7,	54, 27, 4,  38, 41, 8,	34, 55, 48, 28,
		62, 5,	39, 46, 44, 42, 22, 9,	24, 35, 59, 56, 49, 18, 29, 11,
		63, 52, 6,  26, 37, 40, 33, 47, 61, 45, 43, 21, 23, 58, 17, 10,
		51, 25, 36, 32, 60, 20, 57, 16, 50, 31, 19, 15, 30, 14, 13, 12,
	};

	return position[((word & -word) * UINT64_C(0x022fdd63cc95386d)) >> 58];
}

/* Index of the highest set bit; undefined for 0. */
static inline unsigned highest_bit64(uint64_t word)
{
	unsigned n = 0;

	for (unsigned step = 32; step != 0; step >>= 1) {
		if (word >> step != 0) {
			word >>= step;
			n += step;
		}
	}
	return n;
}

/*
 * The same value, of which the compiler knows nothing: keeps it from turning
 * branch-free arithmetic into branches, or a branch into a conditional move.
 */
static inline uint64_t opaque64(uint64_t word)
{
	__asm__("" : "+r"(word));
	return word;
}

static inline const void *opaque_ptr(const void *ptr)
{
	__asm__("" : "+r"(ptr));
	return ptr;
}

/* Sign-extend the low `bits` (1..64) bits of word. */
static inline uint64_t sign_extend64(uint64_t word, unsigned bits)
{
	unsigned shift = 64 - bits;

	return (uint64_t)((int64_t)(word << shift) >> shift);
}

#endif
