#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Disks of the machine, which the host drives for Debian's Linux: machine_disk_test.py GIC VCPUS. What is written to a file with `keep` is in it when
the run has ended; one in QEMU's format is read, and left as it is; two VMs have a disk each; a guest that starts anew in the middle of its writes finds
a disk that works. And what cannot be had is said."""

import hashlib
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from debian_modules import modules_ramdisk  # noqa: E402

BANNER = "Welcome to Debian Linux under sel4vm"
SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
EXAMPLE = SOURCE / "examples" / "debian-linux"
MODULES = ["virtio_mmio", "virtio_blk", "crc16", "crc32c_generic", "mbcache", "jbd2", "ext4"]


def boot(console):
    console.expect(BANNER)
    console.shell()
    console.command("stty columns 500")  # so that no line is cut in two
    if "\nno " in console.command("for m in " + " ".join(MODULES) + "; do insmod /modules/$m.ko || echo no $m; done; mkdir -p /mnt"):
        console.fail("a module was not loaded")


def qcow2_over(raw):
    """The smallest image in QEMU's format: nothing of its own, all of it from the raw file."""
    cluster = 1 << 16
    name = str(raw).encode()
    extension = struct.pack(">II", 0xE2792ACA, 3) + b"raw" + bytes(5) + struct.pack(">II", 0, 0)
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 72 + len(extension), len(name), 16, raw.stat().st_size, 0, 1, 3 * cluster,
                         cluster, 1, 0, 0)
    first = (header + extension + name).ljust(cluster, b"\0")
    table = struct.pack(">Q", 2 * cluster).ljust(cluster, b"\0")
    counts = struct.pack(">HHHH", 1, 1, 1, 1).ljust(cluster, b"\0")
    return first + table + counts + bytes(cluster)


class Files:
    def __init__(self, folder, gic, vcpus):
        subprocess.run([EXAMPLE / "prepare"], check=True)
        built = SOURCE / "build" / "examples" / "debian-linux"
        (folder / "initrd").write_bytes((built / "initrd.cpio").read_bytes() + modules_ramdisk(MODULES))
        (folder / "files").mkdir()
        self.content = os.urandom(5 << 20)
        self.sum = hashlib.sha256(self.content).hexdigest()
        (folder / "files" / "data").write_bytes(self.content)
        self.disk, self.raw, self.qcow2 = folder / "disk", folder / "raw", folder / "a,comma.qcow2"
        subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-d", folder / "files", self.disk, "32M"], check=True)
        self.raw.write_bytes(self.content)
        self.qcow2.write_bytes(qcow2_over(self.raw))
        self.vm = f"""
[[vm]]
gic = {gic}
vcpus = {vcpus}
{"cpus = [0, 1]" if vcpus == "2" else ""}
memory = "256M"
kernel = "{built}/vmlinuz"
initrd = "initrd"
cmdline = "console=ttyAMA0"
"""
        self.system = folder / "system.toml"

    def write(self, *disks):
        self.system.write_text(self.vm + "".join(f"[[vm.disk]]\n{disk}\n" for disk in disks))
        return str(self.system)


def check_contents(console, files):
    if files.sum not in console.command("echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/vdb"):
        console.fail("the disk in QEMU's format does not hold what it should")


def first_run(files):
    console = Console(files.write('path = "disk"\nkeep = true', 'path = "a,comma.qcow2"'))
    boot(console)
    check_contents(console, files)
    if files.sum not in console.command("mount -t ext4 /dev/vda /mnt && sha256sum /mnt/data"):
        console.fail("the file system does not hold what it should")
    # Written by many at once, read from the disk again, and kept; in the other, gone at the end.
    console.command("cp /mnt/data /mnt/copy; for i in 1 2 3 4; do "
                    "(dd if=/dev/urandom of=/mnt/f$i bs=4k count=300; sync) 2>/dev/null & done; wait; sha256sum /mnt/f? >/mnt/sums")
    console.command("umount /mnt; echo 3 >/proc/sys/vm/drop_caches; mount -t ext4 /dev/vda /mnt")
    if console.command("sha256sum -c /mnt/sums").count(": OK") != 4 or files.sum not in console.command("sha256sum /mnt/copy"):
        console.fail("what was written is not there")
    console.command("fstrim /mnt 2>/dev/null; dd if=/dev/zero of=/dev/vdb bs=4k count=100 conv=notrunc 2>/dev/null; sync")
    if files.sum in console.command("echo 3 >/proc/sys/vm/drop_caches; sha256sum /dev/vdb"):
        console.fail("the disk in QEMU's format was not written")
    # A guest that starts anew while the disk has requests of its.
    console.send("(while :; do dd if=/dev/zero of=/mnt/zero bs=64k count=100 conv=fsync 2>/dev/null; done) & sleep 1; reboot -f")
    boot(console)
    if console.command("mount -t ext4 /dev/vda /mnt; sha256sum -c /mnt/sums").count(": OK") != 4:
        console.fail("the disk does not work after a reset")
    if "found 0" not in console.command("umount /mnt; echo found $(dmesg | grep -cE 'I/O error|EXT4-fs error|hung task|nobody cared|WARNING:')"):
        console.fail("the kernel complains")
    console.send("poweroff -f")
    console.end(0)
    if files.raw.read_bytes() != files.content:
        console.fail("the file in QEMU's format has changed")


def second_run(files):
    if subprocess.run(["/sbin/e2fsck", "-fn", files.disk], stdout=subprocess.DEVNULL).returncode != 0:
        sys.exit("FAILED: the file system that was kept is not whole")
    before = files.disk.read_bytes()
    console = Console(files.write('path = "disk"\nkeep = true\nread_only = true\nname = "fixed"'))
    boot(console)
    if console.command("cat /sys/block/vda/ro /sys/block/vda/serial").split() != ["1", "fixed"]:
        console.fail("the disk may be written, or has another name")
    if console.command("mount -t ext4 -o ro,noload /dev/vda /mnt; sha256sum -c /mnt/sums").count(": OK") != 4:
        console.fail("what was written is not there in another run")
    console.send("poweroff -f")
    console.end(0)
    if files.disk.read_bytes() != before:
        console.fail("the read-only disk has changed")


def named(files):
    """A disk that somebody else put into the machine, and one that nobody did."""
    system = files.write('machine = "theirs"')
    arguments = ["-global", "virtio-mmio.force-legacy=false", "-drive", f"if=none,id=d,format=raw,readonly=on,file={files.raw}", "-device",
                 "virtio-blk-device,drive=d,serial=theirs"]
    console = Console(system, *(f"--qemu-arg={argument}" for argument in arguments))
    boot(console)
    if files.sum not in console.command("sha256sum /dev/vda"):
        console.fail("the machine's disk does not hold what it should")
    console.send("poweroff -f")
    console.end(0)
    console = Console(system)
    console.end(2)
    if "disk1.machine: the machine has no disk 'theirs'" not in console.messages:
        console.fail("it was not said which disk is missing")
    console = Console(system, *(f"--qemu-arg={argument}" for argument in arguments[2:]))
    console.end(2)
    if "before virtio 1.0" not in console.messages:
        console.fail("it was not said that the disk is of an old version")


def main(gic, vcpus):
    with tempfile.TemporaryDirectory() as name:
        files = Files(pathlib.Path(name), gic, vcpus)
        first_run(files)
        second_run(files)
        named(files)


main(*sys.argv[1:3])
