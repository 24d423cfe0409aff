"""Speech in words of no vendor: a text is read aloud, and what comes back is sound, piece by piece.

Sound without a container is PCM: 24,000 samples a second of 16 bits, little-endian, one channel.
"""

import struct
from collections.abc import Mapping
from typing import Final, Protocol

from msgspec import Struct

from tokengate.core.errors import GatewayError
from tokengate.core.parts import NO_EXTRA, Extra
from tokengate.core.splice import Members
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Heading, Losses

DEFAULT_FORMAT: Final = "mp3"  # of OpenAI's API
RATE_HZ: Final = 24_000
SAMPLE_BYTES: Final = 2
_UNKNOWN: Final = 0xFFFFFFFF  # how long a file is that is still being written


class Aloud(Struct, frozen=True, kw_only=True):
    """A text to be read aloud. `audio_format` is as the caller wrote it, None for the vendor's choice; `members` are
    the request's, and `extra` what only its own `format` understands."""

    format: str
    members: Members
    model: str
    text: str
    voice: str
    language: str = ""
    instructions: str = ""
    audio_format: str | None = None
    speed: float = 1.0
    stream: bool = True
    events: bool = False  # the sound comes inside events, with usage at their end
    extra: Extra = NO_EXTRA


class SpeechEvent(Struct, frozen=True):
    """One event of a stream: some sound, or its end with what the vendor reports, or its error as a JSON body."""

    sound: bytes = b""
    done: bool = False
    usage: ReportedUsage | None = None
    error: bytes | None = None


class SpeechWriter(Protocol):
    """Writes one reply for a caller, piece by piece."""

    def write(self, sound: bytes) -> bytes:
        """Return what the caller may have now."""
        ...

    def end(self, usage: Usage) -> bytes:
        """Return the last bytes of the reply."""
        ...

    def fail(self, error: GatewayError) -> bytes:
        """Return the end of a reply that cannot be whole; nothing where it has no words for that."""
        ...


class SpeechFormat(Protocol):
    """How a wire format has a text read aloud. The first half is the vendor's side, the second the caller's."""

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> str:
        """Below the vendor's base URL."""
        ...

    def tells_usage(self, aloud: Aloud) -> bool:
        """Say whether a reply in events would end with the tokens that were counted, which sound alone may not tell."""
        ...

    @property
    def is_bare(self) -> bool:
        """Whether its sound is PCM, whatever was asked for, so that a container is made here."""
        ...

    @property
    def unasked(self) -> str:
        """The audio format of a reply for which none was asked."""
        ...

    def headers(self, aloud: Aloud) -> Mapping[str, str]: ...

    def write(self, aloud: Aloud, model: str, fixed: dict[str, bytes], losses: Losses, *, events: bool) -> bytes:
        """Return the body of a request for sound, or for `events`; `fixed` is the operator's JSON by name, over the
        caller's own. Raises Unsupported."""
        ...

    def read_event(self, data: bytes) -> SpeechEvent:
        """Read the data of one event; one of a kind that nobody knows is empty."""
        ...

    def read_head(self, headers: Mapping[str, str]) -> ReportedUsage | None:
        """Return what the headers of a reply say was counted."""
        ...

    def read_whole(self, body: bytes) -> SpeechEvent:
        """Read a reply that is no stream; what lies at an address is not fetched. Raises UpstreamFailed."""
        ...

    def read(self, body: bytes) -> Aloud:
        """Read a client's request. Raises BadRequest."""
        ...

    def reply_type(self, aloud: Aloud, sound_type: str) -> str:
        """Return the media type of a streamed reply with sound of a type."""
        ...

    def writer(self, aloud: Aloud, heading: Heading, head: bytes) -> SpeechWriter:
        """Return the writer of a streamed reply whose sound begins with `head`."""
        ...

    def write_whole(self, sound: bytes, usage: Usage, heading: Heading) -> bytes:
        """Return a whole reply."""
        ...


def wav_head() -> bytes:
    """Return the head of a WAV file whose length nobody knows yet; players read such a file to its end.

    http://soundfile.sapp.org/doc/WaveFormat, with the largest length as ffmpeg and OpenAI write it into a stream.
    """
    form = struct.pack("<HHIIHH", 1, 1, RATE_HZ, RATE_HZ * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
    return b"".join(
        (
            b"RIFF" + struct.pack("<I", _UNKNOWN) + b"WAVE",
            b"fmt " + struct.pack("<I", len(form)) + form,
            b"data" + struct.pack("<I", _UNKNOWN),
        )
    )
