# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
# What the toolchains of bare-metal machines share; included by them at their end.
# In: AXVM_GCC with a path, AXVM_TRIPLE as clang names the target, the flags
# AXVM_GCC_FLAGS and AXVM_CLANG_FLAGS. AXVM_TOOLCHAIN_CLANG chooses clang.
# A *-linux-gnu- compiler serves as well as an *-elf- one: nothing of its libc
# is used, which is why they have -ffreestanding and not only the library.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES AXVM_TOOLCHAIN_CLANG)

string(REGEX REPLACE "gcc$" "" AXVM_TOOL_PREFIX "${AXVM_GCC}")
find_program(AXVM_GXX NAMES ${AXVM_TOOL_PREFIX}g++)

# Debian's gcc makes PIEs by default; a kernel is none.
set(AXVM_GCC_LINK -no-pie)
set(AXVM_CLANG_LINK "--ld-path=${AXVM_TOOL_PREFIX}ld")

# axvm_compiler(LANGUAGE GCC|CLANG COMPILER)
macro(axvm_compiler language family)
  set(CMAKE_${language}_COMPILER ${ARGN})
  if("${family}" STREQUAL "CLANG")
    set(CMAKE_${language}_COMPILER_TARGET ${AXVM_TRIPLE})
  endif()
  set(CMAKE_${language}_FLAGS_INIT "${AXVM_${family}_FLAGS}")
  set(CMAKE_${language}_LINK_FLAGS "${AXVM_${family}_LINK}")
endmacro()

if(AXVM_TOOLCHAIN_CLANG)
  axvm_compiler(C CLANG clang)
  axvm_compiler(ASM CLANG clang)
else()
  axvm_compiler(C GCC ${AXVM_GCC})
  axvm_compiler(ASM GCC ${AXVM_GCC})
endif()
# For kernels in C++; the library has none.
if(AXVM_GXX AND NOT AXVM_TOOLCHAIN_CLANG)
  axvm_compiler(CXX GCC ${AXVM_GXX})
else()
  axvm_compiler(CXX CLANG clang++)
endif()
foreach(tool ar ranlib nm objcopy)
  string(TOUPPER ${tool} variable)
  set(CMAKE_${variable} ${AXVM_TOOL_PREFIX}${tool} CACHE FILEPATH "")
endforeach()

set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -static -Wl,--build-id=none")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
