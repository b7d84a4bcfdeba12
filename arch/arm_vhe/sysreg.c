/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * System registers and system instructions of guests that trap: ID registers,
 * the physical timer, SGIs; debug.c has the debug registers. What is neither
 * here nor a device on the SYSREG bus does not exist. On the vCPU's own thread.
 */
#include "exit.h"
#include "sysreg.h"

/* "ICC_SRE_EL1": SRE, DFB, DIB: no other interface than this. */
#define SRE_ONLY UINT64_C(0x7)

/* MSR ICC_SGI1R_EL1, apart from the register. */
#define ISS_SEND_SGI                                               \
	(FIELD_PUT(SYS_ISS_OP0, 3) | FIELD_PUT(SYS_ISS_OP1, 0) |   \
	 FIELD_PUT(SYS_ISS_CRN, 12) | FIELD_PUT(SYS_ISS_CRM, 11) | \
	 FIELD_PUT(SYS_ISS_OP2, 5))

enum rule_kind {
	RULE_NONE = 0,
	RULE_VALUE, /* reads as `value`, ignores writes */
	RULE_IGNORE, /* a write-only register or instruction: ignored */
	RULE_TIMER,
	RULE_COUNTER, /* as TIMER, read-only */
	RULE_SGI, /* write-only; `value`: the group */
	RULE_DIR,
	RULE_DEBUG,
};

struct rule {
	uint16_t number;
	uint8_t kind;
	uint8_t value;
};

/* The likely ones come first. Of EL0 only what EL1 can allow it. */
static const struct rule rules[] = {
	/* ICC_SGI1R_EL1 */
	{SYSREG(3, 0, 12, 11, 5), RULE_SGI, 1},
	/* CNTPCT_EL0, CNTP_TVAL_EL0, CNTP_CTL_EL0, CNTP_CVAL_EL0 */
	{SYSREG(3, 3, 14, 0, 1), RULE_COUNTER, 0},
	{SYSREG(3, 3, 14, 2, 0), RULE_TIMER, 0},
	{SYSREG(3, 3, 14, 2, 1), RULE_TIMER, 0},
	{SYSREG(3, 3, 14, 2, 2), RULE_TIMER, 0},
	/* ICC_DIR_EL1, ICC_ASGI1R_EL1, ICC_SGI0R_EL1, ICC_SRE_EL1 */
	{SYSREG(3, 0, 12, 11, 1), RULE_DIR, 0},
	{SYSREG(3, 0, 12, 11, 6), RULE_SGI, 0},
	{SYSREG(3, 0, 12, 11, 7), RULE_SGI, 0},
	{SYSREG(3, 0, 12, 12, 5), RULE_VALUE, SRE_ONLY},
	/* DC ISW, CSW, CISW. "Data cache maintenance by set/way" reaches one
	 * CPU's caches and not the vCPU's: nothing is what it can promise. */
	{SYSREG(1, 0, 7, 6, 2), RULE_IGNORE, 0},
	{SYSREG(1, 0, 7, 10, 2), RULE_IGNORE, 0},
	{SYSREG(1, 0, 7, 14, 2), RULE_IGNORE, 0},
	/* ACTLR_EL1 */
	{SYSREG(3, 0, 1, 0, 1), RULE_VALUE, 0},
};

/* The space that HCR_EL2.TID3 traps; what is not allocated reads as zero. */
static bool is_id(uint32_t number)
{
	return number - SYSREG(3, 0, 0, 1, 0) <
	       SYSREG(3, 0, 0, 8, 0) - SYSREG(3, 0, 0, 1, 0);
}

static struct rule find_rule(const struct arm_vcpu *v, uint32_t number)
{
	struct rule rule = {(uint16_t)number, RULE_NONE, 0};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (rules[i].number == number)
			return rules[i];
	}
	if (axvmi_arm_debug_has(v, number))
		rule.kind = RULE_DEBUG;
	return rule;
}

/* ---- accesses ---- */

static void set_register(struct arm_vcpu *v, uint64_t rt, uint64_t value)
{
	if (rt < 31)
		v->frame.x[rt] = value;
}

/* False: there is no such register to read. */
static bool read_rule(struct arm_vcpu *v, const struct rule *rule,
		      uint64_t *value)
{
	switch (rule->kind) {
	case RULE_VALUE:
		*value = rule->value;
		return true;
	case RULE_TIMER:
	case RULE_COUNTER:
		*value = axvmi_arm_cntp_read(v, rule->number);
		return true;
	case RULE_DEBUG:
		return axvmi_arm_debug_read(v, rule->number, value);
	default:
		return false;
	}
}

static bool write_rule(struct arm_vcpu *v, const struct rule *rule,
		       uint64_t value)
{
	bool has_gic = arm_vm(v->core.vm)->vgic != NULL;

	switch (rule->kind) {
	case RULE_VALUE:
	case RULE_IGNORE:
		return true;
	case RULE_TIMER:
		axvmi_arm_cntp_write(v, rule->number, value);
		return true;
	case RULE_SGI:
		if (has_gic)
			axvmi_arm_send_sgi(v, value, rule->value);
		return has_gic;
	case RULE_DIR:
		if (has_gic)
			axvmi_arm_write_dir(v, value);
		return has_gic;
	case RULE_DEBUG:
		return axvmi_arm_debug_write(v, rule->number, value);
	default:
		return false;
	}
}

