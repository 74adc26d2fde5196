#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `sel4vm run` between its standard streams and the machine's: what goes through, what is taken out, how a run ends.
. "$(dirname "${BASH_SOURCE[0]}")/cli_lib.sh"
fake_host_image
head -c 4096 /dev/zero >Image
run=(run --kernel Image)

# A process whose end nobody has asked for yet does not run any more.
running() {
    local state
    state=$(ps -o stat= -p "$1") && [ "${state:0:1}" != Z ]
}

# Output is 8-bit clean, the host's lines go to standard error, and a mark that a guest prints is undone.
emulator <<'SCRIPT'
printf 'one\0two\xff\x1esel4vm: info: host: hello\r\n\x1e\x1ethree'
off
SCRIPT
expect_run 0 "${run[@]}" </dev/null
printf 'one\0two\xff\x1ethree' | cmp - out || fail "the guest's bytes were changed"
[ "$(cat err)" = "sel4vm: info: host: hello" ] || fail "host line: $(cat err)"

# Where both streams go to the same place, a line of the host starts on a line of its own.
emulator <<'SCRIPT'
printf 'half a line\x1esel4vm: info: host: hello\n\x1esel4vm: info: host: again\n'
sleep 0.5
printf ', the rest\n\x1esel4vm: info: host: bye\n'
off
SCRIPT
timeout 300 "$SEL4VM" "${run[@]}" </dev/null >both 2>&1 || fail "one place for both streams: $(cat both)"
printf 'sel4vm: info: host: %s\n' hello again bye >wanted
sed -n '/^sel4vm: /p' both | diff -u wanted - || fail "the host's lines are not lines: $(cat both)"

# Without the hypervisor there is no host to tell apart.
emulator <<'SCRIPT'
printf 'one\x1etwo\n'
SCRIPT
expect_run 0 "${run[@]}" --no-hypervisor </dev/null
printf 'one\x1etwo\n' | cmp - out || fail "the bytes were changed"

# Nothing is lost in either direction, however much there is, and the end of the input arrives as one EOT.
head -c 3000000 /dev/urandom | tr '\036' '.' >data
emulator <<'SCRIPT'
head -c 3000001
off
SCRIPT
expect_run 0 "${run[@]}" <data
{ cat data; printf '\4'; } | cmp - out || fail "input and output differ"

# A shell that found no end of the input while it was starting, or busy, finds one at its prompt. A guest that says nothing gets one only.
emulator <<'SCRIPT'
for _ in 1 2 3; do
    head -c 1 | od -An -tx1
    printf 'prompt> '
done
[ "$(timeout 5 head -c 1 | wc -c)" -eq 1 ] || exit 7
[ "$(timeout 5 head -c 1 | wc -c)" -eq 0 ] || exit 8
off
SCRIPT
expect_run 0 "${run[@]}" </dev/null
[ "$(grep -c ' 04$' out)" -eq 3 ] || fail "not an end of the input for each prompt: $(cat out)"

# A slow reader is waited for, also after the machine's end.
emulator <<'SCRIPT'
head -c 500000 /dev/zero | tr '\0' x
off
SCRIPT
count=$(timeout 300 "$SEL4VM" "${run[@]}" </dev/null 2>err | { sleep 1; wc -c; })
[ "$count" -eq 500000 ] || fail "a slow reader got $count bytes of 500000"

# A reader that goes away ends the run, quietly.
emulator <<'SCRIPT'
while echo line; do sleep 0.1; done
SCRIPT
timeout 300 "$SEL4VM" "${run[@]}" </dev/null 2>err | head -n 1 >/dev/null || true
[ "${PIPESTATUS[0]}" -ne 124 ] || fail "it went on without a reader"

