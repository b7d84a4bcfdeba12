/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The caches of a modelled CPU: TLB, walk cache, guest-stage TLB, instruction
 * cache. Entries go only when the library flushes them; using one is compared
 * with the truth. Under the CPU's lock, so that a broadcast flush waits for the
 * access under way, as DSB would.
 */
#include <stdio.h>

#include "stub_internal.h"

#define PAGE_MASK (PAGE_SIZE_4K - 1)
#define SPAN_SHIFT 21u

struct leaf {
	uint64_t hpa; /* of the page */
	uint64_t table; /* leaf table at level 0, else 0 */
	uint32_t access;
	unsigned level;
};

/*
 * Between the first change of a batch and the end of its shoot-down the memory
 * lock is held, or the host has a batch open; whoever else sees an old
 * translation sees one that the library has promised away. In this order: a
 * batch is closed under the lock, which its shoot-down then keeps.
 */
static bool edit_under_way(struct axvm_vm *vm)
{
	return load_seq(&vm->batch_open) != 0 || load_seq(&vm->mem.held) != 0;
}

static const atomic_u64 *table_at(struct axvm_vm *vm, uint64_t hpa)
{
	return axvmi_phys_to_virt(vm->host, hpa);
}

static bool decode_leaf(const struct axvm_s2_format *f, uint64_t entry,
			uint64_t gpa, struct leaf *leaf)
{
	uint64_t size = PAGE_SIZE_4K << (9 * leaf->level);
	uint64_t base = ((entry & f->addr_mask) << f->addr_shift) & ~(size - 1);
	uint64_t on = entry ^ f->flip;

	if ((entry & f->present_mask) == 0)
		return false;
	leaf->hpa = base | (gpa & (size - 1) & ~PAGE_MASK);
	leaf->access = (uint32_t)(on >> f->rw_shift & 3) |
		       (uint32_t)(on >> f->exec_shift & 1) << 2;
	return true;
}

/* The hardware's walk from the root. */
static bool walk(struct axvm_vm *vm, uint64_t gpa, struct leaf *leaf)
{
	const struct axvm_s2_format *f = &vm->format;
	const atomic_u64 *table = vm->s2.root;
	unsigned level = f->levels - 1;
	unsigned bits = f->root_bits;

	leaf->table = 0;
	if (gpa >> f->gpa_bits != 0)
		return false;
	for (;;) {
		uint64_t index = gpa >> (12 + 9 * level) & (BIT64(bits) - 1);
		uint64_t entry = load_acquire(&table[index]);
		uint64_t next = (entry & f->addr_mask) << f->addr_shift;

		leaf->level = level;
		if (level == 0 || (entry & f->table_mask) != f->table_value)
			return decode_leaf(f, entry, gpa, leaf);
		table = table_at(vm, next);
		level--;
		bits = 9;
		if (level == 0)
			leaf->table = next;
	}
}

/* ---- stage 2 ---- */

static struct stub_entry *slot(struct stub_pcpu *p, uint64_t page)
{
	return &p->s2[(page >> 12 ^ page >> 20 ^ p->tag * 37) % STUB_TLB];
}

static void check_hit(struct stub_vcpu *v, const struct stub_entry *e)
{
	struct axvm_vm *vm = v->core.vm;
	struct leaf now;
	bool mapped;

	if (e->serial != vm->serial) {
		stub_violate(stub_of(vm->host),
			     "tag %llu reused without flush: page %#llx",
			     (unsigned long long)e->tag,
			     (unsigned long long)e->page);
		return;
	}
	STUB_HIDE();
	mapped = walk(vm, e->page, &now);
	if ((!mapped || now.hpa != e->hpa || (e->access & ~now.access) != 0) &&
	    !edit_under_way(vm))
		stub_violate(stub_of(vm->host),
			     "stale translation of %#llx used on CPU %u",
			     (unsigned long long)e->page, stub_here()->index);
	STUB_SHOW();
}

/*
 * Two entries of different size or output for one address in a TLB that wants
 * break-before-make (Arm ARM, "TLB conflict aborts").
 */
static void check_conflict(struct stub_pcpu *p, struct axvm_vm *vm,
			   uint64_t page, const struct leaf *leaf)
{
	uint64_t size = PAGE_SIZE_4K << (9 * leaf->level);
	uint64_t first = page & ~(size - 1);
	uint64_t base = leaf->hpa - (page - first);

	if (!vm->format.break_before_make)
		return;
	for (unsigned i = 0; i < STUB_TLB; i++) {
		const struct stub_entry *e = &p->s2[i];

		if (!e->valid || e->tag != p->tag || e->serial != vm->serial ||
		    e->page - first >= size)
			continue;
		if (e->level != leaf->level || e->hpa != base + e->page - first)
			stub_violate(p->m, "break before make: page %#llx",
				     (unsigned long long)e->page);
	}
}

