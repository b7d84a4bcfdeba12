/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Shared by the two files of the mmio suite: the forms that work (mmio.c) and
 * those a device refuses (mmio_refused.c).
 */
#ifndef MMIO_H
#define MMIO_H

#include "payload.h"

#define BYTE_AT UART(UART_SCR)
#define WORD_AT PLIC_ENABLE(machine.plic_context[0], 1)

/* Where code runs and where it is stored; they differ under paging. */
struct place {
	const char *name;
	uint8_t *store;
	uint64_t pc;
	uint64_t byte, word, hole; /* addresses of the targets */
	bool user;
};

struct form {
	const char *name;
	uint32_t f3;
	uint64_t mask; /* of the bits that reach the register */
	bool sign;
	uint8_t bytes;
};

#define LOAD_FORMS 7u
#define STORE_FORMS 4u
extern const struct form load_forms[LOAD_FORMS];
extern const struct form store_forms[STORE_FORMS];

static inline const struct frame *exec_here(const struct place *p,
					    uint32_t insn, struct frame *f)
{
	return exec_at(p->store, p->pc, insn, f, p->user);
}

/* True when it gives `cause` with the address and changes no register. */
bool refused(const struct place *p, uint32_t insn, uint32_t base, uint64_t at,
	     uint64_t cause);
void float_forms(const struct place *p);
void atomic_forms(const struct place *p);
void unaligned(const struct place *p);
void wrong_width(const struct place *p);

#endif
