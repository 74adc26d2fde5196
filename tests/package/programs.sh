# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154
#
# Part of package_test.sh: other people's programs on the installed hosts. Uses prefix, work, here, fail().

# A guest that turns its machine off.
mkdir -p "$work/files"
printf '\x00\x01\x80\x52\x00\x80\xb0\x72\x03\x00\x00\xd4' >"$work/files/kernel"

# expect STATUS COMMAND...: runs it, and shows what it said when it ended otherwise.
expect() {
    local wanted=$1 status=0
    shift
    "$@" >"$work/program.log" 2>"$work/program.err" </dev/null || status=$?
    [ $status -eq "$wanted" ] || {
        cat "$work/program.log" "$work/program.err" >&2
        fail "status $status instead of $wanted: $*"
    }
}

# runs_on_fake C-PROGRAM CXX-PROGRAM: what both do with and without the file.
runs_on_fake() {
    SEL4VM_FAKE_FILES="$work/files" expect 0 "$1"
    grep -q "^a guest of 12 bytes has ended: result 0, reason 4" "$work/program.log" || fail "$(cat "$work/program.log")"
    grep -q "^console" "$work/program.log" || fail "the console is not standard output"
    SEL4VM_FAKE_FILES="$work/files" expect 0 "$2"
    SEL4VM_FAKE_FILES="$work" expect 3 "$1"
    SEL4VM_FAKE_FILES="$work" expect 3 "$2"
    grep -q "no file 'kernel' came with the program" "$work/program.err" || fail "the log is not standard error"
    # Every way in which there is no kernel is said, and how it can be had.
    local program
    mkdir -p "$work/wrong/kernel"
    for program in "$1" "$2"; do
        expect 3 "$program"
        grep -q "there is no file 'kernel': SEL4VM_FAKE_FILES names no folder" "$work/program.err" || fail "$(cat "$work/program.err")"
        SEL4VM_FAKE_FILES="$work/nowhere" expect 3 "$program"
        grep -q "'kernel' in the folder '$work/nowhere' (SEL4VM_FAKE_FILES): No such file" "$work/program.err" || fail "$(cat "$work/program.err")"
        SEL4VM_FAKE_FILES="$work/wrong" expect 3 "$program"
        grep -q "'kernel' in the folder '$work/wrong' (SEL4VM_FAKE_FILES): Is a directory" "$work/program.err" || fail "$(cat "$work/program.err")"
    done
}

# build_project FOLDER NAME OPTION...: the project in FOLDER, built in $work/NAME.
build_project() {
    local folder=$1 name=$2
    shift 2
    cmake -S "$folder" -B "$work/$name" -G Ninja "-DCMAKE_PREFIX_PATH=$prefix" "$@" >"$work/$name.log" 2>&1 ||
        { cat "$work/$name.log"; fail "the project $name cannot be configured"; }
    ninja -C "$work/$name" >"$work/$name.log" || { cat "$work/$name.log"; fail "the project $name does not build"; }
}

test_programs() {
    local compiler toolchain=$prefix/lib/cmake/sel4vm-el2/aarch64-freestanding.cmake
    for compiler in gcc:g++ clang:clang++; do
        command -v "${compiler%:*}" >/dev/null || continue
        build_project "$here/program" "fake-${compiler%:*}" "-DCMAKE_C_COMPILER=${compiler%:*}" "-DCMAKE_CXX_COMPILER=${compiler#*:}"
        runs_on_fake "$work/fake-${compiler%:*}/c_program" "$work/fake-${compiler%:*}/cxx_program"
    done

    build_project "$here/program" el2 "-DCMAKE_TOOLCHAIN_FILE=$toolchain"
    for program in c_program cxx_program; do
        expect 0 "$prefix/bin/sel4vm" run --kernel "$work/files/kernel" --host-image "$work/el2/$program.img"
    done
    # The examples, from where they are installed.
    build_project "$prefix/share/doc/sel4vm/examples/c-minimal" example-c "-DCMAKE_TOOLCHAIN_FILE=$toolchain"
    build_project "$prefix/share/doc/sel4vm/examples/cxx-minimal" example-cxx "-DCMAKE_TOOLCHAIN_FILE=$toolchain"
    expect 1 "$prefix/bin/sel4vm" run --kernel "$work/files/kernel" --host-image "$work/example-cxx/cxx-minimal.img"
    build_project "$prefix/share/doc/sel4vm/examples/device-c" device-c "-DCMAKE_TOOLCHAIN_FILE=$toolchain"
    build_project "$prefix/share/doc/sel4vm/examples/device-cxx" device-cxx "-DCMAKE_TOOLCHAIN_FILE=$toolchain"
    expect 0 "$prefix/bin/sel4vm" run --kernel "$work/files/kernel" --host-image "$work/device-c/device-c.img"
    expect 0 "$prefix/bin/sel4vm" run --kernel "$work/files/kernel" --host-image "$work/device-cxx/device-cxx.img"
    build_project "$prefix/share/doc/sel4vm/examples/vmm-test" vmm-test
    ctest --test-dir "$work/vmm-test" >"$work/vmm-test.log" || fail "the test of a VMM fails: $(cat "$work/vmm-test.log")"
    grep -q "100% tests passed, 0 tests failed out of 1" "$work/vmm-test.log" || fail "$(cat "$work/vmm-test.log")"
    # Without the toolchain file, it is said how.
    if cmake -S "$prefix/share/doc/sel4vm/examples/c-minimal" -B "$work/native" -G Ninja "-DCMAKE_PREFIX_PATH=$prefix" >"$work/native.log" 2>&1; then
        fail "an el2 program was configured with the PC's own compiler"
    fi
    grep -q "aarch64-freestanding.cmake" "$work/native.log" || fail "$(cat "$work/native.log")"
}
