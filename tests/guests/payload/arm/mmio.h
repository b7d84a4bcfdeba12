/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Shared by the two files of the mmio suite: integer registers (mmio.c), pairs,
 * SIMD&FP registers and what a device refuses (mmio_forms.c). */
#ifndef MMIO_H
#define MMIO_H

#include "insn.h"
#include "payload.h"

/* Two SPIs that nothing raises: priorities are bytes and words, routes are
 * double words; the 16-bit register is the UART's. */
#define SPI 40u
#define REAL_BYTE GICD(GICD_IPRIORITYR + SPI)
#define REAL_HALF UART(UART_IBRD)
#define REAL_WIDE GICD(GICD_IROUTER + 8ull * SPI)

/* Where code runs and where it is stored, and the targets as it sees them. */
struct place {
	const char *name;
	uint8_t *store;
	uint64_t pc;
	uint64_t byte, half, wide, hole;
	bool user;
	bool near; /* `byte` and `wide` are within a literal's reach */
};

/* How an instruction makes its address. */
enum mode {
	MODE_UNSIGNED,
	MODE_UNSCALED,
	MODE_POST,
	MODE_UNPRIVILEGED,
	MODE_PRE,
	MODE_UXTW,
	MODE_LSL,
	MODE_SXTW,
	MODE_SXTX,
	MODES
};

extern const char *const mode_names[MODES];

/* One access: the instruction and the registers it takes. */
struct access {
	uint32_t insn;
	uint32_t rn; /* 31: SP */
	uint64_t base, base_after;
	uint32_t rm; /* 32: none */
	uint64_t index;
};

/* A single-register form on `at`; `round` varies registers and offsets. */
struct access make_single(enum mode mode, uint32_t size, uint32_t v,
			  uint32_t opc, uint32_t rt, uint64_t at,
			  uint32_t round);
/* Fills the frame, runs the access. */
const struct frame *perform(const struct place *p, const struct access *a,
			    struct frame *f);
/* Retired, and nothing differs but `changed` and the base as it must. */
bool clean_end(const struct access *a, const struct frame *after,
	       const struct frame *f, uint32_t changed);
void report(const struct access *a, const struct frame *after);

void pairs(const struct place *p);
void simd(const struct place *p);
void ordered(const struct place *p);
void literals(const struct place *p);
void refused(const struct place *p);
void unaligned(const struct place *p);
void over_a_page(const struct place *p);
void wrong_width(const struct place *p);

#endif
