# SPDX-License-Identifier: BSD-2-Clause
"""Which of all mutants are tried."""

import collections
import hashlib

import weave


def choose(mutants, count, seed):
    """`count` of them, evenly by chance, no two of which change the same text: {number from 1: Mutant}. By what they say and not
    by where they are, so that a seed means the same ones after other lines have changed."""
    alike = collections.Counter()
    order = []
    for mutant in mutants:
        what = (mutant.path, mutant.kind, mutant.before, mutant.after)
        order.append((hashlib.sha256(repr((seed, *what, alike[what])).encode()).digest(), mutant))
        alike[what] += 1
    chosen, files = [], {}
    for _, mutant in sorted(order):
        if len(chosen) == count:
            break
        if not weave.overlaps(mutant, files.setdefault(mutant.path, [])):
            files[mutant.path].append(mutant)
            chosen.append(mutant)
    return dict(enumerate(sorted(chosen), 1))
