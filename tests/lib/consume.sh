#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# consume.sh PRESET: installs the preset's archive, moves what was installed to
# another place and looks at it; then the kernels of tests/consumer link it by
# find_package, add_subdirectory and pkg-config. Prints TAP.
set -u
preset=$1
source=$PWD
cache=build/$preset/CMakeCache.txt
out=$PWD/build/consumer/$preset
prefix=$out/moved
n=0

# cached NAME: a variable of the preset's build tree.
cached() {
	sed -n "s/^$1:[A-Z]*=//p" "$cache"
}

# try NAME COMMAND...: one test; its output is shown only when it fails.
try() {
	n=$((n + 1))
	name=$1
	shift
	if "$@" >"$out/log" 2>&1; then
		echo "ok $n - $preset: $name"
	else
		echo "not ok $n - $preset: $name"
		tail -n 15 "$out/log" | sed 's/^/# /'
		return 1
	fi
}

# ---- what is installed ----

install_and_move() {
	cmake --install "build/$preset" --prefix "$out/first" &&
		mv "$out/first" "$prefix"
}

only_these_files() {
	find "$prefix" -type f ! -path '*/include/axvm/*' |
		sed "s|^$prefix/||" | sort >"$out/files"
	config=$(cached CMAKE_BUILD_TYPE | tr '[:upper:]' '[:lower:]')
	diff - "$out/files" <<-END
		lib/cmake/axvm/axvm-config-$config.cmake
		lib/cmake/axvm/axvm-config-version.cmake
		lib/cmake/axvm/axvm-config.cmake
		lib/libaxvm.a
		lib/pkgconfig/axvm.pc
	END
}

no_path_of_ours() {
	! grep -r -l -a -F -e "$source" "$prefix"
}

pkg() {
	PKG_CONFIG_LIBDIR=$prefix/lib/pkgconfig pkg-config "$@" axvm
}

# The version that the headers name.
version() {
	awk '/define AXVM_VERSION_[A-Z]+ [0-9]/ { v = v "." $3 } END { print substr(v, 2) }' \
		"$prefix/include/axvm/version.h"
}

one_version() {
	[ "$(pkg --modversion)" = "$(version)" ]
}

# Functions that the installed headers declare and that the archive defines;
# a backend that is not in the archive is declared all the same.
declared_functions() {
	(cd "$prefix/include" && find axvm -name '*.h') |
		sed 's/.*/#include <&>/' |
		gcc -std=c11 -ffreestanding -I"$prefix/include" -fsyntax-only \
			-aux-info "$out/declared" -xc - || return 1
	grep '/axvm/.* extern ' "$out/declared" |
		grep -o 'axvm_[a-z0-9_]* (' | tr -d ' (' | sort -u
}

defined_functions() {
	"$(cached CMAKE_NM)" -g --defined-only "$prefix/lib/libaxvm.a" |
		awk '$2 == "T" && $3 ~ /^axvm_/ { print $3 }' | sort -u
}

headers_and_archive_agree() {
	arch=$(cached AXVM_ARCH)
	declared_functions | grep -v -e '^axvm_backend_' >"$out/should"
	[ "$arch" = none ] || echo "axvm_backend_$arch" >>"$out/should"
	defined_functions | grep -v -e "^axvm_backend_$arch\$" >"$out/is"
	[ "$arch" = none ] || echo "axvm_backend_$arch" >>"$out/is"
	[ "$(wc -l <"$out/is")" -gt 40 ] && diff "$out/should" "$out/is"
}

# Where CMAKE_INSTALL_LIBDIR has more than one part, as in Debian's packages.
pc_in_deep_libdir() {
	deep=$out/deep/lib/some-triplet/pkgconfig
	cmake -G Ninja -S . -B "$out/libdir" -DAXVM_TESTS=OFF \
		-DCMAKE_INSTALL_LIBDIR=lib/some-triplet || return 1
	mkdir -p "$deep" && cp "$out/libdir/axvm.pc" "$deep" || return 1
	found=$(PKG_CONFIG_LIBDIR=$deep pkg-config --variable=prefix axvm)
	[ "$(cd "$found" && pwd)" = "$out/deep" ]
}

# ---- kernels ----

configure() { # how options...
	how=$1
	shift
	set -- "$@" "-DAXVM_FUNCTIONS=$out/functions.inc" \
		-DCMAKE_BUILD_TYPE=Release
	toolchain=$(cached CMAKE_TOOLCHAIN_FILE)
	abi=$(cached AXVM_RISCV_ABI)
	cmake -G Ninja -S tests/consumer -B "$out/$how" "$@" \
		${toolchain:+"-DCMAKE_TOOLCHAIN_FILE=$toolchain"} \
		${abi:+"-DAXVM_RISCV_ABI=$abi"}
}

# by_pkg_config C|CXX minimal|everything: one command of the compiler.
by_pkg_config() {
	suffix=c
	[ "$1" = C ] || suffix=cpp
	libs=$(pkg --libs) || return 1
	if [ "$2" = everything ]; then
		set -- "$1" "$2" "-DFUNCTIONS=\"$out/functions.inc\""
		libs="-Wl,--whole-archive $libs -Wl,--no-whole-archive"
	fi
	mkdir -p "$out/pkg-config"
	# shellcheck disable=SC2046,SC2086 # lists of flags
	$(cat "$out/find_package/command-$1") $(pkg --cflags) ${3+"$3"} \
		"tests/consumer/kernel.$suffix" $libs -o "$out/pkg-config/$1_$2"
}

# Of the archive the smallest kernel has the one object that it uses.
takes_one_object() { # how
	for kind in C CXX; do
		names=$("$(cached CMAKE_NM)" -g --defined-only \
			"$out/$1/${kind}_minimal" |
			awk '$3 ~ /^axvmi?_/ { print $3 }')
		[ "$names" = axvm_error_name ] || {
			echo "$names"
			return 1
		}
	done
}

kernels() { # how
	how=$1
	for kind in C CXX; do
		for what in minimal everything; do
			case $how in
			pkg-config) set -- by_pkg_config "$kind" "$what" ;;
			*) set -- cmake --build "$out/$how" --target \
				"${kind}_$what" ;;
			esac
			try "by $how: $kind $what" "$@"
		done
	done
	try "by $how: minimal takes one object" takes_one_object "$how"
}

rm -rf "$out"
mkdir -p "$out"
if try "installs, and moves" install_and_move; then
	try "headers are those of include/axvm" diff -r include \
		"$prefix/include"
	try "nothing else is installed" only_these_files
	try "no path of this machine is in it" no_path_of_ours
	try "pkg-config and the headers name one version" one_version
	try "headers declare what the archive defines" headers_and_archive_agree
	try "symbols" sh tests/lib/symbols.sh "$(cached CMAKE_NM)" \
		"$prefix/lib/libaxvm.a"
	[ "$(cached AXVM_ARCH)" != none ] ||
		try "axvm.pc in a deeper libdir" pc_in_deep_libdir
	defined_functions | sed 's/.*/USE(&)/' >"$out/functions.inc"
	try "find_package finds this version and no other" configure \
		find_package "-DCMAKE_PREFIX_PATH=$prefix" \
		"-DAXVM_EXPECT=$(version)"
	kernels find_package
	kernels pkg-config
	try "add_subdirectory" configure add_subdirectory \
		"-DAXVM_SOURCE_DIR=$source" "-DAXVM_ARCH=$(cached AXVM_ARCH)"
	kernels add_subdirectory
fi
echo "1..$n"
