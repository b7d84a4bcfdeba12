# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# Building presets and running what they built. Sourced by tests/*.sh after
# tests/lib/report.sh.

configure_and_build() {
	cmake --preset "$1" && cmake --build --preset "$1" -j "$JOBS"
}

# build_preset NAME
build_preset() {
	check "build $1" configure_and_build "$1"
}

# run_preset NAME: builds it, runs its test programs, a few at a time.
run_preset() {
	build_preset "$1" || return 1
	rm -rf "${LOGS:?}/$1"
	mkdir -p "$LOGS/$1"
	find "build/$1" -name '*.gcda' -exec rm -f {} +
	before="$PASSED $FAILED"
	xargs -P "$JOBS" -n 1 sh tests/lib/run_program.sh "$LOGS/$1" \
		<"build/$1/test-programs"
	while read -r program; do
		count_tap "$LOGS/$1/${program##*/}.tap"
	done <"build/$1/test-programs"
	say "$1: $((PASSED - ${before% *})) passed," \
		"$((FAILED - ${before#* })) failed"
}

# symbols PRESET NM: the archive at three optimisation levels.
symbols() {
	for level in O0 O2 Os; do
		check "symbols of the $1 archive at -$level" \
			sh tests/lib/symbols.sh "$2" \
			"build/$1/tests/libaxvm_symbols_$level.a"
	done
}

# consumers PRESET...: the package, and other projects that link the archive.
consumers() {
	for preset; do
		say "the package of $preset, and kernels that use it"
		{
			sh tests/lib/consume.sh "$preset" 2>&1 </dev/null
			echo "# exit status $?"
		} >"$LOGS/consume-$preset.tap"
		count_tap "$LOGS/consume-$preset.tap"
	done
}

# tidy PRESET: .clang-tidy over the sources that preset owns.
tidy_files() {
	xargs -r -P "$JOBS" -n 4 clang-tidy -p "build/$1" --quiet \
		<"build/$1/tidy-sources"
}
tidy() {
	check "clang-tidy $1" tidy_files "$1"
}

# coverage_table: lines and branches of the library's files in the host build.
# The branch of an assertion that fails is no branch a test could take.
BRANCHES_AT_LEAST=95
coverage_measured() {
	gcovr --root . --object-directory build/host --filter src/ \
		--filter arch/ --json "$LOGS/coverage.json" \
		2>"$LOGS/coverage.log" || { tail "$LOGS/coverage.log"; return 1; }
	python3 tests/lib/coverage.py "$LOGS/coverage.json" \
		tests/coverage-exceptions.txt $BRANCHES_AT_LEAST >"$1"
}
coverage_table() {
	say "coverage (host build: core and the pure part of the backends)"
	table=$LOGS/coverage.txt
	check "at least $BRANCHES_AT_LEAST % of the branches are tested" \
		coverage_measured "$table"
	cat "$table"
}
