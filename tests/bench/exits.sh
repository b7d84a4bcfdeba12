# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# Sourced by riscv_h.sh and arm_vhe.sh: what exits cost a guest, in instructions
# per round trip, loop included: lines "bench ARCH NAME VALUE instructions" on
# stdout; then the expensive operations among them, of a build that counts:
# "... count". QEMU executes one instruction per nanosecond (-icount), one CPU,
# one vCPU; no timer of the host comes in between.
set -eu
cd "$(dirname "$0")/../.."
build=${AXVM_BUILD_DIR:-build}
work=$(mktemp -d "${TMPDIR:-/tmp}/axvm-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# config ENTRY RAM: what all configurations have, without devices: 64 MiB of RAM,
# and beside it pages that come when they are first touched.
config() {
	cat <<-END
	[base]
	id = 0
	name = "bench"
	vm_type = 2
	cpu_num = 1

	[kernel]
	entry_point = $1
	kernel_load_addr = $1
	kernel_path = "kernel"
	image_location = "memory"
	memory_regions = [
	    [$2, 0x400_0000, 0x7, 0],
	    [0x1_0000_0000, 0x400_0000, 0x3, 4],
	]

	[devices]
	interrupt_mode = "emulated"
	END
}

build() { # preset payload
	{ cmake --preset "$1" && cmake --build --preset "$1" -j2 \
		--target hypervisor "$2"; } >"$work/log" 2>&1 || {
		tail -n 25 "$work/log" >&2
		exit 1
	}
}

# lines PRESET [OPTION...]: what the guest prints in one run.
lines() {
	preset=$1
	shift
	status=0
	AXVM_PRESET=$preset sh tests/hypervisor/run.sh --arch "$arch" \
		--config "$work/config.toml" \
		--kernel "$(find "$build/$preset" -name "$payload.bin")" \
		--icount --slice-ms 100000 --timeout 120 "$@" </dev/null \
		>"$work/out" 2>&1 || status=$?
	tr -d '\r\000' <"$work/out" >"$work/text"
	if [ $status != 0 ] || grep -q '^not ok' "$work/text"; then
		tail -n 25 "$work/text" >&2
		exit 1
	fi
	grep "^bench $arch " "$work/text"
}

# exits ARCH PRESET PAYLOAD [ROW OPTION NAME]: of the configuration on stdin; ROW
# also with an OPTION of run.sh, then called NAME.
exits() {
	arch=$1
	payload=$3
	cat >"$work/config.toml"
	build "$2" "$payload"
	build "$2-count" "$payload"
	# Of the pages that fault and of their tables.
	lines "$2" --reserve 10100
	# What it does without them.
	lines "$2" | sed -n 's/ s2_fault / s2_fault_zero /p'
	[ -z "${4-}" ] || lines "$2" "$5" | sed -n "s/ $4 / $6 /p"
	lines "$2-count" --reserve 10100
}
