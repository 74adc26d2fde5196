# SPDX-License-Identifier: BSD-2-Clause
"""What a mutant is: one change of one source."""

import dataclasses


@dataclasses.dataclass(frozen=True, order=True)
class Mutant:
    """`at` and `end` are the bytes that are replaced; `cuts` is what the kind needs beside: offsets inside, or operators."""
    path: str  # relative to the source tree
    at: int
    end: int
    kind: str
    cuts: tuple
    line: int
    before: str
    after: str
