#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""VMs on several CPUs: a VM that is spread over all of them loses no interrupt beside one with a bad habit, one that is on another CPU
than the console gets its input and ends the run, and CPUs that a description names have to be there."""

import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import TESTS, image, said  # noqa: E402

HABITS = ["spin", "noise", "resets", "chatter"]


def start(folder, gic, cpus, vms):
    """Each of `vms` is its name, its image and further lines."""
    text = f"[qemu]\ncpus = {cpus}\n"
    for name, kernel, lines in vms:
        text += f'[[vm]]\nname = "{name}"\nmemory = "16M"\ngic = {gic}\nkernel = "{kernel}"\n{lines}\n'
    system = folder / "system.toml"
    system.write_text(text)
    return Console(str(system), timeout=300)


def beside(folder, gic, storm, habit, kernel):
    """Both VMs have both CPUs, and the one that resets itself has two vCPUs to be stopped."""
    lines = "cpus = [0, 1]\nvcpus = 2" if habit == "resets" else "cpus = [1]"
    console = start(folder, gic, 2, [("bad", kernel, lines), ("storm", storm, "vcpus = 4\ncpus = [0, 1]")])
    console.wait_until(lambda output: "neighbour: here" in said(output, "bad"), f"'{habit}' did not start")
    console.wait_until(lambda output: "guest: pass" in said(output, "storm"), f"next to '{habit}', the storm did not pass")
    console.stop()


def apart(folder, gic, guests):
    """The console is the boot CPU's; these are on others."""
    console = start(folder, gic, 3, [("asks", guests["asks"], "cpus = [2]"), ("quits", guests["quits"], "cpus = [1]")])
    console.expect_message("sel4vm: error: quits: stopped: guest crash: every vCPU turned itself off\n")
    console.send("")
    if "guest: pass" not in said(console.end(1), "asks"):
        console.fail("input did not reach the VM on CPU 2")
    console = start(folder, gic, 4, [(f"vm{n}", guests["timer"], f"cpus = [{n}]") for n in range(4)])
    output = console.end(0)
    for n in range(4):
        if "guest: pass" not in said(output, f"vm{n}"):
            console.fail(f"the VM on CPU {n} did not pass")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        neighbour = TESTS / "system" / "neighbour.S"
        others = [(TESTS / "guest" / f"{other}.S", f"-Dmain={other}", f"-Dirq_handler={other}_irq")
                  for other in ("hostile", "odd_accesses", "lost_translation", "gic_ones")]
        guests = {habit: image(folder, habit, (neighbour, f"-DHABIT={habit}"), *others) for habit in [*HABITS, "asks", "quits"]}
        guests["timer"] = image(folder, "timer", (TESTS / "guest" / "timer.S",))
        storm = image(folder, "sgi_storm", (TESTS / "guest" / "sgi_storm.S", "-DWFI_CPUS=15", "-DROUNDS=50"))
        for gic in (2, 3):
            apart(folder, gic, guests)
            for habit in HABITS:
                beside(folder, gic, storm, habit, guests[habit])


main()
