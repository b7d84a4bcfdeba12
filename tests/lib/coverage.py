#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
"""coverage.py REPORT EXCEPTIONS LEAST: a table of lines and branches out of
gcovr's JSON, then what is neither covered nor listed in EXCEPTIONS. Fails when
less than LEAST per cent of the branches are taken, or when a line that
EXCEPTIONS lists is no longer in its file."""
import json
import sys


def read_exceptions(path):
    """{file: [part of a line]}"""
    listed = {}
    for text in open(path, encoding="utf-8"):
        if text.startswith("#") or not text.strip():
            continue
        name, part, reason = text.rstrip("\n").split(" | ", 2)
        assert reason
        listed.setdefault(name, []).append(part)
    return listed


class File:
    def __init__(self, record, listed):
        self.name = record["file"]
        self.source = open(self.name, encoding="utf-8").read().split("\n")
        self.parts = listed.get(self.name, [])
        self.lines = self.lines_hit = self.branches = self.branches_hit = 0
        self.left = []
        for line in record["lines"]:
            if not line.get("gcovr/noncode"):
                self.count(line)

    def count(self, line):
        text = self.source[line["line_number"] - 1].strip()
        taken = [b["count"] != 0 for b in line.get("branches", [])]
        if "AXVMI_ASSERT" in text:
            taken = []
        self.lines += 1
        self.lines_hit += line["count"] != 0
        self.branches += len(taken)
        self.branches_hit += sum(taken)
        if (line["count"] == 0 or not all(taken)) and not any(
                part in text for part in self.parts):
            self.left.append((line["line_number"], text))

    def stale(self):
        return [part for part in self.parts
                if not any(part in text for text in self.source)]


def row(name, files):
    def share(hit, all_):
        return 100.0 * hit / all_ if all_ else 100.0

    lines = sum(f.lines for f in files)
    lines_hit = sum(f.lines_hit for f in files)
    branches = sum(f.branches for f in files)
    hit = sum(f.branches_hit for f in files)
    print("%-34s %5d/%-5d %5.1f %%  %5d/%-5d %5.1f %%" % (
        name, lines_hit, lines, share(lines_hit, lines), hit, branches,
        share(hit, branches)))
    return share(hit, branches)


def main():
    report, exceptions, least = sys.argv[1:]
    listed = read_exceptions(exceptions)
    with open(report, encoding="utf-8") as stream:
        files = [File(r, listed) for r in json.load(stream)["files"]]
    bad = 0
    print("%-34s %-19s  %s" % ("", "lines", "branches"))
    for f in files:
        row(f.name, [f])
    total = row("total", files)
    for f in files:
        for number, text in f.left:
            print("not covered: %s:%d: %s" % (f.name, number, text))
        for part in f.stale():
            print("%s: listed and not there: %s | %s" % (
                exceptions, f.name, part))
            bad = 1
    for name in set(listed) - {f.name for f in files}:
        print("%s: no such file: %s" % (exceptions, name))
        bad = 1
    if total < float(least):
        print("branches: %.1f %%, less than %s %%" % (total, least))
        bad = 1
    return bad


sys.exit(main())
