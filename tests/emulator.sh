#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors

# emulator.sh [riscv_h|arm_vhe]: guests in the sample hypervisor in QEMU, as TAP.
# Needs the presets riscv64 and riscv64-lp64d built, or aarch64 and aarch64-fp.
# One log per run in build/logs/emulator/ARCH. Only jobs that match the extended
# expression in AXVM_JOBS are run.
#
# A job is "KIND ARGUMENT CPUS HARTS VARIANT [EXTRA]"; jobs on one hart run as
# many at a time as this machine has CPUs. VARIANT: RISC-V, Sstc on or off; ARM,
# the CPU. EXTRA: vector (the harts have V), migrate (every time slice on another
# hart), slices (of 1 ms), lp64d (a hard-float host on such harts), fp (a host that
# uses FP registers, ARM), suspend (stops three times for a second, and is
# watched), shootdown (the host takes a page away 300 times), mask (the host does
# not take the virtual timer, ARM), stack (of a run is measured).
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/guests.sh

arch=riscv_h
case ${1-} in
riscv_h | arm_vhe)
	arch=$1
	shift
	;;
esac
case $arch in
riscv_h)
	guests=riscv64 preset=riscv64 console=ttyS0 payload=riscv
	clock=rtc,0x20101000,0x101000,0x1000,11 ram=0x8000_0000 load=0x8020_0000
	;;
arm_vhe)
	guests=arm64 preset=aarch64 console=ttyAMA0 payload=arm
	clock=rtc,0xa010000,0x9010000,0x1000,34 ram=0x4000_0000 load=0x4020_0000
	;;
esac
LOGS=${AXVM_BUILD_DIR:-build}/logs/emulator/$arch
GUESTS=$(guests_dir $guests)
mkdir -p "$LOGS"

# ---- One job: lines "ok NAME" and "not ok NAME" ----

verdict() { # status name
	if [ "$1" = 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2"
	fi
}

# Replaces the shell it runs in, so that ending it ends the emulator.
machine() { # kernel arguments...
	kernel=$1
	shift
	case $extra in
	vector) set -- --vector on "$@" ;;
	migrate) set -- --migrate 1 "$@" ;;
	slices) set -- --slice-ms 1 "$@" ;;
	shootdown) set -- --shootdown 300 "$@" ;;
	lp64d) set -- --vector on "$@" ;;
	suspend) set -- --suspend 3 --histograms "$@" ;;
	stack) set -- --stack "$@" ;;
	mask) set -- --mask-vtimer --append masked-vtimer "$@" ;;
	esac
	[ "$what" != rtc ] || set -- --passthrough "$clock" "$@"
	[ "$extra" != lp64d ] || export AXVM_PRESET=riscv64-lp64d
	[ "$extra" != fp ] || export AXVM_PRESET=aarch64-fp
	case $arch in
	riscv_h) set -- --sstc "$variant" "$@" ;;
	arm_vhe) set -- --cpu "$variant" "$@" ;;
	esac
	exec sh tests/hypervisor/run.sh --arch "$arch" --kernel "$kernel" \
		--cpus "$cpus" --host-cpus "$harts" "$@"
}

payload_file() {
	find "${AXVM_BUILD_DIR:-build}/$preset" \
		-name "payload-$payload-$1.bin" | head -n 1
}

# The payload's own lines, and whether they are as many as it planned. After
# a reboot the numbers begin again; the plan is the last boot's.
payload_lines() {
	payload_report <"$log"
}

payload_report() {
	tr -d '\r\000' | awk '
		/^(not )?ok [0-9]+ - / {
			bad = $1 == "not"
			last = $(2 + bad)
			sub(/^(not )?ok [0-9]+ - /, "")
			print (bad ? "not ok " : "ok ") $0
		}
		/^Bail out!/ { print "not ok " $0 }
		/^1\.\.[0-9]+$/ { plan = substr($0, 4) }
		END {
			print (plan != "" && plan == last ? "ok" : "not ok"),
				"ran to its end"
		}'
}

