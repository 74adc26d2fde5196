#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A device of a system file that is asked for by its type: the power button of a PL061 is pressed from the console, and its guest, which waits for
that interrupt, sees it pressed and let go."""

import os
import pathlib
import sys
import tempfile

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


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    kernel = image(folder, "button", (TESTS / "system" / "power_button" / "main.S",))
    for gic in (2, 3):
        run(folder, kernel, gic)
print("ok")
