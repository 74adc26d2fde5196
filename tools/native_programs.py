# SPDX-License-Identifier: BSD-2-Clause
"""The test programs that run in a process, for the tools that run them as a whole."""

import os
import subprocess
import tempfile

# Their names for people, which are the labels of ctest, and as targets of the build.
PROGRAMS = {"unit": "unit_tests", "model": "model_tests", "replay": "replay_tests", "conformance": "conformance_tests",
            "sel4_host": "sel4_host_tests", "sel4_host_mcs": "sel4_host_mcs_tests"}


def path(build, name):
    folder = "tests/sel4_host" if name.startswith("sel4_host") else "tests"
    return build / folder / PROGRAMS[name]


def run(build, name, environment=None, seconds=1800):
    """The status of one program, until its first failure: 0, another number, or None when it took longer than `seconds`."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return subprocess.run([path(build, name), "--gtest_brief=1", "--gtest_fail_fast"], cwd=folder, timeout=seconds,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env={**os.environ, "TMPDIR": folder, **(environment or {})}).returncode
        except subprocess.TimeoutExpired:
            return None
