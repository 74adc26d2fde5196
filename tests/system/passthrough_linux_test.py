#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Linux with devices of the machine: passthrough_linux_test.py GIC VCPUS. It mounts a disk and writes to it, its network answers, its generator
gives bytes: QEMU's own virtio devices, with Debian's drivers. Their interrupts come to the CPU that the guest chooses."""

import hashlib
import http.server
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from debian_modules import modules_ramdisk  # noqa: E402

BANNER = "Welcome to Debian Linux under sel4vm"
SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
EXAMPLE = SOURCE / "examples" / "debian-linux"
# In the order in which they are loaded.
MODULES = ["virtio_mmio", "virtio_blk", "failover", "net_failover", "virtio_net", "virtio-rng", "crc16", "crc32c_generic", "mbcache", "jbd2", "ext4"]


class Served(http.server.BaseHTTPRequestHandler):
    content = os.urandom(3 << 20)

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def counts(console, device):
    """How often each CPU took the interrupt of the transport at this address, and the interrupt's number in Linux."""
    for line in console.command("cat /proc/interrupts").splitlines():
        if device in line or line.split()[-1:] == [device]:
            fields = line.split()
            return [int(field) for field in fields[1:] if field.isdigit()], fields[0].rstrip(":")
    console.fail(f"no {device} in /proc/interrupts")


def main(gic, vcpus):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([EXAMPLE / "prepare"], check=True)
        built = SOURCE / "build" / "examples" / "debian-linux"
        (folder / "initrd").write_bytes((built / "initrd.cpio").read_bytes() + modules_ramdisk(MODULES))
        (folder / "files").mkdir()
        content = os.urandom(2 << 20)
        (folder / "files" / "data").write_bytes(content)
        disk = folder / "disk"
        subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext2", "-d", folder / "files", disk, "16M"], check=True)
        port = serve()

        (folder / "system.toml").write_text(f"""
[qemu]
gic = {gic}
arguments = ["-global", "virtio-mmio.force-legacy=false",
             "-drive", "file={disk},if=none,id=disk,format=raw", "-device", "virtio-blk-device,drive=disk",
             "-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net", "-device", "virtio-rng-device"]
[[vm]]
name = "debian"
gic = {gic}
vcpus = {vcpus}
{"cpus = [0, 1]" if vcpus == "2" else ""}
memory = [{{ size = "256M", address = 0x60000000, one_to_one = true }}]
kernel = "{built}/vmlinuz"
initrd = "initrd"
cmdline = "console=ttyAMA0"
passthrough = [{{ node = "/virtio_mmio@a003e00" }}, {{ node = "/virtio_mmio@a003c00" }}, {{ node = "/virtio_mmio@a003a00" }}]
""")
        console = Console(str(folder / "system.toml"))
        console.expect(BANNER)
        console.shell()
        console.command("stty columns 500")  # so that no line is cut in two
        load = "for m in " + " ".join(MODULES) + "; do insmod /modules/$m.ko || echo no $m; done"
        if "\nno " in console.command(load):
            console.fail("a module was not loaded")

        # The disk: read, and written for the host to read.
        if hashlib.sha256(content).hexdigest() not in console.command("mkdir /mnt; mount -t ext2 /dev/vda /mnt && sha256sum /mnt/data"):
            console.fail("the disk does not hold what it should")
        if vcpus == "2":
            first, irq = counts(console, "virtio0")
            console.command(f"echo 2 >/proc/irq/{irq}/smp_affinity; echo 3 >/proc/sys/vm/drop_caches; sha256sum /mnt/data")
            second, _ = counts(console, "virtio0")
            if second[1] <= first[1] or second[0] > first[0] + 1:
                console.fail(f"the disk's interrupt did not move: {first}, then {second}")
        console.command("sha256sum /mnt/data >/mnt/sum; umount /mnt; sync")
        written = subprocess.run(["/sbin/debugfs", "-R", "cat sum", disk], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if hashlib.sha256(content).hexdigest().encode() not in written.stdout:
            console.fail("what the guest wrote is not on the disk")

        # The network.
        console.command("ifconfig eth0 10.0.2.15 up")
        if hashlib.sha256(Served.content).hexdigest() not in console.command(f"wget -q -O - http://10.0.2.2:{port}/ | sha256sum"):
            console.fail("the network does not bring what was asked for")

        # The generator.
        if "virtio_rng" not in console.command("cat /sys/class/misc/hw_random/rng_current"):
            console.fail("there is no generator")
        numbers = [console.command("dd if=/dev/hwrng bs=32 count=8 2>/dev/null | sha256sum") for _ in range(2)]
        if numbers[0] == numbers[1] or console.command("dd if=/dev/hwrng bs=32 count=8 2>/dev/null | wc -c").strip() != "256":
            console.fail(f"the generator gives nothing new: {numbers}")
        for device in ("virtio0", "virtio1", "virtio2"):
            if sum(counts(console, device)[0]) < 2:
                console.fail(f"{device} has no interrupts")

        # After a reset of the VM its drivers find the devices again.
        console.send("reboot -f")
        console.expect(BANNER)
        console.shell()
        console.command("stty columns 500")
        console.command(load)
        if hashlib.sha256(content).hexdigest() not in console.command("mkdir /mnt; mount -t ext2 /dev/vda /mnt && sha256sum /mnt/data"):
            console.fail("the disk is not there after a reset")
        console.send("poweroff -f")
        console.end(0)


main(*sys.argv[1:3])
