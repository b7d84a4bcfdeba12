#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# headers.sh: every public header alone, twice, by gcc and clang, as C11 without
# a C library and as C++17. Prints TAP.
set -u
warn="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wcast-qual -Werror"
n=0

# try NAME COMPILER...: the header's text comes on stdin.
try() {
	n=$((n + 1))
	label=$1
	shift
	if message=$("$@" -fsyntax-only -Iinclude - 2>&1); then
		echo "ok $n - $label"
	else
		echo "not ok $n - $label"
		printf '%s\n' "$message" | sed 's/^/# /'
	fi
}

# shellcheck disable=SC2086 # $warn is a list
for header in include/axvm/*.h include/axvm/devices/*.h; do
	name=${header#include/}
	text="#include \"$name\"
#include \"$name\"
typedef int not_empty;"
	for cc in gcc clang; do
		try "$name alone as C11, $cc" $cc -std=c11 -ffreestanding \
			-xc $warn -Wmissing-prototypes -Wvla <<-END
			$text
		END
	done
	for cxx in g++ clang++; do
		try "$name alone as C++17, $cxx" $cxx -std=c++17 \
			-xc++ $warn <<-END
			$text
		END
	done
done
echo "1..$n"
