"""What a person does first, as the README says it: start, take the printed key, run the samples as printed.

Only the address is changed, since each test run has a port of its own.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.customer import LOCAL_CHAT, NODE, node, wait_until_ready
from tests.e2e.gateway import GatewayProcess
from tests.engines.support import DATA
from tokengate.engines import weights

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh-CN.md")
ADDRESS = "http://127.0.0.1:8700"
SMALL = "[engine.chat]\ncontext = 128\nthreads = 1\n"  # answers end sooner; all else is as it comes


class Started(NamedTuple):
    """A gateway that was started for the first time, and what it printed."""

    gateway: GatewayProcess
    printed: str
    key: str


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Generator[Started]:
    folder = tmp_path_factory.mktemp("first-start")
    weights.pull(DATA)
    (folder / "models").symlink_to(weights.weights_path(DATA).parent)
    with GatewayProcess(folder, SMALL) as gateway:
        wait_until_ready(gateway)
        printed = gateway.log.read_text()
        (key,) = re.findall(r"First key, shown this once: (\S+)", printed)
        yield Started(gateway, printed, key)


def samples(readme: str, language: str) -> list[str]:
    """Return the README's samples in a language that call the gateway."""
    text = (ROOT / readme).read_text()
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for block in blocks if f"{ADDRESS}/v1" in block]


def run(started: Started, command: list[str]) -> str:
    """Run a command with the printed key in the environment, and return what it prints."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "TOKENGATE_API_KEY": started.key},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_curl_lines_answer_and_show_what_it_cost(started: Started):
    chat, usage = (sample.replace(ADDRESS, started.gateway.url) for sample in samples("README.md", "bash"))

    reply = json.loads(run(started, ["bash", "-c", chat]))
    calls = json.loads(run(started, ["bash", "-c", usage]))

    assert reply["choices"][0]["message"]["content"]
    call = calls["data"][0]
    assert call["model"] == LOCAL_CHAT
    assert call["output_tokens"] == reply["usage"]["completion_tokens"]
    assert Decimal(call["cost"]) > 0


def test_the_python_sample_prints_an_answer(started: Started, tmp_path: Path):
    (sample,) = samples("README.md", "python")
    (tmp_path / "sample.py").write_text(sample.replace(ADDRESS, started.gateway.url))

    printed = run(started, [sys.executable, str(tmp_path / "sample.py")])

    assert printed.strip()


def test_the_javascript_sample_prints_an_answer(started: Started, tmp_path: Path):
    (sample,) = samples("README.md", "javascript")
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    (tmp_path / "sample.mjs").write_text(sample.replace(ADDRESS, started.gateway.url))

    printed = run(started, [node(), str(tmp_path / "sample.mjs")])

    assert printed.strip()


@pytest.mark.parametrize("language", ["bash", "python", "javascript"])
def test_both_readmes_show_the_same_samples(language: str):
    english, chinese = (samples(readme, language) for readme in READMES)

    assert english == chinese != []


def test_the_line_that_the_start_prints_works_when_pasted(started: Started):
    line = started.printed[started.printed.index("  curl ") :].partition("\n\n")[0]

    reply = json.loads(run(started, ["bash", "-c", line]))

    assert started.key in line
    assert reply["choices"][0]["message"]["content"]
