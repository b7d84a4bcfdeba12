# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
#
# Shell functions around guests: where they are, and a dialogue with a guest's
# console. Sourced from the top of the tree by demo.sh, emulator.sh, fetch.sh.

guests_build=${AXVM_BUILD_DIR:-build}

guests_say() {
	printf '==> %s\n' "$*" >&2
}

guests_dir() { # arch
	printf '%s/guests/%s\n' "$guests_build" "$1"
}

# Runs a command with a dialogue on its console: lines "wait TEXT" and
# "send TEXT" on stdin, obeyed in order. Each wait looks only at what came
# after the previous one. Output goes to the log; the status is the
# command's, 124 when a wait is not answered within the seconds given.
guests_dialogue() { # log seconds command...
	gd_log=$1
	gd_limit=$2
	shift 2
	gd_fifo=$(mktemp -u "${TMPDIR:-/tmp}/axvm-console.XXXXXX")
	mkfifo "$gd_fifo" || return 1
	: >"$gd_log"
	"$@" <"$gd_fifo" >"$gd_log" 2>&1 3<&- &
	gd_pid=$!
	# A guest that is gone must not take this shell with it.
	trap '' PIPE
	exec 9>"$gd_fifo"
	rm -f "$gd_fifo"
	gd_seen=0
	gd_status=0
	while [ $gd_status = 0 ] && read -r gd_verb gd_text; do
		case $gd_verb in
		wait) guests_await "$gd_text" || gd_status=124 ;;
		send) printf '%s\n' "$gd_text" >&9 2>/dev/null || : ;;
		esac
	done
	[ $gd_status = 0 ] || kill "$gd_pid" 2>/dev/null
	wait "$gd_pid" || gd_status=$?
	exec 9>&-
	return $gd_status
}

guests_await() { # text; uses gd_*
	gd_turns=$((gd_limit * 5))
	while [ $gd_turns -gt 0 ]; do
		# Offset of the end of the first match after what was seen.
		gd_at=$(tail -c "+$((gd_seen + 1))" "$gd_log" |
			tr '\000\r' '  ' | grep -a -b -o -F -e "$1" |
			head -n 1 | cut -d: -f1)
		if [ -n "$gd_at" ]; then
			gd_seen=$((gd_seen + gd_at + ${#1}))
			return 0
		fi
		kill -0 "$gd_pid" 2>/dev/null || return 1
		sleep 0.2
		gd_turns=$((gd_turns - 1))
	done
	return 1
}

# True when every line of stdin occurs in the log at the start of a line.
guests_has_lines() { # log
	gl_missing=0
	while read -r gl_line; do
		[ -n "$gl_line" ] || continue
		tr -d '\r' <"$1" | grep -a -q -e "^$gl_line" || {
			echo "missing: $gl_line" >&2
			gl_missing=1
		}
	done
	return $gl_missing
}
