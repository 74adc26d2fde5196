#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Finds FP and SIMD registers in the code of a target image that may run while a guest's FP state is live.

Our own code is built without those registers; Debian's prebuilt archive (libfdt) is not, and may run only
before the first guest entry or inside an FP guard. So:
  - a function named by --allow (saves, restores or clears FP state, by its purpose) may use them;
  - any other function that uses them must not be reachable from an entry point of the exit path (--entry).
Reachable is what direct calls and jumps lead to. From the first indirect call on the path, every function whose address
is taken anywhere (vtables, tables, code) counts as called: too many rather than too few. --not-from cuts the search at
functions that hold an FP guard themselves.

usage: check_no_fp.py [--objdump PROGRAM] [--entry NAME]... [--allow REGEX]... [--not-from REGEX]... IMAGE
       check_no_fp.py --self-test [--compiler PROGRAM] [--objdump PROGRAM]
Names are demangled; an entry is a name without its parameters, and must exist. Exit status 1 when something is found.
"""
import argparse
import bisect
import pathlib
import re
import subprocess
import sys
import tempfile

FUNCTION = re.compile(r"^([0-9a-f]+) <(.*)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+([a-z][\w.]*)\s*(.*)$")
DIRECT = re.compile(r"^(?:bl?|b\.[a-z]+|cbn?z|tbn?z)$")
TARGET = re.compile(r"\b([0-9a-f]+) <[^>]*>$")
FP_OPERAND = re.compile(r"(?<![\w<.])(?:[vqdshbz](?:[12]?\d|3[01])(?:\.\w+)?|p(?:\d|1[0-5])(?:/[mz]|\.[bhsd]))(?![\w>])")
# Moves between special registers name no V register but touch the FP state all the same.
FP_SYSTEM = re.compile(r"\bfp[cs]r\b")


class Image:
    """The functions of an image: their calls, the first FP instruction in each, and the addresses that are taken."""

    def __init__(self, path, objdump):
        self.path, self.objdump = path, objdump
        self.names, self.calls, self.first_fp, self.indirect, self.taken = {}, {}, {}, set(), set()
        self.mentioned = set()
        self.read_code()
        self.starts = sorted(self.names)
        self.calls = {f: {self.function_at(t) for t in targets} - {None, f} for f, targets in self.calls.items()}
        self.read_data()
        self.taken |= {a for a in self.mentioned if a in self.names}

    def run(self, *arguments):
        return subprocess.run([self.objdump, *arguments, str(self.path)], capture_output=True, text=True, check=True).stdout

    def function_at(self, address):
        index = bisect.bisect_right(self.starts, address) - 1
        return self.starts[index] if index >= 0 else None

    def read_code(self):
        current, pages, table = None, {}, None
        for line in self.run("-d", "-C", "--no-show-raw-insn").splitlines():
            start = FUNCTION.match(line)
            if start:
                address, name = int(start.group(1), 16), start.group(2)
                if name.startswith("$"):
                    continue
                current, pages = address, {}
                self.names[current] = name
                self.calls[current] = set()
                continue
            instruction = INSTRUCTION.match(line)
            if not instruction or current is None:
                continue
            operation, operands = instruction.group(2), instruction.group(3).split("//")[0].strip()
            target = TARGET.search(operands)
            plain = re.sub(r"<[^>]*>", "", operands)
            if operation in ("blr", "br") or operation.startswith(("blra", "bra")):
                self.indirect.add(current)
                # adr, add, br: a switch, whose jumps count from behind it. With nothing there, that is the next function's start.
                if operation == "br" and table == (int(instruction.group(1), 16) - 8, int(instruction.group(1), 16) + 4):
                    self.mentioned.discard(table[1])
            elif DIRECT.match(operation) and target:
                self.calls[current].add(int(target.group(1), 16))
            elif operation == "adrp":
                register, page = plain.split(",")[0], re.search(r"\b([0-9a-f]+)\s*$", plain.strip())
                if page:
                    pages[register] = int(page.group(1), 16)
            elif operation == "adr":
                address = re.search(r",\s*([0-9a-f]+)\s*$", plain)
                if address:
                    place, target_of_adr = int(instruction.group(1), 16), int(address.group(1), 16)
                    table = (place, target_of_adr) if target_of_adr not in self.mentioned else None
                    self.mentioned.add(target_of_adr)
            elif operation == "add":
                parts = [p.strip() for p in plain.split(",")]
                if len(parts) == 3 and parts[1] in pages and parts[2].startswith("#"):
                    self.mentioned.add(pages[parts[1]] + int(parts[2][1:], 0))
            if not operation.startswith((".", "b")) and (FP_OPERAND.search(plain) or FP_SYSTEM.search(plain)):
                self.first_fp.setdefault(current, line.strip())

    def read_data(self):
        """Function addresses in data: aligned words that look like one, which the addends of relocations are as well."""
        scanned, address, content = False, None, bytearray()

        def scan():
            for offset in range(-(address or 0) % 8, len(content) - 7, 8):
                self.mentioned.add(int.from_bytes(content[offset:offset + 8], "little"))

        for line in self.run("-s").splitlines():
            if line.startswith("Contents of section "):
                scan()
                name = line.split()[-1].rstrip(":")
                scanned = not name.startswith((".text", ".debug", ".comment", ".eh_frame"))
                address, content = None, bytearray()
            elif scanned and re.match(r" [0-9a-f]+ ", line):
                # The hexadecimal part is 35 characters wide; the text behind it may look like anything.
                place, rest = line[1:].split(" ", 1)
                address = int(place, 16) if address is None else address
                content += bytes.fromhex(rest[:35].replace(" ", ""))
        scan()

    def reachable(self, entries, stop):
        """function -> the function that led to it, for everything that the entries reach."""
        came_from = {entry: None for entry in entries}
        queue, indirect_done = list(entries), False
        while queue:
            function = queue.pop()
            if stop(self.names[function]):
                continue
            following = set(self.calls[function])
            if function in self.indirect and not indirect_done:
                following |= self.taken
                indirect_done = True
            for called in sorted(following):
                if called not in came_from:
                    came_from[called] = function
                    queue.append(called)
        return came_from


def base_name(name):
    """A demangled name without its parameters."""
    depth = 0
    for index, character in enumerate(name):
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == "(" and depth == 0 and not name.startswith("(anonymous namespace)", index):
            return name[:index]
    return name


def check(image, entries, allow, not_from):
    found = []
    starts = []
    for entry in entries:
        matches = [address for address, name in image.names.items() if base_name(name) == entry]
        if not matches:
            found.append(f"{image.path}: there is no function '{entry}' (given by --entry)")
        starts += matches
    may = re.compile("|".join(f"(?:{a})" for a in allow) or r"(?!)")
    cut = re.compile("|".join(f"(?:{a})" for a in not_from) or r"(?!)")
    came_from = image.reachable(starts, lambda name: cut.search(base_name(name)))
    for function, instruction in sorted(image.first_fp.items()):
        name = image.names[function]
        if function not in came_from or may.search(base_name(name)):
            continue
        path, step = [], function
        while step is not None:
            path.append(base_name(image.names[step]))
            step = came_from[step]
        found.append(f"{image.path}: {name} uses FP registers and is reachable from the exit path\n"
                     f"    {instruction}\n    {' -> '.join(reversed(path))}")
    return found, len(came_from)


SELF_TEST_SOURCE = """
    .text
    .macro function name
    .global \\name
    .type \\name, %function
