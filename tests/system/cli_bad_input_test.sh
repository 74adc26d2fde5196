#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Whatever is wrong with the input: one clear sentence that names the file, key or option, status 2, and no output.
. "$(dirname "${BASH_SOURCE[0]}")/cli_lib.sh"
fake_host_image
emulator <<'SCRIPT'
echo "the emulator must not start" >&2
exit 99
SCRIPT
# A raw binary, which is what a kernel without any header is.
head -c 4096 /dev/zero >Image
gzip -nc Image >Image.gz
head -c 5000 /dev/zero >blob
head -c 2048 /dev/zero >initrd

# refused LINES... -- ARGUMENTS: also by build, when ARGUMENTS are a system file.
refused() {
    local lines=()
    while [ "$1" != -- ]; do
        lines+=("$1")
        shift
    done
    shift
    expect_run 2 "$@"
    says "${lines[@]}"
    [ ! -s out ] || fail "output for bad input: $(cat out)"
}
system() {
    cat >system.toml
    local lines=("$@") command
    for command in check run; do
        refused "${lines[@]}" -- "$command" system.toml
    done
    refused "${lines[@]}" -- build system.toml -o image
    refused "${lines[@]}" -- build system.toml -o image --pair
    [ -z "$(find . -name 'image*')" ] || fail "output was written: $(ls)"
}

# The system file itself.
refused "nowhere.toml cannot be read: No such file or directory" -- check nowhere.toml
refused "tmp is a folder, not a file" -- check tmp
head -c 20000000 /dev/zero | tr '\0' '#' >large.toml
refused "large.toml is larger than 16 MiB" -- check large.toml
system "system.toml:1: key 'vm': missing: expected at least one VM" </dev/null
system "system.toml:2: key 'vm.memroy': is unknown; the nearest known key is 'vm.memory'" \
    "system.toml:3: key 'vm.memory': value \"much\": expected a size such as \"512M\" or \"1G\", or a number of bytes, or tables: [[vm.memory]]" \
    "system.toml:4: key 'vm.kernel': value \"nothing\": expected a kernel, but nothing cannot be read: No such file or directory" <<'TOML'
[[vm]]
memroy = "64M"
memory = "much"
kernel = "nothing"
TOML

# Files that are missing or broken.
system "system.toml:3: key 'vm.kernel': value \"tmp\": expected a kernel, but tmp is a folder, not a file" \
    "system.toml:4: key 'vm.initrd': value \"none\": expected an initrd, but none cannot be read: No such file or directory" \
    "system.toml:5: key 'vm.dtb': value \"none\": expected a device tree, but none cannot be read: No such file or directory" <<'TOML'
[[vm]]
memory = "64M"
kernel = "tmp"
initrd = "none"
dtb = "none"
TOML
head -c 30 Image.gz >cut.gz
system "system.toml:3: key 'vm.kernel': value \"cut.gz\": expected a kernel, but cut.gz is a gzip file that ends too early" <<'TOML'
[[vm]]
memory = "64M"
kernel = "cut.gz"
TOML
system "system.toml:9: key 'vm.gic': value 3: expected 2, as the machine and its other VMs have" <<'TOML'
[[vm]]
name = "first"
memory = "64M"
gic = 2
kernel = "Image"
[[vm]]
name = "second"
memory = "64M"
gic = 3
kernel = "Image"
TOML

# An output that is an input would be the end of that file.
printf '[[vm]]\nmemory = "64M"\nkernel = "Image"\n' >good.toml
ln -s good.toml also.toml
cp Image Image.bundle
for output in good.toml also.toml Image ./Image; do
    refused "option '--output': $output is read to build it: give another name" -- build good.toml -o "$output"
done
printf '[[vm]]\nmemory = "64M"\nkernel = "Image.bundle"\n' >pair.toml
refused "option '--output': Image.bundle is read to build it: give another name" -- build pair.toml -o Image --pair
[ "$(wc -c <good.toml) $(wc -c <Image) $(wc -c <Image.bundle)" = "39 4096 4096" ] || fail "an input was changed"

