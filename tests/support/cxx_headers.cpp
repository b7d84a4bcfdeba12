// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The axvm authors

// A C++ kernel may use the library: its headers compile as C++17 and their
// functions link under their C names.
#include <cstdio>
#include <cstring>

#include "axvm/error.h"

int main()
{
	bool same = std::strcmp(axvm_error_name(AXVM_EINVAL), "AXVM_EINVAL") == 0;

	std::printf("1..1\n%sok 1 - cxx_program_links_with_the_archive\n",
		    same ? "" : "not ");
	return same ? 0 : 1;
}
