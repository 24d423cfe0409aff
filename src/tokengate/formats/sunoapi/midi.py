"""Notes of instruments written as a standard MIDI file: one track for each, in seconds.

A tick is half a millisecond: 1,000 ticks a quarter note at 120 quarter notes a minute.
"""

import struct
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

_TICKS_PER_QUARTER: Final = 1_000
_TICKS_PER_SECOND: Final = 2_000
_TEMPO: Final = bytes.fromhex("00ff510307a120")  # 500,000 microseconds a quarter note
_END: Final = bytes.fromhex("00ff2f00")
_CHANNELS: Final = 16
_DRUMS: Final = 9  # the channel of percussion
_MAX_TICK: Final = 2**28 - 1  # what a length of time can say


class Note(Struct, frozen=True):
    """One note; `velocity` is from 0 to 1."""

    pitch: int
    start_s: float
    end_s: float
    velocity: float = 1.0


class Instrument(Struct, frozen=True):
    name: str
    notes: tuple[Note, ...]


def write_midi(instruments: Sequence[Instrument]) -> bytes:
    """Return the file. Notes that are none (a pitch beyond 127, an end before its beginning) are left out."""
    tracks = [_chunk(b"MTrk", _TEMPO + _END)]
    melodic = [channel for channel in range(_CHANNELS) if channel != _DRUMS]
    for number, instrument in enumerate(instruments):
        channel = _DRUMS if "drum" in instrument.name.lower() else melodic[number % len(melodic)]
        tracks.append(_chunk(b"MTrk", _track(instrument, channel)))
    header = struct.pack(">HHH", 1, len(tracks), _TICKS_PER_QUARTER)
    return _chunk(b"MThd", header) + b"".join(tracks)


def _track(instrument: Instrument, channel: int) -> bytes:
    name = instrument.name.encode()[:127]
    pieces = [b"\x00\xff\x03", bytes([len(name)]), name]
    before = 0
    for tick, message in sorted(_messages(instrument, channel)):
        pieces += (_length(tick - before), message)
        before = tick
    return b"".join((*pieces, _END))


def _messages(instrument: Instrument, channel: int) -> list[tuple[int, bytes]]:
    """Return when each note goes on and off. Off sorts before on, so that a repeated note sounds anew."""
    found: list[tuple[int, bytes]] = []
    for note in instrument.notes:
        start, end = round(note.start_s * _TICKS_PER_SECOND), round(note.end_s * _TICKS_PER_SECOND)
        if 0 <= note.pitch <= 127 and 0 <= start < end <= _MAX_TICK:
            loudness = min(max(round(note.velocity * 127), 1), 127)
            found.append((start, bytes([0x90 | channel, note.pitch, loudness])))
            found.append((end, bytes([0x80 | channel, note.pitch, 0])))
    return found


def _length(ticks: int) -> bytes:
    """Return a number in groups of seven bits, the last without the eighth."""
    groups = [ticks & 0x7F]
    while ticks := ticks >> 7:
        groups.append(ticks & 0x7F | 0x80)
    return bytes(reversed(groups))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack(">I", len(data)) + data
