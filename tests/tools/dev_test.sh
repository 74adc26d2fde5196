#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# ./dev itself, in a checkout of its own where CMake and ninja are stand-ins: one at a time, Ctrl-C, and what is said about slips.
set -euo pipefail
work=$(mktemp -d "${TMPDIR:-/tmp}/sel4vm dev XXXXXX")
trap 'rm -rf "$work"' EXIT
unset SEL4VM_DEV_LOCKED
checkout=$work/checkout
mkdir -p "$checkout/tools" "$work/bin"
cp -r "$SEL4VM_SOURCE/dev" "$checkout/"
cp -r "$SEL4VM_SOURCE/tools/dev" "$checkout/tools/"
cp "$SEL4VM_SOURCE/CMakePresets.json" "$checkout/"
export PATH=$work/bin:$PATH LOG=$work/log GATE=$work/gate

fail() {
    echo "dev test: $*" >&2
    exit 1
}
program() {
    { echo '#!/bin/bash' && cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
# wait_until COMMAND...: until it succeeds; only what never comes takes as long as the limit.
wait_until() {
    local left=1200
    until "$@"; do
        [ $((left -= 1)) -gt 0 ] || fail "in vain: wait for $*"
        sleep 0.1
    done
}
lines() { [ -f "$LOG" ] && [ "$(wc -l <"$LOG")" -ge "$1" ]; }

# All packages are there; CMake makes nothing; ninja notes what it is asked to build, waits until the gate is open, and takes an interrupt
# for a build that failed, as the real one does.
program dpkg-query <<'SCRIPT'
for name in "${@:3}"; do echo "installed $name"; done
SCRIPT
program cmake <<'SCRIPT'
exit 0
SCRIPT
program ninja <<'SCRIPT'
trap 'exit 2' INT
echo "begin $2" >>"$LOG"
echo "${2##*/}: ${*:3}" >>"$LOG.targets"
until [ -e "$GATE" ] || [ ! -d "${GATE%/*}" ]; do sleep 0.1; done
echo "end $2" >>"$LOG"
SCRIPT

# A second ./dev waits and says for whom; what the two do is not mixed.
"$checkout/dev" build host 2>"$work/first" &
first=$!
wait_until lines 1
"$checkout/dev" build tools 2>"$work/second" &
second=$!
wait_until grep -q "^dev: waiting for ./dev build (process $first), which works in this checkout$" "$work/second"
[ "$(wc -l <"$LOG")" -eq 1 ] || fail "the second one did not wait: $(cat "$LOG")"
touch "$GATE"
wait $first || fail "the first: $(cat "$work/first")"
wait $second || fail "the second: $(cat "$work/second")"
printf '%s\n' "begin $checkout/build/host" "end $checkout/build/host" "begin $checkout/build/tools" "end $checkout/build/tools" |
    diff - "$LOG" || fail "the two were mixed"

# The lock goes with its holder, however that ends.
rm -f "$LOG" "$GATE"
"$checkout/dev" build host 2>/dev/null &
first=$!
wait_until lines 1
kill -KILL $first
wait $first 2>/dev/null || true
touch "$GATE" # for the ninja that is left
"$checkout/dev" build tools 2>"$work/second" || fail "$(cat "$work/second")"

# Ctrl-C: 130, and no further step.
for command in "build host tools" "test --preset host --preset tools" "run --kernel Image"; do
    rm -f "$LOG" "$GATE"
    # A process group as a shell with job control makes one; a plain background job would ignore the signal.
    # shellcheck disable=SC2086 # words
    env --default-signal=INT setsid "$checkout/dev" $command >"$work/out" 2>&1 &
    one=$!
    wait_until lines 1
    kill -INT -- -$one
    status=0
    wait $one || status=$?
    [ $status -eq 130 ] || fail "Ctrl-C in '$command': status $status: $(cat "$work/out")"
    [ "$(wc -l <"$LOG")" -eq 1 ] || fail "Ctrl-C in '$command': it went on: $(cat "$LOG")"
done

# A slip of the finger.
said() {
    local wanted=$1 status=0
    shift
    "$checkout/dev" "$@" >"$work/out" 2>&1 || status=$?
    [ $status -eq 2 ] || fail "./dev $* ended with status $status"
    [ "$(cat "$work/out")" = "dev: error: $wanted" ] || fail "./dev $*: $(cat "$work/out")"
}
said "there is no command 'tset'; the nearest known one is 'test'; try ./dev --help" tset
said "there is no command 'frobnicate'; try ./dev --help" frobnicate
said "unknown option '--prest'; the nearest known one is '--preset'; try ./dev test --help" test --prest host
said "unknown option '--fsat'; the nearest known one is '--fast'; try ./dev lint --help" lint --fsat
said "unknown option '--chck'; the nearest known one is '--check'; try ./dev fmt --help" fmt --chck
said "there is no label 'modle' (check tools unit model protocols explore replay conformance sel4_host compile_fail fuzz threads package guest system long); the nearest known one is 'model'" \
    test -L modle
said "there is no label 'Model' (check tools unit model protocols explore replay conformance sel4_host compile_fail fuzz threads package guest system long); the nearest known one is 'model'" \
    test -L model -L Model
for number in x 0 -1 1.5 ''; do
    said "-j $number: expected a number of tests, such as -j 4" test -j "$number"
done
said "there is no file 'nowhere.cpp'" lint nowhere.cpp
said "there is no file 'nowhere.cpp'" lint --fast nowhere.cpp
said "there is no file 'nowhere.cpp'" fmt --check nowhere.cpp
said "there is no preset 'tool' (target, kvm, cli, tools, host, host-clang, all); the nearest known one is 'tools'" build tool

# The files of lint are named by where the caller is.
program clang-tidy <<'SCRIPT'
printf '%s\n' "${@: -1}" >>"$LOG.tidy"
SCRIPT
for name in clang-format shellcheck; do
    program $name <<<'exit 0'
done
for name in check_includes.py check_sources.py check_reference.py; do
    printf '#!/bin/bash\n' >"$checkout/tools/$name"
    chmod +x "$checkout/tools/$name"
done
cp "$SEL4VM_SOURCE/tools/run_clang_tidy.sh" "$checkout/tools/"
mkdir -p "$work/elsewhere" "$checkout"/{src,apps,tests,include}
touch "$work/elsewhere/mine.cpp" "$checkout/src/theirs.cpp"
(cd "$work/elsewhere" && "$checkout/dev" lint mine.cpp ../checkout/src/theirs.cpp) >"$work/out" 2>&1 || fail "lint: $(cat "$work/out")"
sort "$LOG.tidy" | diff <(realpath "$checkout/src/theirs.cpp" "$work/elsewhere/mine.cpp" | sort) - || fail "lint looked at other files"

# A name that no test has is found before anything is built, once the names are known.
program ctest <<'SCRIPT'
[[ " $* " != *" -N "* ]] || printf '  Test   #1: unit.Known.Name\n  Test #2: %s\n' "$OTHER_TEST"
exit 0
SCRIPT
export OTHER_TEST=system.other
touch "$GATE"
touch "$checkout/tests/a_test.cpp"
for preset in host host-clang threads tools; do
    mkdir -p "$checkout/build/$preset"
    touch -d "now + 1 hour" "$checkout/build/$preset/CTestTestfile.cmake"
done
rm -f "$LOG"
said "no test has a name that matches 'NoSuchTest' (./dev test --list names them)" test -R NoSuchTest
[ ! -f "$LOG" ] || fail "something was built for a test that is not there: $(cat "$LOG")"
tests_are_built() { # COMMAND...
    rm -f "$LOG"
    "$checkout/dev" "$@" >"$work/out" 2>&1 || fail "./dev $*: $(cat "$work/out")"
    [ -f "$LOG" ] || fail "./dev $*: nothing was built"
}
printf '#!/bin/bash\n' >"$checkout/tools/debs"
chmod +x "$checkout/tools/debs"
tests_are_built test -R 'unit.Known'
OTHER_TEST=replay_tests_NOT_BUILT tests_are_built test -R NoSuchTest
echo 'TEST(Suite, NoSuchTest)' >"$checkout/tests/a_test.cpp"
touch -d "now + 2 hours" "$checkout/tests/a_test.cpp"
tests_are_built test -R NoSuchTest
rm -r "$checkout/tests" "$checkout/build/threads/CTestTestfile.cmake"
tests_are_built test -R NoSuchTest

# Help, check and inspect ask for nothing of the target.
program dpkg-query <<'SCRIPT'
for name in "${@:3}"; do
    case $name in
    *aarch64* | picolibc* | qemu*) echo "dev test: $name was asked for" >>"$LOG" ;;
    esac
    echo "installed $name"
done
SCRIPT
made() { # PRESET: its tool
    mkdir -p "$checkout/build/$1/apps/sel4vm"
    printf '#!/bin/bash\necho "tool of %s: $*"\n' "$1" >"$checkout/build/$1/apps/sel4vm/sel4vm"
    chmod +x "$checkout/build/$1/apps/sel4vm/sel4vm"
}
made cli
rm -f "$LOG"
touch "$GATE"
for command in "run --help" "sel4vm --help" "sel4vm check x.toml" "sel4vm inspect x" "sel4vm rnu" "sel4vm build --help" "--help"; do
    # shellcheck disable=SC2086 # words
    "$checkout/dev" $command >"$work/out" 2>&1 || fail "./dev $command: $(cat "$work/out")"
done
grep -q "^begin $checkout/build/cli$" "$LOG" || fail "the tool was not built"
! grep -v "/build/cli$" "$LOG" || fail "something else was built or asked for"

# A guest needs the tool and the image, no more; a program of one's own the library of the target, too.
mkdir -p "$checkout/build/target/sel4vm-el2"
printf '#!/bin/bash\n' >"$checkout/tools/debs"
chmod +x "$checkout/tools/debs"
needs() { # TARGETS COMMAND...
    local wanted=$1
    shift
    rm -f "$LOG.targets"
    "$checkout/dev" "$@" >"$work/out" 2>&1 || fail "./dev $*: $(cat "$work/out")"
    printf %b "$wanted" | diff - "$LOG.targets" || fail "./dev $* builds other things"
}
needs "target: vmm vmm_notice\ncli: sel4vm\n" run --kernel Image
needs "target: vmm vmm_notice\ncli: sel4vm\n" sel4vm build x.toml -o x.img
needs "target: vmm vmm_notice\ncli: sel4vm\n" sel4vm run x.toml

made tools
[ "$("$checkout/dev" sel4vm --version)" = "tool of tools: --version" ] || fail "the tool that is there anyway is not used"
echo "dev test: passed"