: >empty
system "system.toml:3: key 'vm.kernel': value \"empty\": expected a file that is not empty" <<'TOML'
[[vm]]
memory = "64M"
kernel = "empty"
TOML
{ printf '\177ELF\1\1\1'; head -c 100 /dev/zero; } >elf32
expect_run 2 run --kernel elf32
grep -qx "sel4vm: error: option '--kernel': value \"elf32\": expected a kernel, but it .*" err || fail "$(cat err)"
head -c 100 /dev/urandom >noise
expect_run 2 run --kernel Image --dtb noise
grep -qx "sel4vm: error: option '--dtb': value \"noise\": expected a device tree, but it is not a well-formed flattened device tree" err ||
    fail "$(cat err)"

# What does not fit or overlaps.
expect_run 2 run --kernel Image --memory 4K
grep -q "^sel4vm: error: option '--memory': value \"4K\": expected " err || fail "$(cat err)"
head -c 3000000 /dev/zero >big
expect_run 2 run --kernel Image --initrd big --memory 4M
grep -q "option '--memory': value \"4M\": expected at least [0-9]* MiB: the initrd " err || fail "$(cat err)"
least=$(sed -n 's/.*expected at least \([0-9]*\) MiB.*/\1/p' err)
expect_run 2 run --kernel Image --initrd big --memory $((least - 1))M
grep -q "expected at least $least MiB: " err || fail "$(cat err)"
for few in 0 1 64K; do
    expect_run 2 run --kernel Image --initrd big --memory $few
    grep -q "^sel4vm: error: option '--memory': value \"$few\": expected at least $least MiB" err || fail "another least memory: $(cat err)"
    [ "$(wc -l <err)" -eq 1 ] || fail "more than one mistake: $(cat err)"
done
expect_run 2 run --kernel Image --initrd big --memory 1M
says "option '--initrd': value \"big\": expected an initrd, but big is larger than 1 MiB, the memory of its VM"
emulator <<'SCRIPT'
off
SCRIPT
expect_run 0 run --kernel Image --initrd big --memory "${least}M" </dev/null
refused "option '--memory': value \"16777217\": expected a multiple of 4 KiB" -- run --kernel Image --memory 16777217
refused "option '--memory': value \"999999G\": expected a range that ends by 0x10000000000, not 999999 GiB from 0x40000000 on" -- \
    run --kernel Image --memory 999999G
refused "option '--memory': value \"1000G\": expected less memory: the machine would need 1024192 MiB, QEMU's has at most 261120 MiB" -- \
    run --kernel Image --memory 1000G
refused "option '--kernel': value \"\": expected the path of a file" -- run --kernel ""
refused "option '--vcpus': value \"-1\": expected a number from 1 to 128" -- run --kernel Image --vcpus -1

# The machine: what run refuses, check and build refuse, too.
system "system.toml:5: key 'qemu.memory': value \"64M\": expected at least 67 MiB for the VMs, their files and the host" <<'TOML'
[[vm]]
memory = "64M"
kernel = "Image"
[qemu]
memory = "64M"
TOML
system "system.toml:5: key 'qemu.gic': value 2: expected 3, as the VMs have" <<'TOML'
[[vm]]
memory = "64M"
kernel = "Image"
[qemu]
gic = 2
TOML
system "system.toml:3: key 'vm.memory': value \"1000G\": expected less memory: the machine would need 1024192 MiB, QEMU's has at most 261120 MiB" <<'TOML'
[[vm]]
kernel = "Image"
memory = "1000G"
TOML

