/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/* Calls of memory.h. */
#include "api_model.h"

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define BUFFER (3u * 4096u)

/* ---- copies ---- */

struct copy {
	struct model_vm *v;
	uint64_t gpa;
	size_t size;
	uint32_t access;
	uint8_t *buffer;
};

static void make_copy(struct fuzz *f, struct copy *c, uint32_t access)
{
	static uint8_t buffer[BUFFER];
	static const uint16_t sizes[] = {8, 1, 0, 4096, 4097, 100, 9000, 12288};
	uint32_t how;

	c->v = pick_vm(f);
	c->gpa = pick_gpa(f, c->v);
	how = take8(f);
	c->gpa += how >> 5;
	c->size = sizes[how & 7];
	c->access = access;
	c->buffer = buffer;
	memset(buffer, how, sizeof(buffer));
}

/* The page of a copy that stops it, as an offset; c->size: none does. */
static size_t copy_reach(const struct copy *c)
{
	size_t done = 0;

	if (c->size != 0 && c->gpa + (c->size - 1) < c->gpa)
		return 0;
	while (done < c->size) {
		const struct model_region *r =
			model_region(c->v, c->gpa + done);
		const struct model_page *page = model_page(c->v, c->gpa + done);
		size_t room = PAGE - ((c->gpa + done) & (PAGE - 1));

		if (r == NULL ||
		    (page->mapped && (page->access & c->access) == 0))
			return done;
		if (!page->mapped && (r->config.kind != AXVM_REGION_DEMAND ||
				      (r->config.access & c->access) == 0))
			return done;
		done += room;
	}
	return c->size;
}

/* Pages that the copy, or the part of it that was done, has filled. */
static void copy_filled(struct fuzz *f, const struct copy *c, size_t reach)
{
	struct axvm_mapping mapping;

	for (size_t done = 0; done < reach;) {
		uint64_t at = c->gpa + done;
		const struct model_page *page = model_page(c->v, at);

		if (!page->mapped &&
		    axvm_query(c->v->vm, axvm_to_gpa(at), &mapping) == AXVM_OK)
			model_filled(f, c->v, at);
		done += PAGE - (at & (PAGE - 1));
	}
}

/* The frames hold what the buffer holds, for the first `size` bytes. */
static void copy_compare(struct fuzz *f, const struct copy *c, size_t size)
{
	for (size_t done = 0; done < size;) {
		uint64_t at = c->gpa + done;
		const struct model_page *page = model_page(c->v, at);
		size_t n = PAGE - (at & (PAGE - 1));
		const uint8_t *frame;

		if (n > size - done)
			n = size - done;
		require(f, page != NULL && page->mapped);
		frame = test_hal_virt(f->t,
				      axvm_to_hpa(page->hpa & ~(PAGE - 1)));
		require(f, memcmp(frame + (at & (PAGE - 1)), c->buffer + done,
				  n) == 0);
		done += n;
	}
}

static void copied(struct fuzz *f, const struct copy *c, int err, size_t reach,
		   struct ledger l)
{
	uint32_t errors = reach == c->size ? 0 : E(AXVM_EFAULT);

	if (c->v->vm == NULL)
		errors = E(AXVM_EINVAL);
	else if (c->v->state == AXVM_VM_LOADING)
		errors = E(AXVM_ESTATE);
	/* Demand pages before the bad one stay. */
	if (err == AXVM_ENOMEM || err == AXVM_EFAULT) {
		l.live = test_hal_live(f->t);
		l.bytes = test_hal_live_bytes(f->t);
	}
	judge(f, err, errors, &l);
	if (c->v->vm == NULL || c->v->state == AXVM_VM_LOADING)
		return;
	copy_filled(f, c, reach);
	if (err != AXVM_ENOMEM)
		copy_compare(f, c, reach);
}

static void call_read(struct fuzz *f)
{
	struct copy c;
	struct ledger l;
	size_t reach;

	make_copy(f, &c, AXVM_READ);
	reach = c.v->vm == NULL ? 0 : copy_reach(&c);
	l = begin(f, "axvm_read_guest");
	copied(f, &c,
	       axvm_read_guest(c.v->vm, axvm_to_gpa(c.gpa), c.buffer, c.size),
	       reach, l);
}

