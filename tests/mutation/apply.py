#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
"""apply.py MUTATION TREE: makes one change in a source below TREE.

apply.py MUTATION FIELD prints a field of the head. A mutation is a head of
"field: value" lines, a line "--- instead of", the text to find, which must be
in the file exactly once, a line "--- write", and what goes there.
"""
import pathlib
import sys

FIELDS = {"rule", "file", "test", "ends"}


def parse(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    head, found, rest = text.partition("\n--- instead of\n")
    old, written, new = rest.partition("\n--- write\n")
    if not found or not written or not old:
        sys.exit(f"{path}: no text to find or to write")
    fields = {"ends": "fails"}
    for line in head.splitlines():
        if line.startswith("#"):
            continue
        name, _, value = line.partition(": ")
        if name not in FIELDS or not value:
            sys.exit(f"{path}: what is '{line}'?")
        fields[name] = value
    return fields, old, new.removesuffix("\n")


def main():
    mutation, what = sys.argv[1:]
    fields, old, new = parse(mutation)
    if what in FIELDS:
        print(fields[what])
        return
    source = pathlib.Path(what) / fields["file"]
    text = source.read_text(encoding="utf-8")
    if text.count(old) != 1:
        sys.exit(f"the text is {text.count(old)} times in {fields['file']}")
    source.write_text(text.replace(old, new), encoding="utf-8")


main()
