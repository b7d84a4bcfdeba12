#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The axvm authors
"""reduce.py PROGRAM FROM... TO [COUNT]: fills the folder TO with at most COUNT
(60) of the inputs in FROM: again and again the one that shows the fuzzer
PROGRAM most that is new, short ones first."""
import hashlib
import os
import subprocess
import sys
import tempfile


def features(program, folders):
    """[(path, features)] by the control file of libFuzzer's merge."""
    with tempfile.TemporaryDirectory() as scratch:
        control = os.path.join(scratch, "control")
        merged = os.path.join(scratch, "merged")
        os.mkdir(merged)
        subprocess.run([program, "-set_cover_merge=1", "-timeout=10",
                        "-merge_control_file=" + control, merged, *folders],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       check=True)
        with open(control, encoding="utf-8") as stream:
            lines = stream.read().split("\n")
    count = int(lines[0])
    found = [(path, set()) for path in lines[2:2 + count]]
    for line in lines[2 + count:]:
        words = line.split()
        if words and words[0] == "FT":
            found[int(words[1])][1].update(map(int, words[2:]))
    return found


def choose(found, most):
    """First for the edges of the program, of which a feature is a count in
    eight classes; then for the features."""
    chosen = []
    for classes in (8, 1):
        left = [(path, {n // classes for n in seen}) for path, seen in found]
        known = {n for path, seen in left if path in chosen for n in seen}
        while len(chosen) < most:
            def gain(entry, known=known):
                new = len(entry[1] - known)
                return new / (64 + os.path.getsize(entry[0])) ** 0.5

            path, seen = max(left, key=gain)
            if not seen - known:
                break
            known |= seen
            chosen.append(path)
    return chosen


def main():
    arguments = sys.argv[1:]
    most = int(arguments.pop()) if arguments[-1].isdigit() else 60
    program, *folders, target = arguments
    chosen = choose(features(program, folders), most)
    data = []
    for path in chosen:
        with open(path, "rb") as stream:
            data.append(stream.read())
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(target):
        os.unlink(os.path.join(target, name))
    for content in data:
        name = hashlib.sha1(content).hexdigest()[:16]
        with open(os.path.join(target, name), "wb") as stream:
            stream.write(content)
    print("%d inputs, %d bytes" % (len(data), sum(map(len, data))))


main()
