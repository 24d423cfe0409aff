"""Media types by an address's ending, for sources that do not say theirs."""

from typing import Final
from urllib.parse import urlsplit

from tokengate.core.parts import Data, FileId, Source, Url

_ENDINGS: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "gif": "image/gif",
    "wav": "audio/wav",
    "mp3": "audio/mp3",
    "aiff": "audio/aiff",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "m4a": "audio/m4a",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpg",
    "mov": "video/mov",
    "avi": "video/avi",
    "flv": "video/x-flv",
    "webm": "video/webm",
    "wmv": "video/wmv",
    "3gp": "video/3gpp",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/md",
    "csv": "text/csv",
    "html": "text/html",
    "xml": "text/xml",
    "json": "application/json",
}
_FILMS: Final = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be"})
_FILES: Final = "generativelanguage.googleapis.com"


def guess_type(source: Source) -> str:
    """Return the media type of a source; empty when nothing tells."""
    match source:
        case Data():
            return source.media_type
        case Url():
            address = _split(source.url)
            if address is None:
                return ""
            host, path = address
            return "video/mp4" if host in _FILMS else _ENDINGS.get(path.rpartition(".")[2].lower(), "")
        case FileId():
            return ""


def keeps(url: str) -> bool:
    """Say whether Google fetches an address by itself: its own files, its storage, and films of YouTube."""
    if not url.startswith(("http://", "https://")):
        return True
    address = _split(url)
    return address is not None and (address[0] in _FILMS or address[0] == _FILES)


def _split(url: str) -> tuple[str, str] | None:
    try:
        address = urlsplit(url)
        return (address.hostname or "").lower(), address.path
    except ValueError:
        return None
