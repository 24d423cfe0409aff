"""The guide's samples do what the guide says: each is run as it stands, but for the gateway's address."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.customer import node
from tests.judges.openai_place import Place, place_of

ROOT = Path(__file__).parents[2]
GUIDES = {lang: (ROOT / "docs" / "guide" / f"sdk-openai.{lang}.md").read_text() for lang in ("en", "zh")}
SAID = {"en": "You said: Hello", "zh": "You said: 你好"}
ADDRESS = "http://127.0.0.1:8700/v1"

each_language = pytest.mark.parametrize("lang", GUIDES)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of("gateway", tmp_path_factory.mktemp("guide")) as place:
        yield place


def samples(lang: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDES[lang], re.DOTALL)


def run(command: list[str], code: str, place: Place, cwd: Path = ROOT) -> str:
    """Return what a sample printed."""
    environ = {**os.environ, "TOKENGATE_API_KEY": place.key}
    done = subprocess.run(
        [*command, code.replace(ADDRESS, place.url)], capture_output=True, text=True, env=environ, cwd=cwd, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@each_language
def test_the_samples_in_python_print_an_answer(lang: str, place: Place) -> None:
    for code in samples(lang, "python"):
        assert run([sys.executable, "-c"], code, place) == SAID[lang]


@each_language
def test_the_samples_in_javascript_print_an_answer(lang: str, place: Place) -> None:
    for code in samples(lang, "javascript"):
        assert run([node(), "--input-type=module", "-e"], code, place, ROOT / "tests" / "node") == SAID[lang]


def test_both_languages_have_the_same_samples() -> None:
    assert [len(samples("en", one)) for one in ("python", "javascript", "bash")] == [5, 2, 3]
    assert [re.sub("你好", "Hello", code) for code in samples("zh", "python")] == samples("en", "python")
    assert [re.sub("你好", "Hello", code) for code in samples("zh", "javascript")] == samples("en", "javascript")
