"""A gateway that has loaded no model has none of the libraries that run models: they belong to the engines' processes,
or to the first load."""

import subprocess
import sys

HEAVY = {"av", "ctranslate2", "faster_whisper", "numpy", "onnxruntime", "piper", "wordllama", "xllamacpp"}


def test_the_gateway_imports_no_library_of_an_engine() -> None:
    code = "import sys, tokengate.app, tokengate.cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)

    assert "tokengate.app" in done.stdout.split()
    assert HEAVY & set(done.stdout.split()) == set()
