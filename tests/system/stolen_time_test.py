#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stolen time in a Linux guest: Debian beside a VM that spins on the same CPU sees in /proc/stat what it did not get, alone it sees nothing, and
a VM whose description says so is not told."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import TESTS, image, said  # noqa: E402

BANNER = "Welcome to Debian Linux under sel4vm"
OTHERS = [(TESTS / "guest" / f"{name}.S", f"-Dmain={name}", f"-Dirq_handler={name}_irq")
          for name in ("hostile", "odd_accesses", "lost_translation", "gic_ones")]


def times(console):
    """Busy and stolen time of the guest, in hundredths of a second."""
    fields = re.search(r"cpu +([\d ]+)", console.command("head -1 /proc/stat")).group(1).split()
    return int(fields[0]) + int(fields[2]), int(fields[7])


def linux(folder, spinner):
    example = pathlib.Path(os.environ["SEL4VM_SOURCE"]) / "examples" / "debian-linux"
    text = (example / "system.toml").read_text().replace("../../build", str(example.parent.parent / "build"))
    if spinner:
        text += f'\n[console]\nprefix = "never"\n[[vm]]\nname = "spins"\nmemory = "16M"\nkernel = "{spinner}"\n'
    system = folder / "system.toml"
    system.write_text(text)
    console = Console(str(system), timeout=600)
    console.expect(BANNER)
    console.shell()
    before = times(console)
    console.command("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
    after = times(console)
    console.stop()
    return after[0] - before[0], after[1] - before[1]


def hidden(folder):
    """The guest's own test of the calls, which fails when it is told."""
    guest = image(folder, "hidden", (TESTS / "guest" / "pv_time.S", "-DHIDDEN"))
    system = folder / "hidden.toml"
    system.write_text(f'[[vm]]\nname = "vm"\nmemory = "16M"\npv_time = false\nkernel = "{guest}"\n')
    console = Console(str(system), timeout=300)
    if "guest: pass" not in console.end(0):
        console.fail("a VM without pv_time is told of it")


def main():
    subprocess.run([TESTS.parent / "examples" / "debian-linux" / "prepare"], check=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        hidden(folder)
        spinner = image(folder, "spin", (TESTS / "system" / "neighbour.S", "-DHABIT=spin"), *OTHERS)
        busy, stolen = linux(folder, spinner)
        # Half of the time is the other's. Both figures are the guest's, counted by its ticks.
        if stolen < busy // 4 or stolen == 0:
            sys.exit(f"FAILED: beside a spinning VM, {busy} ticks busy and {stolen} stolen")
        busy, stolen = linux(folder, None)
        if stolen > busy // 10:
            sys.exit(f"FAILED: alone, {busy} ticks busy and {stolen} stolen")


main()
