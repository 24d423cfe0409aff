"""Recordings that are heard as a job: long ones, several at once, at addresses that the vendor reads by itself."""

from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from tokengate.core.jobs import Most, Task
from tokengate.core.parts import NO_EXTRA, Extra, Source, without_bytes
from tokengate.core.usage import Usage

# How long a recording is nobody knows before it was heard; no vendor takes longer ones.
# https://help.aliyun.com/zh/model-studio/recording-file-recognition, 2026-11
MOST_SECONDS: Final = 12 * 3600


class Hear(Task, frozen=True, kw_only=True):
    """Recordings to be heard, each of which becomes a file of its own. None leaves a choice to the vendor; `extra` is
    what only its own `format` understands, and `essential` those of it that change what the answer is."""

    recordings: tuple[Source, ...]
    languages: tuple[str, ...] = ()  # ISO 639-1, that may be spoken
    tracks: int = 1  # of each recording that are heard, each of which is paid for
    alone: bool = False  # it was asked for as the one recording there is, and is answered so
    extra: Extra = NO_EXTRA
    essential: frozenset[str] = frozenset()

    @property
    def most(self) -> Most:
        return Most(Usage(second=MOST_SECONDS * self.tracks * len(self.recordings), request=1))

    def light(self) -> Self:
        """Return it without the bytes of recordings."""
        return replace(self, recordings=tuple(map(without_bytes, self.recordings)))


class Heard(Struct, frozen=True, omit_defaults=True):
    """What a vendor says of one recording; one that failed has a `code`, and there is no file of it."""

    code: str = ""
    message: str = ""


class HearingTold(Struct, frozen=True, omit_defaults=True):
    """What a vendor says of a job's recordings, in their order, as `Progress.told` keeps it."""

    recordings: tuple[Heard, ...] = ()
