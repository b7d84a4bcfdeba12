#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# fuzz_one.sh PROGRAM FOLDER [LIMIT...]: the inputs kept in tests/fuzz/corpus,
# all of them, then fuzzing within libFuzzer's limits, if there are any. TAP
# without numbers into build/logs; what fuzzing finds into a folder of FOLDER.
program=$1
name=${1##*/fuzz_}
found=$2/$name
shift 2
log=build/logs/fuzz-$name.log
kept=tests/fuzz/corpus/$name
mkdir -p "$found"
export UBSAN_OPTIONS=print_stacktrace=1

verdict() { # status test
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		tail -n 25 "$log" | sed 's/^/# /'
	fi
}

{
	if [ -d "$kept" ]; then
		count=$(find "$kept" -type f | wc -l)
		timeout 300 "$program" -runs=0 -timeout=10 \
			-artifact_prefix="$found." "$kept" >"$log" 2>&1
		verdict $? "corpus $name: $count inputs"
	else
		echo "ok - corpus $name # SKIP there is none"
		kept=
	fi
	if [ $# != 0 ]; then
		"$program" "$@" -seed=1 -timeout=10 -max_len=4096 \
			-artifact_prefix="$found." "$found" ${kept:+"$kept"} \
			>"$log" 2>&1
		verdict $? "fuzz $name"
	fi
} >"build/logs/fuzz-$name.tap"
