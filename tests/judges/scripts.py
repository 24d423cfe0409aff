"""Runs one scenario of a JavaScript judge in `tests/node`, and returns what it printed."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.customer import node

_FOLDER = Path(__file__).parents[1] / "node"


def run(script: str, scenario: str, *, url: str, key: str, model: str) -> Any:
    """Return what a scenario printed, which is JSON."""
    settings = {"BASE_URL": url, "API_KEY": key, "MODEL": model}
    command = [node(), _FOLDER / script, scenario]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | settings, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
