# SPDX-License-Identifier: BSD-2-Clause
"""Builds the test programs once, from a copy of the checkout that has the mutants in it."""

import pathlib
import re
import shutil
import subprocess

import weave
from native_programs import PROGRAMS

class Tree:
    def __init__(self, root):
        self.root = root
        self.source = root / "build" / "mutate" / "source"
        self.build = root / "build" / "mutate" / "build"

    def copy(self):
        """What git knows of the checkout, as it lies there."""
        names = subprocess.run(["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                               check=True, stdout=subprocess.PIPE).stdout.split(b"\0")
        wanted = {name.decode() for name in names if name and (self.root / name.decode()).is_file()}
        if self.source.exists():
            for file in [f for f in self.source.rglob("*") if f.is_file()]:
                if str(file.relative_to(self.source)) not in wanted:
                    file.unlink()
        for name in sorted(wanted):
            self.write(name, (self.root / name).read_bytes())
            shutil.copymode(self.root / name, self.source / name)

    def write(self, name, content):
        """Only what differs, so that little is compiled again."""
        target = self.source / name
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def configure(self):
        subprocess.run(["cmake", "--preset", "host", "-S", self.source, "-B", self.build, "-DCMAKE_CXX_FLAGS=-w -Wno-narrowing"],
                       cwd=self.source, check=True, stdout=subprocess.DEVNULL)

    def put(self, mutants):
        """Writes the sources with `mutants`, {number: Mutant}."""
        files = {}
        for number, mutant in mutants.items():
            files.setdefault(mutant.path, {})[number] = mutant
        for path, inside in files.items():
            self.write(path, weave.weave((self.root / path).read_bytes(), inside, weave.HEADER))
        return set(files)

    def make(self):
        """None when all could be built, else the compiler's output."""
        done = subprocess.run(["ninja", "-k", "0", "-C", self.build, *PROGRAMS.values()], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
        return None if done.returncode == 0 else done.stdout

    def with_mutants(self, mutants, say):
        """Builds with `mutants`; takes out, and returns the numbers of, those that do not compile."""
        refused = set()
        while True:
            touched = self.put({n: m for n, m in mutants.items() if n not in refused})
            for path in {m.path for m in mutants.values()} - touched:
                self.write(path, (self.root / path).read_bytes())
            output = self.make()
            if output is None:
                return refused
            bad = set(re.findall(r"(src/sel4vm/[^\s:]+):(\d+):\d+: (?:error|note|  required)", output))
            lines = {(path, int(line)) for path, line in bad}
            new = {n for n, m in mutants.items() if n not in refused and
                   any(path == m.path and m.line <= line <= m.line + m.before.count("\n") + 3 for path, line in lines)}
            if not new:
                log = self.build / "mutate.log"
                log.write_text(output)
                raise SystemExit(f"mutate: the build failed, and not for a mutant: see {log}")
            say(f"{len(new)} of them do not compile")
            refused |= new
