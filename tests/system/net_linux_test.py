#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian guests at one switch: net_linux_test.py GIC VCPUS. The first asks, at the console; the others are servers, whose consoles nobody sees. Small and large
packets arrive, also many at once, and so do files, whole and both ways; who is isolated, at another switch or has another address than its own is not
reached; drivers let their devices go and find them again, and a server that is started anew is there again."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from console import Console  # noqa: E402
from debian_modules import archive_of, modules_ramdisk  # noqa: E402

BANNER = "Welcome to Debian Linux under sel4vm"
SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
EXAMPLE = SOURCE / "examples" / "debian-linux"
MODULES = ["failover", "net_failover", "virtio_mmio", "virtio_net"]
COMPLAINTS = ("hung task", "nobody cared", "WARNING:", "rx error", "NETDEV WATCHDOG", "stall")

# What each guest does with the addresses on its command line, before its session: eth0=10.0.0.1 eth1=...
NETWORK = """#!/bin/busybox sh
for m in %s; do insmod /modules/$m.ko || echo no $m; done
ip link set lo up
for word in $(cat /proc/cmdline); do
    case $word in
    eth?=*) ip addr add ${word#*=}/24 dev ${word%%%%=*}; ip link set ${word%%%%=*} up ;;
    esac
done
mkdir -p /www/cgi-bin
dd if=/dev/urandom of=/www/data bs=64k count=64 2>/dev/null
mv /do /www/cgi-bin/do
httpd -p 80 -h /www
""" % " ".join(MODULES)
# busybox's wget looks for libraries, which are not there.
GET = """#!/bin/busybox sh
printf 'GET %s HTTP/1.0\\r\\n\\r\\n' "$2" | nc -w ${3:-20} $1 80 | { while IFS= read -r line; do [ ${#line} -le 1 ] && break; done; cat; }
"""
# A server does what it is told.
DO = """#!/bin/busybox sh
echo "Content-Type: text/plain"
echo
sh -c "$(httpd -d "$QUERY_STRING")" 2>&1
"""


def ramdisk(built):
    boot = (EXAMPLE / "rootfs/etc/boot").read_text() + "/etc/network\n"
    return ((built / "initrd.cpio").read_bytes() + modules_ramdisk(MODULES) +
            archive_of({"etc/boot": boot, "etc/network": NETWORK, "do": DO, "bin/get": GET}))


def vm(gic, vcpus, built, name, nets, addresses, server=True):
    return f"""
[[vm]]
name = "{name}"
gic = {gic}
vcpus = {vcpus}
{"cpus = [0, 1]" if vcpus == "2" else ""}
memory = "128M"
kernel = "{built}/vmlinuz"
initrd = "initrd"
cmdline = "console=ttyAMA0 {addresses}"
{'uart = { console = "none" }' if server else ""}
net = [{nets}]
"""


class Guests:
    def __init__(self, console):
        self.console = console

    def here(self, line):
        return self.console.command(line)

    def there(self, line, server="10.0.0.2"):
        """What a server does and says."""
        quoted = "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in line)
        return self.here(f"get {server} '/cgi-bin/do?{quoted}'")

    def require(self, text, found, why):
        if text not in found:
            self.console.fail(f"{why}: {found}")

    def reachable(self, address, expected=True, options="", server=None):
        line = f"ping -c 3 -W 3 {options} {address}" if expected else f"ping -c 2 -W 1 {address}"
        said = self.there(line) if server else self.here(line)
        if (", 0% packet loss" in said) != expected or (", 100% packet loss" in said) == expected:
            self.console.fail(f"{address} {'is not' if expected else 'is'} reached ({options}): {said}")


