#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The menu behind the console's escape: VMs are listed, paused, resumed, reset and stopped one by one, with their CPUs together and apart, whatever they
do, and the run ends well when somebody quits."""

import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import image, said  # noqa: E402

GUEST = """#include "guest.h"
    .globl main
main:
    adr x0, text
    bl print
1:
#if SPINS
    nop
#else
    wfi
#endif
    b 1b
text:
    .asciz "up\\r\\n"
"""


def ask(console, keys, answer):
    console.type("\x02" + keys)
    console.expect(answer)


def until(console, answer):
    """Lists the VMs until one of them is as it should be: it takes what it was asked for when its vCPUs have left their guests."""
    while True:
        console.type("\x02l")
        listed = console.expect("2 waits: ") + "2 waits: "
        listed += console.expect("\r\n") + "\r\n"
        if answer in listed:
            return
        time.sleep(0.2)


def ups(vm, count):
    return lambda output: said(output, vm).count("up") == count


def run(folder, spins, waits, gic, cpus):
    system = folder / "system.toml"
    system.write_text('[console]\nescape = "^B"\n' + "".join(
        f'[[vm]]\nname = "{name}"\nmemory = "16M"\ngic = {gic}\ncpus = [{cpu}]\nkernel = "{kernel}"\n'
        for name, kernel, cpu in (("spins", spins, cpus[0]), ("waits", waits, cpus[1]))))
    console = Console(str(system), timeout=300, terminal=True)
    for vm in ("spins", "waits"):
        console.wait_until(ups(vm, 1), f"{vm} does not start")

    ask(console, "?", "a number: input to that VM")
    ask(console, "l", "1 spins: running (has the input)")
    console.expect("2 waits: running")
    ask(console, "h", "pausing VM spins")
    until(console, "1 spins: paused")
    ask(console, "h", "VM spins is paused")
    ask(console, "g", "resuming VM spins")
    until(console, "1 spins: running")
    ask(console, "g", "VM spins is running")
    ask(console, "r", "resetting VM spins")
    console.wait_until(ups("spins", 2), "it does not start again")
    ask(console, "i", "VM spins, vCPU 0: exits ")
    console.expect(" memory=")
    console.expect("; interrupts 0, kicks ")
    console.expect("; running ")

    # The other one, which sleeps; paused when it is reset, and when it is stopped.
    ask(console, "2", "console input to waits")
    ask(console, "h", "pausing VM waits")
    until(console, "2 waits: paused (has the input)")
    ask(console, "r", "resetting VM waits")
    console.wait_until(ups("waits", 2), "it does not start again")
    ask(console, "h", "pausing VM waits")
    until(console, "2 waits: paused")
    ask(console, "k", "stopping VM waits")
    until(console, "2 waits: stopped: ")
    console.type("\x02l")
    console.expect("1 spins: running (has the input)")
    # Chosen, it is what commands are for, and its input comes back with it.
    ask(console, "2", "VM waits has stopped")
    ask(console, "k", "VM waits is stopped")
    for _ in range(3):
        ask(console, "r", "resetting VM waits")
        until(console, "2 waits: running (has the input)")
        ask(console, "k", "stopping VM waits")
        until(console, "2 waits: stopped: stopped by the client\r\n")
        ask(console, "2", "VM waits has stopped")
    ask(console, "r", "resetting VM waits")
    console.expect("waits| up")
    ask(console, "i", "VM waits, vCPU 0: exits ")
    ask(console, "1", "console input to spins")
    ask(console, "k", "stopping VM spins")
    until(console, "1 spins: stopped: ")
    ask(console, "1", "VM spins has stopped")
    ask(console, "r", "resetting VM spins")
    console.expect("spins| up")
    console.type("\x02q")
    console.end(0)
    if "sel4vm: error" in console.messages:
        console.fail("what was wanted is no error")


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    source = folder / "guest.S"
    source.write_text(GUEST)
    spins = image(folder, "spins", (source, "-DSPINS=1"))
    waits = image(folder, "waits", (source, "-DSPINS=0"))
    for gic, cpus in ((2, (0, 0)), (3, (0, 1)), (3, (1, 0)), (2, (1, 1))):
        run(folder, spins, waits, gic, cpus)
print("ok")
