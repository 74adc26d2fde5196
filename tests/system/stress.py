# SPDX-License-Identifier: BSD-2-Clause
"""An initial RAM disk with Debian's stress-ng for arm64: that of examples/debian-linux, and one more archive behind it, which Linux unpacks over
the first."""

import importlib.machinery
import importlib.util
import os
import pathlib
import re
import stat
import subprocess

SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
EXAMPLE = SOURCE / "examples" / "debian-linux"
MADE = SOURCE / "build" / "examples" / "debian-linux"
PLACES = ("lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu")


def load_prepare():
    """The example's script, which knows the archive's format."""
    loader = importlib.machinery.SourceFileLoader("prepare", str(EXAMPLE / "prepare"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("prepare", loader))
    loader.exec_module(module)
    return module


def _needed(program):
    """The shared libraries that it names."""
    said = subprocess.run(["aarch64-linux-gnu-readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", said)


def _libraries(root, program):
    """Those that it needs, and those need, by their names."""
    found, wanted = {}, _needed(program)
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        file = next(root / place / name for place in PLACES if (root / place / name).exists())
        found[name] = file.resolve()
        wanted += _needed(file)
    return found


def kernel_and_initrd():
    """Their files; the second one is made when it is not there."""
    subprocess.run([EXAMPLE / "prepare"], check=True)
    root = SOURCE / "build" / "debs" / "stress"
    subprocess.run([SOURCE / "tools" / "debs", "unpack", root, "stress-ng"], check=True)
    prepare = load_prepare()
    archive = prepare.Archive()
    for folder in ("lib", "usr/bin"):
        archive.add(folder, stat.S_IFDIR | 0o755, links=2)
    program = root / "usr/bin/stress-ng"
    archive.add("usr/bin/stress-ng", stat.S_IFREG | 0o755, program.read_bytes())
    for name, file in sorted(_libraries(root, program).items()):
        archive.add(f"lib/{name}", stat.S_IFREG | 0o755, file.read_bytes())
    initrd = MADE / "stress.cpio"
    prepare.write(initrd, (MADE / "initrd.cpio").read_bytes() + archive.finish())
    return MADE / "vmlinuz", initrd
