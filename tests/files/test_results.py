"""Results in a folder and in a bucket: whole or not at all, found by their job, gone when their days are over."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Generator, Set
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulators.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, s3_server
from tests.support import FakeClock
from tokengate.core.clock import SystemClock
from tokengate.core.errors import BadRequest, NotFound, Unavailable
from tokengate.core.ids import new_id
from tokengate.core.settings import ResultSettings
from tokengate.files.object_storage import Bucket, Folder, Place, place_of
from tokengate.files.results import Results, Stored

MB = 1024 * 1024
JOB = "job_1"

Held = Callable[[], list[str]]  # the keys of everything that is kept


@pytest.fixture(scope="module")
def s3() -> Generator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Folder(tmp_path / "results")
    server: S3Server = request.getfixturevalue("s3")
    settings = ResultSettings(url=f"s3://{BUCKET}/{tmp_path.name}", endpoint=server.url)
    return place_of(settings, tmp_path, (ACCESS_KEY, SECRET_KEY))


@pytest.fixture
def held(place: Place, request: pytest.FixtureRequest) -> Held:
    match place:
        case Folder(path):
            return lambda: [str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()]
        case Bucket(prefix=prefix):
            server: S3Server = request.getfixturevalue("s3")
            return lambda: [key.removeprefix(f"{prefix}/") for key in server.held() if key.startswith(prefix)]


@pytest.fixture
def results(place: Place) -> Results:
    return results_at(place)


def results_at(place: Place, *, later_s: float = 0) -> Results:
    clock = FakeClock(SystemClock.now_s() + later_s)
    return Results(place, clock, new_id=new_id)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def put(results: Results, body: bytes = b"film", name: str = "film.mp4", job_id: str = JOB) -> Stored:
    return await results.put(job_id, name, "video/mp4", pieces(body), 100 * MB)


def jobs_in(keys: list[str]) -> set[str]:
    return {key.partition("/")[0] for key in keys}


async def body_of(results: Results, name: str = "film.mp4", start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in (await results.open(JOB, name)).read(start, end)])


@pytest.mark.parametrize("size_bytes", [0, 1, 5 * MB, 12 * MB + 7])
async def test_a_result_comes_back_as_it_was_stored(results: Results, size_bytes: int) -> None:
    body = os.urandom(size_bytes)
    cut = (body[at : at + 700_001] for at in range(0, size_bytes, 700_001))

    stored = await results.put(JOB, "film.mp4", "video/mp4", pieces(*cut), size_bytes)

    assert stored == Stored("film.mp4", "video/mp4", size_bytes, hashlib.sha256(body).hexdigest())
    assert (await results.open(JOB, "film.mp4")).stored == stored
    assert await body_of(results) == body
    if size_bytes > 10:
        assert await body_of(results, start=10, end=size_bytes - 3) == body[10:-3]
        assert await body_of(results, start=size_bytes - 1) == body[-1:]
    assert await body_of(results, end=0) == b""


async def test_a_body_is_read_in_pieces_and_may_be_left_at_any_time(results: Results) -> None:
    await put(results, bytes(3 * MB))
    reading = (await results.open(JOB, "film.mp4")).read()

    first = await anext(reading)
    await reading.aclose()

    assert 0 < len(first) <= MB


async def test_nothing_is_there_before_it_is_whole(results: Results, held: Held) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield bytes(MB)
        with pytest.raises(NotFound):
            await results.open(JOB, "film.mp4")
        assert all("#" in key for key in held()), "a folder has the part that is being written, under such a name"

    await results.put(JOB, "film.mp4", "video/mp4", parts(), 100 * MB)

    assert (await results.open(JOB, "film.mp4")).stored.size_bytes == 12 * MB


@pytest.mark.parametrize("after_mb", [0, 2, 12])
async def test_nothing_is_left_of_what_breaks_off(
    results: Results, held: Held, request: pytest.FixtureRequest, after_mb: int
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(after_mb):
            yield bytes(MB)
        raise ConnectionError("the vendor is gone")

    with pytest.raises(ConnectionError, match="the vendor is gone"):
        await results.put(JOB, "film.mp4", "video/mp4", parts(), 100 * MB)

    assert held() == []
    if "bucket" in request.node.name:
        assert request.getfixturevalue("s3").uploads() == 0


@pytest.mark.parametrize("after_mb", [1, 6, 12])
async def test_nothing_is_left_of_what_is_cancelled(
    results: Results, held: Held, request: pytest.FixtureRequest, after_mb: int
) -> None:
    waits = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(after_mb):
            yield bytes(MB)
        waits.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(results.put(JOB, "film.mp4", "video/mp4", parts(), 100 * MB))
    await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert held() == []
    if "bucket" in request.node.name:
        assert request.getfixturevalue("s3").uploads() == 0


async def test_a_result_has_a_largest_size(results: Results, held: Held) -> None:
    await results.put(JOB, "a.mp4", "video/mp4", pieces(bytes(6 * MB), bytes(MB)), 7 * MB)
    before = held()

    with pytest.raises(BadRequest, match=f"larger than {7 * MB} bytes") as caught:
        await results.put(JOB, "b.mp4", "video/mp4", pieces(bytes(6 * MB), bytes(MB), b"x"), 7 * MB)

    assert caught.value.code == "file_too_large"
    assert held() == before


async def test_a_result_is_replaced_as_a_whole(results: Results, held: Held) -> None:
    await put(results, b"first")
    reading = await results.open(JOB, "film.mp4")

    await put(results, b"second one")

    assert await body_of(results) == b"second one"
    assert reading.stored.size_bytes == 5
    with pytest.raises(NotFound):
        _ = [piece async for piece in reading.read()]
    assert len(held()) == 2


async def test_a_failed_replacement_leaves_what_was_there(results: Results) -> None:
    await put(results, b"first")

    with pytest.raises(BadRequest):
        await results.put(JOB, "film.mp4", "video/mp4", pieces(b"second one"), 3)

    assert await body_of(results) == b"first"


async def test_deleting_a_job_leaves_others(results: Results, held: Held) -> None:
    await put(results, name="a.mp4")
    await put(results, name="b.png")
    await put(results, job_id="job_12")
    assert jobs_in(held()) == {JOB, "job_12"}

    await results.delete(JOB)
    await results.delete(JOB)

    with pytest.raises(NotFound) as caught:
        await results.open(JOB, "a.mp4")
    assert caught.value.code == "result_not_found"
    assert jobs_in(held()) == {"job_12"}


async def test_orphans_are_dropped_when_they_are_an_hour_old(place: Place, held: Held) -> None:
    results = results_at(place)
    for number in range(5):
        await put(results, job_id=f"job_{number}")

    async def known(ids: Set[str]) -> Set[str]:
        return ids & {"job_1", "job_3", "job_9"}

    assert await results.purge_orphans(known) == 0
    assert await results_at(place, later_s=3_700).purge_orphans(known) == 3

    assert jobs_in(held()) == {"job_1", "job_3"}


async def test_what_a_killed_process_left_in_a_folder_is_dropped_with_its_job(tmp_path: Path) -> None:
    left = tmp_path / "job_1" / "film.mp4" / "body_1#1"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")

    assert await results_at(Folder(tmp_path), later_s=3_700).purge_orphans(_nobody) == 1

    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_nobody_made_has_no_jobs_and_is_not_made(tmp_path: Path) -> None:
    assert await results_at(Folder(tmp_path / "results")).purge_orphans(_nobody) == 0

    assert not (tmp_path / "results").exists()


async def _nobody(ids: Set[str]) -> Set[str]:
    return set()


_ODD = ["", ".", "..", "../x", "a/b", "a\0b", "/etc", "a b", "é", ".hidden", "a\n", "x" * 101, "%2e%2e", "a#1"]


@pytest.mark.parametrize("odd", _ODD)
async def test_what_is_no_id_or_name_is_never_a_path(results: Results, odd: str) -> None:
    for job_id, name in ((odd, "film.mp4"), (JOB, odd)):
        with pytest.raises(NotFound):
            await results.open(job_id, name)
        with pytest.raises(NotFound):
            await results.put(job_id, name, "video/mp4", pieces(b"x"), 10)
    with pytest.raises(NotFound):
        await results.delete(odd)


@given(text=st.text(max_size=120))
def test_no_text_leads_out_of_the_folder(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.getbasetemp() / "inside"
    results = results_at(Folder(root))

    async def try_it() -> None:
        try:
            await results.put("job_1", text, "video/mp4", pieces(b"x"), 10)
        except NotFound:
            return
        assert await (await results.open("job_1", text)).read().__anext__() == b"x"
        assert (root / "job_1" / text).is_dir()
        await results.delete("job_1")

    asyncio.run(try_it())


async def test_a_full_disk_takes_no_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage: Any = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))  # pyright: ignore

    with pytest.raises(Unavailable) as caught:
        await put(results_at(Folder(tmp_path)))

    assert caught.value.code == "no_space"
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


async def test_storage_that_fails_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    settings = ResultSettings(url="s3://nosuchbucket", endpoint="http://127.0.0.1:9")
    for place in (Folder(tmp_path / "file" / "below"), place_of(settings, tmp_path, ("a", "b"))):
        with pytest.raises(Unavailable) as caught:
            await put(results_at(place))

        assert caught.value.code == "results_unavailable"
        assert "127.0.0.1" not in caught.value.message and str(tmp_path) not in caught.value.message


def test_where_results_are_kept(tmp_path: Path) -> None:
    def place(**given: Any) -> Place:
        return place_of(ResultSettings(**given), tmp_path, ("id", "secret"))

    assert place() == Folder(tmp_path / "results")
    assert place(url="file:///srv/files") == Folder(Path("/srv/files"))
    assert place(url="s3://b/a/c/", region="eu-1") == Bucket("b", "a/c", "", "eu-1", False, "id", "secret")
    assert place(url="s3://b", endpoint="https://s3.example.com/") == Bucket(
        "b", "", "https://s3.example.com", "us-east-1", False, "id", "secret"
    )
    assert place(url="s3://b", endpoint="https://tos.example.com", bucket_in_host=True) == Bucket(
        "b", "", "https://b.tos.example.com", "us-east-1", True, "id", "secret"
    )
    assert place(url="oss://b/files", region="cn-hangzhou") == Bucket(
        "b", "files", "https://b.s3.oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou", True, "id", "secret"
    )
    inside = "https://s3.oss-cn-hangzhou-internal.aliyuncs.com"
    assert place(url="oss://b", region="cn-hangzhou", endpoint=inside) == Bucket(
        "b", "", inside.replace("//", "//b."), "cn-hangzhou", True, "id", "secret"
    )
