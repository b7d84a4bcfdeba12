# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
# AArch64, bare metal. AXVM_ARM_HOST_FP tells whether the kernel that will be
# linked uses floating-point registers; most are built without. ARMv8.0: the
# library says by itself what it misses on a CPU without VHE. x18 may be the
# kernel's own (a shadow stack, a CPU's data): nothing here uses it.
# A *-linux-gnu- compiler serves as well as an *-elf- one: nothing of its libc
# is used, which is why -ffreestanding stands here and not only in the library.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES
  AXVM_ARM_HOST_FP AXVM_TOOLCHAIN_CLANG)

option(AXVM_ARM_HOST_FP "The kernel uses floating-point registers" OFF)

find_program(AXVM_AARCH64_GCC NAMES aarch64-none-elf-gcc aarch64-elf-gcc
  aarch64-linux-gnu-gcc REQUIRED)
string(REGEX REPLACE "gcc$" "" AXVM_AARCH64_PREFIX "${AXVM_AARCH64_GCC}")

find_program(AXVM_AARCH64_GXX NAMES ${AXVM_AARCH64_PREFIX}g++)

set(AXVM_AARCH64_FLAGS "-march=armv8-a -mstrict-align -mno-outline-atomics \
-ffixed-x18 -ffreestanding")
if(NOT AXVM_ARM_HOST_FP)
  string(APPEND AXVM_AARCH64_FLAGS " -mgeneral-regs-only")
endif()
# Debian's gcc makes PIEs by default; a kernel is none.
set(AXVM_AARCH64_GCC_LINK -no-pie)
set(AXVM_AARCH64_CLANG_LINK "--ld-path=${AXVM_AARCH64_PREFIX}ld")

# axvm_aarch64_compiler(LANGUAGE GCC|CLANG COMPILER)
macro(axvm_aarch64_compiler language family)
  set(CMAKE_${language}_COMPILER ${ARGN})
  if("${family}" STREQUAL "CLANG")
    set(CMAKE_${language}_COMPILER_TARGET aarch64-none-elf)
  endif()
  set(CMAKE_${language}_FLAGS_INIT "${AXVM_AARCH64_FLAGS}")
  set(CMAKE_${language}_LINK_FLAGS "${AXVM_AARCH64_${family}_LINK}")
endmacro()

if(AXVM_TOOLCHAIN_CLANG)
  axvm_aarch64_compiler(C CLANG clang)
  axvm_aarch64_compiler(ASM CLANG clang)
else()
  axvm_aarch64_compiler(C GCC ${AXVM_AARCH64_GCC})
  axvm_aarch64_compiler(ASM GCC ${AXVM_AARCH64_GCC})
endif()
# For kernels in C++; the library has none.
if(AXVM_AARCH64_GXX AND NOT AXVM_TOOLCHAIN_CLANG)
  axvm_aarch64_compiler(CXX GCC ${AXVM_AARCH64_GXX})
else()
  axvm_aarch64_compiler(CXX CLANG clang++)
endif()
set(CMAKE_AR ${AXVM_AARCH64_PREFIX}ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${AXVM_AARCH64_PREFIX}ranlib CACHE FILEPATH "")
set(CMAKE_NM ${AXVM_AARCH64_PREFIX}nm CACHE FILEPATH "")
set(CMAKE_OBJCOPY ${AXVM_AARCH64_PREFIX}objcopy CACHE FILEPATH "")

set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -static -Wl,--build-id=none")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
