#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The image of the el2 host stays small: its code and initialised data, without what is zero at the start. What is over the budget was grown
# by something: find it (build/target/apps/vmm/vmm.elf.map), and make it smaller or raise the budget here, with the reason in the commit.
set -euo pipefail
# 264 KiB until VMs ran on every CPU (7 KiB), had 128 vCPUs and slept by PSCI (7), had messages and an ITS (19), shared memory (9), and
# were given devices of the machine (22); 344 until the GIC's state had parts with locks of their own (8), guests had performance monitors (5),
# disks and random numbers by virtio (18; docs/virtio.md has what each part costs), errors of devices for guests, and the bus a tree (4); 380 until there was a flash
# chip (7), and fw_cfg (5); 392 until disks of the machine (16), networks (18) and PCI (17).
budget=$((444 * 1024))
read -r text data _ < <(aarch64-linux-gnu-size "$SEL4VM_BUILD/target/apps/vmm/vmm.elf" | tail -n 1)
echo "vmm.elf: $((text + data)) bytes of text and data, $budget allowed"
[ $((text + data)) -le $budget ]