static void check_walk_cache(struct axvm_vm *vm, const struct stub_walk *w,
			     uint64_t page)
{
	struct leaf now;

	STUB_HIDE();
	(void)walk(vm, page, &now);
	if (now.table != w->table && !edit_under_way(vm))
		stub_violate(stub_of(vm->host), "stale walk cache for %#llx",
			     (unsigned long long)page);
	STUB_SHOW();
}

static bool walk_cached(struct stub_vcpu *v, struct stub_pcpu *p, uint64_t page,
			struct leaf *leaf)
{
	struct axvm_vm *vm = v->core.vm;
	uint64_t span = page >> SPAN_SHIFT;
	struct stub_walk *w = &p->walks[span % STUB_SMALL];
	bool mapped;

	if (w->valid && w->tag == p->tag && w->span == span) {
		const atomic_u64 *table = table_at(vm, w->table);

		check_walk_cache(vm, w, page);
		*leaf = (struct leaf){.table = w->table};
		return decode_leaf(&vm->format,
				   load_acquire(&table[page >> 12 & 511]), page,
				   leaf);
	}
	mapped = walk(vm, page, leaf);
	if (leaf->table != 0)
		*w = (struct stub_walk){true, p->tag, span, leaf->table};
	return mapped;
}

/* True with the page's address; false is a stage-2 fault. */
static bool translate(struct stub_vcpu *v, struct stub_pcpu *p, uint64_t page,
		      uint32_t access, uint64_t *hpa)
{
	struct axvm_vm *vm = v->core.vm;
	struct stub_entry *e = slot(p, page);
	struct leaf leaf;

	if (!e->valid || e->tag != p->tag || e->page != page) {
		if (!walk_cached(v, p, page, &leaf))
			return false;
		check_conflict(p, vm, page, &leaf);
		*e = (struct stub_entry){
			.valid = true,
			.tag = p->tag,
			.page = page,
			.hpa = leaf.hpa,
			.serial = vm->serial,
			.access = leaf.access,
			.level = leaf.level,
		};
	}
	check_hit(v, e);
	*hpa = e->hpa;
	return (e->access & access) == access;
}

/* ---- the access itself ---- */

static void fetch(struct stub_pcpu *p, uint64_t hpa, uint64_t word)
{
	struct stub_line *line = &p->lines[hpa / 8 % STUB_SMALL];

	if (!p->m->config.sync_each_cpu && !p->m->config.sync_broadcast)
		return;
	if (line->valid && line->hpa == hpa && line->word != word)
		stub_violate(p->m, "stale instruction at %#llx on CPU %u",
			     (unsigned long long)hpa, p->index);
	*line = (struct stub_line){true, hpa, word};
}

static void touch(struct stub_vcpu *v, struct stub_pcpu *p, uint64_t hpa,
		  uint32_t access, uint64_t *value)
{
	uint64_t *word = axvmi_phys_to_virt(v->core.vm->host, hpa);

	if (p->m->config.poc_sync && !stub_shadow_same(p->m, word))
		stub_violate(p->m, "not synced: %#llx",
			     (unsigned long long)hpa);
	if ((access & AXVM_WRITE) != 0) {
		__atomic_store_n(word, *value, __ATOMIC_RELAXED);
		if (p->m->config.poc_sync)
			stub_shadow_write(p->m, word);
		return;
	}
	*value = __atomic_load_n(word, __ATOMIC_RELAXED);
	if ((access & AXVM_EXEC) != 0)
		fetch(p, hpa, *value);
}

static bool access_locked(struct stub_vcpu *v, struct stub_pcpu *p,
			  uint64_t gpa, uint32_t access, uint64_t *value)
{
	uint64_t hpa;

	if (load_relaxed(&v->core.where) != p->index + 1)
		stub_violate(p->m, "guest translation while outside");
	if (!translate(v, p, gpa & ~PAGE_MASK, access, &hpa))
		return false;
	touch(v, p, hpa | (gpa & PAGE_MASK & ~UINT64_C(7)), access, value);
	return true;
}

bool stub_access(struct stub_vcpu *v, uint64_t gpa, uint32_t access,
		 uint64_t *value, uint64_t *fault)
{
	struct stub_pcpu *p = stub_here();
	bool done;

	pthread_mutex_lock(&p->lock);
	done = access_locked(v, p, gpa, access, value);
	pthread_mutex_unlock(&p->lock);
	*fault = gpa;
	return done;
}

/* ---- guest stage ---- */

static void check_guest_hit(struct stub_pcpu *p, const struct stub_vcpu *v,
			    const struct stub_guest_entry *e)
{
	if (e->owner != v->serial)
		stub_violate(p->m, "guest-stage entry of another vCPU: %#llx",
			     (unsigned long long)e->gva);
	else if (e->epoch != v->epoch)
		stub_violate(p->m, "guest's flush missed on CPU %u: %#llx",
			     p->index, (unsigned long long)e->gva);
}

