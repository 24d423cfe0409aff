"""An S3-compatible server: moto's, as a process of its own, with what it is asked to forget or to keep."""

import http.client
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from tests.e2e.gateway import free_port

ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLE", "a-secret"
BUCKET = "files"

_READY = b"Running on"


class S3Server:
    """Answers at `url`, with one bucket."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port

    def ask(self, method: str, path: str) -> bytes:
        """Ask as an administrator: the server wants no signature."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            body = reply.read()
            assert reply.status < 300, (method, path, reply.status, body)
            return body
        finally:
            connection.close()

    def held(self) -> list[str]:
        """Return the keys of the bucket."""
        listing = self.ask("GET", f"/{BUCKET}?list-type=2").decode()
        return [part.partition("</Key>")[0] for part in listing.split("<Key>")[1:]]

    def uploads(self) -> int:
        """Return how many uploads in parts were begun and neither completed nor aborted."""
        return self.ask("GET", f"/{BUCKET}?uploads").count(b"<UploadId>")


@contextmanager
def s3_server() -> Generator[S3Server]:
    """Run a server with an empty bucket."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    log = process.stderr
    try:
        assert any(_READY in line for line in log), "the S3 server ended before it was ready"
        threading.Thread(target=log.read, daemon=True).start()  # else its log would fill the pipe and stop it
        server = S3Server(port)
        server.ask("PUT", f"/{BUCKET}")
        yield server
    finally:
        process.terminate()
        process.wait()
        log.close()
