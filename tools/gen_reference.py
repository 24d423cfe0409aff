"""Writes `docs/modified.json`: when each page of the documentation was changed last, by the history.

An installed package has no history and its files the time of the installation; the portal shows these times instead.
A text that was changed after it was stamped shows its file's own time, so nothing breaks without a run of this.
"""

import json
import subprocess
from pathlib import Path

from tokengate.reference.guides import STAMPS, digest

DOCS = Path(__file__).resolve().parent.parent / "docs"


def main() -> None:
    """Stamp the documentation of this repository."""
    stamp(DOCS)


def stamp(docs: Path) -> None:
    """Stamp every page of a folder that is committed as it is."""
    stamps = {
        str(file.relative_to(docs)): {"sha256": digest(file.read_bytes()), "modified": modified}
        for file in sorted(docs.rglob("*.md"))
        if (modified := _committed(file))
    }
    (docs / STAMPS).write_text(json.dumps(stamps, indent=1) + "\n", encoding="utf-8")


def _committed(file: Path) -> str:
    """Return the time of the file's last commit; empty when it was changed since, or was never committed."""
    if _git(file, "status", "--porcelain"):
        return ""
    return _git(file, "log", "-1", "--format=%cI")


def _git(file: Path, *arguments: str) -> str:
    command = ["git", *arguments, "--", file.name]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