# The machine's status, and who says why.
emulator <<'SCRIPT'
printf 'hello\n\x1esel4vm: error: guest: stopped: because\n\x1esel4vm: info: guest: bye\n'
exit 1
SCRIPT
expect_run 1 "${run[@]}" </dev/null
[ "$(cat err)" = $'sel4vm: error: guest: stopped: because\nsel4vm: info: guest: bye' ] || fail "$(cat err)"
emulator <<'SCRIPT'
printf 'hello\n\x1esel4vm: error: guest: stopped: because\n\x1esel4vm: exit 1\n'
SCRIPT
expect_run 1 "${run[@]}" </dev/null
says "guest: stopped: because"
emulator <<'SCRIPT'
printf 'sel4vm: exit 1\n\x1e\x1esel4vm: exit 1\n\x1esel4vm: exit 0\n'
SCRIPT
expect_run 0 "${run[@]}" </dev/null
emulator <<'SCRIPT'
printf 'hello\n\x1esel4vm: exit 1\n'
SCRIPT
expect_run 1 "${run[@]}" </dev/null
says "vm 'guest' ended with status 1"
emulator <<'SCRIPT'
printf 'hello\nPANIC\n'
SCRIPT
expect_run 1 "${run[@]}" </dev/null
says "the host program ended without a status; its last words are above"
emulator <<'SCRIPT'
printf 'hel\n\x1esel4vm: panic: a list is broken\n\x1e  at list.cpp:7\n\x1esel4vm: exit 1\n'
SCRIPT
expect_run 1 "${run[@]}" </dev/null
[ "$(cat err)" = $'sel4vm: panic: a list is broken\nsel4vm:   at list.cpp:7' ] || fail "a panic of the host: $(cat err)"
emulator <<'SCRIPT'
echo "qemu-system-aarch64: warning: something" >&2
echo "qemu-system-aarch64: Could not allocate memory" >&2
exit 1
SCRIPT
expect_run 3 "${run[@]}" </dev/null
says "QEMU: Could not allocate memory"
emulator <<'SCRIPT'
echo "qemu-system-aarch64: unable to find CPU model 'foo'" >&2
exit 1
SCRIPT
expect_run 2 "${run[@]}" --cpu foo </dev/null
says "QEMU: unable to find CPU model 'foo'"
emulator <<'SCRIPT'
kill -SEGV $$
SCRIPT
expect_run 3 "${run[@]}" </dev/null
says "QEMU died of signal 11 (Segmentation fault)"
emulator <<'SCRIPT'
echo "ERROR:../hw/intc/some_device.c:1: assertion failed" >&2
kill -ABRT $$
SCRIPT
expect_run 3 "${run[@]}" </dev/null
says "QEMU died of signal 6 (Aborted): ERROR:../hw/intc/some_device.c:1: assertion failed"
SEL4VM_QEMU=$work/no-such-program expect_run 3 "${run[@]}" </dev/null
says "SEL4VM_QEMU: $work/no-such-program cannot be started: No such file or directory"
mkdir -p bin
ln -sf "$(command -v true)" bin/ls
(
    unset SEL4VM_QEMU
    status=0
    PATH=$work/bin "$SEL4VM" "${run[@]}" </dev/null >out 2>err || status=$?
    [ $status -eq 3 ] || fail "without a QEMU: status $status"
    says "qemu-system-aarch64 was not found; install the Debian package qemu-system-arm"
)
TMPDIR=$work/none expect_run 3 "${run[@]}" </dev/null
says "TMPDIR: no folder can be made in $work/none: No such file or directory"
emulator <<'SCRIPT'
exit 0
SCRIPT
expect_run 3 "${run[@]}" </dev/null
says "QEMU ended before anything was heard of the host program"
emulator <<'SCRIPT'
printf '\x1esel4vm: info: host: hello\n'
SCRIPT
expect_run 1 "${run[@]}" </dev/null
grep -q "the host program ended without a status" err || fail "a host that only said something: $(cat err)"

# On a marked line the host judges its VMs, and a line of a guest ends nothing.
emulator <<'SCRIPT'
printf 'Kernel panic - not syncing: oops\r\nguest| Kernel panic - not syncing: oops\r\n'
off
SCRIPT
expect_run 0 "${run[@]}" </dev/null
[ ! -s err ] || fail "$(cat err)"

# Without the host, a kernel panic: two seconds of grace, then the end.
emulator <<'SCRIPT'
printf '[    0.123456] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n'
exec sleep 1000
SCRIPT
SECONDS=0
expect_run 1 "${run[@]}" --no-hypervisor </dev/null
says "vm 'guest': kernel panic: VFS: Unable to mount root fs"
[ $SECONDS -ge 2 ] || fail "there was no grace: it took $SECONDS s"
emulator <<'SCRIPT'
printf 'Kernel panic - not syncing: oops\r\n'
exit 0
SCRIPT
expect_run 1 "${run[@]}" --no-hypervisor </dev/null
says "vm 'guest': kernel panic: oops"
emulator <<'SCRIPT'
printf 'Kernel panic - not syncing: oops\r\n'
sleep 3
SCRIPT
expect_run 0 "${run[@]}" --no-hypervisor --on-panic ignore </dev/null
expect_run 2 "${run[@]}" --no-hypervisor --on-panic restart </dev/null
says "option '--on-panic': value \"restart\": is not possible with option '--no-hypervisor'"
expect_run 2 "${run[@]}" --on-panic nothing </dev/null
says "option '--on-panic': value \"nothing\": expected stop, restart or ignore"

