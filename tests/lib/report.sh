# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# Progress, logs and counting for tests/*.sh, which source this from the top of
# the tree. Counts are of named test functions, not of executables.

LOGS=build/logs
JOBS=$(nproc 2>/dev/null || echo 2)
PASSED=0
FAILED=0
SKIPPED=0
mkdir -p "$LOGS"

say() {
	printf '== %s\n' "$*"
}

die() {
	printf '== %s\n' "$*" >&2
	exit 1
}

# check NAME COMMAND...: one test; its output is shown only when it fails.
check() {
	name=$1
	log=$LOGS/$(printf '%s' "$1" | tr ' /' '__').log
	shift
	if "$@" >"$log" 2>&1 </dev/null; then
		PASSED=$((PASSED + 1))
		echo "ok - $name"
	else
		FAILED=$((FAILED + 1))
		echo "not ok - $name"
		tail -n 25 "$log" | sed 's/^/    /'
		return 1
	fi
}

# tap_counts FILE: "passed failed skipped" of a program's TAP. run_program.sh
# ends the file with its status: tests that a crash swallowed count as failed,
# and so does a program that fails after its last test (a leak).
tap_counts() {
	awk '
		/^1\.\.[0-9]+/ { plan += substr($1, 4) }
		/^(not )?ok .*# SKIP/ { skipped++; next }
		/^ok / { passed++ }
		/^not ok / { failed++ }
		/^# exit status / { status = $4 }
		END {
			lost = plan - passed - failed - skipped
			if (lost > 0)
				failed += lost
			if (status != 0 && failed == 0)
				failed = 1
			if (plan + passed + skipped == 0 && failed == 0)
				failed = 1
			print passed + 0, failed + 0, skipped + 0
		}' "$1"
}

# count_tap FILE: adds it to the totals; shows failures.
count_tap() {
	# shellcheck disable=SC2046 # three words
	set -- "$1" $(tap_counts "$1")
	PASSED=$((PASSED + $2))
	FAILED=$((FAILED + $3))
	SKIPPED=$((SKIPPED + $4))
	[ "$3" = 0 ] && return 0
	echo "-- $1: $3 failed"
	grep '^not ok ' "$1" | grep -v '# SKIP'
	tail -n 25 "$1" | sed 's/^/    /'
}

# finish: the line every run ends with.
finish() {
	echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
	[ "$FAILED" = 0 ] && [ "$PASSED" != 0 ]
}
