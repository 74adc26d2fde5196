#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel with each thing that takes messages: messages_linux_test.py GIC KIND. Its drivers find it, believe its registers, and the
system comes up; with an ITS every CPU has its tables and its collection, also after it was taken off and put back."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402

BANNER = "Welcome to Debian Linux under sel4vm"
SAID = {
    "its": ["ITS [mem 0x08080000-0x0809ffff]", " Devices @", "LPI property table"],
    "v2m": ["GICv2m: range[mem 0x08020000-0x08020fff], SPI[80:143]"],
    "mbi": ["MBI range [80:143]"],
}


def main(gic, kind):
    example = os.path.join(os.environ["SEL4VM_SOURCE"], "examples", "debian-linux")
    subprocess.run([os.path.join(example, "prepare")], check=True)
    console = Console(os.path.join(example, "system.toml"), "--gic", gic, "--vcpus", "2", "--msi", kind)
    started = console.expect(BANNER)
    for text in SAID[kind]:
        if text not in started:
            console.fail(f"the kernel did not say: {text}")
    for bad in ("ITS queue timeout", "ITS: failed", "Failed to initialize MBIs"):
        if bad in started:
            console.fail(f"the kernel said: {bad}")
    console.shell()
    if kind == "its":
        for cpu in (0, 1):
            if f"CPU{cpu}: using allocated LPI pending table" not in started:
                console.fail(f"CPU {cpu} has no LPIs")
        said = console.command(
            "echo 0 >/sys/devices/system/cpu/cpu1/online; echo 1 >/sys/devices/system/cpu/cpu1/online; "
            "cat /sys/devices/system/cpu/online"
        )
        if "0-1" not in said or "timeout" in said:
            console.fail("the second CPU did not come back")
    console.send("poweroff -f")
    console.end(0)


main(*sys.argv[1:3])
