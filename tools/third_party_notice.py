#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the notice of the third-party software in a program, from what is really in it.

Three sources say what that is:
  - the linker's map: archive members that were pulled in, objects and shared libraries that were loaded
  - the dynamic section: which shared libraries the program needs
  - the debug information: headers with code that was compiled into the program or into archives of ours
Each file is traced to its Debian package (installed, or unpacked by tools/debs), and the package's copyright file is
quoted. Files of this project are left out; a file that belongs to no package is an error, so that nothing is forgotten.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

# Headers of the C library and the kernel declare interfaces; no code of theirs gets into a program by including them.
DECLARATIONS_ONLY = re.compile(r"^(libc6-dev(-.*-cross)?|linux-libc-dev(-.*-cross)?|libcrypt-dev)$")
ORDER = ["linked statically", "compiled in (headers)", "linked dynamically"]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout


def linked_files(map_file):
    """Archives with members in the program, and loaded objects and libraries, from a GNU ld map."""
    archives, loaded, part = set(), set(), "members"
    for line in map_file.read_text(errors="replace").splitlines():
        if line.startswith(("Discarded input sections", "Memory Configuration", "Linker script and memory map")):
            part = line
        if part == "members":
            match = re.match(r"^(/.*\.a)\(.*\)", line)
            if match:
                archives.add(match.group(1))
        elif line.startswith("LOAD /") and not line.endswith(".a"):
            loaded.add(line[len("LOAD "):])
    return archives, loaded


def needed_libraries(readelf, program):
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", run(readelf, "-d", program)))


def soname(readelf, library):
    found = re.search(r"\(SONAME\).*\[(.*)\]", subprocess.run([readelf, "-d", library], capture_output=True, text=True,
                                                                check=False, env={**os.environ, "LC_ALL": "C"}).stdout)
    return found.group(1) if found else None


def header_files(readelf, files):
    """Files that the debug information of programs or archives names, as absolute paths where it says so."""
    found = set()
    for file in files:
        folders, part = {}, None
        for line in run(readelf, "--debug-dump=rawline", file).splitlines():
            if "The Directory Table" in line:
                folders, part = {}, "folders"
            elif "The File Name Table" in line:
                part = "files"
            elif not line.strip() or "Line Number Statements" in line:
                part = None if "Line Number Statements" in line else part
            elif part == "folders":
                match = re.match(r"^\s+(\d+)\s.*\):\s(.*)$", line)
                if match:
                    folders[int(match.group(1))] = match.group(2)
            elif part == "files":
                match = re.match(r"^\s+\d+\s+(?:\(udata\)\s*)?(\d+)\s.*\):\s(.*)$", line)
                if match:
                    found.add(os.path.join(folders.get(int(match.group(1)), ""), match.group(2)))
    return {f for f in found if f.startswith("/")}


class Packages:
    """Which package a file is from: those of this system, and those that tools/debs unpacked."""

    def __init__(self, debs):
        self.debs = debs.resolve()
        self.version, self.unpacked = {}, {}
        for listing in (self.debs / "files").glob("*"):
            name, version, *_ = (self.debs / "files" / listing.name).read_text().split("\n", 1)[0].split()
            for line in listing.read_text().splitlines()[1:]:
                self.unpacked[line.removeprefix(".")] = name
            self.version[name] = version

    def documents(self, package):
        for root in (self.debs / "root", pathlib.Path("/")):
            document = root / "usr/share/doc" / package / "copyright"
            if document.is_file() and (root == pathlib.Path("/") or package in self.unpacked.values()):
                return document
        return None

    def owners(self, files):
        """file -> package, or None when it belongs to none."""
        result, candidates = {}, {}
        root = str(self.debs / "root")
        for file in files:
            if file.startswith(root):
                result[file] = self.unpacked.get(file[len(root):])
                continue
            # Packages may name a file by the path before /usr was merged.
            real = os.path.realpath(file)
            names = {os.path.normpath(file), real} | {n.removeprefix("/usr") for n in (os.path.normpath(file), real)}
            for name in names:
                candidates[name] = file
        if candidates:
            listing = subprocess.run(["dpkg-query", "-S", *candidates], capture_output=True, text=True, check=False,
                                     env={**os.environ, "LC_ALL": "C"}).stdout
            for line in listing.splitlines():
                packages, _, path = line.partition(": ")
                if path in candidates and not packages.startswith("diversion"):
                    result[candidates[path]] = packages.split(",")[0].split(":")[0].strip()
        return {file: result.get(file) for file in files}

    def version_of(self, package):
        if package not in self.version:
            self.version[package] = run("dpkg-query", "-W", "-f", "${Version}\n", package).split("\n")[0]
        return self.version[package]


def write_notice(title, uses, packages, output):
    lines = [f"Third-party software in {title}", "", "Made from the files that were linked and compiled in. Packages, as in Debian:", ""]
    ordered = sorted(uses, key=lambda p: (min(ORDER.index(u) for u in uses[p]), p))
    for package in ordered:
        how = ", ".join(sorted(uses[package], key=ORDER.index))
        lines.append(f"  {package} {packages.version_of(package)}: {how}")
    lines += ["", "Licence texts that are named by a path below /usr/share/common-licenses are part of every Debian system."]
    for package in ordered:
        document = packages.documents(package)
        if document is None:
            sys.exit(f"third_party_notice: package {package} has no copyright file")
        lines += ["", "=" * 100, f"{package} {packages.version_of(package)}", "=" * 100, "",
                  document.read_text(encoding="utf-8", errors="replace").rstrip()]
    temporary = output.with_name(output.name + ".new")
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    temporary.replace(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--title", required=True, help="what the notice is about")
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("--map", required=True, type=pathlib.Path, help="the linker's map of PROGRAM")
    parser.add_argument("--source", required=True, help="the checkout: files below it are ours")
    parser.add_argument("--debs", required=True, type=pathlib.Path, help="state of tools/debs")
    parser.add_argument("--readelf", default="readelf")
    parser.add_argument("program")
    parser.add_argument("archives", nargs="*", help="archives of ours that are installed beside the program")
    options = parser.parse_args()

    archives, loaded = linked_files(options.map)
    needed = needed_libraries(options.readelf, options.program)
    shared = {os.path.realpath(f) for f in loaded if ".so" in os.path.basename(f)}
    static = archives | {f for f in loaded if ".so" not in os.path.basename(f)}
    # A map also lists libraries of which nothing was needed, and linker scripts that stand for libraries.
    shared = {f for f in shared if soname(options.readelf, f) in needed}
    headers = header_files(options.readelf, [options.program, *options.archives])

    source, debs = os.path.realpath(options.source), str(options.debs.resolve())
    # Objects of the compiler's temporary folder are made for one link.
    ours = lambda f: (os.path.realpath(f).startswith(source + "/") and not os.path.realpath(f).startswith(debs + "/")) \
        or f.startswith("/tmp/")
    uses, unknown = {}, []
    packages = Packages(options.debs)
    for how, files in (("linked statically", static), ("linked dynamically", shared), ("compiled in (headers)", headers)):
        for file, package in packages.owners({f for f in files if not ours(f)}).items():
            if package is None:
                # Prebuilt archives carry the paths of the machine they were built on.
                if how != "compiled in (headers)" or os.path.exists(file):
                    unknown.append(file)
            elif how == "linked statically" or not DECLARATIONS_ONLY.match(package):
                uses.setdefault(package, set()).add(how)
    if unknown:
        sys.exit("third_party_notice: these linked files belong to no Debian package:\n  " + "\n  ".join(sorted(unknown)))
    write_notice(options.title, uses, packages, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
