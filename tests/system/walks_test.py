#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A guest whose translation tables no walk can use (walks/main.S): walks_test.py GIC CPU. The host says what failed where."""

import os
import pathlib
import struct
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import TESTS, image, said  # noqa: E402

ROM = 0x0C000000
ACCESSED, READ_ONLY, MODIFIER = 1 << 10, 1 << 7, 1 << 51
RAM_BLOCK = 0x40000000 | 3 << 8 | 1 << 2 | 1
RAM_PAGE = RAM_BLOCK | 2


def rom():
    """A table of level 1 or 2 whose first entry was not accessed yet; one of level 3 with the same, and with a clean page."""
    blocks = struct.pack("<Q", RAM_BLOCK).ljust(4096, b"\0")
    pages = struct.pack("<QQ", RAM_PAGE, RAM_PAGE | ACCESSED | READ_ONLY | MODIFIER).ljust(4096, b"\0")
    return blocks + pages


def main():
    gic, cpu = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        kernel = image(folder, "walks", (TESTS / "system" / "walks" / "main.S",))
        (folder / "tables.bin").write_bytes(rom())
        system = folder / "system.toml"
        system.write_text(f'[[vm]]\nname = "walks"\nmemory = "16M"\ngic = {gic}\nkernel = "{kernel}"\n'
                          f'[[vm.image]]\npath = "tables.bin"\naddress = {ROM:#x}\n')
        console = Console(str(system), "--cpu", cpu, "--log-level", "warning", timeout=300)
        output = console.end(0)
        if "guest: pass" not in output:
            console.fail("the guest did not pass")


main()