job_payload() {
	(machine "$(payload_file "$what")" --memory 64M --timeout 180) \
		</dev/null >"$log" 2>&1
	status=$?
	grep -a -q '^hal: ok' "$log"
	verdict $? "the host passes its self test"
	payload_lines
	verdict $status "powered off (status $status)"
}

# A guest-physical space of so many bits, with RAM at its end.
job_ipa() {
	(machine "$(payload_file ipa)" --memory 64M --high-ram "$what" \
		--timeout 30) \
		</dev/null >"$log" 2>&1
	status=$?
	payload_lines
	verdict $status "powered off (status $status)"
}

# include/axvm/vcpu.h: "stack use of at most 2 KiB".
stack_lines() {
	used=$(tr -d '\000' <"$log" | sed -n \
		's/^host: \([0-9]*\) bytes of stack inside a run.*/\1/p')
	verdict $((${used:-9999} > 2048)) \
		"a run takes $used bytes of stack, at most 2048"
}

# Suspended by the host meanwhile.
job_pause() {
	(machine "$(payload_file "$what")" --memory 64M --timeout 180 \
		--suspend 3) \
		</dev/null >"$log" 2>&1
	status=$?
	payload_lines
	grep -a -q 'host: vm1 stood still 3 times' "$log"
	verdict $? "was suspended three times"
	verdict $status "powered off (status $status)"
}

# A second VM beside it that does its worst; each has its own verdict.
job_two() {
	(machine "$(payload_file "$what")" --memory 64M --timeout 180 -- \
		--kernel "$(payload_file wild)" --cpus 2 --memory 64M) \
		</dev/null >"$log" 2>&1
	status=$?
	sed -n 's/^vm1| //p' "$log" | payload_report
	sed -n 's/^vm2| //p' "$log" | payload_report | sed 's/ok /ok beside it /'
	verdict $status "both powered off (status $status)"
}

# Two VMs that talk to each other; each has its own verdict.
job_ivc() {
	(machine "$(payload_file ivc)" --memory 64M --ivc-pool 16M \
		--timeout 180 -- --kernel "$(payload_file ivc)" \
		--cpus "$cpus" --memory 64M --ivc-pool 64K --demand) \
		</dev/null >"$log" 2>&1
	status=$?
	sed -n 's/^vm1| //p' "$log" | payload_report | sed 's/ok /ok VM 1: /'
	sed -n 's/^vm2| //p' "$log" | payload_report | sed 's/ok /ok VM 2: /'
	verdict $status "both powered off (status $status)"
}

# Cold and warm reboot, then power off; the boots are counted here.
job_reset() {
	guests_dialogue "$log" 30 machine "$(payload_file reset)" --memory 64M \
		--timeout 180 <<-END
		wait c, w or p?
		send c
		wait c, w or p?
		send w
		wait c, w or p?
		send p
	END
	status=$?
	payload_lines
	boots=$(grep -a -c 'c, w or p?' "$log")
	verdict $((boots != 3)) "booted three times ($boots)"
	verdict $status "powered off (status $status)"
}

linux_lines() { # log [words before the verdict]
	for line in "nproc $cpus$" "uname Linux ." "fp ok" "memory ok" \
		"irq ok" "load ok" "hotplug ok"; do
		echo "result $line" | guests_has_lines "$1" 2>/dev/null
		verdict $? "${2-}${line%[$.]}"
	done
}

job_linux() {
	(machine "$GUESTS/Image" --initrd "$GUESTS/initrd.cpio" --memory 256M \
		--append "console=$console axvm.batch" --timeout 150) \
		</dev/null >"$log" 2>&1
	status=$?
	linux_lines "$log"
	verdict $status "powered off (status $status)"
	[ "$extra" != suspend ] || {
		grep -a -q '^host: vm1 stood still 3 times' "$log" &&
			grep -a -q '^stats:   halt: .* cycles on average' "$log"
		verdict $? "was suspended three times, and watched"
	}
}

