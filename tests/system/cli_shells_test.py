#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Completion in zsh and fish, as these shells do it: of `sel4vm` by the tool's own scripts, of `./dev` by those of tools/dev. (bash is in
cli_documents_test.sh and tests/tools/completion_test.sh.)"""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

TOOL = os.environ["SEL4VM"]
SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
PATIENCE_S = 120  # only what never comes takes that long

# What is typed, and what it becomes with one Tab; each has one answer.
CASES = [
    ("sel4vm insp", "sel4vm inspect"),
    ("sel4vm run --no-hyp", "sel4vm run --no-hypervisor"),
    ("sel4vm run --on-panic res", "sel4vm run --on-panic restart"),
    ("sel4vm build --pa", "sel4vm build --pair"),
    ("sel4vm completion fi", "sel4vm completion fish"),
    ("sel4vm check only", "sel4vm check only.toml"),
]


def fail(text):
    sys.exit(f"shells test: {text}")


def made_by_tool(shell, path):
    path.write_text(subprocess.run([TOOL, "completion", shell], check=True, capture_output=True, text=True).stdout)


class Zsh:
    """An interactive zsh on a terminal of its own, with completions from a folder and nobody's settings."""

    def __init__(self, folder):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": folder, "TERM": "dumb", "PS1": "ready> ",
                                                    "ZDOTDIR": folder, "COLUMNS": "400"})
        self.send(f"fpath=({folder}/functions $fpath); unsetopt zle_bracketed_paste beep; autoload -U compinit; compinit -u -D; print -r set'-up'\n")
        self.wait_for("set-up")
        # Ctrl-X p shows the line as the shell has it.
        self.send("function show-line() { print -r -- \"<$BUFFER>\" }; zle -N show-line; bindkey '^Xp' show-line; print -r bo'und'\n")
        self.wait_for("bound")

    def send(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, pattern):
        """What has been read until the pattern is found, without the terminal's control sequences."""
        seen, end = "", time.monotonic() + PATIENCE_S
        while not re.search(pattern, seen):
            if time.monotonic() > end:
                fail(f"zsh does not say {pattern!r}, but: {seen!r}")
            if select.select([self.fd], [], [], 1)[0]:
                seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", os.read(self.fd, 4096).decode(errors="replace"))
        return seen

    def completes(self, typed, wanted):
        self.send(typed + "\t" + "\x18p")
        found = re.search(r"<([^<>]*)>", self.wait_for(r"<[^<>]*>"))
        line = found.group(1).strip() if found else ""
        self.send("\x15")
        if line != wanted:
            fail(f"zsh completes {typed!r} to {line!r}, not {wanted!r}")

    def close(self):
        self.send("\x15exit\n")
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def fish_offers(folder, scripts, typed):
    sources = "; ".join(f"source {script}" for script in scripts)
    done = subprocess.run(["fish", "--no-config", "-c", f"{sources}; complete -C '{typed}'"], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S,
                          env={**os.environ, "HOME": str(folder), "PATH": f"{folder}/bin:{os.environ['PATH']}"}, check=False)
    if done.returncode != 0 or done.stderr:
        fail(f"fish: {done.stderr}")
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


def main():
    for shell in ("zsh", "fish"):
        if shutil.which(shell) is None:
            fail(f"{shell} is not installed (Debian package {shell}; ./dev test installs it)")
    with tempfile.TemporaryDirectory(prefix="sel4vm-shells-") as name:
        folder = pathlib.Path(name)
        for part in ("functions", "bin"):
            (folder / part).mkdir()
        (folder / "bin" / "sel4vm").symlink_to(TOOL)
        (folder / "dev").symlink_to(SOURCE / "dev")
        (folder / "only.toml").touch()

        made_by_tool("zsh", folder / "functions" / "_sel4vm")
        zsh = Zsh(name)
        for typed, wanted in CASES:
            zsh.completes(typed, wanted)
        zsh.send(f"autoload -U bashcompinit; bashcompinit; source {SOURCE}/tools/dev/completion.bash; print -r bash'-like'\n")
        zsh.wait_for("bash-like")
        zsh.completes("./dev cov", "./dev coverage")
        zsh.completes("./dev test --pre", "./dev test --preset")
        zsh.close()

        made_by_tool("fish", folder / "sel4vm.fish")
        scripts = [folder / "sel4vm.fish", SOURCE / "tools" / "dev" / "completion.fish"]
        for typed, wanted in [*CASES, ("./dev cov", "./dev coverage"), ("./dev build too", "./dev build tools"), ("./dev sel4vm insp", "./dev sel4vm inspect")]:
            offered = fish_offers(folder, scripts, typed)
            if offered != [wanted.split()[-1]]:
                fail(f"fish completes {typed!r} by {offered}, not {wanted!r}")
    print("shells test: passed")


if __name__ == "__main__":
    main()
