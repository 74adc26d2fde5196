# SPDX-License-Identifier: BSD-2-Clause
"""Writes mutants into a source, each behind a question whether it is switched on."""

import pathlib

HEADER = pathlib.Path(__file__).with_name("mutant.hpp")


def _on(number):
    return f"::sel4vm_mutation::on({number})"


def weave(text, mutants, first_line):
    """`text` (bytes) with `mutants` ({number: Mutant}, which nest or lie apart) and an include as its first line."""
    # Outermost first; of those at one place the one that spans more.
    order = sorted(mutants.items(), key=lambda item: (item[1].at, -item[1].end, item[0]))

    def render(at, end, inside):
        """The text of [at, end) with all mutants of `inside`, which lie in it."""
        out, position = [], at
        while inside:
            number, mutant = inside[0]
            nested = [item for item in inside[1:] if item[1].at >= mutant.at and item[1].end <= mutant.end]
            rest = [item for item in inside[1:] if item[1].at >= mutant.end]
            out.append(text[position:mutant.at].decode())
            out.append(change(number, mutant, nested))
            position = mutant.end
            inside = rest
        out.append(text[position:end].decode())
        return "".join(out)

    def part(at, end, nested):
        return render(at, end, [item for item in nested if item[1].at >= at and item[1].end <= end])

    def change(number, mutant, nested):
        if mutant.kind in ("comparison", "logic", "arithmetic"):
            left_end, right, operator, other = mutant.cuts
            left, other_side = part(mutant.at, left_end, nested), part(right, mutant.end, nested)
            return f"({_on(number)} ? ({left} {other} {other_side}) : ({left} {operator} {other_side}))"
        whole = part(mutant.at, mutant.end, nested)
        if mutant.kind == "constant":
            return f"({_on(number)} ? {whole} + 1 : {whole})"
        if mutant.kind == "condition":
            return f"!{_on(number)} && ({whole})"
        if mutant.kind == "statement":
            return f"if (!{_on(number)}) {{ {whole} }}"
        middle, begin = mutant.cuts
        one, two = part(mutant.at, middle, nested), part(begin, mutant.end, nested)
        return f"{_on(number)} ? {two} : {one}, {_on(number)} ? {one} : {two}"

    return f'#include "{first_line}"\n#line 1\n'.encode() + render(0, len(text), order).encode()


def overlaps(mutant, others):
    """True when the mutant and one of the others cross, or change the same text."""
    return any(mutant.at < o.end and o.at < mutant.end and
               not (o.at <= mutant.at and mutant.end <= o.end) and not (mutant.at <= o.at and o.end <= mutant.end)
               or (o.at, o.end) == (mutant.at, mutant.end) for o in others)
