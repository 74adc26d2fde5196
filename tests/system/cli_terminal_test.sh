#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The terminal is raw while a guest has it, and as before afterwards, whatever ended the run. Plays a person with expect.
. "$(dirname "${BASH_SOURCE[0]}")/cli_lib.sh"
fake_host_image
head -c 4096 /dev/zero >Image
export TOOL="$SEL4VM run --kernel Image"
[ "$(printf %s "$SEL4VM" | tr -d ' ')" = "$SEL4VM" ] || ln -s "$SEL4VM" tool
[ ! -L tool ] || TOOL="$work/tool run --kernel Image"

# Says when it is there, and repeats in hexadecimal what it gets, so that the test sees every key.
emulator <<'SCRIPT'
echo $$ >pid
printf 'ready\r\n'
while IFS= read -r -n 1 -d '' key; do
    printf '<%02x>' "'$key"
    case $key in
    P)
        printf '\x1esel4vm: error: guest: stopped: guest crash: kernel panic: pressed\n\x1esel4vm: exit 1\n'
        exit 0
        ;;
    Q) off ;;
    S) kill -SEGV $$ ;;
    esac
done
SCRIPT

# When the tool was killed, another process restores the modes, in its own time.
cat >job <<'SCRIPT'
rm -f after status
stty -g >before
$TOOL
echo $? >status
for _ in $(seq 600); do
    stty -g >after
    ! cmp -s before after || break
    sleep 0.1
done
SCRIPT

cat >person.exp <<'EXPECT'
set timeout 120
proc die {why} { puts stderr "FAILED: $why"; exit 1 }
proc want {text} {
    expect {
        -ex $text {}
        timeout { die "no '$text'" }
        eof { die "end before '$text'" }
    }
}
# raw: waits until the tool has the terminal.
proc raw {} {
    global spawn_out
    for {set left 600} {$left > 0} {incr left -1} {
        if {[string match *-icanon* [exec stty -a <$spawn_out(slave,name)]]} { return }
        after 100
    }
    die "the terminal does not become raw"
}
# The shell has no line editor of its own, so its modes are those of the terminal.
spawn -noecho bash --noprofile --norc --noediting
send "PS1='shell''> '; stty sane; before=\$(stty -g)\r"
want "shell> "

# start: the tool runs and the terminal is raw. Not directly below the shell: that would put the modes back itself when a job
# of it is killed. What they were at the end is noted by a small script, which cares for nothing.
proc start {} {
    send "sh ./job\r"
    want "ready"
}
proc start_directly {} {
    global env
    send "$env(TOOL)\r"
    want "ready"
}
# restored: back in the shell, with the modes of before.
proc same {modes why} {
    want "shell> "
    send "\[ $modes = \$before \] && echo modes are ' restored' after $why || echo $modes\r"
    want "modes are  restored after $why"
    want "shell> "
}
proc restored {why} { same {$(cat after)} $why }
proc restored_directly {why} { same {$(stty -g)} $why }
proc status {number why} {
    send "echo status is ' '\$(cat status)\r"
    want "status is  $number\r"
    restored $why
}
proc tool_pid {} {
    set pid [exec cat pid]
    return [exec ps -o ppid= -p $pid]
}

# Every key reaches the guest: Ctrl-C, Ctrl-Z, Ctrl-D, Return, Ctrl-S.
start
send "\003\032\004\r\023a"
want "<03><1a><04><0d><13><61>"
send "Q"
want "<51>"
want "shell> "
status 0 ending

start
send "\001h"
want "Ctrl-A x"
send "\001\001\001a"
want "<01><01>"
send "\001x"
want "ended by Ctrl-A x"
want "shell> "
status 0 quitting

start
send "P"
want "guest: stopped: guest crash: kernel panic: pressed"
want "shell> "
status 1 panic

start
send "S"
want "QEMU died of signal 11"
want "shell> "
status 3 crash

foreach signal {TERM INT HUP QUIT KILL} {
    start
    exec kill -$signal [string trim [tool_pid]]
    restored SIG$signal
}
start
exec kill -KILL [exec cat pid]
want "QEMU died of signal 9"
restored the_emulators_end

# Suspended by a key and by a signal, and continued.
foreach how {key signal} {
    start_directly
    if {$how eq "key"} { send "\001z" } else { exec kill -TSTP [string trim [tool_pid]] }
    want "Stopped"
    restored_directly suspending
    send "fg\r"
    want "run --kernel Image"
    raw
    send "\003"
    want "<03>"
    send "\001x"
    want "ended by"
    restored_directly continuing
}
send "exit\r"
expect eof
EXPECT
expect person.exp >log 2>&1 || {
    cat log
    fail "see above"
}
