"""The guide's samples do what the guide says: each is run as it stands, but for the gateway's address."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.customer import node
from tests.judges.anthropic_place import open_place

ROOT = Path(__file__).parents[2]
GUIDES = {lang: (ROOT / "docs" / "guide" / f"sdk-anthropic.{lang}.md").read_text() for lang in ("en", "zh")}
ADDRESS = "http://127.0.0.1:8700"

Place = tuple[str, str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with open_place("gateway", tmp_path_factory.mktemp("guide")) as opened:
        yield opened


def samples(lang: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDES[lang], re.DOTALL)


def run(command: list[str], code: str, place: Place, cwd: Path = ROOT) -> str:
    """Return what a sample printed."""
    url, key = place
    environ = {**os.environ, "TOKENGATE_API_KEY": key}
    done = subprocess.run(
        [*command, code.replace(ADDRESS, url)], capture_output=True, text=True, env=environ, cwd=cwd, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("lang", GUIDES)
def test_the_samples_in_python_print_an_answer(lang: str, place: Place) -> None:
    for code in samples(lang, "python"):
        assert run([sys.executable, "-c"], code, place).strip() == f"You said: {'Hello' if lang == 'en' else '你好'}"


@pytest.mark.parametrize("lang", GUIDES)
def test_the_sample_in_javascript_prints_an_answer(lang: str, place: Place) -> None:
    (code,) = samples(lang, "javascript")

    said = run([node(), "--input-type=module", "-e"], code, place, ROOT / "tests" / "node")

    assert said.strip().startswith("You said: ")


@pytest.mark.parametrize("lang", GUIDES)
def test_the_command_prints_a_message(lang: str, place: Place) -> None:
    (code,) = [code for code in samples(lang, "bash") if code.startswith("curl")]

    assert '"stop_reason":"end_turn"' in run(["bash", "-c"], code.replace("curl", "curl -s", 1), place)


def test_both_languages_have_the_same_samples_and_variables() -> None:
    names = [sorted(re.findall(r"ANTHROPIC_[A-Z_]+=\S+", text)) for text in GUIDES.values()]

    assert names[0] == names[1] and len(names[0]) == 6
    assert [len(samples("en", one)) for one in ("python", "javascript", "bash")] == [
        len(samples("zh", one)) for one in ("python", "javascript", "bash")
    ]
