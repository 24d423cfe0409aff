"""Pages of an installed package show when their text was changed, not when it was installed."""

import os
import subprocess
from pathlib import Path

from tokengate.reference.guides import Guides
from tools.gen_reference import stamp

COMMITTED_MS = 1_779_673_929_000  # 2026-05-25 09:52:09 in Beijing
TOUCHED_S = 1_800_000_000


def git(folder: Path, *arguments: str) -> None:
    who = {"GIT_COMMITTER_DATE": "2026-05-25T09:52:09+08:00", "GIT_CONFIG_GLOBAL": "/dev/null"}
    for role in ("AUTHOR", "COMMITTER"):
        who |= {f"GIT_{role}_NAME": "test", f"GIT_{role}_EMAIL": "test@example.com"}
    subprocess.run(["git", *arguments], cwd=folder, env=os.environ | who, check=True, capture_output=True)


def modified_ms(docs: Path) -> int:
    guide = Guides(docs).find("guide/one", "en")
    assert guide is not None
    return guide.modified_ms


def test_a_committed_text_shows_its_commit_and_a_changed_one_its_file(tmp_path: Path):
    page = tmp_path / "guide" / "one.en.md"
    page.parent.mkdir()
    page.write_text("# One\n")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "One")

    stamp(tmp_path)
    os.utime(page, (TOUCHED_S, TOUCHED_S))
    assert modified_ms(tmp_path) == COMMITTED_MS

    page.write_text("# One, changed\n")
    os.utime(page, (TOUCHED_S, TOUCHED_S))
    assert modified_ms(tmp_path) == TOUCHED_S * 1000

    stamp(tmp_path)
    assert modified_ms(tmp_path) == TOUCHED_S * 1000
