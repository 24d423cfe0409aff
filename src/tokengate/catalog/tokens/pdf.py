"""How many pages a PDF has, without reading it: from its page objects and the counts of its page tree, which lie open
in the file or, since PDF 1.5, in compressed object streams (ISO 32000-1, 7.5.7 and 7.7.3)."""

import binascii
import re
import zlib
from base64 import b64decode

_MAX_INFLATED_BYTES = 8 * 1024 * 1024  # of object streams; ten thousand pages have less

_page = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_count = re.compile(rb"/Count\s+(\d{1,6})(?!\d)")
_object_stream = re.compile(rb"/Type\s*/ObjStm\b")
_stream = re.compile(rb"stream\r?\n")


def pages_of_base64(text: str) -> int | None:
    """Return how many pages a PDF in base64 has, as `pages_of` does; None for what is no base64."""
    try:
        return pages_of(b64decode(text))
    except (binascii.Error, ValueError):
        return None


def pages_of(data: bytes) -> int | None:
    """Return how many pages a PDF has, the largest number when it says several, 0 when it says none; None for what is
    no PDF."""
    if b"%PDF-" not in data[:1024]:
        return None
    return max(_pages_in(data), _pages_in(_object_streams(data)))


def _pages_in(data: bytes) -> int:
    pages = sum(1 for _ in _page.finditer(data))
    return max([pages, *(int(count) for count in _count.findall(data))])


def _object_streams(data: bytes) -> bytes:
    """Return what the object streams hold, inflated."""
    found = bytearray()
    for mark in _object_stream.finditer(data):
        begin = _stream.search(data, mark.end(), mark.end() + 1024)
        left = _MAX_INFLATED_BYTES - len(found)
        if begin is None or left <= 0:
            continue
        try:
            found += zlib.decompressobj().decompress(data[begin.end() : data.find(b"endstream", begin.end())], left)
        except zlib.error:  # compressed in another way, or encrypted
            continue
    return bytes(found)
