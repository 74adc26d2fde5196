# SPDX-License-Identifier: BSD-2-Clause
"""The rows of `./dev bench --growth`: what an exit costs where there is more about, and what a VM and a vCPU take."""

import re

TICK = 16  # instructions
SLEEP_S = 2  # how long the sleepers sleep: longer than anything here takes
RAM = "16M"
GUEST = ["sgi_self", "vtimer", "wfi_wake"]


class Growth:
    """`bench` is the module that runs guests: build_guest(), run()."""

    def __init__(self, bench, folder, gic):
        self.bench, self.folder, self.gic = bench, folder, gic
        self.rows = {}

    def image(self, name, source, **defines):
        return self.bench.build_guest(self.folder, name, self.bench.HERE / f"{source}.S",
                                      *[f"-D{key}={value}" for key, value in defines.items()])

    def vm(self, name, image, vcpus=1, spis=224, more=""):
        return (f'[[vm]]\nname = "{name}"\nkernel = "{image}"\nmemory = "{RAM}"\nvcpus = {vcpus}\ncpus = [0]\n'
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

    def switch(self):
        sides = [self.vm(f"side{side}", self.image(f"side{side}", "switch", SIDE=side)) for side in (0, 1)]
        shared = '[[shared]]\nname = "stamps"\nsize = "4K"\n' + "".join(
            f'[[shared.side]]\nvm = "side{side}"\naddress = 0x50000000\n' for side in (0, 1))
        self.measured("of two VMs on one CPU", ["switch"], *sides, shared, "[system]\ntime_slice_us = 100\n")

    def all(self):
        self.others_asleep()
        self.among_vcpus()
        self.masked()
        self.switch()
        return self.rows
