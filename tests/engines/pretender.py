"""A program of a test's in place of the one that an engine starts."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


class Pretender:
    """Runs a Python script, with the command that it replaces as its arguments, and knows which processes it was."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: ModuleType, script: str) -> None:
        """`module` is where the program is started from."""
        self.processes: list[int] = []
        real = module.start_program

        def start(command: list[str], **options: Any) -> Any:
            process = real([sys.executable, "-c", script, *command], **options)
            self.processes.append(process.pid)
            return process

        monkeypatch.setattr(module, "start_program", start)

    @property
    def living(self) -> int:
        return sum(Path(f"/proc/{number}").exists() for number in self.processes)
