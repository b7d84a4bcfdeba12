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

find_program(AXVM_RISCV_GXX NAMES ${AXVM_RISCV_PREFIX}g++)

set(AXVM_RISCV_FLAGS "-mabi=${AXVM_RISCV_ABI} -mcmodel=medany -ffreestanding")
# clang 14 knows CSRs and FENCE.I as part of rv64i and refuses the suffixes.
set(AXVM_RISCV_GCC_FLAGS
  "${AXVM_RISCV_FLAGS} -march=${AXVM_RISCV_ISA}_zicsr_zifencei")
set(AXVM_RISCV_CLANG_FLAGS
  "${AXVM_RISCV_FLAGS} -march=${AXVM_RISCV_ISA} -mno-relax")
# Debian's gcc makes PIEs by default; a kernel is none.
set(AXVM_RISCV_GCC_LINK -no-pie)
set(AXVM_RISCV_CLANG_LINK "--ld-path=${AXVM_RISCV_PREFIX}ld")

# axvm_riscv_compiler(LANGUAGE GCC|CLANG COMPILER)
macro(axvm_riscv_compiler language family)
  set(CMAKE_${language}_COMPILER ${ARGN})
  if("${family}" STREQUAL "CLANG")
    set(CMAKE_${language}_COMPILER_TARGET riscv64-unknown-elf)
  endif()
  set(CMAKE_${language}_FLAGS_INIT "${AXVM_RISCV_${family}_FLAGS}")
  set(CMAKE_${language}_LINK_FLAGS "${AXVM_RISCV_${family}_LINK}")
endmacro()

if(AXVM_TOOLCHAIN_CLANG)
  axvm_riscv_compiler(C CLANG clang)
  axvm_riscv_compiler(ASM CLANG clang)
else()
  axvm_riscv_compiler(C GCC ${AXVM_RISCV_GCC})
  axvm_riscv_compiler(ASM GCC ${AXVM_RISCV_GCC})
endif()
# For kernels in C++; the library has none.
if(AXVM_RISCV_GXX AND NOT AXVM_TOOLCHAIN_CLANG)
  axvm_riscv_compiler(CXX GCC ${AXVM_RISCV_GXX})
else()
  axvm_riscv_compiler(CXX CLANG clang++)
endif()
set(CMAKE_AR ${AXVM_RISCV_PREFIX}ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${AXVM_RISCV_PREFIX}ranlib CACHE FILEPATH "")
set(CMAKE_NM ${AXVM_RISCV_PREFIX}nm CACHE FILEPATH "")
set(CMAKE_OBJCOPY ${AXVM_RISCV_PREFIX}objcopy CACHE FILEPATH "")

set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -static -Wl,--build-id=none")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
