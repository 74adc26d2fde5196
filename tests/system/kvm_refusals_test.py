#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What does not run by KVM: no /dev/kvm, no permission, another architecture, an interrupt controller that KVM lacks, and wrong options. Each
gives one sentence with the remedy, and status 2."""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import kvm  # noqa: E402

RUN = "/sel4vm-kvm --kernel /init"
CASES = [
    # name, command, what the one line on standard error has
    ("a version of the GIC", f"{RUN} --gic {{other}}", "cannot run a GICv{other} guest: use {gic}"),
    ("too many vCPUs", f"{RUN} --vcpus 124", "--vcpus is '124', expected 1 to 123"),
    ("no kernel", "/sel4vm-kvm", "there is no --kernel FILE"),
    ("a kernel that is not there", "/sel4vm-kvm --kernel /none", "no file '/none'"),
    ("no permission", f"start-stop-daemon -S -c nobody -x {RUN.replace(' ', ' -- ', 1)}", "no permission to open /dev/kvm: join its group"),
    ("no /dev/kvm", f"rm /dev/kvm; {RUN}", "there is no /dev/kvm"),
]


def script(gic):
    lines = ["mkdir /etc; echo 'nobody:x:65534:65534::/:/bin/sh' >/etc/passwd; chmod 600 /dev/kvm"]
    for name, command, _ in CASES:
        line = command.format(gic=gic, other=5 - gic)
        lines.append(f"echo '== {name}'; ({line}) 2>&1; echo \"status $?\"")
    return "\n".join(lines)


def wrong(output, gic):
    for name, _, expected in CASES:
        if f"== {name}\n" not in output:
            yield f"{name}: it was not tried"
            continue
        said, _, rest = output.split(f"== {name}\n", 1)[1].partition("status ")
        if len(said.splitlines()) != 1 or expected.format(gic=gic, other=5 - gic) not in said:
            yield f"{name}: it said {said!r}"
        if rest.split("\n", 1)[0] != "2":
            yield f"{name}: its status was {rest[:3]!r}"


def another_architecture():
    native = kvm.BUILD / "tools" / "apps" / "kvm" / "sel4vm-kvm"
    machine = os.uname().machine
    if machine == "aarch64":
        return
    done = subprocess.run([native, "--kernel", "/none"], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    said = done.stderr.decode()
    if done.returncode != 2 or len(said.splitlines()) != 1 or f"takes an AArch64 machine; this one is {machine}" not in said:
        yield f"another architecture: status {done.returncode}, it said {said!r}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        initrd = pathlib.Path(folder) / "kvm.cpio"
        kvm.initial_ramdisk(initrd, script(3), {"sel4vm-kvm": kvm.PROGRAM})
        kvm.guest_files()
        output = kvm.run(initrd, 3)
    mistakes = [*wrong(output, 3), *another_architecture()]
    if mistakes:
        print(output)
        sys.exit("FAILED: " + "; ".join(mistakes))


main()
