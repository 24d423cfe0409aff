"""The guide to AI applications: its commands, its request to the console and its configuration do what it says."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.gateway import GatewayProcess
from tests.hosted import upstream
from tests.simulators.openai_upstream import ThreadedUpstream, by_model
from tokengate.core.settings_file import load

ROOT = Path(__file__).parents[2]
GUIDES = {lang: (ROOT / "docs" / "guide" / f"ai-applications.{lang}.md").read_text() for lang in ("en", "zh")}
ADDRESS = "http://127.0.0.1:8700"

each_language = pytest.mark.parametrize("lang", GUIDES)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("guide")
    with (
        ThreadedUpstream(by_model) as simulator,
        GatewayProcess(folder, upstream(simulator.url, "qwen-plus")) as gateway,
    ):
        gateway.command("users", "create", "--email", "root@platform.example", "--operator")
        yield gateway


def blocks(lang: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDES[lang], re.DOTALL)


def run(code: str, gateway: GatewayProcess, **environ: str) -> str:
    done = subprocess.run(
        ["bash", "-ec", code.replace(ADDRESS, gateway.url)],
        capture_output=True,
        text=True,
        timeout=60,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "TOKENGATE_CONFIG": str(gateway.config),
            "TOKENGATE_DATA": str(gateway.folder),
            **environ,
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@each_language
def test_the_commands_publish_change_and_delete_an_application(lang: str, gateway: GatewayProcess) -> None:
    (code,) = [code for code in blocks(lang, "bash") if code.startswith("tokengate apps create")]
    prompts = {"en": "You show people around. Answer briefly.", "zh": "你带大家游览城市，回答要简短。"}

    printed = run(code, gateway)

    assert prompts[lang] in printed and "城市向导 / City guide" in printed
    assert printed.splitlines()[-1] == "guide is deleted."
    assert [row["name"] for row in gateway.command("apps", "list")] == []


@each_language
def test_the_request_to_the_console_s_api_publishes_one(lang: str, gateway: GatewayProcess) -> None:
    (code,) = [code for code in blocks(lang, "bash") if "/console/api/" in code]
    token = gateway.command("admin-tokens", "create", "--name", lang)["token"]

    made = json.loads(run(code.replace("curl", "curl -s", 1), gateway, TOKENGATE_ADMIN_TOKEN=token))

    assert (made["name"], made["state"]) == ("guide", "available")
    gateway_key = gateway.create_key()
    (call,) = [code for code in blocks(lang, "bash") if "/v1/chat/completions" in code]
    called = call.replace("curl", "curl -s", 1).replace("xiaowei", "app/guide")
    assert json.loads(run(called, gateway, TOKENGATE_API_KEY=gateway_key))["model"] == "app/guide"
    run("tokengate apps delete guide", gateway)


@each_language
def test_the_configurations_can_be_read(lang: str, tmp_path: Path) -> None:
    for number, text in enumerate(blocks(lang, "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(text)
        assert load(file)


def test_both_languages_have_the_same_commands() -> None:
    first_words = [
        [line.split()[:4] for block in blocks(lang, "bash") for line in block.splitlines() if line[0] != " "]
        for lang in GUIDES
    ]

    assert first_words[0] == first_words[1]