job_reboot() {
	guests_dialogue "$log" 140 machine "$GUESTS/Image" \
		--initrd "$GUESTS/initrd.cpio" --memory 256M \
		--append "console=$console axvm.batch axvm.ask" --timeout 360 <<-END
		wait axvm: poweroff or reboot?
		send reboot
		wait axvm: poweroff or reboot?
		send poweroff
	END
	status=$?
	linux_lines "$log"
	boots=$(grep -a -c '^result nproc' "$log")
	verdict $((boots != 2)) "booted twice ($boots)"
	verdict $status "powered off (status $status)"
}

# From its shell, twice; then power off. No checks.
job_reboots() {
	guests_dialogue "$log" 60 machine "$GUESTS/Image" \
		--initrd "$GUESTS/initrd.cpio" --memory 256M \
		--append "console=$console" --timeout 180 <<-END
		wait To leave:
		send reboot -f
		wait To leave:
		send reboot -f
		wait To leave:
		send poweroff -f
	END
	status=$?
	boots=$(grep -a -c "^Linux .* on $cpus CPUs" "$log")
	verdict $((boots != 3)) "booted three times ($boots)"
	verdict $status "powered off (status $status)"
}

# Two VMs of it, on the same CPUs at once.
job_twins() {
	linux="--kernel $GUESTS/Image --initrd $GUESTS/initrd.cpio"
	# shellcheck disable=SC2086 # words
	(machine "$GUESTS/Image" --initrd "$GUESTS/initrd.cpio" --memory 192M \
		--append "console=$console axvm.batch" --timeout 240 -- \
		$linux --cpus "$cpus" --memory 192M \
		--append "console=$console axvm.batch") \
		</dev/null >"$log" 2>&1
	status=$?
	for vm in 1 2; do
		sed -n "s/^vm$vm| //p" "$log" >"$log.vm$vm"
		linux_lines "$log.vm$vm" "VM $vm: "
	done
	verdict $status "both powered off (status $status)"
}

# A guest that stores to memory it may only read fails, and it alone: the host
# says what it did, shows the vCPU, counts its exits, and has its heap back.
job_failed() {
	cat >"$LOGS/failed.toml" <<-END
		[base]
		id = 1
		name = "vm1"
		vm_type = 2
		cpu_num = 1
		[kernel]
		entry_point = $load
		kernel_load_addr = $load
		kernel_path = "kernel"
		memory_regions = [
		    [$ram, 0x400_0000, 0x5, 0], [0x9000_0000, 0x20_0000, 0x7, 0]
		]
		[devices]
		interrupt_mode = "emulated"
	END
	(machine "$(payload_file "$what")" --memory 64M --timeout 180 \
		--config "$LOGS/failed.toml" --stats) </dev/null >"$log" 2>&1
	verdict $(($? != 1)) "the host reports a failure"
	for line in "host: vm1 vcpu0: FAULT pc " "vcpu 0 of vm 1: ready" \
		"pc  *[0-9a-f]*$" "stats: vm1 vcpu0 exit s2_fault 1$" \
		"host: heap balanced"; do
		echo "$line" | guests_has_lines "$log" 2>/dev/null
		verdict $? "a line \"$line\""
	done
}

# A CPU on which the library does not run says what it misses.
job_refused() {
	echo >"$LOGS/empty"
	(machine "$LOGS/empty" --memory 64M --timeout 30) \
		</dev/null >"$log" 2>&1
	verdict $(($? != 1)) "the host gives up"
	grep -a -q 'CPU 0: .*VHE' "$log"
	verdict $? "and says why"
}

job_uboot() {
	guests_dialogue "$log" 60 machine "$GUESTS/u-boot.bin" --memory 256M \
		--timeout 120 <<-END
		wait Hit any key
		send
		wait =>
		send version
		wait U-Boot 20
		wait =>
		send poweroff
	END
	status=$?
	grep -a -q '^=> *version' "$log"
	verdict $? "prompt and version"
	verdict $status "powered off (status $status)"
}

