#!/usr/bin/env python3
# Holds the sources against the plan of the house (rooms.toml): who includes whom, and circles of calls.
# SPDX-License-Identifier: MIT
#
# usage: tools/rooms.py            the rooms as the table of docs/architecture.md
#        tools/rooms.py --circles  the circles of files as they are in build/, for rooms.toml
import pathlib, re, subprocess, sys, tomllib

TOP = pathlib.Path(__file__).resolve().parent.parent
PLAN = "tools/rooms.toml"
HOUSES = ("sim", "harness")


def plan(text=None):
    return tomllib.loads(text if text is not None else (TOP / PLAN).read_text())


def room_of(path, rooms):
    """'sim/tcp' of sim/tcp/input.c; None outside every room."""
    parts = path.parts
    if len(parts) == 3 and parts[1] in rooms.get(parts[0], {}):
        return f"{parts[0]}/{parts[1]}"
    return None


def find_file(folders, target):
    """The file of the tree that an include means; None where it is the system's or missing."""
    for folder in folders:
        path = (folder / target).resolve()
        if path.exists() and path.is_relative_to(TOP.resolve()):
            return path.relative_to(TOP.resolve())
    return None


def includes(path, bad):
    """The tree's own files that `path` includes, each with its line; quoted ones must be there."""
    here = path.relative_to(TOP)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        directive = re.match(r"\s*#\s*include(?:_next)?\b\s*(.*)", line)
        if directive is None:
            continue
        text = directive.group(1)
        if quoted := re.match(r'"([^"]+)"', text):
            target = find_file((path.parent, TOP, TOP / "sim", TOP / "harness"), quoted[1])
            if target is None:
                bad(f"{here}:{number}", f"includes {quoted[1]}, which is not there")
        elif angled := re.match(r"<([^>]+)>", text):
            target = find_file((TOP / "include",), angled[1])
        else:
            target = None
            bad(f"{here}:{number}", "includes what only the preprocessor knows")
        if target is not None and target.parts[0] != "include":
            yield number, target


def check_includes(sources, bad):
    """real/ sees itself; a room of sim/ or harness/ sees itself and what the plan lets it; preload/ itself
    and what it shares."""
    house = plan()
    for path in sources("real", "preload", "packetdrill", *HOUSES):
        here = path.relative_to(TOP)
        room = room_of(here, house)
        if here.parts[0] in HOUSES and room is None:
            bad(here, f"stands in no room of {PLAN}")
            continue
        for number, target in includes(path, bad):
            if target.parts[0] != here.parts[0]:
                if str(target) not in house["shared"].get(here.parts[0], ()):
                    bad(f"{here}:{number}", f"{here.parts[0]}/ may not include {target}")
            elif room is not None and target.parts[:2] != here.parts[:2]:
                if target.parts[1] not in house[here.parts[0]][here.parts[1]]["may"]:
                    bad(f"{here}:{number}", f"the room {room} may not include {target} ({PLAN})")


def check_tests(sources, bad):
    """tests/ mirrors the rooms: a test of sim/ or harness/ stands in the folder of its room."""
    house = plan()
    for path in sources("tests"):
        parts = path.relative_to(TOP).parts
        if parts[1] in HOUSES and (len(parts) > 3 or path.suffix == ".c") and \
                room_of(pathlib.Path(*parts[1:]), house) is None:
            bad(path.relative_to(TOP), f"stands in no room of {PLAN}")


def check_plan(bad):
    """A room may name only rooms above it; its main header is there and opens with a caption."""
    house = plan()
    for folder in HOUSES:
        seen = []
        for room, row in house[folder].items():
            for other in row["may"]:
                if other not in seen:
                    bad(PLAN, f"{folder}.{room} may include {other}, which does not stand above it")
            seen.append(room)
            if caption(folder, room, row) is None:
                bad(f"{folder}/{room}/{row['header']}", "does not open with the caption of its room")


def caption(folder, room, row):
    header = TOP / folder / room / row["header"]
    if not header.exists():
        return None
    comment = re.match(r"/\* (.*?)(?:\*/|\n \* SPDX)", header.read_text(), re.S)
    if comment is None:
        return None
    sentence = re.match(r"(.*?)\.(?:\s|$)", " ".join(comment.group(1).replace("\n * ", " ").split()))
    return sentence.group(1) if sentence else None


def table():
    """The rooms as docs/architecture.md shows them."""
    house = plan()
    lines = ["| room | what it is | may include |", "|---|---|---|"]
    for folder in HOUSES:
        for room, row in house[folder].items():
            may = row["may"]
            others = len(house[folder]) - 1
            what = "all other rooms" if len(may) == others else ", ".join(may) or "–"
            lines.append(f"| `{folder}/{room}/` | {caption(folder, room, row)} | {what} |")
    return "\n".join(lines)


# ---- circles, by what the objects need of each other ------------------------------------------------

def symbols(path):
    """An object's symbols: {name: nm's letter}."""
    listing = subprocess.run(["nm", "-f", "sysv", str(path)], capture_output=True, text=True).stdout
    found = {}
    for line in listing.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) >= 7 and len(cells[2]) == 1:
            found[cells[0]] = cells[2]
    return found


