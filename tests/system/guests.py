# SPDX-License-Identifier: BSD-2-Clause
"""Small assembly guests for the system tests: making their images, and telling their output from others'."""

import os
import pathlib
import subprocess

TESTS = pathlib.Path(os.environ["SEL4VM_SOURCE"]) / "tests"
LIB = TESTS / "guest" / "lib"


def image(folder, name, *sources):
    """An arm64 Image of assembly sources, each with its own compiler options."""
    objects = []
    for index, (source, *options) in enumerate([(LIB / "lib.S",), *sources]):
        objects.append(folder / f"{name}.{index}.o")
        subprocess.run(["aarch64-linux-gnu-gcc", f"-I{LIB}", *options, "-c", source, "-o", objects[-1]], check=True)
    elf, out = folder / f"{name}.elf", folder / f"{name}.img"
    subprocess.run(["aarch64-linux-gnu-gcc", "-nostdlib", "-static", "-Wl,--build-id=none,--no-warn-rwx-segments",
                    f"-Wl,-T,{LIB}/guest.ld", *objects, "-o", elf], check=True)
    subprocess.run(["aarch64-linux-gnu-objcopy", "-O", "binary", "--set-section-flags", ".bss=alloc,load,contents", elf, out],
                   check=True)
    return out


def said(output, vm):
    """What one VM printed. Output of another VM ends a line that is not finished, and the rest follows on one of its own."""
    mark = f"{vm}| "
    return "".join(line[len(mark):].rstrip("\r") for line in output.split("\n") if line.startswith(mark))
