"""Forms with files as programs send them. A field whose text is `@NAME` is that file."""

from collections.abc import Iterable, Mapping

BOUNDARY = "tokengate-form"
FORM_TYPE = "multipart/form-data"


def form_of(fields: Iterable[tuple[str, str]], files: Mapping[str, bytes]) -> bytes:
    """Return the body of a form with these fields, in their order."""
    parts: list[bytes] = []
    for name, text in fields:
        if text.startswith("@"):
            head, data = f'; filename="{text[1:]}"\r\nContent-Type: application/octet-stream', files[text[1:]]
        else:
            head, data = "", text.encode()
        disposition = f'Content-Disposition: form-data; name="{name}"{head}'
        parts.append(f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
