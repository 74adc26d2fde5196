#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The platform half of the el2 host on the machine: as Image and as ELF, on every supported CPU, both GIC versions, small
# and large memory, through U-Boot, with a bundle, with console input faster than it is read, and what it says when it dies.
set -euo pipefail

image=$SEL4VM_BUILD/target/src/hosts/el2/selftest/el2_selftest
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

qemu() { # GIC CPU MEMORY [QEMU option...]
    local gic=$1 cpu=$2 memory=$3
    shift 3
    timeout 300 qemu-system-aarch64 -M "virt,virtualization=on,gic-version=$gic" -cpu "$cpu" -m "$memory" -smp 2 -nic none -display none \
        -monitor none -serial stdio -semihosting -no-reboot "$@" 2>"$work/qemu"
}
complain() {
    echo "$1:"
    echo "$2"
    echo "<from QEMU>"
    cat "$work/qemu"
    failed=1
}
expect() { # WHAT STATUS PATTERN COMMAND...
    local what=$1 status=$2 pattern=$3 out code=0
    shift 3
    out=$("$@" </dev/null) || code=$?
    if [ "$code" -ne "$status" ] || ! grep -q "$pattern" <<<"$out"; then
        complain "$what (status $code, expected $status and '$pattern')" "$out"
    fi
}

say_status="sel4vm.exit=semihosting"
expect "GICv2 Image" 0 "selftest: passed" qemu 2 cortex-a57 1G -kernel "$image.img" -append "$say_status"
expect "GICv3 ELF" 0 "selftest: passed" qemu 3 cortex-a72 4G -kernel "$image.elf" -append "$say_status"
expect "GICv2 ELF" 0 "selftest: passed" qemu 2 neoverse-n1 1G -kernel "$image.elf" -append "$say_status"
expect "GICv3 Image" 0 "selftest: passed" qemu 3 max 4G -kernel "$image.img" -append "$say_status"

expect "a panic" 1 "panic: on purpose" qemu 2 cortex-a57 1G -kernel "$image.img" -append panic
expect "a panic on a marked console" 1 $'^\x1esel4vm: panic: on purpose' \
    qemu 2 cortex-a57 1G -kernel "$image.img" -append "panic console=marked"
expect "what the application adds to a panic" 1 $'^\x1e  selftest: last words' \
    qemu 2 cortex-a57 1G -kernel "$image.img" -append "fault console=marked"
expect "a panic inside a panic" 0 "panic: on purpose" qemu 2 cortex-a57 1G -kernel "$image.img" -append "panic report-badly"
expect "the status of a panic" 1 $'^\x1esel4vm: exit 1' qemu 2 cortex-a57 1G -kernel "$image.img" -append "panic console=marked"
expect "a wild store" 1 "data abort, same level, translation fault: nothing is mapped there, on a write" \
    qemu 3 cortex-a57 1G -kernel "$image.img" -append fault
expect "a stack overflow" 1 "stack overflowed" qemu 2 cortex-a57 1G -kernel "$image.img" -append overflow
expect "a store to code" 1 "permission fault, on a write" qemu 3 max 1G -kernel "$image.img" -append write-code
# Whichever of four CPUs is first speaks alone.
expect "a panic on another CPU" 1 "panic: on another CPU" qemu 2 cortex-a57 1G -smp 2 -kernel "$image.img" -append others
expect "an overflow of another CPU's stack" 1 "stack overflowed" qemu 3 cortex-a72 1G -smp 2 -kernel "$image.img" -append "others overflow"
for gic in 2 3; do
    out=$(qemu $gic cortex-a57 1G -smp 4 -kernel "$image.img" -append "others panic" </dev/null) && code=0 || code=$?
    if [ "$code" -ne 1 ] || [ "$(grep -c "panic: on" <<<"$out")" -ne 1 ]; then
        complain "one panic of four with GICv$gic (status $code)" "$out"
    fi
done
expect "a start at EL1" 2 "started at EL1" timeout 300 qemu-system-aarch64 -M virt -cpu cortex-a57 -m 1G -nic none -display none \
    -monitor none -serial stdio -semihosting -kernel "$image.img" 2>"$work/qemu"

# Without a console nobody would hear why: the machine goes off.
qemu-system-aarch64 -M "virt,virtualization=on,gic-version=2,dumpdtb=$work/silent.dtb" -cpu cortex-a57 -m 1G -smp 2 -nic none -display none 2>"$work/qemu"
fdtput -r "$work/silent.dtb" /pl011@9000000
fdtput -d "$work/silent.dtb" /chosen stdout-path
expect "no console" 0 "^$" qemu 2 cortex-a57 1G -kernel "$image.img" -dtb "$work/silent.dtb"

# A bundle behind the image, and the same bytes as initrd.
python3 - "$image.img" "$work" <<'PY'
import sys
image, work = bytearray(open(sys.argv[1], "rb").read()), sys.argv[2]
bundle = bytes(i * 7 % 251 for i in range(3 * 1024 * 1024 + 123))
image[16:24] = (len(image) + len(bundle)).to_bytes(8, "little")
digest = 0
for byte in bundle:
    digest = (digest * 31 + byte) & 0xffffffffffffffff
open(work + "/bundled.img", "wb").write(image + bundle)
open(work + "/bundle", "wb").write(bundle)
open(work + "/digest", "w").write("bundle hash 0x%x" % digest)
text = bytes(97 + i * i % 23 for i in range(5000)) + b"."
digest = 0
for byte in text:
    digest = (digest * 31 + byte) & 0xffffffffffffffff
open(work + "/input", "wb").write(text)
open(work + "/input-digest", "w").write("input of 5001 bytes, hash 0x%x, announced" % digest)
PY
expect "an appended bundle" 0 "$(cat "$work/digest")" qemu 2 cortex-a57 1G -kernel "$work/bundled.img" -append "$say_status"
expect "a bundle as initrd" 0 "$(cat "$work/digest")" \
    qemu 3 cortex-a57 1G -kernel "$image.img" -initrd "$work/bundle" -append "$say_status"

# Input is held back by the UART while nobody reads, from before the host has started.
for gic in 2 3; do
    out=$(qemu $gic cortex-a57 1G -kernel "$image.img" -append "input $say_status" <"$work/input") || true
    grep -q "$(cat "$work/input-digest")" <<<"$out" || complain "console input, GICv$gic" "$out"
done

# U-Boot's booti, at an address that is none of the usual ones.
uboot=/usr/lib/u-boot/qemu_arm64/u-boot.bin
if [ -e "$uboot" ]; then
    trap '' PIPE # an emulator that has ended is told by its output
    mkfifo "$work/keys"
    qemu 3 cortex-a57 1G -bios "$uboot" -device "loader,file=$work/bundled.img,addr=0x44000000,force-raw=on" \
        <"$work/keys" >"$work/uboot" &
    exec 3>"$work/keys"
    # Keys until the prompt is there: one of them stops the automatic boot.
    while ! grep -q '^=> ' "$work/uboot" && kill -0 $! 2>/dev/null; do
        echo >&3 || true
        sleep 0.3
    done
    printf '%s\n' "setenv bootargs $say_status" "booti 0x44000000 - \${fdtcontroladdr}" >&3 || true
    wait $! || true
    exec 3>&-
    grep -q "selftest: passed" "$work/uboot" || complain "U-Boot" "$(cat "$work/uboot")"
else
    complain "U-Boot" "$uboot is missing (package u-boot-qemu)"
fi
exit $failed
