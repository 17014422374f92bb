#!/usr/bin/env python3
"""Checks the directions of includes against tools/layers.txt, and a few rules about headers.

  tools/check_layers.py [ROOT]     exit code 1 and one line per violation

- A file of src/<room>/ includes its own room and the rooms that layers.txt allows; rooms themselves form no
  cycle.
- Headers of include/glaive include each other, Arrow and the standard library, never src/.
- Vocabulary headers (named behind '+') may be used by every room; the other public headers only by the rooms
  at and above the facade.
- Our own headers are included with quotes. No header includes arrow/api.h or arrow/compute/api.h.
"""
import re
import sys
from pathlib import Path

FACADE = {"db", "cli", "query", "write", "maintain", "reader"}  # rooms that know requests, options and tables
HEAVY = {"arrow/api.h", "arrow/compute/api.h", "parquet/arrow/api.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def read_layers(path):
    rooms, vocabulary = {}, set()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("# +"):
            vocabulary.update(line[3:].split())
        elif line.strip() and not line.startswith("#"):
            room, separator, allowed = line.partition(":")
            if not separator or room.strip() in rooms:
                sys.exit(f"{path}:{number}: expected 'room: rooms', each room once")
            rooms[room.strip()] = set(allowed.split())
    return rooms, vocabulary


def find_cycle(rooms):
    """A list of rooms that lead back to the first, or None."""
    done = set()

    def visit(room, way):
        if room in way:
            return way[way.index(room):] + [room]
        if room in done:
            return None
        for below in sorted(rooms.get(room, ())):
            cycle = visit(below, way + [room])
            if cycle:
                return cycle
        done.add(room)
        return None

    for room in rooms:
        cycle = visit(room, [])
        if cycle:
            return cycle
    return None


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def is_test(path):
    return path.stem.endswith(("_test", "_fuzz", "_bench"))


class Checker:
    def __init__(self, root):
        self.root = root
        self.rooms, self.vocabulary = read_layers(root / "tools/layers.txt")
        self.violations = []

    def complain(self, path, number, text):
        self.violations.append(f"{path.relative_to(self.root)}:{number}: {text}")

    def check_common(self, path, number, bracket, target):
        first = target.split("/")[0]
        if bracket == "<" and (first == "glaive" or ("/" in target and first in self.rooms
                                                     and (self.root / "src" / target).exists())):
            self.complain(path, number, f"our own header <{target}> needs quotes")
        if path.suffix == ".h" and target in HEAVY:
            self.complain(path, number, f"a header must not include {target}")

    def check_public(self, path):
        for number, bracket, target in includes(path):
            self.check_common(path, number, bracket, target)
            if bracket == '"' and not (target.startswith("glaive/")
                                       and (self.root / "include" / target).exists()):
                self.complain(path, number, f"a public header must not include {target}")

    def check_room(self, path, room):
        for number, bracket, target in includes(path):
            self.check_common(path, number, bracket, target)
            if bracket != '"':
                continue
            if target.startswith("glaive/"):
                if target not in self.vocabulary and room not in FACADE and not is_test(path):
                    self.complain(path, number, f"room {room} must not know {target}")
                continue
            other = target.split("/")[0]
            if "/" not in target:
                self.complain(path, number, f'"{target}" must name its room')
            elif other not in self.rooms:
                self.complain(path, number, f"{target} is of no room of tools/layers.txt")
            elif other != room and other not in self.rooms[room] and not (is_test(path) and other == "testing"):
                self.complain(path, number, f"room {room} must not include room {other} ({target})")

    def run(self):
        cycle = find_cycle(self.rooms)
        if cycle:
            self.violations.append("tools/layers.txt: rooms in a circle: " + " -> ".join(cycle))
        count = 0
        for path in sorted((self.root / "include").rglob("*.h")):
            self.check_public(path)
            count += 1
        for path in sorted((self.root / "src").rglob("*")):
            if path.suffix not in (".h", ".cc", ".inc"):
                continue
            count += 1
            room = path.relative_to(self.root / "src").parts[0]
            if room in self.rooms:
                self.check_room(path, room)
            else:
                self.complain(path, 1, f"room {room} is not in tools/layers.txt")
        return count


def main():
    checker = Checker(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve())
    count = checker.run()
    print("\n".join(checker.violations) if checker.violations else f"{count} files keep the layers")
    sys.exit(1 if checker.violations else 0)


if __name__ == "__main__":
    main()
