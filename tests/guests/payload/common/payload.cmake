# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
#
# payload(ARCH SUITE...): an executable payload-ARCH-SUITE and its flat binary for
# each suite, of SUITE.c here or in common/, what more_SUITE names besides, and
# the runtime. Uses payload_options, payload_link_options and payload_runtime.

set(payload_common ${CMAKE_CURRENT_LIST_DIR})
set(payload_common_sources
	${payload_common}/fdt.c ${payload_common}/mem.c ${payload_common}/tap.c)

function(payload_settings target)
	target_compile_options(${target} PRIVATE ${payload_options})
	target_include_directories(${target} PRIVATE
		${CMAKE_CURRENT_SOURCE_DIR} ${payload_common})
endfunction()

function(payload arch)
	add_library(payload_${arch}_runtime OBJECT
		${payload_runtime} ${payload_common_sources})
	payload_settings(payload_${arch}_runtime)
	foreach(suite IN LISTS ARGN)
		set(target payload-${arch}-${suite})
		set(script ${CMAKE_CURRENT_SOURCE_DIR}/payload.ld)
		set(source ${suite}.c)
		if(EXISTS ${payload_common}/${suite}.c)
			set(source ${payload_common}/${suite}.c)
		endif()
		add_executable(${target} ${source} ${more_${suite}}
			$<TARGET_OBJECTS:payload_${arch}_runtime>)
		payload_settings(${target})
		target_link_options(${target} PRIVATE
			${payload_link_options} -Wl,-T,${script})
		set_target_properties(${target} PROPERTIES
			LINK_DEPENDS ${script})
		add_custom_command(TARGET ${target} POST_BUILD
			COMMAND ${CMAKE_OBJCOPY} -O binary
				$<TARGET_FILE:${target}>
				$<TARGET_FILE:${target}>.bin
			BYPRODUCTS ${target}.bin VERBATIM)
	endforeach()
endfunction()
