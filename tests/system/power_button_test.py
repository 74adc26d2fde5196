#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A device of a system file that is asked for by its type: the power button of a PL061 is pressed from the console, and its guest, which waits for
that interrupt, sees it pressed and let go. The console's escape is heard from a person whatever the VM with the input does."""

import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import TESTS, image  # noqa: E402

BUTTON = '[[vm.device]]\ntype = "pl061"\nname = "power"\naddress = 0x09030000\nirq = 7\n'


def run(folder, kernel, gic):
    system = folder / "system.toml"
    system.write_text('[console]\nescape = "^B"\n[bench]\nreport_exits = true\n'
                      f'[[vm]]\nname = "asked"\nmemory = "16M"\ngic = {gic}\nkernel = "{kernel}"\n' + BUTTON)
    console = Console(str(system), timeout=300)
    console.expect("ready")
    console.send("\x02p")
    output = console.end(0)
    for line in ("power button pressed: asked\r\n", "pressed", "released", "guest: pass"):
        if line not in output:
            console.fail(f"the output lacks {line!r}")
    if "asked: bench: accesses of pl061 at 0x9030000: " not in console.messages:
        console.fail("the accesses of the device are not counted")


def press_past_a_vm_that_takes_nothing(folder, kernel, spin):
    """One key for a VM that has not opened its serial port must not end the input of all others."""
    system = folder / "system.toml"
    system.write_text('[console]\nescape = "^B"\n'
                      f'[[vm]]\nname = "deaf"\nmemory = "16M"\nkernel = "{spin}"\n'
                      f'[[vm]]\nname = "asked"\nmemory = "16M"\nkernel = "{kernel}"\n' + BUTTON)
    console = Console(str(system), timeout=300, terminal=True)
    console.expect("ready")
    console.type("x\x02p")
    console.expect("there is no power button: deaf")
    console.type("y" * 600 + "\x022\x02p")
    console.expect("VM deaf takes no input: it is lost")
    console.expect("console input to asked")
    console.expect("guest: pass")
    # It has stopped a moment later.
    while True:
        console.type("\x022")
        with console.lock:
            console.lock.wait(1)
        if "VM asked has stopped" in console.output[console.seen:]:
            break
        if time.monotonic() > console.deadline:
            console.fail("moving the input to a VM that has stopped is not answered")
    console.type("\x01x")
    console.end(0)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    kernel = image(folder, "button", (TESTS / "system" / "power_button" / "main.S",))
    for gic in (2, 3):
        run(folder, kernel, gic)
    source = folder / "spin.S"
    source.write_text(".globl main\nmain: b main\n")
    press_past_a_vm_that_takes_nothing(folder, kernel, image(folder, "spin", (source,)))
print("ok")
