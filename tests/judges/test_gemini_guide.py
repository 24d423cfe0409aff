"""The guide's samples do what the guide says: each is run as it stands, but for the gateway's address."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.customer import node
from tests.judges.gemini_place import open_place

ROOT = Path(__file__).parents[2]
GUIDES = {lang: (ROOT / "docs" / "guide" / f"sdk-google.{lang}.md").read_text() for lang in ("en", "zh")}
SAID = {"en": "You said: Hello", "zh": "You said: 你好"}
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
    printed = [run([sys.executable, "-c"], code, place).strip() for code in samples(lang, "python")]

    assert printed == [SAID[lang]] * 3 + ["2 vectors"]


@pytest.mark.parametrize("lang", GUIDES)
def test_the_sample_in_javascript_prints_an_answer(lang: str, place: Place) -> None:
    (code,) = samples(lang, "javascript")

    assert run([node(), "--input-type=module", "-e"], code, place, ROOT / "tests" / "node").strip() == SAID[lang]


@pytest.mark.parametrize("lang", GUIDES)
def test_the_commands_print_content(lang: str, place: Place) -> None:
    whole, stream = [
        run(["bash", "-c"], code.replace("curl", "curl -s", 1), place)
        for code in samples(lang, "bash")
        if code.startswith("curl")
    ]

    assert SAID[lang].split()[-1] in whole and '"finishReason": "STOP"' in whole
    assert stream.startswith("data: {") and '"finishReason": "STOP"' in stream


@pytest.mark.parametrize("lang", GUIDES)
def test_the_environment_is_enough(lang: str, place: Place) -> None:
    (exports,) = [code for code in samples(lang, "bash") if code.startswith("export")]
    call = 'client.models.generate_content(model="gemini-3-flash-preview", contents="Hi").text'
    code = f"from google import genai; client = genai.Client(); print({call})"

    said = run(["bash", "-c"], f"{exports}\n{sys.executable} -c '{code}'", place)

    assert said.strip() == "You said: Hi"


def test_both_languages_have_the_same_samples() -> None:
    for language in ("python", "javascript", "bash"):
        english, chinese = (
            [re.sub(r'"[^"\n]*"', '""', code) for code in samples(lang, language)] for lang in ("en", "zh")
        )
        assert len(english) == len(chinese) and english[0] == chinese[0]
