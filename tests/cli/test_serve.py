"""`tokengate serve` as a process: what it prints, and how it ends."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

NO_ENGINES = """
[engine.chat]
enabled = false
[engine.embedding]
enabled = false
[engine.speech]
enabled = false
[engine.transcription]
enabled = false
[[upstream]]
name = "vllm"
base_url = "http://127.0.0.1:1/v1"
models = ["ours"]
[[model]]
id = "ours"
price = { input = "1", output = "2" }
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(folder: Path, port: int) -> Generator[str]:
    """Run `tokengate serve` in a folder; yield what it printed until it was ready, then stop it."""
    environ = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    command = [sys.executable, "-m", "tokengate", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        printed = ""
        for line in process.stdout:
            printed += line
            if line.startswith("    -d "):
                break
        yield printed
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_first_start_hands_out_a_key_that_works_and_later_ones_do_not(tmp_path: Path):
    (tmp_path / "tokengate.toml").write_text(NO_ENGINES)
    port = free_port()

    with serving(tmp_path, port) as first:
        key = re.search(r"First key, shown this once: (sk-\w{43})\n", first)
        assert key is not None
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/balance", headers={"Authorization": f"Bearer {key[1]}"}
        )
        with urllib.request.urlopen(request) as reply:
            balance = reply.read()
    with serving(tmp_path, port) as second:
        pass

    assert b'"balance":"10"' in balance
    assert f"answers at http://127.0.0.1:{port} " in first
    assert "Upstreams: vllm." in first
    assert f'-H "Authorization: Bearer {key[1]}"' in first
    assert '"model": "ours"' in first
    assert stat.S_IMODE((tmp_path / "data" / "master.key").stat().st_mode) == 0o600
    assert "First key" not in second
    link = re.search(rf"  http://127\.0\.0\.1:{port}/invitations/(\S+)\n", first)
    assert link is not None and link[1] not in second and "/invitations/" in second  # nobody has used it
    assert "$TOKENGATE_API_KEY" in second