# What a guest or QEMU says is shown without its control characters, one line a message.
emulator <<'SCRIPT'
printf 'Kernel panic - not syncing: a\x1b[2Jb\xc2\x9bc\xe2\x80\xaed\r\x07\r\n'
exit 0
SCRIPT
expect_run 1 "${run[@]}" --no-hypervisor </dev/null
says "vm 'guest': kernel panic: a\\x1b[2Jb\\xc2\\x9bc\\xe2\\x80\\xaed\\x0d\\x07"
emulator <<'SCRIPT'
printf '\x1esel4vm: error: guest: stopped: a\x1b]0;title\x07b\x9bc\x7f\n'
exit 1
SCRIPT
expect_run 1 "${run[@]}" </dev/null
says "guest: stopped: a\\x1b]0;title\\x07b\\x9bc\\x7f"
emulator <<'SCRIPT'
printf 'qemu-system-aarch64: a\x1b[31mb\n' >&2
exit 1
SCRIPT
expect_run 3 "${run[@]}" </dev/null
says "QEMU: a\\x1b[31mb"

# The time limit, for a machine that listens to SIGTERM and for one that does not.
emulator <<'SCRIPT'
trap '' TERM
while :; do sleep 0.2; done
SCRIPT
expect_run 124 "${run[@]}" --timeout 1 </dev/null
says "vm 'guest' did not end within 1 s"
# A program in the host's place has its own VMs, whatever the kernel of the command line is.
expect_run 124 "${run[@]}" --host-image "$SEL4VM_HOST_IMAGE" --timeout 1 </dev/null
says "the program 'host' did not end within 1 s"

# Signals: the machine is gone, the temporary files are gone, and the caller sees which signal it was.
emulator <<'SCRIPT'
echo $$ >pid
exec sleep 1000
SCRIPT
for signal in INT TERM HUP QUIT USR1 ALRM XCPU; do
    rm -f pid
    # A plain background job would ignore SIGINT and SIGQUIT.
    env --default-signal=INT,QUIT "$SEL4VM" "${run[@]}" </dev/null >out 2>err &
    tool=$!
    wait_until test -s pid
    kill -s $signal $tool
    status=0
    wait $tool || status=$?
    [ $status -eq $((128 + $(kill -l $signal))) ] || fail "SIG$signal: status $status, $(cat err)"
    ! running "$(cat pid)" || fail "SIG$signal: the machine still runs"
    [ -z "$(ls -A tmp)" ] || fail "SIG$signal: temporary files are left"
done

# The same while the image is made: the kernel is a pipe into which nobody writes yet.
mkfifo slow
made() { [ -n "$(ls -A tmp)" ]; }
for signal in INT TERM HUP QUIT USR2; do
    env --default-signal=INT,QUIT "$SEL4VM" run --kernel slow </dev/null >out 2>err &
    tool=$!
    wait_until made
    kill -s $signal $tool
    status=0
    wait $tool || status=$?
    [ $status -eq $((128 + $(kill -l $signal))) ] || fail "SIG$signal before the run: status $status, $(cat err)"
    [ -z "$(ls -A tmp)" ] || fail "SIG$signal before the run: temporary files are left"
done

# Killed without a chance to clean up: the machine does not survive.
rm -f pid
"$SEL4VM" "${run[@]}" </dev/null >out 2>err &
tool=$!
wait_until test -s pid
kill -KILL $tool
wait $tool 2>/dev/null || true
gone() { ! running "$1"; }
wait_until gone "$(cat pid)"
rm -rf tmp/*

# Standard streams that are closed do not confuse it.
emulator <<'SCRIPT'
head -c 1 >/dev/null
echo "that was all"
off
SCRIPT
status=0
timeout 300 "$SEL4VM" "${run[@]}" <&- >out 2>&- || status=$?
[ $status -eq 0 ] || fail "closed streams: status $status"
[ "$(cat out)" = "that was all" ] || fail "closed streams: $(cat out)"
