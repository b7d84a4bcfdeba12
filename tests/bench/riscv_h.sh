#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# riscv_h.sh: see exits.sh. Counted are HFENCEs and swaps of the trap vector.
. "$(dirname "$0")/exits.sh"

{
	config 0x8020_0000 0x8000_0000
	cat <<-END
	emu_devices = [
	    ["plic", 0x0c00_0000, 0x60_0000, 0, 0x1, []],
	    ["uart", 0x1000_0000, 0x100, 10, 0x2, []],
	]
	END
} | exits riscv_h riscv64 payload-riscv-bench
