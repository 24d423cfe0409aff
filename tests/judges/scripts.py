"""Runs one scenario of a JavaScript judge in `tests/node`, and returns what it printed; and the guide's Python."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.customer import node

_FOLDER = Path(__file__).parents[1] / "node"
_GUIDES = Path(__file__).parents[2] / "docs" / "guide"


def run(script: str, scenario: str, *, url: str, key: str, model: str) -> Any:
    """Return what a scenario printed, which is JSON."""
    settings = {"BASE_URL": url, "API_KEY": key, "MODEL": model}
    command = [node(), _FOLDER / script, scenario]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | settings, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def python_of(guide: str) -> list[str]:
    """Return the samples in Python of a page of the guide."""
    return re.findall(r"```python\n(.*?)```", (_GUIDES / guide).read_text(), re.DOTALL)


def run_python(code: str, folder: Path, key: str) -> str:
    """Run a sample in a folder, with a key as its reader would have one; return what it prints."""
    environment = os.environ | {"TOKENGATE_API_KEY": key}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
