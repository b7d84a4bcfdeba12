#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
#
# Runs guests in the sample hypervisor in an emulator; `--help` says how.
set -eu

usage() {
	cat <<-END
	run.sh --kernel FILE [OPTION...] [-- --kernel FILE ...]

	Of each VM; "--" begins the next one:
	  --kernel FILE     Image or flat binary, entered at 0x80200000 or, on
	                    ARM, 0x40200000
	  --initrd FILE     initial RAM disk
	  --dtb FILE        device tree to pass on instead of a generated one
	  --append STR      kernel command line
	  --cpus N          virtual CPUs (1)
	  --memory SIZE     RAM, e.g. 64M (256M)
	  --no-uart         only the firmware's console (RISC-V)
	  --passthrough NAME,GPA,HPA,SIZE,IRQ
	                    a device of the machine, without DMA (repeatable)
	  --demand          RAM page by page when the guest touches it
	  --high-ram BITS   2 MiB more, at the end of a space of so many bits
	  --ivc-pool SIZE   room for channels to the other VMs
	  --config FILE     VM configuration instead of a generated one
	Of the machine:
	  --arch NAME       backend: riscv_h (default), arm_vhe
	  --host-cpus N     physical CPUs (2; 1 with --icount)
	  --timeout SECONDS give up then (never)
	  --stats           print exit counters at the end
	  --histograms      and the cycles they took
	  --stack           print how much stack a run takes at most
	  --icount          one instruction per nanosecond, repeatable
	  --mask-vtimer     ARM: the virtual timer is masked while its interrupt
	                    waits, not taken by this kernel
	  --spin-yield      ARM: a vCPU that waits in WFE leaves its CPU to others
	                    (QEMU's never does)
	  --cpu NAME        ARM: cortex-a76 (default), neoverse-n1 or another
	  --sstc on|off     RISC-V: supervisor timer extension (on)
	  --vector on|off   RISC-V: vector extension (off)
	  --slice-ms N      time slice of a vCPU (10)
	  --migrate N       move a vCPU to another CPU every N slices (0: never)
	  --suspend N       suspend the first VM N times, for a second each (0)
	  --shootdown N     take a page of the payload 'shoot' away N times (0)
	  --reserve N       zeroed 4 KiB frames that each VM keeps ready (0)
	  --reboots N       resets a guest may ask for; the next is a power-off (16)
	AXVM_PRESET in the environment names another build of the hypervisor.
	Status: 0 all guests powered off, 1 a guest or the host failed, 2 usage,
	124 timeout. On a terminal, Ctrl-A x leaves.
	END
}

die() {
	printf 'run.sh: %s\n' "$*" >&2
	exit 2
}

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$top/tests/guests/newc.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/axvm-run.XXXXXX")
child=
leave() {
	[ -z "$child" ] || kill "$child" 2>/dev/null || :
	rm -rf "$work"
}
trap leave EXIT
trap 'exit 143' TERM
trap 'exit 130' INT HUP

# bytes SIZE: 64M, 1G, 512K or a plain number.
bytes() {
	digits=${1%[KMGkmg]}
	case $digits in
	'' | *[!0-9]*) die "not a size: $1" ;;
	esac
	case $1 in
	*[Kk]) echo $((digits * 1024)) ;;
	*[Mm]) echo $((digits * 1024 * 1024)) ;;
	*[Gg]) echo $((digits * 1024 * 1024 * 1024)) ;;
	*) echo "$digits" ;;
	esac
}

number() { # option value
	case $2 in
	'' | *[!0-9]*) die "$1 wants a number, not '$2'" ;;
	esac
}

# ---- one VM ----

vms=0
total=0

new_vm() {
	kernel='' initrd='' dtb='' append='' config=''
	uart=1 cpus=1 memory=256M passthrough='' demand='' pool=''
	high=''
}

# A TOML string may not hold quotes, backslashes or control characters as
# they are.
toml_string() {
	printf '%s' "$1" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g'
}

