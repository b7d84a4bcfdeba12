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

set(AXVM_AARCH64_FLAGS "-march=armv8-a -mstrict-align -mno-outline-atomics \
-ffixed-x18 -ffreestanding")
if(NOT AXVM_ARM_HOST_FP)
  string(APPEND AXVM_AARCH64_FLAGS " -mgeneral-regs-only")
endif()
if(AXVM_TOOLCHAIN_CLANG)
  set(CMAKE_C_COMPILER clang)
  set(CMAKE_ASM_COMPILER clang)
  set(CMAKE_C_COMPILER_TARGET aarch64-none-elf)
  set(CMAKE_ASM_COMPILER_TARGET aarch64-none-elf)
  set(AXVM_AARCH64_LINK "-fuse-ld=${AXVM_AARCH64_PREFIX}ld")
else()
  set(CMAKE_C_COMPILER ${AXVM_AARCH64_GCC})
  set(CMAKE_ASM_COMPILER ${AXVM_AARCH64_GCC})
  # Debian's compilers make PIEs by default; a kernel is none.
  set(AXVM_AARCH64_LINK -no-pie)
endif()
set(CMAKE_AR ${AXVM_AARCH64_PREFIX}ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${AXVM_AARCH64_PREFIX}ranlib CACHE FILEPATH "")
set(CMAKE_NM ${AXVM_AARCH64_PREFIX}nm CACHE FILEPATH "")
set(CMAKE_OBJCOPY ${AXVM_AARCH64_PREFIX}objcopy CACHE FILEPATH "")

set(CMAKE_C_FLAGS_INIT "${AXVM_AARCH64_FLAGS}")
set(CMAKE_ASM_FLAGS_INIT "${AXVM_AARCH64_FLAGS}")
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "-nostdlib -static -Wl,--build-id=none ${AXVM_AARCH64_LINK}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
