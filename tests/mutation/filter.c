/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The axvm authors */

/*
 * Preloaded into test programs by mutation.sh: only the test AXVM_ONLY is run,
 * and its answer is out before anything after it can crash.
 */
#include <stdio.h>
#include <stdlib.h>

void cmocka_set_test_filter(const char *pattern);

__attribute__((constructor)) static void filter(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getenv("AXVM_ONLY") != NULL)
		cmocka_set_test_filter(getenv("AXVM_ONLY"));
}
