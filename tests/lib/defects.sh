#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# defects.sh: every test that tests/defects.md names exists. Prints TAP, one
# line per row of its tables.
set -u
n=0

# exists FILE:NAME
exists() {
	file=tests/${1%%:*}
	name=${1#*:}
	[ -f "$file" ] || return 1
	case $file in
	tests/unit/*) grep -q "^static void $name(" "$file" ;;
	tests/emulator.sh) grep -qx "[[:space:]]*$name" "$file" ;;
	*) grep -qF "\"$name" "$file" ;;
	esac
}

# row NAME TESTS: the tests are in backquotes.
row() {
	n=$((n + 1))
	missing=$(printf '%s\n' "$2" | grep -o '`[^`]*:[^`]*`' | tr -d '`' |
		while read -r test; do
			exists "$test" || echo "# not there: $test"
		done)
	if [ -z "$missing" ] && printf '%s\n' "$2" | grep -q '`.*:.*`'; then
		echo "ok $n - defect: $1"
	else
		echo "not ok $n - defect: $1"
		printf '%s\n' "$missing"
	fi
}

while IFS='|' read -r _ what tests _; do
	case $what in
	*[a-z]*)
		[ "$what" = " what must be so " ] || row "${what# }" "$tests"
		;;
	esac
done <<END
$(grep '^|' tests/defects.md)
END
echo "1..$n"
