"""The file that says how samples were verified, which the pages read: who passed, on which version, and a hash of what
was verified, so that a sample that changes is not called verified any longer.
"""

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import TypedDict

import tokengate
from tests.samples.kinds import Kind
from tests.samples.portal import CONSOLE, ELSEWHERE, Portal
from tests.samples.variants import VARIANTS, How, Variant, cases

FILE = CONSOLE / "src" / "lib" / "samples" / "verified.json"


class Row(TypedDict):
    """What is known of a language's library."""

    how: How
    version: str
    hash: str
    operations: list[str]


class Record:
    """What passed in this run."""

    def __init__(self) -> None:
        self._passed: defaultdict[str, set[Kind]] = defaultdict(set)

    def passed(self, variant: Variant, kind: Kind) -> None:
        self._passed[variant.id].add(kind)

    def write(self, portal: Portal, file: Path = FILE) -> None:
        """Write a row for each library all of whose samples passed; other rows stay, and those of no library go."""
        rows = read_rows(file)
        for variant in VARIANTS:
            wanted = [kind for _, kind in cases((variant,))]
            if self._passed[variant.id].issuperset(wanted):
                operations = list(dict.fromkeys(kind.shown for kind in wanted))
                rows[variant.id] = Row(
                    how=variant.how,
                    version=tokengate.__version__,
                    hash=hash_of(portal, variant),
                    operations=operations,
                )
        known = {variant.id: rows[variant.id] for variant in VARIANTS if variant.id in rows}
        file.write_text(json.dumps(known, indent=2) + "\n")


def read_rows(file: Path = FILE) -> dict[str, Row]:
    """Return what the file says."""
    return json.loads(file.read_text())


def hash_of(portal: Portal, variant: Variant) -> str:
    """Return what all samples of a library come to, as they are for a gateway elsewhere."""
    digest = hashlib.sha256()
    for kind in variant.kinds:
        sample = portal.samples(kind, ELSEWHERE)[variant.id]
        digest.update(json.dumps([kind.id, *sample]).encode())
    return digest.hexdigest()[:16]
