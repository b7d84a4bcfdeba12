#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# fuzz.sh [RUNS|SECONDSs]: every fuzzer of tests/fuzz: first the inputs that are
# kept in tests/fuzz/corpus, then 20000 runs but not more than 4 seconds, or as
# asked (`fuzz.sh 600s`: ten minutes each; `fuzz.sh 0`: only the kept ones). As
# many at a time as there are CPUs. What they find when asked for more is in
# build/fuzz and tried again; tests/fuzz/reduce.py makes a corpus of it. TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/report.sh
. tests/lib/packages.sh
. tests/lib/build.sh

found=build/fuzz
case ${1-} in
*s) limit=-max_total_time=${1%s} ;;
0) limit= ;;
"")
	limit="-runs=20000 -max_total_time=4"
	found=build/fuzz/short
	rm -rf "$found"
	;;
*) limit=-runs=$1 ;;
esac

need_packages "$PACKAGES_FUZZ" "cmake ninja clang"
log=$LOGS/fuzz-build.log
configure_and_build host-fuzz >"$log" 2>&1 || {
	echo "not ok 1 - build host-fuzz"
	tail -n 25 "$log" | sed 's/^/# /'
	echo "1..1"
	exit 1
}
rm -f "$LOGS"/fuzz-*.tap
# shellcheck disable=SC2086 # the limits are several words
find build/host-fuzz/tests -name 'fuzz_*' -type f | sort |
	xargs -P "$JOBS" -I '{}' sh tests/lib/fuzz_one.sh '{}' $found $limit
cat "$LOGS"/fuzz-*.tap | awk '
	/^ok - / { print "ok " ++n substr($0, 3); next }
	/^not ok - / { print "not ok " ++n substr($0, 7); next }
	{ print }
	END { print "1.." n + 0 }'
