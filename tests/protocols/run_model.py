#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""run_model.py MODEL.pml [MUTANT]: Spin visits every state of a model and must find no error; with a mutant, it must find one.

A comment of the model names the functions that it stands for, and the mutants that it knows:
  // stands for: FILE FUNCTION...      each must be defined in that file of the checkout
  // mutant: NAME  what is wrong then  a preprocessor define
Without a mutant no line of the model may be left that no run reaches: it would have been checked for nothing."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get("SEL4VM_SOURCE", pathlib.Path(__file__).resolve().parents[2]))


def fail(message, output=""):
    print(output)
    print(f"FAIL: {message}")
    sys.exit(1)


def check_names(text):
    """The functions that the model stands for are there."""
    pairs = re.findall(r"^// stands for: (\S+) (.+)$", text, re.M)
    if not pairs:
        fail("the model does not say what it stands for")
    for file, functions in pairs:
        path = SOURCE / file
        code = path.read_text() if path.is_file() else fail(f"there is no {file}")
        for function in functions.split():
            if not re.search(rf"(?<![\w:]){re.escape(function)}\(", code):
                fail(f"{file} has no {function}(); what does the model stand for now?")


def verify(model, folder, mutant):
    """What the verifier says about all states."""
    define = [f"-D{mutant}"] if mutant else []
    made = subprocess.run(["spin", "-a", *define, str(model)], cwd=folder, capture_output=True, text=True)
    if made.returncode != 0 or "error" in made.stdout.lower():
        fail("Spin does not understand the model", made.stdout + made.stderr)
    optimise = "-O0" if mutant else "-O1"  # an error is found long before all states are
    subprocess.run(["cc", optimise, "-w", "-DSAFETY", "-DMEMLIM=1024", "-o", "pan", "pan.c"], cwd=folder, check=True)
    return subprocess.run(["./pan", "-m200000"], cwd=folder, capture_output=True, text=True).stdout


def main():
    model = pathlib.Path(sys.argv[1]).resolve()
    mutant = sys.argv[2] if len(sys.argv) > 2 else None
    text = model.read_text()
    check_names(text)
    if mutant and not re.search(rf"^// mutant: {mutant}\b", text, re.M):
        fail(f"the model has no mutant {mutant}")
    if mutant and not re.search(rf"^#ifn?def {mutant}$", text, re.M):
        fail(f"nothing in the model depends on {mutant}")

    with tempfile.TemporaryDirectory() as folder:
        output = verify(model, folder, mutant)
    errors = re.search(r"errors: (\d+)", output)
    states = re.search(r"(\d+) states, stored", output)
    if not errors or not states:
        fail("the verifier came to no result", output)
    if mutant:
        if errors[1] == "0":
            fail(f"{mutant}: no error was found in {states[1]} states", output)
        what = re.search(r"^pan:\d+: (.*) \(at depth (\d+)\)", output, re.M)
        print(f"{model.stem}, {mutant}: {what[1]}, after {what[2]} steps" if what else output)
        return
    if errors[1] != "0" or "max search depth too small" in output or "out of memory" in output:
        fail("the model has an error, or not all states were seen", output)
    unreached = re.findall(r'^\t\S+:(\d+), state \d+, "(?!-end-|assert)', output, re.M)
    if unreached:
        fail(f"lines that nothing reaches: {' '.join(unreached)}", output)
    print(f"{model.stem}: {states[1]} states, no error")


if __name__ == "__main__":
    main()
