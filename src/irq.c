/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Interrupt inputs: atomic words that anybody writes and that the controller
 * model, under the irqchip lock, takes in. Callers hold no lock and may be
 * interrupt handlers, also of a call here on the same CPU.
 *
 * Why no change is lost. All accesses are sequentially consistent. A writer
 *   W1 changes the input (asserted, edge), W2 sets its bit in changed[n],
 *   W3 sets bit n of changed_words, W4 asks line_targets, W5 notifies;
 * a taker - one at a time, the lock - does
 *   T1 exchange changed_words with 0, T2 exchange changed[n] with 0,
 *   T3 take the edges of these bits, read the levels.
 * W3 and T1 are read-modify-writes of one word, so one is first. If T1 is, bit
 * n is set when it is over, and W5 brings a later taker, which starts at this
 * case again. If W3 is, T1 found bit n, or an earlier taker had; that taker's
 * T2 comes after its T1. If W2 precedes that T2, T2 or another one before it
 * took the bit, and T3 behind it reads what W1 wrote or newer. W2 precedes W3
 * precedes T1 precedes T2, so it does. A bit taken before its W3 leaves an
 * empty word for the next taker: harmless. A level that changes after T3 has
 * its own W2 to W5.
 * Routing: the model writes its routing words, then takes. Either W4 sees the
 * new routing, or that take comes after W3 and sees the change.
 */
#include "internal.h"

#define WORD_BITS 32u
#define WORDS (AXVMI_MAX_LINES / WORD_BITS)
_Static_assert(WORDS <= 32, "changed_words has a bit for every word");

static inline uint32_t bit_of(uint32_t line)
{
	return UINT32_C(1) << line % WORD_BITS;
}

bool axvmi_line_exists(const struct axvm_vm *vm, uint32_t line)
{
	/* Below the first line the difference wraps and is too large. */
	return line != 0 && line < AXVMI_MAX_LINES &&
	       line - vm->ops->line_first < vm->ops->line_count;
}

static bool vcpu_line_exists(const struct axvm_vm *vm, uint32_t line)
{
	return line < WORD_BITS && (vm->ops->vcpu_lines & BIT64(line)) != 0;
}

static int check_line(const struct axvm_vm *vm, uint32_t line)
{
	if (!axvmi_line_exists(vm, line))
		return AXVM_ENOENT;
	return load_seq(&vm->state) == AXVM_VM_LOADING ? AXVM_ESTATE : AXVM_OK;
}

/* W2 to W5. */
static void announce(struct axvm_vm *vm, uint32_t line)
{
	struct axvmi_lines *lines = &vm->lines;
	uint32_t count = load_acquire(&vm->vcpus_ready);
	uint32_t word = line / WORD_BITS;
	uint64_t targets;

	atomic_fetch_or(&lines->changed[word], bit_of(line));
	atomic_fetch_or(&lines->changed_words, UINT32_C(1) << word);
	targets = vm->ops->line_targets(vm, line);
	while (targets != 0) {
		uint32_t i = lowest_bit64(targets);

		AXVMI_ASSERT(i < count);
		axvmi_notify(vm->vcpus[i], AXVMI_ATTN_LINES);
		targets &= targets - 1;
	}
}

/*
 * A line is high while more sources hold it than have let go. Whoever makes it
 * so, or ends it, announces, so that every change of the level has its
 * announcement.
 */
static void hold(struct axvm_vm *vm, uint32_t line)
{
	if (atomic_fetch_add(&vm->lines.asserted[line], 1) == 0)
		announce(vm, line);
}

static void let_go(struct axvm_vm *vm, uint32_t line)
{
	if (atomic_fetch_sub(&vm->lines.asserted[line], 1) == 1)
		announce(vm, line);
}

/*
 * A source remembers in a flag whether it holds its line. The flag goes first:
 * who lowers the line because of what raising it has caused, on another CPU
 * before the raising call has returned, must find the flag. Two calls that race
 * for one source may so let go before they hold: the count is a signed one, and
 * right when both are over.
 */
int axvm_irq_set(struct axvm_vm *vm, uint32_t line, bool level)
{
	atomic_u32 *flags;
	uint32_t bit = bit_of(line);
	int err;

	if (vm == NULL)
		return AXVM_EINVAL;
	err = check_line(vm, line);
	if (err != AXVM_OK)
		return err;
	flags = &vm->lines.host_level[line / WORD_BITS];
	if (((load_seq(flags) & bit) != 0) == level)
		return AXVM_OK;
	if (level) {
		if ((atomic_fetch_or(flags, bit) & bit) == 0)
			hold(vm, line);
	} else if ((atomic_fetch_and(flags, ~bit) & bit) != 0) {
		let_go(vm, line);
	}
	return AXVM_OK;
}

