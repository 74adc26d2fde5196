#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The schema that `sel4vm schema` prints and the reader of system files agree: on good files, on every limit, and on what is no key."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import tomllib

import jsonschema

TOOL = os.environ["SEL4VM"]
SOURCE = pathlib.Path(os.environ["SEL4VM_SOURCE"])
SCHEMA = json.loads(subprocess.run([TOOL, "schema"], check=True, stdout=subprocess.PIPE).stdout)
jsonschema.Draft7Validator.check_schema(SCHEMA)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def fail(text):
    sys.exit(f"schema test: {text}")


def accepted_by_schema(text):
    return not list(VALIDATOR.iter_errors(tomllib.loads(text)))


def mistakes(text, folder):
    """What the tool says, but for what a schema cannot know: files, and how keys depend on each other."""
    path = folder / "system.toml"
    path.write_text(text)
    said = subprocess.run([TOOL, "check", path], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True).stderr
    return said.splitlines()


def leaves(schema, path):
    """Each key that is no table: its names from the top, and what the schema says of it."""
    for name, key in schema.get("properties", {}).items():
        for form in [key, *key.get("anyOf", []), *key.get("allOf", [])]:
            if form.get("type") == "array" and "properties" in form["items"]:
                yield from leaves(form["items"], [*path, (name, "tables")])
            elif "properties" in form:
                yield from leaves(form, [*path, (name, "table")])
            elif "type" in form or "enum" in form:
                yield [*path, (name, "key")], form


def with_value(path, value):
    """A file with this key: the smallest other content that the key can stand in."""
    lines, names = [], []
    for name, kind in path[:-1]:
        names.append(name)
        lines.append(f"[[{'.'.join(names)}]]" if kind == "tables" else f"[{'.'.join(names)}]")
    return "\n".join([*lines, f"{path[-1][0]} = {value}", ""])


def errors_at(text, name):
    """What the schema says of a key of this name, also inside a table that is one of several forms."""
    found, left = [], list(VALIDATOR.iter_errors(tomllib.loads(text)))
    while left:
        error = left.pop()
        left += error.context
        if list(error.absolute_path)[-1:] == [name]:
            found.append(error)
    return found


def named(lines, path):
    key = ".".join(name for name, _ in path)
    return [line for line in lines if f"key '{key}': value" in line and ": expected a" in line and "overlap" not in line]


def main():
    good = [SOURCE / "examples/debian-linux/system.toml", *sorted((SOURCE / "tests/fuzz/corpus/toml").glob("*.toml"))]
    if len(good) < 3:
        fail("the good files are gone")
    for path in good:
        text = path.read_text()
        if not accepted_by_schema(text):
            fail(f"the schema refuses {path}: {[e.message for e in VALIDATOR.iter_errors(tomllib.loads(text))]}")

    limits = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path, form in leaves(SCHEMA, []):
            if form.get("type") != "integer" or "maximum" not in form:
                continue
            limits += 1
            step = form.get("multipleOf", 1)
            for value, good_value in [(form["minimum"], True), (form["maximum"], True), (form["minimum"] - step, False),
                                      (form["maximum"] + step, False), (form["minimum"] + 1, step == 1)]:
                text = with_value(path, value)
                errors = [error for error in errors_at(text, path[-1][0]) if error.validator in ("minimum", "maximum", "multipleOf")]
                refused = named(mistakes(text, folder), path)
                refused = [line for line in refused if "a number from" in line or "a multiple of" in line]
                if bool(errors) == good_value:
                    fail(f"the schema is wrong about {path[-1][0]} = {value}")
                if bool(refused) == good_value:
                    fail(f"the tool is wrong about {path[-1][0]} = {value}: {refused}")
        if limits < 10:
            fail(f"only {limits} limits were found")

        start = '[[vm]]\nkernel = "k"\nmemory = '
        for size, good_size in [('"512M"', True), ('"64 KiB"', True), ('"1gb"', True), ('"0x1000"', True), ("4096", True),
                                ('"much"', False), ('"1T"', False), ('"1.5G"', False), ("true", False), ("-1", False)]:
            told = [line for line in mistakes(f"{start}{size}\n", folder) if "expected a size" in line]
            if accepted_by_schema(f"{start}{size}\n") != good_size or bool(told) == good_size:
                fail(f"memory = {size}: {told}")
        vm = '[[vm]]\nmemory = "64M"\n'
        for key, value, good_value in [
                ("name", "a", True), ("name", "a" * 31, True), ("name", "Zz_-9", True), ("name", "", False), ("name", "a" * 32, False),
                ("name", "9", False), ("name", "a b", False), ("name", "é", False), ("cmdline", "", True), ("cmdline", "c" * 4095, True),
                ("cmdline", "c" * 4096, False), ("device.name", "a" * 31, True), ("device.name", "a" * 32, False), ("device.name", "9", False),
                ("console.escape", "^@", True), ("console.escape", "^_", True), ("console.escape", "^B", True), ("console.escape", "^b", False),
                ("console.escape", "^`", False), ("console.escape", "B", False), ("console.escape", "^", False), ("console.escape", "^BB", False)]:
            table, _, last = key.rpartition(".")
            text = {"": f'{vm}{last} = "{value}"\n', "console": f'[console]\n{last} = "{value}"\n{vm}',
                    "device": f'{vm}[[vm.device]]\ntype = "pl031"\naddress = 0x0a000000\nirq = 7\n{last} = "{value}"\n'}[table]
            told = [line for line in mistakes(text, folder) if last in line and "value" in line]
            if accepted_by_schema(text) != good_value or bool(told) == good_value:
                fail(f"{key} = {value!r}: schema {accepted_by_schema(text)}, tool {told}")
        for text in ('[[vm]]\nmemroy = "1M"\nmemory = "64M"\n', "[sytem]\n", "[system]\n", '[[vm]]\nkernel = "k"\n'):
            if accepted_by_schema(text) or not mistakes(text, folder):
                fail(f"accepted: {text}")


main()
