/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * The smallest kernel around the library, or with FUNCTIONS, a file of lines
 * USE(function), one that refers to all of it: linked, never run.
 */
#include <axvm/axvm.h>

#include "four.h"

#ifdef FUNCTIONS
typedef void (*any_function)(void);
#define USE(function) (any_function) function,
static const any_function volatile used[] = {
#include FUNCTIONS
};
#endif

void start(void);

void start(void)
{
#ifdef FUNCTIONS
	for (unsigned i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		used[i]();
#endif
	while (axvm_error_name(AXVM_OK)[0] == 'A')
		;
}
