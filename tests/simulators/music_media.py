"""Small real files of music, an MP3 and a WAV of one second and MIDI, and what one holds once opened."""

import io
import math
import struct
import wave
from functools import cache
from typing import Any

import av
import numpy as np

_av: Any = av  # its types are incomplete

RATE_HZ = 44_100
SECONDS = 1.0


@cache
def mp3(hz: int = 440) -> bytes:
    """Return a tone."""
    file = io.BytesIO()
    with _av.open(file, "w", format="mp3") as out:
        stream = out.add_stream("mp3", rate=RATE_HZ)
        frame = _av.AudioFrame.from_ndarray(_tone(hz).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        for packet in [*stream.encode(frame), *stream.encode()]:
            out.mux(packet)
    return file.getvalue()


@cache
def wav(hz: int = 440) -> bytes:
    """Return a tone."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(_tone(hz).tobytes())
    return file.getvalue()


def midi(pitches: tuple[int, ...] = (60, 64, 67)) -> bytes:
    """Return notes one after the other, each a quarter note long, at 480 ticks a quarter note."""
    quarter = bytes([0x83, 0x60])
    events = b"".join(b"\x00" + bytes([0x90, p, 100]) + quarter + bytes([0x80, p, 0]) for p in pitches)
    track = events + bytes.fromhex("00ff2f00")
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track


def seconds_of(sound: bytes) -> float:
    """Return how long a sound, or a film, plays."""
    with _av.open(io.BytesIO(sound)) as file:
        assert file.duration is not None
        return file.duration / _av.time_base


def notes_of(data: bytes) -> list[list[int]]:
    """Return the pitches of the notes that each track of a MIDI file plays, track by track; it must be whole."""
    kind, length, _, count, _ = struct.unpack(">4sIHHH", data[:14])
    assert (kind, length) == (b"MThd", 6)
    at, tracks = 14, list[list[int]]()
    for _ in range(count):
        kind, length = struct.unpack(">4sI", data[at : at + 8])
        assert kind == b"MTrk"
        tracks.append(_track(data[at + 8 : at + 8 + length]))
        at += 8 + length
    assert at == len(data)
    return tracks


def _track(events: bytes) -> list[int]:
    at, on, pitches = 0, set[int](), list[int]()
    while at < len(events):
        while events[at] & 0x80:  # the time
            at += 1
        status = events[at + 1]
        if status == 0xFF:
            assert events[at + 2] != 0x2F or (at + 4 == len(events) and not on)
            at += 4 + events[at + 3]
        else:
            pitch = events[at + 2]
            if status & 0xF0 == 0x90:
                on.add(pitch)
                pitches.append(pitch)
            else:
                assert status & 0xF0 == 0x80
                on.remove(pitch)
            at += 4
    return pitches


def _tone(hz: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    at = np.arange(round(SECONDS * RATE_HZ))
    return (8_000 * np.sin(2 * math.pi * hz * at / RATE_HZ)).astype(np.int16)
