from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tokengate.cli.main import main


class Ran(NamedTuple):
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return msgspec.json.decode(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in an empty folder, without any of the variables that it looks at."""
    monkeypatch.chdir(tmp_path)
    for name in ("TOKENGATE_CONFIG", "TOKENGATE_DATABASE_URL", "TOKENGATE_DATA", "TOKENGATE_HOST", "TOKENGATE_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("TOKENGATE_API_KEY", "OPENAI_API_KEY", "DASHSCOPE_API_KEY", "TOKENGATE_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        status = main(arguments)
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return run