# A file that is no system file says what it is, and what to do with it.
printf '[[vm]]\nmemory = "64M"\nkernel = "Image"\n' >of.toml
expect_run 0 build of.toml -o built
expect_run 0 build of.toml -o pair --pair
by_hand="in QEMU it starts by: qemu-system-aarch64 -M virt,virtualization=on,gic-version=3 -cpu cortex-a72 -smp 1 -m 256M -nographic"
{ head -c 8 /dev/zero; printf '\0\0\010\0\0\0\0\0\0\0\1\0\0\0\0\0'; head -c 32 /dev/zero; printf 'ARM\x64'; head -c 4036 /dev/zero; } >arm64
printf '\320\r\376\355%060d' 0 >tree.dtb
printf '070701%0200d' 0 >archive.cpio
for command in check run; do
    refused "built is an image of 'sel4vm build', not a system file; run the system file that it was built of; $by_hand -kernel built" -- $command built
    refused "pair.bundle is the bundle of 'sel4vm build --pair', not a system file; run the system file that it was built of; $by_hand -kernel IMAGE -initrd pair.bundle" -- \
        $command pair.bundle
    refused "pair is the host program of sel4vm, not a system file; it goes with a system file, as --host-image" -- $command pair
    refused "arm64 is a kernel (arm64 Image), not a system file; run it by: sel4vm run --kernel arm64" -- $command arm64
    refused "Image is a binary file, not a system file; a kernel is run by: sel4vm run --kernel Image" -- $command Image
    refused "Image.gz is a gzip file, not a system file; a kernel is run by: sel4vm run --kernel Image.gz" -- $command Image.gz
    refused "archive.cpio is a cpio archive, not a system file; it goes with a kernel, as --initrd archive.cpio" -- $command archive.cpio
    refused "tree.dtb is a device tree, not a system file; it goes with a kernel, as --dtb tree.dtb" -- $command tree.dtb
    # Whatever their size.
    for file in arm64 Image archive.cpio built; do
        cp $file small
        cp $file large
        truncate -s 17M large
        "$SEL4VM" $command small 2>&1 | sed "s/\<small\>/large/g" >wanted.large || true
        expect_run 2 $command large
        diff wanted.large err || fail "a larger $file is something else"
    done
done
# Nor is what sel4vm made a kernel, a firmware or a host image.
refused "option '--kernel': value \"built\": expected a kernel, but built is an image of 'sel4vm build'; $by_hand -kernel built" -- run --kernel built
refused "option '--kernel': value \"pair\": expected a kernel, but pair is the host program of sel4vm; it goes with a system file, as --host-image" -- run --kernel pair
refused "option '--firmware': value \"built\": expected a firmware image, but built is an image of 'sel4vm build'; $by_hand -kernel built" -- run --firmware built
refused "option '--host-image': built is an image of 'sel4vm build', which has its system already; $by_hand -kernel built" -- run of.toml --host-image built
refused "option '--host-image': arm64 is not a host image of sel4vm" -- run of.toml --host-image arm64
expect_run 0 inspect pair
grep -qx "host image of sel4vm, 4096 bytes, without a system" out || fail "inspect of a host image: $(cat out)"
rm -f pair pair.bundle built small large
emulator <<'SCRIPT'
echo "the emulator must not start" >&2
exit 99
SCRIPT
system "system.toml:4: key 'vm.uart.address': value 0x40001000: expected no overlap with vm.memory, which has 64 MiB from 0x40000000 on by default" <<'TOML'
[[vm]]
memory = "64M"
kernel = "Image"
uart = { address = 0x40001000 }
TOML

# A part of the other version of the interrupt controller.
for version in 2 3; do
    other=$((5 - version)) part=cpu_interface
    [ $version -eq 3 ] || part=redistributors
    system "system.toml:6: key 'vm.gic.$part': value 0x10000000: is a part of GIC version $other, and this VM has version $version" <<TOML
[[vm]]
memory = "64M"
kernel = "Image"
[vm.gic]
version = $version
$part = 0x10000000
TOML
    system "system.toml:6: key 'vm.gic.$part': value {...}: is a part of GIC version $other, and this VM has version $version" <<TOML
[[vm]]
memory = "64M"
kernel = "Image"
[vm.gic]
version = $version
$part = { address = 0x10000000, size = 12345 }
TOML
done

# A name that another device has.
system "system.toml:6: key 'vm.device.name': value \"uart\": expected a name of its own for each device: vm.uart has it" \
    "system.toml:16: key 'vm.device.name': value \"u\": expected a name of its own for each device: a vm.device has it, by line 11" <<'TOML'
[[vm]]
memory = "64M"
kernel = "Image"
[[vm.device]]
type = "pl011"
name = "uart"
address = 0x0a000000
irq = 5
[[vm.device]]
type = "pl011"
name = "u"
address = 0x0a001000
irq = 6
[[vm.device]]
type = "pl061"
name = "u"
address = 0x0a002000
irq = 7
TOML

