"""Annotations of a text: where it comes from."""

from typing import Any

import msgspec
from msgspec import Raw

from tokengate.core.parts import Citation
from tokengate.formats.responses.types import NAME, UrlCitation


def read_citation(raw: Raw) -> Citation:
    """Return an annotation of any kind; what the vocabulary has no word for stays in `raw`."""
    try:
        wire = _decode(raw)
    except (ValueError, RecursionError):
        return Citation(format=NAME, raw=raw)
    return Citation(
        url=wire.url or "",
        title=wire.title or wire.filename or "",
        start=-1 if wire.start_index is None else wire.start_index,
        end=-1 if wire.end_index is None else wire.end_index,
        format=NAME,
        raw=raw,
    )


def write_citation(citation: Citation, text_length: int) -> dict[str, Any] | Raw:
    """Return a citation as an annotation of a text that is `text_length` characters long so far."""
    if citation.format == NAME and citation.raw is not None:
        return citation.raw
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title,
        "start_index": max(citation.start, 0),
        "end_index": citation.end if citation.end >= 0 else text_length,
    }


_decode = msgspec.json.Decoder(UrlCitation).decode
