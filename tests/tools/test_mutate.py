#!/usr/bin/env python3
# Tests of tools/mutate: a mutant that a test notices, one that none does, what is left as it was.
# SPDX-License-Identifier: MIT
import pathlib, subprocess, sys, tempfile, unittest

MUTATE = pathlib.Path(__file__).resolve().parents[2] / "tools/mutate"
SOURCE = """/* Clamps. */
int clamp(int value, int most)
{
    if (value > most) {
        return most;
    }
    return value;
}

int unused(int value)
{
    return value + 3;
}
"""
TEST = """#include <assert.h>
int clamp(int value, int most);
int main(void)
{
    assert(clamp(5, 3) == 3 && clamp(3, 5) == 3);
    return 0;
}
"""


class Mutate(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="drysock-mutate-")
        self.tree = pathlib.Path(self.folder.name)
        (self.tree / "clamp.c").write_text(SOURCE)
        (self.tree / "test.c").write_text(TEST)

    def tearDown(self):
        self.folder.cleanup()

    def mutate(self, *words, test="./test"):
        return subprocess.run([MUTATE, "--tree", self.tree, "--build", "cc -o test clamp.c test.c", "--test",
                               test, *words, "clamp.c"], capture_output=True, text=True)

    def test_a_noticed_mutant_and_a_survivor_are_told_apart(self):
        done = self.mutate("--sample", "0")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("clamp.c:4: noticed: the condition is turned round", done.stdout)
        self.assertIn("clamp.c:12: survives: + becomes -", done.stdout)
        self.assertIn("    -    return value + 3;\n    +    return value - 3;", done.stdout)
        self.assertEqual((self.tree / "clamp.c").read_text(), SOURCE)

    def test_all_noticed_ends_with_0(self):
        (self.tree / "clamp.c").write_text(SOURCE.split("int unused")[0])
        (self.tree / "test.c").write_text(TEST.replace("clamp(3, 5) == 3", "clamp(3, 5) == 3 && clamp(4, 4) == 4"))
        done = self.mutate("--sample", "0")
        self.assertIn("> becomes >=", done.stdout)  # equal values: the same either way
        self.assertEqual(done.returncode, 1, done.stdout)
        (self.tree / "clamp.c").write_text(SOURCE.split("int unused")[0].replace("value > most", "value != most"))
        (self.tree / "test.c").write_text(TEST.replace("&& clamp(3, 5) == 3", "&& clamp(3, 5) == 5"))
        self.assertEqual(self.mutate("--sample", "0").returncode, 0)

    def test_the_same_seed_chooses_the_same(self):
        one = self.mutate("--sample", "2", "--list", "--seed", "7").stdout
        self.assertEqual(one, self.mutate("--sample", "2", "--list", "--seed", "7").stdout)
        self.assertIn("2 of ", one)
        listings = {self.mutate("--sample", "2", "--list", "--seed", str(s)).stdout for s in range(8)}
        self.assertGreater(len(listings), 1)

    def test_a_red_tree_proves_nothing(self):
        done = self.mutate(test="false")
        self.assertEqual(done.returncode, 2)
        self.assertIn("red without a mutant", done.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main())
