# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
#
# What the commands of ./dev share: messages, Debian packages, and building a preset. Sourced, never run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
jobs=$(nproc)

say() { echo "dev: $*" >&2; }
die() {
    echo "dev: error: $*" >&2
    exit 2
}

# Ctrl-C ends the whole command, whatever the program that it interrupted makes of it (ninja reports a failed build), and as a signal, so
# that a loop around it ends, too.
trap 'trap - INT; kill -INT $$' INT

. "$(dirname "${BASH_SOURCE[0]}")/nearest.sh"

# unknown_option OPTION: says which one of those that usage() names was meant.
unknown_option() {
    local known
    mapfile -t known < <(usage | grep -oE -- '(^|[^a-z-])--?[a-zA-Z][a-z-]*' | grep -oE -- '-.*' | sort -u)
    die "unknown option '$1'$(nearest "$1" "${known[@]}"); try ./dev $(basename "$0") --help"
}

# help_asked ARGUMENT...: true when the first argument asks for help.
help_asked() { [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; }

# named_files FILE...: their absolute names, one a line, when all are there.
named_files() {
    local file
    for file; do
        [ -f "$file" ] || die "there is no file '$file'"
    done
    realpath -- "$@"
}

# ---------------------------------------------------------------- Debian packages
# What each kind of work needs.
packages_target=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu binutils-aarch64-linux-gnu
    libexpected-dev cmake ninja-build python3)
packages_cli=(gcc g++ cmake ninja-build libexpected-dev libtomlplusplus-dev libcli11-dev libfmt-dev libfdt-dev zlib1g-dev python3)
packages_tools=("${packages_cli[@]}" "${packages_target[@]}")
packages_kvm=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu libexpected-dev cmake ninja-build python3)
packages_host=(gcc g++ cmake ninja-build libexpected-dev libtomlplusplus-dev libcli11-dev libfmt-dev libfdt-dev zlib1g-dev
    libgtest-dev device-tree-compiler qemu-system-arm spin python3)
packages_clang=(clang lld libclang-rt-dev "${packages_host[@]}")
packages_run=(qemu-system-arm cpio gzip "${packages_cli[@]}" "${packages_target[@]}")
packages_package=(dpkg-dev file "${packages_tools[@]}")
packages_system=(u-boot-qemu qemu-efi-aarch64 dosfstools fdisk mtools expect device-tree-compiler pkg-config python3-jsonschema mmdebstrap zsh fish "${packages_run[@]}" "${packages_package[@]}")

# Names of those that are not installed.
missing_packages() {
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort -u) || true
    printf '%s\n' "$@" | sort -u | comm -23 - <(printf '%s\n' "$installed")
}

# As root, by way of sudo where needed. Without a terminal sudo must not need a password; apt itself never asks.
as_root() {
    local settings=(DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l LC_ALL=C.UTF-8) name
    for name in http_proxy https_proxy ftp_proxy no_proxy; do
        [ -z "${!name:-}" ] || settings+=("$name=${!name}")
    done
    if [ "$(id -u)" -eq 0 ]; then
        env "${settings[@]}" "$@" </dev/null
    elif [ -t 0 ]; then
        sudo env "${settings[@]}" "$@"
    else
        sudo -n env "${settings[@]}" "$@" </dev/null
    fi
}

# ensure_packages NAME...: installs those that are missing, and says so.
ensure_packages() {
    command -v dpkg-query >/dev/null || die "this is not a Debian system (dpkg-query is missing); install by hand: $*"
    local missing install
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0

    say "installing Debian packages: ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        local by_hand="apt-get install --no-install-recommends ${missing[*]}"
        command -v sudo >/dev/null || die "installing packages needs root, and there is no sudo. As root: $by_hand"
        [ -t 0 ] || sudo -n true 2>/dev/null ||
            die "installing packages needs root, and sudo wants a password but has no terminal to read it. By hand: sudo $by_hand"
    fi
    install=(apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 --no-install-recommends install "${missing[@]}")
    # The package lists are read again only when they do not know a package, or when an install fails on stale ones.
    local fresh=no
    if ! apt-cache show "${missing[@]}" >/dev/null 2>&1; then
        as_root apt-get -q -o DPkg::Lock::Timeout=600 update >&2 || say "some package lists could not be read; going on"
        fresh=yes
    fi
    if ! as_root "${install[@]}" >&2; then
        [ $fresh = no ] || die "the packages could not be installed: ${missing[*]}"
        as_root apt-get -q -o DPkg::Lock::Timeout=600 update >&2 || say "some package lists could not be read; going on"
        as_root "${install[@]}" >&2 || die "the packages could not be installed: ${missing[*]}"
    fi
    mapfile -t missing < <(missing_packages "${missing[@]}")
    [ "${#missing[@]}" -eq 0 ] || die "these packages are still missing after the installation: ${missing[*]}"
}