static void call_write(struct fuzz *f)
{
	struct copy c;
	struct ledger l;
	size_t reach;

	make_copy(f, &c, AXVM_WRITE);
	reach = c.v->vm == NULL ? 0 : copy_reach(&c);
	l = begin(f, "axvm_write_guest");
	copied(f, &c,
	       axvm_write_guest(c.v->vm, axvm_to_gpa(c.gpa), c.buffer, c.size),
	       reach, l);
}

static void call_query(struct fuzz *f)
{
	struct model_vm *v = pick_vm(f);
	uint64_t gpa = pick_gpa(f, v);
	struct axvm_mapping mapping;

	if (v->vm == NULL)
		CALL(f, E(AXVM_EINVAL),
		     axvm_query(NULL, axvm_to_gpa(gpa), &mapping));
	else if (v->state == AXVM_VM_LOADING)
		CALL(f, E(AXVM_ESTATE),
		     axvm_query(v->vm, axvm_to_gpa(gpa), &mapping));
	else
		check_page(f, v, gpa);
}

/* ---- edits ---- */

struct edit {
	struct model_vm *v;
	uint64_t gpa, size;
	uint32_t access;
	uint32_t errors;
	struct model_region *r; /* if there is no error yet */
};

bool waits_for_us(const struct fuzz *f, const struct model_vm *v, bool leave)
{
	if (f->depth == 0 || (f->config.broadcast && !leave))
		return false;
	for (uint32_t i = 0; i < v->vcpu_count; i++) {
		if (v->vcpus[i].state == AXVM_VCPU_RUNNING)
			return true;
	}
	return false;
}

static uint64_t clamped(const struct edit *e)
{
	uint64_t rest = e->r->config.size - (e->gpa - e->r->config.gpa.value);

	return e->size < rest ? e->size : rest;
}

/* False: not now, the guest inside could not leave. */
static bool make_edit(struct fuzz *f, struct edit *e)
{
	uint32_t how;

	e->v = pick_vm(f);
	e->gpa = pick_gpa(f, e->v) & ~(PAGE - 1);
	how = take8(f);
	e->size = (how & 0x40) != 0 ? PAGE : (1 + how % 32) * PAGE;
	e->access = take8(f) & 7;
	e->errors = e->v->vm == NULL ? E(AXVM_EINVAL) : 0;
	e->r = e->v->vm == NULL ? NULL : model_region(e->v, e->gpa);
	/* Mostly inside the region. */
	if (e->r != NULL && (how & 0x20) != 0 && how < 0x80)
		e->size = clamped(e);
	if (how == 0x80)
		e->size = 0;
	if (how == 0x81)
		e->gpa += 8;
	if (how == 0x82)
		e->size = PAGE * 512;
	if (how == 0x83)
		e->size = -e->gpa;
	if (e->size == 0 || e->gpa + (e->size - 1) < e->gpa ||
	    ((e->gpa | e->size) & (PAGE - 1)) != 0)
		e->errors |= E(AXVM_EINVAL);
	if (e->v->vm == NULL)
		return true;
	e->r = model_region(e->v, e->gpa);
	if (e->v->state == AXVM_VM_LOADING || e->v->state == AXVM_VM_STOPPED)
		e->errors |= E(AXVM_ESTATE);
	if (e->r == NULL ||
	    e->size > e->r->config.size - (e->gpa - e->r->config.gpa.value))
		e->errors |= E(AXVM_ERANGE);
	return !waits_for_us(f, e->v, false);
}

static struct model_page *edit_page(const struct edit *e, uint64_t off)
{
	return model_page(e->v, e->gpa + off);
}

static bool all_mapped(const struct edit *e)
{
	for (uint64_t off = 0; off < e->size; off += PAGE) {
		if (!edit_page(e, off)->mapped)
			return false;
	}
	return true;
}

static bool any_mapped(const struct edit *e)
{
	for (uint64_t off = 0; off < e->size; off += PAGE) {
		if (edit_page(e, off)->mapped)
			return true;
	}
	return false;
}

