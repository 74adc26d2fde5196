#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check.py FILE COMPILER [FLAG...]: FILE must compile as it is, and must not with SEL4VM_MUST_FAIL defined.

The refusal must be the expected one: a line of the compiler's errors has to match the regular expression after
'// EXPECT:' in FILE, so that a misspelt test does not count as a refusal.
"""
import re
import subprocess
import sys


def compile_file(command, file, *definitions):
    run = subprocess.run([*command, *definitions, "-fsyntax-only", file], capture_output=True, text=True, check=False)
    return run.returncode == 0, run.stderr


def main(file, *command):
    with open(file, encoding="utf-8") as source:
        expected = re.search(r"^// EXPECT: (.*)$", source.read(), re.MULTILINE)
    if not expected:
        return f"{file}: no line '// EXPECT: regular expression'"
    built, errors = compile_file(command, file)
    if not built:
        return f"{errors}\n{file}: the correct twin does not compile"
    built, errors = compile_file(command, file, "-DSEL4VM_MUST_FAIL")
    if built:
        return f"{file}: it compiles with SEL4VM_MUST_FAIL, but must not"
    if not re.search(expected.group(1), errors):
        return f"{errors}\n{file}: refused, but for another reason than /{expected.group(1)}/"
    return None


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
