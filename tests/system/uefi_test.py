#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's UEFI (EDK2): uefi_test.py. It gets to its shell, keeps a variable in the flash over a reset, starts GRUB and Debian's Linux from a GPT
disk over MMIO and PCI, and a kernel that it is told of; with a GIC of either version."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402

SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
BUILT = SOURCE / "build" / "examples" / "debian-linux"
# The early phase runs in place and sets a variable of its own there once.
OWN_VARIABLE = r"(sel4vm: warning: guest: vCPU 0: write of [0-9]+ bytes at 0x[0-9a-f]+, which is read-only memory, pc 0x[0-9a-f]+\n)"
GRUB_CONFIGURATION = """
set timeout=0
menuentry debian {
  linux /vmlinuz console=ttyAMA0
  initrd /initrd.cpio
}
"""


def shell(console):
    console.expect("Shell> ")


def keeps_a_variable(gic):
    """In a flash that is erased at first."""
    console = Console("--firmware", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd", "--memory", "256M", "--gic", gic)
    console.expect("UEFI firmware (version ")
    shell(console)
    console.send("set kept over-a-reset\r")
    shell(console)
    console.send("reset\r")
    console.expect("UEFI firmware (version ")
    shell(console)
    console.send("set kept\r")
    console.expect("over-a-reset")  # and colours before it
    shell(console)
    console.send("reset -s\r")
    console.end(0)
    if not re.fullmatch(OWN_VARIABLE + "{2}", console.messages):
        console.fail("the host had something else to say")


def make_disk(folder):
    """A GPT with an EFI system partition that has GRUB, a kernel and its initial RAM disk."""
    subprocess.run([SOURCE / "examples" / "debian-linux" / "prepare"], check=True)
    grub = SOURCE / "build" / "grub"
    subprocess.run([SOURCE / "tools" / "debs", "unpack", grub, "grub-efi-arm64-bin"], check=True)
    (folder / "grub.cfg").write_text(GRUB_CONFIGURATION)
    partition = folder / "partition"
    size = 100 << 20
    with open(partition, "wb") as file:
        file.truncate(size)
    subprocess.run(["/sbin/mkfs.vfat", "-F", "32", partition], check=True, stdout=subprocess.DEVNULL)
    mtools = dict(os.environ, MTOOLS_SKIP_CHECK="1")
    subprocess.run(["mmd", "-i", partition, "::EFI", "::EFI/BOOT", "::EFI/debian"], check=True, env=mtools)
    for source, name in (
        (grub / "usr/lib/grub/arm64-efi/monolithic/grubaa64.efi", "EFI/BOOT/BOOTAA64.EFI"),
        (folder / "grub.cfg", "EFI/debian/grub.cfg"),
        (BUILT / "vmlinuz", "vmlinuz"),
        (BUILT / "initrd.cpio", "initrd.cpio"),
    ):
        subprocess.run(["mcopy", "-i", partition, source, f"::{name}"], check=True, env=mtools)
    disk = folder / "disk"
    sectors = size // 512
    with open(disk, "wb") as file:
        file.truncate(size + (4 << 20))
    system_partition = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
    table = f"label: gpt\nstart=2048, size={sectors}, type={system_partition}\n"
    subprocess.run(["/sbin/sfdisk", "-q", disk], input=table.encode(), check=True)
    with open(disk, "r+b") as file:
        file.seek(1 << 20)
        file.write(partition.read_bytes())
    return disk


def starts_linux(disk, how, gic):
    console = Console("--firmware", "uefi", "--disk", f"{disk},{how}", "--memory", "512M", "--gic", gic)
    console.expect("Welcome to Debian Linux under sel4vm")
    console.shell()
    if "BOOT_IMAGE=/vmlinuz" not in console.command("cat /proc/cmdline"):
        console.fail("it was not started by GRUB")
    if "\n1\n" not in console.command("grep -c . /sys/firmware/efi/fw_platform_size"):
        console.fail("Linux does not know the firmware")
    console.send("poweroff")
    console.end(0)


def starts_a_kernel(gic):
    """That fw_cfg has."""
    kernel = ["--kernel", BUILT / "vmlinuz", "--initrd", BUILT / "initrd.cpio", "--cmdline", "console=ttyAMA0 told"]
    console = Console("--firmware", "uefi", *kernel, "--memory", "512M", "--gic", gic)
    console.expect("Welcome to Debian Linux under sel4vm")
    console.shell()
    if "console=ttyAMA0 told" not in console.command("cat /proc/cmdline"):
        console.fail("it has another command line")
    if "\n1\n" not in console.command("grep -c . /sys/firmware/efi/fw_platform_size"):
        console.fail("it was not started by the firmware")
    console.send("poweroff")
    console.end(0)


with tempfile.TemporaryDirectory() as name:
    image = make_disk(pathlib.Path(name))
    starts_linux(image, "keep,pci", "3")  # read by the machine
    for version in ("2", "3"):
        keeps_a_variable(version)
        starts_linux(image, "ro", version)
        starts_linux(image, "ro,pci", version)
        starts_a_kernel(version)
