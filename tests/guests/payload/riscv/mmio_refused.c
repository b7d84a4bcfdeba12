/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Accesses a device does not take: floating point, atomics, unaligned ones.
 * The guest gets the access fault, with the address, and no register changes.
 */
#include "insn.h"
#include "mmio.h"

bool refused(const struct place *p, uint32_t insn, uint32_t base, uint64_t at,
	     uint64_t cause)
{
	struct frame f;
	const struct frame *after;
	bool ok;

	frame_fill(&f);
	f.x[base] = at;
	after = exec_here(p, insn, &f);
	ok = after->cause == cause && after->tval == at && after->epc == f.epc;
	for (uint32_t i = 1; i < 32; i++)
		ok = ok && after->x[i] == f.x[i];
	if (!ok)
		note("0x%x at 0x%lx: cause %lu expected %lu tval 0x%lx", insn,
		     at, after->cause, cause, after->tval);
	return ok;
}

void float_forms(const struct place *p)
{
	static const struct {
		const char *name;
		uint32_t insn;
		uint32_t base;
		uint32_t cause;
	} forms[] = {
		{"flw", OP_LOAD_FP | 2 << 12 | 8 << 15, 8, 5},
		{"fld", OP_LOAD_FP | 3 << 12 | 8 << 15, 8, 5},
		{"fsw", OP_STORE_FP | 2 << 12 | 8 << 15, 8, 7},
		{"fsd", OP_STORE_FP | 3 << 12 | 8 << 15, 8, 7},
		{"c.fld", 1 << 13, 8, 5},
		{"c.fsd", 5 << 13, 8, 7},
		{"c.fldsp", 2 | 1 << 13, 2, 5},
		{"c.fsdsp", 2 | 5 << 13, 2, 7},
	};

	for (uint32_t i = 0; i < 8; i++)
		check(refused(p, forms[i].insn, forms[i].base, p->word & ~7ull,
			      forms[i].cause) &&
			      refused(p, forms[i].insn, forms[i].base, p->hole,
				      forms[i].cause),
		      "%s: %s on a device is an access fault", p->name,
		      forms[i].name);
}

void atomic_forms(const struct place *p)
{
	static const uint8_t functs[] = {1,    0,    4,	   0xc, 8,
					 0x10, 0x14, 0x18, 0x1c};
	bool word = true, twice = true;
	struct frame f;
	const struct frame *after;

	for (uint32_t i = 0; i < sizeof(functs); i++) {
		word = word && refused(p, insn_amo(functs[i], 2, 9, 8, 10), 8,
				       p->word, CAUSE_STORE_ACCESS);
		twice = twice && refused(p, insn_amo(functs[i], 3, 9, 8, 10), 8,
					 p->hole, CAUSE_STORE_ACCESS);
	}
	check(word, "%s: amo*.w on a device is an access fault", p->name);
	check(twice, "%s: amo*.d on a hole is an access fault", p->name);
	check(refused(p, insn_amo(2, 2, 9, 8, 0), 8, p->word,
		      CAUSE_LOAD_ACCESS) &&
		      refused(p, insn_amo(2, 3, 9, 8, 0), 8, p->hole,
			      CAUSE_LOAD_ACCESS),
	      "%s: lr on a device is an access fault", p->name);
	/* Without a reservation sc may fail before it looks at memory. */
	frame_fill(&f);
	f.x[8] = p->word;
	after = exec_here(p, insn_amo(3, 2, 9, 8, 10), &f);
	check((after->cause == CAUSE_STORE_ACCESS && after->tval == p->word) ||
		      (after->cause == CAUSE_BREAKPOINT && after->x[9] == 1),
	      "%s: sc on a device fails or is an access fault", p->name);
}

void unaligned(const struct place *p)
{
	static const uint8_t offsets[] = {1, 2, 3, 5, 6, 7};
	bool ok = true;
	uint64_t base = p->word & ~0xfffull;

	for (uint32_t i = 0; i < sizeof(offsets); i++) {
		uint64_t at = (p->word & ~7ull) + offsets[i];

		for (uint32_t n = 0; n < 7; n++) {
			if (at % load_forms[n].bytes != 0)
				ok = ok &&
				     refused(p,
					     insn_i(OP_LOAD, load_forms[n].f3,
						    9, 8, 0),
					     8, at, CAUSE_LOAD_ACCESS);
		}
		for (uint32_t n = 0; n < 4; n++) {
			if (at % store_forms[n].bytes != 0)
				ok = ok &&
				     refused(p,
					     insn_s(OP_STORE, store_forms[n].f3,
						    8, 9, 0),
					     8, at, CAUSE_STORE_ACCESS);
		}
	}
	check(ok, "%s: an unaligned access to a device is an access fault",
	      p->name);
	check(refused(p, insn_i(OP_LOAD, 2, 9, 8, 0), 8, base + 0xffe,
		      CAUSE_LOAD_ACCESS) &&
		      refused(p, insn_s(OP_STORE, 3, 8, 9, 0), 8, base + 0xffc,
			      CAUSE_STORE_ACCESS),
	      "%s: an access across two device pages is one too", p->name);
}

/* A width the device does not have: a fault or a made-up value, no more. */
void wrong_width(const struct place *p)
{
	bool ok = true;
	struct frame f;

	write8(BYTE_AT, 0x42);
	for (uint32_t n = 0; n < 7; n++) {
		uint32_t insn = insn_i(OP_LOAD, load_forms[n].f3, 9, 8, 0);
		const struct frame *after;

		frame_fill(&f);
		f.x[8] = n < 4 ? p->byte & ~7ull : p->word & ~7ull;
		after = exec_here(p, insn, &f);
		ok = ok && (retired(after, &f, insn) ||
			    (after->cause == CAUSE_LOAD_ACCESS &&
			     after->tval == f.x[8]));
	}
	check(ok, "%s: loads of an unusual width", p->name);
	check_eq(read8(BYTE_AT), 0x42, "%s: leave the registers alone",
		 p->name);
}
