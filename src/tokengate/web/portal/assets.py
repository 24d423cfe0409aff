"""The files of a front-end build, with their types, entity tags and the compressed twins that were built beside them.

The folder is walked once; a file is read when it is first asked for and then kept, which a build's size bounds.
"""

import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

STATIC = Path(__file__).parent.parent / "static"  # where `console/` is built into

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))  # the better one first
_HASHED = "/assets/"  # the build names files below it after their content
_PRIVATE = frozenset({"/manifest.json"})  # of use to the build only


class Asset(Struct, frozen=True):
    """One file to send: its bytes, how they are encoded, and what is said of them."""

    body: bytes
    kind: str
    encoding: str  # "" when the bytes are the file itself
    etag: str
    immutable: bool


class Assets:
    """Finds a built file by its path, in the best encoding that the caller takes."""

    def __init__(self, folder: Path) -> None:
        self._files = _walk(folder)
        self._read: dict[tuple[str, str], Asset] = {}

    @property
    def built(self) -> bool:
        """Whether there is a build at all."""
        return "/index.html" in self._files

    def find(self, path: str, accept_encoding: str) -> Asset | None:
        """Return the file at this path, such as `/assets/index-1a2b.js`; None when there is none."""
        encodings = self._files.get(path)
        if encodings is None:
            return None
        encoding = next((name for name, _ in _ENCODINGS if name in encodings and _takes(accept_encoding, name)), "")
        asset = self._read.get((path, encoding))
        if asset is None:
            asset = _read(path, encoding, encodings[encoding])
            self._read[path, encoding] = asset
        return asset


def _walk(folder: Path) -> Mapping[str, Mapping[str, Path]]:
    """Return the files by path, each with its encodings; compressed twins are not paths of their own."""
    if not folder.is_dir():
        return {}
    every = {f"/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*") if file.is_file()}
    suffixes = tuple(suffix for _, suffix in _ENCODINGS)
    return {
        path: {"": file} | {name: every[path + suffix] for name, suffix in _ENCODINGS if path + suffix in every}
        for path, file in every.items()
        if not path.endswith(suffixes) and path not in _PRIVATE
    }


def _read(path: str, encoding: str, file: Path) -> Asset:
    body = file.read_bytes()
    suffix = Path(path).suffix
    return Asset(
        body=body,
        kind=_TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream"),
        encoding=encoding,
        etag=f'"{hashlib.sha256(body).hexdigest()[:20]}"',
        immutable=path.startswith(_HASHED),
    )


def _takes(accept_encoding: str, name: str) -> bool:
    """Tell whether Accept-Encoding names an encoding without refusing it."""
    for item in accept_encoding.split(","):
        coding, _, quality = item.partition(";")
        if coding.strip().lower() == name:
            return quality.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
