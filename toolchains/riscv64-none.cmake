# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
# RISC-V, bare metal. AXVM_RISCV_ABI chooses the ABI of the kernel that will be
# linked: an lp64 archive does not link into an lp64d kernel.
# A *-linux-gnu- compiler serves as well as an *-elf- one: nothing of its libc
# is used, which is why -ffreestanding stands here and not only in the library.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES
  AXVM_RISCV_ABI AXVM_TOOLCHAIN_CLANG)

set(AXVM_RISCV_ABI lp64 CACHE STRING "RISC-V ABI: lp64 or lp64d")
if(AXVM_RISCV_ABI STREQUAL "lp64d")
  set(AXVM_RISCV_ISA rv64imafdc)
elseif(AXVM_RISCV_ABI STREQUAL "lp64")
  set(AXVM_RISCV_ISA rv64imac)
else()
  message(FATAL_ERROR "AXVM_RISCV_ABI is ${AXVM_RISCV_ABI}: lp64 or lp64d")
endif()

find_program(AXVM_RISCV_GCC NAMES riscv64-unknown-elf-gcc riscv64-none-elf-gcc
  riscv64-linux-gnu-gcc REQUIRED)
string(REGEX REPLACE "gcc$" "" AXVM_RISCV_PREFIX "${AXVM_RISCV_GCC}")

set(AXVM_RISCV_FLAGS "-mabi=${AXVM_RISCV_ABI} -mcmodel=medany -ffreestanding")
if(AXVM_TOOLCHAIN_CLANG)
  # clang 14 knows CSRs and FENCE.I as part of rv64i and refuses the suffixes.
  set(CMAKE_C_COMPILER clang)
  set(CMAKE_ASM_COMPILER clang)
  set(CMAKE_C_COMPILER_TARGET riscv64-unknown-elf)
  set(CMAKE_ASM_COMPILER_TARGET riscv64-unknown-elf)
  string(APPEND AXVM_RISCV_FLAGS " -march=${AXVM_RISCV_ISA} -mno-relax")
  set(AXVM_RISCV_LINK "-fuse-ld=${AXVM_RISCV_PREFIX}ld")
else()
  set(CMAKE_C_COMPILER ${AXVM_RISCV_GCC})
  set(CMAKE_ASM_COMPILER ${AXVM_RISCV_GCC})
  string(APPEND AXVM_RISCV_FLAGS " -march=${AXVM_RISCV_ISA}_zicsr_zifencei")
  # Debian's compilers make PIEs by default; a kernel is none.
  set(AXVM_RISCV_LINK -no-pie)
endif()
set(CMAKE_AR ${AXVM_RISCV_PREFIX}ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${AXVM_RISCV_PREFIX}ranlib CACHE FILEPATH "")
set(CMAKE_NM ${AXVM_RISCV_PREFIX}nm CACHE FILEPATH "")
set(CMAKE_OBJCOPY ${AXVM_RISCV_PREFIX}objcopy CACHE FILEPATH "")

set(CMAKE_C_FLAGS_INIT "${AXVM_RISCV_FLAGS}")
set(CMAKE_ASM_FLAGS_INIT "${AXVM_RISCV_FLAGS}")
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "-nostdlib -static -Wl,--build-id=none ${AXVM_RISCV_LINK}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
