"""The file that says how samples were verified, which the pages read: for each library and operation the version on
which they passed, and a hash of them, so that a sample that changes is not called verified any longer, and is the only
one to be tried again.
"""

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import TypedDict

import tokengate
from tests.samples.kinds import Kind
from tests.samples.portal import CONSOLE, ELSEWHERE, Portal
from tests.samples.variants import VARIANTS, How, Variant

FILE = CONSOLE / "src" / "lib" / "samples" / "verified.json"


class Row(TypedDict):
    """What is known of a language's library. `operations` are those that pages know, each with `VERSION HASH`."""

    how: How
    operations: dict[str, str]


class Record:
    """What passed in this run."""

    def __init__(self) -> None:
        self._passed: defaultdict[str, set[Kind]] = defaultdict(set)

    def passed(self, variant: Variant, kind: Kind) -> None:
        self._passed[variant.id].add(kind)

    def write(self, portal: Portal, file: Path = FILE) -> None:
        """Write down each operation of a library all of whose samples passed; the others stay as they were, and those
        that there are no more go."""
        before = read_rows(file)
        rows: dict[str, Row] = {}
        for variant in VARIANTS:
            known = before[variant.id]["operations"] if variant.id in before else {}
            told: dict[str, str] = {}
            for shown, kinds in shown_by(variant).items():
                if self._passed[variant.id].issuperset(kind for kind in kinds if kind.answerable):
                    told[shown] = f"{tokengate.__version__} {hash_of(portal, variant, shown)}"
                elif shown in known:
                    told[shown] = known[shown]
            if told:
                rows[variant.id] = Row(how=variant.how, operations=told)
        file.write_text(json.dumps(rows, indent=2) + "\n")


def read_rows(file: Path = FILE) -> dict[str, Row]:
    """Return what the file says."""
    return json.loads(file.read_text())


def shown_by(variant: Variant) -> dict[str, list[Kind]]:
    """Return what a library has samples of, by what pages know it by."""
    found: defaultdict[str, list[Kind]] = defaultdict(list)
    for kind in variant.kinds:
        found[kind.shown].append(kind)
    return found


def hash_of(portal: Portal, variant: Variant, shown: str) -> str:
    """Return what a library's samples of an operation come to, as they are for a gateway elsewhere."""
    digest = hashlib.sha256()
    for kind in shown_by(variant)[shown]:
        sample = portal.samples(kind, ELSEWHERE)[variant.id]
        digest.update(json.dumps([kind.id, *sample]).encode())
    return digest.hexdigest()[:8]