static void call_unmap(struct fuzz *f)
{
	struct edit e;

	if (!make_edit(f, &e))
		return;
	if (e.errors == 0 && e.r->config.kind != AXVM_REGION_DEMAND &&
	    !all_mapped(&e))
		e.errors |= E(AXVM_ENOENT);
	if (!CALL(f, e.errors, axvm_unmap(e.v->vm, axvm_to_gpa(e.gpa), e.size)))
		return;
	e.v->batch_dirty = e.v->batch;
	for (uint64_t off = 0; off < e.size; off += PAGE)
		edit_page(&e, off)->mapped = false;
}

/* The range is one of RAM, whatever else may be wrong. */
static bool is_range(const struct edit *e)
{
	return e->r != NULL &&
	       (e->errors & (E(AXVM_ERANGE) | E(AXVM_EINVAL))) == 0;
}

static uint32_t errors_of_rights(const struct edit *e)
{
	return e->r != NULL && (e->access & ~e->r->config.access) != 0
		       ? E(AXVM_EPERM)
		       : 0;
}

static void call_protect(struct fuzz *f)
{
	struct ledger l;
	struct edit e;
	int err;

	if (!make_edit(f, &e))
		return;
	if (is_range(&e) && !all_mapped(&e))
		e.errors |= E(AXVM_ENOENT);
	e.errors |= errors_of_rights(&e);
	l = begin(f, "axvm_protect");
	err = axvm_protect(e.v->vm, axvm_to_gpa(e.gpa), e.size, e.access);
	/* Not every CPU can do without READ. */
	if ((e.access & AXVM_READ) == 0 && err == AXVM_EINVAL)
		e.errors |= E(AXVM_EINVAL);
	if (!judge(f, err, e.errors, &l))
		return;
	e.v->batch_dirty = e.v->batch;
	for (uint64_t off = 0; off < e.size; off += PAGE)
		edit_page(&e, off)->access = e.access;
}

static uint64_t pick_hpa(struct fuzz *f, uint64_t *size)
{
	uint32_t how = take8(f);
	uint64_t page = how & (BLOCK_PAGES - 1);

	if (*size > (BLOCK_PAGES - page) * PAGE && *size <= 32 * PAGE)
		*size = (BLOCK_PAGES - page) * PAGE;
	return f->blocks[(how >> 4) % BLOCKS].value + page * PAGE +
	       ((how & 0xf0) == 0xf0 ? 8 : 0);
}

static void call_map(struct fuzz *f)
{
	struct edit e;
	uint64_t hpa;

	if (!make_edit(f, &e) || e.size > 32 * PAGE)
		return;
	hpa = pick_hpa(f, &e.size);
	if (e.r != NULL &&
	    e.size <= e.r->config.size - (e.gpa - e.r->config.gpa.value))
		e.errors &= ~E(AXVM_ERANGE);
	if (is_range(&e) && any_mapped(&e))
		e.errors |= E(AXVM_EEXIST);
	e.errors |= errors_of_rights(&e);
	if ((hpa & (PAGE - 1)) != 0 || (e.access & AXVM_READ) == 0)
		e.errors |= E(AXVM_EINVAL);
	if (e.r != NULL && e.r->config.kind == AXVM_REGION_DEMAND)
		e.errors |= E(AXVM_ERANGE);
	if (is_forbidden(f, e.v, hpa, e.size))
		e.errors |= E(AXVM_EPERM);
	if (!CALL(f, e.errors,
		  axvm_map(e.v->vm, axvm_to_gpa(e.gpa), axvm_to_hpa(hpa),
			   e.size, e.access)))
		return;
	for (uint64_t off = 0; off < e.size; off += PAGE) {
		struct model_page *page = edit_page(&e, off);

		page->mapped = true;
		page->foreign = true;
		page->access = e.access;
		page->hpa = hpa + off;
	}
}

const struct api_call memory_calls[] = {
	{"read_guest", call_read, true}, {"write_guest", call_write, true},
	{"unmap", call_unmap, true},	 {"protect", call_protect, true},
	{"map", call_map, true},	 {"query", call_query, true},
	{"unmap", call_unmap, true},
};
const size_t memory_call_count = ELEMENTS(memory_calls);
