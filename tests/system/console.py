# SPDX-License-Identifier: BSD-2-Clause
"""A guest's console for the system tests: start a run of the tool, wait for text, send lines, check how it ended."""

import os
import re
import subprocess
import sys
import threading
import time

END = "\n<end of output>\n"


class Console:
    """One run of `sel4vm run ...`, or of another command. What the guests print and what the tool and the host say are kept apart, since in one
    stream a message could cut a guest's line in two; both are shown when a check fails. The time limit only guards against
    a run that hangs: a slow machine must not fail a test. `terminal`: the input comes from one, as a person's does."""

    def __init__(self, *arguments, timeout=600, command=None, terminal=False):
        self.deadline = time.monotonic() + timeout
        self.output = ""
        self.messages = ""
        self.seen = 0
        self.lock = threading.Condition()
        self.keyboard, stdin = os.openpty() if terminal else (None, subprocess.PIPE)
        self.process = subprocess.Popen(
            command or [os.environ["SEL4VM"], "run", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.message_reader = threading.Thread(target=self._read_messages, daemon=True)
        self.message_reader.start()

    def _read(self):
        while True:
            data = os.read(self.process.stdout.fileno(), 65536)
            with self.lock:
                if not data:
                    self.lock.notify_all()
                    self.output += END
                    return
                self.output += data.decode("utf-8", "replace")
                self.lock.notify_all()

    def _read_messages(self):
        while data := os.read(self.process.stderr.fileno(), 65536):
            self.messages += data.decode("utf-8", "replace")

    def fail(self, why):
        self.process.kill()
        self.message_reader.join(10)
        print(self.output)
        print(f"<messages>\n{self.messages}")
        print(f"FAILED: {why}")
        sys.exit(1)

    def wait_until(self, condition, complaint):
        """Waits until `condition(output)` is true."""
        with self.lock:
            while not condition(self.output):
                if self.output.endswith(END):
                    self.fail(f"{complaint}; the output has ended")
                if not self.lock.wait(max(0.0, self.deadline - time.monotonic())):
                    self.fail(f"{complaint} in time")

    def expect(self, text):
        """Waits for `text` after what earlier calls found; returns what came before it."""
        self.wait_until(lambda output: text in output[self.seen :], f"there is no text: {text}")
        at = self.output.index(text, self.seen)
        before = self.output[self.seen : at]
        self.seen = at + len(text)
        return before

    def expect_message(self, text):
        """Waits until the tool or the host has said `text`."""
        while text not in self.messages:
            if time.monotonic() > self.deadline or not self.message_reader.is_alive() and text not in self.messages:
                self.fail(f"there is no message: {text}")
            time.sleep(0.05)

    def type(self, keys):
        """What a person types at the terminal."""
        os.write(self.keyboard, keys.encode())

    def send(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def shell(self):
        """Waits for the shell's prompt: what is typed before it is echoed twice."""
        self.expect("/root # ")

    def command(self, line):
        """Runs a shell command in the guest, at its prompt, and returns its output."""
        self.send(f"{line}; echo end-of-'command'")
        # The echo of the line, which the shell breaks where its terminal's lines end.
        echo = re.compile("[\r\n]*".join(map(re.escape, "end-of-'command'")))
        self.wait_until(lambda output: echo.search(output, self.seen), f"no echo of: {line}")
        self.seen = echo.search(self.output, self.seen).end()
        output = self.expect("end-of-command")
        self.shell()
        return output.replace("\r", "")

    def end(self, status=0):
        """Waits for the run to end by itself."""
        try:
            found = self.process.wait(max(1.0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.fail("the run did not end")
        self.reader.join(max(1.0, self.deadline - time.monotonic()))
        self.message_reader.join(max(1.0, self.deadline - time.monotonic()))
        if found != status:
            self.fail(f"exit status {found}, expected {status}")
        return self.output

    def stop(self):
        """Ends a run that does not end by itself."""
        self.process.terminate()
        self.process.wait()
