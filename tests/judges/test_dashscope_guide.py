"""The guide's samples do what the guide says: each is run as it stands, but for the gateway's address."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.judges.dashscope_place import Place, open_place

ROOT = Path(__file__).parents[2]
GUIDES = {lang: (ROOT / "docs" / "guide" / f"sdk-dashscope.{lang}.md").read_text() for lang in ("en", "zh")}
HELLO = {"en": "Hello", "zh": "你好"}
ADDRESS = "http://127.0.0.1:8700/api/v1"

each_language = pytest.mark.parametrize("lang", GUIDES)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with open_place("gateway", tmp_path_factory.mktemp("guide")) as opened:
        yield opened


def samples(lang: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDES[lang], re.DOTALL)


def run(command: list[str], code: str, place: Place) -> str:
    """Return what a sample printed."""
    environ = {**os.environ, "TOKENGATE_API_KEY": place.key}
    done = subprocess.run(
        [*command, code.replace(ADDRESS, place.url)], capture_output=True, text=True, env=environ, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@each_language
@pytest.mark.parametrize("number", range(4))
def test_a_sample_in_python_prints_an_answer(lang: str, number: int, place: Place) -> None:
    seen = " (video)" if number == 2 else ""

    assert run([sys.executable, "-c"], samples(lang, "python")[number], place) == f"You said: {HELLO[lang]}{seen}"


@each_language
def test_a_picture_a_film_and_a_recording_lie_at_addresses_of_this_platform(lang: str, place: Place) -> None:
    picture, film, recording = (run([sys.executable, "-c"], code, place) for code in samples(lang, "python")[4:])

    own = place.url.removesuffix("/api/v1")
    assert picture.startswith(f"{own}/v1/results/")
    task_id, address = film.splitlines()
    assert len(task_id) == 36
    assert address.startswith(f"{own}/v1/results/") and address.endswith(" 5")
    assert recording.startswith(f"SUCCEEDED {own}/v1/results/")


@each_language
def test_the_command_prints_a_message(lang: str, place: Place) -> None:
    (code,) = [code for code in samples(lang, "bash") if code.startswith("curl")]

    told = json.loads(run(["bash", "-c"], code.replace("curl", "curl -s", 1), place))

    assert told["output"]["choices"][0]["message"]["content"] == f"You said: {HELLO[lang]}"


@each_language
def test_a_program_takes_both_values_from_the_environment(lang: str, place: Place) -> None:
    (exports,) = [code for code in samples(lang, "bash") if code.startswith("export")]
    program = "import dashscope; print(dashscope.Generation.call('qwen-plus', prompt='hi').output.text)"

    assert run(["bash", "-c"], f'{exports}\n{sys.executable} -c "{program}"', place) == "You said: hi"


def test_both_languages_have_the_same_samples() -> None:
    assert [len(samples("en", one)) for one in ("python", "bash")] == [7, 3]
    for language in ("python", "bash"):
        assert [
            re.sub("你好", "Hello", re.sub("一只小猫在月光下奔跑", "A running kitten", code))
            for code in samples("zh", language)
        ] == samples("en", language)
