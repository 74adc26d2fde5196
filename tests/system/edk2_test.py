#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's EDK2 as firmware in ROM: runs its first two phases and every driver that needs no flash chip, and ends where it needs
one, as docs/booting.md says. On the way it touches nothing that the machine does not have."""

import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402

FIRMWARE = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"
# The early phase runs in place and sets a variable of its own there once.
OWN_VARIABLE = r"sel4vm: warning: edk2: vCPU 0: write of [0-9]+ bytes at 0x[0-9a-f]+, which is read-only memory, pc 0x[0-9a-f]+\n"


def main(folder, gic):
    system = folder / "system.toml"
    system.write_text(f'[[vm]]\nname = "edk2"\nmemory = "256M"\nfirmware = "{FIRMWARE}"\n')
    console = Console(str(system), "--gic", gic)
    console.expect("UEFI firmware (version ")
    console.expect("Synchronous Exception at 0x")
    console.stop()
    if not re.fullmatch(OWN_VARIABLE, console.messages):
        console.fail("the host had something else to say")


for version in ("2", "3"):
    with tempfile.TemporaryDirectory() as name:
        main(pathlib.Path(name), version)
