"""`multipart/form-data` bodies: their fields and files, in order, within limits."""

import re
from typing import Final

from msgspec import Struct
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from tokengate.core.errors import BadRequest

FORM_TYPE: Final = "multipart/form-data"
_MAX_PARTS: Final = 200

_boundary = re.compile(r';\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s";]{1,200}))', re.IGNORECASE).search


class Part(Struct, frozen=True):
    """A field, or a file when it has a `file_name`; `media_type` is empty when none was said."""

    name: str
    data: bytes
    file_name: str | None = None
    media_type: str = ""


def is_form(content_type: str) -> bool:
    """Say whether a body is declared as a form with files."""
    return content_type.partition(";")[0].strip().lower() == FORM_TYPE


def boundary_of(content_type: str) -> str:
    """Return what lies between the parts of a form; empty when that is not said."""
    found = _boundary(content_type)
    return (found[1] or found[2]) if found else ""


def read_form(content_type: str, body: bytes) -> list[Part]:
    """Return the parts of a form. Raises BadRequest for one that is not whole, or makes no sense."""
    boundary = boundary_of(content_type)
    if not boundary:
        raise BadRequest("The form has no boundary in its Content-Type.")
    parts: list[Part] = []
    head: MultipartSegment | None = None
    pieces: list[bytes] = []
    try:
        with PushMultipartParser(boundary, max_segment_count=_MAX_PARTS) as parser:
            for event in parser.parse(body):
                match event:
                    case MultipartSegment():
                        head, pieces = event, []
                    case None:
                        assert head is not None, "a part ends after it began"
                        name, kind = head.name or "", head.content_type or ""
                        parts.append(Part(name, b"".join(pieces), head.filename, kind))
                    case _:
                        pieces.append(bytes(event))
    except (MultipartError, UnicodeError) as error:
        raise BadRequest(f"The form cannot be read: {str(error)[:100]}.") from None
    return parts