int axvm_irq_source_set(struct axvm_irq_source *source, bool level)
{
	int err;

	if (source == NULL || source->vm == NULL)
		return AXVM_EINVAL;
	err = check_line(source->vm, source->line);
	if (err != AXVM_OK)
		return err;
	if ((word_load(&source->level) != 0) == level)
		return AXVM_OK;
	if (level) {
		if (word_exchange(&source->level, 1) == 0)
			hold(source->vm, source->line);
	} else if (word_exchange(&source->level, 0) != 0) {
		let_go(source->vm, source->line);
	}
	return AXVM_OK;
}

/* ---- inputs of one vCPU ---- */

/* EINVAL, ENOENT and ESTATE of everything that names a vCPU. */
static int check_vcpu(const struct axvm_vm *vm, uint32_t vcpu, bool line_exists)
{
	if (!line_exists || vcpu >= vm->vcpu_count)
		return AXVM_ENOENT;
	return load_seq(&vm->state) == AXVM_VM_LOADING ? AXVM_ESTATE : AXVM_OK;
}

int axvm_vcpu_irq_set(struct axvm_vm *vm, uint32_t vcpu, uint32_t line,
		      bool level)
{
	uint32_t bit = bit_of(line);
	uint32_t before;
	atomic_u32 *levels;
	int err;

	if (vm == NULL)
		return AXVM_EINVAL;
	err = check_vcpu(vm, vcpu, vcpu_line_exists(vm, line));
	if (err != AXVM_OK)
		return err;
	levels = &vm->vcpus[vcpu]->line_levels;
	before = level ? atomic_fetch_or(levels, bit)
		       : atomic_fetch_and(levels, ~bit);
	if (((before & bit) != 0) != level)
		axvmi_notify(vm->vcpus[vcpu], AXVMI_ATTN_LINES);
	return AXVM_OK;
}

int axvm_inject(struct axvm_vm *vm, uint32_t vcpu, uint32_t line)
{
	bool own = line >= AXVM_PRIVATE_LINE;
	int err;

	if (vm == NULL)
		return AXVM_EINVAL;
	if (own)
		line -= AXVM_PRIVATE_LINE;
	err = check_vcpu(vm, vcpu,
			 own ? vcpu_line_exists(vm, line)
			     : axvmi_line_exists(vm, line));
	if (err != AXVM_OK)
		return err;
	if (own) {
		atomic_fetch_or(&vm->vcpus[vcpu]->line_edges, bit_of(line));
		axvmi_notify(vm->vcpus[vcpu], AXVMI_ATTN_LINES);
	} else {
		atomic_fetch_or(&vm->lines.edge[line / WORD_BITS],
				bit_of(line));
		announce(vm, line);
	}
	return AXVM_OK;
}

/* ---- for the controller model ---- */

static void take_word(struct axvm_vm *vm, uint32_t word,
		      void (*update)(struct axvm_vm *vm, uint32_t line,
				     bool level, bool edge))
{
	struct axvmi_lines *lines = &vm->lines;
	uint32_t bits = atomic_exchange(&lines->changed[word], 0);
	/* Edges of other lines wait for their own changed bit. */
	uint32_t edges = atomic_fetch_and(&lines->edge[word], ~bits);

	while (bits != 0) {
		uint32_t line = word * WORD_BITS + lowest_bit64(bits);

		update(vm, line, axvmi_line_level(vm, line),
		       (edges & bit_of(line)) != 0);
		bits &= bits - 1;
	}
}

void axvmi_lines_take(struct axvm_vm *vm,
		      void (*update)(struct axvm_vm *vm, uint32_t line,
				     bool level, bool edge))
{
	uint32_t words;

	/* Most entries find nothing: look before writing to a shared line. */
	if (load_seq(&vm->lines.changed_words) == 0)
		return;
	words = atomic_exchange(&vm->lines.changed_words, 0);
	while (words != 0) {
		take_word(vm, lowest_bit64(words), update);
		words &= words - 1;
	}
}

/*
 * No vCPU runs. Levels belong to sources outside the guest, some of which lower
 * them only when the guest has served them: they stay, and every vCPU takes
 * them in at its first entry. Edges are events of the past.
 */
void axvmi_lines_reset(struct axvm_vm *vm)
{
	struct axvmi_lines *lines = &vm->lines;
	uint32_t count = load_acquire(&vm->vcpus_ready);

	for (uint32_t word = 0; word < WORDS; word++)
		atomic_store(&lines->edge[word], 0);
	for (uint32_t line = 0; line < AXVMI_MAX_LINES; line++) {
		if (!axvmi_line_level(vm, line))
			continue;
		atomic_fetch_or(&lines->changed[line / WORD_BITS],
				bit_of(line));
		atomic_fetch_or(&lines->changed_words,
				UINT32_C(1) << line / WORD_BITS);
	}
	for (uint32_t i = 0; i < count; i++)
		atomic_fetch_or(&vm->vcpus[i]->attention, AXVMI_ATTN_LINES);
}
