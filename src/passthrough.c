/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Windows of the guest-physical space onto devices of the host: in the space
 * from axvm_create() on, in the tables from axvm_init() to axvm_destroy(). A
 * reset does not touch them. Whose device it is, the ledger of host.c knows.
 */
#include "internal.h"

int axvmi_passthrough_claim(struct axvm_vm *vm, struct axvm_config_error *error)
{
	uint64_t hpa_last = UINT64_MAX >> (64 - vm->format.hpa_bits);

	for (uint32_t i = 0; i < axvmi_window_count(&vm->config); i++) {
		struct axvmi_window w = axvmi_window_at(&vm->config, i);
		struct axvmi_space space = {
			.start = w.gpa,
			.last = w.gpa + w.last,
			.range = i,
			.kind = AXVMI_SPACE_WINDOW,
		};
		int err;

		if (w.hpa + w.last > hpa_last)
			return axvmi_refuse(error, AXVM_ERANGE, w.field,
					    w.index,
					    "beyond the addresses of this CPU");
		err = axvmi_bus_add(vm, AXVM_BUS_MMIO, &space);
		if (err != AXVM_OK)
			return err;
	}
	return AXVM_OK;
}

static int map_window(struct axvm_vm *vm, const struct axvmi_window *w)
{
	struct s2_map map = {
		.gpa = axvm_to_gpa(w->gpa),
		.size = w->last + 1,
		.hpa = axvm_to_hpa(w->hpa),
		.access = AXVM_RW,
		.type = AXVM_MEM_DEVICE,
	};
	struct axvmi_mem_batch batch;
	int err;

	axvmi_batch_begin(vm, &batch);
	err = axvmi_s2_map(&vm->s2, &map, &batch.edit);
	axvmi_batch_end(vm, &batch);
	return err;
}

/* What a failure leaves in the tables goes with them. */
int axvmi_passthrough_map(struct axvm_vm *vm)
{
	for (uint32_t i = 0; i < axvmi_window_count(&vm->config); i++) {
		struct axvmi_window w = axvmi_window_at(&vm->config, i);
		int err = map_window(vm, &w);

		if (err != AXVM_OK)
			return err;
	}
	return AXVM_OK;
}
