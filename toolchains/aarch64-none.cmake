# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
# AArch64, bare metal. AXVM_ARM_HOST_FP tells whether the kernel that will be
# linked uses floating-point registers; most are built without. ARMv8.0: the
# library says by itself what it misses on a CPU without VHE. x18 may be the
# kernel's own (a shadow stack, a CPU's data): nothing here uses it.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES AXVM_ARM_HOST_FP)

option(AXVM_ARM_HOST_FP "The kernel uses floating-point registers" OFF)

find_program(AXVM_AARCH64_GCC NAMES aarch64-none-elf-gcc aarch64-elf-gcc
  aarch64-linux-gnu-gcc REQUIRED)
set(AXVM_GCC ${AXVM_AARCH64_GCC})
set(AXVM_TRIPLE aarch64-none-elf)
set(AXVM_GCC_FLAGS "-march=armv8-a -mstrict-align -mno-outline-atomics \
-ffixed-x18 -ffreestanding")
if(NOT AXVM_ARM_HOST_FP)
  string(APPEND AXVM_GCC_FLAGS " -mgeneral-regs-only")
endif()
set(AXVM_CLANG_FLAGS "${AXVM_GCC_FLAGS}")

include(${CMAKE_CURRENT_LIST_DIR}/none.cmake)
