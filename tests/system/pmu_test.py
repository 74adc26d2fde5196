#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Performance monitors of several VMs on one CPU: each counts its own instructions, one that has none finds none, and a description that asks for
what the CPU lacks is refused. Instructions are counted, so that QEMU counts them too (-icount)."""

import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import TESTS, image, said  # noqa: E402

GUEST = TESTS / "system" / "pmu" / "beside.S"


def system(folder, name, gic, vms):
    file = folder / f"{name}.toml"
    file.write_text("[system]\ntime_slice_us = 100\n" +
                    "".join(f'[[vm]]\nname = "{vm}"\nmemory = "16M"\ngic = {gic}\nkernel = "{kernel}"\n{more}\n' for vm, kernel, more in vms))
    return str(file)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        left, right = (image(folder, vm, (GUEST, f"-DSEED={seed}")) for seed, vm in enumerate(("left", "right"), 1))
        without = image(folder, "without", (GUEST, "-DHIDDEN"))
        several = [("left", left, "pmu = true"), ("right", right, ""), ("without", without, "pmu = false")]
        for gic, cpu in ((2, "cortex-a57"), (3, "max")):
            console = Console(system(folder, "several", gic, several), "--cpu", cpu, "--icount", timeout=600)
            console.end(0)
            for vm, _, _ in several:
                if "guest: pass" not in said(console.output, vm):
                    console.fail(f"{vm} did not pass")

        console = Console(system(folder, "lacking", 3, [("vm", left, "pmu = true")]), "--cpu", "cortex-a72,pmu=off", timeout=300)
        console.process.wait(300)
        console.message_reader.join(10)
        if "pmu: this host has no performance monitors that a guest could have" not in console.output + console.messages:
            console.fail("a CPU without them is not complained about")
        # QEMU has some of the registers even then, so the guest looks no further than what it is told.
        unlisted = image(folder, "unlisted", (GUEST, "-DUNLISTED"))
        console = Console(system(folder, "absent", 3, [("vm", unlisted, "")]), "--cpu", "cortex-a72,pmu=off", timeout=300)
        if "guest: pass" not in console.end(0):
            console.fail("a guest on a CPU without them finds some")


main()
