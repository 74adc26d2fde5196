#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two VMs in one system: each has its own lines and its own end, the run's status and messages name the one that failed,
and no bad habit of one (neighbour.S) keeps the other from its timers and its end."""

import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import TESTS, image, said  # noqa: E402

ENDLESS = ["spin", "fetch", "noise", "calls", "yields", "resets", "storm", "late", "chatter"]


def start(folder, gic, *options, **vms):
    """Starts a system of these VMs (name=image)."""
    system = folder / "system.toml"
    system.write_text("".join(f'[[vm]]\nname = "{name}"\nmemory = "16M"\ngic = {gic}\nkernel = "{kernel}"\n'
                              for name, kernel in vms.items()))
    return Console(str(system), *options, timeout=300)


def endings(folder, gic, good, habits):
    """Runs that end by themselves."""
    console = start(folder, gic, left=good, right=good)
    output = console.end(0)
    for vm in ("left", "right"):
        if "guest: pass" not in said(output, vm):
            console.fail(f"{vm} did not pass")

    console = start(folder, gic, bad=habits["quits"], good=good)
    output = console.end(1)
    if "guest: pass" not in said(output, "good"):
        console.fail("the good one did not pass")
    if console.messages != "sel4vm: error: bad: stopped: guest crash: every vCPU turned itself off\n":
        console.fail("the message does not say which VM failed and why")

    console = start(folder, gic, "--trace", bad=habits["quits"])
    console.end(1)
    if "hypercall hvc 0x84000002 -> retry, stop\n" not in console.messages:
        console.fail("the trace does not show the last call")

    console = start(folder, gic, good=good, bad=habits["panics"])
    console.end(1)
    if console.messages != "sel4vm: error: vm 'bad': kernel panic: on purpose\n":
        console.fail("the message does not say which VM panicked")


def endless(folder, gic, good, habit, kernel):
    console = start(folder, gic, bad=kernel, good=good)
    console.wait_until(lambda output: "neighbour: here" in said(output, "bad"), f"'{habit}' did not start")
    console.wait_until(lambda output: "guest: pass" in said(output, "good"), f"next to '{habit}', the good one did not pass")
    console.stop()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        good = image(folder, "good", (TESTS / "guest" / "timer.S",))
        hostile = (TESTS / "guest" / "hostile.S", "-Dmain=hostile")
        neighbour = TESTS / "system" / "neighbour.S"
        habits = {habit: image(folder, habit, (neighbour, f"-DHABIT={habit}"), hostile)
                  for habit in [*ENDLESS, "quits", "panics"]}
        for gic in (2, 3):
            endings(folder, gic, good, habits)
            for habit in ENDLESS:
                endless(folder, gic, good, habit, habits[habit])


main()
