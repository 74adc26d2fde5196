#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
#
# The public headers declare every name that libsel4vm's do (tests/conformance/libsel4vm_names.txt), or the migration guide says that it
# is left out. Each header is compiled alone, as C and as C++, with a line for each name.
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
NAMES = SOURCE / "tests/conformance/libsel4vm_names.txt"
GUIDE = SOURCE / "docs/migrating-from-libsel4vm.md"
LEFT_OUT = "## Names that are left out"
INCLUDES = ["-I", str(SOURCE / "include"), "-I", str(SOURCE / "include/sel4_names")]
COMPILERS = [("c", ["gcc", "-std=c99"]), ("cpp", ["g++", "-std=c++20"])]


def read_names(text):
    """{header: [(kind, name)]}"""
    headers, header = {}, None
    for line in text.splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if line[0] != " ":
            header = words[0]
            headers[header] = []
        else:
            headers[header].append((words[0], words[1]))
    return headers


def use(kind, name, number):
    """One line that compiles only where the name is declared and of this kind."""
    own = f"use_{number}"
    if kind in ("function", "object"):
        return f"static inline void {own}(void) {{ (void)&{name}; }}"
    if kind == "type":
        return f"typedef {name} *{own};"
    if kind in ("struct", "enum"):
        return f"typedef char {own}[sizeof({kind} {name})];"
    if kind == "enumerator":
        return f"enum {{ {own} = {name} }};"
    if kind == "member":
        struct, member = name.split(".")
        return f"typedef char {own}[sizeof(((struct {struct} *)0)->{member})];"
    raise ValueError(f"there is no kind '{kind}'")


def missing_in(header, names, folder):
    """Those of the names that the header does not declare, in either language."""
    lines = [f"#include <{header}>"]
    where = {}
    for number, (kind, name) in enumerate(names):
        if kind == "macro":
            lines += [f"#ifndef {name}", f"#error {name}", "#endif"]
            where[len(lines) - 1] = (kind, name)
        else:
            lines.append(use(kind, name, number))
            where[len(lines)] = (kind, name)
    missing = set()
    for suffix, compiler in COMPILERS:
        file = folder / f"names.{suffix}"
        file.write_text("\n".join(lines) + "\n")
        done = subprocess.run([*compiler, "-w", "-fsyntax-only", "-fmax-errors=0", "-fno-diagnostics-show-caret", *INCLUDES, str(file)],
                              stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"})
        found = [int(line) for line in re.findall(rf"{re.escape(str(file))}:(\d+)(?::\d+)?: error", done.stderr)]
        if done.returncode != 0 and not found:
            sys.exit(f"{header}: {done.stderr}")
        missing.update(where[line] for line in found)
    return missing


def all_missing(headers, folder):
    """Names and whole headers, as the guide writes them."""
    missing = set()
    for header, names in headers.items():
        if not (SOURCE / "include" / header).exists():
            missing.add(header.removeprefix("sel4vmmplatsupport/"))
        else:
            missing.update(name for _, name in missing_in(header, names, folder))
    return missing


def left_out(guide):
    section = guide[guide.index(LEFT_OUT) + len(LEFT_OUT):]
    section = section.split("\n## ")[0]
    return {name for row in re.findall(r"^\|(.*?)\|", section, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)}


def self_test(folder):
    """A name of each kind that is not there is found, and one that is of another kind."""
    wrong = [("function", "vm_no_such"), ("type", "vm_no_such_t"), ("struct", "vm_no_such"), ("enum", "vm_no_such"),
             ("macro", "VM_NO_SUCH"), ("enumerator", "VM_NO_SUCH"), ("member", "vm.no_such"), ("type", "vm_run")]
    right = [("function", "vm_run"), ("type", "vm_t"), ("struct", "vm"), ("member", "vm.vcpus")]
    found = missing_in("sel4vm/guest_vm.h", wrong + right, folder)
    if found != set(wrong):
        sys.exit(f"self-test: found {sorted(found)}, not {sorted(wrong)}")


def main():
    headers = read_names(NAMES.read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        self_test(folder)
        missing = all_missing(headers, folder)
    documented = left_out(GUIDE.read_text())
    status = 0
    for one in sorted(missing - documented):
        print(f"'{one}' is neither declared nor in '{LEFT_OUT}' of {GUIDE.name}")
        status = 1
    for one in sorted(documented - missing):
        print(f"'{one}' is in '{LEFT_OUT}' of {GUIDE.name}, but it is declared, or no name of libsel4vm's")
        status = 1
    return status


sys.exit(main())
