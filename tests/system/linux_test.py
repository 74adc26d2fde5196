#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian Linux as a guest: linux_test.py GIC VCPUS [CPUS]. Reaches a shell, and then what a banner does not prove: timer
interrupts by count, sleeps by length, console input, both vCPUs at work, suspend to RAM, reboot
and power-off, verified from inside."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402

BANNER = "Welcome to Debian Linux under sel4vm"


def interrupts(console, name):
    """Counts of one line of /proc/interrupts, one for each CPU."""
    for line in console.command("cat /proc/interrupts").splitlines():
        fields = line.split()
        if name in line:
            return [int(field) for field in fields[1:] if field.isdigit()]
    console.fail(f"no {name} in /proc/interrupts")


def uptime(console):
    return float(console.command("cat /proc/uptime").split()[0])


def boot_id(console):
    """A random number that Linux draws once each time it boots."""
    return console.command("cat /proc/sys/kernel/random/boot_id").strip()


def main(gic, vcpus, cpus="1"):
    example = os.path.join(os.environ["SEL4VM_SOURCE"], "examples", "debian-linux")
    subprocess.run([os.path.join(example, "prepare")], check=True)
    console = Console(os.path.join(example, "system.toml"), "--gic", gic, "--vcpus", vcpus, "--cpus", cpus)
    console.expect(BANNER)
    console.shell()

    # The timer: many interrupts, on every CPU, and more of them later.
    first = interrupts(console, "arch_timer")[: int(vcpus)]
    if len(first) != int(vcpus) or min(first) < 10:
        console.fail(f"timer interrupts on the CPUs: {first}")

    # Sleeps of known length, by the guest's own clock. Longer ones say nothing: the whole PC may have been busy.
    for seconds in (1, 2):
        before = uptime(console)
        console.command(f"sleep {seconds}")
        slept = uptime(console) - before
        if slept < seconds - 0.05:
            console.fail(f"a sleep of {seconds} s took {slept:.2f} s")

    # Input through the UART's interrupt, more than a FIFO of it at once.
    line = "".join(chr(ord("a") + i % 26) for i in range(800))
    if line not in console.command(f"echo {line}"):
        console.fail("a long line did not come through")
    if interrupts(console, "uart-pl011")[0] == 0:
        console.fail("no UART interrupts")

    # Every CPU works, and they interrupt each other.
    if int(vcpus) > 1:
        if console.command("nproc").strip().splitlines()[-1] != vcpus:
            console.fail("not every CPU came up")
        console.command("for i in 1 2 3 4 5 6; do (j=0; while [ $j -lt 3000 ]; do j=$((j+1)); done) & done; wait")
        ipis = [interrupts(console, name) for name in ("Rescheduling interrupts", "Function call interrupts")]
        if sum(sum(counts) for counts in ipis) == 0:
            console.fail("no inter-processor interrupts")
    second = interrupts(console, "arch_timer")[: int(vcpus)]
    if not all(b > a for a, b in zip(first, second)):
        console.fail(f"timer interrupts do not go on: {first}, then {second}")

    # Each CPU but the first goes off and comes back.
    for _ in range(3):
        for cpu in range(1, int(vcpus)):
            control = f"/sys/devices/system/cpu/cpu{cpu}/online"
            console.command(f"echo 0 > {control}; echo 1 > {control}")
    if console.command("nproc").strip().splitlines()[-1] != vcpus:
        console.fail("a CPU that went off did not come back")

    # Suspend to RAM: every other CPU goes off, the first sleeps by PSCI until the clock's alarm, and all of it comes back.
    if "deep" not in console.command("cat /sys/power/mem_sleep"):
        console.fail("the kernel cannot suspend to RAM")
    alarms = interrupts(console, "rtc-pl031")[0]
    epoch = int(console.command("cat /sys/class/rtc/rtc0/since_epoch").split()[0])
    console.command("echo +2 > /sys/class/rtc/rtc0/wakealarm; echo mem > /sys/power/state")
    if int(console.command("cat /sys/class/rtc/rtc0/since_epoch").split()[0]) < epoch + 2:
        console.fail("it did not sleep until the alarm")
    if interrupts(console, "rtc-pl031")[0] != alarms + 1:
        console.fail("the alarm was not the one that woke it")
    if "suspend exit" not in console.command("dmesg | tail -n 40"):
        console.fail("the kernel did not come back from its sleep")
    if console.command("nproc").strip().splitlines()[-1] != vcpus:
        console.fail("not every CPU came back")

    # A reboot boots again; a power-off ends the run with status 0.
    first_boot = boot_id(console)
    console.send("reboot -f")
    console.expect(BANNER)
    console.shell()
    if boot_id(console) == first_boot:
        console.fail("the kernel did not boot again")
    console.send("poweroff -f")
    console.end(0)


main(*sys.argv[1:])
