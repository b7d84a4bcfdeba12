/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Two VMs that publish, subscribe, leave, stop, are reset and destroyed in
 * every order, held against a model of a few lines. Breadth first over the
 * model's states: each is reached anew by its shortest path and every action is
 * tried there; after each the memory each VM sees, the connections and the
 * allocations must be the model's.
 */
#include "ivc.h"
#include "ivc_test.h"

#define KEY UINT64_C(7)
#define TAG (FIRST + 16)
#define NONE (-1)
#define MAX_PATH 16u
#define MAX_STATES 1024u

enum action {
	PUBLISH,
	UNPUBLISH,
	SUBSCRIBE,
	UNSUBSCRIBE,
	CONNECT,
	DISCONNECT,
	STOP,
	RESET,
	DESTROY,
	ACTIONS,
};

/* ---- the model ---- */

struct side {
	int own; /* tag of the channel it published */
	int sub; /* of the one it subscribed to */
	bool fixed;
	bool stopped;
};

struct model {
	struct side side[2];
	int last_tag;
};

static const struct model first_state = {
	.side = {{.own = NONE, .sub = NONE}, {.own = NONE, .sub = NONE}},
};

/* Tags are names: what counts is whether a channel is still its owner's. */
static unsigned encode(const struct model *model)
{
	unsigned code = 0;

	for (unsigned v = 0; v < 2; v++) {
		const struct side *s = &model->side[v];
		unsigned sub = 0;

		if (s->sub != NONE)
			sub = s->sub == model->side[1 - v].own ? 1 : 2;
		code = code * 24 + (s->own != NONE) * 12 + sub * 4 +
		       s->fixed * 2 + s->stopped;
	}
	return code;
}

static unsigned channels(const struct model *model)
{
	const struct side *s = model->side;
	unsigned count = (s[0].own != NONE) + (s[1].own != NONE);

	for (unsigned v = 0; v < 2; v++)
		count += s[v].sub != NONE && s[v].sub != s[1 - v].own;
	return count;
}

static bool possible(const struct side *s, enum action action)
{
	if (action <= UNSUBSCRIBE || action == STOP)
		return !s->stopped;
	return action != RESET || s->stopped;
}

static void leave_all(struct side *s)
{
	*s = (struct side){.own = NONE, .sub = NONE};
}

/* What the call must answer: AXVM_OK or what went wrong. */
static int predict(struct model *model, unsigned v, enum action action)
{
	struct side *s = &model->side[v];
	int offered = model->side[1 - v].own;

	switch (action) {
	case PUBLISH:
		if (s->own != NONE)
			return AXVM_EEXIST;
		s->own = ++model->last_tag;
		return AXVM_OK;
	case UNPUBLISH:
		if (s->own == NONE)
			return AXVM_ENOENT;
		s->own = NONE;
		return AXVM_OK;
	case SUBSCRIBE:
	case CONNECT:
		if (s->stopped)
			return AXVM_ESTATE;
		if (s->sub != NONE)
			return AXVM_EEXIST;
		if (offered == NONE)
			return AXVM_ENOENT;
		s->sub = offered;
		s->fixed = action == CONNECT;
		return AXVM_OK;
	case UNSUBSCRIBE:
	case DISCONNECT:
		if (s->stopped)
			return AXVM_ESTATE;
		if (s->sub == NONE)
			return AXVM_ENOENT;
		if (s->fixed && action == UNSUBSCRIBE)
			return AXVM_EPERM;
		s->sub = NONE;
		s->fixed = false;
		return AXVM_OK;
	case STOP:
		s->stopped = true;
		return AXVM_OK;
	case RESET:
	case DESTROY:
		leave_all(s);
		return AXVM_OK;
	case ACTIONS:
		break;
	}
	return 1;
}

/* ---- the real thing ---- */

static struct axvm_vm *vms[2];
/* Where each VM's own channel and the other's are, while they are. */
static uint64_t own_at[2], sub_at[2];

