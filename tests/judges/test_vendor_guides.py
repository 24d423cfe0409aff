"""The guides about vendors say what happens: their configurations are read, their commands run, their answers come."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.e2e.gateway import GatewayProcess
from tests.judges.backends import ANTHROPIC, DEEPSEEK
from tests.reference.conversion import tables
from tests.simulators.deepseek_vendor import MODELS
from tokengate.cli.main import app
from tokengate.core.settings_file import load
from tokengate.gateway.backends import upstreams_of
from tokengate.providers.load import all_providers
from tokengate.reference.words import Lang

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8700"
FORMATS = {
    "anthropic": "Anthropic Messages",
    "dashscope": "DashScope",
    "gemini": "Gemini",
    "openai": "OpenAI chat",
    "responses": "OpenAI Responses",
}
LANGUAGES: tuple[Lang, ...] = ("en", "zh")

each_language = pytest.mark.parametrize("lang", LANGUAGES)


def guide(name: str, lang: str) -> str:
    return (ROOT / "docs" / "guide" / f"{name}.{lang}.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[GatewayProcess, str]]:
    with ANTHROPIC.simulated() as (anthropic, anthropic_key), DEEPSEEK.simulated() as (deepseek, deepseek_key):
        config = (
            f'[[upstream]]\nname = "anthropic"\nprovider = "anthropic"\nbase_url = "{anthropic}"\n'
            f'api_key = "{anthropic_key}"\nmodels = {{ "claude-sonnet-4-6" = "claude-sonnet-4-5" }}\n'
            f'[[upstream]]\nname = "deepseek"\nprovider = "deepseek"\nbase_url = "{deepseek}"\n'
            f'api_key_env = "DEEPSEEK_API_KEY"\n'
        )
        environ = {"DEEPSEEK_API_KEY": deepseek_key}
        folder = tmp_path_factory.mktemp("guides")
        with GatewayProcess(folder, config, environ=environ) as process:
            yield process, process.create_key("1000")


def run(code: str, gateway: tuple[GatewayProcess, str]) -> str:
    """Return what a guide's commands print beside this gateway."""
    process, key = gateway
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "COLUMNS": "200",
        "TOKENGATE_CONFIG": str(process.config),
        "TOKENGATE_DATA": str(process.folder),
        "TOKENGATE_PORT": str(process.port),
        "TOKENGATE_API_KEY": key,
        "DEEPSEEK_API_KEY": "sk-simulated",
    }
    done = subprocess.run(
        ["bash", "-c", code.replace(ADDRESS, process.url)], capture_output=True, text=True, env=environ, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return re.sub("req_[0-9a-f]{32}", "req_...", done.stdout.replace("\r", "").strip())


@each_language
def test_the_table_of_providers_is_complete_and_true(lang: str) -> None:
    needed, none, comma = ("needed", "none", ", ") if lang == "en" else ("必填", "无", "、")
    tasks = "its own tasks" if lang == "en" else "自有任务"
    rows = [
        (
            f"| `{name}` | {f'`{one.base_url}`' if one.base_url else needed} | "
            f"{f'`{one.key_env}`' if one.key_env else none} | "
            f"{comma.join(FORMATS[format] for format in one.formats) or tasks} |"
        )
        for name, one in sorted(all_providers().items())
        if name != "local"
    ]

    assert "\n".join(rows) in guide("connect-a-vendor", lang)


def test_every_snippet_is_a_configuration_that_can_be_served(tmp_path: Path) -> None:
    snippets = blocks(guide("connect-a-vendor", "en"), "toml")
    keys = {name: "k" for text in snippets for name in re.findall(r'api_key_env = "(\w+)"', text)}
    config = tmp_path / "tokengate.toml"

    for text in snippets:
        config.write_text(text)
        checked = CliRunner().invoke(app, ["config", "check", "--config", str(config)], env=keys)
        assert checked.exit_code == 0, (text, checked.output)

    assert blocks(guide("connect-a-vendor", "zh"), "toml") == snippets
    named = {name for text in snippets for name in re.findall(r'provider = "(\w+)"', text)}
    assert named == set(all_providers()) - {"local", "openai_compatible"}


@each_language
def test_a_region_s_address_is_its_providers_but_for_the_host(lang: str) -> None:
    rows = re.findall(
        r"^\| \S+ \| `(https://dashscope\S+)` \| `(https://\S+)` \|$", guide("connect-a-vendor", lang), re.M
    )

    assert len(rows) == 2
    assert rows[0] == tuple(all_providers()[name].base_url for name in ("dashscope", "dashscope_native"))
    assert {url.replace("-intl", "") for url in rows[1]} == set(rows[0])


@each_language
def test_the_commands_show_that_a_vendor_works(lang: str, gateway: tuple[GatewayProcess, str]) -> None:
    start, check, upstreams, chat = blocks(guide("connect-a-vendor", lang), "bash")

    assert start.startswith("export DEEPSEEK_API_KEY=")
    assert "Problems: none" in run(check, gateway)
    shown = run(upstreams, gateway).splitlines()
    assert [line.split()[0] for line in shown[1:]] == ["anthropic", "deepseek"]
    assert set(MODELS) <= set(re.split(r"[ ,]+", shown[2])) and " closed " in shown[2]
    assert run(chat, gateway) == f"You said: {'Hello' if lang == 'en' else '你好'}"


def test_a_key_alone_turns_the_vendor_on(tmp_path: Path) -> None:
    file = tmp_path / "tokengate.toml"
    file.write_text("")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPSEEK_API_KEY", "sk-1")
        found = upstreams_of(load(file))

    assert "deepseek" in [one.name for one in found]


@each_language
def test_the_tables_of_what_is_converted_are_what_the_writers_do(lang: Lang) -> None:
    text = guide("conversion", lang)

    for table in tables(lang):  # `python -m tests.reference.conversion` prints them
        assert table in text


@each_language
def test_the_answers_of_the_examples_are_real(lang: str, gateway: tuple[GatewayProcess, str]) -> None:
    text = guide("conversion", lang)

    for command, printed in zip(blocks(text, "bash"), blocks(text, "text"), strict=True):
        assert run(command, gateway) == printed.strip()
