#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# riscv_h.sh: what exits cost a guest, in instructions per round trip, loop
# included: lines "bench riscv_h NAME VALUE instructions" on stdout; then the
# expensive operations among them, of a build that counts: "... count". QEMU
# executes one instruction per nanosecond (-icount), one hart, one vCPU; no
# timer of the host comes in between.
set -eu
cd "$(dirname "$0")/../.."
build=${AXVM_BUILD_DIR:-build}
work=$(mktemp -d "${TMPDIR:-/tmp}/axvm-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

for preset in riscv64 riscv64-count; do
	{ cmake --preset $preset && cmake --build --preset $preset -j2 \
		--target hypervisor payload-riscv-bench; } >"$work/log" 2>&1 || {
		tail -n 25 "$work/log" >&2
		exit 1
	}
done

# RAM, and beside it pages that come when they are first touched.
cat >"$work/config.toml" <<-END
	[base]
	id = 0
	name = "bench"
	vm_type = 2
	cpu_num = 1

	[kernel]
	entry_point = 0x8020_0000
	kernel_load_addr = 0x8020_0000
	kernel_path = "kernel"
	image_location = "memory"
	memory_regions = [
	    [0x8000_0000, 0x400_0000, 0x7, 0],
	    [0x1_0000_0000, 0x400_0000, 0x3, 4],
	]

	[devices]
	interrupt_mode = "emulated"
	emu_devices = [
	    ["plic", 0x0c00_0000, 0x60_0000, 0, 0x1, []],
	    ["uart", 0x1000_0000, 0x100, 10, 0x2, []],
	]
END

# lines PRESET [OPTION...]: what the guest prints in one run.
lines() {
	preset=$1
	shift
	status=0
	AXVM_PRESET=$preset sh tests/hypervisor/run.sh --config "$work/config.toml" \
		--kernel "$(find "$build/$preset" -name payload-riscv-bench.bin)" \
		--icount --slice-ms 100000 --timeout 120 "$@" </dev/null \
		>"$work/out" 2>&1 || status=$?
	tr -d '\r\000' <"$work/out" >"$work/text"
	if [ $status != 0 ] || grep -q '^not ok' "$work/text"; then
		tail -n 25 "$work/text" >&2
		exit 1
	fi
	grep '^bench riscv_h ' "$work/text"
}

# Of the pages that fault and of their tables; what it does without them.
reserve="--reserve 10100"
# shellcheck disable=SC2086 # two words
lines riscv64 $reserve
lines riscv64 | sed -n 's/ s2_fault / s2_fault_zero /p'
lines riscv64-count $reserve
