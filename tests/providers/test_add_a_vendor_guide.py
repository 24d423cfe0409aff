"""The guide "Add a vendor in ten minutes", followed to the letter in a copy of the repository."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = {lang: (ROOT / "docs" / "guide" / f"add-a-vendor.{lang}.md").read_text() for lang in ("en", "zh")}
# Those of the guide, each narrowed to what the vendor adds.
_COMMANDS = (
    "tests/providers/test_moonbeam.py tests/reference/test_tree.py",
    "tests/laws/test_format_laws.py -k recorded",
    "tests/judges/test_pairs.py -k anthropic-moonbeam-whole",
)
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "static", "node_modules", "*.xz", "browser")


def files(text: str) -> dict[str, str]:
    """Return the files that a guide shows, by their paths."""
    return dict(re.findall(r"^`([\w/.-]+)`\n\n```\w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


def test_both_languages_show_the_same_files() -> None:
    shown = [re.findall(r"```(.*?)```", text, re.DOTALL) for text in GUIDES.values()]

    assert shown[0] == shown[1]


@pytest.mark.slow
def test_the_guides_vendor_works(tmp_path: Path) -> None:
    for folder in ("src/tokengate", "tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=_LEFT_OUT)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    written = files(GUIDES["en"])
    for path, content in written.items():
        (tmp_path / path).write_text(content)
    _join(tmp_path / "tests" / "judges" / "backends.py")

    for command in _COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *command.split()],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path / "src")},
        )
        assert done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-2000:])

    assert set(written) == {
        "src/tokengate/providers/moonbeam.py",
        "src/tokengate/catalog/data/moonbeam.toml",
        "tests/fixtures/openai/moonbeam.reply.json",
        "tests/fixtures/openai/moonbeam.sse",
        "tests/simulators/moonbeam_vendor.py",
        "tests/providers/test_moonbeam.py",
    }


def _join(backends: Path) -> None:
    """Do what the guide's step 6 says in words."""
    (constant,) = re.findall(r"^```python\n(MOONBEAM = .*?)^```$", GUIDES["en"], re.DOTALL | re.MULTILINE)
    text = backends.read_text()
    text = text.replace("from tests.simulators.openai_upstream", f"{_IMPORT}from tests.simulators.openai_upstream")
    text = re.sub(r"^BACKENDS = \((.*?),?\)$", rf"{constant}BACKENDS = (\1, MOONBEAM)", text, flags=re.MULTILINE)
    backends.write_text(text)


_IMPORT = "from tests.simulators.moonbeam_vendor import MoonbeamSimulator\n"
