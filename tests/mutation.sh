#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# mutation.sh [NAME...]: does the named test notice when a rule is broken?
# Each file of tests/mutation/ is one change of the real sources, the rule that
# it breaks and the test that must fail then: see apply.py. All happens in a copy
# of the tree, build/mutation. Prints TAP; what was printed last is in
# build/mutation/NAME.log.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
work=$root/build/mutation
tree=$work/tree
jobs=$(nproc 2>/dev/null || echo 2)
# A hang is cut off; nothing here takes a tenth of it.
patience=60
n=0

field() {
	python3 tests/mutation/apply.py "tests/mutation/$1.txt" "$2"
}

list() {
	if [ $# -gt 0 ]; then
		printf '%s\n' "$@"
	else
		ls tests/mutation/*.txt | sed 's|.*/||; s|\.txt$||'
	fi
}

copy_tree() {
	rm -rf "$work"
	mkdir -p "$tree"
	if ! git ls-files >"$work/files" 2>/dev/null; then
		find . -path ./build -prune -o -path ./.git -prune -o \
			-type f -print >"$work/files"
	fi
	tar -cf - -T "$work/files" | tar -xf - -C "$tree"
}

# build PROGRAM...
build() {
	cmake --build "$work/bin" -j "$jobs" --target "$@" >"$work/build.log" 2>&1
}

# run PROGRAM LOG [TEST]
run() {
	(
		cd "$tree" || exit 1
		export CMOCKA_MESSAGE_OUTPUT=TAP LD_PRELOAD="$work/filter.so"
		[ $# = 2 ] || export AXVM_ONLY="$3"
		timeout $patience "$work/bin/tests/$1"
	) >"$2" 2>&1 </dev/null
	status=$?
}

# says ANSWER TEST LOG; what failed may follow the name.
says() {
	grep -Eq "^$1 [0-9]+ - $2( |\$)" "$3"
}

# answer ok|not_ok TEXT
answer() {
	n=$((n + 1))
	printf '%s %d - %s\n' "$([ "$1" = ok ] && echo ok || echo "not ok")" \
		$n "$2"
}

# give_up TEXT LOG
give_up() {
	answer not_ok "$1"
	tail -n 20 "$2" | sed 's/^/# /'
	echo "1..$n"
	exit 1
}

# judge NAME PROGRAM TEST: what became of it, in one word.
judge() {
	log=$work/$1.log
	run "$2" "$log" "$3"
	if says "not ok" "$3" "$log"; then
		echo fails
	elif says ok "$3" "$log"; then
		echo passes
	elif [ $status = 124 ]; then
		echo hangs
	else
		echo crashes
	fi
}

# mutate NAME
mutate() {
	ends=$(field "$1" ends)
	test=$(field "$1" test)
	source=$(field "$1" file)
	if ! python3 tests/mutation/apply.py "tests/mutation/$1.txt" "$tree" \
		2>"$work/$1.log"; then
		answer not_ok "mutation $1: $(cat "$work/$1.log")"
	elif ! build "${test% *}"; then
		cp "$work/build.log" "$work/$1.log"
		answer not_ok "mutation $1: does not compile"
	else
		how=$(judge "$1" "${test% *}" "${test#* }")
		if [ "$how" = "$ends" ]; then
			answer ok "mutation $1: caught by ${test#* }"
		else
			answer not_ok "mutation $1: $test $how"
		fi
	fi
	# A new time stamp: what was built of the mutation is older then.
	cat "$source" >"$tree/$source"
}

mutations=$(list "$@")
copy_tree
cmake -S "$tree" -B "$work/bin" -G Ninja -DCMAKE_C_FLAGS=-O1 \
	>"$work/build.log" 2>&1 || give_up "configure" "$work/build.log"
cc -shared -fPIC -o "$work/filter.so" tests/mutation/filter.c -lcmocka \
	>"$work/build.log" 2>&1 || give_up "filter.c" "$work/build.log"
for name in $mutations; do
	field "$name" test || echo "unknown $name"
done | sort -u >"$work/tests"
programs=$(cut -d ' ' -f 1 "$work/tests" | sort -u)
# shellcheck disable=SC2086 # a list of words
build $programs || give_up "build" "$work/build.log"
for program in $programs; do
	run "$program" "$work/$program.log"
	for test in $(sed -n "s/^$program //p" "$work/tests"); do
		says ok "$test" "$work/$program.log" ||
			give_up "$program $test without a mutation" \
				"$work/$program.log"
	done
done
for name in $mutations; do
	mutate "$name"
done
echo "1..$n"