# A row of passthrough_devices from NAME,GPA,HPA,SIZE,IRQ.
passthrough_row() {
	numbers=${1#*,}
	case $numbers in
	*,*,*,*,* | *[!0-9a-fA-Fx,]*) ;;
	?*,?*,?*,?*)
		printf '    ["%s", %s, "none"],' "$(toml_string "${1%%,*}")" "$numbers"
		return
		;;
	esac
	die "--passthrough wants NAME,GPA,HPA,SIZE,IRQ, not '$1'"
}

# The map of QEMU's virt machines, which images count on.
set_map_riscv_h() {
	ram=0x8000_0000 load=0x8020_0000 dtb_line=
	pool_at=0x6000_0000 pool_irq=20
}

devices_riscv_h() {
	echo '    ["plic", 0x0c00_0000, 0x60_0000, 0, 0x1, []],'
	[ -z "$uart" ] || echo '    ["uart", 0x1000_0000, 0x100, 10, 0x2, []],'
}

# U-Boot looks for the device tree at the start of RAM.
set_map_arm_vhe() {
	ram=0x4000_0000 load=0x4020_0000 dtb_line='dtb_load_addr = 0x4000_0000'
	pool_at=0x2000_0000 pool_irq=52
}

devices_arm_vhe() {
	cat <<-END
	    ["gicd", 0x0800_0000, 0x1_0000, 0, 0x21, []],
	    ["gicr", 0x080a_0000, $((cpus * 0x20000)), 0, 0x20, [$cpus, 0x2_0000, 0]],
	END
	[ -z "$uart" ] || echo '    ["uart", 0x0900_0000, 0x1000, 33, 0x2, []],'
}

# Besides the usual RAM.
high_region() {
	echo "[$(((1 << high) - 0x200000)), 0x20_0000, 0x7, ${demand:-0}]"
}

write_config() {
	mode=emulated
	[ -z "$passthrough" ] || mode=passthrough
	"set_map_$arch"
	cat <<-END
	[base]
	id = $vms
	name = "vm$vms"
	vm_type = 2
	cpu_num = $cpus

	[kernel]
	entry_point = $load
	kernel_load_addr = $load
	kernel_path = "kernel"
	$dtb_line
	image_location = "memory"
	cmdline = "$(toml_string "$append")"
	memory_regions = [[$ram, $(bytes "$memory"), 0x7, ${demand:-0}]${high:+, $(high_region)}]

	[devices]
	interrupt_mode = "$mode"
	emu_devices = [
	END
	"devices_$arch"
	[ -z "$pool" ] ||
		echo "    [\"ivc\", $pool_at, $(bytes "$pool"), $pool_irq, 0xA, []],"
	echo ']'
	[ -z "$passthrough" ] ||
		printf 'passthrough_devices = [\n%s\n]\n' "$passthrough"
}

check_arch() {
	listed "$arch" "riscv_h arm_vhe" || die "no board for backend '$arch'"
}

# Into the bundle; the trailer is written when all VMs are known.
end_vm() {
	[ -n "$kernel$config" ] || die "a VM without --kernel"
	vms=$((vms + 1))
	size=$(bytes "$memory")
	total=$((total + size))
	if [ -z "$config" ]; then
		check_arch
		config=$work/config.toml
		write_config >"$config"
	fi
	newc_file "vm$vms/config.toml" 644 "$config" >>"$work/bundle"
	[ -z "$kernel" ] || newc_file "vm$vms/kernel" 644 "$kernel" >>"$work/bundle"
	[ -z "$initrd" ] || newc_file "vm$vms/initrd" 644 "$initrd" >>"$work/bundle"
	[ -z "$dtb" ] || newc_file "vm$vms/dtb" 644 "$dtb" >>"$work/bundle"
}

# A file of the bundle that holds a number; of two the first one counts.
option() { # name number
	printf '%s' "$2" >"$work/option"
	newc_file "$1" 644 "$work/option" >>"$work/bundle"
}

readable() {
	if [ ! -f "$1" ] || [ ! -r "$1" ]; then
		die "cannot read $1"
	fi
}

# ---- the command line ----

arch=riscv_h
host_cpus=
timeout=
icount=
cpu=cortex-a76
sstc=on
vector=off

# Numbers that the hypervisor looks up in the bundle by these names.
bundle_numbers="slice-ms migrate reboots reserve suspend shootdown"
switches="no-uart demand stats histograms stack icount mask-vtimer spin-yield"

# listed NAME LIST
listed() {
	case " $2 " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

switch_on() {
	case $1 in
	no-uart) uart= ;;
	demand) demand=4 ;;
	icount) icount=1 ;;
	*) option "$1" 1 ;;
	esac
}