# An image where something else goes: what the person placed is what has to move.
system "system.toml:7: key 'vm.image.address': value 0x40080000: expected a place apart from the kernel, which has 4 KiB from 0x40080000 on; the image has 5000 bytes" <<'TOML'
[[vm]]
memory = "64M"
kernel = "Image"
initrd = "initrd"
[[vm.image]]
path = "blob"
address = 0x40080000
TOML
system "system.toml:7: key 'vm.image.address': value 0x42000000: expected a place apart from the initrd, which has 2 KiB from 0x42000000 on; the image has 5000 bytes" <<'TOML'
[[vm]]
memory = "64M"
kernel = "Image"
initrd = "initrd"
[[vm.image]]
path = "blob"
address = 0x42000000
TOML

# A system file is for another command.
refused "of.toml is a text file, not a kernel; a system file is looked at by: sel4vm check of.toml" -- inspect of.toml

# The command line.
refused "option '--kernl' is unknown; the nearest known one is '--kernel'; try 'sel4vm run --help'" -- run --kernl Image
refused "option '--cpu': value \"cortex-a15\": expected the name of an AArch64 CPU of QEMU, such as \"cortex-a72\"" -- \
    run --kernel Image --cpu cortex-a15
refused "there is nothing to run: expected a system FILE, --kernel or --firmware; try 'sel4vm run --help'" -- run
refused "there is nothing for the options of a VM: expected a system FILE, --kernel or --firmware; try 'sel4vm run --help'" -- run --host-image host.img --memory 1G
refused "option '--host-image': Image is not a host image of sel4vm" -- run --kernel Image --host-image Image
refused "option '--host-image': none cannot be read: No such file or directory" -- run --kernel Image --host-image none

# Output that cannot be written leaves nothing behind either.
printf '[[vm]]\nmemory = "64M"\nkernel = "Image.gz"\n' >good.toml
expect_run 0 check good.toml
refused "nowhere/image: cannot be written: No such file or directory" -- build good.toml -o nowhere/image
refused "tmp: is not a regular file, so it is not replaced" -- build good.toml -o tmp
mkdir pair.bundle
refused "pair.bundle: is not a regular file, so it is not replaced" -- build good.toml -o pair --pair
[ ! -e pair ] || fail "half a pair was written"
expect_run 0 build good.toml -o good
expect_run 0 build good.toml -o pair2 --pair
cmp <(cat pair2 pair2.bundle | tail -c +25) <(tail -c +25 good) || fail "the pair and the image differ in more than the image's size"
expect_run 0 inspect good
grep -q 'kernel    "Image.gz" (4096 bytes)' out || fail "inspect does not know what was built: $(cat out)"
expect_run 0 inspect pair2.bundle

# Whatever a value, a name or a file is called, a message is one line without control characters.
bad=$'a\x1b[2J\nb\xe2\x80\xaec'
shown='a\x1b[2J\x0ab\xe2\x80\xaec'
refused "$shown cannot be read: No such file or directory" -- check "$bad"
refused "$shown cannot be read: No such file or directory" -- inspect "$bad"
refused "command '$shown' is unknown; try 'sel4vm --help'" -- "$bad"
refused "option '--$shown' is unknown; try 'sel4vm run --help'" -- run "--$bad"
refused "option '--kernel': value \"a\\x1b[2J\\nb\\xe2\\x80\\xaec\": expected a kernel, but $shown cannot be read: No such file or directory" -- \
    run --kernel "$bad"
cp good.toml "$bad"
expect_run 0 check "$bad"
[ "$(cat out)" = "$shown: good: 1 VM" ] || fail "$(cat out)"
printf 'a = "\x1b"\n' >escape.toml
expect_run 2 check escape.toml
! grep -q $'\x1b' err || fail "an escape sequence of a file reached the terminal: $(cat -v err)"

