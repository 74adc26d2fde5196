# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154
#
# ./dev run --program: builds somebody's program for the el2 host, from wherever it is, in build/programs. Sourced after common.sh, when
# the preset target has been built.

# build_program PATH: a source file in C or C++, a folder of them, or a folder with a CMakeLists.txt of its own. Sets `program_image`.
build_program() {
    local path=$1 folder name work source sources=() files=() package=$root/build/target/sel4vm-el2
    [ -e "$path" ] || die "there is no program '$path': --program takes a source file or a folder"
    path=$(readlink -f "$path")
    name=$(basename "$path")
    name=${name%.*}
    [[ $name =~ ^[A-Za-z0-9._-]+$ ]] || name=program
    work=$root/build/programs/$name-$(cksum <<<"$path" | cut -d ' ' -f 1)
    if [ -f "$path/CMakeLists.txt" ]; then
        folder=$path
        sources=(-S "$path")
    else
        if [ -d "$path" ]; then
            folder=$path
            mapfile -t files < <(find "$path" -name '.*' -prune -o -type f \( -name '*.c' -o -name '*.cpp' -o -name '*.cc' -o -name '*.S' \) -print | sort)
            [ "${#files[@]}" -gt 0 ] || die "the folder '$path' has neither sources (*.c, *.cpp, *.cc, *.S) nor a CMakeLists.txt"
        else
            case $path in
            *.c | *.cpp | *.cc | *.S) ;;
            *) die "'$path' is no source file (*.c, *.cpp, *.cc, *.S)" ;;
            esac
            folder=$(dirname "$path")
            files=("$path")
        fi
        printf -v source '%s;' "${files[@]}"
        sources=(-S "$root/cmake/program" "-DPROGRAM_NAME=$name" "-DPROGRAM_SOURCES=${source%;}" "-DPROGRAM_FOLDER=$folder")
    fi
    mkdir -p "$work"
    if ! cmake "${sources[@]}" -B "$work" -G Ninja "-DCMAKE_TOOLCHAIN_FILE=$package/aarch64-freestanding.cmake" \
        "-Dsel4vm-el2_DIR=$package" >"$work/configure.log" 2>&1 </dev/null; then
        cat "$work/configure.log" >&2
        die "CMake could not configure the program (see above)"
    fi
    if ! NINJA_STATUS='[%f/%t] ' ninja -C "$work" 2>&1 </dev/null | tee "$work/build.log" | ninja_output "building the program" progress >&2; then
        explain_failure "$work/build.log" "$folder"
    fi
    # What the compiler warned about.
    grep -vE '^(\[|ninja: )' "$work/build.log" >&2 || true
    mapfile -t files < <(find "$work" -name '*.img' -type f)
    [ "${#files[@]}" -eq 1 ] || die "the project makes ${#files[@]} images (*.img); --program needs one"
    program_image=${files[0]}
}

# Compilers' words as they are; the linker's where they are about how a program begins.
explain_failure() {
    local log=$1 folder=$2
    if grep -q "undefined reference to .main'" "$log"; then
        die "the program in '$folder' has no main()"
    elif grep -q "multiple definition of .sel4vm::el2::app_main" "$log"; then
        die "the program in '$folder' has an app_main(), which is the library's where there is a main(): sel4vm_el2_image() of docs/building.md builds programs with app_main() alone"
    elif grep -q "multiple definition of .main'" "$log"; then
        die "the program in '$folder' has several main(): name one file, or a folder with one program"
    fi
    # Without the commands, which are long.
    grep -vE '^(\[|ninja: |FAILED: |: &&|/.*(gcc|g\+\+) |.*ccache )' "$log" >&2 || cat "$log" >&2
    die "the program in '$folder' does not build"
}
