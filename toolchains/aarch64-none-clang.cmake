# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
# AArch64, bare metal, compiled by clang and linked by the GNU linker.
set(AXVM_TOOLCHAIN_CLANG ON)
include(${CMAKE_CURRENT_LIST_DIR}/aarch64-none.cmake)