# Sizes are looked at before anything is read, and what has none is not waited for.
truncate -s 17G sparse
mkfifo fifo
system 'system.toml:3: key '"'vm.kernel'"': value "sparse": expected a kernel, but sparse is larger than 1 GiB, which no kernel needs' \
    'system.toml:4: key '"'vm.initrd'"': value "sparse": expected an initrd, but sparse is larger than 64 MiB, the memory of its VM' \
    'system.toml:5: key '"'vm.dtb'"': value "sparse": expected a device tree, but sparse is larger than 64 MiB, the memory of its VM' \
    'system.toml:7: key '"'vm.image.path'"': value "sparse": expected an image, but sparse is larger than 64 MiB, the memory of its VM' \
    'system.toml:10: key '"'vm.image.path'"': value "sparse": expected an image, but sparse is larger than 1 MiB, the size of its region' \
    'system.toml:14: key '"'vm.image.path'"': value "sparse": expected an image, but sparse is larger than 1 GiB, and the size of its region is not given' <<'TOML'
[[vm]]
memory = "64M"
kernel = "sparse"
initrd = "sparse"
dtb = "sparse"
[[vm.image]]
path = "sparse"
address = 0x41000000
[[vm.image]]
path = "sparse"
size = "1M"
address = 0x80000000
[[vm.image]]
path = "sparse"
address = 0x90000000
TOML
refused "sparse is a binary file, not a system file; a kernel is run by: sel4vm run --kernel sparse" -- check sparse
refused "sparse is larger than 16 GiB" -- inspect sparse
refused "option '--host-image': sparse is larger than 256 MiB" -- run --kernel Image --host-image sparse
for option in kernel initrd dtb firmware; do
    case $option in
    kernel) what="a kernel" ;;
    initrd) what="an initrd" ;;
    dtb) what="a device tree" ;;
    firmware) what="a firmware image" ;;
    esac
    case $option in
    kernel | firmware) given=("--$option" /dev/zero) ;;
    *) given=(--kernel Image "--$option" /dev/zero) ;;
    esac
    refused "option '--$option': value \"/dev/zero\": expected $what, but /dev/zero is a device, not a file" -- run "${given[@]}"
done
refused "/dev/zero is a device, not a file" -- check /dev/zero
refused "/dev/zero is a device, not a file" -- inspect /dev/zero
refused "option '--kernel': value \"fifo\": expected a kernel, but fifo is a pipe into which nobody writes for 10 s" -- run --kernel fifo
refused "fifo is a pipe into which nobody writes for 10 s" -- check fifo
cat good.toml >fifo &
expect_run 0 check fifo
wait $!
cat Image >fifo &
refused "option '--kernel': value \"fifo\": is a pipe, which is not possible with option '--no-hypervisor'" -- run --kernel fifo --no-hypervisor
wait $!

# What a gzip file holds is bounded, too.
head -c 100000000 /dev/zero | gzip -c >bomb.gz
refused "option '--kernel': value \"bomb.gz\": expected a kernel, but bomb.gz is larger than 64 MiB when decompressed, the memory of its VM" -- \
    run --kernel bomb.gz --memory 64M

# However much is wrong, and however long it is, the messages stay readable.
long=$(printf '%05000d' 0)
for arguments in "check $long" "inspect $long" "$long" "run --$long" "run --kernel $long" "run --kernel Image --memory $long" \
    "run --kernel Image --vcpus $long" "run --kernel Image --gic $long" "run --kernel Image --cpu $long" "run --kernel Image --timeout $long" \
    "run --kernel Image --log-level $long" "run --kernel Image --host-image $long" "run --kernel Image --icount=x$long" "build good.toml -o $long" \
    "build good.toml -o $long/x" "run good.toml $long" "run --kernel Image --on-panic $long" "run --kernel Image --cmdline $long"; do
    # shellcheck disable=SC2086 # words
    expect_run 2 $arguments
    [ "$(wc -l <err)" -le 2 ] || fail "sel4vm ${arguments:0:40}... says too many things: $(cut -c 1-500 err)"
    [ "$(wc -L <err)" -lt 400 ] || fail "sel4vm ${arguments:0:40}... says too much: $(cut -c 1-500 err)"
