#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No register of a vCPU reaches another one: registers_test.py GIC CPU. The guest in registers/ tries every encoding of op0 2 and 3.

- Two VMs write all registers and look whether their values stay; a third one does the same, resets itself and starts again.
- Two vCPUs of one VM do it, and the second one is turned off and on again.
- What can be read, and what keeps what is written, is in the table of src/hosts/el2/vcpu/registers.md, and handled as it says."""

import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import TESTS, image, said  # noqa: E402

DOCUMENT = TESTS.parent / "src" / "hosts" / "el2" / "vcpu" / "registers.md"
GUEST = TESTS / "system" / "registers"
SOURCES = sorted(GUEST.glob("*.S"))
HOLDS_STATE = {"switched", "switched with SIMD", "switched with the timer", "switched with the interrupt interface", "PSTATE",
               "emulated", "lent"}
MPIDR = (3, 0, 0, 0, 5)
# They change by themselves, or with each exception that the guest takes (registers/tables.S, `changing`).
CHANGING = {(3, 0, 4, 0, 0), (3, 0, 4, 0, 1), (3, 0, 5, 2, 0), (3, 0, 6, 0, 0), (3, 3, 2, 4, 0), (3, 3, 2, 4, 1),
            (3, 3, 4, 2, 0), (3, 3, 14, 0, 1), (3, 3, 14, 0, 2), (3, 3, 14, 0, 5), (3, 3, 14, 0, 6), (3, 3, 14, 2, 0),
            (3, 3, 14, 3, 0), (3, 3, 9, 12, 3), (3, 3, 9, 13, 0), (3, 3, 9, 13, 2), (3, 3, 9, 14, 3)}
CHANGING |= {(3, 3, 14, 8 + n // 8, n % 8) for n in range(31)}
# Where to be seen by EL1 takes a round that the guest does not do: SP_EL1 has no name there.
UNNAMED = {(3, 4, 4, 1, 0)}


def encoding(packed):
    """op0, op1, CRn, CRm, op2 of a packed id."""
    return (packed >> 14, packed >> 11 & 7, packed >> 7 & 15, packed >> 3 & 15, packed & 7)


class Table:
    """The table of the document."""

    def __init__(self):
        self.rows = []
        for line in DOCUMENT.read_text().splitlines():
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) == 7 and re.fullmatch(r"[23]( [0-9-]+){4}", cells[2]):
                spans = [tuple(int(n) for n in (span.split("-") * 2)[:2]) for span in cells[2].split()]
                self.rows.append((cells[1], spans, cells[3], cells[4]))

    def find(self, which):
        for name, spans, feature, handling in self.rows:
            if all(first <= part <= last for part, (first, last) in zip(which, spans)):
                return name, feature, handling
        return None


def lines_of(output, what):
    """{encoding: value} of what one VM said as `what ID VALUE`."""
    return {encoding(int(packed, 16)): int(value, 16)
            for packed, value in re.findall(rf"{what} 0x([0-9a-f]{{16}}) 0x([0-9a-f]{{16}})", output)}


def check_against_table(console, table, reads, holds):
    if len(table.rows) < 100:
        console.fail("the table of registers was not found")
    for which in reads:
        row = table.find(which)
        if row is None:
            console.fail(f"a guest can read S{which}, which is in no row of the table")
        if row[2] in ("denied", "absent"):
            # Without fine-grained traps some that are denied elsewhere are switched.
            if (row[0], row[1]) not in (("TPIDR2_EL0", "SME"), ("SMPRI_EL1", "SME")):
                console.fail(f"a guest can read {row[0]}, S{which}, which is {row[2]}")
    held = set()
    for which, bits in holds.items():
        if which in CHANGING or bits == 0:
            continue
        name, _, handling = table.find(which)
        held.add(which)
        # A constant may depend on a selection, which is the guest's own.
        if handling not in HOLDS_STATE and (name, handling) not in (("TPIDR2_EL0", "denied"),
                                                                    ("CCSIDR_EL1, CLIDR_EL1, CCSIDR2_EL1", "constant")):
            console.fail(f"{name}, S{which} keeps what a guest writes ({bits:#x}), but is {handling}")
    # The test reaches what it is about: each register that is switched on every CPU and that has bits was seen to hold some.
    for name, spans, feature, handling in table.rows:
        which = tuple(first for first, _ in spans)
        if handling == "switched" and feature == "" and which not in UNNAMED | CHANGING | {(3, 0, 5, 1, 0), (3, 0, 5, 1, 1),
                                                                                          (3, 0, 10, 3, 0)}:
            if which not in held and name not in ("SCTLR_EL1", "CPACR_EL1", "VBAR_EL1", "CNTKCTL_EL1"):
                console.fail(f"{name} was not seen to keep anything")


def guest(folder, name, part, seed):
    return image(folder, name, *((source, f"-DPART={part}", f"-DSEED={seed}") for source in SOURCES))


def write_system(folder, gic, vms):
    system = folder / "system.toml"
    system.write_text("[system]\ntime_slice_us = 100\n" +
                      "".join(f'[[vm]]\nname = "{name}"\nmemory = "16M"\nvcpus = {vcpus}\ngic = {gic}\nkernel = "{kernel}"\n'
                              for name, kernel, vcpus in vms))
    return str(system)


def beside_others(folder, gic, cpu, table):
    kernels = [guest(folder, name, part, seed)
               for seed, (name, part) in enumerate((("left", "share"), ("right", "share"), ("boots", "boots")), 1)]
    system = write_system(folder, gic, zip(("left", "right", "boots"), kernels, (1, 1, 1)))
    console = Console(system, "--cpu", cpu, "--icount", timeout=1200)

    def starts(output):
        return said(output, "boots").split("registers: shown")[:-1]

    # The whole of the last word: what is cut at that moment is no answer.
    console.wait_until(lambda output: all(re.search("guest: (pass|FAIL)", said(output, vm)) for vm in ("left", "right")) and
                       len(starts(output)) >= 4, "the guests did not come to an end")
    console.stop()
    for vm in ("left", "right"):
        if "guest: pass" not in said(console.output, vm):
            console.fail(f"{vm} found what others wrote")
    first = lines_of(said(console.output, "left"), "reads")
    for number, found in enumerate(starts(console.output)):
        again = lines_of(found, "reads")
        if again.keys() != first.keys():
            console.fail(f"start {number} found other registers: {again.keys() ^ first.keys()}")
        for which, value in again.items():
            if which not in CHANGING and value != first[which]:
                console.fail(f"start {number} found {value:#x} in S{which} and not {first[which]:#x}")
    for vm in ("left", "right"):
        check_against_table(console, table, first, lines_of(said(console.output, vm), "holds"))


def of_one_vm(folder, gic, cpu):
    kernel = guest(folder, "pair", "pair", 4)
    console = Console(write_system(folder, gic, [("pair", kernel, 2)]), "--cpu", cpu, "--icount", timeout=1200)
    if "guest: pass" not in console.end(0):
        console.fail("the vCPUs of one VM found what the other one wrote")


def main():
    gic, cpu = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        beside_others(folder, gic, cpu, Table())
        of_one_vm(folder, gic, cpu)


main()
