#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's U-Boot as firmware in ROM: reaches its prompt, answers, powers off."""

import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402

FIRMWARE = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"


def main(folder, gic):
    system = folder / "system.toml"
    system.write_text(f'[[vm]]\nname = "uboot"\nmemory = "256M"\nfirmware = "{FIRMWARE}"\n')
    console = Console(str(system), "--gic", gic)
    console.expect("U-Boot 20")
    console.expect("Hit any key to stop autoboot")
    console.send("")
    console.expect("=> ")
    console.send("version")
    console.expect("aarch64-linux-gnu-gcc")
    console.expect("=> ")
    console.send("poweroff")
    console.end(0)


for version in ("2", "3"):
    with tempfile.TemporaryDirectory() as name:
        main(pathlib.Path(name), version)
