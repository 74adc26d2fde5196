#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Performance monitors in Debian's kernel: its driver finds them, counts the instructions of a process as `perf stat` does and takes samples by the
overflow interrupt as `perf record` does. (pmu/count.c makes perf's system calls; QEMU counts instructions under
-icount only, and of their overflows QEMU 7.2 loses most, under a hypervisor and without.)"""

import os
import pathlib
import re
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from stress import EXAMPLE, MADE, SOURCE, load_prepare  # noqa: E402

BANNER = "Welcome to Debian Linux under sel4vm"
DRIVER = "hw perfevents: enabled with armv8_pmuv3 PMU driver"


def initrd(folder):
    """The example's, and the program behind it."""
    subprocess.run([EXAMPLE / "prepare"], check=True)
    program = folder / "count"
    subprocess.run(["aarch64-linux-gnu-gcc", "-O2", "-static", "-Wall", "-Werror", SOURCE / "tests" / "system" / "pmu" / "count.c",
                    "-o", program], check=True)
    prepare = load_prepare()
    archive = prepare.Archive()
    archive.add("count", stat.S_IFREG | 0o755, program.read_bytes())
    made = folder / "initrd.cpio"
    prepare.write(made, (MADE / "initrd.cpio").read_bytes() + archive.finish())
    return made


def boot(folder, ram_disk):
    system = folder / "system.toml"
    system.write_text(f'[[vm]]\nname = "linux"\nmemory = "256M"\npmu = true\nkernel = "{MADE / "vmlinuz"}"\n'
                      f'initrd = "{ram_disk}"\ncmdline = "console=ttyAMA0 panic=-1"\n')
    console = Console(str(system), "--icount", timeout=900)
    started = console.expect(BANNER)
    console.shell()
    return console, started


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ram_disk = initrd(folder)
        console, started = boot(folder, ram_disk)
        if DRIVER not in started:
            console.fail("the kernel did not find them")
        said = console.command("/count; echo status $?")
        counted = re.search(r"counted (\d+) of (\d+)", said)
        # Each interrupt of the process, by a tick or a page, costs a few of its own instructions at most.
        if not counted or not int(counted[2]) <= int(counted[1]) <= int(counted[2]) * 1.001:
            console.fail("not its own instructions were counted")
        sampled = re.search(r"sampled (\d+) of (\d+)", said)
        if not sampled or not 1 <= int(sampled[1]) <= int(sampled[2]):
            console.fail("it was not sampled")
        taken = re.search(r"GICv3 +23 Level +arm-pmu", console.command("cat /proc/interrupts"))
        if not taken:
            console.fail("it is not by interrupt 23 of its own")
        console.send("poweroff -f")
        console.end(0)


main()
