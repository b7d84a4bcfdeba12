#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# bench.sh [host|riscv_h|arm_vhe]: all benches, or one group of them.
#   host      page tables and device search in ns on this machine; code sizes
#   riscv_h, arm_vhe
#             instructions per exit, guests in QEMU; expensive ones among them
# Prints "bench GROUP NAME VALUE UNIT" lines, then what tests/bench/limits.txt
# says about each. Installs what is missing (Debian; as root or by sudo).
# Status 0 when everything was measured, whatever is over its limit.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/report.sh
. tests/lib/packages.sh
. tests/lib/build.sh

RESULTS=$LOGS/bench.txt

# make PRESET TARGET...
make() {
	preset=$1
	shift
	{
		cmake --preset "$preset" &&
			cmake --build --preset "$preset" -j "$JOBS" --target "$@"
	} >"$LOGS/bench-$preset.log" 2>&1 || {
		tail -n 25 "$LOGS/bench-$preset.log"
		die "could not build $preset"
	}
}

# measure COMMAND...: its bench lines, shown as they come.
measure() {
	{
		"$@" </dev/null || echo "failed"
	} | tee "$LOGS/bench-part.txt"
	grep '^bench ' "$LOGS/bench-part.txt" >>"$RESULTS"
	! grep -q '^failed$' "$LOGS/bench-part.txt" || die "$* failed"
}

host() {
	need_packages "$PACKAGES_BENCH_HOST" "$COMMANDS_BENCH_HOST"
	say "host: gcc -O2, assertions on; ns of CPU time, medians"
	make host-bench bench_host
	measure build/host-bench/tests/bench_host
	say "host: code size, riscv64 gcc -O2, assertions on"
	make riscv64 axvm text_linked text_linked_toml
	measure sh tests/bench/text.sh 2>"$LOGS/bench-text.txt"
}

riscv_h() {
	need_packages "$PACKAGES_RISCV64" "$COMMANDS_RISCV64"
	say "riscv_h: instructions per exit in QEMU"
	measure sh tests/bench/riscv_h.sh
}

arm_vhe() {
	need_packages "$PACKAGES_ARM64" "$COMMANDS_ARM64"
	say "arm_vhe: instructions per exit in QEMU"
	measure sh tests/bench/arm_vhe.sh
}

: >"$RESULTS"
case ${1-} in
host | riscv_h | arm_vhe) groups=$1 ;;
"") groups="host riscv_h arm_vhe" ;;
*) die "usage: sh tests/bench.sh [host|riscv_h|arm_vhe]" ;;
esac
for group in $groups; do
	"$group"
done
say "against tests/bench/limits.txt"
awk -v groups="$groups" -f tests/bench/table.awk tests/bench/limits.txt \
	"$RESULTS"
