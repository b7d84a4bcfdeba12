#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# text.sh: sizes of the riscv64 build, which bench.sh has made: bench lines on
# stdout, "BYTES FILE" of the core on stderr.
set -eu
objects=build/riscv64/CMakeFiles/axvm.dir/src
size=$(sed -n 's/^AXVM_RISCV_GCC:[A-Z]*=\(.*\)gcc$/\1size/p' \
	build/riscv64/CMakeCache.txt)

# Code alone: constants are in sections of their own.
text() {
	"$size" -A "$@" | awk '$1 ~ /^\.text/ { n += $2 } END { print n + 0 }'
}

core=0
for object in "$objects"/*.o*; do
	name=${object##*/}
	case $name in
	toml* | fdt* | image* | boot*) continue ;;
	esac
	bytes=$(text "$object")
	core=$((core + bytes))
	printf '%6d %s\n' "$bytes" "${name%.o*}" >&2
done
echo "bench host text_core $core bytes"

# Sections of the archive in a linker map; a long name has a line of its own.
for program in linked linked_toml; do
	awk '
		/^Linker script and memory map/ { on = 1 }
		!on { next }
		/^ \.text[^ ]*$/ { wrapped = 1; next }
		(wrapped || /^ \.text/) && /libaxvm\.a\(/ {
			for (i = 1; i < NF; i++)
				if ($i ~ /^0x/ && $(i + 1) ~ /^0x/)
					print $(i + 1)
		}
		{ wrapped = 0 }' "build/riscv64/tests/text_$program.map" |
		{
			total=0
			while read -r hex; do
				total=$((total + hex))
			done
			echo "bench host text_$program $total bytes"
		}
done
