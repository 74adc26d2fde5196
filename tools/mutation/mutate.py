#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes small changes in the library, compiled in once and chosen at run time, and reports which ones no test notices."""

import argparse
import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import build  # noqa: E402
import choose  # noqa: E402
import find  # noqa: E402
import run  # noqa: E402
from native_programs import PROGRAMS  # noqa: E402


def say(text):
    print(f"mutate: {text}", file=sys.stderr, flush=True)


def describe(number, mutant):
    return f"{mutant.path}:{mutant.line}: {mutant.kind} {number}: {mutant.before}  ->  {mutant.after}"


def main():
    parser = argparse.ArgumentParser(prog="./dev mutate", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="only in these files or folders, e.g. src/sel4vm/dev/arm/gic")
    parser.add_argument("--count", type=int, default=200, help="how many mutants (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="which ones, by chance (default: 1)")
    parser.add_argument("--program", action="append", choices=list(PROGRAMS), help="run only these (default: all)")
    parser.add_argument("--list", action="store_true", help="name the chosen mutants, run nothing")
    arguments = parser.parse_args()
    files = [os.path.relpath(pathlib.Path(f).resolve(), ROOT) for f in arguments.files]
    for file in files:
        if not (ROOT / file).exists():
            parser.error(f"there is no {file}")

    tree = build.Tree(ROOT)
    tree.copy()
    tree.configure()
    mutants = find.find(tree.source, tree.build, files)
    chosen = choose.choose(mutants, arguments.count, arguments.seed)
    say(f"{len(mutants)} mutants found, {len(chosen)} chosen")
    if arguments.list:
        for number, mutant in chosen.items():
            print(describe(number, mutant))
        return 0
    if not chosen:
        parser.error("nothing can be mutated there")

    started = time.monotonic()
    refused = tree.with_mutants(chosen, say)
    say(f"built in {time.monotonic() - started:.0f} s; running the tests without a mutant")
    runner = run.Runner(tree, arguments.program or list(PROGRAMS))
    runner.unchanged()
    say("one run takes " + ", ".join(f"{s:.0f} s ({n})" for n, s in runner.seconds.items()))

    killed, survivors, report = 0, [], []
    numbers = [n for n in chosen if n not in refused]
    for done, (number, outcome) in enumerate(runner.all(numbers, os.cpu_count()), 1):
        mutant = chosen[number]
        report.append({"what": describe(number, mutant), "killed_by": outcome.killed_by, "reached_by": outcome.reached_by})
        if outcome.killed_by:
            killed += 1
        else:
            survivors.append(number)
            print(describe(number, mutant) + ("" if outcome.reached_by else "  [no test reaches it]"), flush=True)
        if done % 20 == 0:
            say(f"{done} of {len(numbers)} tried, {killed} killed ({time.monotonic() - started:.0f} s)")
    (ROOT / "build" / "mutate" / "report.json").write_text(json.dumps(report, indent=1))
    share = 100 * killed / len(numbers) if numbers else 0
    print(f"{len(numbers)} mutants, {killed} killed ({share:.1f} %), {len(survivors)} survived, {len(refused)} did not compile")
    return 0


sys.exit(main())
