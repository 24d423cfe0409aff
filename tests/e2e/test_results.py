"""Results as a real gateway process keeps and serves them: large ones in little memory, parts to curl, and files that
Pillow and FFmpeg open."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.e2e.fetch_large import peak_bytes
from tests.e2e.gateway import GatewayProcess
from tests.media_files import HEIGHT, PICTURES, RECIPES, WIDTH, media_file
from tests.simulators.s3_server import BUCKET, s3_server
from tokengate.core.clock import SystemClock
from tokengate.core.ids import new_id
from tokengate.core.master_key import open_master_key
from tokengate.core.settings import ServerSettings
from tokengate.files.links import Links
from tokengate.files.object_storage import Folder
from tokengate.files.results import Results

MB = 1024 * 1024
LARGE_BYTES = 500 * MB
BUCKET_BYTES = 150 * MB  # the simulated server keeps it in its own memory
ADDED_BYTES = 50 * MB
JOB = "job_1"


class Kept:
    """A gateway, and the results that lie in its folder, put there as another gateway on the same folder would."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.gateway = gateway
        settings = ServerSettings(data=gateway.folder)
        self._links = Links(open_master_key(settings, None), SystemClock())
        self._results = Results(Folder(gateway.folder / "results"), SystemClock(), new_id=new_id)

    async def put(self, name: str, media_type: str, pieces: AsyncIterator[bytes]) -> str:
        """Keep a file and return a link to it."""
        await self._results.put(JOB, name, media_type, pieces, 1 << 40)
        return self.link(name)

    def link(self, name: str, *, until_s: int = 4_000_000_000) -> str:
        return self.gateway.url + self._links.sign(JOB, name, until_s)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Generator[Kept]:
    with GatewayProcess(tmp_path_factory.mktemp("results"), "") as gateway:
        yield Kept(gateway)
        shutil.rmtree(gateway.folder / "results")  # a gigabyte


async def whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


def curl(*arguments: str) -> bytes:
    return subprocess.run(["curl", "--silent", "--show-error", *arguments], check=True, capture_output=True).stdout


async def test_curl_gets_parts_and_resumes(kept: Kept, tmp_path: Path) -> None:
    body = os.urandom(3 * MB)
    link = await kept.put("noise.bin", "application/octet-stream", whole(body))
    half = tmp_path / "half.bin"
    half.write_bytes(body[:MB])

    assert curl(link) == body
    assert curl("--range", "100-299", link) == body[100:300]
    assert curl("--range", "-5", link) == body[-5:]
    assert curl("--http2-prior-knowledge", "--range", "1000000-", link) == body[1_000_000:]
    curl("--continue-at", "-", "--output", str(half), link)
    assert half.read_bytes() == body
    head = curl("--head", link).decode().lower()
    assert f"content-length: {3 * MB}" in head and f'etag: "{hashlib.sha256(body).hexdigest()}"' in head
    status = ("--output", os.devnull, "--write-out", "%{http_code}")
    assert curl(*status, "--range", "3145728-", link) == b"416"
    assert curl(*status, kept.link("noise.bin", until_s=1_700_000_000)) == b"403"
    assert curl(*status, f"{link[:-2]}xx") == b"403"
    assert curl(*status, link.replace("noise", "other")) == b"403"


@pytest.mark.parametrize("name", [*PICTURES, *RECIPES])
async def test_what_comes_out_can_be_opened(kept: Kept, name: str) -> None:
    media_type = PICTURES[name] if name in PICTURES else RECIPES[name].media_type

    got = curl(await kept.put(f"file.{name}", media_type, whole(media_file(name))))

    if name in PICTURES:
        with Image.open(io.BytesIO(got)) as picture:
            picture.load()
            assert picture.size == (WIDTH, HEIGHT)
    else:
        with av.open(io.BytesIO(got), "r") as container:
            assert sum(1 for _ in container.decode(container.streams[0])) > 1


@pytest.mark.slow
@pytest.mark.parametrize("http", ["--http1.1", "--http2-prior-knowledge"])
async def test_a_large_result_is_served_in_little_memory(kept: Kept, http: str) -> None:
    link = await kept.put(f"large{http}.mp4", "video/mp4", aiter_of(large_film(LARGE_BYTES)))
    curl(http, "--range", "0-99", link)  # what serving needs at all is loaded
    before_bytes = peak_bytes(str(kept.gateway.pid))

    with subprocess.Popen(["curl", "--silent", http, link], stdout=subprocess.PIPE) as sending:
        assert sending.stdout is not None
        got = hashlib.file_digest(sending.stdout, "sha256").hexdigest()  # pyright: ignore[reportArgumentType] - a pipe reads as a file

    assert got == digest_of(large_film(LARGE_BYTES))
    assert peak_bytes(str(kept.gateway.pid)) - before_bytes < ADDED_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["folder", "bucket"])
def test_a_large_file_of_a_vendor_is_kept_in_little_memory(storage: str, tmp_path: Path) -> None:
    size_bytes = LARGE_BYTES if storage == "folder" else BUCKET_BYTES
    with film_server(size_bytes) as address, s3_server() if storage == "bucket" else nullcontext() as s3:
        where = [f"file://{tmp_path}"] if s3 is None else [f"s3://{BUCKET}", s3.url]
        ran = subprocess.run(
            [sys.executable, "-m", "tests.e2e.fetch_large", address, *where], capture_output=True, text=True
        )

    shutil.rmtree(tmp_path)
    assert ran.returncode == 0, ran.stderr
    kept_bytes, digest, added_bytes, duration_ms = ran.stdout.splitlines()[-1].split()
    assert digest == digest_of(large_film(size_bytes))
    assert size_bytes <= int(kept_bytes) and int(added_bytes) < ADDED_BYTES
    assert duration_ms == "2000"


def large_film(more_bytes: int) -> Iterator[bytes]:
    """Yield a film whose frames are followed by so many bytes that are none."""
    film = media_file("mp4")
    at = film.index(b"mdat") - 4
    size = int.from_bytes(film[at : at + 4], "big")
    yield film[:at] + (size + more_bytes).to_bytes(4, "big") + film[at + 4 : at + size]
    block = bytes(range(256)) * 256
    for number in range(more_bytes // len(block)):
        yield number.to_bytes(8, "big") + block[8:]
    yield film[at + size :]


async def aiter_of(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def digest_of(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


@contextmanager
def film_server(large_bytes: int) -> Generator[str]:
    """Serve a small film at `/small.mp4` and a large one elsewhere."""

    class Films(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            for piece in large_film(0 if self.path == "/small.mp4" else large_bytes):
                self.wfile.write(piece)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Films) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
