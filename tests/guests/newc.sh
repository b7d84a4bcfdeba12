# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
#
# Writes a newc cpio archive with nothing but a POSIX shell and dd, because a
# bare Debian has no cpio. Sourced; output goes to stdout.

newc_inode=0
newc_pad() { # bytes written so far in this part
	case $(($1 % 4)) in
	1) printf '\0\0\0' ;;
	2) printf '\0\0' ;;
	3) printf '\0' ;;
	esac
}

newc_head() { # name mode size rdev-major rdev-minor
	newc_inode=$((newc_inode + 1))
	printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x' \
		"$newc_inode" $(($2)) 0 0 1 0 "$3" 0 0 "$4" "$5" \
		$((${#1} + 1)) 0
	printf '%s\0' "$1"
	newc_pad $((110 + ${#1} + 1))
}

newc_dir() { # name
	newc_head "$1" 0040755 0 0 0
}

newc_char() { # name major minor
	newc_head "$1" 0020600 0 "$2" "$3"
}

newc_file() { # name mode file
	newc_size=$(wc -c <"$3")
	newc_head "$1" "0100$2" "$newc_size" 0 0
	cat "$3"
	newc_pad "$newc_size"
}

newc_link() { # name target
	newc_head "$1" 0120777 ${#2} 0 0
	printf '%s' "$2"
	newc_pad ${#2}
}

newc_end() {
	newc_head 'TRAILER!!!' 0 0 0 0
}
