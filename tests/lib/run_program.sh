#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# run_program.sh FOLDER PROGRAM: one test program, its TAP into FOLDER.
out=$1/${2##*/}.tap
export CMOCKA_MESSAGE_OUTPUT=TAP
export UBSAN_OPTIONS=print_stacktrace=1
# ThreadSanitizer wants the address space it knows: no randomisation.
wrap=
case $2 in
*/host-tsan/*) setarch -R true 2>/dev/null && wrap="setarch -R" ;;
esac
# shellcheck disable=SC2086 # two words or none
timeout 300 $wrap "$2" >"$out" 2>&1 </dev/null
echo "# exit status $?" >>"$out"
