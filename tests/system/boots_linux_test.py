#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel again and again: boots_linux_test.py GIC VCPUS CPUS BOOTS. Each time every CPU comes up, with timer interrupts and, where there are
several, calls from the others. The first time, besides, every CPU but the first goes off and comes back ten times, and the console's interrupt
moves from CPU to CPU."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402

COMPLAINTS = ("rcu: INFO", "lockup", "blocked for more than", "Call trace", "nobody cared")


def line_of(console, name):
    """The number of an interrupt, and how often it came to each CPU."""
    for line in console.command("cat /proc/interrupts").splitlines():
        if name in line:
            fields = line.split()
            return fields[0].rstrip(":"), [int(field) for field in fields[1:] if field.isdigit()]
    console.fail(f"no {name} in /proc/interrupts")


def hotplug(console, vcpus):
    for _ in range(10):
        for cpu in range(1, vcpus):
            control = f"/sys/devices/system/cpu/cpu{cpu}/online"
            for state in ("0", "1"):
                said = console.command(f"echo {state} > {control}; cat {control}")
                if state not in said.splitlines():
                    console.fail(f"CPU {cpu} did not go off and come back: {said}")


def move_interrupt(console, vcpus):
    for cpu in [*range(1, vcpus), 0]:
        number, _ = line_of(console, "uart-pl011")
        console.command(f"echo {1 << cpu:x} > /proc/irq/{number}/smp_affinity")
        _, before = line_of(console, "uart-pl011")
        console.command("echo " + "x" * 200)
        _, after = line_of(console, "uart-pl011")
        came = [b - a for a, b in zip(before, after)][:vcpus]
        if came[cpu] == 0 or sum(came) != came[cpu]:
            console.fail(f"the console's interrupt belongs to CPU {cpu}, and came to {came}")


def main(gic, vcpus, cpus, boots):
    example = os.path.join(os.environ["SEL4VM_SOURCE"], "examples", "debian-linux")
    subprocess.run([os.path.join(example, "prepare")], check=True)
    for boot in range(int(boots)):
        console = Console(os.path.join(example, "system.toml"), "--gic", gic, "--vcpus", vcpus, "--cpus", cpus)
        console.expect("Welcome to Debian Linux under sel4vm")
        console.shell()
        if console.command("nproc").strip().splitlines()[-1] != vcpus:
            console.fail(f"boot {boot}: not every CPU came up")
        _, ticks = line_of(console, "arch_timer")
        if min(ticks[: int(vcpus)]) == 0:
            console.fail(f"boot {boot}: timer interrupts on the CPUs: {ticks}")
        if int(vcpus) > 1:
            # A shell pinned to each CPU: the scheduler has to call it there.
            for cpu in range(int(vcpus)):
                console.command(f"taskset {1 << cpu:x} true")
            calls = [line_of(console, name)[1][: int(vcpus)] for name in ("Rescheduling interrupts", "Function call interrupts")]
            if min(map(sum, zip(*calls))) == 0:
                console.fail(f"boot {boot}: calls of the CPUs: {calls}")
        if boot == 0 and int(vcpus) > 1:
            hotplug(console, int(vcpus))
            move_interrupt(console, int(vcpus))
        log = console.command("dmesg")
        for complaint in COMPLAINTS:
            if complaint in log:
                console.fail(f"boot {boot}: the kernel complains: {complaint}")
        console.send("poweroff -f")
        console.end(0)
    print(f"{boots} boots")


main(*sys.argv[1:])
