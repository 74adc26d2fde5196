#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Budgets on el2: budget_test.py GIC [all]. A VM with 20 % of the CPU has 20 %, to one of 100 periods, beside VMs that spin or storm with exits,
interrupts, timers or resets; alone it has no more, and a storm that has 20 % leaves the rest. The guests are those of fairness_test.py, and
QEMU counts instructions. Without `all` beside the first two storms only."""

import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from fairness_test import SOURCES, WAIT_MS, Other, image, measure  # noqa: E402

PERIOD_US, BUDGET_US, PERIODS = 5_000, 1_000, 100
BUDGET = f"budget = {{ budget = {BUDGET_US}, period = {PERIOD_US} }}"
STORMS = [
    [Other("spin", "EVERYBODY", vcpus=8)],
    [Other("exits")],
    [Other("sgi_to_all", "EVERYBODY", vcpus=8)],
    [Other("timer_ahead", "EVERYBODY", vcpus=8)],
    [Other("resets")],
    [Other("yields"), Other("sleeper", "WORK_US=4900", "SLEEP_US=100")],
]
# What switches cost is the victim's own: five in a hundred of its budget at most.
LEAST, MOST = 0.2 * (1 - 1 / PERIODS), 0.2 * (1 + 1 / PERIODS)


def main(gic, which="some"):
    failed = []
    storms = STORMS if which == "all" else STORMS[:2]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        victim = image(folder, "victim", SOURCES / "victim.S", f"-DWAIT_MS={WAIT_MS}", f"-DWINDOW_MS={PERIODS * PERIOD_US // 1000}")

        def expect(what, least, most, others, gap_us=None, **keys):
            share, gap = measure(folder, gic, victim, others, PERIOD_US, **keys)
            good = least <= share <= most and (gap_us is None or gap * PERIOD_US <= gap_us)
            title = f"{what} beside {' and '.join(other.name for other in others) or 'nobody'}"
            print(f"{title}: share {share:.4f}, longest gap {gap * PERIOD_US:.0f} us" + ("" if good else "   FAILED"), flush=True)
            if not good:
                failed.append(title)

        expect("20 %", LEAST, MOST, [], victims=BUDGET)
        expect("20 %, ordinary", LEAST, MOST, [Other("spin")], victims=BUDGET)
        for others in storms:
            expect("20 % and a priority", LEAST, MOST, others, gap_us=PERIOD_US, victims=BUDGET + "\npriority = 1")
            if len(others) == 1 and (which == "all" or others is storms[0]):
                expect("the rest", 0.8 - 0.02, 1, others, others_keys=BUDGET + "\npriority = 3")
    if failed:
        sys.exit("FAILED: " + ", ".join(failed))


main(*sys.argv[1:3])