/* What the host must know of an exit of ours, and we at its end. */
static int exit_sysreg(struct arm_vcpu *v, uint32_t iss, uint64_t value)
{
	struct axvm_exit *exit = v->core.exit;

	v->mmio.esr = esr_make(EC_SYSREG, iss);
	exit->pc = v->frame.pc;
	exit->valid |= AXVM_EXIT_RAW_VALID;
	exit->raw[0] = v->mmio.esr;
	exit->raw[1] = 0;
	exit->raw[2] = 0;
	exit->raw[3] = 0;
	exit->u.sysreg.number = sysreg_of_iss(iss);
	exit->u.sysreg.write = (iss & SYS_ISS_READ) == 0;
	exit->u.sysreg.value = value;
	return AXVM_EXIT_SYSREG;
}

/* Registers that the host has added as devices. */
static int bus(struct arm_vcpu *v, uint32_t iss, uint64_t value)
{
	uint32_t number = sysreg_of_iss(iss);
	bool write = (iss & SYS_ISS_READ) == 0;
	const struct axvmi_space *space =
		axvmi_bus_find(&v->core.vm->bus[AXVM_BUS_SYSREG], number);
	enum axvmi_dispatch result = AXVMI_DISPATCH_FAULT;

	if (space != NULL)
		result = axvmi_device_access(&v->core, space, number, 8, write,
					     &value);
	if (result == AXVMI_DISPATCH_EXIT)
		return exit_sysreg(v, iss, value);
	if (result == AXVMI_DISPATCH_FAULT) {
		axvmi_arm_undefined(v);
		return 0;
	}
	if (!write)
		set_register(v, FIELD_GET(SYS_ISS_RT, iss), value);
	arm_skip64(v);
	return 0;
}

/* ICC_SGI1R_EL1 at EL1, the most frequent one. */
static __attribute__((noinline)) int send_sgi(struct arm_vcpu *v, uint32_t iss)
{
	axvmi_arm_send_sgi(
		v, arm_read_x(v, (unsigned)FIELD_GET(SYS_ISS_RT, iss)), 1);
	arm_skip64(v);
	return 0;
}

static __attribute__((noinline)) int by_rule(struct arm_vcpu *v, uint32_t iss)
{
	struct rule rule = find_rule(v, sysreg_of_iss(iss));
	uint64_t rt = FIELD_GET(SYS_ISS_RT, iss);
	uint64_t value = 0;
	bool done;

	/* Whatever op1 says is EL1's: no trap was due at EL0. */
	if (arm_is_el0(v) && SYSREG_OP1(rule.number) != 3) {
		axvmi_arm_undefined(v);
		return 0;
	}
	if ((iss & SYS_ISS_READ) == 0)
		value = rt < 31 ? v->frame.x[rt] : 0;
	if (rule.kind == RULE_NONE)
		return bus(v, iss, value);
	if ((iss & SYS_ISS_READ) == 0) {
		done = write_rule(v, &rule, value);
	} else {
		done = read_rule(v, &rule, &value);
		if (done)
			set_register(v, rt, value);
	}
	if (done)
		arm_skip64(v);
	else
		axvmi_arm_undefined(v);
	return 0;
}

static __attribute__((noinline)) int other(struct arm_vcpu *v, uint32_t iss)
{
	if ((iss & ~SYS_ISS_RT) == ISS_SEND_SGI && !arm_is_el0(v) &&
	    arm_vm(v->core.vm)->vgic != NULL)
		return send_sgi(v, iss);
	return by_rule(v, iss);
}

int axvmi_arm_sysreg(struct arm_vcpu *v, uint32_t iss)
{
	uint32_t number = sysreg_of_iss(iss);

	axvmi_count(&v->core, AXVM_STAT_SYSREG);
	if (!is_id(number) || (iss & SYS_ISS_READ) == 0 || arm_is_el0(v))
		return other(v, iss);
	set_register(
		v, FIELD_GET(SYS_ISS_RT, iss),
		arm_vm(v->core.vm)->id[SYSREG_CRM(number)][SYSREG_OP2(number)]);
	arm_skip64(v);
	return 0;
}

void axvmi_arm_sysreg_complete(struct arm_vcpu *v,
			       enum axvm_complete_action action, uint64_t value)
{
	uint64_t iss = v->mmio.esr & ESR_ISS;

	if (action == AXVM_COMPLETE_FAULT)
		axvmi_arm_undefined(v);
	if (action != AXVM_COMPLETE_DONE)
		return;
	if ((iss & SYS_ISS_READ) != 0)
		set_register(v, FIELD_GET(SYS_ISS_RT, iss), value);
	arm_skip64(v);
}
