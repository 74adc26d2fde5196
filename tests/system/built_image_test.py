#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A built image is started by hand: with the command of docs/booting.md, and with the one that the tool gives whoever gives it the image as
a system file. As a guest's kernel the host program says what is wrong and does not end well."""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import image  # noqa: E402

SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])


def start(words):
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if run.returncode != 0 or "started by hand" not in run.stdout:
        sys.exit(f"FAILED: {words}: status {run.returncode}\n{run.stdout}{run.stderr}")


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    source = folder / "main.S"
    source.write_text('.globl main\nmain: stp x29, x30, [sp, #-16]!\n adr x0, 1f\n bl print\n ldp x29, x30, [sp], #16\n ret\n'
                      '1: .asciz "started by hand\\n"\n')
    kernel = image(folder, "kernel", (source,))
    for gic in (2, 3):
        system, built = folder / "system.toml", folder / "system.img"
        system.write_text(f'[[vm]]\nmemory = "16M"\ngic = {gic}\nkernel = "{kernel}"\n')
        subprocess.run([os.environ["SEL4VM"], "build", str(system), "-o", str(built)], check=True)
        told = subprocess.run([os.environ["SEL4VM"], "run", str(built)], capture_output=True, text=True)
        if told.returncode != 2:
            sys.exit(f"FAILED: the image was run: {told}")
        start(shlex.split(told.stderr.split("in QEMU it starts by: ")[1]))
    documented, = re.findall(r"^ +(qemu-system-aarch64 .*-kernel system\.img.*)$", (SOURCE / "docs/booting.md").read_text(), re.M)
    start([str(built) if word == "system.img" else word for word in shlex.split(documented, comments=True)])

    # Without the mark by which the tool knows it.
    host = bytearray((pathlib.Path(os.environ["SEL4VM_BUILD"]) / "target/apps/vmm/vmm.img").read_bytes())
    assert host[4:8] == b"s4vm"
    host[4:8] = bytes(4)
    unknown = folder / "unknown.img"
    unknown.write_bytes(host)
    console = Console("--kernel", str(unknown), timeout=300)
    output = console.end(1)
    if "started at EL1, but a hypervisor needs EL2" not in output:
        console.fail("the host program does not say where it is")
print("ok")
