#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Which apt sources tools/debs takes from a PC: those of its Debian release, in both notations, without their limits to
# other architectures, and nobody else's. No network is used.
set -euo pipefail
work=$(mktemp -d "${TMPDIR:-/tmp}/sel4vm debs XXXXXX")
trap 'rm -rf "$work"' EXIT
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
mkdir -p "$work/apt/sources.list.d"

expect() {
    local name=$1 wanted=$2 got
    got=$(SEL4VM_DEBS="$work/debs" SEL4VM_ETC_APT="$work/apt" "$SEL4VM_SOURCE/tools/debs" sources | sed '/^$/d; s/[ \t]*$//')
    if [ "$got" != "$wanted" ]; then
        printf 'debs test: %s\n--- expected\n%s\n--- got\n%s\n' "$name" "$wanted" "$got" >&2
        exit 1
    fi
}

cat >"$work/apt/sources.list" <<LIST
# deb http://commented.example/debian $codename main
deb cdrom:[Debian GNU/Linux 12]/ $codename main
deb http://mirror.example/debian $codename main contrib non-free-firmware # a comment
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://mirror.example/debian $codename-updates main
deb [ arch=amd64,i386 ] http://security.example/debian-security $codename-security main
deb-src http://mirror.example/debian $codename main
deb http://vendor.example/apt $codename stable
deb http://vendor.example/apt vendor-$codename main
LIST
expect "one-line sources" "deb http://mirror.example/debian $codename main
deb [signed-by=/usr/share/keyrings/x.gpg] http://mirror.example/debian $codename-updates main
deb http://security.example/debian-security $codename-security main"

rm "$work/apt/sources.list"
cat >"$work/apt/sources.list.d/debian.sources" <<SOURCES
Types: deb deb-src
# a comment
URIs: http://mirror.example/debian
Suites: $codename $codename-updates $codename-backports
Components: main contrib
Architectures: amd64 i386
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://vendor.example/apt
Suites: nodistro
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: $codename
Components: main

Types: deb-src
URIs: http://source.example/debian
Suites: $codename
Components: main
SOURCES
expect "deb822 sources" "Types: deb
Suites: $codename $codename-updates
Components: main
URIs: http://mirror.example/debian
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----"

rm "$work/apt/sources.list.d/debian.sources"
expect "no source at all" "debs: this PC has no apt source for $codename; using deb.debian.org
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $codename main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security $codename-security main"

# What takes long says how far it is. A stand-in for apt-get tells its progress as apt does, and takes its time before the last of it.
mkdir -p "$work/bin"
cat >"$work/bin/apt-get" <<'APT'
#!/bin/bash
for word in "$@"; do
    case $word in
    update) : >"$SEL4VM_DEBS/apt/lists/x_Packages" ;;
    download) doing=download ;;
    esac
done
[ "${doing:-}" = download ] || exit 0
printf 'dlstatus:1:11.5:Retrieving file 1 of 1\n' >&3
sleep 3
printf 'dlstatus:1:62.25:Retrieving file 1 of 1\nand other words\n' >&3
exit 7
APT
printf '#!/bin/bash\necho "  Candidate: 1.0"\n' >"$work/bin/apt-cache"
chmod +x "$work"/bin/apt-*
status=0
PATH=$work/bin:$PATH SEL4VM_DEBS="$work/fetched" SEL4VM_ETC_APT="$work/apt" "$SEL4VM_SOURCE/tools/debs" fetch >"$work/out" 2>"$work/err" || status=$?
[ $status -eq 1 ] || { echo "debs test: a download that fails ends with $status" >&2; exit 1; }
for wanted in "debs: downloading busybox-static 1.0 (arm64)" "debs: downloading busybox-static, 62%"; do
    grep -qxF "$wanted" "$work/out" || { printf 'debs test: it does not say "%s", but:\n%s\n' "$wanted" "$(cat "$work/out" "$work/err")" >&2; exit 1; }
done
if grep -q "11%" "$work/out"; then echo "debs test: what is quick needs no progress" >&2; exit 1; fi
echo "debs test: passed"
