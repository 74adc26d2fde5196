#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Linux with virtio devices of ours: virtio_linux_test.py GIC VCPUS [mmio|pci|pci-wires]. It mounts an ext4 image and finds in it what was put there; what it writes
is there when the caches are empty, and gone when the image is used again; a read-only disk stays as it is; the generator gives bytes."""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from debian_modules import modules_ramdisk  # noqa: E402

BANNER = "Welcome to Debian Linux under sel4vm"
SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
EXAMPLE = SOURCE / "examples" / "debian-linux"
# In the order in which they are loaded.
MMIO = ["virtio_mmio"]
PCI = ["virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"]
MODULES = ["virtio_blk", "virtio-rng", "crc16", "crc32c_generic", "mbcache", "jbd2", "ext4"]
COMPLAINTS = ("EXT4-fs error", "hung task", "nobody cared", "WARNING:")


def boot(console, modules):
    console.expect(BANNER)
    console.shell()
    console.command("stty columns 500")  # so that no line is cut in two
    if "\nno " in console.command("for m in " + " ".join(modules) + "; do insmod /modules/$m.ko || echo no $m; done"):
        console.fail("a module was not loaded")


def check_pci(console, gic, transport):
    """Where its interrupts come from, and that nothing else asks for the CPU."""
    lines = [line for line in console.command("cat /proc/interrupts").splitlines() if "virtio" in line]
    kind = "GICv" if transport == "pci-wires" else "ITS-MSI" if gic == "3" else "MSI"
    if not lines or not all(kind in line for line in lines) or (transport == "pci") != any("-req" in line for line in lines):
        console.fail(f"the interrupts are of another kind than {kind}: {lines}")
    if "01:" in console.command("cat /proc/bus/pci/devices | cut -c 1-4"):
        console.fail("there is more than one bus")


def main(gic, vcpus, transport="mmio"):
    on_pci = transport != "mmio"
    modules = (PCI if on_pci else MMIO) + MODULES
    key = ', transport = "pci"' if on_pci else ""
    place = ', transport = "pci", slot = 9' if on_pci else ", address = 0x0a000400, irq = 18"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([EXAMPLE / "prepare"], check=True)
        built = SOURCE / "build" / "examples" / "debian-linux"
        (folder / "initrd").write_bytes((built / "initrd.cpio").read_bytes() + modules_ramdisk(modules))
        (folder / "files").mkdir()
        content = os.urandom(6 << 20)
        (folder / "files" / "data").write_bytes(content)
        wanted = hashlib.sha256(content).hexdigest()
        disk, fixed = folder / "disk", folder / "fixed"
        subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-d", folder / "files", disk, "32M"], check=True)
        fixed.write_bytes(content)
        before = disk.read_bytes()

        (folder / "system.toml").write_text(f"""
[[vm]]
name = "debian"
gic = {gic}
vcpus = {vcpus}
{"cpus = [0, 1]" if vcpus == "2" else ""}
memory = "256M"
kernel = "{built}/vmlinuz"
initrd = "initrd"
cmdline = "console=ttyAMA0{" pci=nomsi" if transport == "pci-wires" else ""}"
device = [{{ type = "virtio-rng", name = "random"{place} }}]
disk = [{{ path = "disk"{key} }}, {{ path = "fixed", name = "fixed", read_only = true{key} }}]
""")
        console = Console(str(folder / "system.toml"))
        boot(console, modules)
        if on_pci:
            check_pci(console, gic, transport)

        # What is there: read whole, by large requests, and through a file system.
        if wanted not in console.command("sha256sum /dev/vdb"):
            console.fail("the second disk does not hold what it should")
        if wanted not in console.command("mkdir -p /mnt; mount -t ext4 /dev/vda /mnt && sha256sum /mnt/data"):
            console.fail("the first disk does not hold what it should")
        if console.command("for d in vda vdb; do echo $(cat /sys/block/$d/serial); done").split() != ["disk1", "fixed"]:
            console.fail("the disks have other names")
        if console.command("cat /sys/block/vda/ro /sys/block/vdb/ro").split() != ["0", "1"]:
            console.fail("the wrong disk is read-only")

        # What is written is there when it is read from the disk again, also what was written by many at once.
        console.command("cp /mnt/data /mnt/copy; for i in 1 2 3 4; do "
                        "(dd if=/dev/urandom of=/mnt/f$i bs=4k count=300; sync) 2>/dev/null & done; wait; sha256sum /mnt/f? >/mnt/sums")
        console.command("umount /mnt; echo 3 >/proc/sys/vm/drop_caches; mount -t ext4 /dev/vda /mnt")
        if wanted not in console.command("sha256sum /mnt/copy"):
            console.fail("what was written is not there")
        if console.command("sha256sum -c /mnt/sums").count(": OK") != 4:
            console.fail("what several wrote is not there")
        console.command("fstrim /mnt 2>/dev/null; rm /mnt/f?; sync; umount /mnt")
        if "Read-only" not in console.command("dd if=/dev/zero of=/dev/vdb bs=512 count=1 2>&1") + console.command("blockdev --getro /dev/vdb | sed s/1/Read-only/"):
            console.fail("the read-only disk was written")
        if wanted not in console.command("echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/vdb"):
            console.fail("the read-only disk has changed")

        # The generator.
        if "virtio_rng" not in console.command("cat /sys/class/misc/hw_random/rng_current"):
            console.fail("there is no generator")
        numbers = [console.command("dd if=/dev/hwrng bs=32 count=8 2>/dev/null | sha256sum") for _ in range(2)]
        if numbers[0] == numbers[1] or console.command("dd if=/dev/hwrng bs=32 count=8 2>/dev/null | wc -c").strip() != "256":
            console.fail(f"the generator gives nothing new: {numbers}")

        # Its driver lets the disk go and finds it again, and so does a kernel that is started anew: with what was written.
        console.command("d=$(basename $(readlink /sys/block/vda/device)); b=/sys/bus/virtio/drivers/virtio_blk; "
                        "for i in 1 2 3 4 5; do echo $d >$b/unbind; echo $d >$b/bind; done")
        if wanted not in console.command("mount -t ext4 /dev/vda /mnt && sha256sum /mnt/copy"):
            console.fail("the disk is not there after its driver came back")
        said = console.command("umount /mnt; dmesg")
        for complaint in COMPLAINTS:
            if complaint in said:
                console.fail(f"the kernel complains: {complaint}")
        console.send("reboot -f")
        boot(console, modules)
        if wanted not in console.command("mkdir -p /mnt; mount -t ext4 /dev/vda /mnt && sha256sum /mnt/copy"):
            console.fail("what was written is not there after a reset")
        console.command("umount /mnt")
        console.send("poweroff -f")
        console.end(0)
        if disk.read_bytes() != before:
            console.fail("the image has changed")


main(*sys.argv[1:4])