\\name:
    .endm
function entry
    bl safe
    ret
function entry_direct
    bl uses_fp
    ret
function entry_indirect
    blr x1
    ret
function entry_guarded
    bl guard
    ret
function safe
    add x0, x0, #1
    ret
function uses_fp
    ldr q0, [x0]
    ret
function in_table
    fmov d1, x0
    ret
function in_code
    mrs x0, fpcr
    ret
function guard
    b uses_fp
function takes
    adrp x0, in_code
    add x0, x0, :lo12:in_code
    ret
function switches
    adr x1, behind_a_switch
    add x0, x1, w0, sxth #2
    br x0
function behind_a_switch
    ldr d0, [x0]
    ret
    .section .data.rel.ro, "aw"
    .balign 8
    .quad in_table
"""


def self_test(compiler, objdump):
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        source, elf = pathlib.Path(folder) / "test.S", pathlib.Path(folder) / "test.elf"
        source.write_text(SELF_TEST_SOURCE, encoding="utf-8")
        for linking in ("-static-pie", "-static"):
            flags = ["-nostdlib", linking, "-Wl,-e,entry", "-Wl,--build-id=none"]
            subprocess.run([compiler, *flags, "-o", str(elf), str(source)], check=True)
            image = Image(elf, objdump)
            for entry, allow, not_from, expected in (
                    ("entry", [], [], []),
                    ("entry_direct", [], [], ["uses_fp"]),
                    ("entry_direct", ["^uses_fp$"], [], []),
                    ("entry_indirect", [], [], ["in_table", "in_code"]),
                    ("entry_guarded", [], [], ["uses_fp"]),
                    ("entry_guarded", [], ["^guard$"], []),
                    ("gone", [], [], ["there is no function 'gone'"])):
                found, _ = check(image, [entry], allow, not_from)
                if len(found) != len(expected) or not all(any(e in f for f in found) for e in expected):
                    wrong.append(f"{linking}, entry {entry}, allow {allow}, not from {not_from}: expected {expected}, found {found}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("--objdump", default="aarch64-linux-gnu-objdump")
    parser.add_argument("--compiler", default="aarch64-linux-gnu-gcc", help=argparse.SUPPRESS)
    parser.add_argument("--entry", action="append", default=[])
    parser.add_argument("--allow", action="append", default=[])
    parser.add_argument("--not-from", action="append", default=[])
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("image", nargs="?")
    options = parser.parse_args()
    if options.self_test:
        found = self_test(options.compiler, options.objdump)
        print("\n".join(found) or "check_no_fp: the self-test found what it should")
        return 1 if found else 0
    if not options.image:
        parser.error("no IMAGE given")
    if not options.entry:
        parser.error("no --entry given")
    found, count = check(Image(options.image, options.objdump), options.entry, options.allow, options.not_from)
    print("\n".join(found) or f"check_no_fp: {count} functions are reachable from the exit path; none uses FP registers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
