#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# bench_table.sh: does bench.sh's table say the truth? Made-up lines and limits,
# and the real limits with values just at and over each of them. Prints TAP.
set -u
n=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

verdict() { # status name
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$work/table"
	fi
}

# table LIMITS: of the lines on stdin, for the group g.
table() {
	cat >"$work/lines"
	awk -v groups=g -f tests/bench/table.awk "$1" "$work/lines" \
		>"$work/table" 2>"$work/errors"
	echo $? >"$work/status"
}

# ended STATUS: how the last table did.
ended() {
	[ "$(cat "$work/status")" = "$1" ]
}

# says NAME VERDICT
says() {
	[ "$(awk -v name="$1" '$3 == name { print $1 }' "$work/table")" = "$2" ]
}

cat >"$work/limits" <<-END
	# a comment
	g fixed ns 5 - -
	g ratio ns 1 2.5 base
	g base ns - - -
	other row ns 1 - -
END

table "$work/limits" <<-END
	bench g fixed 5 ns
	bench g ratio 10 ns
	bench g base 4 ns
END
ended 0 && says fixed ok && says ratio ok && says base -
verdict $? "what is at its limit is ok, and a ratio counts more than a figure"

table "$work/limits" <<-END
	bench g fixed 5.001 ns
	bench g ratio 10.1 ns
	bench g base 4 ns
END
ended 0 && says fixed over && says ratio over
verdict $? "what is over its limit is flagged, and that is no failure"

table "$work/limits" <<-END
	bench g ratio 1 ns
	bench g new 7 pages
END
ended 0 && says fixed missing && says base missing && says ratio missing &&
	says new -
verdict $? "rows without a line and ratios of nothing are missing"

table "$work/limits" <<-END
	bench g base 0 ns
	bench g ratio 1 ns
	bench g fixed 1 ns
END
says ratio missing
verdict $? "a base of 0 judges nothing"

table "$work/limits" <<-END
	bench g fixed 5 ns
END
! says row missing
verdict $? "groups that were not run are not shown"

for line in "bench g fixed five ns" "bench g fixed 5" "bench g fixed 5 pages" \
	"bench g fixed -5 ns"; do
	echo "$line" | table "$work/limits"
	ended 2
	verdict $? "refused: $line"
done
printf 'bench g fixed 1 ns\nbench g fixed 2 ns\n' | table "$work/limits"
ended 2
verdict $? "refused: two lines for one row"
for row in "g a ns 5" "g a ns five - -" "g a ns - 2 -" "g a ns - - b" \
	"g fixed ns 5 - -"; do
	{
		cat "$work/limits"
		echo "$row"
	} >"$work/broken"
	echo "bench g fixed 5 ns" | table "$work/broken"
	ended 2
	verdict $? "refused: the limit $row"
done

# Each row of the real file, at its limit and a thousandth over, or, as some are
# 0, more; ratios over a base of 100.
real() { # factor
	awk -v factor="$1" '
		/^(#|$)/ { next }
		$5 != "-" { print "bench", $1, $2, 100 * $5 * factor, $3; next }
		$4 == "-" { print "bench", $1, $2, 100, $3; next }
		{ print "bench", $1, $2, $4 * factor + factor - 1, $3 }
		' tests/bench/limits.txt
}
limited=$(awk '!/^(#|$)/ && $4 $5 != "--"' tests/bench/limits.txt | wc -l)
for part in "1 ok" "1.001 over"; do
	real "${part% *}" | table tests/bench/limits.txt
	ended 0 && [ "$limited" -gt 10 ] &&
		[ "$(grep -c "^${part#* } " "$work/table")" = "$limited" ]
	verdict $? "all $limited real limits, times ${part% *}: ${part#* }"
done
echo "1..$n"
