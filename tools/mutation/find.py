# SPDX-License-Identifier: BSD-2-Clause
"""Finds places in C++ sources where a small change can be switched on at run time. Clang's syntax tree says what a token is."""

import functools
import json
import pathlib
import re
import shlex

from clang import cindex

from mutant import Mutant

LAYERS = ("vm", "dev", "arch", "boot", "capi")

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = {"&&": "||", "||": "&&"}
ARITHMETIC = {"+": "-", "-": "+", "&": "|", "|": "&", "<<": ">>", ">>": "<<"}
OPERATORS = COMPARISONS | LOGIC | ARITHMETIC

K = cindex.CursorKind
# Inside these everything is evaluated by the compiler, where no mutant can be chosen.
CONSTANT = {K.STATIC_ASSERT, K.ENUM_CONSTANT_DECL, K.TEMPLATE_NON_TYPE_PARAMETER, K.TYPE_ALIAS_DECL, K.TYPEDEF_DECL}
ARITHMETIC_TYPES = {cindex.TypeKind.BOOL, cindex.TypeKind.UCHAR, cindex.TypeKind.CHAR_S, cindex.TypeKind.SCHAR, cindex.TypeKind.USHORT,
                    cindex.TypeKind.SHORT, cindex.TypeKind.UINT, cindex.TypeKind.INT, cindex.TypeKind.ULONG, cindex.TypeKind.LONG,
                    cindex.TypeKind.ULONGLONG, cindex.TypeKind.LONGLONG}
# Functions that do not mind the order of their arguments.
COMMUTATIVE = {"min", "max", "checked_add"}
FUNCTIONS = {K.FUNCTION_DECL, K.CXX_METHOD, K.CONSTRUCTOR, K.FUNCTION_TEMPLATE, K.CONVERSION_FUNCTION}
COMPARABLE = ARITHMETIC_TYPES | {cindex.TypeKind.POINTER, cindex.TypeKind.ENUM, cindex.TypeKind.NULLPTR}