# ---------------------------------------------------------------- One at a time
# take_lock NAME: from here on this is the only ./dev of this checkout that does what the lock is for ("build": building and testing); a second
# one waits and says for whom. The lock is on an open file, so that it is gone when its holder is, however that ended. Called
# again, or by a ./dev that this one started, it does nothing.
take_lock() {
    [ "${SEL4VM_DEV_LOCKED:-}" != "$root" ] || return 0
    local file=$root/build/.lock-$1
    mkdir -p "$root/build"
    exec {lock_fd}>>"$file"
    if ! flock -n "$lock_fd"; then
        say "waiting for $(cat "$file"), which works in this checkout"
        flock "$lock_fd"
    fi
    printf "./dev %s (process %s)\n" "$(basename "$0")" $$ >"$file"
    export SEL4VM_DEV_LOCKED=$root
}

# drop_lock: before a guest runs, which may take for ever and builds nothing.
drop_lock() {
    [ -n "${lock_fd:-}" ] || return 0
    exec {lock_fd}>&-
    unset lock_fd SEL4VM_DEV_LOCKED
}

# ---------------------------------------------------------------- Building
# configure PRESET: (re)makes the build folder when it is new, when the presets changed or when the checkout has moved.
configure() {
    take_lock build
    local folder=$root/build/$1 home
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$folder/CMakeCache.txt" 2>/dev/null || true)
    if [ -n "$home" ] && [ "$home" != "$root" ]; then
        say "the checkout has moved: starting build/$1 afresh"
        rm -rf "$folder"
    fi
    if [ -f "$folder/build.ninja" ] && [ "$folder/.configured" -nt "$root/CMakePresets.json" ]; then
        return 0
    fi
    mkdir -p "$folder"
    if ! (cd "$root" && cmake --preset "$1") >"$folder/configure.log" 2>&1 </dev/null; then
        cat "$folder/configure.log" >&2
        die "CMake could not configure the preset $1 (see above, or build/$1/configure.log)"
    fi
    touch "$folder/.configured"
}

# build_preset PRESET [CMAKE TARGET...]: configures and builds. Everything it says goes to stderr, and it leaves stdin alone:
# that may be what the guest is to read.
build_preset() {
    local preset=$1
    shift
    take_lock build
    case $preset in
    target | kvm) "$root/tools/debs" fetch >&2 </dev/null ;;
    esac
    configure "$preset"
    local status=0
    NINJA_STATUS='[%f/%t] ' ninja -C "$root/build/$preset" "$@" 2>&1 </dev/null | ninja_output "building $preset" >&2 || status=$?
    [ $status -eq 0 ] || {
        echo "dev: error: the build of preset $preset failed" >&2
        return 1
    }
}

# Ninja's lines as people want them: what a compiler says, always; progress from the third second on, with an estimate as soon as there is
# something to go by: on a terminal in one line, elsewhere a line every twenty seconds. With a second argument "progress", that alone.
ninja_output() {
    local line terminal=no started=$EPOCHSECONDS shown=no told=0
    [ ! -t 1 ] || terminal=yes
    while IFS= read -r line; do
        case $line in
        '['*'] '*)
            local seconds=$((EPOCHSECONDS - started)) steps=${line#[}
            steps=${steps%%]*}
            if [ $seconds -lt 2 ]; then
                :
            elif [ $terminal = yes ]; then
                printf '\r\033[Kdev: %s, %s' "$1" "$(steps_text "$steps" $seconds)"
                shown=yes
            elif [ $((seconds - told)) -ge 20 ]; then
                told=$seconds
                printf 'dev: %s, %s\n' "$1" "$(steps_text "$steps" $seconds)"
            fi
            ;;
        'ninja: Entering directory'* | 'ninja: no work to do.' | '-- '*) ;;
        *)
            [ $shown = no ] || printf '\r\033[K'
            shown=no
            [ "${2:-}" = progress ] || printf '%s\n' "$line"
            ;;
        esac
    done
    [ $shown = no ] || printf '\r\033[K'
}

# steps_text DONE/ALL SECONDS: "step 12 of 200", and how long the others will take if they are like those.
steps_text() {
    local finished=${1%/*} all=${1#*/} left
    printf 'step %s of %s' "$finished" "$all"
    if [ "$2" -ge 5 ] && [ "$finished" -ge 5 ]; then
        left=$((($2 * (all - finished) + finished - 1) / finished))
        if [ $left -ge 90 ]; then
            printf ', about %s minutes left' $(((left + 30) / 60))
        else
            printf ', about %s seconds left' $left
        fi
    fi
}

# use_tool PRESET: the tool that this preset has made.
use_tool() {
    tool=$root/build/$1/apps/sel4vm/sel4vm
    [ -x "$tool" ] || die "the build made no $tool"
    export SEL4VM="$tool" SEL4VM_SOURCE="$root" SEL4VM_BUILD="$root/build"
}

# The tool alone: what needs no image runs without anything of the target. Until the preset tools has made it, in the quickest way.
build_tool_alone() {
    ensure_packages "${packages_cli[@]}"
    local preset=cli
    [ ! -x "$root/build/tools/apps/sel4vm/sel4vm" ] || preset=tools
    build_preset $preset sel4vm || exit 1
    use_tool $preset
}

# build_tool [CMAKE TARGET...]: the tool and the target image that it packs, and what else is named of the target; quiet when there is
# nothing to do.
build_tool() {
    ensure_packages "${packages_run[@]}"
    build_preset target vmm vmm_notice "$@" || exit 1
    build_tool_alone
}
