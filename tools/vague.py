#!/usr/bin/env python3
# Counts lines of scenarios that state less than they could: `_`, `...`, an error without its code, a name.
# SPDX-License-Identifier: MIT
#
# usage: tools/vague.py [FILE|DIR…]      prints each vague line; default: scenarios
# Both systems must say the same there too (harness/result/compare.c), but a change of both passes
# unseen. The number is held by `tidy scenarios_vague` against scenarios/vague.txt and may only shrink.
import pathlib, re, sys

TOP = pathlib.Path(__file__).resolve().parent.parent
STRING = re.compile(r'b?"(?:\\.|[^"\\])*"')
LUCK = re.compile(r"(port|fd)\d+|b")  # as the outcome itself prints what is luck; b"…"


def expectation(line):
    """What stands behind the arrow, without its strings, times and excuse; None: nothing is stated."""
    bare = STRING.sub('""', line.split(" #")[0] if '"' not in line else line)
    if "->" not in bare:
        return None
    stated = bare.split("->", 1)[1]
    stated = re.sub(r"\bdiffers (kernel|world) \"\".*$", "", stated)
    return re.sub(r"\s(\+|@ )\d.*$", "", " " + stated.strip()).strip()


def is_vague(stated, known):
    """known: names that earlier lines of the section bound."""
    if re.search(r"(?<![\w.])_(?!\w)|\.\.\.", stated):
        return True
    if re.fullmatch(r"raises (OSError|gaierror|herror)(\(_\))?", stated):
        return True
    if stated.startswith("raises "):
        return False
    names = re.findall(r"(?<![\w.\"])([a-z]\w*)\b(?!\s*[(=])", stated)
    return any(name not in known and not LUCK.fullmatch(name) for name in names)


def vague_lines(path):
    known, found = set(), []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("#"):
            continue
        if line.startswith("["):
            known = set()
        left = STRING.sub('""', line).split("->")[0]
        target = re.match(r"\s*([\w, ()]+?)\s*=[^=]", left)
        if target:
            known |= set(re.findall(r"[a-z]\w*", target[1]))
        stated = expectation(line)
        if stated is None or stated == "":
            continue
        if is_vague(stated, known):
            found.append((number, line))
        known |= set(re.findall(r"(?<![\w.\"])([a-z]\w*)\b", stated))
    return found


def all_vague(*names):
    for name in names or [TOP / "scenarios"]:
        path = pathlib.Path(name)
        for file in [path] if path.is_file() else sorted(path.rglob("*.dry")):
            for number, line in vague_lines(file):
                yield file, number, line


if __name__ == "__main__":
    count = 0
    for file, number, line in all_vague(*sys.argv[1:]):
        print(f"{file}:{number}: {line}")
        count += 1
    print(f"{count} vague lines")
