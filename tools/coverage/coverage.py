#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Builds the tests that run in a process with counters, runs them, and prints the share of lines executed for each layer."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from native_programs import PROGRAMS, run  # noqa: E402

BUILD = ROOT / "build" / "coverage"
# The folders that are layers.
LAYERS = ["src/sel4vm/base", "src/sel4vm/arch", "src/sel4vm/host", "src/sel4vm/vm", "src/sel4vm/dev", "src/sel4vm/boot",
          "src/sel4vm/machine", "src/sel4vm/program", "src/sel4vm/capi", "src/sel4vmmplatsupport", "src/hosts/fake",
          "src/hosts/sel4", "src/hosts/el2", "src/bindings/fake", "src/bindings/sel4", "src/bindings/el2", "apps"]


def say(text):
    print(f"coverage: {text}", file=sys.stderr, flush=True)


def build(names):
    """Not the sanitizers: they would be counted, too, and are no test of what the tests execute."""
    flags = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g1", "-DSEL4VM_SANITIZE="]
    flags += [f"-DCMAKE_{language}_FLAGS=--coverage -fprofile-update=atomic" for language in ("C", "CXX")]
    subprocess.run(["cmake", "--preset", "host", "-B", BUILD, *flags], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, *(PROGRAMS[n] for n in names)], check=True, stdout=subprocess.DEVNULL)


def execute(names):
    for counters in BUILD.rglob("*.gcda"):
        counters.unlink()
    for name in names:
        say(f"running {name}")
        if run(BUILD, name) != 0:
            raise SystemExit(f"coverage: {name} fails, so that its figures would mean nothing")


def lines_of(counters):
    """{file: {line: how often it was executed}}, as gcov counts it in one object."""
    done = subprocess.run(["gcov", "--json-format", "--stdout", counters], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          cwd=BUILD)
    files = {}
    for document in done.stdout.splitlines():
        for file in json.loads(document)["files"]:
            path = file["file"]  # the build makes paths relative to the checkout
            if path.startswith(("src/", "apps/")):
                lines = files.setdefault(path, {})
                for line in file["lines"]:
                    lines[line["line_number"]] = max(lines.get(line["line_number"], 0), line["count"])
    return files


def collect():
    """{file: (lines executed, lines)}; those that were not are listed in a file for people."""
    total = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for files in pool.map(lines_of, sorted(BUILD.rglob("*.gcda"))):
            for path, lines in files.items():
                known = total.setdefault(path, {})
                for number, count in lines.items():
                    known[number] = max(known.get(number, 0), count)
    missed = [f"{path}:{number}" for path in sorted(total) for number in sorted(total[path]) if total[path][number] == 0]
    (BUILD / "not-executed.txt").write_text("\n".join(missed) + "\n")
    return {path: (sum(count > 0 for count in lines.values()), len(lines)) for path, lines in total.items()}


def layer_of(path):
    return next((layer for layer in sorted(LAYERS, key=len, reverse=True) if path.startswith(layer + "/")), "elsewhere")


def uncounted(files):
    """{layer: number of its source files that no program contains}."""
    known = subprocess.run(["git", "-C", ROOT, "ls-files", "src", "apps"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    count = {}
    for path in known:
        if path.endswith(".cpp") and path not in files:
            count[layer_of(path)] = count.get(layer_of(path), 0) + 1
    return count


def main():
    parser = argparse.ArgumentParser(prog="./dev coverage", description=__doc__)
    parser.add_argument("--program", action="append", choices=list(PROGRAMS), help="run only these (default: all)")
    names = parser.parse_args().program or list(PROGRAMS)
    say("building")
    build(names)
    execute(names)
    files = collect()
    layers = {}
    for path, (executed, lines) in files.items():
        before = layers.get(layer_of(path), (0, 0))
        layers[layer_of(path)] = (before[0] + executed, before[1] + lines)
    missing = uncounted(files)
    print(f"{'layer':<26} {'lines':>7} {'executed':>9}   source files in no test program")
    for layer in LAYERS:
        executed, lines = layers.get(layer, (0, 0))
        share = f"{100 * executed / lines:.1f} %" if lines else "-"
        print(f"{layer:<26} {lines:>7} {share:>9}   {missing.get(layer, 0) or ''}".rstrip())
    executed, lines = (sum(numbers) for numbers in zip(*layers.values()))
    print(f"{'all':<26} {lines:>7} {100 * executed / lines:>7.1f} %")
    return 0


sys.exit(main())