def commands(build):
    """(source, compiler arguments) of each translation unit."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        arguments = [word for word in words if word.startswith(("-I", "-D", "-std="))]
        for flag in ("-isystem",):
            arguments += [part for i, word in enumerate(words) if word == flag for part in (flag, words[i + 1])]
        yield pathlib.Path(entry["file"]), entry["directory"], arguments


def canonical(cursor):
    return cursor.type.get_canonical()


def is_consteval(function):
    """Whether the text of a function says so before its parameters."""
    return b"consteval" in function.split(b"(")[0].split()


class Finder:
    def __init__(self, source, wanted):
        self.source = source
        self.wanted = wanted  # relative path -> bool
        self.texts = {}
        self.found = {}

    def text(self, path):
        if path not in self.texts:
            self.texts[path] = (self.source / path).read_bytes()
        return self.texts[path]

    @functools.cache
    def of_file(self, name):
        """The path below the source tree of a file that is mutated, else None."""
        path = pathlib.Path(name).resolve()
        path = str(path.relative_to(self.source)) if path.is_relative_to(self.source) else ""
        return path if self.wanted(path) else None

    def relative(self, cursor):
        return None if cursor.location.file is None else self.of_file(cursor.location.file.name)

    def add(self, path, at, end, kind, cuts, cursor, before, after):
        mutant = Mutant(path, at, end, kind, tuple(cuts), cursor.extent.start.line, " ".join(before.split()), " ".join(after.split()))
        self.found[(path, at, end, kind)] = mutant

    def span(self, path, cursor):
        """Offsets of a cursor that lies in one file and comes from no macro, or None."""
        start, end = cursor.extent.start, cursor.extent.end
        if start.file is None or end.file is None or {self.of_file(start.file.name), self.of_file(end.file.name)} != {path}:
            return None
        return (start.offset, end.offset) if 0 <= start.offset < end.offset <= len(self.text(path)) else None

    def visit(self, cursor):
        for child in cursor.get_children():
            if child.kind == K.NAMESPACE or child.location.file is not None:
                path = self.relative(child)
                if path is not None:
                    self.declaration(path, child)

    def declaration(self, path, cursor):
        if cursor.kind in CONSTANT:
            return
        span = self.span(path, cursor)
        if cursor.kind in FUNCTIONS and span is not None and is_consteval(self.text(path)[span[0]:span[1]]):
            return
        if cursor.kind in (K.VAR_DECL, K.FIELD_DECL) and span is not None:
            head = self.text(path)[span[0]:span[1]].split(b"=")[0].split(b"{")[0]
            if b"constexpr" in head or b"constinit" in head or b"consteval" in head:
                return
        if cursor.kind == K.BINARY_OPERATOR:
            self.operator(path, cursor)
        elif cursor.kind == K.IF_STMT:
            self.guard(path, cursor)
        elif cursor.kind == K.COMPOUND_STMT:
            self.statements(path, cursor)
        elif cursor.kind == K.CALL_EXPR:
            self.arguments(path, cursor)
        children = list(cursor.get_children())
        if cursor.kind == K.CASE_STMT:
            children = children[1:]
        if cursor.kind in (K.VAR_DECL, K.FIELD_DECL):
            type_end = self.end_of_type(path, cursor)
            children = [child for child in children if child.extent.start.offset >= type_end]
        for child in children:
            self.declaration(path, child)

    def end_of_type(self, path, cursor):
        """Where the type of a variable ends: behind its name, and the bounds of an array."""
        text = self.text(path)
        at = cursor.location.offset
        bounds = re.compile(rb"(\w+)?(\s*\[[^\]]*\])*").match(text, at)
        return bounds.end()

    def operator(self, path, cursor):
        children = list(cursor.get_children())
        if len(children) != 2:
            return
        spans = [self.span(path, c) for c in (cursor, *children)]
        if None in spans:
            return
        (at, end), (left, left_end), (right, right_end) = spans
        text = self.text(path)
        if left != at or right_end != end or left_end > right:
            return
        operator = text[left_end:right].strip().decode(errors="replace")
        if operator not in OPERATORS:
            return
        kinds = [canonical(c).kind for c in children]
        # An enumerator has no order worth a mutant, nor have pointers.
        allowed = COMPARABLE if operator in ("==", "!=") else ARITHMETIC_TYPES
        if not all(kind in allowed for kind in kinds):
            return
        whole = text[at:end].decode(errors="replace")
        other = OPERATORS[operator]
        changed = text[at:left_end].decode(errors="replace") + f" {other} " + text[right:end].decode(errors="replace")
        kind = "comparison" if operator in COMPARISONS else "logic" if operator in LOGIC else "arithmetic"
        self.add(path, at, end, kind, (left_end, right, operator, other), cursor, whole, changed)
        # A bound or mask that is off by one.
        literal = children[1]
        if literal.kind == K.INTEGER_LITERAL or (literal.kind == K.UNEXPOSED_EXPR and [c.kind for c in literal.get_children()] ==
                                                 [K.INTEGER_LITERAL]):
            number = text[right:end].decode(errors="replace")
            self.add(path, right, end, "constant", (), literal, whole, text[at:right].decode(errors="replace") + f"({number} + 1)")

    def guard(self, path, cursor):
        """A condition that is never taken to be true."""
        children = list(cursor.get_children())
        if not children or children[0].kind in (K.DECL_STMT, K.VAR_DECL):
            return
        span = self.span(path, children[0])
        outer = self.span(path, cursor)
        if span is None or outer is None or b"constexpr" in self.text(path)[outer[0]:span[0]] or b";" in self.text(path)[outer[0]:span[0]]:
            return
        text = self.text(path)
        if text[outer[0]:span[0]].split() not in ([b"if", b"("], [b"if("]):
            return
        condition = text[span[0]:span[1]].decode(errors="replace")
        self.add(path, *span, "condition", (), cursor, f"if ({condition})", "if (false)")

    def statements(self, path, cursor):
        """A call for its effect, or an assignment, left out."""
        text = self.text(path)
        for child in cursor.get_children():
            inner = child
            while inner.kind == K.UNEXPOSED_EXPR:
                below = list(inner.get_children())
                if len(below) != 1:
                    break
                inner = below[0]
            assignment = inner.kind == K.COMPOUND_ASSIGNMENT_OPERATOR or inner.kind == K.UNARY_OPERATOR
            if inner.kind == K.BINARY_OPERATOR or (inner.kind == K.CALL_EXPR and inner.spelling == "operator="):
                assignment = True
            if not assignment and inner.kind != K.CALL_EXPR:
                continue
            span = self.span(path, child)
            if span is None:
                continue
            end = span[1]
            while text[end:end + 1].isspace():
                end += 1
            statement = text[span[0]:span[1]].decode(errors="replace")
            before = text[:span[0]].rstrip()[-1:]
            if text[end:end + 1] != b";" or before not in (b";", b"{", b"}") or statement.startswith(("assert", "SEL4VM_", "ASSERT")):
                continue
            self.add(path, span[0], end + 1, "statement", (), child, statement + ";", "(left out)")

    def arguments(self, path, cursor):
        """Two neighbouring arguments of one type, the one for the other."""
        if cursor.spelling in COMMUTATIVE:
            return
        children = list(cursor.get_arguments())
        for first, second in zip(children, children[1:]):
            spans = [self.span(path, c) for c in (first, second)]
            if None in spans or canonical(first).spelling != canonical(second).spelling or canonical(first).kind not in ARITHMETIC_TYPES:
                continue
            (at, middle), (begin, end) = spans
            text = self.text(path)
            if text[middle:begin].strip() != b"," or text[at:middle] == text[begin:end]:
                continue
            one, two = (text[a:b].decode(errors="replace") for a, b in spans)
            self.add(path, at, end, "swap", (middle, begin), cursor, f"{one}, {two}", f"{two}, {one}")


def find(source, build, files):
    """All mutants of the layers (or of `files`, paths below the source tree), in order."""
    source = source.resolve()

    def wanted(path):
        if files and not any(path == file or path.startswith(file.rstrip("/") + "/") for file in files):
            return False
        return path.startswith(tuple(f"src/sel4vm/{layer}/" for layer in LAYERS))

    finder = Finder(source, wanted)
    index = cindex.Index.create()
    seen = set()
    for file, folder, arguments in commands(build):
        path = str(file.resolve().relative_to(source)) if file.resolve().is_relative_to(source) else ""
        # Once is enough: the double of seL4 compiles the C interface a second time.
        if not path.startswith(tuple(f"src/sel4vm/{layer}/" for layer in LAYERS)) or path in seen or file.suffix != ".cpp":
            continue
        seen.add(path)
        unit = index.parse(str(file), [*arguments, f"-working-directory={folder}"])
        errors = [d for d in unit.diagnostics if d.severity >= cindex.Diagnostic.Error]
        if errors:
            raise SystemExit(f"mutate: clang cannot read {path}: {errors[0].spelling}")
        finder.visit(unit.cursor)
    return sorted(finder.found.values())
