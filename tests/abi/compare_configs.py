#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
"""Compares the library's TOML reader with Python's tomllib, value by value.

usage: compare_configs.py TOML_DUMP FILE...

Runs TOML_DUMP (tests/support/toml_dump.c) on every file and compares all that
it prints with what tomllib reads, after the defaults and aliases of the format.
Prints one TAP line per file; with --check also what axvm_config_check said.
"""

import json
import subprocess
import sys
import tomllib

BOOT = {"direct": 0, "kernel": 0, "multiboot": 1, "bios": 1, "axvm-bios": 1,
        "uefi": 2, "efi": 2}
LOCATION = {"memory": 0, "fs": 1}
INTERRUPTS = {"no_irq": 0, "no": 0, "none": 0, "emu": 1, "emulated": 1,
              "passthrough": 2, "pt": 2}
POLICY = {"virtualized": 0, "virtual": 0, "passthrough": 1, "pt": 1}
DMA = {"none": 0, "trusted": 1}
DMA_UNSPECIFIED = 2
READ_WRITE_EXEC = 7

REGION = ("gpa", "size", "flags", "map_type", "hpa")
EMULATED = ("name", "base_gpa", "length", "irq_id", "emu_type", "cfg_list")
PASSTHROUGH = ("name", "base_gpa", "base_hpa", "length", "irq_id", "dma")
ADDRESS = ("base_gpa", "length", "dma")
PORT = ("base", "length", "dma")


def row(entry, names, defaults):
    """A struct, written as an array or as a table, in the array's order."""
    if isinstance(entry, list):
        entry = dict(zip(names, entry, strict=False))
    return [entry.get(name, defaults.get(name, 0)) for name in names]


def region(entry):
    values = row(entry, REGION, {})
    values[2] &= READ_WRITE_EXEC
    return values


def emulated(entry):
    return row(entry, EMULATED, {"cfg_list": []})


def with_dma(entry, names):
    values = row(entry, names, {"dma": None})
    values[-1] = DMA.get(values[-1], DMA_UNSPECIFIED)
    return values


def expected_kernel(kernel):
    bios = kernel.get("enable_bios", False)
    default = "multiboot" if bios else "direct"
    result = {
        "enable_bios": bios,
        "boot_protocol": BOOT[kernel.get("boot_protocol", default)],
        "image_location": LOCATION[kernel.get("image_location", "memory")],
        "memory_regions": [region(e) for e in kernel.get("memory_regions", [])],
    }
    for key in ("entry_point", "kernel_load_addr", "bios_load_addr",
                "dtb_load_addr", "ramdisk_load_addr"):
        result[key] = kernel.get(key, 0)
    for key in ("kernel_path", "bios_path", "uefi_firmware_path", "dtb_path",
                "ramdisk_path", "cmdline", "disk_path"):
        result[key] = kernel.get(key)
    return result


def expected_devices(devices):
    def entries(key):
        return devices.get(key, [])

    return {
        "emu_devices": [emulated(e) for e in entries("emu_devices")],
        "passthrough_devices": [with_dma(e, PASSTHROUGH)
                                for e in entries("passthrough_devices")],
        "passthrough_addresses": [with_dma(e, ADDRESS)
                                  for e in entries("passthrough_addresses")],
        "passthrough_ports": [with_dma(e, PORT)
                              for e in entries("passthrough_ports")],
        "excluded_devices": [s for e in entries("excluded_devices") for s in e],
        "interrupt_mode": INTERRUPTS[devices.get("interrupt_mode", "no_irq")],
        "address_space_policy":
            POLICY[devices.get("address_space_policy", "virtualized")],
    }


def expected(document):
    base = document.get("base", {})
    return {
        "base": {
            "id": base.get("id", 0),
            "name": base.get("name"),
            "vm_type": base.get("vm_type", 0),
            "cpu_num": base.get("cpu_num", 0),
            "phys_cpu_ids": base.get("phys_cpu_ids", []),
            "phys_cpu_sets": base.get("phys_cpu_sets", []),
        },
        "kernel": expected_kernel(document.get("kernel", {})),
        "devices": expected_devices(document.get("devices", {})),
    }


def load(path):
    # tomllib does not know the byte order mark that TOML 1.0 lets us ignore.
    with open(path, "rb") as file:
        text = file.read().removeprefix(b"\xef\xbb\xbf")
    return tomllib.loads(text.decode())


def differences(wanted, got):
    """Keys whose values differ, and keys that only one side has."""
    for table in wanted.keys() | got.keys():
        a, b = wanted.get(table, {}), got.get(table, {})
        for key in sorted(a.keys() | b.keys()):
            if key not in a or key not in b or a[key] != b[key]:
                yield (f"{table}.{key}: tomllib {a.get(key)!r}, "
                       f"axvm {b.get(key)!r}")


def compare(dump, path):
    """Returns what is wrong, and what the check of the values said."""
    run = subprocess.run([dump, path], capture_output=True, timeout=10)
    if run.returncode != 0:
        return [run.stderr.decode(errors="replace").strip()], {}
    got = json.loads(run.stdout)
    check = got.pop("check")
    return list(differences(expected(load(path)), got)), check


def main(arguments):
    show = "--check" in arguments
    arguments = [a for a in arguments if a != "--check"]
    if len(arguments) < 2:
        sys.exit(__doc__)
    dump, paths = arguments[0], arguments[1:]
    failed = 0
    print(f"1..{len(paths)}")
    for number, path in enumerate(paths, 1):
        wrong, check = compare(dump, path)
        print(f"{'not ok' if wrong else 'ok'} {number} - {path}")
        for line in wrong:
            print(f"# {line}")
        if show and check:
            print(f"# check: {check['error']} {check['field']}"
                  f"[{check['index']}] {check['reason']}")
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
