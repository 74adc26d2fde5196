#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Devices of the machine that VMs are given: a bare guest drives the board's PL061, whose page and interrupt are its own; two VMs each have a virtio
transport of one page; devices that answer with errors, in a page with others and in one of their own, harm their VM only; and what cannot be given
is refused with a sentence when the host starts."""

import os
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import TESTS, image, said  # noqa: E402

SOURCES = TESTS / "system" / "passthrough"
HEAD = '[qemu]\ngic = {gic}\narguments = ["-global", "virtio-mmio.force-legacy=false", "-device", "virtio-rng-device"]\n'


def vm(name, kernel, gic, *nodes, memory='"16M"', more=""):
    given = ", ".join(f'{{ node = "{node}" }}' for node in nodes)
    return f'[[vm]]\nname = "{name}"\nmemory = {memory}\ngic = {gic}\nkernel = "{kernel}"\npassthrough = [{given}]\n{more}'


def system(folder, gic, *vms):
    file = folder / "system.toml"
    file.write_text(HEAD.format(gic=gic) + "".join(vms))
    return str(file)


def refused(folder, kernel, words, *nodes, **more):
    console = Console(system(folder, 3, vm("asked", kernel, 3, *nodes, **more)), timeout=300)
    console.end(2)
    if words not in console.messages:
        console.fail(f"the host did not say: {words}")


# Where QEMU's board has nothing, and answers with an external abort.
NOTHING = {"/nothing@a010000": (0x0A010000, 0x100), "/nothing@a010100": (0x0A010100, 0x100), "/nothing@a011000": (0x0A011000, 0x1000)}


def board_with_nothing(folder, gic):
    """The board's device tree, and in it devices that are not there."""
    tree = folder / f"board-{gic}.dtb"
    subprocess.run(["qemu-system-aarch64", "-M", f"virt,gic-version={gic},virtualization=on,dumpdtb={tree}", "-cpu", "cortex-a72", "-smp", "2",
                    "-display", "none"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    data = tree.read_bytes()
    _, _, structure, strings, reserved, version, last, boot_cpu, strings_size, structure_size = struct.unpack(">10I", data[:40])
    names = data[strings : strings + strings_size] + b"reg\0"
    nodes = b""
    for path, (base, size) in NOTHING.items():
        name = path[1:].encode() + b"\0"
        name += b"\0" * (-len(name) % 4)
        nodes += struct.pack(">I", 1) + name + struct.pack(">3I2Q", 3, 16, strings_size, base, size) + struct.pack(">I", 2)
    # The last two tokens are the root's end and the tree's.
    body = data[structure : structure + structure_size - 8] + nodes + struct.pack(">2I", 2, 9)
    at = 40 + 16
    header = struct.pack(">10I", 0xD00DFEED, at + len(body) + len(names), at, at + len(body), 40, version, last, boot_cpu, len(names), len(body))
    tree.write_bytes(header + b"\0" * 16 + body + names)
    return tree


def errors_of_devices(folder, gic):
    tree = board_with_nothing(folder, gic)
    shared, own, neighbour = NOTHING
    for cpus in (1, 2):
        second = ("-DSECOND",) if cpus == 2 else ()
        more = "vcpus = 2\ncpus = [0, 1]\n" if cpus == 2 else ""
        images = [image(folder, f"aborts-{n}-{cpus}", (SOURCES / "aborts.S", f"-DDEVICE={NOTHING[node][0]:#x}", *second))
                  for n, node in enumerate((shared, own, neighbour))]
        file = folder / "errors.toml"
        file.write_text(f'[qemu]\ngic = {gic}\ncpus = 2\narguments = ["-dtb", "{tree}"]\n' + "".join(
            vm(name, kernel, gic, node, more=more)
            for name, kernel, node in zip(("one", "two", "three"), images, (shared, own, neighbour))))
        output = Console(str(file), timeout=300).end(0)
        for which in ("one", "two", "three"):
            if "guest: pass" not in said(output, which):
                sys.exit(f"{output}\nFAILED: guest {which} did not pass on {cpus} CPUs")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pl061 = image(folder, "pl061", (SOURCES / "pl061.S",))
        transport = image(folder, "transport", (SOURCES / "transport.S",))
        empty = image(folder, "empty", (SOURCES / "transport.S", "-DEMPTY"))
        for gic in (2, 3):
            for cpus in ("", "vcpus = 2\ncpus = [0, 1]\n"):
                console = Console(system(folder, gic, vm("asked", pl061, gic, "/pl061@9030000", more=cpus)), timeout=300)
                if "guest: pass" not in console.end(0):
                    console.fail("the guest did not pass")
            console = Console(system(folder, gic, vm("one", transport, gic, "/virtio_mmio@a003e00"),
                                     vm("two", empty, gic, "/virtio_mmio@a003c00")), timeout=300)
            output = console.end(0)
            for which in ("one", "two"):
                if "guest: pass" not in said(output, which):
                    console.fail(f"guest {which} did not pass")
            errors_of_devices(folder, gic)
        refused(folder, pl061, "asked: passthrough[0]: the machine's device tree has no such node", "/nowhere@1")
        refused(folder, pl061, "cannot be given away: it is the host's console", "/pl011@9000000")
        refused(folder, pl061, "cannot be given away: it is the host's clock", "/pl031@9010000")
        refused(folder, pl061, "cannot be given away: it is the interrupt controller", "/intc@8000000")
        refused(folder, pl061, "cannot be given away: it is a part of the interrupt controller", "/intc@8000000/its@8080000")
        refused(folder, pl061, "cannot be given away: it is memory", "/memory@40000000")
        refused(folder, pl061, "cannot be given away: it has no registers", "/timer")
        refused(folder, pl061, "passthrough[0]: its interrupt 7 is that of another device of the VM", "/pl061@9030000",
                more='[vm.uart]\nirq = 7\n')
        refused(folder, pl061, "passthrough[0]: its interrupt 7 is that by which shared memory rings the VM", "/pl061@9030000",
                more=f'[[vm]]\nname = "other"\nmemory = "16M"\nkernel = "{pl061}"\n[[shared]]\nname = "ring"\nsize = "4K"\n'
                     '[[shared.side]]\nvm = "asked"\nirq = 7\n[[shared.side]]\nvm = "other"\n')
        refused(folder, pl061, "passthrough[0]: its registers at 0x9030000 are where the VM has something else",
                "/pl061@9030000", more='[vm.uart]\naddress = 0x09030000\n')
        refused(folder, pl061, "memory[0]: one_to_one: a part of it is not memory of this machine",
                memory='[{ size = "16M", address = 0x40000000, one_to_one = true }]')


main()
