#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks what every source file must have and must not have.

Must have: the licence line, `#pragma once` in headers, and at most 450 lines.
Must not have: marks of unfinished work, absolute paths of somebody's PC.
Prints file:line: message; exit status 1 when there is one.
  tools/check_sources.py [ROOT]       check a checkout (default: the one this script is in)
  tools/check_sources.py --self-test  check that violations are found
"""
import pathlib
import re
import subprocess
import sys
import tempfile

LICENCE = "SPDX-License-Identifier: BSD-2-Clause"
CODE = {".hpp", ".cpp", ".h", ".c", ".S", ".py", ".sh", ".cmake", ".ld", ".lds"}
MAX_LINES = 450

# Written in two parts, so that this file passes its own check.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|not (yet )?implem" r"ented|unimplem" r"ented", re.IGNORECASE)
PERSONAL_PATH = re.compile(r"(?:^|[\s\"'(=`])/(?:ho" r"me/(?!somebody/)|wo" r"rk/|ro" r"ot/)")


def tracked_files(root):
    """What git knows or would add; every file when this is no checkout (a release archive)."""
    listing = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, check=False)
    if listing.returncode == 0:
        names = [n for n in listing.stdout.decode().split("\0") if n]
    else:
        names = [p.relative_to(root).as_posix() for p in root.rglob("*") if "build" not in p.relative_to(root).parts]
    return sorted(n for n in set(names) if (root / n).is_file())


def check(root):
    violations, count = [], 0
    for name in tracked_files(root):
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # seeds of fuzz targets and the like
        count += 1
        lines = text.splitlines()
        suffix = pathlib.PurePath(name).suffix
        script = bool(lines) and lines[0].startswith("#!")
        is_code = suffix in CODE or script or name.endswith("CMakeLists.txt")
        if is_code and not any(LICENCE in l for l in lines[:2]):
            violations.append(f"{name}:1: the first line (the second after #!) must be: {LICENCE}")
        if suffix == ".hpp" and "#pragma once" not in lines:
            violations.append(f"{name}:1: a header without #pragma once")
        if is_code and len(lines) > MAX_LINES:
            violations.append(f"{name}:{MAX_LINES}: {len(lines)} lines; split it into files of one idea each")
        for number, line in enumerate(lines, 1):
            found = UNFINISHED.search(line)
            if found:
                violations.append(f"{name}:{number}: '{found.group(0)}': build it, or open an issue")
            if PERSONAL_PATH.search(line):
                violations.append(f"{name}:{number}: an absolute path of somebody's PC")
    return violations, count


def self_test():
    head = f"// {LICENCE}\n"
    cases = {
        "good.hpp": (head + "#pragma once\n", None),
        "licence.cpp": ("int x;\n", "licence.cpp:1: the first line"),
        "once.hpp": (head, "once.hpp:1: a header without"),
        "long.cpp": (head + "\n" * MAX_LINES, f"long.cpp:{MAX_LINES}: {MAX_LINES + 1} lines"),
        "long": ("#!/bin/sh\n# " + LICENCE + "\n" * MAX_LINES, f"long:{MAX_LINES}: {MAX_LINES + 1} lines"),
        "just.cpp": (head + "\n" * (MAX_LINES - 1), None),
        "mark.md": ("fine\n// to" "do: later\n", "mark.md:2:"),
        "words.md": ("this is not impl" "emented\n", "words.md:1:"),
        "path.txt": ("see `/ho" "me/someone/x`\n", "path.txt:1: an absolute path"),
        "somebody.txt": ("see `/ho" "me/somebody/x`\n", None),
        "url.txt": ("see https://example.org/ho" "me/x\n", None),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, (text, _) in cases.items():
            (pathlib.Path(folder) / name).write_text(text, encoding="utf-8")
        violations, _ = check(pathlib.Path(folder))
    wrong = [f"not found: {m}" for _, m in cases.values() if m and not any(v.startswith(m) for v in violations)]
    wrong += [f"found without reason: {v}" for v in violations
              if not any(m and v.startswith(m) for _, m in cases.values())]
    return wrong


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if arguments[:1] == ["--self-test"]:
        wrong = self_test()
        print("\n".join(wrong) or "check_sources: the self-test found the prepared files as expected")
        return 1 if wrong else 0
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parent.parent
    violations, count = check(root)
    for violation in violations:
        print(violation)
    print(f"check_sources: {count} files, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
