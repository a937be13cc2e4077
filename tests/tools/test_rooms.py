#!/usr/bin/env python3
# The judge of rooms must be able to say no: small trees that break each of its rules.
# SPDX-License-Identifier: MIT
import pathlib, shutil, subprocess, sys, tempfile, unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import rooms

PLAN = """
[sim.low]
header = "low.h"
may = []
[sim.high]
header = "high.h"
may = ["low"]
[harness.only]
header = "only.h"
may = []
[shared]
harness = ["sim/low/low.h"]
[circles]
tables = ["sim_table"]
most = 2
most_of = {}
known = %s
"""


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.top, rooms.TOP = pathlib.Path(self.folder.name), pathlib.Path(self.folder.name)
        self.addCleanup(setattr, rooms, "TOP", rooms.TOP)
        self.problems = []
        self.plan("[]")
        (self.top / "include/drysock").mkdir(parents=True)
        self.write("include/drysock/seam.h", "int dry_seam(void);")
        for folder in ("real", "sim/low", "sim/high", "harness/only"):
            (self.top / folder).mkdir(parents=True)
        for header in ("sim/low/low.h", "sim/high/high.h", "harness/only/only.h"):
            self.write(header, "/* A room: what it is.\n * SPDX */\n")
        self.git("init", "-q")
        self.git("commit", "-q", "--allow-empty", "-m", "a tree")

    def plan(self, known):
        self.write("tools/rooms.toml", PLAN % known)

    def write(self, path, text):
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text)

    def git(self, *words):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], cwd=self.top,
                       check=True, capture_output=True)

    def bad(self, place, sentence):
        self.problems.append(f"{place}: {sentence}")

    def sources(self, *folders):
        return [path for folder in folders for path in sorted((self.top / folder).rglob("*.[ch]"))]

    def objects(self, folder):
        found = {}
        for path in sorted((self.top / folder).rglob("*.c")):
            subprocess.run(["cc", "-w", "-c", "-o", f"{path}.o", path], check=True)
            found[path] = [pathlib.Path(f"{path}.o")]
        return found

    def said(self, words):
        self.assertTrue(any(words in line for line in self.problems), self.problems)


class Includes(Tree):
    def check(self):
        rooms.check_includes(self.sources, self.bad)

    def test_what_the_plan_allows__is_taken(self):
        self.write("sim/high/a.c", '#include "high.h"\n#include "low/low.h"\n')
        self.write("harness/only/b.c", '#include "sim/low/low.h"\n')
        self.check()
        self.assertEqual(self.problems, [])

    def test_an_upper_room__is_refused(self):
        self.write("sim/low/a.c", '#include "high/high.h"\n')
        self.check()
        self.said("sim/low/a.c:1: the room sim/low may not include sim/high/high.h")

    def test_another_house__is_refused(self):
        self.write("harness/only/b.c", '#include "sim/high/high.h"\n')
        self.write("real/c.c", '#include "sim/low/low.h"\n')
        self.check()
        self.said("harness/ may not include sim/high/high.h")
        self.said("real/ may not include sim/low/low.h")

    def test_a_missing_file__is_told(self):
        self.write("sim/low/a.c", '#include "nowhere.h"\n')
        self.check()
        self.said("includes nowhere.h, which is not there")

    def test_no_other_spelling__gets_by(self):
        self.write("sim/low/a.c", '#include <../sim/high/high.h>\n#include "../high/high.h"\n'
                                  '#  include "../../sim/high/high.h" /* why */\n#include_next "high/high.h"\n')
        self.check()
        self.assertEqual(len(self.problems), 4, self.problems)
        for line in range(1, 5):
            self.said(f"sim/low/a.c:{line}: the room sim/low may not include sim/high/high.h")

    def test_an_include_by_a_macro__is_refused(self):
        self.write("sim/low/a.c", "#define HIGH <high/high.h>\n#include HIGH\n")
        self.check()
        self.said("sim/low/a.c:2: includes what only the preprocessor knows")

    def test_public_headers_and_the_system_s__are_taken(self):
        self.write("sim/low/a.c", "#include <stdio.h>\n#include <drysock/seam.h>\n")
        self.check()
        self.assertEqual(self.problems, [])

    def test_a_test_in_no_room__is_told(self):
        for path in ("tests/sim/low/test_a.c", "tests/sim/shared.h", "tests/real/test_b.c"):
            self.write(path, "")
        rooms.check_tests(self.sources, self.bad)
        self.assertEqual(self.problems, [])
        for path in ("tests/sim/test_a.c", "tests/sim/attic/test_b.c", "tests/harness/low/test_c.c"):
            self.write(path, "")
        rooms.check_tests(self.sources, self.bad)
        self.assertEqual(len(self.problems), 3, self.problems)

    def test_a_file_in_no_room__is_told(self):
        self.write("sim/a.c", "")
        self.check()
        self.said("sim/a.c: stands in no room")