static struct axvm_vm *new_vm(unsigned v)
{
	ivc_config(v + 1, 16);
	regions[0].size = 8 * PAGE;
	return booted();
}

static int from_wire(uint64_t result, int wanted)
{
	/* The family's calls do not say what went wrong. */
	if (wanted != AXVM_OK && result == FAILED)
		return wanted;
	return result == 0 ? AXVM_OK : 1;
}

static int perform_call(unsigned v, enum action action, int wanted)
{
	struct axvm_vm *vm = vms[v];
	uint64_t other = 2 - v;

	switch (action) {
	case PUBLISH:
		return from_wire(publish(vm, KEY, 1), wanted);
	case UNPUBLISH:
		return from_wire(unpublish(vm, KEY), wanted);
	case SUBSCRIBE:
		return from_wire(subscribe(vm, other, KEY), wanted);
	case UNSUBSCRIBE:
		return from_wire(unsubscribe(vm, other, KEY), wanted);
	case DISCONNECT:
		return axvm_ivc_disconnect(vm, other, KEY);
	default:
		return 1;
	}
}

static int perform(unsigned v, enum action action, int wanted)
{
	struct axvm_gpa gpa;
	int err;

	switch (action) {
	case CONNECT:
		err = axvm_ivc_connect(vms[v], 2 - v, KEY, AXVM_RW, 0, &gpa);
		if (err == AXVM_OK)
			sub_at[v] = gpa.value;
		return err;
	case STOP:
		stop(vms[v]);
		return AXVM_OK;
	case RESET:
		reset(vms[v]);
		return axvm_boot(vms[v]);
	case DESTROY:
		end(vms[v]);
		vms[v] = new_vm(v);
		return AXVM_OK;
	default:
		err = perform_call(v, action, wanted);
		if (err == AXVM_OK && action == PUBLISH)
			own_at[v] = get(vms[v], OUT_GPA);
		if (err == AXVM_OK && action == SUBSCRIBE)
			sub_at[v] = get(vms[v], OUT_GPA);
		return err;
	}
}

/* ---- comparison ---- */

static size_t base; /* allocations of two VMs without channels */

/* What is allocated besides page tables, which come and go. */
static size_t allocated(void)
{
	return test_hal_live(stub_hal(m)) - load_relaxed(&vms[0]->s2.pages) -
	       load_relaxed(&vms[1]->s2.pages);
}

static void check_end(unsigned v, uint64_t publisher, int tag, uint64_t gpa,
		      uint32_t flags)
{
	struct axvm_ivc_state s = {0};
	int err = axvmi_ivc_get_state(vms[v], publisher, KEY, &s);

	if (tag == NONE) {
		assert_int_equal(err, AXVM_ENOENT);
		return;
	}
	assert_int_equal(err, AXVM_OK);
	assert_int_equal(s.gpa, gpa);
	assert_int_equal(s.flags, flags | AXVM_IVC_USED | AXVM_IVC_WRITABLE);
	assert_int_equal(*(uint64_t *)seen(vms[v], gpa + 16), tag);
}

static unsigned mapped_pages(struct axvm_vm *vm)
{
	unsigned count = 0;

	for (uint64_t n = 0; n < 15; n++)
		count += is_mapped(vm, FIRST + n * PAGE);
	return count;
}

static void compare(const struct model *model)
{
	for (unsigned v = 0; v < 2; v++) {
		const struct side *s = &model->side[v];
		uint32_t flags = s->fixed ? AXVM_IVC_FIXED : 0;

		if (s->sub != model->side[1 - v].own)
			flags |= AXVM_IVC_CLOSED;
		check_end(v, v + 1, s->own, own_at[v], AXVM_IVC_OWNER);
		check_end(v, 2 - v, s->sub, sub_at[v], flags);
		assert_int_equal(mapped_pages(vms[v]),
				 (s->own != NONE) + (s->sub != NONE));
	}
	/* The channel, its list of pieces, its page. */
	assert_int_equal(allocated(), base + 3 * channels(model));
	no_violation();
}

