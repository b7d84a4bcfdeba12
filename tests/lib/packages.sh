# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# Installs what a stage of the tests needs. Sourced by tests/*.sh after
# tests/lib/report.sh.

PACKAGES_BUILD="cmake ninja-build gcc libc6-dev"
PACKAGES_UNIT="$PACKAGES_BUILD g++ clang clang-tidy libcmocka-dev libfdt-dev
	device-tree-compiler gcovr python3 pkg-config"
PACKAGES_FUZZ="$PACKAGES_BUILD clang libclang-rt-dev libcmocka-dev libfdt-dev"
PACKAGES_RISCV64="$PACKAGES_BUILD clang clang-tidy gcc-riscv64-linux-gnu
	qemu-system-misc opensbi device-tree-compiler cpio pkg-config
	debian-archive-keyring"
PACKAGES_BENCH_HOST="$PACKAGES_BUILD g++ libcmocka-dev libfdt-dev
	gcc-riscv64-linux-gnu"
PACKAGES_ARM64="$PACKAGES_BUILD clang clang-tidy gcc-aarch64-linux-gnu
	qemu-system-arm device-tree-compiler cpio pkg-config
	debian-archive-keyring"
# What stands for them where there is no dpkg.
COMMANDS_UNIT="cmake ninja gcc g++ clang clang-tidy gcovr python3"
COMMANDS_BENCH_HOST="cmake ninja gcc g++"
COMMANDS_RISCV64="cmake ninja clang clang-tidy qemu-system-riscv64 dtc cpio"
COMMANDS_ARM64="cmake ninja clang clang-tidy qemu-system-aarch64 dtc cpio"

missing_packages() {
	printf '%s\n' "$@" | sort -u | while read -r package; do
		case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" \
			2>/dev/null) in
		ii*) ;;
		*) printf ' %s' "$package" ;;
		esac
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "neither root nor sudo"
		return 1
	fi
}

apt_install() {
	as_root apt-get update -qq &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install \
			-y -qq --no-install-recommends "$@"
}

# need_packages "package ..." "command ..."
need_packages() {
	if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null
	then
		# shellcheck disable=SC2086 # lists of words
		missing=$(missing_packages $1)
		[ -n "$missing" ] || return 0
		say "installing:$missing"
		# shellcheck disable=SC2086
		apt_install $missing >"$LOGS/packages.log" 2>&1 </dev/null &&
			return 0
		tail -n 15 "$LOGS/packages.log"
		die "could not install:$missing"
	fi
	for name in $2; do
		command -v "$name" >/dev/null || die "$name is not installed"
	done
}
