#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# fuzz.sh [RUNS|SECONDSs]: every fuzzer of tests/fuzz, 20000 runs or as asked
# (`fuzz.sh 60s`: a minute each). The corpora grow in build/fuzz. Prints TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/report.sh
. tests/lib/packages.sh
. tests/lib/build.sh

case ${1-} in
*s) limit=-max_total_time=${1%s} ;;
*) limit=-runs=${1:-20000} ;;
esac

need_packages "$PACKAGES_FUZZ" "cmake ninja clang"
log=$LOGS/fuzz-build.log
configure_and_build host-fuzz >"$log" 2>&1 || {
	echo "not ok 1 - build host-fuzz"
	tail -n 25 "$log" | sed 's/^/# /'
	echo "1..1"
	exit 1
}
n=0
for program in build/host-fuzz/tests/fuzz_*; do
	n=$((n + 1))
	name=${program##*/fuzz_}
	corpus=build/fuzz/$name
	mkdir -p "$corpus"
	if "$program" "$limit" -seed=1 -timeout=10 -max_len=4096 \
		-artifact_prefix="$corpus." "$corpus" \
		>"$LOGS/fuzz-$name.log" 2>&1; then
		echo "ok $n - fuzz $name"
	else
		echo "not ok $n - fuzz $name"
		tail -n 25 "$LOGS/fuzz-$name.log" | sed 's/^/# /'
	fi
done
echo "1..$n"
