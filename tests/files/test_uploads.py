import base64
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support import FakeClock
from tokengate.core.errors import BadRequest, Conflict, Forbidden, Unavailable
from tokengate.core.ids import new_id
from tokengate.core.sealing import Sealer
from tokengate.files import uploads as limits
from tokengate.files.uploads import GRANT_S, KEPT_S, Uploads

PNG = b"\x89PNG\r\n\x1a\n and so on"
OURS, THEIRS = ("org_1", "prj_1"), ("org_1", "prj_2")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def uploads(tmp_path: Path, clock: FakeClock) -> Uploads:
    return Uploads(tmp_path / "uploads", Sealer(bytes(32)), clock, new_id=new_id)


async def put(uploads: Uploads, name: str = "dog.png", body: bytes = PNG, owner: tuple[str, str] = OURS) -> str:
    """Upload a file and return its address."""
    grant, _ = await uploads.grant(*owner)
    async with uploads.receive(grant, key := f"{grant.directory}/{name}") as file:
        await file.write(body)
    return f"oss://{key}"


def kept(folder: Path) -> list[Path]:
    return [path for path in (folder / "uploads").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("name", "body", "media_type"),
    [
        ("dog.png", b"anything", "image/png"),
        ("film.MP4", b"anything", "video/mp4"),
        ("no-ending", PNG, "image/png"),
        ("图 片 %2F..png", PNG, "image/png"),
        ("..", PNG, "image/png"),
    ],
)
async def test_a_file_is_read_back_by_its_project(
    uploads: Uploads, tmp_path: Path, name: str, body: bytes, media_type: str
) -> None:
    url = await put(uploads, name, body)

    found = await uploads.read(*OURS, url)

    assert (found.media_type, found.body) == (media_type, body)
    (path,) = kept(tmp_path)
    assert path.is_relative_to(tmp_path / "uploads" / "org_1" / "prj_1") and name not in str(path)


async def test_nobody_else_can_read_it_and_nobody_learns_that_it_is_there(uploads: Uploads) -> None:
    url = await put(uploads)

    with pytest.raises(BadRequest) as foreign:
        await uploads.read(*THEIRS, url)
    with pytest.raises(BadRequest) as absent:
        await uploads.read(*OURS, url + "x")

    assert foreign.value.code == absent.value.code == "file_not_found"
    assert foreign.value.message.replace(url, "") == absent.value.message.replace(url + "x", "")


@pytest.mark.parametrize(
    "url",
    [
        "oss://",
        "oss://bucket/dog.png",
        "oss://uploads/upl_1/dog.png",
        f"oss://uploads/upl_{'0' * 32}/../../secret",
        f"oss://uploads/upl_{'0' * 32}/a/b",
        f"oss://uploads/upl_{'0' * 32}/",
        f"oss://uploads/upl_{'0' * 32}/" + "x" * 5000,
    ],
)
async def test_what_is_no_address_of_ours_is_refused(uploads: Uploads, url: str) -> None:
    with pytest.raises(BadRequest) as caught:
        await uploads.read(*OURS, url)

    assert caught.value.code == "file_not_found" and len(caught.value.message) < 500


async def test_a_file_expires_and_is_dropped(uploads: Uploads, tmp_path: Path, clock: FakeClock) -> None:
    old = await put(uploads)
    clock.advance(KEPT_S - 1)
    new = await put(uploads)
    assert (await uploads.read(*OURS, old)).body == PNG

    clock.advance(1)

    with pytest.raises(BadRequest):
        await uploads.read(*OURS, old)
    assert len(kept(tmp_path)) == 2
    await uploads.purge()
    assert len(kept(tmp_path)) == 1
    assert (await uploads.read(*OURS, new)).body == PNG


async def test_what_is_left_of_a_broken_upload_is_dropped_at_once(uploads: Uploads, tmp_path: Path) -> None:
    grant, _ = await uploads.grant(*OURS)

    with pytest.raises(ConnectionError):
        async with uploads.receive(grant, f"{grant.directory}/dog.png") as file:
            await file.write(PNG)
            raise ConnectionError

    assert kept(tmp_path) == []


async def test_a_file_is_not_there_before_it_is_whole_nor_written_over(uploads: Uploads) -> None:
    grant, _ = await uploads.grant(*OURS)
    key = f"{grant.directory}/dog.png"
    async with uploads.receive(grant, key) as file:
        await file.write(PNG)
        with pytest.raises(BadRequest):
            await uploads.read(*OURS, f"oss://{key}")
        with pytest.raises(Conflict):
            async with uploads.receive(grant, key):
                pass

    with pytest.raises(Conflict):
        async with uploads.receive(grant, key) as file:
            await file.write(b"other")

    assert (await uploads.read(*OURS, f"oss://{key}")).body == PNG


async def test_a_grant_is_for_its_directory_and_for_a_time(uploads: Uploads, clock: FakeClock) -> None:
    grant, sealed = await uploads.grant(*OURS)
    assert uploads.granted(sealed) == grant

    for key in ("dog.png", grant.directory, f"{grant.directory}/", f"{grant.directory}/a/b", "uploads/upl_1/dog.png"):
        with pytest.raises(Forbidden):
            async with uploads.receive(grant, key):
                pass
    clock.advance(GRANT_S + 1)
    with pytest.raises(Forbidden, match="expired"):
        uploads.granted(sealed)


async def test_only_what_was_sealed_here_is_a_grant(uploads: Uploads, tmp_path: Path, clock: FakeClock) -> None:
    other = Uploads(tmp_path, Sealer(bytes([1] * 32)), clock, new_id=new_id)
    _, foreign = await other.grant(*OURS)
    _, ours = await uploads.grant(*OURS)
    altered = base64.b64encode(base64.b64decode(ours)[:-1] + b"x").decode()

    for sealed in ("", "x", "é", "AAAA", foreign, altered, ours[:-4]):
        with pytest.raises(Forbidden):
            uploads.granted(sealed)


async def test_a_file_has_a_largest_size(uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 10)
    assert (await uploads.read(*OURS, await put(uploads, body=bytes(10)))).body == bytes(10)

    with pytest.raises(BadRequest, match="larger than 10 bytes"):
        await put(uploads, body=bytes(11))

    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize(("limit", "value"), [("_MAX_FILES", 2), ("_MAX_PROJECT_BYTES", limits.MAX_FILE_BYTES + 40)])
async def test_a_project_has_room_for_so_much_and_others_have_their_own(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(limits, limit, value)
    grant, _ = await uploads.grant(*OURS)
    for _ in range(2):
        await put(uploads, body=bytes(21))

    with pytest.raises(Forbidden) as caught:
        await uploads.grant(*OURS)
    with pytest.raises(Forbidden):
        async with uploads.receive(grant, f"{grant.directory}/dog.png"):
            pass

    assert caught.value.code == "uploads_full"
    await put(uploads, owner=THEIRS)


async def test_a_full_disk_takes_no_files(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    usage: Any = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))  # pyright: ignore

    with pytest.raises(Unavailable):
        await uploads.grant(*OURS)


async def test_what_no_model_reads_is_refused(uploads: Uploads) -> None:
    url = await put(uploads, "program.exe", b"MZ")

    with pytest.raises(BadRequest, match="neither a picture"):
        await uploads.read(*OURS, url)