bool stub_guest_read(struct stub_vcpu *v, uint64_t gva, uint64_t *value,
		     uint64_t *fault)
{
	struct stub_pcpu *p = stub_here();
	uint64_t page = gva & ~PAGE_MASK;
	struct stub_guest_entry *e = &p->guest[gva >> 12 & (STUB_SMALL - 1)];
	uint64_t entry;
	bool done = true;

	pthread_mutex_lock(&p->lock);
	if (e->valid && e->tag == p->tag && e->asid == v->asid &&
	    e->gva == page) {
		check_guest_hit(p, v, e);
	} else {
		*fault = v->table + 8 * (gva >> 12 & 511);
		done = access_locked(v, p, *fault, AXVM_READ, &entry);
		if (done)
			*e = (struct stub_guest_entry){true,
						       p->tag,
						       v->asid,
						       page,
						       entry & ~PAGE_MASK,
						       v->serial,
						       v->epoch};
	}
	if (done) {
		*fault = e->gpa | (gva & PAGE_MASK);
		done = access_locked(v, p, *fault, AXVM_READ, value);
	}
	pthread_mutex_unlock(&p->lock);
	return done;
}

static void drop_guest(struct stub_pcpu *p, uint64_t tag)
{
	for (unsigned i = 0; i < STUB_SMALL; i++) {
		if (p->guest[i].tag == tag)
			p->guest[i].valid = false;
	}
}

void stub_guest_fence(struct stub_vcpu *v)
{
	struct stub_pcpu *p = stub_here();

	pthread_mutex_lock(&p->lock);
	drop_guest(p, p->tag);
	pthread_mutex_unlock(&p->lock);
	v->epoch++;
}

/* ---- flushes ---- */

static struct stub_pcpu *begin(struct stub_pcpu *p, enum stub_counter counter)
{
	atomic_fetch_add(&p->counters[counter], 1);
	pthread_mutex_lock(&p->lock);
	return p;
}

static void drop(struct stub_pcpu *p, uint64_t tag, uint64_t gpa, uint64_t size)
{
	for (unsigned i = 0; i < STUB_TLB; i++) {
		if (p->s2[i].tag == tag && p->s2[i].page - gpa < size)
			p->s2[i].valid = false;
	}
	for (unsigned i = 0; i < STUB_SMALL; i++) {
		uint64_t start = p->walks[i].span << SPAN_SHIFT;

		if (p->walks[i].valid && p->walks[i].tag == tag &&
		    range_overlaps(start, BIT64(SPAN_SHIFT), gpa, size))
			p->walks[i].valid = false;
	}
}

void stub_tlb_flush_local(struct axvm_vm *vm)
{
	struct stub_pcpu *p = begin(stub_here(), STUB_FLUSH_LOCAL);

	drop(p, load_relaxed(&vm->tag), 0, UINT64_MAX);
	pthread_mutex_unlock(&p->lock);
}

/* Stage 2 only, as HFENCE.GVMA: guest-stage entries may stay. */
void stub_tlb_flush_all(void)
{
	struct stub_pcpu *p = begin(stub_here(), STUB_FLUSH_ALL);

	for (unsigned i = 0; i < STUB_TLB; i++)
		p->s2[i].valid = false;
	for (unsigned i = 0; i < STUB_SMALL; i++)
		p->walks[i].valid = false;
	pthread_mutex_unlock(&p->lock);
}

static void drop_code(struct stub_pcpu *p)
{
	for (unsigned i = 0; i < STUB_SMALL; i++)
		p->lines[i].valid = false;
}

void stub_guest_stage_flush(struct axvm_vm *vm)
{
	struct stub_pcpu *p = begin(stub_here(), STUB_FLUSH_GUEST);

	drop_guest(p, load_relaxed(&vm->tag));
	drop_code(p);
	pthread_mutex_unlock(&p->lock);
}

void stub_sync_code(struct stub_machine *m)
{
	for (unsigned i = 0; i < STUB_CPUS; i++) {
		struct stub_pcpu *p = begin(&m->pcpu[i], STUB_SYNC_CODE);

		drop_code(p);
		pthread_mutex_unlock(&p->lock);
	}
}

void stub_tlb_flush_range(struct axvm_vm *vm, uint64_t gpa, uint64_t size)
{
	struct stub_machine *m = stub_of(vm->host);

	for (unsigned i = 0; i < STUB_CPUS; i++) {
		struct stub_pcpu *p = begin(&m->pcpu[i], STUB_FLUSH_RANGE);

		drop(p, load_relaxed(&vm->tag), gpa, size);
		pthread_mutex_unlock(&p->lock);
	}
}
