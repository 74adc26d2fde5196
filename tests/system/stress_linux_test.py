#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel under stress-ng: stress_linux_test.py GIC VCPUS CPUS [TIMES]. Fixed numbers of computations, context switches, futex calls and
timer signals by as many processes each as there are vCPUs, TIMES as many as otherwise: all are done, and the kernel complains of nothing, neither
of a CPU that does not answer nor of a task that waits for ever."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from stress import kernel_and_initrd  # noqa: E402

WORK = {"cpu": 20, "switch": 500, "futex": 200, "timer": 300}
# An emulated machine does nothing else when timers fire a million times a second, as they do unless something else is asked for.
METHODS = "--cpu-method int64 --timer-freq 1000"
COMPLAINTS = ("stall", "lockup", "blocked for more than", "Call trace", "clocksource: timekeeping watchdog", "nobody cared")


def main(gic, vcpus, cpus, times="1"):
    kernel, initrd = map(str, kernel_and_initrd())
    console = Console("--kernel", kernel, "--initrd", initrd, "--cmdline", "console=ttyAMA0 panic=-1", "--memory", "512M",
                      "--gic", gic, "--vcpus", vcpus, "--cpus", cpus, timeout=600 + 600 * int(times))
    console.expect("Welcome to Debian Linux under sel4vm")
    console.shell()
    # In short lines: the shell breaks long ones where it likes.
    console.command(f"o='{METHODS} --temp-path /tmp'")
    for kind, count in WORK.items():
        console.command(f'o="$o --{kind} {vcpus} --{kind}-ops {count * int(times) * int(vcpus)}"')
    said = console.command("stress-ng $o --metrics-brief; echo status $?")
    if "status 0" not in said:
        console.fail("stress-ng did not succeed")
    for kind, count in WORK.items():
        done = re.search(rf"metrc: .*\] {kind}\s+(\d+)", said)
        if not done or int(done[1]) < count * int(times) * int(vcpus):
            console.fail(f"not all of {kind} was done")
    log = console.command("dmesg")
    for complaint in COMPLAINTS:
        if complaint in log:
            console.fail(f"the kernel complains: {complaint}")
    console.send("poweroff -f")
    console.end(0)


main(*sys.argv[1:])
