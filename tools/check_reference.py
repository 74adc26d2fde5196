#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks docs/reference: every public header has one heading there, with threads, errors and an example, and no heading
names a header that does not exist. The examples are compiled with the tests, which --examples writes for them.
Prints file:line: message for each violation; exit status 1 when there is one.
  tools/check_reference.py [ROOT]              check a checkout (default: the one this script is in)
  tools/check_reference.py --examples FILE     write all examples as functions of one file, C++ or (with the suffix .c) C
  tools/check_reference.py --self-test         check that violations are found
"""
import pathlib
import re
import sys
import tempfile

# Include folder -> where its headers are. A header of these is public unless it is named below.
PUBLIC = {
    "sel4vm/base": "src/sel4vm/base", "sel4vm/host": "src/sel4vm/host", "sel4vm/vm": "src/sel4vm/vm",
    "sel4vm/arch/aarch64": "src/sel4vm/arch/aarch64", "sel4vm/arch/aarch64/ports": "src/sel4vm/arch/aarch64/ports",
    "sel4vm/dev": "src/sel4vm/dev", "sel4vm/dev/arm": "src/sel4vm/dev/arm", "sel4vm/dev/arm/gic": "src/sel4vm/dev/arm/gic", "sel4vm/boot": "src/sel4vm/boot",
    "sel4vm/machine": "src/sel4vm/machine", "sel4vm/machine/arm": "src/sel4vm/machine/arm", "sel4vm/program": "src/sel4vm/program", "hosts/fake": "src/hosts/fake",
    "bindings": "src/bindings",
    # The C interface.
    "sel4vm": "include/sel4vm", "sel4vm/arch": "include/sel4vm/arch", "sel4vm/sel4_arch": "include/sel4vm/sel4_arch",
    "sel4vmmplatsupport": "include/sel4vmmplatsupport", "sel4vmmplatsupport/arch": "include/sel4vmmplatsupport/arch",
    "sel4vmmplatsupport/plat": "include/sel4vmmplatsupport/plat",
}
# Parts of another header, not for other callers.
PRIVATE = {"sel4vm/boot/elf_image.hpp", "sel4vm/boot/other_files.hpp", "sel4vm/machine/arm/device_nodes.hpp"}
PUBLIC_IN_GIC = {"sel4vm/dev/arm/gic/gic.hpp", "sel4vm/dev/arm/gic/gic_config.hpp", "sel4vm/dev/arm/gic/gic_state.hpp"}
HEADING = re.compile(r"^### `<([^`>]*)>`$")
FENCE = "```"


class Section:
    def __init__(self, where, header):
        self.where = where
        self.header = header
        self.text = []
        self.example = []


def sections(root):
    found = []
    for path in sorted((root / "docs" / "reference").glob("*.md")):
        current, fenced = None, False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            where = f"{path.relative_to(root)}:{number}"
            match = HEADING.match(line)
            if match and not fenced:
                current = Section(where, match.group(1))
                found.append(current)
            elif line.startswith(FENCE):
                fenced = not fenced
            elif current is not None:
                (current.example if fenced else current.text).append(line)
    return found


def headers(root):
    public = dict(PUBLIC)
    for folder in sorted(path for path in (root / "src/sel4vm/dev").glob("*") if path.is_dir()):  # each device's own
        public.setdefault(f"sel4vm/dev/{folder.name}", f"src/sel4vm/dev/{folder.name}")
    for include, folder in public.items():
        for path in sorted((root / folder).glob("*.h*")):
            name = f"{include}/{path.name}"
            part = name.startswith("sel4vm/dev/arm/gic/") and name not in PUBLIC_IN_GIC
            if name not in PRIVATE and not part:
                yield name


def check(root):
    violations, seen = [], {}
    for section in sections(root):
        if section.header in seen:
            violations.append(f"{section.where}: <{section.header}> has a heading already at {seen[section.header]}")
        seen[section.header] = section.where
        text = "\n".join(section.text)
        for part in ("**Threads:**", "**Errors:**"):
            if part not in text:
                violations.append(f"{section.where}: <{section.header}> says nothing under {part}")
        if not section.example:
            violations.append(f"{section.where}: <{section.header}> has no example")
    known = set(headers(root))
    violations += [f"{seen[name]}: there is no public header <{name}>" for name in seen if name not in known]
    violations += [f"docs/reference: <{name}> has no heading" for name in sorted(known) if name not in seen]
    return violations, len(known)


def examples(root, suffix):
    """The examples of the headers of one language. In C, one that begins with a definition stands outside of functions."""
    ours = [section for section in sections(root) if section.header.endswith(suffix)]
    lines = ["/* Made by tools/check_reference.py of docs/reference */", f"#include <support/reference_examples{suffix}>"]
    lines += [f"#include <{name}>" for name in headers(root) if name.endswith(suffix)]
    lines.append("SEL4VM_REFERENCE_BEGIN")
    for number, section in enumerate(ours):
        lines.append(f"/* {section.where}: {section.header} */")
        if suffix == ".h" and section.example[:1] and section.example[0].startswith("static "):
            lines += section.example
            continue
        lines += [f"void example_{number}(SEL4VM_REFERENCE_PARAMETERS);",
                  f"void example_{number}(SEL4VM_REFERENCE_PARAMETERS) {{", *section.example, "}"]
    return "\n".join([*lines, "SEL4VM_REFERENCE_END", ""])


def self_test():
    good = "### `<sel4vm/base/a.hpp>`\nIt is.\n- **Threads:** any.\n- **Errors:** none.\n\n```cpp\nf();\n```\n"
    cases = {
        "good": (good, None),
        "missing": ("", "docs/reference: <sel4vm/base/a.hpp> has no heading"),
        "unknown": (good + good.replace("a.hpp", "b.hpp"), "docs/reference/x.md:9: there is no public header <sel4vm/base/b.hpp>"),
        "twice": (good + good, "docs/reference/x.md:9: <sel4vm/base/a.hpp> has a heading already"),
        "threads": (good.replace("Threads", "Thread"), "docs/reference/x.md:1: <sel4vm/base/a.hpp> says nothing under **Threads:**"),
        "example": (good.replace("f();\n", ""), "docs/reference/x.md:1: <sel4vm/base/a.hpp> has no example"),
    }
    wrong = []
    for name, (text, expected) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "docs" / "reference").mkdir(parents=True)
            (root / "src" / "sel4vm" / "base").mkdir(parents=True)
            (root / "src" / "sel4vm" / "base" / "a.hpp").touch()
            (root / "docs" / "reference" / "x.md").write_text(text, encoding="utf-8")
            found, _ = check(root)
        if expected is None and found:
            wrong.append(f"{name}: found without reason: {found}")
        if expected is not None and not any(violation.startswith(expected) for violation in found):
            wrong.append(f"{name}: not found: {expected}, but {found}")
    return wrong


def main(arguments):
    root = pathlib.Path(__file__).resolve().parent.parent
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if arguments[:1] == ["--self-test"]:
        wrong = self_test()
        print("\n".join(wrong) or "check_reference: the self-test found the prepared mistakes")
        return 1 if wrong else 0
    if arguments[:1] == ["--examples"]:
        out = pathlib.Path(arguments[1])
        out.write_text(examples(root, ".h" if out.suffix == ".c" else ".hpp"), encoding="utf-8")
        return 0
    violations, count = check(pathlib.Path(arguments[0]) if arguments else root)
    for violation in violations:
        print(violation)
    print(f"check_reference: {count} public headers, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