def calls(objects, tables):
    """Who needs whom: {source: {source: {symbol}}} of {source: [objects]}. A table through which a lower
    room calls what a higher one put in is not followed."""
    defines, needs = {}, {}
    for source, compiled in objects.items():
        for path in compiled:
            for symbol, letter in symbols(path).items():
                if letter == "U":
                    needs.setdefault(source, set()).add(symbol)
                elif letter.isupper() and symbol not in tables:
                    defines.setdefault(symbol, set()).add(source)
    graph = {source: {} for source in objects}
    for source, wanted in needs.items():
        for symbol in wanted:
            for target in defines.get(symbol, ()):
                if target != source:
                    graph[source].setdefault(target, set()).add(symbol)
    return graph


def circles(graph):
    """The sets of more than one file that all reach each other (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            circle = set()
            while node not in circle:
                circle.add(stack.pop())
            if len(circle) > 1:
                found.append(sorted(map(str, circle)))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return sorted(found)


def folder_of(files):
    """The room that holds all these files, or None when they are of several."""
    folders = {str(pathlib.Path(file).parent) for file in files}
    return folders.pop() if len(folders) == 1 else None


def public_functions():
    text = "".join(path.read_text() for path in sorted((TOP / "include/drysock").glob("*.h")))
    return set(re.findall(r"\b((?:dry|sim)_\w+)\(", text))


def weight(known):
    """How many files each room has in circles, and its longest circle."""
    files, longest = {}, {}
    for circle in known:
        room = folder_of(circle)
        files[room] = files.get(room, 0) + len(circle)
        longest[room] = max(longest.get(room, 0), len(circle))
    return files, longest


def check_circles(objects, bad):
    """No circle between rooms, none longer than the plan allows, none that the plan does not list; the
    list only shrinks. No call past the plan either, but for the seam's own names."""
    house = plan()
    limits, seam, found = house["circles"], public_functions(), []
    for folder in ("real", *HOUSES):
        graph = calls(objects(folder), limits["tables"])
        found += circles(graph)
        for source, targets in graph.items():
            room = room_of(source.relative_to(TOP), house)
            for target, symbols_used in targets.items():
                other = target.relative_to(TOP).parts[1]
                if room is None or other == room.split("/")[1]:
                    continue
                if other not in house[folder][room.split("/")[1]]["may"] and symbols_used - seam:
                    bad(source.relative_to(TOP), f"calls {', '.join(sorted(symbols_used - seam))} of "
                        f"{target.relative_to(TOP)}, a room it may not know ({PLAN})")
    found = sorted([str(pathlib.Path(file).relative_to(TOP)) for file in circle] for circle in found)
    for circle in found:
        room = folder_of(circle)
        if room is None:
            bad(circle[0], f"a circle of calls between rooms: {' '.join(circle)}")
            continue
        most = limits["most_of"].get(room, limits["most"])
        if len(circle) > most:
            bad(circle[0], f"a circle of {len(circle)} files, {most} is the most: {' '.join(circle)}")
        if circle not in limits["known"]:
            bad(circle[0], f"a circle that {PLAN} does not list: {' '.join(circle)}")
    for circle in limits["known"]:
        if circle not in found:
            bad(PLAN, f"lists a circle that is no more: {' '.join(circle)}")
    check_shrinks(limits["known"], bad)


def check_shrinks(known, bad):
    """No room has more files in circles, or a longer circle, than in any earlier version of the list."""
    versions = subprocess.run(["git", "log", "--format=%H", "--", PLAN], cwd=TOP, stdout=subprocess.PIPE,
                              text=True, check=True).stdout.split()
    files, longest = weight(known)
    for version in versions:
        text = subprocess.run(["git", "show", f"{version}:{PLAN}"], cwd=TOP, capture_output=True,
                              text=True).stdout
        old_files, old_longest = weight(plan(text).get("circles", {}).get("known", [])) if text else ({}, {})
        for room in files:
            if files[room] > old_files.get(room, 0) or longest[room] > old_longest.get(room, 0):
                bad(PLAN, f"the circles of {room} have grown since {version[:10]}; the list only shrinks")


def objects_of(folder):
    """Each source of a folder with its objects: meson names an object by the path below the folder."""
    found = {}
    for path in sorted((TOP / folder).rglob("*.c")):
        below = str(path.relative_to(TOP / folder)).replace("/", "_")
        found[path] = sorted((TOP / "build").glob(f"{folder}/*.p/{below}.o"))
    return found


def test_objects(path):
    """The objects of a test's source: meson names one by the path below the folder of its meson.build."""
    parts = path.relative_to(TOP).parts
    return sorted((TOP / "build" / parts[0] / parts[1]).glob(f"*.p/{'_'.join(parts[2:])}.o"))


def main():
    if sys.argv[1:] == ["--circles"]:
        for folder in ("real", *HOUSES):
            for circle in circles(calls(objects_of(folder), plan()["circles"]["tables"])):
                names = ", ".join(f'"{pathlib.Path(file).relative_to(TOP)}"' for file in circle)
                print(f"    [{names}],")
    elif len(sys.argv) == 1:
        print(table())
    else:
        print("usage: tools/rooms.py [--circles]", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
