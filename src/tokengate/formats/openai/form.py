"""Forms of OpenAI's API (multipart/form-data), both ways: what a caller's form says as JSON, in which files are data
URLs, and a vendor's form of fields and files.

What is read, digested and billed is that JSON; a caller's boundary is another one each time.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import BadRequest
from tokengate.core.parts import Data
from tokengate.core.service import Form

_SUFFIXES: Final = {"image/jpeg": "jpg"}

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

FormPart = tuple[str, bytes, str | None, str]  # name, data, file name (None of a field), media type


class FormFile(Struct, frozen=True):
    """A file to be sent: the name of its field, a title without its suffix, and the bytes."""

    name: str
    title: str
    data: Data


def write_form(fields: Mapping[str, Any], files: Iterable[FormFile]) -> Form:
    """Return a form. Values that are no text are written as JSON; those that are None are left out."""
    parts = [_field(name, _written(value)) for name, value in fields.items() if value is not None]
    parts += [_file(one) for one in files]
    boundary = f"tokengate-{hashlib.sha256(b''.join(parts)).hexdigest()}".encode()
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    return Form(body, f"multipart/form-data; boundary={boundary.decode()}")


def data_url(data: bytes, media_type: str) -> str:
    """Return a file of a form as an address."""
    return f"data:{media_type or 'application/octet-stream'};base64,{base64.b64encode(data).decode()}"


def field_text(data: bytes, name: str) -> str:
    """Return the text of a field. Raises BadRequest."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadRequest(f"'{name}' is not valid UTF-8.", param=name) from None


def field_integer(text: str) -> int | str:
    """Return a field as JSON has an integer; what is none stays a text, for the reader to refuse."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else text


def _written(value: Any) -> bytes:
    if isinstance(value, Raw):
        value = _decode(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    return _encode(value)


def _field(name: str, value: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="%b"\r\n\r\n%b' % (_quoted(name), value)


def _file(file: FormFile) -> bytes:
    kind = file.data.media_type
    suffix = _SUFFIXES.get(kind, kind.partition("/")[2])
    return b'Content-Disposition: form-data; name="%b"; filename="%b"\r\nContent-Type: %b\r\n\r\n%b' % (
        file.name.encode(),
        f"{file.title}.{suffix}".encode(),
        kind.encode(),
        base64.b64decode(file.data.base64),
    )


def _quoted(name: str) -> bytes:
    """Return a field's name as HTML's forms write it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode("utf-8", "replace")
