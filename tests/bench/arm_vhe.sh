#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# arm_vhe.sh: see exits.sh. Counted are ISBs and TLBIs.
. "$(dirname "$0")/exits.sh"

{
	config 0x4020_0000 0x4000_0000
	cat <<-END
	emu_devices = [
	    ["gicd", 0x0800_0000, 0x1_0000, 0, 0x21, []],
	    ["gicr", 0x080a_0000, 0x2_0000, 0, 0x20, [1, 0x2_0000, 0]],
	    ["uart", 0x0900_0000, 0x1000, 33, 0x2, []],
	]
	END
} | exits arm_vhe aarch64 payload-arm-bench \
	vtimer_irq --mask-vtimer vtimer_masked
