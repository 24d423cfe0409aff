"""Samples as programs: written into a folder of their own, built if need be, and run as a reader would, with the key
in the environment.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.e2e.customer import NODE
from tests.samples.portal import FILES, KEY_VARIABLE, Sample

_RUN_S = 100
_JARS = [Path("/usr/share/java") / name for name in ("okhttp.jar", "okio.jar")]
_GUZZLE = Path("/usr/share/php/GuzzleHttp/autoload.php")

Command = list[str | Path]


def run(variant: str, sample: Sample, folder: Path, key: str) -> bytes:
    """Run a sample and return what it printed, or the file that it wrote instead."""
    folder.mkdir(parents=True)
    (folder / sample.file).write_text(sample.code, encoding="utf-8")
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    printed = b""
    for command in _COMMANDS[variant](folder, folder / sample.file):
        printed = _call(command, folder, key)
    written = [
        path for path in folder.iterdir() if path.suffix in _ANSWERS and FILES.get(path.name) != path.read_bytes()
    ]
    return written[0].read_bytes() if written else printed


_ANSWERS = (".png", ".mp3", ".mp4")


def _call(command: Command, folder: Path, key: str) -> bytes:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environ = {**kept, "LANG": "C.UTF-8", "PYTHONUTF8": "1", KEY_VARIABLE: key}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, timeout=_RUN_S)
    assert done.returncode == 0, f"{command}: {done.stderr.decode(errors='replace')}\n{done.stdout[:500]!r}"
    return done.stdout


def _tool(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing: make toolchains"
    return found


def _java(folder: Path, file: Path) -> list[Command]:
    assert all(jar.exists() for jar in _JARS), "OkHttp is missing: make toolchains"
    # What was built stands in a class file; the source launcher would not tell warnings.
    path = os.pathsep.join(str(jar) for jar in (*_JARS, folder))
    encoding = ["-encoding", "UTF-8"]
    return [
        [_tool("javac"), "-Xlint:all", "-cp", path, *encoding, file],
        [_tool("java"), "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-cp", path, "Main"],
    ]


def _javascript(folder: Path, file: Path) -> list[Command]:
    assert (NODE / "node_modules").is_dir(), "the packages of tests/node are missing: make setup"
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    return [[_tool("node"), file]]


def _python(_: Path, file: Path) -> list[Command]:
    return [[sys.executable, "-W", "error::SyntaxWarning", file]]


def _guzzle(folder: Path, file: Path) -> list[Command]:
    assert _GUZZLE.exists(), "Guzzle is missing: make toolchains"
    (folder / "vendor").mkdir()
    (folder / "vendor" / "autoload.php").write_text(f"<?php\nrequire '{_GUZZLE}';\n")
    return [[_tool("php"), file]]


def _c(folder: Path, file: Path) -> list[Command]:
    program = folder / "sample"
    return [[_tool("gcc"), "-Wall", "-Wextra", "-Werror", file, "-o", program, "-lcurl"], [program]]


_COMMANDS: dict[str, Callable[[Path, Path], list[Command]]] = {
    "shell.curl": lambda _, file: [[_tool("bash"), file]],
    "javascript.fetch": _javascript,
    "javascript.axios": _javascript,
    "javascript.openai": _javascript,
    "javascript.anthropic": _javascript,
    "javascript.google": _javascript,
    "java.okhttp": _java,
    "java.httpclient": _java,
    "go.net-http": lambda _, file: [[_tool("go"), "run", file]],
    "php.guzzle": _guzzle,
    "php.curl": lambda _, file: [[_tool("php"), file]],
    "python.requests": _python,
    "python.openai": _python,
    "python.langchain": _python,
    "python.anthropic": _python,
    "python.google": _python,
    "python.dashscope": _python,
    "c.libcurl": _c,
    "ruby.net-http": lambda _, file: [[_tool("ruby"), "-w", file]],
    "r.httr": lambda _, file: [[_tool("Rscript"), file]],
}
