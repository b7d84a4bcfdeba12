# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
# RISC-V, bare metal. AXVM_RISCV_ABI chooses the ABI of the kernel that will be
# linked: an lp64 archive does not link into an lp64d kernel.
set(CMAKE_SYSTEM_PROCESSOR riscv64)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES AXVM_RISCV_ABI)

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
set(AXVM_GCC ${AXVM_RISCV_GCC})
set(AXVM_TRIPLE riscv64-unknown-elf)
set(AXVM_RISCV_FLAGS "-mabi=${AXVM_RISCV_ABI} -mcmodel=medany -ffreestanding")
# clang 14 knows CSRs and FENCE.I as part of rv64i and refuses the suffixes.
set(AXVM_GCC_FLAGS
  "${AXVM_RISCV_FLAGS} -march=${AXVM_RISCV_ISA}_zicsr_zifencei")
set(AXVM_CLANG_FLAGS
  "${AXVM_RISCV_FLAGS} -march=${AXVM_RISCV_ISA} -mno-relax")

include(${CMAKE_CURRENT_LIST_DIR}/none.cmake)
