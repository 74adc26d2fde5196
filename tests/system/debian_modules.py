# SPDX-License-Identifier: BSD-2-Clause
"""Modules of Debian's arm64 kernel for a guest: an archive that follows the initial RAM disk of examples/debian-linux."""

import importlib.machinery
import importlib.util
import os
import pathlib
import stat
import sys

SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
EXAMPLE = SOURCE / "examples" / "debian-linux"
DEBS = pathlib.Path(os.environ.get("SEL4VM_DEBS", SOURCE / "build" / "debs"))


def new_archive():
    loader = importlib.machinery.SourceFileLoader("prepare", str(EXAMPLE / "prepare"))
    prepare = importlib.util.module_from_spec(importlib.util.spec_from_loader("prepare", loader))
    loader.exec_module(prepare)
    return prepare.Archive()


def archive_of(programs):
    """Scripts by their paths, whose folders are there: instead of those of the same path before it."""
    archive = new_archive()
    for name, text in programs.items():
        archive.add(name, stat.S_IFREG | 0o755, text.encode())
    return archive.finish()


def modules_ramdisk(names):
    """In /modules, by their names."""
    archive = new_archive()
    archive.add("modules", stat.S_IFDIR | 0o755, links=2)
    for name in names:
        found = list((DEBS / "root").rglob(f"{name}.ko"))
        if len(found) != 1:
            sys.exit(f"FAILED: there is no {name}.ko below {DEBS}; run tools/debs fetch")
        archive.add(f"modules/{name}.ko", stat.S_IFREG | 0o644, found[0].read_bytes())
    return archive.finish()
