#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Registers after a reset are as the table in docs/aarch64.md says: reset_values_test.py GIC CPU. The guest (reset_values/main.S) tells
them; it runs under this host, and alone in QEMU, as on a board."""

import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import TESTS, image  # noqa: E402

DOCUMENT = TESTS.parent / "docs" / "aarch64.md"
GUEST = TESTS / "system" / "reset_values" / "main.S"
# What has no name that an instruction could read at that place: saved before it is used.
SAVED = {"SP": "x26", "VBAR_EL1": "x27", "CPACR_EL1": "x28", "x1 to x30": "x24", "V0 to V31": "x25"}
# Read before the first exception, which changes them.
FIRST = ["NZCV", "ESR_EL1", "FAR_EL1", "ELR_EL1", "SPSR_EL1"]
EVERYTHING = 0x5A5A5A5A5A5A5A58
# Registers that are in use while they are written: what can be written without an end.
WRITTEN = {"SCTLR_EL1": 0x5150010, "VBAR_EL1": None, "CPACR_EL1": None, "SP": None, "MDSCR_EL1": 0x1000, "NZCV": 0xF0000000,
           "ELR_EL1": 0x5A58, "OSLSR_EL1": None, "DAIF": None, "SPSel": None, "CurrentEL": None, "SSBS": 0x1000, "DIT": 1 << 24,
           "UAO": 1 << 23, "PAN": 1 << 22, "CNTKCTL_EL1": 0x3, "CNTV_CTL_EL0": 2, "CNTP_CTL_EL0": 2}


class Row:
    def __init__(self, name, encoding, guest, board):
        self.name, self.encoding = name, encoding
        self.guest = values_of(guest)
        self.board = self.guest if board == "the same" else values_of(board)

    @property
    def register(self):
        op0, op1, crn, crm, op2 = self.encoding.split()
        return f"s{op0}_{op1}_c{crn}_c{crm}_{op2}"


def values_of(cell):
    """`0x1; cortex-a57 0x2, 0x3` -> {None: {1}, "cortex-a57": {2, 3}}; `any`: nothing is compared; `undefined` for a CPU without it."""
    values = {}
    for part in cell.split(";"):
        words = part.replace(",", " ").split()
        cpus = [word for word in words if not re.fullmatch(r"0x[0-9a-f]+|any|undefined", word)]
        allowed = {int(word, 16) if word.startswith("0x") else word for word in words if word not in cpus}
        for cpu in cpus or [None]:
            values[cpu] = allowed
    return values


def table():
    rows = []
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 6 and re.fullmatch(r"[23]( \d+){4}|-", cells[2]):
            rows.append(Row(*cells[1:5]))
    return rows


def rows_of(rows):
    """rows.inc."""
    reads = [f"    saved {number}, {SAVED[row.name]}" if row.name in SAVED else f"    row {number}, {row.register}"
             for number, row in sorted(enumerate(rows), key=lambda item: item[1].name not in FIRST)]
    writes = [f"    written {row.register}, {WRITTEN.get(row.name, EVERYTHING):#x}" for row in rows
              if row.encoding != "-" and WRITTEN.get(row.name, EVERYTHING) is not None]
    return "\n".join(["#ifdef READ", *reads, "#endif", "#ifdef WRITE", *writes, "#endif", ""])


def phases(output):
    """The name of each phase, and {row: value}."""
    for text in output.split("phase ")[1:]:
        yield text.split()[0], {int(row): "undefined" if kind == "undefined" else int(value, 16)
                                for kind, row, value in re.findall(r"(value|undefined) (\d+) (0x[0-9a-f]{16})", text)}


def check(console, rows, cpu, column, wanted):
    found = list(phases(console.output))
    if [name for name, _ in found] != wanted:
        console.fail(f"phases: {[name for name, _ in found]}")
    wrong = []
    for index, (phase, values) in enumerate(found):
        for number, row in enumerate(rows):
            allowed = column(row).get(cpu, column(row)[None])
            value = values.get(number)
            if "any" not in allowed and value not in allowed:
                shown = value if isinstance(value, str) or value is None else hex(value)
                wrong.append(f"{row.name} is {shown} in phase {index} ({phase})")
    if wrong:
        console.fail("; ".join(wrong))


def main():
    gic, cpu = sys.argv[1:]
    rows = table()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "rows.inc").write_text(rows_of(rows))
        options = (f"-I{folder}", f"-DROWS={len(rows)}", "-march=armv8.5-a")
        kernel = image(folder, "guest", (GUEST, *options))
        board = image(folder, "board", (GUEST, *options, "-DBOARD"))
        common = ("--gic", gic, "--cpu", cpu, "--vcpus", "2")
        console = Console("--kernel", str(kernel), *common)
        if len(rows) < 50:
            console.fail("the table was not found")
        console.end(0)
        check(console, rows, cpu, lambda row: row.guest, ["start", "second", "second", "start"])
        console = Console("--kernel", str(board), "--no-hypervisor", *common)
        console.end(0)
        check(console, rows, cpu, lambda row: row.board, ["start", "second", "second"])


main()
