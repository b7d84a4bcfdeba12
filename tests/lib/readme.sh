#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# readme.sh: what the README shows is what is tested. Prints TAP.
set -u
n=0

verdict() { # status name
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

# Without the licence head.
example() {
	tail -n +4 tests/unit/readme_example.c
}

sed -n '/^```c$/,/^```$/p' README.md | sed '1d;$d' | {
	example >"${TMPDIR:-/tmp}/axvm-example.$$"
	cmp -s - "${TMPDIR:-/tmp}/axvm-example.$$"
	status=$?
	rm -f "${TMPDIR:-/tmp}/axvm-example.$$"
	exit $status
}
verdict $? "the README's example is the one that is run"

# Every file or folder in backquotes that looks like a path exists.
missing=$(grep -o '`[a-z_.]*/[A-Za-z0-9_./]*`' README.md arch/README.md |
	sed 's/^[^`]*`//; s/`$//' | sort -u | while read -r path; do
	case $path in
	build/*) continue ;;
	esac
	[ -e "$path" ] || echo "$path"
done)
[ -z "$missing" ]
verdict $? "every path in the READMEs exists"
[ -z "$missing" ] || printf '%s\n' "$missing" | sed 's/^/# /'
echo "1..$n"