done
{ cat good.toml; for i in $(seq 50000); do echo "key$i = 1"; done; } >many.toml
expect_run 2 check many.toml
[ "$(wc -l <err)" -eq 21 ] || fail "not twenty mistakes and a number: $(wc -l <err) lines"
[ "$(tail -n 1 err)" = "sel4vm: error: and 49980 more unknown keys" ] || fail "$(tail -n 1 err)"

# Files that are something else than a kernel, and damaged ones.
kernel() { # NAME SENTENCE
    refused "option '--kernel': value \"$1\": expected a kernel, but it $2" -- run --kernel "$1"
}
echo 'int main;' >text
printf '\320\r\376\355%060d' 0 >tree
printf '070701%0200d' 0 >cpio
{ head -c 36 /dev/urandom; printf '\030\050\157\001'; head -c 100 /dev/urandom; } >zimage
{ printf 'MZ'; head -c 58 /dev/zero; printf '\100\0\0\0PE\0\0\144\206'; head -c 100 /dev/zero; } >pe
kernel text "is a text file, not a kernel"
kernel tree "is a device tree, not a kernel for AArch64"
kernel cpio "is a cpio archive (an initrd), not a kernel for AArch64"
kernel zimage "is a 32-bit Arm kernel (zImage), not a kernel for AArch64"
kernel pe "is a PE program for machine 0x8664 without the header of an arm64 Image"
for name in text tree cpio zimage pe; do
    gzip -nc "$name" >"$name.gz"
done
gzip -nc Image.gz >twice.gz
kernel text.gz "is a text file, not a kernel"
kernel tree.gz "is a device tree, not a kernel for AArch64"
kernel cpio.gz "is a cpio archive (an initrd), not a kernel for AArch64"
kernel twice.gz "is compressed with gzip"
# uimage ARCH [DAMAGED]: a uImage of a kernel for this architecture; damaged is its header or its data.
uimage() {
    python3 - "$@" >uimage <<'SCRIPT'
import struct, sys, zlib
data = bytes(range(256)) * 16
def header(crc):
    return struct.pack(">7I4B32s", 0x27051956, crc, 0, len(data), 0x40800000, 0x40800000, zlib.crc32(data), 5, int(sys.argv[1]), 2, 0, b"name")
head = header(zlib.crc32(header(0)))
damaged = sys.argv[2] if len(sys.argv) > 2 else ""
sys.stdout.buffer.write((head[:-1] + b"x" if damaged == "header" else head) + (data[:-1] + b"x" if damaged == "data" else data))
SCRIPT
}
uimage 22
expect_run 0 inspect uimage
uimage 22 header
kernel uimage "is a uImage with a damaged header: its checksum is wrong"
uimage 22 data
kernel uimage "is a damaged uImage: the checksum of its contents is wrong"
refused "uimage is a damaged uImage: the checksum of its contents is wrong" -- inspect uimage
uimage 2
kernel uimage "is a uImage for architecture 2, not arm64 (22)"

# A device tree that Linux would not take: a mistake for an arm64 Image, a warning for other kernels.
head -c 2200000 /dev/zero >pad
dtc -q -I dts -O dtb -o large.dtb <<TREE
/dts-v1/;
/ { compatible = "linux,dummy-virt"; #address-cells = <2>; #size-cells = <2>; pad = /incbin/("pad"); };
TREE
{ head -c 8 /dev/zero; printf '\0\0\010\0\0\0\0\0\0\0\1\0\0\0\0\0'; head -c 32 /dev/zero; printf 'ARM\x64'; head -c 4036 /dev/zero; } >linux
expect_run 2 run --kernel linux --dtb large.dtb
grep -qxE "sel4vm: error: option '--dtb': value \"large.dtb\": expected a device tree of at most 2 MiB, which is what Linux takes, but with what is filled in it has 22[0-9]{5} bytes" err ||
    fail "$(cat err)"
emulator <<'SCRIPT'
off
SCRIPT
expect_run 0 run --kernel Image --dtb large.dtb </dev/null
grep -qxE "sel4vm: warning: option '--dtb': value \"large.dtb\": it has 22[0-9]{5} bytes with what is filled in; Linux takes at most 2 MiB" err ||
    fail "$(cat err)"
