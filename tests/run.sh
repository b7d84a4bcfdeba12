#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# run.sh [unit|emulator]: all tests, or one half of them.
#   unit      core and pure backend files on this machine
#   emulator  the archive and the sample hypervisor, guests in QEMU
# Installs what is missing (Debian; as root or by sudo). Logs: build/logs.
# The last line is "N passed, N failed, N skipped"; status 0 if none failed.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/report.sh
. tests/lib/packages.sh
. tests/lib/build.sh

# script FILE...: a script that prints TAP; shown_script shows it as it comes.
script() {
	tap=$LOGS/$(basename "$1" .sh).tap
	{
		sh "$@" </dev/null 2>&1
		echo "# exit status $?"
	} >"$tap"
	count_tap "$tap"
}

shown_script() {
	tap=$LOGS/$(basename "$1" .sh)${2:+-$2}.tap
	{
		sh "$@" </dev/null 2>&1
		echo "# exit status $?"
	} | tee "$tap"
	count_tap "$tap"
}

# configs: the family's VM configurations; one test per file. More of them may
# lie in the folder AXVM_CONFIGS.
configs() {
	tap=$LOGS/configs.tap
	{
		find tests/abi/configs "${AXVM_CONFIGS:-../shared/configs}" \
			-name '*.toml' 2>/dev/null | sort |
			xargs python3 tests/abi/compare_configs.py \
			build/host-asan/tests/toml_dump 2>&1
		echo "# exit status $?"
	} >"$tap"
	count_tap "$tap"
}

unit() {
	need_packages "$PACKAGES_UNIT $PACKAGES_FUZZ" "$COMMANDS_UNIT"
	say "public headers"
	script tests/lib/headers.sh
	say "the README"
	script tests/lib/readme.sh
	say "the table of bench.sh"
	script tests/lib/bench_table.sh
	say "the table of defects"
	script tests/lib/defects.sh
	for preset in host host-clang host-asan host-tsan; do
		run_preset $preset
	done
	symbols host nm
	consumers host-clang
	tidy host-clang
	say "configurations against a reference TOML parser"
	configs
	say "fuzzers, a few seconds each (tests/fuzz.sh 60s for longer)"
	script tests/fuzz.sh
	say "mutations: each rule broken in a copy, and caught by its test"
	shown_script tests/mutation.sh
	coverage_table
}

emulator() {
	need_packages "$PACKAGES_RISCV64 $PACKAGES_ARM64" \
		"$COMMANDS_RISCV64 $COMMANDS_ARM64"
	for preset in riscv64 riscv64-lp64d riscv64-clang aarch64 aarch64-fp \
		aarch64-clang; do
		build_preset $preset
	done
	consumers riscv64 riscv64-lp64d riscv64-clang aarch64 aarch64-clang
	for preset in riscv64 riscv64-lp64d riscv64-clang aarch64 aarch64-clang
	do
		symbols $preset nm
	done
	tidy riscv64-clang
	tidy aarch64-clang
	for arch in riscv_h arm_vhe; do
		say "guests in QEMU: $arch"
		shown_script tests/emulator.sh $arch
	done
}

case ${1-} in
unit) unit ;;
emulator) emulator ;;
"")
	unit
	emulator
	;;
*) die "usage: sh tests/run.sh [unit|emulator]" ;;
esac
finish
