#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The conformance suite on the KVM host, with both versions of the machine's interrupt controller. Tests that need what KVM keeps
to itself are skipped, and say so."""

import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import kvm  # noqa: E402

SCRIPT = """
/conformance
echo "conformance ended with $?"
"""


def main():
    program = kvm.BUILD / "kvm" / "tests" / "conformance" / "kvm" / "sel4vm-kvm-conformance"
    kvm.guest_files()
    with tempfile.TemporaryDirectory() as folder:
        initrd = pathlib.Path(folder) / "kvm.cpio"
        kvm.initial_ramdisk(initrd, SCRIPT, {"conformance": program})
        for gic in (2, 3):
            output = kvm.run(initrd, gic)
            passed = set(re.findall(r"^ok +(\w+)$", output, re.MULTILINE))
            skipped = set(re.findall(r"^skipped (\w+)$", output, re.MULTILINE))
            total = re.search(r"^conformance: (\d+) tests, 0 failed, (\d+) skipped$", output, re.MULTILINE)
            if not total or "conformance ended with 0\n" not in output or int(total[1]) != len(passed) + len(skipped) or int(total[2]) != len(skipped) or len(passed) < 70:
                print(output)
                sys.exit(f"FAILED: GICv{gic}")
            print(f"GICv{gic}: {len(passed)} passed, {len(skipped)} skipped")


main()