run_job() { # kind argument cpus harts variant [extra]
	kind=$1
	what=$2
	cpus=$3
	harts=$4
	variant=$5
	extra=${6-}
	log=$LOGS/$kind-$what-$cpus-$harts-$variant${extra:+-$extra}.log
	began=$(date +%s)
	"job_$kind"
	[ "$extra" != stack ] || stack_lines
	echo "# $(($(date +%s) - began)) s"
}

# ---- All of them ----

jobs_riscv_h() {
	cat <<-END
		failed sbi 1 1 on
		payload sbi 2 1 on
		payload sbi 1 1 off
		payload mmio 1 1 on stack
		payload fault 1 1 on
		payload fault 1 1 off
		payload irq 1 1 on
		payload rtc 1 1 off
		payload time 4 1 off
		payload smp 1 1 on
		payload smp 4 1 off
		ivc ivc 1 1 on stack
		ivc ivc 1 1 off
		reset reset 2 1 on
		pause pause 1 1 on
		pause pause 2 1 off
		pause pause 3 2 on
		uboot uboot 1 1 on
		linux linux 1 1 on
		linux linux 1 1 off
		linux linux 2 1 on
		linux linux 2 1 off
		linux linux 4 1 on
		linux linux 4 1 off
		payload sbi 4 2 on
		payload irq 4 2 on
		payload rtc 4 2 on
		payload time 4 2 on
		payload smp 4 2 on
		payload wild 4 2 on
		payload smp 4 2 on vector
		payload smp 4 2 on lp64d
		payload mmio 1 2 on lp64d
		linux linux 2 2 on lp64d
		payload smp 4 2 on migrate
		payload smp 4 2 off migrate
		payload time 4 2 on migrate
		payload irq 4 2 on migrate
		payload rtc 4 2 on migrate
		payload shoot 2 2 on shootdown
		two smp 2 2 on
		ivc ivc 1 2 on
		ivc ivc 2 2 on migrate
		reset reset 4 2 off
		linux linux 1 2 on
		linux linux 1 2 off
		linux linux 2 2 on stack
		linux linux 2 2 off
		linux linux 4 2 on
		linux linux 4 2 off
		linux linux 2 2 on suspend
		reboot linux 4 2 on
	END
}

jobs_arm_vhe() {
	cat <<-END
		refused none 1 1 cortex-a72
		failed psci 1 1 cortex-a76
		payload psci 1 1 cortex-a76
		payload psci 2 1 a64fx
		payload abort 1 1 cortex-a76
		payload abort 1 1 max
		payload aarch32 1 1 cortex-a76
		payload debug 2 1 cortex-a76
		payload endian 2 1 cortex-a76
		payload mmio 1 1 cortex-a76 stack
		payload gic 1 1 cortex-a76
		payload hammer 1 1 cortex-a76
		ipa 33 1 1 cortex-a76
		ipa 40 1 1 cortex-a76
		ipa 43 1 1 neoverse-n1
		ipa 44 1 1 neoverse-n1
		ipa 48 1 1 neoverse-n1
		payload fp 2 1 cortex-a76
		payload sysreg 2 1 neoverse-n1
		payload sysreg 2 1 max
		payload rtc 1 1 cortex-a76
		payload smp 1 1 cortex-a76
		payload time 4 1 cortex-a76
		payload time 4 1 cortex-a76 mask
		payload smp 4 1 cortex-a76
		ivc ivc 1 1 cortex-a76 stack
		reset reset 2 1 cortex-a76
		pause pause 1 1 cortex-a76
		pause pause 2 1 cortex-a76
		uboot uboot 1 1 cortex-a76
		linux linux 1 1 cortex-a76
		linux linux 2 1 cortex-a76
		linux linux 4 1 cortex-a76
		linux linux 2 1 neoverse-n1
		payload psci 4 2 cortex-a76
		payload gic 4 2 cortex-a76
		payload rtc 4 2 cortex-a76
		payload fp 4 2 cortex-a76
		payload time 4 2 cortex-a76
		payload time 4 2 cortex-a76 mask
		payload smp 4 2 cortex-a76
		payload wild 4 2 cortex-a76
		payload gic 4 2 cortex-a76 migrate
		payload hammer 4 2 cortex-a76
		payload hammer 4 2 cortex-a76 migrate
		payload rtc 4 2 cortex-a76 migrate
		payload debug 4 2 cortex-a76 migrate
		payload fp 4 2 cortex-a76 migrate
		payload fp 4 2 cortex-a76 slices
		payload time 4 2 neoverse-n1 migrate
		payload time 4 2 cortex-a76 migrate
		payload smp 4 2 cortex-a76 migrate
		payload shoot 2 2 cortex-a76 shootdown
		pause pause 3 2 cortex-a76
		two smp 2 2 cortex-a76
		ivc ivc 2 2 cortex-a76 migrate
		reset reset 4 2 cortex-a76
		payload fp 4 2 cortex-a76 fp
		linux linux 2 2 cortex-a76 fp
		linux linux 1 2 cortex-a76
		linux linux 2 2 cortex-a76 stack
		linux linux 4 2 cortex-a76
		linux linux 4 2 cortex-a76 mask
		linux linux 4 2 neoverse-n1
		linux linux 4 2 cortex-a76 migrate
		linux linux 2 2 cortex-a76 suspend
		twins linux 2 2 cortex-a76
		reboot linux 4 2 cortex-a76
		reboots linux 2 2 neoverse-n1
	END
}

