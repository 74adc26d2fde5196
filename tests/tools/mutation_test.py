#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mutants of each kind, nested in each other, are what they say when they are switched on, and nothing when they are not."""

import os
import pathlib
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(os.environ["SEL4VM_SOURCE"]) / "tools" / "mutation"
sys.path.insert(0, str(TOOLS))
import choose  # noqa: E402
import weave  # noqa: E402
from mutant import Mutant  # noqa: E402

SOURCE = b"""\
int printf(const char *, ...);
static int less(int a, int b) { return a - b - 5; }
static int check(int a, int b) {
  int result = 0;
  if (a < b && b < 10) {
    result = less(a, b);
  }
  result += 100;
  return result;
}
int main() { printf("%d %d\\n", check(1, 2), check(2, 2)); }
"""


def mutant(kind, text, cuts=(), number=0):
    at = SOURCE.index(text)
    return Mutant("x.cpp", at, at + len(text), kind, tuple(at + cut if isinstance(cut, int) else cut for cut in cuts), 1, "", "")


MUTANTS = {
    1: mutant("comparison", b"a < b", (1, 4, "<", "<=")),
    2: mutant("logic", b"a < b && b < 10", (5, 9, "&&", "||")),
    3: mutant("condition", b"a < b && b < 10"),
    4: mutant("statement", b"result = less(a, b);"),
    5: mutant("swap", b"a, b);", (1, 3)),
    6: mutant("constant", b"100"),
    7: mutant("arithmetic", b"a - b", (1, 4, "-", "+")),
}
MUTANTS[5] = Mutant("x.cpp", MUTANTS[5].at, MUTANTS[5].at + 4, "swap", MUTANTS[5].cuts, 1, "", "")

EXPECTED = {0: "94 100", 1: "94 95", 2: "94 95", 3: "100 100", 4: "100 100", 5: "96 100", 6: "95 101", 7: "98 100", 8: "94 100"}


def one_of_many(number, at):
    """One of 40 mutants, which say what they do by their number."""
    return Mutant("y.cpp", at, at + 5, "constant", (), at // 10, f"x < {number % 20}", f"x < {number % 20} + 1")


def check_choice():
    """A seed chooses by what mutants say: after a change elsewhere the same ones, and others for another seed."""
    before = [one_of_many(n, 10 * n) for n in range(40)]
    after = [one_of_many(n, 10 * n + 500) for n in range(40)]  # 50 lines more above them
    chosen = [list(choose.choose(m, 10, seed).values()) for m, seed in ((before, 1), (after, 1), (before, 2), (after[:-1], 1))]
    numbers = [[m.at % 500 // 10 for m in c] for c in chosen]
    assert len(set(numbers[0])) == 10 and numbers[0] == numbers[1] and numbers[0] != numbers[2]
    assert len(set(numbers[0]) - set(numbers[3])) <= 1
    same_text = [Mutant("y.cpp", 0, 5, kind, (), 1, "a < b", "") for kind in ("condition", "comparison")]
    assert len(choose.choose(same_text, 2, 1)) == 1


def main():
    check_choice()
    chosen = {n: m for n, m in MUTANTS.items() if n != 3}  # 2 and 3 change the same text
    assert weave.overlaps(MUTANTS[3], [MUTANTS[2]]) and not weave.overlaps(MUTANTS[1], [MUTANTS[2], MUTANTS[5]])
    for mutants in (chosen, {3: MUTANTS[3], 1: MUTANTS[1]}):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "x.cpp").write_bytes(weave.weave(SOURCE, mutants, weave.HEADER))
            subprocess.run(["g++", "-std=c++20", "-w", "-o", folder / "x", folder / "x.cpp"], check=True)
            for number in {0, 8} | mutants.keys():
                reached = folder / f"reached{number}"
                output = subprocess.run([folder / "x"], env={"SEL4VM_MUTANT": str(number), "SEL4VM_MUTANTS_REACHED": str(reached)},
                                        stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
                if output != EXPECTED[number]:
                    sys.exit(f"mutant {number} printed {output} and not {EXPECTED[number]}")
                asked = {int(line) for line in reached.read_text().split()}
                if number == 0 and asked != set(mutants):
                    sys.exit(f"these were reached: {asked}, and not {set(mutants)}")


main()
