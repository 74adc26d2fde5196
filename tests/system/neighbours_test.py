#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two VMs in one system: each has its own lines and its own end, the run's status and messages name the one that failed,
and no bad habit of one (neighbour.S) keeps the other from its timers and its end."""

import os
import pathlib
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from guests import TESTS, image, said  # noqa: E402

ENDLESS = ["spin", "fetch", "noise", "oddities", "calls", "yields", "resets", "storm", "late", "chatter"]


PANIC = "sel4vm: error: bad: stopped: guest crash: kernel panic: on purpose\n"
QUIT = "sel4vm: error: quits: stopped: guest crash: every vCPU turned itself off\n"


def start(folder, gic, *options, settings="", on_panic=None, **vms):
    """Starts a system of these VMs (name=image); `on_panic` is for the one called bad."""
    system = folder / "system.toml"
    text = settings
    for name, kernel in vms.items():
        text += f'[[vm]]\nname = "{name}"\nmemory = "16M"\ngic = {gic}\nkernel = "{kernel}"\n'
        if on_panic and name == "bad":
            text += f'on_panic = "{on_panic}"\n'
    system.write_text(text)
    return Console(str(system), *options, timeout=300)


def endings(folder, gic, good, habits):
    """Runs that end by themselves."""
    console = start(folder, gic, left=good, right=good)
    output = console.end(0)
    for vm in ("left", "right"):
        if "guest: pass" not in said(output, vm):
            console.fail(f"{vm} did not pass")

    console = start(folder, gic, bad=habits["quits"], good=good)
    output = console.end(1)
    if "guest: pass" not in said(output, "good"):
        console.fail("the good one did not pass")
    if console.messages != "sel4vm: error: bad: stopped: guest crash: every vCPU turned itself off\n":
        console.fail("the message does not say which VM failed and why")

    console = start(folder, gic, "--trace", bad=habits["quits"])
    console.end(1)
    if "hypercall 0x84000002 -> retry, stop\n" not in console.messages:
        console.fail("the trace does not show the last call")
    if "(pl011+0x0) b" not in console.messages:
        console.fail("the trace does not name the device of an access")


def panics(folder, gic, good, habits):
    """What a guest says about the end of its kernel concerns its own VM only, and a run ends when no VM runs."""
    asks = habits["asks"]

    # One VM: the run ends with it.
    console = start(folder, gic, bad=habits["panics"])
    console.end(1)
    if console.messages != PANIC:
        console.fail("the message does not say which VM panicked")

    # Two: the other runs until it ends by itself. It does when it hears of the first one's end.
    console = start(folder, gic, other=asks, bad=habits["panics"])
    console.expect_message(PANIC)
    console.send("")
    if "guest: pass" not in said(console.end(1), "other") or console.messages != PANIC:
        console.fail("the other VM did not go on, or there were other messages")

    # Three, two of which fail.
    console = start(folder, gic, other=asks, bad=habits["panics"], quits=habits["quits"])
    console.expect_message(PANIC)
    console.expect_message(QUIT)
    console.send("")
    if "guest: pass" not in said(console.end(1), "other") or sorted(console.messages.splitlines()) != sorted((PANIC + QUIT).splitlines()):
        console.fail("the other VM did not go on, or there were other messages")

    # Three that end well.
    console = start(folder, gic, one=good, two=good, three=good)
    output = console.end(0)
    if any("guest: pass" not in said(output, vm) for vm in ("one", "two", "three")) or console.messages:
        console.fail("not all passed in silence")

    # Restarted, again and again, until it is enough.
    console = start(folder, gic, other=asks, bad=habits["panics"], on_panic="restart")
    console.wait_until(lambda output: said(output, "bad").count("neighbour: here") >= 3, "it is not restarted")
    console.expect_message("sel4vm: warning: bad: kernel panic: on purpose; restarting\n")
    console.send("")
    console.wait_until(lambda output: "guest: pass" in said(output, "other"), "the other VM does not run")
    console.stop()

    # What is ignored has no consequences, not even later; without the host, too.
    for options in ([], ["--no-hypervisor"]):
        console = start(folder, gic, *options, bad=habits["jokes"], on_panic="ignore")
        if "neighbour: still there" not in console.end(0) or console.messages:
            console.fail("what is to be ignored had consequences")

    # The mark of another VM means nothing to the host, with and without marks of its own.
    for prefix in ("when_several", "never"):
        console = start(folder, gic, bad=habits["forges"], other=habits["forges"],
                        settings=f'[console]\nprefix = "{prefix}"\n')
        console.end(0)
        if console.messages:
            console.fail("a forged mark had consequences")


def endless(folder, gic, good, habit, kernel):
    console = start(folder, gic, bad=kernel, good=good)
    console.wait_until(lambda output: "neighbour: here" in said(output, "bad"), f"'{habit}' did not start")
    console.wait_until(lambda output: "guest: pass" in said(output, "good"), f"next to '{habit}', the good one did not pass")
    console.stop()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        good = image(folder, "good", (TESTS / "guest" / "timer.S",))
        guests = [(TESTS / "guest" / f"{name}.S", f"-Dmain={name}", f"-Dirq_handler={name}_irq")
                  for name in ("hostile", "odd_accesses", "lost_translation", "gic_ones")]
        neighbour = TESTS / "system" / "neighbour.S"
        habits = {habit: image(folder, habit, (neighbour, f"-DHABIT={habit}"), *guests)
                  for habit in [*ENDLESS, "quits", "panics", "jokes", "forges", "asks"]}
        for gic in (2, 3):
            endings(folder, gic, good, habits)
            panics(folder, gic, good, habits)
            for habit in ENDLESS:
                endless(folder, gic, good, habit, habits[habit])


main()
