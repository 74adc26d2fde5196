#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian Linux as a guest of the KVM host: kvm_linux_test.py GIC VCPUS. It reaches a shell, its timer and its UART interrupt, every
vCPU works, a reboot boots again, and a power-off ends the program with status 0."""

import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import kvm  # noqa: E402
from console import Console  # noqa: E402

BANNER = "Welcome to Debian Linux under sel4vm"
SCRIPT = """
/sel4vm-kvm --kernel /vmlinuz --initrd /guest.cpio --vcpus {vcpus} --gic {gic} --cmdline "console=ttyAMA0 quiet"
echo "sel4vm-kvm ended with $?"
"""


def interrupts(console, name):
    for line in console.command("cat /proc/interrupts").splitlines():
        fields = line.split()
        if name in line:
            return [int(field) for field in fields[1:] if field.isdigit()]
    console.fail(f"no {name} in /proc/interrupts")


def main(gic, vcpus):
    with tempfile.TemporaryDirectory() as folder:
        initrd = pathlib.Path(folder) / "kvm.cpio"
        kvm.initial_ramdisk(initrd, SCRIPT.format(gic=gic, vcpus=vcpus), {"sel4vm-kvm": kvm.PROGRAM, **kvm.guest_files()})
        console = Console(command=kvm.command(initrd, gic))
        console.expect(BANNER)
        console.shell()
        timer = interrupts(console, "arch_timer")[: int(vcpus)]
        if len(timer) != int(vcpus) or min(timer) < 10:
            console.fail(f"timer interrupts on the CPUs: {timer}")
        if interrupts(console, "uart-pl011")[0] == 0:
            console.fail("no UART interrupts")
        line = "".join(chr(ord("a") + i % 26) for i in range(100))
        if line not in console.command(f"echo {line}"):
            console.fail("a line did not come through")
        if int(vcpus) > 1:
            if console.command("nproc").strip().splitlines()[-1] != vcpus:
                console.fail("not every CPU came up")
            if sum(interrupts(console, "Function call interrupts")[: int(vcpus)]) == 0:
                console.fail("no inter-processor interrupts")
            console.send("reboot -f")
            console.expect(BANNER)
            console.shell()
            if console.command("nproc").strip().splitlines()[-1] != vcpus:
                console.fail("not every CPU came up again")
        console.send("poweroff -f")
        console.expect("sel4vm-kvm ended with 0")
        console.end(0)


main(*sys.argv[1:3])