static void act(struct model *model, unsigned v, enum action action)
{
	int wanted = predict(model, v, action);

	assert_int_equal(perform(v, action, wanted), wanted);
	/* A channel is told from another by what its owner writes there. */
	if (action == PUBLISH && wanted == AXVM_OK) {
		assert_int_equal(*(uint64_t *)seen(vms[v], own_at[v] + 16), 0);
		*(uint64_t *)seen(vms[v], own_at[v] + 16) =
			(uint64_t)model->last_tag;
	}
}

/* ---- exploration ---- */

/* Thousands of VMs: without the shadow that checks synchronisation. */
static void simple_machine(void)
{
	static const struct stub_config c = {
		.cpus = 1,
		.tag_bits = 14,
		.no_tables = true,
	};

	machine(&c);
}

struct path {
	unsigned length;
	uint8_t steps[MAX_PATH]; /* VM * ACTIONS + action */
};

static struct path paths[MAX_STATES];
static unsigned path_count;
static bool known[24 * 24];

static void remember(const struct model *model, const struct path *path,
		     unsigned step)
{
	unsigned code = encode(model);

	/* Equal codes, equal futures: tags are only names. */
	if (known[code])
		return;
	known[code] = true;
	assert_true(path->length < MAX_PATH && path_count < MAX_STATES);
	paths[path_count] = *path;
	paths[path_count].steps[path->length] = (uint8_t)step;
	paths[path_count++].length++;
}

static struct model replay(const struct path *path)
{
	struct model model = first_state;

	vms[0] = new_vm(0);
	vms[1] = new_vm(1);
	base = allocated();
	for (unsigned i = 0; i < path->length; i++)
		act(&model, path->steps[i] / ACTIONS, path->steps[i] % ACTIONS);
	return model;
}

static void end_both(void)
{
	end(vms[0]);
	end(vms[1]);
}

/*
 * Every action at the end of the path. What is refused changes nothing, so the
 * next one is tried right away; what is done needs the path anew. Returns how
 * many were tried.
 */
static unsigned try_all(const struct path *path)
{
	struct model model = replay(path);
	unsigned tried = 0;

	compare(&model);
	for (unsigned step = 0; step < 2 * ACTIONS; step++) {
		struct model before = model;
		unsigned v = step / ACTIONS;

		if (!possible(&model.side[v], step % ACTIONS))
			continue;
		act(&model, v, step % ACTIONS);
		compare(&model);
		tried++;
		if (memcmp(&model, &before, sizeof(model)) == 0)
			continue;
		remember(&model, path, step);
		end_both();
		model = replay(path);
	}
	end_both();
	return tried;
}

static void every_order_of_two_vms_is_as_the_model_says(void **state)
{
	static const struct path nowhere;
	unsigned tried = 0;

	(void)state;
	simple_machine();
	known[encode(&first_state)] = true;
	paths[path_count++] = nowhere;
	for (unsigned n = 0; n < path_count; n++)
		tried += try_all(&paths[n]);
	print_message("%u states, %u actions\n", path_count, tried);
	assert_true(path_count > 150 && tried > 10 * path_count);
}

/* What no state of the model tells apart: long histories, at random. */
static void long_histories_are_as_the_model_says(void **state)
{
	static const struct path nowhere;
	uint32_t seed = 1;

	(void)state;
	simple_machine();
	for (unsigned run_nr = 0; run_nr < 20; run_nr++) {
		struct model model = replay(&nowhere);

		for (unsigned n = 0; n < 200; n++) {
			unsigned v, action;

			seed = seed * 1664525 + 1013904223;
			v = seed >> 30 & 1;
			action = (seed >> 16) % ACTIONS;
			if (!possible(&model.side[v], action))
				continue;
			act(&model, v, action);
			compare(&model);
		}
		end_both();
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		OWN(every_order_of_two_vms_is_as_the_model_says),
		OWN(long_histories_are_as_the_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
