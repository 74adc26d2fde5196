#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The programs of examples/ as a user runs them: example_test.py NAME GIC. Linux reaches its shell, hears what is typed,
sees its timer and its UART's interrupts, and its power-off ends the run."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402

BANNER = "Welcome to Debian Linux under sel4vm"


def main(name, gic):
    examples = os.path.join(os.environ["SEL4VM_SOURCE"], "examples")
    subprocess.run([os.path.join(examples, "debian-linux", "prepare")], check=True)
    image = os.path.join(os.environ["SEL4VM_BUILD"], "target", "examples", name, f"{name}.img")
    console = Console(os.path.join(examples, "debian-linux", "system.toml"), "--host-image", image, "--gic", gic)
    console.expect(BANNER)
    console.shell()

    line = "".join(chr(ord("a") + i % 26) for i in range(300))
    if line not in console.command(f"echo {line}"):
        console.fail("a long line did not come through")
    counts = {}
    for row in console.command("cat /proc/interrupts").splitlines():
        fields = row.split()
        if fields and fields[-1] in ("arch_timer", "uart-pl011"):
            counts[fields[-1]] = int(fields[1])
    if min(counts.get("arch_timer", 0), counts.get("uart-pl011", 0)) == 0:
        console.fail(f"no interrupts: {counts}")

    # What the program does about a reset: both boot again.
    console.send("reboot -f")
    console.expect(BANNER)
    console.shell()
    console.send("poweroff -f")
    console.end(0)


main(*sys.argv[1:3])
