#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# consume.sh PRESET HOW: installs the preset's archive into build/prefix/PRESET
# and links tests/consumer with it the way HOW says: find_package,
# add_subdirectory or pkg-config (host only).
set -eu
preset=$1
prefix=$PWD/build/prefix/$preset
out=build/consumer/$preset-$2
cache=build/$preset/CMakeCache.txt

# cached NAME: a variable of the preset's build tree.
cached() {
	sed -n "s/^$1:[A-Z]*=//p" "$cache"
}

cmake --install "build/$preset" --prefix "$prefix"
rm -rf "$out"
mkdir -p "$out"
case $2 in
find_package) set -- "-DCMAKE_PREFIX_PATH=$prefix" ;;
add_subdirectory) set -- "-DAXVM_SOURCE_DIR=$PWD" \
	"-DAXVM_ARCH=$(cached AXVM_ARCH)" ;;
pkg-config)
	flags=$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags axvm)
	libs=$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --libs axvm)
	# shellcheck disable=SC2086 # lists of flags
	exec gcc -ffreestanding -nostdlib -static -no-pie $flags \
		tests/consumer/main.c -Wl,-e,start -Wl,--whole-archive $libs \
		-Wl,--no-whole-archive -o "$out/consumer"
	;;
esac
toolchain=$(cached CMAKE_TOOLCHAIN_FILE)
abi=$(cached AXVM_RISCV_ABI)
cmake -G Ninja -S tests/consumer -B "$out" "$@" -DCMAKE_BUILD_TYPE=Release \
	${toolchain:+"-DCMAKE_TOOLCHAIN_FILE=$toolchain"} \
	${abi:+"-DAXVM_RISCV_ABI=$abi"}
cmake --build "$out"
