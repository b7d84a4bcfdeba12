#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# symbols.sh NM ARCHIVE...: the archives together define only axvm_ and axvmi_
# names and need nothing but the four mem* functions.
set -u
nm=$1
shift

# Lines "type name" of all global symbols.
symbols=$("$nm" -g "$@" | awk 'NF >= 2 && length($(NF - 1)) == 1 {
	print $(NF - 1), $NF }')
if ! printf '%s\n' "$symbols" | grep -q '^[A-Z] axvm_'; then
	echo "no public function found in $*"
	exit 1
fi
bad=$(printf '%s\n' "$symbols" | awk '
	$1 ~ /[Uvw]/ { needed[$2] = 1; next }
	{ defined[$2] = 1 }
	END {
		for (name in defined)
			if (name !~ /^axvmi?_/)
				print "exported without prefix: " name
		for (name in needed)
			if (!(name in defined) &&
			    name !~ /^mem(cpy|move|set|cmp)$/)
				print "needed from outside: " name
	}' | sort)
[ -z "$bad" ] || { printf '%s\n' "$bad"; exit 1; }
