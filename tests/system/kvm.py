# SPDX-License-Identifier: BSD-2-Clause
"""A machine with KVM for the system tests: QEMU's board with EL2, Debian's kernel, and an initial RAM disk of our own with busybox, the
programs under test, and a script that runs them. It has one CPU on purpose: its threads hand over to each other at each exit, and on an
emulator of two CPUs that share a busy PC each of those waits for the other's turn."""

import importlib.machinery
import importlib.util
import os
import pathlib
import stat
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
BUILD = pathlib.Path(os.environ["SEL4VM_BUILD"])
EXAMPLE = BUILD / "examples" / "debian-linux"
PROGRAM = BUILD / "kvm" / "apps" / "kvm" / "sel4vm-kvm"

# Ends the machine by its firmware; what comes before is the test's.
BEGIN = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs devtmpfs /dev
mount -t proc proc /proc
exec </dev/console >/dev/console 2>&1
"""
END = """
poweroff -f
"""


def _prepare():
    """examples/debian-linux/prepare, which makes archives, as a module."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("prepare", str(SOURCE / "examples" / "debian-linux" / "prepare"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("prepare", loader))
    loader.exec_module(module)
    return module


def initial_ramdisk(path, script, files):
    """Writes an archive with `script` as its first process and `files`, a dictionary from names to paths."""
    prepare = _prepare()
    archive = prepare.Archive()
    for folder in ("bin", "dev", "proc"):
        archive.add(folder, stat.S_IFDIR | 0o755, links=2)
    archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    debs = prepare.packages(BUILD / "debs")
    archive.add("bin/busybox", stat.S_IFREG | 0o755, prepare.find(debs, "bin/busybox", "usr/bin/busybox").read_bytes())
    archive.add("init", stat.S_IFREG | 0o755, (BEGIN + script + END).encode())
    for name, source in files.items():
        archive.add(name, stat.S_IFREG | 0o755, pathlib.Path(source).read_bytes())
    path.write_bytes(archive.finish())


def guest_files():
    """Debian's kernel and the initial RAM disk of the example, for a guest."""
    subprocess.run([SOURCE / "examples" / "debian-linux" / "prepare"], check=True)
    return {"vmlinuz": EXAMPLE / "vmlinuz", "guest.cpio": EXAMPLE / "initrd.cpio"}


def command(initrd, gic):
    """The emulator's command line: `gic` is the version of the machine's own interrupt controller, and so of its guests'."""
    return ["qemu-system-aarch64", "-M", f"virt,virtualization=on,gic-version={gic}", "-cpu", "neoverse-n1", "-m", "1G", "-smp", "1",
            "-nic", "none", "-display", "none", "-monitor", "none", "-serial", "stdio", "-kernel", str(EXAMPLE / "vmlinuz"),
            "-initrd", str(initrd), "-append", "console=ttyAMA0 quiet panic=-1", "-no-reboot"]


def run(initrd, gic, timeout=600):
    """Runs the machine to its end; what it printed, without carriage returns."""
    try:
        done = subprocess.run(command(initrd, gic), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=timeout, check=False)
        return done.stdout.decode("utf-8", "replace").replace("\r", "")
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode("utf-8", "replace").replace("\r", "") + "\n<it did not end>\n"
