# SPDX-License-Identifier: BSD-2-Clause
"""Runs the test programs with one mutant after the other."""

import concurrent.futures
import dataclasses
import tempfile
import time

from native_programs import run


@dataclasses.dataclass
class Outcome:
    killed_by: str = ""  # a program, with "time" where the mutant made it hang
    reached_by: tuple = ()


class Runner:
    def __init__(self, tree, programs):
        self.tree = tree
        self.programs = programs
        self.seconds = {}
        self.reached = {}

    def unchanged(self):
        """Runs each program without a mutant: all must pass. What they take, and which mutants they reach, is kept."""
        for name in self.programs:
            with tempfile.NamedTemporaryFile("r") as file:
                started = time.monotonic()
                status = run(self.tree.build, name, {"SEL4VM_MUTANTS_REACHED": file.name}, 1800)
                if status != 0:
                    raise SystemExit(f"mutate: {name} fails without a mutant (status {status})")
                self.seconds[name] = time.monotonic() - started
                self.reached[name] = {int(line) for line in file.read().split()}

    def one(self, number):
        reaching = sorted((name for name in self.programs if number in self.reached[name]), key=self.seconds.get)
        for name in reaching:
            status = run(self.tree.build, name, {"SEL4VM_MUTANT": str(number)}, 30 + 5 * self.seconds[name])
            if status != 0:
                return number, Outcome(name + (": time" if status is None else ""), tuple(reaching))
        return number, Outcome("", tuple(reaching))

    def all(self, numbers, jobs):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(self.one, numbers)