# job_name KIND ARGUMENT CPUS HARTS VARIANT [EXTRA]
job_name() {
	case $arch in
	riscv_h) variant="harts, Sstc $5" ;;
	arm_vhe) variant="CPUs, $5" ;;
	esac
	echo "$2${1#"$2"} $3 vCPUs on $4 $variant${6:+, $6}" |
		sed 's/^\([a-z0-9]*\)payload /\1 /; s/^linuxreboot/linux reboot/
			s/^linuxtwins/linux, two VMs,/; s/^pausepause/pause/
			s/^nonerefused/refused,/; s/^[a-z]*failed/failed guest,/
			s/^\([0-9]*\)ipa/\1 bits of space,/
			s/^smptwo/smp and wild, two VMs,/'
}

# run_jobs HARTS PARALLEL: each into its own file.
run_jobs() {
	jobs_$arch | grep -E -e "${AXVM_JOBS:-.}" |
		awk -v harts="$1" '$4 == harts' |
		xargs -r -P "$2" -L 1 sh tests/emulator.sh $arch --job
}

# The lines of all jobs under one numbering.
report() {
	jobs_$arch | grep -E -e "${AXVM_JOBS:-.}" | while read -r job; do
		# shellcheck disable=SC2086 # five words
		set -- $job
		name=$(job_name "$@")
		file=$LOGS/$1-$2-$3-$4-$5${6:+-$6}
		sed -e "s|^\(not ok\) \(.*\)|\1 - $name: \2 # $file.log|" \
			-e "s|^ok |ok - $name: |" -e "s|^#|# $name:|" "$file.tap"
	done | awk '
		/^ok - / { print "ok " ++n substr($0, 3); next }
		/^not ok - / { print "not ok " ++n substr($0, 7); next }
		{ print }
		END { print "1.." n + 0 }'
}

case ${1-} in
--job)
	shift
	run_job "$@" >"$LOGS/$1-$2-$3-$4-$5${6:+-$6}.tap" 2>&1 </dev/null
	exit 0
	;;
"") ;;
*)
	echo "usage: sh tests/emulator.sh [riscv_h|arm_vhe]" >&2
	exit 2
	;;
esac

sh tests/guests/fetch.sh $guests || {
	echo "not ok 1 - the guests can be fetched"
	echo "1..1"
	exit 1
}
rm -f "$LOGS"/*
run_jobs 1 "$(nproc)"
run_jobs 2 1
report
