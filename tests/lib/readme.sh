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
missing=$(grep -o '`[a-z_.]*/[A-Za-z0-9_./]*`' README.md arch/README.md \
	tests/README.md tests/hypervisor/README.md |
	sed 's/^[^`]*`//; s/`$//' | sort -u | while read -r path; do
	case $path in
	build/* | board/) continue ;;
	esac
	[ -e "$path" ] || echo "$path"
done)
[ -z "$missing" ]
verdict $? "every path in the READMEs exists"
[ -z "$missing" ] || printf '%s\n' "$missing" | sed 's/^/# /'

# named_in_guide: every word of stdin stands in backquotes in the porting guide.
named_in_guide() {
	words=0
	absent=
	while read -r word; do
		words=$((words + 1))
		grep -q -e "\`$word\`" tests/hypervisor/README.md ||
			absent="$absent $word"
	done
	[ "$words" -gt 9 ] && [ -z "$absent" ] && return 0
	echo "# of $words, missing:$absent"
	return 1
}

sed -n 's/^.*\[AXVM_CLAUSE_.*\] = "\(.*\)",$/\1/p' src/selftest.c |
	named_in_guide
verdict $? "the porting guide names every clause of the self test"
sed -n 's/^.*(\*\([a-z_]*\))(void \*ctx.*$/\1/p' include/axvm/hal.h |
	named_in_guide
verdict $? "the porting guide names every callback"
echo "1..$n"
