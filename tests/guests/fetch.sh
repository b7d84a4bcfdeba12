#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
#
# Fetches real guests nobody here wrote into build/guests/ARCH: the Debian
# kernel, busybox with our init as an initramfs, U-Boot. A private apt state
# is used: the system's own lists and packages stay as they are. What is
# there already is not fetched again.
#
#   sh tests/guests/fetch.sh riscv64|arm64 [--initrd | --linux]
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/guests.sh
. tests/guests/newc.sh

arch=${1:-riscv64}
only=${2:-}
suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
case $arch in
riscv64) uboot=qemu-riscv64_smode kernel_suffix= ;;
# The signed kernel is an EFI program around a compressed one.
arm64) uboot=qemu_arm64 kernel_suffix=-unsigned ;;
*)
	echo "fetch: no guests are known for '$arch'" >&2
	exit 2
	;;
esac
out=$(guests_dir "$arch")
here=tests/guests
mkdir -p "$out"
# apt wants absolute names.
out=$(cd "$out" && pwd)
state=$out/.apt

give_up() {
	cat >&2 <<-END
	fetch: $1
	  The guests are Debian packages ($suite, $arch); getting them needs a
	  network, or a mirror named in this machine's apt sources.
	  - Offline: run "sh tests/guests/fetch.sh $arch" once with a network;
	    everything is kept in $out afterwards.
	  - Or bring your own kernel (and initrd):
	    sh tests/demo.sh --kernel FILE [--initrd FILE]
	END
	exit 1
}

private_apt() { # program arguments...
	pa_program=$1
	shift
	"$pa_program" -q -o Dir::State="$state/state" \
		-o Dir::State::lists="$state/lists" \
		-o Dir::State::status="$state/status" \
		-o Dir::Cache="$state/cache" \
		-o Dir::Etc::sourcelist="$state/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null \
		-o APT::Architecture="$arch" -o APT::Architectures="$arch" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none \
		-o Acquire::Retries=3 "$@"
}

# The URIs of this machine's own sources, plain suites before -security and
# the like, which would have no kernel of another suite.
source_uris() {
	apt-get indextargets --format '$(REPO_URI)|$(CODENAME)' \
		'Created-By: Packages' 2>/dev/null | sort -u >"$state/targets"
	grep -v -e '|.*-' "$state/targets" | cut -d'|' -f1
	grep -e '|.*-' "$state/targets" | cut -d'|' -f1
}

# Leaves sources.list at the first URI that offers the suite.
choose_source() {
	[ -s "$keyring" ] ||
		give_up "$keyring is missing (package debian-archive-keyring)"
	for cs_uri in $(source_uris | awk '!seen[$0]++'); do
		echo "deb [arch=$arch signed-by=$keyring] $cs_uri $suite main" \
			>"$state/sources.list"
		private_apt apt-get update >"$state/update.log" 2>&1 || continue
		private_apt apt-cache show busybox-static \
			>/dev/null 2>&1 && return 0
	done
	give_up "no source of this machine gave the package lists"
}

prepare_apt() {
	[ -z "${apt_ready:-}" ] || return 0
	command -v apt-get >/dev/null || give_up "this is not a Debian machine"
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial" \
		"$state/state"
	: >"$state/status"
	guests_say "reading the $suite package lists for $arch"
	choose_source
	apt_ready=1
}

# Downloads one package, extracts into $state/tree and drops the package.
unpack() { # package
	prepare_apt
	guests_say "fetching $1"
	rm -rf "$state/deb" "$state/tree"
	mkdir -p "$state/deb" "$state/tree"
	(cd "$state/deb" && private_apt apt-get download "$1" \
		>"$state/download.log" 2>&1) || {
		tail -n 3 "$state/download.log" >&2
		give_up "cannot download $1"
	}
	dpkg --fsys-tarfile "$state"/deb/*.deb |
		tar -x -C "$state/tree" --exclude='./usr/lib/modules' \
			--exclude='./lib/modules'
	rm -rf "$state/deb"
}

# Files appear under their final name only when they are whole.
keep() { # file name
	cp "$1" "$out/.$2.new"
	mv "$out/.$2.new" "$out/$2"
	rm -rf "$state/tree"
}

fetch_kernel() {
	[ ! -s "$out/Image" ] || return 0
	prepare_apt
	fk_package=$(private_apt apt-cache show "linux-image-$arch" |
		sed -n 's/^Depends:.*\(linux-image-[^ ,]*\).*/\1/p' |
		head -n 1)
	[ -n "$fk_package" ] || give_up "no linux-image-$arch in $suite"
	fk_package=$fk_package$kernel_suffix
	unpack "$fk_package"
	keep "$(ls "$state"/tree/boot/vmlinu[xz]-*)" Image
	echo "$fk_package" >"$out/Image.txt"
}

fetch_busybox() {
	[ ! -s "$out/busybox" ] || return 0
	unpack busybox-static
	if [ -f "$state/tree/usr/bin/busybox" ]; then
		keep "$state/tree/usr/bin/busybox" busybox
	else
		keep "$state/tree/bin/busybox" busybox
	fi
}

fetch_uboot() {
	[ ! -s "$out/u-boot.bin" ] || return 0
	unpack u-boot-qemu
	keep "$state/tree/usr/lib/u-boot/$uboot/u-boot.bin" u-boot.bin
}

# Made anew whenever our init is newer.
make_initrd() {
	[ ! -s "$out/initrd.cpio" ] || [ "$here/init" -nt "$out/initrd.cpio" ] ||
		[ "$out/busybox" -nt "$out/initrd.cpio" ] || return 0
	{
		for mi_dir in bin dev proc sys tmp root; do
			newc_dir "$mi_dir"
		done
		newc_char dev/console 5 1
		newc_char dev/null 1 3
		newc_file bin/busybox 755 "$out/busybox"
		newc_link bin/sh busybox
		newc_file init 755 "$here/init"
		newc_end
	} >"$out/.initrd.new"
	mv "$out/.initrd.new" "$out/initrd.cpio"
}

fetch_busybox
make_initrd
[ "$only" = --initrd ] || fetch_kernel
[ -n "$only" ] || fetch_uboot
rm -rf "$state"
