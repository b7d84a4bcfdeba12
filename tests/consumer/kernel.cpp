// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The axvm authors

// kernel.c for kernels in C++, without its library, exceptions and run-time
// types.
#include <axvm/axvm.h>

#include "four.h"

namespace
{

#ifdef FUNCTIONS
using any_function = void (*)();
#define USE(function) reinterpret_cast<any_function>(function),
const any_function volatile used[] = {
#include FUNCTIONS
};
#endif

} // namespace

extern "C" void start();

extern "C" void start()
{
#ifdef FUNCTIONS
	for (auto &function : used)
		function();
#endif
	while (axvm_error_name(AXVM_OK)[0] == 'A')
		__asm__ volatile("");
}
