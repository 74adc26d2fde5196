#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""examples/u-boot, Debian's U-Boot as firmware in ROM: reaches its prompt, answers, keeps its environment in the flash over a reset, powers off."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402


def prompt(console):
    console.expect("U-Boot 20")
    console.expect("Hit any key to stop autoboot")
    console.send("")
    console.expect("=> ")


def main(gic):
    console = Console(os.path.join(os.environ["SEL4VM_SOURCE"], "examples", "u-boot", "system.toml"), "--gic", gic)
    prompt(console)
    console.send("setenv kept over-a-reset; saveenv")
    console.expect("OK")
    console.expect("=> ")
    console.send("reset")
    prompt(console)
    console.send("printenv kept")
    console.expect("kept=over-a-reset")
    console.expect("=> ")
    console.send("version")
    console.expect("aarch64-linux-gnu-gcc")
    console.expect("=> ")
    console.send("poweroff")
    console.end(0)


for version in ("2", "3"):
    main(version)
