from pathlib import Path
from typing import Annotated

import pytest
import typer
from msgspec import Meta, Struct, field

from tools import tidy


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def messages(root: Path, module: str, source: str) -> list[str]:
    file = root / tidy.SOURCE / module
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    return [f"{finding.place}: {finding.message}" for finding in tidy.check_source(root, file)]


@pytest.mark.parametrize("source", ["x = 1.5", "x = float(y)", "x = a / b", "x /= 2", "x = 1e3", "x = path / name"])
@pytest.mark.parametrize("folder", ["ledger", "billing", "catalog"])
def test_a_float_near_money_is_found(root: Path, folder: str, source: str):
    found = messages(root, f"{folder}/deep/rules.py", f"y = 1\n{source}\n")

    assert len(found) == 1
    assert found[0].startswith(f"src/tokengate/{folder}/deep/rules.py:2: ")


@pytest.mark.parametrize("source", ["x = a // b", "x = 1_000", 'x = folder / "prices.toml"', "x = 'a 1.5 / 2'"])
def test_integers_and_paths_near_money_are_fine(root: Path, source: str):
    assert messages(root, "ledger/rules.py", source) == []


def test_a_float_far_from_money_is_fine(root: Path):
    assert messages(root, "upstream/transport.py", "timeout_s = 1.5 / 2") == []


@pytest.mark.parametrize("source", ["import sqlalchemy", "from sqlalchemy.ext.asyncio import AsyncConnection"])
def test_sql_outside_of_a_store_is_found(root: Path, source: str):
    assert len(messages(root, "ledger/teller.py", source)) == 1
    assert messages(root, "ledger/store.py", source) == []
    assert messages(root, "storage/writer.py", source) == []


@pytest.mark.parametrize(
    "source", ["import os\nx = os.environ['A']", "import os\nos.getenv('A')", "from os import environ"]
)
def test_reading_the_environment_outside_of_the_settings_is_found(root: Path, source: str):
    assert len(messages(root, "upstream/transport.py", source)) == 1
    assert messages(root, "core/settings_file.py", source) == []


def test_a_provider_that_imports_another_is_found(root: Path):
    folder = root / tidy.SOURCE / "providers"
    folder.mkdir(parents=True)
    (folder / "shared.py").write_text("class Shared: ...\n")
    (folder / "openai.py").write_text("from tokengate.providers.shared import Shared\nPROVIDER = Shared()\n")
    (folder / "azure.py").write_text("from tokengate.providers.openai import PROVIDER as base\nPROVIDER = base\n")

    found = list(tidy.check_providers(root))

    assert found == [tidy.Finding("src/tokengate/providers/azure.py:1", "a provider imports another provider")]


def test_every_command_must_be_shown():
    app = typer.Typer()
    keys = typer.Typer()
    app.add_typer(keys, name="keys")
    app.command("serve")(lambda: None)
    keys.command("create")(lambda: None)
    keys.command("list")(lambda: None)

    commands = tidy.commands_of(app)
    found = list(tidy.check_commands(commands, "guide", "run `tokengate serve`, then `tokengate keys list --json`"))

    assert sorted(commands) == ["tokengate keys create", "tokengate keys list", "tokengate serve"]
    assert found == [tidy.Finding("guide", "`tokengate keys create` is not documented")]


class Server(Struct, frozen=True):
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1)] = 8700


class Upstream(Struct, frozen=True):
    name: str
    models: list[str] = field(default_factory=list[str])


class Everything(Struct, frozen=True):
    server: Server = Server()
    upstream: list[Upstream] = field(default_factory=list[Upstream])


REFERENCE = """
## `[server]`
| key | default | meaning |
| `host` | `"127.0.0.1"` | where |
| `port` | `8700` | where |
## `[[upstream]]`
| `name` | required | what |
| `models` | `[]` | what |
"""


def test_a_reference_that_names_every_setting_with_its_default_is_fine():
    assert list(tidy.check_settings(Everything, "reference", REFERENCE)) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("| `port` | `8700` | where |\n", "", "`port` of [server] is not documented"),
        ("`8700`", "`8701`", "the default of `port` of [server] is `8700`, not `8701`"),
        ("| `name` |", "| `nmae` |", "`name` of [[upstream]] is not documented"),
        (
            "| `models` | `[]`",
            "| `modles` | `[]`",
            "`modles` of [[upstream]] is documented, but there is no such setting",
        ),
    ],
)
def test_a_reference_that_is_wrong_is_found(old: str, new: str, message: str):
    found = tidy.check_settings(Everything, "reference", REFERENCE.replace(old, new))

    assert message in [finding.message for finding in found]


def test_a_page_in_one_language_only_is_found():
    found = list(tidy.check_pairs(["billing.en.md", "billing.zh.md", "operating.zh.md"]))

    assert [finding.place for finding in found] == ["docs/guide/operating.zh.md"]
