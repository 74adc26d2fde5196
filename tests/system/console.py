# SPDX-License-Identifier: BSD-2-Clause
"""A guest's console for the system tests: start a run of the tool, wait for text, send lines, check how it ended."""

import os
import subprocess
import sys
import threading
import time


class Console:
    """One run of `sel4vm run ...`. Everything it prints is kept and shown when a check fails."""

    def __init__(self, *arguments, timeout=120):
        self.deadline = time.monotonic() + timeout
        self.output = ""
        self.seen = 0
        self.lock = threading.Condition()
        self.process = subprocess.Popen(
            [os.environ["SEL4VM"], "run", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            data = os.read(self.process.stdout.fileno(), 65536)
            with self.lock:
                if not data:
                    self.lock.notify_all()
                    self.output += "\n<end of output>\n"
                    return
                self.output += data.decode("utf-8", "replace")
                self.lock.notify_all()

    def fail(self, why):
        print(self.output)
        print(f"FAILED: {why}")
        self.process.kill()
        sys.exit(1)

    def expect(self, text):
        """Waits for `text` after what earlier calls found; returns what came before it."""
        with self.lock:
            while True:
                at = self.output.find(text, self.seen)
                if at >= 0:
                    before = self.output[self.seen : at]
                    self.seen = at + len(text)
                    return before
                if "<end of output>" in self.output[self.seen :]:
                    self.fail(f"the output ended without: {text}")
                if not self.lock.wait(max(0.0, self.deadline - time.monotonic())):
                    self.fail(f"no such text in time: {text}")

    def send(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def shell(self):
        """Waits for the shell's prompt: what is typed before it is echoed twice."""
        self.expect("/root # ")

    def command(self, line):
        """Runs a shell command in the guest, at its prompt, and returns its output."""
        self.send(f"{line}; echo end-of-'command'")
        self.expect("end-of-'command'")  # the echo of the line
        output = self.expect("end-of-command")
        self.shell()
        return output.replace("\r", "")

    def end(self, status=0):
        """Waits for the run to end by itself."""
        try:
            found = self.process.wait(max(1.0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.fail("the run did not end")
        if found != status:
            self.fail(f"exit status {found}, expected {status}")
        return self.output
