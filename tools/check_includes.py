#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks that every #include obeys the layers, and target code the list of allowed standard headers.

The rules are the tables below. Also found: header cycles, conditionals on the architecture outside the hosts, and sources of the library
that do not include the header of their own name first, which shows that the header compiles on its own.
Prints file:line: message for each violation; exit status 1 when there is one.
  tools/check_includes.py [ROOT]       check a checkout (default: the one this script is in)
  tools/check_includes.py --self-test  check that violations are found
"""
import pathlib
import re
import sys
import tempfile

# Layer -> (its folder, layers it may include besides itself). The longest matching folder decides.
LAYERS = {
    "base": ("src/sel4vm/base/", []),
    "host": ("src/sel4vm/host/", ["base"]),
    "arch": ("src/sel4vm/arch/aarch64/", ["host", "base"]),  # its decoders produce the exits of host/exit.hpp
    "arch ports": ("src/sel4vm/arch/aarch64/ports/", ["arch", "host", "base"]),
    "vm": ("src/sel4vm/vm/", ["host", "base"]),
    "boot": ("src/sel4vm/boot/", ["base"]),
    # A device says what its node in a device tree holds, with boot/fdt_writer.hpp.
    "dev": ("src/sel4vm/dev/", ["boot", "vm", "host", "base"]),
    # Drivers of the machine's devices, for what guests' devices need behind them.
    "drivers": ("src/sel4vm/drivers/", ["vm", "host", "base"]),
    # Descriptions name facts of an architecture, such as the version of its interrupt controller.
    "machine": ("src/sel4vm/machine/", ["dev", "boot", "vm", "host", "arch", "base"]),
    # What one architecture's machines have beside the neutral parts.
    "dev arm": ("src/sel4vm/dev/arm/", ["dev", "vm", "host", "arch", "arch ports", "base"]),
    "machine arm": ("src/sel4vm/machine/arm/", ["machine", "dev arm", "dev", "boot", "vm", "host", "arch", "arch ports", "base"]),
    "fake host": ("src/hosts/fake/", ["host", "arch", "arch ports", "base"]),
    "kvm host": ("src/hosts/kvm/", ["host", "arch", "arch ports", "base"]),
    "el2 host": ("src/hosts/el2/", ["host", "arch", "arch ports", "base"]),
    "sel4 host": ("src/hosts/sel4/", ["host", "arch", "arch ports", "base"]),
    # C++ programs: over the ports of a host, whichever it is. What is linked with them defines the functions of linked_host.hpp.
    "program": ("src/sel4vm/program/", ["linked host", "machine arm", "machine", "dev arm", "dev", "boot", "vm", "host", "arch", "arch ports", "base"]),
    "linked host": ("src/sel4vm/program/linked_host.hpp", ["host", "arch", "arch ports", "base"]),
    # The C interface: its headers, what implements them, and what that needs from a host.
    "seL4 names": ("include/sel4_names/", []),
    "C interface": ("include/sel4vm/", ["seL4 names"]),
    "platform support headers": ("include/sel4vmmplatsupport/", ["C interface", "seL4 names"]),
    "binding": ("src/sel4vm/capi/binding", ["C interface", "host", "arch", "arch ports", "base"]),
    "capi": ("src/sel4vm/capi/", ["C interface", "seL4 names", "binding", "machine arm", "machine", "dev arm", "dev", "boot", "vm", "host", "arch",
                                  "arch ports", "base"]),
    "platform support": ("src/sel4vmmplatsupport/", ["platform hooks", "platform support headers", "C interface",
                                                     "seL4 names", "capi", "machine arm", "machine", "dev", "boot", "host", "arch", "base"]),
    "platform hooks": ("src/sel4vmmplatsupport/host_hooks.hpp", ["C interface", "seL4 names", "host", "base"]),
    # What joins a host with programs, with the C interface and with the platform support library.
    "bindings": ("src/bindings/", ["C interface", "seL4 names", "host", "arch", "arch ports", "base"]),
    "process bindings": ("src/bindings/process/", ["bindings", "binding", "C interface", "seL4 names", "host", "base"]),
    "fake bindings": ("src/bindings/fake/", ["fake host", "process bindings", "bindings", "linked host", "binding", "platform hooks", "C interface",
                                             "seL4 names", "host", "arch", "arch ports", "base"]),
    "kvm bindings": ("src/bindings/kvm/", ["kvm host", "process bindings", "bindings", "linked host", "binding", "C interface", "seL4 names", "host", "arch",
                                           "arch ports", "base"]),
    "kvm program": ("apps/kvm/", ["program", "machine arm", "machine", "vm", "host", "arch", "base"]),
    # A program's files come from the bundle, whose format is boot's and the machine's.
    "el2 bindings": ("src/bindings/el2/", ["el2 host", "bindings", "linked host", "binding", "platform hooks", "C interface", "seL4 names",
                                           "machine", "boot", "vm", "host", "arch", "arch ports", "base"]),
    "sel4 bindings": ("src/bindings/sel4/", ["sel4 host", "bindings", "linked host", "binding", "platform hooks", "C interface",
                                             "host", "arch", "arch ports", "base"]),
    "vmm": ("apps/vmm/", ["machine arm", "machine", "dev arm", "dev", "drivers", "boot", "vm", "host", "arch", "arch ports", "base", "el2 host"]),
    "tool": ("apps/sel4vm/", ["machine arm", "machine", "dev arm", "dev", "boot", "vm", "host", "arch", "arch ports", "base"]),
}
# Code that may run on a target: freestanding, so only headers that need no operating system.
# (Not <iterator>: it brings streams and locales, which seL4's C library has not.)
TARGET_LAYERS = {"base", "host", "arch", "arch ports", "vm", "dev", "drivers", "dev arm", "boot", "machine", "machine arm", "el2 host", "vmm", "seL4 names",
                 "C interface", "platform support headers", "binding", "capi", "program", "linked host", "platform support", "platform hooks",
                 "bindings", "el2 bindings"}
TARGET_STD = set(
    "algorithm array atomic bit compare concepts cstddef cstdint cstring initializer_list limits memory new "
    "optional span string_view tuple type_traits utility".split())
# Headers that C callers include, too.
C_LAYERS = {"seL4 names", "C interface", "platform support headers"}
C_STD = set("stdbool.h stddef.h stdint.h".split())
# Other libraries, and where target code may include them.
TARGET_LIBRARIES = {
    "tl/expected.hpp": ["src/sel4vm/base/result.hpp"],
    "cstdarg": ["src/hosts/el2/portable/c_format", "src/bindings/el2/libc/"],
    "cstdio": ["src/bindings/el2/libc/"],
    "cstdlib": ["src/sel4vmmplatsupport/"],
    "libfdt.h": ["src/sel4vm/boot/", "src/sel4vm/machine/", "src/hosts/el2/", "src/sel4vmmplatsupport/"],
}
# Architecture conditionals belong into hosts and CMake.
ARCH_CONDITIONAL = re.compile(r"^\s*#\s*(?:if|elif|ifdef|ifndef)\b.*\b(__aarch64__|__x86_64__|__arm__|__ARM_\w+)")
ARCH_CONDITIONAL_ALLOWED = (
    "src/hosts/",
    "apps/vmm/",
    "src/sel4vm/base/mutex.hpp",  # the processor's hint inside a spin loop, which has no portable spelling
)

INCLUDE = re.compile(r'^\s*#\s*include(?:_next)?\s*(?:<([^>]*)>|"([^"]*)"|(\S+))')
SUFFIXES = {".hpp", ".cpp", ".h", ".c", ".S"}


def layer_of(path):
    best = None
    for name, (folder, _) in LAYERS.items():
        if path.startswith(folder) and (best is None or len(folder) > len(LAYERS[best][0])):
            best = name
    return best


OWN_PREFIXES = ("sel4vm/", "sel4vmmplatsupport/", "hosts/", "bindings/", "apps/")


def repository_path(header, root):
    """The path of a header of ours, from the include roots, or None when it is not ours."""
    for candidate in ("src/" + header, header, "include/" + header):
        if header.startswith(OWN_PREFIXES) and (root / candidate).is_file():
            return candidate
    # Headers with seL4's names are ours, too, on every host but seL4.
    if (root / LAYERS["seL4 names"][0] / header).is_file():
        return LAYERS["seL4 names"][0] + header
    return None


def check_line(path, layer, header, quoted, root):
    if quoted:
        return f'"{header}": include it by its path from the root, as <sel4vm/vm/vm.hpp> or <hosts/el2/host.hpp>'
    ours = repository_path(header, root)
    if ours is not None:
        other = layer_of(ours)
        if layer in ("sel4 host", "sel4 bindings") and other == "seL4 names":
            return None  # the real ones there
        if other is not None and other != layer and other not in LAYERS[layer][1]:
            return f"<{header}>: layer '{layer}' may not include layer '{other}'"
        return None
    if header.startswith(OWN_PREFIXES):
        return f"<{header}>: there is no such file"
    if layer not in TARGET_LAYERS or header in (C_STD if layer in C_LAYERS else TARGET_STD):
        return None
    places = TARGET_LIBRARIES.get(header)
    if places is None:
        return f"<{header}>: not among the headers that target code may include"
    if not any(path.startswith(place) for place in places):
        return f"<{header}>: allowed only in {', '.join(places)}"
    return None


def find_cycle(graph):
    """One cycle of the include graph as a list of paths, or None."""
    state, stack = {}, []

    def visit(node):
        state[node] = "open"
        stack.append(node)
        for _, following in graph.get(node, []):
            if state.get(following) == "open":
                return stack[stack.index(following):] + [following]
            if following not in state:
                found = visit(following)
                if found:
                    return found
        stack.pop()
        state[node] = "done"
        return None

    for start in sorted(graph):
        if start not in state:
            found = visit(start)
            if found:
                return found
    return None


def check(root):
    violations, graph = [], {}
    files = sorted(p for folder in ("src", "apps", "include") for p in (root / folder).rglob("*") if p.suffix in SUFFIXES)
    for file in files:
        path = file.relative_to(root).as_posix()
        layer = layer_of(path)
        if layer is None:
            violations.append(f"{path}:1: this folder belongs to no layer (see LAYERS in tools/check_includes.py)")
            continue
        own = next((file.with_suffix(suffix) for suffix in (".hpp", ".h") if file.with_suffix(suffix).is_file()), None)
        first = path.startswith("src/") and file.suffix == ".cpp" and own is not None
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if ARCH_CONDITIONAL.match(line) and not path.startswith(ARCH_CONDITIONAL_ALLOWED):
                violations.append(f"{path}:{number}: a conditional on the architecture belongs into a host or CMake")
            match = INCLUDE.match(line)
            if not match:
                continue
            if match.group(3):
                violations.append(f"{path}:{number}: {match.group(3)}: computed includes cannot be checked")
                continue
            header = match.group(1) or match.group(2)
            message = check_line(path, layer, header, match.group(2) is not None, root)
            if message:
                violations.append(f"{path}:{number}: {message}")
            ours = repository_path(header, root)
            if first and ours != own.relative_to(root).as_posix():
                violations.append(f"{path}:{number}: {own.name} comes first, in a block of its own: that shows that it needs no other header")
            first = False
            if ours:
                graph.setdefault(path, []).append((number, ours))
        if first:
            violations.append(f"{path}:1: includes nothing, not even {own.name}")
    cycle = find_cycle(graph)
    if cycle:
        violations.append(f"{cycle[0]}:1: header cycle: {' -> '.join(cycle)}")
    return violations, len(files)


SELF_TEST = {
    # path: (content, [expected messages as parts of the output, with line numbers])
    "src/sel4vm/base/types.hpp": ("#pragma once\n#include <cstdint>\n#include <string>\n", [
        "src/sel4vm/base/types.hpp:3: <string>: not among the headers"]),
    "src/sel4vm/base/text.hpp": ("#include <sel4vm/vm/vm.hpp>\n", [
        "src/sel4vm/base/text.hpp:1: <sel4vm/vm/vm.hpp>: layer 'base' may not include layer 'vm'"]),
    "src/sel4vm/base/more.hpp": ("#include <tl/expected.hpp>\n", ["src/sel4vm/base/more.hpp:1: <tl/expected.hpp>: allowed only"]),
    "src/sel4vm/base/result.hpp": ("#include <tl/expected.hpp>\n", []),
    "src/sel4vm/vm/vm.hpp": ('#include <sel4vm/base/types.hpp>\n  #  include "vcpu.hpp"\n', [
        'src/sel4vm/vm/vm.hpp:2: "vcpu.hpp": include it by its path']),
    "src/sel4vm/vm/a.hpp": ("#include <sel4vm/vm/b.hpp>\n", ["header cycle: src/sel4vm/vm/a.hpp -> src/sel4vm/vm/b.hpp"]),
    "src/sel4vm/vm/b.hpp": ("#include <sel4vm/vm/a.hpp>\n", []),
    "src/sel4vm/vm/c.cpp": ("#include <sel4vm/vm/gone.hpp>\n#ifdef __aarch64__\n#endif\n", [
        "src/sel4vm/vm/c.cpp:1: <sel4vm/vm/gone.hpp>: there is no such file",
        "src/sel4vm/vm/c.cpp:2: a conditional on the architecture"]),
    "src/sel4vm/vm/b.cpp": ("#include <sel4vm/vm/vm.hpp>\n#include <sel4vm/vm/b.hpp>\n", ["src/sel4vm/vm/b.cpp:1: b.hpp comes first"]),
    "src/sel4vm/vm/vm.cpp": ("", ["src/sel4vm/vm/vm.cpp:1: includes nothing, not even vm.hpp"]),
    "src/sel4vm/vm/a.cpp": ("// Its own.\n#include <sel4vm/vm/a.hpp>\n\n#include <array>\n", []),
    "src/hosts/el2/x.cpp": ("#include <sel4vm/vm/vm.hpp>\n#include <libfdt.h>\n#ifdef __aarch64__\n#endif\n", [
        "src/hosts/el2/x.cpp:1: <sel4vm/vm/vm.hpp>: layer 'el2 host' may not include layer 'vm'"]),
    "src/sel4vm/dev/uart.hpp": ("#include <sel4vm/dev/arm/timer.hpp>\n#include <sel4vm/arch/aarch64/ports/p.hpp>\n", [
        "src/sel4vm/dev/uart.hpp:1: <sel4vm/dev/arm/timer.hpp>: layer 'dev' may not include layer 'dev arm'",
        "src/sel4vm/dev/uart.hpp:2: <sel4vm/arch/aarch64/ports/p.hpp>: layer 'dev' may not include layer 'arch ports'"]),
    "src/sel4vm/dev/arm/timer.hpp": ("#include <sel4vm/arch/aarch64/ports/p.hpp>\n", []),
    "src/hosts/fake/x.cpp": ("#include <string>\n#include <sel4vm/arch/aarch64/ports/p.hpp>\n", []),
    "src/sel4vm/arch/aarch64/ports/p.hpp": ("#include <sel4vm/host/h.hpp>\n", []),
    "src/sel4vm/host/h.hpp": ("#include <sel4vm/base/types.hpp>\n", []),
    "src/sel4vm/arch/aarch64/esr.hpp": ("#include <sel4vm/host/h.hpp>\n#include <sel4vm/arch/aarch64/ports/p.hpp>\n", [
        "src/sel4vm/arch/aarch64/esr.hpp:2: <sel4vm/arch/aarch64/ports/p.hpp>: layer 'arch' may not include layer 'arch ports'"]),
    "apps/sel4vm/main.cpp": ("#include <string>\n#include <sel4vm/vm/vm.hpp>\n#include <hosts/el2/x.cpp>\n", [
        "apps/sel4vm/main.cpp:3: <hosts/el2/x.cpp>: layer 'tool' may not include layer 'el2 host'"]),
    "include/sel4vm/a.h": ("#include <cstdint>\n#include <stdint.h>\n#include <vka/vka.h>\n", [
        "include/sel4vm/a.h:1: <cstdint>: not among the headers"]),
    "include/sel4_names/vka/vka.h": ("#include <stdint.h>\n", []),
    "include/sel4_names/sel4/sel4.h": ("#include <sel4vm/a.h>\n", [
        "include/sel4_names/sel4/sel4.h:1: <sel4vm/a.h>: layer 'seL4 names' may not include layer 'C interface'"]),
    "src/sel4vm/capi/binding.hpp": ("#include <sel4vm/vm/vm.hpp>\n#include <sel4vm/a.h>\n", [
        "src/sel4vm/capi/binding.hpp:1: <sel4vm/vm/vm.hpp>: layer 'binding' may not include layer 'vm'"]),
    "src/bindings/fake/x.cpp": ("#include <sel4vm/capi/binding.hpp>\n#include <sel4vm/capi/x.hpp>\n", [
        "src/bindings/fake/x.cpp:2: <sel4vm/capi/x.hpp>: layer 'fake bindings' may not include layer 'capi'"]),
    "src/sel4vm/capi/x.hpp": ("#include <sel4vm/capi/binding.hpp>\n#include <sel4/sel4.h>\n", []),
    "src/sel4vm/program/linked_host.hpp": ("#include <sel4vm/arch/aarch64/ports/p.hpp>\n#include <sel4vm/program/x.hpp>\n", [
        "src/sel4vm/program/linked_host.hpp:2: <sel4vm/program/x.hpp>: layer 'linked host' may not include layer 'program'"]),
    "src/sel4vm/program/x.hpp": ("#include <sel4vm/vm/vm.hpp>\n#include <sel4vm/capi/binding.hpp>\n#include <sel4vm/a.h>\n#include <vka/vka.h>\n", [
        "src/sel4vm/program/x.hpp:2: <sel4vm/capi/binding.hpp>: layer 'program' may not include layer 'binding'",
        "src/sel4vm/program/x.hpp:3: <sel4vm/a.h>: layer 'program' may not include layer 'C interface'",
        "src/sel4vm/program/x.hpp:4: <vka/vka.h>: layer 'program' may not include layer 'seL4 names'"]),
    # A host knows its ports and nothing above them; only seL4's knows headers of seL4's names, which are the real ones.
    "src/hosts/fake/y.cpp": ("#include <sel4vm/capi/binding.hpp>\n#include <sel4vm/a.h>\n#include <vka/vka.h>\n#include <bindings/fake/z.hpp>\n", [
        "src/hosts/fake/y.cpp:1: <sel4vm/capi/binding.hpp>: layer 'fake host' may not include layer 'binding'",
        "src/hosts/fake/y.cpp:2: <sel4vm/a.h>: layer 'fake host' may not include layer 'C interface'",
        "src/hosts/fake/y.cpp:3: <vka/vka.h>: layer 'fake host' may not include layer 'seL4 names'",
        "src/hosts/fake/y.cpp:4: <bindings/fake/z.hpp>: layer 'fake host' may not include layer 'fake bindings'"]),
    "src/hosts/sel4/y.cpp": ("#include <vka/vka.h>\n#include <sel4vm/a.h>\n#include <sel4vm/program/linked_host.hpp>\n", [
        "src/hosts/sel4/y.cpp:2: <sel4vm/a.h>: layer 'sel4 host' may not include layer 'C interface'",
        "src/hosts/sel4/y.cpp:3: <sel4vm/program/linked_host.hpp>: layer 'sel4 host' may not include layer 'linked host'"]),
    "src/bindings/fake/z.hpp": ("#include <sel4vm/program/linked_host.hpp>\n#include <sel4vm/program/x.hpp>\n#include <hosts/el2/x.cpp>\n", [
        "src/bindings/fake/z.hpp:2: <sel4vm/program/x.hpp>: layer 'fake bindings' may not include layer 'program'",
        "src/bindings/fake/z.hpp:3: <hosts/el2/x.cpp>: layer 'fake bindings' may not include layer 'el2 host'"]),
    "src/other/x.cpp": ("", ["src/other/x.cpp:1: this folder belongs to no layer"]),
}


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, (content, _) in SELF_TEST.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content, encoding="utf-8")
        violations, _ = check(root)
    expected = [message for _, messages in SELF_TEST.values() for message in messages]
    wrong = [f"not found: {m}" for m in expected if not any(m in v for v in violations)]
    wrong += [f"found without reason: {v}" for v in violations if not any(m in v for m in expected)]
    return wrong


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if arguments[:1] == ["--self-test"]:
        wrong = self_test()
        print("\n".join(wrong) or f"check_includes: the self-test found all {len(SELF_TEST)} prepared files as expected")
        return 1 if wrong else 0
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parent.parent
    violations, count = check(root)
    for violation in violations:
        print(violation)
    print(f"check_includes: {count} files, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
