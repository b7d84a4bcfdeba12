#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# demo.sh [riscv_h|arm_vhe] [--batch] [--kernel FILE] [--initrd FILE]
#         [--append STR]
# A Debian kernel with 4 vCPUs and 256 MiB on 2 CPUs, to a shell on its UART.
# Installs what is missing (Debian; as root or by sudo), builds, fetches.
#   --batch  no shell: the guest checks itself and powers off. Status 0 only if
#            it did and every check is good. The same without a terminal.
set -u
start=$(pwd)
cd "$(dirname "$0")/.." || exit 1
. tests/lib/report.sh
. tests/lib/packages.sh
. tests/lib/guests.sh

CPUS=4

# What the architectures differ in.
set_riscv_h() {
	packages="gcc-riscv64-linux-gnu qemu-system-misc opensbi"
	commands="riscv64-linux-gnu-gcc qemu-system-riscv64"
	preset=riscv64 guests=riscv64 console=ttyS0
}

set_arm_vhe() {
	packages="gcc-aarch64-linux-gnu qemu-system-arm"
	commands="aarch64-linux-gnu-gcc qemu-system-aarch64"
	preset=aarch64 guests=arm64 console=ttyAMA0
}

usage() {
	die "usage: sh tests/demo.sh [riscv_h|arm_vhe] [--batch] [--kernel FILE]" \
		"[--initrd FILE] [--append STR]"
}

# from_here FILE: as the caller named it, from where the caller stood.
from_here() {
	case $1 in
	/*) file=$1 ;;
	*) file=$start/$1 ;;
	esac
	[ -r "$file" ] || die "cannot read $1"
	printf '%s\n' "$file"
}

arch=riscv_h
kernel=
initrd=
append=
batch=
while [ $# -gt 0 ]; do
	case $1 in
	riscv_h | arm_vhe) arch=$1 ;;
	--batch) batch=1 ;;
	--kernel | --initrd | --append)
		[ $# -ge 2 ] || usage
		case $1 in
		--kernel) kernel=$(from_here "$2") || exit 1 ;;
		--initrd) initrd=$(from_here "$2") || exit 1 ;;
		--append) append=$2 ;;
		esac
		shift
		;;
	*) usage ;;
	esac
	shift
done
if [ ! -t 0 ] || [ ! -t 1 ]; then
	batch=1
fi

"set_$arch"

# step TEXT COMMAND...: quiet unless it fails.
step() {
	say "$1"
	shift
	"$@" >"$LOGS/demo-step.log" 2>&1 </dev/null && return 0
	tail -n 25 "$LOGS/demo-step.log"
	die "that failed; the log is $LOGS/demo-step.log"
}

build() {
	cmake --preset "$preset" &&
		cmake --build --preset "$preset" -j "$JOBS" --target hypervisor
}

fetch() {
	if [ -z "$kernel" ]; then
		sh tests/guests/fetch.sh "$guests" --linux || exit 1
		kernel=$(guests_dir "$guests")/Image
	elif [ -z "$initrd" ]; then
		sh tests/guests/fetch.sh "$guests" --initrd || exit 1
	fi
	[ -n "$initrd" ] || initrd=$(guests_dir "$guests")/initrd.cpio
}

# machine ARGUMENT...: the sample hypervisor with this guest.
machine() {
	sh tests/hypervisor/run.sh --arch "$arch" --kernel "$kernel" \
		--initrd "$initrd" --cpus $CPUS --memory 256M --host-cpus 2 "$@"
}

run_batch() {
	log=$LOGS/demo.log
	say "booting Linux: $CPUS vCPUs, 256 MiB, 2 CPUs; it checks itself"
	{
		machine --timeout 180 \
			--append "console=$console axvm.batch $append" </dev/null
		echo $? >"$LOGS/demo.status"
	} 2>&1 | tee "$log"
	status=$(cat "$LOGS/demo.status")
	[ "$status" = 0 ] ||
		die "the guest did not power off (status $status); log: $log"
	guests_has_lines "$log" <<-END || die "not as expected; log: $log"
		result nproc $CPUS$
		result uname Linux .
		result fp ok
		result memory ok
		result irq ok
	END
	say "the guest powered off and every check is good"
}

say "packages"
need_packages "$PACKAGES_BUILD $packages cpio debian-archive-keyring" \
	"cmake ninja $commands"
step "building the library and the sample hypervisor" build
say "guests"
fetch
if [ -n "$batch" ]; then
	run_batch
else
	say "booting Linux: $CPUS vCPUs, 256 MiB, 2 CPUs." \
		"Leave with: poweroff -f (or Ctrl-A x)"
	machine --append "console=$console quiet $append"
fi
