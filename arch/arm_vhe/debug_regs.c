/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The debug registers of the CPU, which are the guest's while it runs and wants
 * them: MDSCR_EL1, and with MDE breakpoints and watchpoints. At rest nothing here
 * can stop the host, which EL2 debugs itself ("Routing debug exceptions": TGE).
 */
#include "hw.h"
#include "metal.h"

/* DBGBVR, DBGBCR, DBGWVR, DBGWCR are op2 4 to 7. */
#define ALL_OF(X, n) \
	X(n, 4);     \
	X(n, 5);     \
	X(n, 6);     \
	X(n, 7)
#define ALL(X)         \
	ALL_OF(X, 0);  \
	ALL_OF(X, 1);  \
	ALL_OF(X, 2);  \
	ALL_OF(X, 3);  \
	ALL_OF(X, 4);  \
	ALL_OF(X, 5);  \
	ALL_OF(X, 6);  \
	ALL_OF(X, 7);  \
	ALL_OF(X, 8);  \
	ALL_OF(X, 9);  \
	ALL_OF(X, 10); \
	ALL_OF(X, 11); \
	ALL_OF(X, 12); \
	ALL_OF(X, 13); \
	ALL_OF(X, 14); \
	ALL_OF(X, 15)

static uint64_t read_numbered(unsigned which, unsigned n)
{
#define CASE(n, op2)               \
	case ((op2)-4) * 16 + (n): \
		return sys_read(s2_0_c0_c##n##_##op2)
	switch (which * 16 + n) {
		ALL(CASE);
	}
#undef CASE
	return 0;
}

static void write_numbered(unsigned which, unsigned n, uint64_t value)
{
#define CASE(n, op2)                                    \
	case ((op2)-4) * 16 + (n):                      \
		sys_write(s2_0_c0_c##n##_##op2, value); \
		break
	switch (which * 16 + n) {
		ALL(CASE);
	}
#undef CASE
}

/* How many there are of DBGBVR and so on. */
static unsigned count_of(unsigned which)
{
	uint64_t dfr0 = axvmi_arm_read_id(5, 0);

	return 1 + (unsigned)(which < 2 ? FIELD_GET(ID_DFR0_BRPS, dfr0)
					: FIELD_GET(ID_DFR0_WRPS, dfr0));
}

static void write_all(uint64_t (*from)[16])
{
	for (unsigned which = 0; which < 4; which++) {
		for (unsigned n = 0; n < count_of(which); n++)
			write_numbered(which, n, from[which][n]);
	}
}

static void save_host(struct arm_cpu *cpu)
{
	if (cpu->host_numbered_saved)
		return;
	for (unsigned which = 0; which < 4; which++) {
		for (unsigned n = 0; n < count_of(which); n++)
			cpu->host_numbered[which][n] = read_numbered(which, n);
	}
	cpu->host_numbered_saved = 1;
}

/* "OS Lock": it is locked from reset on until somebody opens it, and holds the
 * debug exceptions of all Exception levels back. */
static void open_lock(struct arm_cpu *cpu)
{
	if ((sys_read(SYS_OSLSR_EL1) & OSLSR_OSLK) == 0)
		return;
	sys_write(SYS_OSLAR_EL1, 0);
	cpu->host_os_lock = 1;
}

/* The entry synchronizes. */
void axvmi_arm_debug_enter(struct arm_vcpu *v)
{
	uint64_t mdscr = axvmi_arm_debug_mdscr(v);

	v->debug.on = (mdscr & (MDSCR_SS | MDSCR_MDE)) != 0;
	if (v->debug.on)
		open_lock(arm_cpu(v->core.cpu));
	if ((mdscr & MDSCR_MDE) != 0) {
		save_host(arm_cpu(v->core.cpu));
		write_all(v->debug.numbered);
	}
	sys_write(SYS_MDSCR_EL1, mdscr);
}

void axvmi_arm_debug_leave(struct arm_vcpu *v)
{
	sys_write(SYS_MDSCR_EL1, axvmi_arm_debug_mdscr(v) & MDSCR_TDCC);
	v->effects |= ARM_EFFECT_DEBUG;
}

void axvmi_arm_debug_put(struct arm_cpu *cpu)
{
	if (cpu->host_os_lock)
		sys_write(SYS_OSLAR_EL1, 1);
	cpu->host_os_lock = 0;
	if (!cpu->host_numbered_saved)
		return;
	write_all(cpu->host_numbered);
	cpu->host_numbered_saved = 0;
}
