"""What one call consumed, in disjoint buckets, and where the numbers came from.

The reader of each wire format makes the buckets disjoint (OpenAI counts cached tokens inside the prompt,
Anthropic outside it); everything behind it adds and multiplies without knowing any vendor.
"""

from enum import StrEnum

from msgspec import Struct


class UsageSource(StrEnum):
    """Who counted."""

    VENDOR = "vendor"
    COUNTED = "counted"
    ESTIMATED = "estimated"


class Usage(Struct, frozen=True, omit_defaults=True):
    """Disjoint buckets. Tokens unless the name says otherwise; `input` excludes cache and media tokens,
    `output` excludes reasoning and audio tokens."""

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    image_in: int = 0
    image_out: int = 0
    video_in: int = 0
    audio_in: int = 0
    audio_out: int = 0
    image: int = 0
    second: int = 0
    character: int = 0
    search: int = 0
    request: int = 0

    @property
    def input_total(self) -> int:
        """All tokens that the model read: what picks a context tier."""
        return (
            self.input
            + self.cache_read
            + self.cache_write_5m
            + self.cache_write_1h
            + self.image_in
            + self.video_in
            + self.audio_in
        )

    @property
    def output_total(self) -> int:
        """All tokens that the model wrote."""
        return self.output + self.reasoning + self.image_out + self.audio_out


class ReportedUsage(Struct, frozen=True):
    """What a vendor reported: our buckets, and its own JSON. A `partial` report came before the model was done: its
    input is true, its output is not yet. `size`, `quality` and `resolution` are those of what was made, which a price
    may ask about."""

    usage: Usage
    raw: bytes
    partial: bool = False
    size: str | None = None
    quality: str | None = None
    resolution: str | None = None


BUCKETS: tuple[str, ...] = Usage.__struct_fields__