class Plan(Tree):
    def test_a_room_that_looks_up__is_told(self):
        text = (self.top / "tools/rooms.toml").read_text()
        self.write("tools/rooms.toml", text.replace("may = []", 'may = ["high"]', 1))
        rooms.check_plan(self.bad)
        self.said("sim.low may include high, which does not stand above it")

    def test_a_header_without_a_caption__is_told(self):
        self.write("sim/high/high.h", "#include <stdio.h>\n")
        rooms.check_plan(self.bad)
        self.said("sim/high/high.h: does not open with the caption of its room")

    def test_the_table__says_what_a_room_may_include(self):
        self.assertIn("| `sim/high/` | A room: what it is | all other rooms |", rooms.table())


class Circles(Tree):
    def check(self):
        rooms.check_circles(self.objects, self.bad)

    def ring(self, *paths):
        for number, path in enumerate(paths):
            self.write(path, f"int f{(number + 1) % len(paths)}(void);\n"
                             f"int f{number}(void) {{ return f{(number + 1) % len(paths)}(); }}\n")

    def test_no_circle__is_taken(self):
        self.write("sim/low/a.c", "int f(void) { return 1; }\n")
        self.write("sim/high/b.c", "int f(void);\nint g(void) { return f(); }\n")
        self.check()
        self.assertEqual(self.problems, [])

    def test_a_circle_between_rooms__is_refused(self):
        self.ring("sim/low/a.c", "sim/high/b.c")
        self.check()
        self.said("a circle of calls between rooms: sim/high/b.c sim/low/a.c")
        self.said("calls f1 of sim/high/b.c, a room it may not know")

    def test_a_circle_that_is_listed__is_taken(self):
        self.ring("sim/low/a.c", "sim/low/b.c")
        self.plan('[["sim/low/a.c", "sim/low/b.c"]]')
        self.check()
        self.assertEqual(self.problems, [])

    def test_a_circle_that_is_not_listed__is_refused(self):
        self.ring("sim/low/a.c", "sim/low/b.c")
        self.check()
        self.said("a circle that tools/rooms.toml does not list")

    def test_a_long_circle__is_refused_though_listed(self):
        self.ring("sim/low/a.c", "sim/low/b.c", "sim/low/c.c")
        self.plan('[["sim/low/a.c", "sim/low/b.c", "sim/low/c.c"]]')
        self.check()
        self.said("a circle of 3 files, 2 is the most")

    def test_a_circle_that_is_gone__leaves_the_list(self):
        self.plan('[["sim/low/a.c", "sim/low/b.c"]]')
        self.check()
        self.said("lists a circle that is no more")

    def test_data_of_an_upper_room__is_a_call_too__but_not_a_table(self):
        self.write("sim/high/b.c", "const int sim_other = 1, sim_table = 2;\n")
        self.write("sim/low/a.c", "extern const int sim_other, sim_table;\n"
                                  "int f(void) { return sim_other + sim_table; }\n")
        self.check()
        self.assertEqual(len(self.problems), 1)
        self.said("calls sim_other of sim/high/b.c")

    def test_the_seam__may_be_called_from_below(self):
        self.write("sim/high/b.c", "int dry_seam(void) { return 1; }\n")
        self.write("sim/low/a.c", "int dry_seam(void);\nint f(void) { return dry_seam(); }\n")
        self.check()
        self.assertEqual(self.problems, [])

    def test_a_tree_without_a_history__is_an_error(self):
        shutil.rmtree(self.top / ".git")
        with self.assertRaises(subprocess.CalledProcessError):
            self.check()

    def test_a_list_that_grew__is_told(self):
        self.git("add", "tools")
        self.git("commit", "-qm", "the list is empty")
        self.ring("sim/low/a.c", "sim/low/b.c")
        self.plan('[["sim/low/a.c", "sim/low/b.c"]]')
        self.check()
        self.said("the circles of sim/low have grown")


if __name__ == "__main__":
    unittest.main()
