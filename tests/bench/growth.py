# SPDX-License-Identifier: BSD-2-Clause
"""The rows of `./dev bench --growth`: what an exit costs where there is more about, and what a VM and a vCPU take."""

import re

TICK = 16  # instructions
SLEEP_S = 2  # how long the sleepers sleep: longer than anything here takes
RAM = "16M"
RAM_BYTES = 16 << 20
GUEST = ["sgi_self", "vtimer", "wfi_wake"]


class Growth:
    """`bench` is the module that runs guests: build_guest(), run()."""

    def __init__(self, bench, folder, gic):
        self.bench, self.folder, self.gic = bench, folder, gic
        self.rows = {}

    def image(self, name, source, **defines):
        return self.bench.build_guest(self.folder, name, self.bench.HERE / f"{source}.S",
                                      *[f"-D{key}={value}" for key, value in defines.items()])

    def vm(self, name, image, vcpus=1, spis=224, more="", cpu=0):
        return (f'[[vm]]\nname = "{name}"\nkernel = "{image}"\nmemory = "{RAM}"\nvcpus = {vcpus}\ncpus = [{cpu}]\n'
                f'gic = {{ version = {self.gic}, spis = {spis} }}\n{more}\n')

    def run(self, *parts):
        path = self.folder / "growth.toml"
        path.write_text('[console]\nprefix = "never"\n' + "\n".join(parts))
        done = self.bench.run(path)
        found = {name: int(ticks) * TICK / int(rounds) for name, ticks, rounds in re.findall(r"^bench: (\w+) (\d+) (\d+)", done.stdout, re.M)}
        return found, done.stderr

    def measured(self, label, names, *parts):
        found, _ = self.run(*parts)
        for name in names:
            self.rows[f"{name}, {label}"] = round(found[name], 1) if name in found else None

    def others_asleep(self):
        """Beside vCPUs that sleep: those of one VM, and VMs of one each."""
        alone = self.image("alone", "growth", VCPUS=1, MASKED=0)
        most = 8 if self.gic == 2 else 64
        for count in (1, 8, most) if most > 8 else (1, 8):
            others = self.image("sleepers", "sleepers", VCPUS=count, SECONDS=SLEEP_S)
            self.measured(f"beside a VM of {count} sleeping vCPUs", ["wfi_wake"], self.vm("bench", alone), self.vm("sleepers", others, count))
        other = self.image("sleeper", "sleepers", VCPUS=1, SECONDS=SLEEP_S)
        self.measured("beside 7 sleeping VMs", ["wfi_wake"], self.vm("bench", alone), *[self.vm(f"sleeper{n}", other) for n in range(7)])

    def among_vcpus(self):
        for count in (1, 8) if self.gic == 2 else (1, 32, 128):
            image = self.image("among", "growth", VCPUS=count, MASKED=0)
            self.measured(f"one of {count} vCPUs", ["sgi_self", "wfi_wake"], self.vm("bench", image, count))

    def masked(self):
        for count in (0, 960):
            image = self.image("masked", "growth", VCPUS=1, MASKED=count)
            self.measured(f"{count} SPIs pending and masked", ["sgi_self", "vtimer", "wfi_wake"], self.vm("bench", image, spis=960))

    def locked(self):
        """The ordinary rows in a VM that has locks, because it is not on the boot CPU alone."""
        image = self.image("exits", "exits")
        found, _ = self.run(self.vm("bench", image, cpu=1))
        for name in self.bench.ROWS:
            loop = self.bench.LOOP if name in self.bench.LOOPED else 0
            self.rows[f"{name}, on the second of two CPUs"] = round(found[name] - loop, 1) if name in found else None

    def switch(self):
        sides = [self.vm(f"side{side}", self.image(f"side{side}", "switch", SIDE=side)) for side in (0, 1)]
        shared = '[[shared]]\nname = "stamps"\nsize = "4K"\n' + "".join(
            f'[[shared.side]]\nvm = "side{side}"\naddress = 0x50000000\n' for side in (0, 1))
        self.measured("of two VMs on one CPU", ["switch"], *sides, shared, "[system]\ntime_slice_us = 100\n")

    def memory(self):
        """What a VM and a vCPU take besides RAM, from what the host has handed out when each VM has been built."""
        image = self.image("alone", "growth", VCPUS=1, MASKED=0)
        off = self.bench.build_guest(self.folder, "nothing", self.bench.HERE / "nothing.S")

        def used(*vcpus):
            vms = [self.vm(f"vm{n}", image if n == 0 else off, count) for n, count in enumerate(vcpus)]
            _, said = self.run("[bench]\nreport_setup = true\n", *vms)
            return [int(number) for number in re.findall(r"bench: memory (\d+) bytes", said)]

        one, two = used(1, 1)
        more = used(1, 8 if self.gic == 2 else 128)[1]
        per_vcpu = (more - two) / (7 if self.gic == 2 else 127)
        self.rows["memory of a vCPU, bytes"] = round(per_vcpu)
        self.rows["memory of a VM without its vCPU and RAM, bytes"] = round(two - one - per_vcpu - RAM_BYTES)

    def reservations(self):
        """Of the C interface: a program in the VMM's place."""
        image = self.bench.CLIENT_IMAGE.with_name("el2_growth_bench.img")
        for name, ticks, rounds in re.findall(r"^bench: (\w+) (\d+) (\d+)", self.bench.run_program(image, self.gic), re.M):
            self.rows[name] = round(int(ticks) * TICK / int(rounds), 1)

    def all(self):
        self.memory()
        self.reservations()
        self.others_asleep()
        self.among_vcpus()
        self.masked()
        self.locked()
        self.switch()
        return self.rows
