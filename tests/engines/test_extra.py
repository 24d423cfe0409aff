"""What is said of an optional package that is absent, or whose system library is."""

import sys
from pathlib import Path

import pytest

from tests.engines.support import DATA
from tests.support import FakeClock
from tokengate.core.settings import ChatEngineSettings
from tokengate.engines.extra import unusable
from tokengate.engines.llama import LlamaEngine

ABSENT = "libgomp.so.1: cannot open shared object file: No such file or directory"


def test_an_absent_package_is_to_be_installed() -> None:
    said = unusable("xllamacpp", ModuleNotFoundError("No module named 'xllamacpp'"))

    assert said == "xllamacpp is not installed. Run `pip install 'tokengate[local]'`."


def test_another_missing_library_is_named_without_a_remedy() -> None:
    said = unusable("xllamacpp", ImportError("libodd.so.3: cannot open shared object file"))

    assert said == "xllamacpp is installed and cannot be loaded: libodd.so.3: cannot open shared object file."


async def test_the_chat_engine_names_the_library_that_the_system_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xllamacpp.py").write_text(f"raise ImportError({ABSENT!r})\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "xllamacpp", raising=False)
    engine = LlamaEngine(ChatEngineSettings(), DATA, FakeClock())

    await engine.start()

    assert engine.state.name == "failed"
    assert engine.state.sentence == (
        f"xllamacpp is installed and cannot be loaded: {ABSENT}. "
        "Install the system's OpenMP library; Debian and Ubuntu call it libgomp1."
    )