# set_value OPTION VALUE
set_value() {
	case $1 in
	--cpus | --host-cpus | --timeout | --high-ram) number "$1" "$2" ;;
	--kernel | --initrd | --dtb | --config) readable "$2" ;;
	esac
	case $1 in
	--kernel) kernel=$2 ;;
	--initrd) initrd=$2 ;;
	--dtb) dtb=$2 ;;
	--append) append=$2 ;;
	--cpus) cpus=$2 ;;
	--memory) memory=$2 ;;
	--config) config=$2 ;;
	--passthrough)
		row=$(passthrough_row "$2") || exit 2
		passthrough="$passthrough$row
"
		;;
	--arch) arch=$2 ;;
	--host-cpus) host_cpus=$2 ;;
	--timeout) timeout=$2 ;;
	--cpu) cpu=$2 ;;
	--sstc) sstc=$2 ;;
	--vector) vector=$2 ;;
	--ivc-pool) pool=$2 ;;
	--high-ram) high=$2 ;;
	*)
		usage >&2
		die "unknown option: $1"
		;;
	esac
}

new_vm
while [ $# -gt 0 ]; do
	case $1 in
	--)
		end_vm
		new_vm
		shift
		continue
		;;
	--help)
		usage
		exit 0
		;;
	esac
	if listed "${1#--}" "$switches"; then
		switch_on "${1#--}"
		shift
		continue
	fi
	[ $# -ge 2 ] || die "unknown option, or one without its value: $1"
	if listed "${1#--}" "$bundle_numbers"; then
		number "$1" "$2"
		option "${1#--}" "$2"
	else
		set_value "$1" "$2"
	fi
	shift 2
done
end_vm
check_arch

# ---- the bundle, the hypervisor, the machine ----

newc_end >>"$work/bundle"

# Sets preset, and emulator as the command so far.
set_machine_riscv_h() {
	cpu=rv64,h=true
	case $sstc in
	on) ;;
	off) cpu=$cpu,sstc=false ;;
	*) die "--sstc wants on or off" ;;
	esac
	case $vector in
	on) cpu=$cpu,v=true ;;
	off) ;;
	*) die "--vector wants on or off" ;;
	esac
	preset=riscv64
	emulator="qemu-system-riscv64 -M virt -bios default"
}

set_machine_arm_vhe() {
	preset=aarch64
	emulator="qemu-system-aarch64 -semihosting
		-M virt,virtualization=on,gic-version=3"
}

"set_machine_$arch"
preset=${AXVM_PRESET:-$preset}
binary=${AXVM_BUILD_DIR:-$top/build}/$preset/tests/hypervisor/hypervisor.bin
if [ ! -f "$binary" ]; then
	(cd "$top" && cmake --preset "$preset" &&
		cmake --build --preset "$preset") >"$work/build.log" 2>&1 || {
		tail -n 25 "$work/build.log" >&2
		exit 1
	}
fi

[ -n "$host_cpus" ] || host_cpus=$((${icount:-0} == 1 ? 1 : 2))
# Guest RAM, their files in the bundle, and room for tables and this kernel.
size=$(wc -c <"$work/bundle")
mib=$(((total + size) / 1048576 + 128))

# shellcheck disable=SC2086 # words
set -- $emulator -cpu "$cpu" -smp "$host_cpus" -m "${mib}M" -nic none \
	-kernel "$binary" -initrd "$work/bundle"
[ -z "$icount" ] || set -- "$@" -icount shift=0
if [ -t 0 ]; then
	set -- "$@" -nographic
else
	# No byte of the input means something to the emulator.
	set -- "$@" -display none -monitor none -serial stdio
fi
[ -z "$timeout" ] || set -- timeout --foreground -k 5 "$timeout" "$@"

status=0
# A background command would read /dev/null instead.
exec 3<&0
"$@" <&3 3<&- &
child=$!
wait "$child" || status=$?
child=
case $status in
0 | 124) exit "$status" ;;
*) exit 1 ;;
esac
