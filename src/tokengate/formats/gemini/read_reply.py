"""Reads whole replies."""

from msgspec.structs import replace

from tokengate.core.errors import UpstreamFailed
from tokengate.core.fold import Fold
from tokengate.core.reply import Failure, Reply
from tokengate.formats.gemini.chunks import ChunkReader
from tokengate.formats.gemini.signatures import NAME


def read_reply(body: bytes) -> Reply:
    """Return a whole reply. Raises UpstreamFailed when it is none, or an error."""
    reader, fold = ChunkReader(), Fold()
    for event in (*reader.read(body), *reader.end()):
        if isinstance(event, Failure) and event.kind == "error":
            raise UpstreamFailed(event.message, kind="status")
        fold.add(event)
    return replace(fold.reply(), usage=reader.usage, searches=reader.searches, format=NAME)
