#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the documents show is right: C and C++ compile without a warning, system files are good ones, commands of a shell are words of one, and
every `./dev` and `sel4vm` in them has commands and options that there are. (docs/reference is compiled with the tests in a process.)"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ["SEL4VM_SOURCE"])
TOOL = os.environ["SEL4VM"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-Wno-unused-parameter"]
INCLUDES = [f"-I{ROOT / folder}" for folder in ("src", "include", "include/sel4_names")]

# What a reader has to think of around the blocks of a document: before and after them.
CONTEXT = {
    ("README.md", "cpp"): ("#include <sel4vm/program/host.hpp>\nusing namespace sel4vm;\nint main() {\n", "return 0;\n}\n"),
    ("README.md", "c"): ("#include <sel4vm/boot.h>\n#include <sel4vm/guest_memory.h>\n#include <sel4vm/guest_ram.h>\n#include <sel4vm/host.h>\n"
                         "memory_fault_result_t my_device(vm_t *, vm_vcpu_t *, uintptr_t, size_t, void *);\n"
                         "void run(vm_host_t host, vm_t vm);\nvoid run(vm_host_t host, vm_t vm) {\n", "}\n"),
    ("docs/adding-a-device.md", "cpp"): ("", "#include <sel4vm/vm/vm.hpp>\nusing namespace sel4vm;\nusing example::Dice;\nbool add_dice(Vm &, Dice &);\n"),
    ("docs/gic.md", "cpp"): ("#include <sel4vm/dev/arm/gic/gic.hpp>\n#include <sel4vm/vm/vm.hpp>\nusing namespace sel4vm;\n", ""),
    ("docs/shared-memory.md", "cpp"): ("#include <sel4vm/program/host.hpp>\nusing namespace sel4vm;\nvoid share(program::Host &);\nvoid share(program::Host &host) {\n", "}\n"),
    ("docs/networks.md", "cpp"): ("#include <sel4vm/machine/arm/virt_devices.hpp>\n#include <sel4vm/machine/description.hpp>\nusing namespace sel4vm;\nvoid connect();\nvoid connect() {\n", 'static_cast<void>(card("lan"));\n}\n'),
    ("docs/c-interface.md", "c"): ("", ""),
}

mistakes = []


def wrong(where, text):
    mistakes.append(f"{where}: {text}")


def blocks(path):
    """(line, language, text) of each fenced block; (line, "", text) of each indented line of others."""
    language, start, text = None, 0, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            if language is None:
                language, start, text = line[3:], number, []
            else:
                yield start, language, "\n".join(text) + "\n"
                language = None
        elif language is not None:
            text.append(line)
        elif line.startswith("    ") and line.strip():
            yield number, "", line.strip()


def compile_blocks(name, language, texts):
    if (name, language) not in CONTEXT:
        wrong(name, f"{language} blocks, and {pathlib.Path(__file__).name} does not say what is around them")
        return
    before, after = CONTEXT[name, language]
    middle = texts if name != "docs/adding-a-device.md" else [texts[0], after, *texts[1:]]
    after = after if middle is texts else ""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / f"block.{language}"
        source.write_text(before + "".join(text.replace("#pragma once\n", "") for text in middle) + after, encoding="utf-8")
        compiler = ["gcc", "-std=c99"] if language == "c" else ["g++", "-std=c++20"]
        done = subprocess.run([*compiler, *WARNINGS, *INCLUDES, "-fsyntax-only", str(source)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            wrong(name, f"its {language} blocks do not compile:\n{done.stderr}")


def check_systems(name, texts):
    with tempfile.TemporaryDirectory() as folder:
        system = pathlib.Path(folder) / "system.toml"
        text = "\n".join(texts)
        for image in re.findall(r'(?:^kernel|^initrd|{ path) = "([^"/]+)"', text, re.MULTILINE):
            (pathlib.Path(folder) / image).write_bytes(bytes(4096))
        system.write_text(text, encoding="utf-8")
        done = subprocess.run([TOOL, "check", str(system)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            wrong(name, f"its toml blocks are no good system file: {done.stderr}")


def help_of(command):
    if command not in help_of.known:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, env={**os.environ, "SEL4VM_DEV_LOCKED": str(ROOT)})
        help_of.known[command] = done.stdout if done.returncode == 0 else None
    return help_of.known[command]


help_of.known = {}


def options_in(text):
    return set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", text))


def usage_of(program, words):
    """The commands below a program, and the help of the one that the words begin with."""
    if program == "./dev":
        script = ROOT / "tools" / "dev" / words[0]
        if not script.is_file():
            return None
        text = (ROOT / "tests" / "bench" / "run").read_text() if words[0] == "bench" else script.read_text()
        return text + (help_of((TOOL, "run", "--help")) or "" if words[0] == "run" else "")
    own = help_of((TOOL, "--help"))
    if words[0].startswith("-"):
        return own
    return help_of((TOOL, words[0], "--help")) if re.search(rf"^  {re.escape(words[0])} ", own, re.MULTILINE) else None


PLACEHOLDERS = {"COMMAND", "ARGS", "ARGUMENTS", "PRESET"}


def check_call(where, text):
    """One call of ours, up to where the shell's next word, a comment or an explanation begins."""
    program, _, rest = text.partition(" ")
    rest = re.split(r"\s{3,}|\s#|[|;&><`]|(?<=\S)\s{2,}", rest.replace("[", " ").replace("]", " ").strip())[0]
    try:
        words = shlex.split(rest)
    except ValueError as error:
        wrong(where, f"'{text}': {error}")
        return
    if program == "./dev" and words[:1] == ["sel4vm"]:
        program, words = "sel4vm", words[1:]
    if not words or words[0] in PLACEHOLDERS:
        return
    if words[0].startswith("-") and program == "./dev":
        known = "--help -h"
    else:
        known = usage_of(program, words)
    if known is None:
        wrong(where, f"'{text}': there is no command '{words[0]}'")
        return
    known_options = options_in(known) | {"--help"}
    for word in words[1:]:
        option = word.split("=")[0]
        if re.fullmatch(r"--?[a-zA-Z][a-z-]*", option) and option not in known_options:
            wrong(where, f"'{text}': there is no option '{option}'")
    for option, example in zip(words, words[1:]):
        if option == "--example" and example != "NAME" and not (ROOT / "examples" / example).is_dir():
            wrong(where, f"'{text}': there is no example '{example}'")


CALL = re.compile(r"(?:^|[\s`(|])((?:\./dev|sel4vm) [^`]*)")


def check_commands(name, path):
    fenced = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fenced = fenced != line.startswith("```")
        where = f"{name}:{number}"
        if line.startswith("    ") and not fenced and re.match(r"\s+(\./dev|sel4vm|printf|cmake|cc|sudo|[A-Z0-9_]+=\S+ \./\S+)(?=\s)", line):
            command = re.split(r"\s{3,}", line.strip())[0]
            done = subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True, check=False)
            if done.returncode != 0 and "[" not in command:
                wrong(where, f"no command of a shell: {done.stderr}")
            for call in CALL.findall(line):
                check_call(where, call)
        elif not fenced:
            for span in re.findall(r"`([^`]+)`", line):
                for call in CALL.findall(span):
                    check_call(where, call)


def check_documents(root, names):
    """What is wrong, and how many blocks of each language there are."""
    counts = {}
    mistakes.clear()
    for name in names:
        path = root / name
        check_commands(name, path)
        if name.startswith("docs/reference/"):
            continue
        by_language = {}
        for line, language, text in blocks(path):
            by_language.setdefault(language, []).append(text)
            counts[language] = counts.get(language, 0) + 1
            if language == "sh":
                done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
                if done.returncode != 0:
                    wrong(f"{name}:{line}", f"no commands of a shell: {done.stderr}")
            elif language not in ("", "c", "cpp", "toml", "cmake"):
                wrong(f"{name}:{line}", f"a block in '{language}', which nobody checks")
        for language in by_language.keys() & {"c", "cpp"}:
            compile_blocks(name, language, by_language[language])
        if "toml" in by_language:
            check_systems(name, by_language["toml"])
    return list(mistakes), counts


# Documents that are wrong in one way each, and what is said.
WRONG = [
    ("    ./dev tset -L unit\n", "there is no command 'tset'"),
    ("Try `./dev test --labl unit`.\n", "there is no option '--labl'"),
    ("    ./dev run --kernl Image     # yours\n", "there is no option '--kernl'"),
    ("    printf 'x' | ./dev run --exmaple c-minimal\n", "there is no option '--exmaple'"),
    ("    ./dev run --example nothing\n", "there is no example 'nothing'"),
    ("    sel4vm build a.toml --ouput b\n", "there is no option '--ouput'"),
    ("    ./dev sel4vm chekc a.toml\n", "there is no command 'chekc'"),
    ("    ./dev run --cmdline 'open\n", "no command of a shell"),
    ("```sh\nfor x in; do\n```\n", "no commands of a shell"),
    ("```toml\n[[vm]]\nmemroy = 1\n```\n", "no good system file"),
    ("```cpp\nhost.close();\n```\n", "do not compile"),
    ("```cpp\nint unused;\n```\n", "do not compile"),
    ("```c\nvm_run(&host);\n```\n", "do not compile"),
    ("```pascal\nbegin end.\n```\n", "which nobody checks"),
]


def self_test():
    for text, expected in WRONG:
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "README.md").write_text(text, encoding="utf-8")
            found, _ = check_documents(pathlib.Path(folder), ["README.md"])
        if not any(expected in mistake for mistake in found):
            sys.exit(f"documents test: it does not find {expected!r} in {text!r}, but {found}")


def main():
    self_test()
    listing = subprocess.run(["git", "-C", str(ROOT), "ls-files", "*.md"], capture_output=True, text=True, check=True).stdout.split()
    found, counts = check_documents(ROOT, listing)
    found += [f"docs: no {language} block was found at all" for language in ("c", "cpp", "toml", "sh") if language not in counts]
    if found:
        sys.exit("documents test:\n" + "\n".join(found))
    print(f"documents test: passed ({counts})")


if __name__ == "__main__":
    main()
