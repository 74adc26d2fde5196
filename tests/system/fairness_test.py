#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What others can take from a VM: a victim that always wants the CPU beside VMs that want more than their share, each in its own way
(fairness/hostile.S). QEMU counts instructions, so a run gives the same figures on every machine, and figures may be asserted."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(os.environ["SEL4VM_SOURCE"]) / "tests"
LIB = TESTS / "guest" / "lib"
SOURCES = TESTS / "system" / "fairness"
WAIT_MS = 20  # until the others are at it


def image(folder, name, source, *options):
    """An arm64 Image of an assembly source."""
    elf, out = folder / f"{name}.elf", folder / f"{name}.img"
    subprocess.run(["aarch64-linux-gnu-gcc", f"-I{LIB}", *options, "-nostdlib", "-static", "-Wl,--build-id=none,--no-warn-rwx-segments",
                    f"-Wl,-T,{LIB}/guest.ld", LIB / "lib.S", source, "-o", elf], check=True)
    subprocess.run(["aarch64-linux-gnu-objcopy", "-O", "binary", "--set-section-flags", ".bss=alloc,load,contents", elf, out],
                   check=True)
    return out


class Other:
    """A VM beside the victim."""

    def __init__(self, habit, *options, vcpus=1, memory="16M"):
        self.options = [f"-DHABIT={habit}", *(f"-D{option}" for option in options)]
        self.vcpus, self.memory = vcpus, memory
        self.name = "-".join([habit, *options, f"{vcpus}"])


# What the victim must have of the CPU, and what stands beside it.
HALF, THIRD = 0.48, 0.32
# With time slices as they are by default.
DEFAULT_RUNS = [
    (HALF, [Other("sleeper", "WORK_US=9000", "SLEEP_US=20")]),
    (HALF, [Other("resets", memory="2G")]),
]
# With slices of a fifth of that, since a run then needs a fifth of the time.
SHORT_RUNS = [
    (HALF, [Other("spin")]),
    (HALF, [Other("spin", "EVERYBODY", vcpus=8)]),
    (HALF, [Other("sleeper", "WORK_US=1998", "SLEEP_US=1")]),
    (HALF, [Other("sleeper", "WORK_US=100", "SLEEP_US=100")]),
    (HALF, [Other("sleeper", "WORK_US=1000", "SLEEP_US=2002")]),
    (HALF, [Other("sleeper", "WORK_US=1", "SLEEP_US=1")]),
    (HALF, [Other("physical_sleeper", "SLEEP_US=5")]),
    (HALF, [Other("physical_sleeper", "SLEEP_US=5", "EVERYBODY", vcpus=8)]),
    (HALF, [Other("resets")]),
    (HALF, [Other("sgi")]),
    (HALF, [Other("sgi", "EVERYBODY", vcpus=8)]),
    (HALF, [Other("sgi_to_all", "EVERYBODY", vcpus=8)]),
    (HALF, [Other("timer")]),
    (HALF, [Other("timer_ahead")]),
    (HALF, [Other("timer_ahead", "EVERYBODY", vcpus=8)]),
    (HALF, [Other("exits")]),
    (HALF, [Other("calls")]),
    (HALF, [Other("yields")]),
    (HALF, [Other("cpu_off_on", vcpus=2)]),
    (HALF, [Other("output")]),
    (HALF, [Other("faults")]),
    (HALF, [Other("simd")]),
]
LONG_RUNS = [
    (THIRD, [Other("spin"), Other("resets", memory="512M")]),
    (THIRD, [Other("timer_ahead", "EVERYBODY", vcpus=8), Other("sgi_to_all", "EVERYBODY", vcpus=8)]),
]


def measure(folder, gic, victim, others, slice_us, victims="", others_keys=""):
    """The victim's share, and its longest gap in slices. The last two are further lines of their descriptions."""
    system = folder / "system.toml"
    text = f'[system]\ntime_slice_us = {slice_us}\n[[vm]]\nname = "victim"\nmemory = "16M"\ngic = {gic}\nkernel = "{victim}"\n{victims}\n'
    for index, other in enumerate(others):
        kernel = folder / f"{other.name}.img"
        if not kernel.exists():
            image(folder, other.name, SOURCES / "hostile.S", *other.options)
        text += (f'[[vm]]\nname = "other{index}"\nmemory = "{other.memory}"\nvcpus = {other.vcpus}\ngic = {gic}\n'
                 f'kernel = "{kernel}"\n{others_keys}\n')
    system.write_text(text)
    command = [os.environ["SEL4VM"], "run", system, "--icount"]
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    output = []
    found = None
    for line in run.stdout:
        output.append(line)
        found = re.search(r"victim: share (\d+) gap (\d+)", line)
        if found:
            break
    run.terminate()
    messages = run.communicate()[1]
    if not found:
        sys.exit(f"{''.join(output)[-5000:]}\n{messages}\nFAILED: the victim did not say what it got")
    return int(found.group(1)) / 10_000, int(found.group(2)) / slice_us


def main():
    gic, chosen = sys.argv[1], sys.argv[2:]
    failed = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for slice_us, window_ms, runs in ((10_000, 400, DEFAULT_RUNS), (2_000, 100, SHORT_RUNS),
                                            (2_000, 300, LONG_RUNS)):
            victim = image(folder, f"victim-{window_ms}", SOURCES / "victim.S", f"-DWAIT_MS={WAIT_MS}", f"-DWINDOW_MS={window_ms}")
            for least, others in runs:
                title = " and ".join(other.name for other in others)
                if chosen and title not in chosen:
                    continue
                share, gap = measure(folder, gic, victim, others, slice_us)
                longest = 1.1 if len(others) == 1 else 2.2 * len(others)
                good = share >= least and gap <= longest
                print(f"{title}: share {share:.4f}, longest gap {gap:.3f} slices" +
                      ("" if good else f"   FAILED: expected {least} and at most {longest}"), flush=True)
                if not good:
                    failed.append(title)
    if failed:
        sys.exit("FAILED: " + ", ".join(failed))


if __name__ == "__main__":
    main()