def main(gic, vcpus):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([EXAMPLE / "prepare"], check=True)
        built = SOURCE / "build" / "examples" / "debian-linux"
        (folder / "initrd").write_bytes(ramdisk(built))
        lan = 'switch = "lan"'
        (folder / "system.toml").write_text(
            '[console]\nprefix = "never"\n[bench]\nreport_exits = true\n[[switch]]\nname = "lan"\n[[switch]]\nname = "other"\n[[switch]]\nname = "third"\n' +
            vm(gic, vcpus, built, "asks", f'{{ {lan}, isolated = true }}, {{ switch = "other" }}', "eth0=10.0.0.1 eth1=10.9.0.1", server=False) +
            vm(gic, "1", built, "serves", f'{{ {lan}, mac = "02:00:00:00:00:22", mac_filter = true }}', "eth0=10.0.0.2") +
            vm(gic, "1", built, "alone", f'{{ {lan}, isolated = true }}, {{ switch = "third" }}', "eth0=10.0.0.3 eth1=10.9.0.3"))
        console = Console(str(folder / "system.toml"))
        console.expect(BANNER)
        console.shell()
        console.command("stty columns 500")  # so that no line is cut in two
        guests = Guests(console)
        up = "for i in $(seq 90); do get 10.0.0.2 /cgi-bin/do?echo%20it%20is%20up 2 | grep -q up && echo it is there && break; sleep 1; done"
        guests.require("it is there", guests.here(up), "the server does not come up")
        guests.require("02:00:00:00:00:22", guests.here("cat /proc/net/arp"), "the server has another address")

        # Packets: small, of several frames, and many at once.
        guests.reachable("10.0.0.2")
        guests.reachable("10.0.0.2", options="-s 8000")
        guests.reachable("10.0.0.2", options="-s 1")
        burst = guests.here("for i in $(seq 8); do ping -q -c 8 -A -s 3000 -W 10 10.0.0.2 >/tmp/p$i & done; wait; cat /tmp/p*")
        if burst.count(" 8 packets received") != 8:
            console.fail(f"of many packets at once some are lost: {burst}")

        # Files, whole, both ways at once.
        guests.here("get 10.0.0.2 /data >/tmp/data")
        wanted = guests.there("sha256sum /www/data").split()[0]
        guests.require(wanted, guests.here("sha256sum /tmp/data"), "a file has changed on its way here")
        mine = guests.here("sha256sum /www/data").split()[0]
        both = "get 10.0.0.2 '/cgi-bin/do?get%2010.0.0.1%20%2fdata%20|%20sha256sum' & get 10.0.0.2 /data | sha256sum; wait"
        said = guests.here(both)
        guests.require(mine, said, "a file has changed on its way there")
        guests.require(wanted, said, "a file has changed while another went the other way")

        # Whom nobody may reach.
        guests.reachable("10.0.0.3", expected=False)
        guests.reachable("10.9.0.3", expected=False)
        guests.reachable("10.0.0.3", server="10.0.0.2")
        guests.here("ip link set eth1 down")
        spoof = "ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:99; ip link set eth0 up; ping -c 2 -W 1 10.0.0.1; ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:22; ip link set eth0 up"
        guests.there(f"({spoof}) >/tmp/spoof 2>&1; sleep 1")
        guests.reachable("10.0.0.2")
        guests.require(", 100% packet loss", guests.there("cat /tmp/spoof"), "an address of its own choice was let through")

        # Drivers let their devices go, under traffic, and find them again; and so does a kernel that is started anew.
        again = ("b=/sys/bus/virtio/drivers/virtio_net; d=$(basename $(readlink /sys/class/net/eth0/device)); for i in 1 2 3 4 5 6 7 8; do "
                 "echo $d >$b/unbind; echo $d >$b/bind; n=$(ls /sys/bus/virtio/devices/$d/net); ip addr add 10.0.0.{}/24 dev $n; ip link set $n up; {} done")
        guests.here(again.format("1", "ping -c 1 -W 3 10.0.0.2 >/dev/null || echo lost;"))
        guests.reachable("10.0.0.2")
        guests.there("(" + again.format("2", "sleep 0.2;") + ") >/tmp/again 2>&1 &")
        guests.here("ping -q -c 400 -A -w 20 10.0.0.2")
        guests.reachable("10.0.0.2")
        guests.require(wanted, guests.here("get 10.0.0.2 /data | sha256sum"), "a file has changed after the driver came back")
        guests.there("(sleep 1; reboot -f) >/dev/null 2>&1 &")
        guests.here("ping -q -c 30 -A -w 5 10.0.0.2; sleep 2")
        guests.require("it is there", guests.here(up), "the server does not come back after a reset")
        guests.reachable("10.0.0.2", options="-s 8000")

        said = guests.here("dmesg") + guests.there("dmesg")
        for complaint in COMPLAINTS:
            if complaint in said:
                console.fail(f"a kernel complains: {complaint}")
        guests.there("(get 10.0.0.3 /cgi-bin/do?poweroff%20-f & sleep 3; poweroff -f) >/dev/null 2>&1 &")
        console.send("sleep 2; poweroff -f")
        console.end(0)
        counts = dict(re.findall(r"(\w+): bench: net1 frames: (.*)", console.messages))
        if sorted(counts) != ["alone", "asks", "serves"]:
            console.fail(f"there are other counts: {counts}")
        refused = {name: int(re.search(r"refused=(\d+)", text)[1]) for name, text in counts.items()}
        if refused["serves"] == 0 or refused["asks"] + refused["alone"] != 0 or "malformed=0" not in counts["serves"]:
            console.fail(f"other frames were refused: {counts}")


main(*sys.argv[1:3])
